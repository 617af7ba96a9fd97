// A street is looked up while somebody types on. What they typed meanwhile is theirs: the answer comes too late.
customElements.define("found-place", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("htmx:before:swap", (event) => {
      const [street, city, found] = ["street", "city", "found"].map((name) => this.querySelector(`[name=${name}]`).value.trim())
      if ((street || city) && [street, city].filter(Boolean).join(", ") !== found) event.preventDefault()
    })
  }
})
