"""From a playing clip to "paid", as a guest, with nothing but a keyboard: what it costs in presses and in typing."""

import re
import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.browser.audit import PHONE

PAID = {"en": "It is paid.", "nl": "Het is betaald."}
BUTTON = {"en": "Order and pay", "nl": "Bestellen en betalen"}
GUEST = {
    "email": "noor@example.com",
    "name": "Noor de Wit",
    "postcode": "3511aa",
    "house_number": "1",
}
# `make test` sees each language and each way once; the whole cross is for `make faults`.
CROSS = [
    ("nl", True),
    ("en", False),
    pytest.param("nl", False, marks=pytest.mark.slow),
    pytest.param("en", True, marks=pytest.mark.slow),
]


@pytest.fixture
def demo_address(demo_shop):
    server = make_server("127.0.0.1", 0, demo_shop, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


class Keyboard:
    """Noor's hands: they know Tab, Enter, the arrows and letters, and count what they do."""

    def __init__(self, page):
        self.page, self.presses, self.typed = page, 0, []

    def go_to(self, target):
        """When it is to be seen: Tab on until it has the focus, as somebody without a mouse has to."""
        expect(target.first).to_be_visible()
        for _tab in range(150):
            if target.first.evaluate("here => here === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")

    def press(self, target):
        self.go_to(target)
        self.page.keyboard.press("Enter")
        self.presses += 1

    def type(self, name, words):
        self.go_to(self.page.locator(f"[name={name}]"))
        self.page.keyboard.type(words)
        self.typed.append(name)


@pytest.fixture
def noor_s(browser):
    """A phone of hers, in this language, with or without JavaScript."""
    opened = []

    def open_one(language, has_javascript):
        context = browser.new_context(viewport=PHONE, locale=language, java_script_enabled=has_javascript)
        opened.append(context)
        page = context.new_page()
        page.complaints = []
        # Who goes on before a page has faded in cuts its fading short, and Chromium reports that.
        page.on("pageerror", lambda error: "Transition was" in str(error) or page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
        return page

    yield open_one
    for context in opened:
        context.close()


def plays(page, has_javascript):
    """Without JavaScript the clip has the browser's own controls."""
    video = page.locator("video").first
    if not has_javascript:
        video.focus()
        page.keyboard.press("Space")
    for _look in range(600):
        if video.evaluate("clip => clip.currentTime > 0"):
            return True
        page.wait_for_timeout(50)
    return False


def in_view(page):
    """The chip of the first thing; it comes at its second, and the clip waits there for slow computers."""
    chip = page.locator(".tag-chip__link").first
    expect(chip).to_be_visible()
    page.locator("video").first.evaluate("clip => clip.pause()")
    return chip


def choose(hands, has_javascript):
    """The thing in the clip goes into the cart, and we go there."""
    page = hands.page
    hands.press(in_view(page))
    if not has_javascript:
        hands.press(page.locator("form[action='/cart/lines'] button[type=submit]"))
        return
    hands.press(page.locator("#sheet form[action='/cart/lines'] button[type=submit]"))
    expect(page.locator("#cart-size")).to_contain_text("1")
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    hands.press(page.locator(".tabs a[href='/cart']"))


def tell_where(hands, has_javascript):
    """Who she is, her postcode and her number; her street comes by itself, or at the press of a button."""
    for name, words in GUEST.items():
        hands.type(name, words)
    hands.page.keyboard.press("Tab")
    if not has_javascript:
        hands.press(hands.page.locator("[formaction='/checkout/place']"))
    for name, words in (("street", "Oudegracht"), ("city", "Utrecht")):
        expect(hands.page.locator(f"[name={name}]")).to_have_value(words)


@pytest.mark.parametrize(("language", "has_javascript"), CROSS)
def test_noor_buys_what_she_sees_with_four_typed_fields(demo_address, noor_s, language, has_javascript):
    page = noor_s(language, has_javascript)
    page.goto(demo_address)
    assert plays(page, has_javascript)
    hands = Keyboard(page)
    choose(hands, has_javascript)
    hands.press(page.locator("a[href='/checkout']"))
    tell_where(hands, has_javascript)
    hands.go_to(page.locator("[name=method]:checked"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[value=card]")).to_be_checked()
    button = page.locator("button[type=submit]", has_text=BUTTON[language])
    asked = re.search(r"[\d,.]+\d", button.inner_text())[0]
    hands.press(button)
    expect(page.locator("h1")).to_contain_text(PAID[language])
    expect(page.locator("#purchase .notice").first).to_contain_text(asked)
    assert (len(hands.typed), hands.presses) == (4, 5)
    assert page.complaints == []


@pytest.mark.slow
def test_noor_pays_at_her_bank_and_comes_back_to_a_page_that_knows(demo_address, noor_s):
    page = noor_s("nl", True)
    page.goto(demo_address)
    hands = Keyboard(page)
    choose(hands, True)
    hands.press(page.locator("a[href='/checkout']"))
    tell_where(hands, True)
    hands.press(page.locator("button[type=submit]", has_text=BUTTON["nl"]))
    hands.press(page.locator("[value=approved]"))
    expect(page.locator("h1")).to_contain_text(PAID["nl"])
    expect(page.locator("#purchase form")).to_have_count(0)
    assert page.complaints == []
