// Pull the sheet down to close it. The button and Esc do the same for who cannot drag.
const FAR = 0.3, FAST = 0.6 // of the sheet's height; pixels in a millisecond

customElements.define("sheet-grip", class extends HTMLElement {
  connectedCallback() {
    this.dialog = this.closest("dialog")
    this.onpointerdown = (event) => this.#take(event)
    this.onpointermove = (event) => this.from && this.#move(event.clientY - this.from.clientY)
    this.onpointerup = (event) => this.from && this.#drop(event)
    this.onpointercancel = () => this.from && this.#let()
  }

  #take(event) {
    this.from = event
    this.setPointerCapture(event.pointerId)
    this.toggleAttribute("data-dragging", true)
  }

  #move(pixels) { this.dialog.style.setProperty("--drag", `${Math.max(0, pixels)}px`) }

  #drop(event) {
    const way = event.clientY - this.from.clientY
    const speed = way / (event.timeStamp - this.from.timeStamp)
    this.#let()
    if (way > this.dialog.offsetHeight * FAR || (way > 20 && speed > FAST)) this.dialog.close()
  }

  #let() {
    this.from = null
    this.toggleAttribute("data-dragging", false)
    this.dialog.style.removeProperty("--drag")
  }
})
