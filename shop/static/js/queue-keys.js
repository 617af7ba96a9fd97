// Keys for the moderators' desk: j and k go from row to row, and what has a `data-key` gets the focus by it; Enter and
// Space do there what they always do. Single letters can be switched off.
customElements.define("queue-keys", class extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController()
    document.addEventListener("keydown", (event) => this.#press(event), { signal: this.stop.signal })
  }

  disconnectedCallback() { this.stop.abort() }

  #press(event) {
    const { key, target } = event
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return
    if (document.querySelector("dialog[open], :popover-open")) return
    const there = key === "?" ? this.#help() : this.querySelector("kept-switch").on && this.#find(key)
    if (!there) return
    event.preventDefault()
    there.focus()
    there.scrollIntoView({ block: "nearest" })
  }

  #help() {
    const keys = this.querySelector(".keys")
    keys.open = !keys.open
    return keys.querySelector("summary")
  }

  #find(key) {
    if (key !== "j" && key !== "k") return /^[a-z]$/.test(key) && this.querySelector(`[data-key="${key}"]`)
    const rows = [...this.querySelectorAll("[data-row]")]
    const here = rows.findIndex((row) => row === document.activeElement)
    return rows[Math.max(0, Math.min(rows.length - 1, here + (key === "j" ? 1 : -1)))]
  }
})
