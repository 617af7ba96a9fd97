// One clip: it plays and pauses, shows its products in their seconds and its words when they are said.
// It holds a source only while the feed says so. Without this file the video has the browser's own controls.
customElements.define("clip-player", class extends HTMLElement {
  connectedCallback() {
    this.video = this.querySelector("video")
    this.source ??= this.video.src
    this.words = this.querySelector(".clip__words")
    this.bar = this.querySelector(".clip__progress")
    for (const name of ["controls", "poster"]) this.video.removeAttribute(name)
    this.release()
    this.#place()
    this.timed = this.querySelectorAll("[data-from]")
    this.#tell()
    this.video.addEventListener("playing", () => this.toggleAttribute("data-ready", true))
    this.video.addEventListener("timeupdate", () => this.#tell())
    for (const track of this.video.textTracks) track.addEventListener("cuechange", () => this.#speak(track))
    this.querySelector(".clip__tap").addEventListener("click", () => this.toggle())
  }

  hold(preload) {
    if (!this.video.hasAttribute("src")) this.video.src = this.source
    this.video.preload = preload
  }

  // Phones have few decoders: what is not near gives its own back.
  release() {
    this.pause()
    this.video.removeAttribute("src")
    this.video.load()
    this.toggleAttribute("data-ready", false)
  }

  async play(muted) {
    this.toggleAttribute("data-paused", false)
    this.video.muted = muted
    try {
      await this.video.play()
    } catch (error) {
      if (error.name === "NotAllowedError") muted ? this.wait() : this.play(true)
    }
  }

  pause() { this.video.pause() }

  // Paused because somebody wants it so, or because nobody said to play: with a button to see.
  wait() {
    this.pause()
    this.toggleAttribute("data-paused", true)
  }

  toggle() {
    this.video.paused ? this.dispatchEvent(new CustomEvent("clip:wanted", { bubbles: true })) : this.wait()
  }

  rewind() {
    this.video.currentTime = 0
    this.#tell()
  }

  caption(on) {
    const tracks = [...this.video.textTracks]
    const own = tracks.find((track) => track.language === document.documentElement.lang) ?? tracks[0]
    for (const track of tracks) track.mode = on && track === own ? "hidden" : "disabled" // we show the words ourselves
    if (!on) this.words.hidden = true
  }

  #speak(track) {
    this.words.textContent = [...(track.activeCues ?? [])].map((cue) => cue.text).join("\n")
    this.words.hidden = !this.words.textContent
  }

  #tell() {
    const at = this.video.currentTime * 1000
    for (const part of this.timed) part.toggleAttribute("data-in", part.dataset.from <= at && at < part.dataset.to)
    this.bar.style.setProperty("--gone", this.video.currentTime / this.video.duration || 0)
  }

  // A dot in the picture for each product, where it is to be seen; it does what the product's chip does.
  #place() {
    const chips = [...this.querySelectorAll(".tag-chip")]
    this.querySelector(".clip__dots").replaceChildren(...chips.map((chip, n) => this.#dot(chip, chips[1] && n + 1)))
  }

  #dot({ dataset, firstElementChild: link }, number = "") {
    const dot = Object.assign(document.createElement("a"), { className: "dot", tabIndex: -1, ariaHidden: "true" })
    dot.setAttribute("href", link.getAttribute("href"))
    dot.append(Object.assign(document.createElement("span"), { textContent: number }))
    Object.assign(dot.dataset, dataset)
    for (const side of ["x", "y"]) dot.style.setProperty(`--${side}`, dataset[side])
    dot.onclick = (event) => {
      event.preventDefault()
      link.click()
    }
    return dot
  }
})
