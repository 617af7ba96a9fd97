// Stands in for the payment company's script: the documented calls, and nothing that pays. A card is called by what
// becomes of it. `asked` tells the test what our page asked for.
window.asked = []
const note = (name, given) => window.asked.push([name, given])

window.Stripe = (key, options) => {
  note("Stripe", { key, ...options })
  return {
    elements: (given) => new Fields(given),
    async createConfirmationToken({ elements }) {
      const id = `tok_${elements.typed}`
      note("createConfirmationToken", id)
      return elements.typed === "odd" ? { error: { message: "This card is odd." } } : { confirmationToken: { id } }
    },
    async handleNextAction({ clientSecret }) {
      note("handleNextAction", clientSecret)
      await window.atTheBank?.()
      return { paymentIntent: { status: "succeeded" } }
    },
  }
}

class Fields {
  constructor(given) { note("elements", given) }
  get typed() { return this.input?.value ?? "card" }
  update(given) { note("update", given) }
  create(kind, given) { note("create", { kind, ...given }); return new Field(this, kind) }
  async submit() {
    note("submit")
    return this.typed ? {} : { error: { message: "Your card number is incomplete." } }
  }
}

class Field extends EventTarget {
  constructor(fields, kind) { super(); this.fields = fields; this.kind = kind }
  on(name, act) { this.addEventListener(name, ({ detail }) => act(detail ?? {})); return this }
  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })) }
  mount(place) {
    if (window.noFields) return setTimeout(() => this.tell("loaderror", { error: {} }))
    const part = document.createElement(this.kind === "payment" ? "label" : "div")
    part.innerHTML = this.kind === "payment" ? "Card number <input name=number>" : "<button type=button>Buy with a wallet</button>"
    if (this.kind !== "payment" && window.noWallet) part.replaceChildren()
    place.append(part)
    this.fields.input = part.querySelector("input")
    this.fields.input?.removeAttribute("name") // it is not ours to send
    part.querySelector("input")?.addEventListener("input", () => this.tell("change"))
    part.querySelector("button")?.addEventListener("click", () => this.tell("confirm", {}))
    setTimeout(() => this.tell("ready", { availablePaymentMethods: window.noWallet ? undefined : { applePay: true } }))
  }
}
