"""What a page asks of a browser: its links, forms, fields and ids, read with the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

# Where an element names something that the browser will get: tag -> attributes.
GETS = {
    "a": ("href", "hx-get"),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "video": ("src", "poster", "data-src"),
    "track": ("src",),
    "script": ("src",),
    "use": ("href",),
}
NOT_BY_US = ("data:", "mailto:", "tel:", "sms:")


class Page(HTMLParser):
    """A page, read once: `links`, `forms`, `ids`, `headings`, `title` and `language`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language = ""
        self.title = ""
        self.links: list[str] = []
        self.forms: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.headings = 0
        self._in_title = False
        self._templates = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given.get("lang", "")
        self._in_title = tag == "title" and not self.title
        self.headings += tag == "h1"
        self._templates += tag == "template"
        if "id" in given and not self._templates:  # what a template holds is not on the page
            self.ids.append(given["id"])
        if tag == "form":
            self.forms.append((given.get("method", "get").upper(), given.get("action", "")))
        self.forms += [(verb[3:].upper(), given[verb]) for verb in ("hx-post", "hx-put", "hx-delete") if verb in given]
        self._read_links(tag, given)

    def _read_links(self, tag: str, given: dict[str, str]) -> None:
        is_form = "hx-include" in given  # what a form asks for needs its fields
        for name in (*GETS.get(tag, ()), *(("hx-get",) if tag != "a" and not is_form else ())):
            for link in _each(name, given.get(name, "")):
                if not link.startswith(NOT_BY_US):
                    self.links.append(link)

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"

    def handle_data(self, text: str) -> None:
        if self._in_title:
            self.title += text
            self._in_title = False


def _each(name: str, value: str) -> list[str]:
    if name == "srcset":
        return [part.split()[0] for part in value.split(",") if part.strip()]
    return [value] if value else []
