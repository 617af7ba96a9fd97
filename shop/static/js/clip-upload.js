// A video sent in parts, which goes on where it was after a dropped connection or a reload. Without it the form sends
// the file in one go. The server says after each part how much it has; what it says is always right.
const PART = 1024 * 1024
const LONGEST_WAIT = 30000

customElements.define("clip-upload", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form")
    this.input = this.querySelector("[type=file]")
    this.words = this.querySelector("[role=status]")
    this.bar = this.querySelector("progress")
    this.pause = this.querySelector(".upload__pause")
    this.stop = new AbortController()
    const { signal } = this.stop
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#send() }, { signal })
    this.input.addEventListener("change", () => this.#check(), { signal })
    this.pause.addEventListener("click", () => this.sending?.abort(), { signal })
    addEventListener("pageshow", (event) => { if (event.persisted) this.#rest() }, { signal })
  }

  disconnectedCallback() { this.stop.abort(); this.sending?.abort() }

  // What is certain to be refused is better said before anything is sent. True if it may go.
  async #check() {
    const file = this.input.files[0]
    if (!file) return false
    const wrong = file.size > +this.dataset.mostBytes ? this.dataset.tooLarge
      : await seconds(file).catch(() => 0) > +this.dataset.mostSeconds ? this.dataset.tooLong : ""
    this.#say(wrong, true)
    return !wrong
  }

  // Who presses twice sends once: it counts as sending from the press, and stays so until the clip's own page is there.
  async #send() {
    if (this.sending || !this.input.reportValidity()) return
    const file = this.input.files[0]
    this.sending = new AbortController()
    this.#busy(true)
    try {
      if (await this.#check()) return await this.#parts(file, `upload ${file.name} ${file.size} ${file.lastModified}`)
    } catch (error) {
      this.#say(error.words ?? (this.sending.signal.aborted ? "" : this.dataset.failed), !!error.words)
    }
    this.#rest()
  }

  #rest() {
    this.sending = null
    this.#busy(false)
  }

  async #parts(file, key) {
    let address = localStorage.getItem(key)
    let offset = address ? await this.#ask("GET", address).then(arrived, gone) : null
    if (offset === null) {
      const made = await this.#ask("POST", "/uploads", new URLSearchParams({ size: file.size }))
      address = made.headers.get("Location")
      localStorage.setItem(key, address)
      offset = 0
    }
    while (offset < file.size) {
      this.#show(offset, file.size)
      offset = await this.#ask("PUT", address, file.slice(offset, offset + PART), { "Upload-Offset": offset }).then(arrived)
    }
    this.#show(file.size, file.size)
    const done = await this.#ask("POST", `${address}/completion`)
    localStorage.removeItem(key)
    this.#say(this.dataset.almost)
    location.assign(done.headers.get("Location"))
  }

  // Ask until there is an answer: a connection that is gone, and a shop that is busy, are waited for.
  async #ask(method, address, body, headers = {}) {
    for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      const answer = await fetch(address, { method, body, headers, signal: this.sending.signal, redirect: "error" }).catch((error) => {
        if (this.sending.signal.aborted) throw error
      })
      if (answer?.ok || answer?.status === 409 && method === "PUT") return answer
      if (answer && answer.status !== 429 && answer.status < 500 || answer?.status === 507) {
        const plain = answer.headers.get("Content-Type")?.startsWith("text/plain")
        throw Object.assign(new Error(answer.status), { status: answer.status, words: plain ? await answer.text() : "" })
      }
      this.#say(this.dataset.gone)
      await this.#wait(wait)
    }
  }

  #wait(time) {
    return new Promise((resolve) => {
      setTimeout(resolve, time)
      addEventListener("online", resolve, { once: true })
      this.sending.signal.addEventListener("abort", resolve, { once: true })
    })
  }

  #show(offset, size) {
    const part = Math.floor(100 * offset / size)
    this.bar.value = part
    this.#say(`${this.dataset.sending} ${part} % (${(offset / PART).toFixed(0)} / ${(size / PART).toFixed(0)} MB)`)
  }

  #say(words, isWrong = false) {
    this.words.textContent = words
    this.words.classList.toggle("upload__words--wrong", isWrong)
  }

  #busy(is) {
    this.bar.parentElement.hidden = !is
    this.pause.hidden = !is
    this.querySelector("button:not([type])").disabled = is
    this.input.disabled = is
  }
})

const arrived = (answer) => +answer.headers.get("Upload-Offset")
const gone = (error) => { if (error.status === 404) return null; throw error }

// How long an MP4 or MOV says it lasts; 0 when it does not say. A <video> would have to load it from a blob: address.
async function seconds(file) {
  const read = async (at, size) => new DataView(await file.slice(at, at + size).arrayBuffer())
  for (let at = 0, boxes = 0; at + 16 <= file.size && boxes < 100; boxes++) {
    const box = await read(at, 16)
    const name = box.getUint32(4)
    if (name === 0x6d6f6f76) { // moov; its first box is mvhd
      const head = await read(at + 8, 40)
      const isLong = head.getUint8(8) === 1
      if (head.getUint32(4) !== 0x6d766864) return 0
      return isLong ? Number(head.getBigUint64(32)) / head.getUint32(28) : head.getUint32(24) / head.getUint32(20)
    }
    const size = box.getUint32(0)
    at += size === 1 ? Number(box.getBigUint64(8)) : size
    if (size === 0) return 0
  }
  return 0
}
