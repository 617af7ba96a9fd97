// A product's pictures follow the variant that is chosen and the thumbnail that is tapped. Without this file one
// swipes, and on the product's own page a thumbnail is a link to its picture.
customElements.define("product-view", class extends HTMLElement {
  connectedCallback() {
    this.onchange = ({ target }) => target.dataset.picture && this.#show(target.dataset.picture)
    this.onclick = (event) => this.#tapped(event)
  }

  #tapped(event) {
    const thumb = event.target.closest("[data-shows]")
    if (!thumb) return
    event.preventDefault() // following the link would add to the history, and Back would no longer close the sheet
    this.#show(thumb.dataset.shows)
  }

  #show(number) {
    const picture = this.querySelector(`li[data-picture="${number}"]`)
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches
    picture?.parentElement.scrollTo({ left: picture.offsetLeft, behavior: still ? "instant" : "smooth" })
  }
})
