// Paint over what nobody needs to see, before the picture leaves the phone. What is sent is the painted picture; the
// original stays where it is. Without this the form sends the file as it is, and the words beside it say what to do.
const WIDEST = 2000 // pixels: more is not kept anyway

customElements.define("paper-mask", class extends HTMLElement {
  connectedCallback() {
    this.inputs = [...this.querySelectorAll("[type=file]")] // a file, and where there is one the camera
    this.desk = this.querySelector(".papers__mask")
    this.canvas = this.querySelector("canvas")
    this.words = this.querySelector("[role=status]")
    this.send = this.closest("form").querySelector("button:not([type=button])")
    this.stop = new AbortController()
    const { signal } = this.stop
    for (const input of this.inputs) input.addEventListener("change", () => this.#choose(input), { signal })
    this.canvas.addEventListener("pointerdown", (event) => this.#begin(event), { signal })
    this.canvas.addEventListener("pointermove", (event) => this.#drag(event), { signal })
    this.canvas.addEventListener("pointerup", () => this.#paint(), { signal })
    this.canvas.addEventListener("keydown", (event) => this.#key(event), { signal })
    this.canvas.addEventListener("focus", () => this.#show(), { signal })
    this.canvas.addEventListener("blur", () => this.#hide(), { signal })
    this.querySelector(".papers__undo").addEventListener("click", () => this.#undo(), { signal })
    const chosen = this.inputs.find((input) => input.files.length)
    if (chosen) this.#choose(chosen) // chosen before this was here, or given back by the browser
  }

  disconnectedCallback() { this.stop.abort(); this.picture?.close() }

  // What was chosen last is what is sent.
  #choose(input) {
    this.input = input
    for (const other of this.inputs) if (other !== input) other.value = ""
    this.#open()
  }

  async #open() {
    const file = this.input.files[0]
    this.words.textContent = file && file.size > +this.dataset.mostBytes ? this.dataset.tooLarge : ""
    this.picture?.close()
    this.picture = file?.type.startsWith("image/") ? await createImageBitmap(file).catch(() => null) : null
    this.desk.hidden = !this.picture
    if (!this.picture) return
    this.name = file.name
    const scale = Math.min(1, WIDEST / Math.max(this.picture.width, this.picture.height))
    this.canvas.width = Math.round(this.picture.width * scale)
    this.canvas.height = Math.round(this.picture.height * scale)
    this.bars = []
    this.bar = null
    this.#draw()
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect()
    return [(event.clientX - box.left) * this.canvas.width / box.width, (event.clientY - box.top) * this.canvas.height / box.height]
  }

  #begin(event) {
    this.canvas.setPointerCapture(event.pointerId)
    const [x, y] = this.#at(event)
    this.bar = { x, y, width: 0, height: 0 }
    this.dragging = true
  }

  #drag(event) {
    if (!this.dragging) return
    const [x, y] = this.#at(event)
    this.bar.width = x - this.bar.x
    this.bar.height = y - this.bar.y
    this.#draw()
  }

  #key(event) {
    const step = this.canvas.width / 50
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    if (!this.picture || !(event.key in ways) && event.key !== "Enter") return
    event.preventDefault()
    if (!this.bar) return this.#show() // one sees a bar before it is painted or moved
    if (event.key === "Enter") return this.#paint()
    this.bar.x += ways[event.key][0] * step
    this.bar.y += ways[event.key][1] * step
    this.#draw()
  }

  // Who comes here with the keyboard finds a bar; until Enter it is no part of what is sent.
  #show() {
    if (!this.picture || this.bar || !this.canvas.matches(":focus-visible")) return
    this.bar = { x: this.canvas.width * 0.4, y: this.canvas.height * 0.5, width: this.canvas.width * 0.25, height: this.canvas.height * 0.07 }
    this.#draw()
  }

  #hide() {
    if (!this.picture || !this.bar || this.dragging) return
    this.bar = null
    this.#draw()
  }

  // The bar becomes part of what is sent. One that is hardly there was a touch by mistake.
  #paint() {
    this.dragging = false
    if (this.bar && Math.abs(this.bar.width) > 8 && Math.abs(this.bar.height) > 8) {
      this.bars.push(this.bar)
      this.#exchange()
    }
    this.bar = null
    this.#draw()
  }

  #undo() {
    this.bars?.pop()
    this.#draw()
    this.#exchange()
  }

  #draw() {
    const pen = this.canvas.getContext("2d")
    pen.drawImage(this.picture, 0, 0, this.canvas.width, this.canvas.height)
    pen.fillStyle = "#000"
    for (const { x, y, width, height } of this.bar ? [...this.bars, this.bar] : this.bars) pen.fillRect(x, y, width, height)
  }

  // Put the painted picture in the field, in the place of the one that was chosen.
  #exchange() {
    this.#draw()
    this.send.disabled = true // until the painted one is there: the original must not slip out
    this.canvas.toBlob((blob) => {
      this.send.disabled = false
      const painted = new DataTransfer()
      painted.items.add(new File([blob], this.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }))
      this.input.files = painted.files
      this.dispatchEvent(new CustomEvent("paper:painted", { bubbles: true, detail: { bars: this.bars.length } }))
    }, "image/jpeg", 0.92)
  }
})
