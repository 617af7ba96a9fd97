"""Every page, in a real browser: axe-core, the smallest phone, the keyboard, and what the browser complains of."""

import itertools
import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.browser.audit import PHONE, Auditor
from tests.pages import IN_STOCK, LANGUAGES, VISITORS, browser_of, first, listed
from tests.routes.conftest import NOOR

THEMES = ("light", "dark")
CROSS = list(itertools.product(LANGUAGES, THEMES))
MANY = (
    "SELECT clips.code FROM clips JOIN tags ON tags.clip_id = clips.id WHERE published_at IS NOT NULL"
    " GROUP BY clips.code HAVING count(*) > 1 ORDER BY clips.code LIMIT 1"
)


@pytest.fixture(scope="module")
def demo_address(demo_shop):
    server = make_server("127.0.0.1", 0, demo_shop, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
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
    """One pair of eyes, one language and one theme for each page, turn by turn, and of those at work for every second
    page; `make faults` looks at all of each.
    """
    eyes = {page.address: page.visitor for page in reversed(listed(demo_shop))}
    pages = [page for page in listed(demo_shop) if page.visitor == visitor == eyes[page.address]]
    pages = pages if visitor in ("stranger", "noor") else pages[::2]
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


BY_HAND = """() => {
  for (const name of ["share", "clipboard"]) delete Navigator.prototype[name]
  document.execCommand = () => false
  document.querySelector("share-button button").click()
}"""
DECLINED = """(form, typed) => {
  for (const name in typed) form.elements[name].value = typed[name]
  form.querySelector("[value=card_declined]").checked = true
  form.requestSubmit()
}"""
SEND = "form => { form.noValidate = true; form.requestSubmit() }"
# What is only there after somebody did something: where, what they do, and what is to be seen then.
STATES = {
    "how you watch": ("/", lambda tab: tab.click("[popovertarget=watching]"), "#watching h2"),
    "all products of a clip": ("/v/{clip}", lambda tab: tab.click(".clip__all"), "#sheet[open] .list"),
    "a product over the shop": ("/shop", lambda tab: tab.locator(".card__link").first.click(), "#sheet[open] .product"),
    "a word in passing": ("/p/{product}", lambda tab: read_on(tab, ".product__add [type=submit]"), "#message .toast"),
    "an address by hand": ("/v/{clip}", lambda tab: tab.evaluate(BY_HAND), "#message input:focus"),
    "a sign-up that lacks something": (
        "/sign-up",
        lambda tab: tab.locator("#sign-up").evaluate(SEND),
        ".field__errors",
    ),
    "a checkout that lacks something": ("/checkout", lambda tab: tab.click(".checkout__press"), ".field__errors"),
    "a card that is declined": (
        "/checkout",
        lambda tab: tab.locator(".checkout__form").evaluate(DECLINED, NOOR),
        "#checkout .notice--wrong, #checkout .field__errors",
    ),
    "an emptied cart": ("/cart", lambda tab: tab.click("form[action$='/removal'] button"), "[action$='/restoration']"),
}


USUAL = ("how you watch", "a product over the shop", "a word in passing", "a checkout that lacks something")
OTHERS = tuple(name for name in STATES if name not in USUAL)


def read_on(tab, button):
    """Press it and read what is said in passing: with the pointer there, it stays."""
    tab.locator(button).first.click()
    tab.hover("#message .toast")


@pytest.mark.parametrize("names", [USUAL, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["usual", "others"])
def test_what_opens_or_is_put_right_is_for_everybody_too(demo_shop, auditor, names):
    """Turn by turn in each language and theme."""
    known = {"clip": MANY, "product": IN_STOCK.replace("SELECT variants.code", "SELECT products.code")}
    known = {name: first(demo_shop, query)[0] for name, query in known.items()}
    lookers, wrong = [auditor("stranger", *one) for one in CROSS], []
    for name, looker in zip(names, itertools.cycle(lookers), strict=False):
        address, act, there = STATES[name]
        looker.tab.goto(looker.shop + address.format(**known))
        act(looker.tab)
        expect(looker.tab.locator(there).first).to_be_visible()
        looker.tab.wait_for_function("() => document.getAnimations().every(one => one.playState !== 'running')")
        wrong += [f"{name}: {line}" for line in looker.axe() + looker.fingers() + looker.small()]
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
