// What is being put right is no longer said to be wrong; the shop looks again at the next press.
addEventListener("input", ({ target }) => {
  const wrong = target.closest("[aria-invalid='true'], fieldset[aria-describedby$='-errors']")
  if (!wrong) return
  const told = (wrong.getAttribute("aria-describedby") ?? "").split(" ")
  document.getElementById(told.pop())?.remove() // what is wrong comes after what helps
  told.length ? wrong.setAttribute("aria-describedby", told.join(" ")) : wrong.removeAttribute("aria-describedby")
  wrong.removeAttribute("aria-invalid")
})
