// Hand the address of this clip on: to the phone's own sharing, else to the clipboard.
customElements.define("share-button", class extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", () => this.#share(this.closest("[data-address]")))
  }

  async #share(clip) {
    const url = new URL(clip.dataset.address, location).href
    if (navigator.share) return navigator.share({ url }).catch(() => {}) // changed their mind
    await navigator.clipboard.writeText(url)
    this.#say(this.dataset.said)
  }

  #say(words) {
    const said = Object.assign(document.createElement("p"), { className: "toast", textContent: words })
    document.querySelector("#message").replaceChildren(said)
  }
})
