// Beside the seconds of a tag: a button that fills in the moment at which the film stands. Without it one types them.
customElements.define("clip-moment", class extends HTMLElement {
  connectedCallback() {
    this.buttons = [...this.querySelectorAll("input")].map((input) => this.#button(input))
  }

  disconnectedCallback() { this.buttons.forEach((button) => button.remove()) }

  #button(input) {
    const button = document.createElement("button")
    button.type = "button"
    button.className = "button button--small button--quiet"
    button.textContent = this.dataset.now
    button.setAttribute("aria-label", `${input.labels[0].textContent}: ${this.dataset.now}`)
    button.addEventListener("click", () => {
      const film = document.querySelector("#film video")
      if (film) input.value = film.currentTime.toFixed(1)
    })
    input.after(button)
    return button
  }
})
