"""Looks at one page in a real browser and says what is wrong with it, as a person would notice it."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage
from playwright.sync_api import Page as Tab

PHONE = {"width": 375, "height": 812}
SMALL = {"width": 320, "height": 568}
DESK = {"width": 1280, "height": 800}
MOST_STOPS = 150
MOST_LOOKS = 20  # at one stop that is not to be seen yet; more than one only where the computer is busy

_AXE = Axe()
_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

# What sticks out at the side; a scroller of its own (a row of chips, a wide table) may.
_TOO_WIDE = """() => {
  const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth
  if (wide <= 0) return null
  const out = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  return `${wide}px: ${out.slice(0, 3).map(e => e.tagName.toLowerCase() + "." + e.className).join(", ")}`
}"""

# Everything that Tab should stop at. One radio of a group is one stop.
_STOPS = """() => {
  const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
  const groups = new Set()
  let n = 0
  for (const e of document.querySelectorAll(wanted)) {
    if (e.disabled || e.tabIndex < 0 || e.closest("[inert], dialog:not([open])")) continue
    if (!e.checkVisibility({visibilityProperty: true})) continue
    if (e.type === "radio") {
      const group = (e.form ? [...document.forms].indexOf(e.form) : "") + e.name
      if (groups.has(group)) continue
      groups.add(group)
      e.dataset.stop = `radio ${group}`
    } else e.dataset.stop = ++n
  }
  return [...new Set([...document.querySelectorAll("[data-stop]")].map(e => e.dataset.stop))]
}"""

# Where the focus is, and whether it can be seen there.
_FOCUS = """() => {
  const e = document.activeElement
  if (!e || e === document.body || e === document.documentElement) return null
  const radio = e.type === "radio" && `radio ${(e.form ? [...document.forms].indexOf(e.form) : "") + e.name}`
  const rings = (of) => [of.outlineStyle !== "none" && parseFloat(of.outlineWidth) > 0, of.boxShadow !== "none"]
  const label = e.closest("label") || (e.id && document.querySelector(`label[for="${e.id}"]`))
  const shown = [e, label, e.parentElement].filter(Boolean).some(x => rings(getComputedStyle(x)).some(Boolean))
  const box = (e.matches("input[type=radio], input[type=checkbox]") && label ? label : e).getBoundingClientRect()
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1)
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 0), innerHeight - 1)
  const there = document.elementFromPoint(x, y)
  const seen = there && (e.contains(there) || there.contains(e) || (label && label.contains(there)))
  const said = e.getAttribute("aria-label") || e.innerText || e.name || ""
  const name = `${e.tagName.toLowerCase()} "${said.trim().slice(0, 30)}"`
  return {stop: radio || e.dataset.stop, shown, seen, name,
          outside: box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth}
}"""

# What a finger has to hit. A link within a line of text is as high as its line (WCAG 2.5.8 excepts it too).
_TOO_SMALL = """() => {
  const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary"
  const small = []
  for (const e of document.querySelectorAll(wanted)) {
    if (e.disabled || e.closest("[inert], dialog:not([open])")) continue
    if (!e.checkVisibility({visibilityProperty: true})) continue
    if (e.matches("a") && getComputedStyle(e).display === "inline" || e.matches(":not(:focus).skip")) continue
    const label = e.matches("input[type=radio], input[type=checkbox], input[type=file]") &&
      (e.closest("label") || (e.id && document.querySelector(`label[for="${e.id}"]`)))
    const boxes = [e, label].filter(Boolean).map(x => x.getBoundingClientRect())
    const [width, height] = [Math.max(...boxes.map(b => b.width)), Math.max(...boxes.map(b => b.height))]
    if (height >= 43.5 && width >= 24) continue
    small.push(`${Math.round(width)}x${Math.round(height)} ${e.outerHTML.slice(0, 90)}`)
  }
  return small
}"""


def _is_player(focus: dict[str, Any]) -> bool:
    """The browser's own controls show the focus in their own way."""
    return str(focus["name"]).startswith(("video", "audio"))


class Auditor:
    """One browser window that goes from page to page and writes down what is wrong."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.shop = address
        self.tab: Tab = context.new_page()
        self.heard: list[str] = []
        self.tab.on("pageerror", lambda error: self.heard.append(f"script: {error}"))
        self.tab.on(
            "console", lambda line: self.heard.append(f"console: {line.text}") if line.type == "error" else None
        )

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.heard.append(f"console: {line.text}")

    def look(self, page: str, *, status: int = 200) -> list[str]:
        """Everything that is wrong with this page."""
        self.heard.clear()
        self.tab.set_viewport_size(PHONE)
        answer = self.tab.goto(f"{self.shop}{page}", wait_until="load")
        wrong = [] if answer and answer.status == status else [f"status {answer and answer.status}"]
        wrong += self.axe() + self.fingers() + self.small() + self.keyboard()
        expected = "Failed to load resource: the server responded with a status of 404" if status == 404 else "\0"
        wrong += [line for line in self.heard if expected not in line]
        return [f"{page}: {line}" for line in wrong]

    def axe(self) -> list[str]:
        """What axe-core finds."""
        found: dict[str, Any] = _AXE.run(self.tab, options=_RULES).response
        return [
            f"axe {rule['id']}: {node['html'][:120]} ({' '.join(node['failureSummary'].split())[:200]})"
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]

    def fingers(self) -> list[str]:
        """Everything that can be pressed is 44 px high."""
        small: list[str] = self.tab.evaluate(_TOO_SMALL)
        return [f"too small for a finger: {one}" for one in small[:4]]

    def small(self) -> list[str]:
        """Nothing is cut off or scrolls sideways on the smallest phone."""
        self.tab.set_viewport_size(SMALL)
        wide = self.tab.evaluate(_TOO_WIDE)
        self.tab.set_viewport_size(PHONE)
        return [f"scrolls sideways at 320 px, {wide}"] if wide else []

    def _focus(self) -> dict[str, Any] | None:
        """Where the focus is. What slides in gets a moment to arrive."""
        focus: dict[str, Any] | None = self.tab.evaluate(_FOCUS)
        for _look in range(MOST_LOOKS):
            if not focus or (focus["seen"] and (focus["shown"] or _is_player(focus)) and not focus["outside"]):
                break
            self.tab.wait_for_timeout(60)
            focus = self.tab.evaluate(_FOCUS)
        return focus

    def keyboard(self) -> list[str]:
        """Tab reaches everything that can be pressed, and one sees where one is."""
        missing = set(self.tab.evaluate(_STOPS))
        wrong, first = [], None
        players = 12 * self.tab.locator("video[controls], audio[controls]").count()  # each has stops of its own inside
        for _step in range(min(len(missing) + 5 + players, MOST_STOPS)):
            self.tab.keyboard.press("Tab")
            focus = self._focus()
            if focus is None or (first and focus["stop"] == first):
                break
            first = first or focus["stop"]
            missing.discard(focus["stop"])
            if not focus["shown"] and not _is_player(focus):
                wrong.append(f"keyboard: no focus to be seen on {focus['name']}")
            if focus["outside"] or not focus["seen"]:
                wrong.append(f"keyboard: {focus['name']} has the focus where it cannot be seen")
        # What went meanwhile cannot be reached any more: the end of a list makes way for the rest of it.
        missing = {stop for stop in missing if self.tab.locator(f"[data-stop='{stop}']").count()}
        if missing:
            names = [
                self.tab.locator(f"[data-stop='{stop}']").first.evaluate("e => e.outerHTML.slice(0, 90)")
                for stop in sorted(missing)
            ]
            wrong.append(f"keyboard: Tab never comes to {names[:3]} ({len(names)} in all)")
        return wrong
