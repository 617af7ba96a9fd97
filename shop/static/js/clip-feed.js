// The feed: one clip plays, its neighbours are ready, and all others hold nothing. The address names the clip in view,
// so that a reload, a shared link and Back find it again. Nothing is fetched or played before the page itself has come.
const SEEN = 0.6

customElements.define("clip-feed", class extends HTMLElement {
  connectedCallback() {
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches || navigator.connection?.saveData
    this.watcher = new IntersectionObserver((seen) => this.#look(seen), { root: this.closest("main"), threshold: SEEN })
    this.growth = new MutationObserver(() => this.#watch())
    this.growth.observe(this, { childList: true })
    this.stop = new AbortController()
    this.#listen((target, name, act) => target.addEventListener(name, act, { signal: this.stop.signal }))
    this.#watch()
    if (document.readyState === "complete") this.#begin()
  }

  disconnectedCallback() {
    this.watcher.disconnect()
    this.growth.disconnect()
    this.stop.abort()
  }

  get clips() { return [...this.querySelectorAll("clip-player")] }

  // Quick fingers count from where they go; and the quickest press before the watcher has told what is in view.
  step(by) {
    const next = this.clips[this.clips.indexOf(this.aim ?? this.active ?? this.#inView()) + by]
    if (!next) return
    this.aim = next
    next.scrollIntoView({ behavior: this.calm ? "auto" : "smooth" })
    next.closest("article").focus({ preventScroll: true })
  }

  turn(name) {
    const kept = document.querySelector(`kept-switch[name=${name}]`)
    kept.turn(!kept.on)
  }

  #listen(on) {
    on(this, "clip:wanted", ({ target }) => target.play(!this.#is("sound")))
    on(this, "canplaythrough", ({ target }) => this.active?.contains(target) && this.#prepareNext(), true)
    on(this, "htmx:before:request", ({ target }) => target.matches(".clip-more") && (this.ariaBusy = "true"))
    on(this.closest("main"), "scrollend", () => { this.aim = null })
    on(document, "switch:turned", () => this.#obey())
    on(document, "visibilitychange", () => document.hidden ? this.active?.pause() : this.#go())
    on(window, "load", () => this.#begin())
    on(window, "pageshow", ({ persisted }) => persisted && this.#go())
  }

  // The poster is there to look at; films that come at once keep the page from answering.
  #begin() {
    const idle = window.requestIdleCallback ?? setTimeout
    idle(() => {
      this.ready = true
      if (this.active) this.#share()
      this.#go()
    }, { timeout: 500 })
  }

  #inView() {
    return this.clips.find((clip) => clip.getBoundingClientRect().bottom > innerHeight / 2)
  }

  #watch() {
    this.ariaBusy = "false"
    for (const clip of this.clips) this.watcher.observe(clip)
  }

  #look(seen) {
    for (const { target, intersectionRatio } of seen) {
      if (intersectionRatio >= SEEN) this.#enter(target)
      else if (target === this.active) target.pause()
    }
  }

  #enter(clip) {
    if (clip !== this.active) {
      this.active?.rewind()
      this.active = clip
      this.#share()
      this.#name(clip.dataset.address)
    }
    this.#go()
  }

  // Three sources at most: the one before, this one, and the next as soon as this one has what it needs.
  #share() {
    if (!this.ready) return
    const at = this.clips.indexOf(this.active)
    for (const [n, clip] of this.clips.entries()) if (Math.abs(n - at) > 1) clip.release()
    this.clips[at - 1]?.hold("metadata")
    this.active.hold("auto")
    if (!this.calm) this.clips[at + 1]?.hold("metadata")
  }

  #prepareNext() {
    if (!this.calm) this.clips[this.clips.indexOf(this.active) + 1]?.hold("auto")
  }

  #name(address) {
    const moved = this.began || location.pathname !== "/"
    if (moved && location.pathname !== address) history.replaceState(history.state, "", address)
    this.began = true
  }

  #go() {
    if (!this.active || !this.ready || document.hidden) return
    this.active.caption(this.#is("captions"))
    if (this.active.hasAttribute("data-paused")) return
    this.calm ? this.active.wait() : this.active.play(!this.#is("sound"))
  }

  #obey() {
    if (!this.active) return
    this.active.video.muted = !this.#is("sound")
    this.active.caption(this.#is("captions"))
  }

  #is(name) { return document.querySelector(`kept-switch[name=${name}]`).on }
})
