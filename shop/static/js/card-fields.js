// The payment company's own fields for a card, and its buttons for wallets. Its script is not ours to keep or to change;
// it comes from its own address, on pages where one pays, when somebody chooses what needs it. What is typed there never
// reaches this page: we get an id of it, which goes with our own form. Without this file, or without that script, the
// same form leads to the company's own page.
const SCRIPT = "https://js.stripe.com/endive/stripe.js", PATIENCE = 8000
let coming

const company = () => coming ??= new Promise((come, fail) => {
  if (window.Stripe) return come()
  const script = Object.assign(document.createElement("script"), { src: SCRIPT, onload: come, onerror: fail })
  setTimeout(fail, PATIENCE)
  document.head.append(script)
}).catch(() => { coming = null; throw new Error("blocked or slow") })

customElements.define("card-fields", class extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form")
    this.card = this.querySelector("[name=card]")
    this.made = {}
    this.stop = new AbortController()
    const on = (target, name, act, more) => target.addEventListener(name, act, { signal: this.stop.signal, ...more })
    on(this.form, "change", ({ target }) => this.#changed(target))
    on(this, "click", ({ target }) => target.closest("[data-say=filled]") && this.#anew())
    on(document, "submit", (event) => event.target === this.form && this.#pressed(event), { capture: true }) // before htmx
    on(document, "htmx:after:swap", () => this.#amount())
    for (const hidden of this.form.querySelectorAll("[data-script]")) hidden.hidden = false
    this.dataset.secret ? this.#goOn() : this.#choose()
  }

  disconnectedCallback() { this.stop.abort() }

  get sum() {
    const { amount, currency } = (this.form.querySelector("[data-amount]") ?? this.form).dataset
    return { amount: Number(amount), currency }
  }

  #changed(field) {
    if (field.name === "method") this.card.value = "", this.#choose()
    if (field.name === "keeps_card") this.made.card?.fields.update({ setupFutureUsage: this.#keeps() })
  }

  #keeps() { return this.form.elements.keeps_card?.checked ? "on_session" : null }

  #amount() {
    if (!this.form.querySelector("[data-amount]")) return
    for (const { fields } of Object.values(this.made)) fields.update(this.sum)
  }

  // Which of the fields are wanted now, if any.
  async #choose() {
    this.kind = this.form.querySelector("[name=method]:checked")?.dataset.fields
    this.#show()
    if (!this.kind) return this.#say()
    if (this.card.value) return this.#say("filled")
    if (this.made[this.kind]) return this.#say(), this.#show()
    const kind = this.kind
    this.#say("waiting")
    try {
      await company()
      await this.#make(kind)
    } catch {
      if (kind === this.kind) this.#say("failed")
      return this.#tell("failed")
    }
    if (kind === this.kind) this.#show()
  }

  #make(kind) {
    this.stripe ??= Stripe(this.dataset.key, { locale: this.dataset.locale })
    const isCard = kind === "card"
    const rest = isCard ? { setupFutureUsage: this.#keeps(), excludedPaymentMethodTypes: ["ideal", "bancontact"] } : {}
    const fields = this.stripe.elements({ mode: "payment", ...this.sum, ...rest, appearance: this.#looks() })
    const place = this.form.querySelector(`[data-for=${kind}]`)
    const element = isCard
      ? fields.create("payment", { wallets: { applePay: "never", googlePay: "never" } })
      : fields.create("expressCheckout", { buttonType: { applePay: "buy", googlePay: "pay", paypal: "buynow" } })
    return new Promise((come, fail) => {
      setTimeout(fail, PATIENCE)
      element.on("loaderror", fail)
      element.on("change", () => this.card.value = "")
      element.on("confirm", () => this.#take(kind))
      element.on("ready", ({ availablePaymentMethods }) => {
        this.made[kind] = { fields, place, none: !isCard && !availablePaymentMethods }
        this.#tell("opened")
        come()
      })
      place.hidden = false // what is not shown is not measured either
      element.mount(place)
    })
  }

  #looks() {
    const { accentColor, color, backgroundColor } = getComputedStyle(this)
    return { variables: { colorPrimary: accentColor, colorText: color, colorBackground: backgroundColor, borderRadius: "11px" } }
  }

  #show() {
    for (const [kind, { place }] of Object.entries(this.made)) place.hidden = kind !== this.kind
    const wallet = this.made.wallet
    if (wallet) wallet.place.toggleAttribute("data-ready", this.kind === "wallet" && !wallet.none)
    if (this.made[this.kind]) this.#say(this.made[this.kind].none ? "none" : "")
  }

  // Pressed with a card in the fields: first its id, then the form goes as it always does.
  #pressed(event) {
    if (this.busy) return this.#hold(event)
    if (this.kind !== "card" || !this.made.card || this.card.value) return
    this.#hold(event)
    this.#take("card", event.submitter)
  }

  #hold(event) {
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  async #take(kind, button) {
    const { fields, place } = this.made[kind]
    this.busy = true
    this.#say()
    place.setAttribute("aria-busy", "true")
    const { id, trouble } = await this.#id(fields)
    this.busy = false
    place.removeAttribute("aria-busy")
    if (!id) return this.#say("trouble", trouble)
    this.card.value = id
    this.#tell("filled")
    setTimeout(() => this.form.requestSubmit(button)) // not while the press itself is still being told of: it would be lost
  }

  async #id(elements) {
    try {
      const { error } = await elements.submit()
      if (error) return { trouble: error.message }
      const made = await this.stripe.createConfirmationToken({ elements })
      return { id: made.confirmationToken?.id, trouble: made.error?.message }
    } catch (error) {
      return { trouble: error.message }
    }
  }

  #anew() {
    this.card.value = ""
    this.#choose()
  }

  // The bank asks something: the company's script asks it here, and then the page looks how it stands.
  async #goOn() {
    try {
      await company()
      this.stripe = Stripe(this.dataset.key, { locale: this.dataset.locale })
      await this.stripe.handleNextAction({ clientSecret: this.dataset.secret })
    } catch {
      this.#say("failed")
      return this.#tell("failed")
    }
    this.form.requestSubmit()
  }

  #say(what = "", words) {
    for (const each of this.querySelectorAll("[data-say]")) each.hidden = each.dataset.say !== what
    if (words) this.querySelector(`[data-say=${what}] span`).textContent = words
  }

  #tell(what) { this.dispatchEvent(new CustomEvent(`fields:${what}`, { bubbles: true })) }
})
