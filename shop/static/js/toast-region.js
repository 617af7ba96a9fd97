// What was said in passing goes away by itself, unless somebody is reading it or wants to press what is in it.
const LASTS = 5000, ERROR_LASTS = 10000

customElements.define("toast-region", class extends HTMLElement {
  connectedCallback() {
    this.watcher = new MutationObserver(() => this.#wait())
    this.watcher.observe(this, { childList: true })
    this.addEventListener("focusout", () => this.#wait())
    this.addEventListener("pointerleave", () => this.#wait())
    this.#wait()
  }

  disconnectedCallback() {
    this.watcher.disconnect()
    clearTimeout(this.timer)
  }

  #wait() {
    clearTimeout(this.timer)
    if (!this.firstElementChild) return
    this.timer = setTimeout(() => this.#clear(), this.querySelector(".toast--error") ? ERROR_LASTS : LASTS)
  }

  #clear() {
    if (!this.matches(":hover, :focus-within")) this.replaceChildren()
  }
})
