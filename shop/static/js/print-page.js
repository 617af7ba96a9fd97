/* A button that prints the page; without JavaScript it is not there, and the browser's own menu does it. */
customElements.define("print-page", class extends HTMLElement {
  connectedCallback() {
    this.hidden = false
    this.addEventListener("click", this)
  }

  disconnectedCallback() { this.removeEventListener("click", this) }

  handleEvent() { window.print() }
})
