// A button that is on or off, and stays so: in this browser, or with `for-now` until its window is closed.
customElements.define("kept-switch", class extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button")
    this.name = this.getAttribute("name")
    this.store = this.hasAttribute("for-now") ? sessionStorage : localStorage
    this.#say((this.store.getItem(this.name) ?? this.getAttribute("default")) === "on")
    this.button.addEventListener("click", () => this.turn(!this.on))
  }

  turn(on) {
    this.store.setItem(this.name, on ? "on" : "off")
    this.#say(on)
    this.dispatchEvent(new CustomEvent("switch:turned", { bubbles: true }))
  }

  #say(on) {
    this.on = on
    this.button.ariaPressed = String(on)
  }
})
