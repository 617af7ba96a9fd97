// A browser may show a page again just as it was left. What may be out of date by then asks anew on `page:back`.
addEventListener("pageshow", ({ persisted }) => persisted && dispatchEvent(new Event("page:back")))
