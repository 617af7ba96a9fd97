// How sharp the picture is. The server chooses the file by this cookie; the page is loaded again where one was.
customElements.define("quality-choice", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", ({ target }) => {
      document.cookie = `q=${target.value}; path=/; max-age=31536000; samesite=lax`
      location.reload()
    })
  }
})
