// Hand the address of this clip on: by the phone's own sharing, else by the clipboard. Over plain http a browser has
// neither: then it is copied in the old way, or stands in a field to be copied by hand.
customElements.define("share-button", class extends HTMLElement {
  connectedCallback() {
    this.onclick = () => this.#share(new URL(this.closest("[data-address]").dataset.address, location).href)
  }

  async #share(url) {
    try {
      if (navigator.share) return await navigator.share({ url })
      await navigator.clipboard.writeText(url)
      this.#say("copied")
    } catch (error) {
      if (error.name !== "AbortError") this.#offer(url) // that one: they changed their mind
    }
  }

  #offer(url) {
    const field = this.#say("by-hand").querySelector("input")
    field.value = url
    field.focus()
    field.select()
    if (document.execCommand("copy")) this.#say("copied")
  }

  #say(what) {
    const message = document.querySelector("#message")
    message.replaceChildren(document.querySelector(`[data-shared=${what}]`).content.cloneNode(true))
    return message
  }
})
