"""Somebody at a page: by keyboard, or with a finger where no script runs; in a language, at a phone's size."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import shop
from tests.papers import jpeg

PHONE = {"width": 375, "height": 812}
TONGUES = {
    "en": gettext.NullTranslations(),
    "nl": gettext.translation("messages", Path(shop.__file__).parent / "translations", ["nl"]),
}
KEYBOARD, NO_SCRIPT = "keyboard", "no-script"

LINES = """places => places.flatMap(place => {
  const offered = [...place.querySelectorAll("option")].map(one => one.innerText.trim())
  return place.innerText.split("\\n").map(line => line.trim()).filter(line => line && !offered.includes(line))
})"""


def cross(*quick: tuple[str, str]) -> pytest.MarkDecorator:
    """Each language in each way; what is not `quick` is for `make faults`."""
    cells = [(language, way) for language in ("nl", "en") for way in (KEYBOARD, NO_SCRIPT)]
    marked = [cell if cell in quick else pytest.param(*cell, marks=pytest.mark.slow) for cell in cells]
    return pytest.mark.parametrize(("language", "way"), marked)


class Hands:
    """Knows no more than what is to be read on the page; counts what is filled in, pressed and struck."""

    def __init__(self, page: Page, language: str, way: str) -> None:
        self.page, self.language, self.way = page, language, way
        self.fields = self.presses = self.struck = self.papers = 0
        self.lines: set[str] = set()

    def say(self, words: str) -> str:
        """The shop's own words in the language of this page, "Accept: %(item)s" followed by what fills it in."""
        whole, _bar, given = words.partition("|")
        said = TONGUES[self.language].gettext(whole)
        if "%(" not in said:
            return said
        return re.sub(r"%\(\w+\)s", TONGUES[self.language].gettext(given) if given else "", said)

    def go(self, address: str) -> None:
        self.page.goto(address)

    def beside(self) -> Hands:
        """Another page of the same person, beside this one."""
        return Hands(self.page.context.new_page(), self.language, self.way)

    def to(self, place: Locator) -> Locator:
        """Where the focus is: by the Tab key, from where one is."""
        expect(place).to_be_visible()
        for _time in range(200 if self.way == KEYBOARD else 0):
            if place.evaluate("(it) => it === document.activeElement"):
                return place
            self.page.keyboard.press("Tab")
            self.struck += 1
        assert self.way != KEYBOARD, f"no Tab leads to {place}"
        return place

    def field(self, label: str, within: Locator | None = None) -> Locator:
        return (within or self.page.locator("main")).get_by_label(self.say(label), exact=True)

    def fill(self, label: str, words: str, within: Locator | None = None) -> None:
        self._fill(self.field(label, within), words)

    def _fill(self, place: Locator, words: str) -> None:
        self.to(place)
        if self.way == KEYBOARD and place.get_attribute("type") != "date":
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.type(words)
        else:
            place.fill(words)  # in which order one types a date is the browser's to say
        self.fields += 1
        self.struck += len(words)

    def tick(self, label: str) -> None:
        place = self.to(self.page.locator("main").get_by_label(self.say(label)))
        self.page.keyboard.press("Space") if self.way == KEYBOARD else place.check()
        expect(place).to_be_checked()
        self.fields += 1

    def pick(self, label: str) -> None:
        """One of several: the keyboard goes to the one that is chosen, and on from there by arrows."""
        place = self.field(label)
        if self.way != KEYBOARD:
            return place.check()
        name = place.get_attribute("name")
        self.to(self.page.locator(f"main [name={name}]:checked"))
        for _time in range(10):
            if place.is_checked():
                return None
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {label}")

    def choose(self, label: str, value: str, within: Locator | None = None) -> None:
        place = self.to(self.field(label, within))
        if self.way == KEYBOARD:
            option = place.locator(f"option[value={value}]").inner_text()
            self.page.keyboard.type(option[:1] if " " in option else option)
            for _time in range(20):
                if place.input_value() == value:
                    break
                self.page.keyboard.press("ArrowDown")
        else:
            place.select_option(value)
        expect(place).to_have_value(value)
        self.fields += 1

    def choose_file(self, place: str, words: str) -> None:
        here = self.to(self.page.locator(place))
        here.set_input_files({"name": "paper.jpg", "mimeType": "image/jpeg", "buffer": jpeg(words)})
        self.fields += 1
        self.papers += 1

    def press(self, name: str, within: Locator | None = None, role: str = "button", *, whole: bool = True) -> None:
        """A button, or a link; the first that is called so, or begins so."""
        said = self.say(name)
        named = {"name": said, "exact": True} if whole else {"name": re.compile(f"^{re.escape(said)}")}
        place = self.to((within or self.page).get_by_role(role, **named).first)
        self.page.keyboard.press("Enter") if self.way == KEYBOARD else place.click()
        self.presses += 1

    def follow(self, name: str, within: Locator | None = None, *, whole: bool = True) -> None:
        self.press(name, within, "link", whole=whole)

    def unfold(self, name: str, within: Locator) -> None:
        place = self.to(within.locator("summary", has_text=self.say(name)))
        self.page.keyboard.press("Enter") if self.way == KEYBOARD else place.click()
        self.presses += 1

    def lands(self, words: str) -> None:
        """On a page that is called so."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(words))
        self.takes_in("main")

    def takes_in(self, place: str) -> None:
        """Reads every line that stands there, but for the choices of a list; what was read before is known."""
        self.lines.update(self.page.locator(place).evaluate_all(LINES))

    def seconds(self) -> float:
        """How long it takes by the keystroke-level model (Card, Moran and Newell, 1980), all of it read.

        A key 0.28 s; before each field and press a thought of 1.35 s and, without a keyboard, 0.4 s for the hand and
        1.1 s to hit the place; a second for an answer; half a minute for a photograph or a look at one; 238 words are
        read in a minute (Brysbaert, 2019).
        """
        thought = 1.35 if self.way == KEYBOARD else 1.35 + 0.4 + 1.1
        read = sum(len(line.split()) for line in self.lines) * 60 / 238
        done = 0.28 * self.struck + thought * (self.fields + self.presses) + self.presses
        return done + 30 * self.papers + read

    @contextmanager
    def turns(self) -> Iterator[None]:
        """What is done meanwhile leads to another page, or to this one anew; it may be called the same."""
        self.page.locator("h1").evaluate("(it) => { it.dataset.was = 1 }")
        yield
        expect(self.page.locator("h1:not([data-was])")).to_be_visible()

    def reads(self, words: str, within: Locator | None = None) -> None:
        """It stands there, to be seen."""
        expect((within or self.page).get_by_text(self.say(words)).first).to_be_visible()
