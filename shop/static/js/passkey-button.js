// Asks the device for a passkey, and sends what it says with the form around it. Hidden where there are no passkeys.
customElements.define("passkey-button", class extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return
    this.hidden = false
    this.form = this.querySelector("form")
    this.button = this.querySelector("button")
    this.words = this.querySelector("[role=status]")
    this.stop = new AbortController()
    this.button.addEventListener("click", () => this.#ask(), { signal: this.stop.signal })
  }

  disconnectedCallback() { this.stop?.abort() }

  async #ask() {
    this.words.textContent = ""
    this.button.disabled = true
    try {
      const made = await this.#made()
      this.form.elements.answer.value = JSON.stringify(made.toJSON())
      this.form.requestSubmit()
    } catch {
      this.words.textContent = this.dataset.failed
      this.button.disabled = false
    }
  }

  #made() {
    const options = JSON.parse(this.dataset.options)
    return this.dataset.ask === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
  }
})
