// Keys for the feed. Single letters can be switched off, since speech input and stray fingers press them by mistake.
const KEYS = {
  ArrowDown: (feed) => feed.step(1), PageDown: (feed) => feed.step(1), j: (feed) => feed.step(1),
  ArrowUp: (feed) => feed.step(-1), PageUp: (feed) => feed.step(-1), k: (feed) => feed.step(-1),
  m: (feed) => feed.turn("sound"), c: (feed) => feed.turn("captions"), " ": (feed) => feed.active?.toggle(),
}

customElements.define("feed-keys", class extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController()
    document.addEventListener("keydown", (event) => this.#press(event), { signal: this.stop.signal })
  }

  disconnectedCallback() { this.stop.abort() }

  #press(event) {
    const act = KEYS[event.key]
    if (!act || event.ctrlKey || event.metaKey || event.altKey || this.#isElsewhere(event)) return
    event.preventDefault()
    act(document.querySelector("clip-feed"))
  }

  // In a field, a sheet or a panel keys do what they do there; so does space on a button or a link.
  #isElsewhere({ key, target }) {
    if (document.querySelector("dialog[open], :popover-open") || target.matches("input, select, textarea")) return true
    if (key === " ") return !target.matches("body, main, article")
    return /^[a-z]$/.test(key) && !this.querySelector("kept-switch").on
  }
})
