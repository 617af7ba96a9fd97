"""Every page, in a real browser: axe-core, the smallest phone, the keyboard, and what the browser complains of."""

import itertools
import threading

import pytest
from werkzeug.serving import make_server

from tests.browser.audit import PHONE, Auditor
from tests.pages import LANGUAGES, VISITORS, browser_of, listed

THEMES = ("light", "dark")
CROSS = list(itertools.product(LANGUAGES, THEMES))


@pytest.fixture(scope="module")
def demo_address(demo_shop):
    server = make_server("127.0.0.1", 0, demo_shop, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def auditor(browser, demo_shop, demo_address):
    """A window of this person, in this language and theme."""
    opened = []

    def open_one(visitor, language, theme):
        context = browser.new_context(
            viewport=PHONE, locale=language, color_scheme=theme, reduced_motion="reduce", has_touch=True
        )
        opened.append(context)
        cookies = browser_of(demo_shop, visitor, language)._cookies.values()
        context.add_cookies([{"name": one.key, "value": one.value, "url": demo_address} for one in cookies])
        return Auditor(context, demo_address)

    yield open_one
    for context in opened:
        context.close()


def look_at_all(auditor, pages):
    return [
        line for page in pages for line in auditor.look(page.address, status=404 if page.name == "errors.404" else 200)
    ]


@pytest.mark.parametrize("visitor", VISITORS)
def test_every_page_is_for_everybody(demo_shop, auditor, visitor):
    """One pair of eyes, one language and one theme for each page, turn by turn; `make faults` looks at all of each."""
    eyes = {page.address: page.visitor for page in reversed(listed(demo_shop))}
    pages = [page for page in listed(demo_shop) if page.visitor == visitor == eyes[page.address]]
    wrong = []
    for turn, (language, theme) in enumerate(CROSS):
        if mine := pages[turn::4]:
            wrong += look_at_all(auditor(visitor, language, theme), mine)
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("visitor", VISITORS)
def test_every_page_is_for_everybody_in_each_language_and_theme(demo_shop, auditor, visitor, language, theme):
    pages = [page for page in listed(demo_shop) if page.visitor == visitor]
    wrong = look_at_all(auditor(visitor, language, theme), pages)
    assert not wrong, "\n".join(wrong)


def test_the_auditor_notices_what_is_wrong(auditor, demo_address):
    """A looker that finds nothing anywhere would be worth nothing."""
    looker = auditor("stranger", "en", "light")
    looker.tab.goto(f"{demo_address}/cart")
    looker.tab.evaluate(
        """() => {
          document.body.innerHTML = `<main><input><button id=plain>Buy</button><a href="/cart" id=under>Cart</a>
            <div id=wide>wide</div><div id=lid></div></main>`
          const style = (id, css) => Object.assign(document.getElementById(id).style, css)
          style("wide", {width: "900px"})
          style("plain", {outline: "none", height: "30px"})
          style("under", {position: "fixed", top: "0"})
          style("lid", {position: "fixed", inset: "0 0 auto 0", height: "40px"})
        }"""
    )
    axe, fingers, small, keyboard = looker.axe(), looker.fingers(), looker.small(), looker.keyboard()
    assert any('x30 <button id="plain"' in line for line in fingers)
    assert any(line.startswith("axe label: <input") for line in axe)
    assert small == ["scrolls sideways at 320 px, 580px: div."]
    assert 'keyboard: no focus to be seen on button "Buy"' in keyboard
    assert 'keyboard: a "Cart" has the focus where it cannot be seen' in keyboard
