"""Paying, in a real browser: at once from the sheet, with the payment company's own fields, and when those fail.

The company's script is a stand-in (`stripe.js`) that answers at its address; what is looked at is what our page does.
"""

import re
import threading
from dataclasses import replace

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from shop import gateways
from shop.database import db
from shop.gateways.payment_sandbox import SandboxGateway
from tests import fields
from tests.browser.audit import PHONE
from tests.routes.conftest import NOOR

SCRIPT = "https://js.stripe.com/endive/stripe.js"
PAID = {"en": "It is paid.", "nl": "Het is betaald."}
NOW = {"en": "Buy now", "nl": "Nu kopen"}
ORDER = {"en": "Order and pay · €28.45", "nl": "Bestellen en betalen · €\xa028,45"}

pytestmark = pytest.mark.parametrize("built", ["sqlite"], indirect=True)  # what browsers do is the same on both


@pytest.fixture
def opened(browser, address):
    """`opened("nl", javascript=False)`: a phone at the shop; `complaints` is what the browser complained of."""
    windows = []

    def open_one(language="en", *, javascript=True, cookies=()):
        window = browser.new_context(viewport=PHONE, locale=language, java_script_enabled=javascript)
        windows.append(window)
        window.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in cookies])
        page = window.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: "Transition was" in str(error) or page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
        return page

    yield open_one
    for window in windows:
        window.close()


@pytest.fixture
def noor_s_phone(opened, client, noor_s_card):
    """A phone in which noor is signed in, with her address and her card."""

    def open_one(language="en", **more):
        client.post("/language", data={"language": language})
        return opened(language, cookies=client._cookies.values(), **more)

    return open_one


class Taps:
    """Fingers, or Tab and Enter, that count."""

    def __init__(self, page, *, keyboard=False):
        self.page, self.keyboard, self.count = page, keyboard, 0

    def on(self, target):
        self.count += 1
        if not self.keyboard:
            return target.click()
        for _tab in range(80):
            if target.evaluate("here => here === document.activeElement"):
                return self.page.keyboard.press("Enter")
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")


@pytest.mark.parametrize(("language", "keyboard"), [("en", False), ("nl", True)])
def test_from_the_sheet_to_paid_in_two_taps(noor_s_phone, address, mug, stock_of, language, keyboard):
    page = noor_s_phone(language)
    page.goto(f"{address}/shop")
    page.get_by_role("link", name="Mug <b>").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("heading", level=2)).to_have_text("Mug <b>")
    taps = Taps(page, keyboard=keyboard)
    taps.on(sheet.get_by_role("button", name=NOW[language]))
    expect(sheet.locator("#checkout")).to_contain_text("Oudegracht 1")
    expect(sheet.locator("#checkout")).to_contain_text("Visa 4242")
    assert page.url == f"{address}/shop"
    taps.on(sheet.get_by_role("button", name=ORDER[language]))
    expect(page.get_by_role("heading", level=1)).to_contain_text(PAID[language])
    assert taps.count == 2
    assert (stock_of(mug.small), page.complaints) == (2, [])


def test_without_javascript_it_is_two_taps_too(noor_s_phone, address, mug):
    page = noor_s_phone("nl", javascript=False)
    page.goto(f"{address}/p/mug")
    taps = Taps(page)
    taps.on(page.get_by_role("button", name=NOW["nl"]))
    taps.on(page.get_by_role("button", name=ORDER["nl"]))
    expect(page.get_by_role("heading", level=1)).to_contain_text(PAID["nl"])
    assert taps.count == 2


def test_a_stranger_comes_from_the_sheet_to_the_form_of_that_one_thing(opened, address, mug):
    page = opened()
    page.goto(f"{address}/shop")
    page.get_by_role("link", name="Mug <b>").click()
    sheet = page.get_by_role("dialog")
    sheet.locator("[value=mug-l]").check()
    sheet.get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/checkout/now?variant=mug-l*")
    expect(page.get_by_label("E-mail address")).to_be_visible()
    expect(page.get_by_role("button", name="Order and pay · €32.95")).to_be_visible()
    assert page.complaints == []


# The payment company's own fields


@pytest.fixture
def asked(monkeypatch):
    return fields.install(monkeypatch)


@pytest.fixture
def at_the_till(opened, address, asked, mug):
    """`at_the_till()`: the checkout with a mug, filled in, in a shop whose payment company has fields."""

    def open_one(language="en", *, script="there", before="", **more):
        page = opened(language, **more)
        page.fetched = []
        page.route("https://js.stripe.com/**", lambda route: answer(route, page, script))
        if before:
            page.add_init_script(before)
        page.goto(f"{address}/checkout/now?variant=mug-s")
        for name, words in NOOR.items():
            if name != "country":
                page.locator(f"[name={name}]").fill(words)
        return page

    def answer(route, page, script):
        page.fetched.append(route.request.url)
        if script == "there":
            route.fulfill(body=fields.STRIPE, content_type="text/javascript")
        elif script == "blocked":
            route.abort()

    return open_one


def choose(page, method):
    page.locator(f"[name=method][value={method}]").check()


def press(page):
    page.locator(".checkout__press").click()


def calls(page, name):
    return page.evaluate("name => window.asked.filter(([one]) => one === name).map(([_, given]) => given)", name)


def test_the_script_comes_when_a_card_is_chosen_and_not_before(at_the_till, asked):
    page = at_the_till()
    page.wait_for_load_state("networkidle")
    assert page.fetched == []
    choose(page, "card")
    page.get_by_label("Card number").fill("card")
    assert page.fetched == [SCRIPT]
    assert calls(page, "Stripe") == [{"key": fields.KEY, "locale": "en"}]
    (given,) = calls(page, "elements")
    assert (given["mode"], given["amount"], given["currency"]) == ("payment", 2845, "eur")
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("It is paid.")
    (request,) = asked
    assert (request.method, request.token, request.is_hosted) == ("card", "tok_card", False)
    assert page.complaints == []


def test_a_saved_card_and_ideal_need_no_script(noor_s_phone, address, asked):
    page = noor_s_phone("nl")
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{address}/checkout/now?variant=mug-s")
    choose(page, "ideal")
    press(page)
    page.wait_for_url("**/sandbox/bank/**")
    assert [url for url in fetched if not url.startswith(address)] == []


def test_what_is_wrong_with_a_card_is_said_beside_its_fields(at_the_till, asked):
    page = at_the_till()
    choose(page, "card")
    page.get_by_label("Card number").fill("")
    press(page)
    expect(page.get_by_role("alert")).to_have_text("Your card number is incomplete.")
    page.get_by_label("Card number").fill("odd")
    press(page)
    expect(page.get_by_role("alert")).to_have_text("This card is odd.")
    assert asked == []


@pytest.mark.parametrize("language", ["en", pytest.param("nl", marks=pytest.mark.slow)])
def test_a_declined_card_is_said_and_another_way_is_one_tap_away(at_the_till, asked, language):
    page = at_the_till(language)
    choose(page, "card")
    page.get_by_label("Card number").fill("card_declined")
    press(page)
    words = {"en": "Your bank declined the card.", "nl": "Je bank heeft de kaart geweigerd."}
    expect(page.locator("#method-errors")).to_contain_text(words[language])
    expect(page.locator("[name=card]")).to_have_value("")
    expect(page.get_by_label("Card number")).to_be_visible()  # for another one
    choose(page, "ideal")
    press(page)
    page.wait_for_url("**/sandbox/bank/**")
    assert [(one.method, one.token) for one in asked] == [("card", "tok_card_declined"), ("ideal", "")]


@pytest.mark.slow
def test_a_card_that_is_filled_in_outlives_a_mistake_in_the_address(at_the_till, asked):
    page = at_the_till()
    page.locator("[name=postcode]").fill("1")
    choose(page, "card")
    page.get_by_label("Card number").fill("card")
    press(page)
    expect(page.locator("#postcode-errors")).to_be_visible()
    expect(page.get_by_text("Your card is filled in.")).to_be_visible()
    page.locator("[name=postcode]").fill("3511AA")
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("It is paid.")
    assert [one.token for one in asked] == ["tok_card"]


def test_the_bank_s_page_comes_first_where_it_wants_one(at_the_till):
    page = at_the_till()
    choose(page, "card")
    page.get_by_label("Card number").fill("authentication_required")
    press(page)
    page.wait_for_url("**/sandbox/bank/**")
    page.get_by_role("button", name="Approve the payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It is paid.", timeout=10_000)


@pytest.mark.parametrize(
    ("answer", "words"),
    [("approved", "It is paid."), pytest.param("cancelled", "This is not paid yet", marks=pytest.mark.slow)],
)
def test_what_the_bank_asks_in_the_page_is_answered_there(app, at_the_till, monkeypatch, answer, words):
    fields.ask_in_the_page(monkeypatch)
    page = at_the_till()

    def at_the_bank():
        with app.app_context():
            code = db.session.execute(db.text("SELECT gateway_id FROM payment_attempts")).scalar()
            db.session.rollback()
            gateways.payment().answer_at_the_bank(code, answer)

    page.expose_function("atTheBank", at_the_bank)
    choose(page, "card")
    page.get_by_label("Card number").fill("authentication_required")
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(words, timeout=10_000)
    assert page.url.startswith(page.url.split("/purchases/")[0] + "/purchases/")
    assert re.search(r"_secret_etalage", calls(page, "handleNextAction")[0])


def test_a_wallet_pays_with_its_own_button(at_the_till, asked):
    page = at_the_till()
    choose(page, "wallet")
    page.get_by_role("button", name="Buy with a wallet").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It is paid.")
    assert [(one.method, one.token) for one in asked] == [("wallet", "tok_card")]


def test_where_there_is_no_wallet_that_is_said(at_the_till):
    page = at_the_till(before="window.noWallet = true")
    choose(page, "wallet")
    expect(page.get_by_text("There is no wallet in this browser.")).to_be_visible()
    expect(page.locator(".checkout__press")).to_be_visible()


MORE_CASES = [pytest.param(case, marks=pytest.mark.slow) for case in ("slow", "broken")]


@pytest.mark.parametrize("case", ["blocked", "without JavaScript", *MORE_CASES])
def test_when_the_fields_do_not_come_the_card_is_paid_on_the_company_s_page(at_the_till, asked, case):
    if case == "without JavaScript":
        page = at_the_till(javascript=False)
    else:
        before = "window.noFields = true" if case == "broken" else ""
        page = at_the_till(script="there" if case == "broken" else case, before=before)
    if case == "slow":
        page.clock.install()
    choose(page, "card")
    if case == "slow":
        expect(page.get_by_text("The fields for your card are coming")).to_be_visible()
        page.clock.fast_forward(9000)
    if case != "without JavaScript":
        expect(page.get_by_text("The fields of our payment company do not load here.")).to_be_visible()
    press(page)
    page.wait_for_url("**/sandbox/bank/**")
    page.get_by_role("button", name="Approve the payment").click()
    page.wait_for_url("**/purchases/**")
    assert [(one.method, one.token, one.is_hosted) for one in asked] == [("card", "", True)]


# Somebody else's page


@pytest.fixture
def far_bank(monkeypatch):
    """A bank at an address that is not ours."""

    def here(_environ, start):
        start("200 OK", [("Content-Type", "text/html")])
        return [b"<h1>Bank</h1>"]

    bank = make_server("127.0.0.1", 0, here)
    thread = threading.Thread(target=bank.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address, create = f"http://localhost:{bank.server_port}/pay", SandboxGateway.create_payment

    def elsewhere(self, request):
        return replace(create(self, request), redirect_url=address)

    monkeypatch.setattr(SandboxGateway, "create_payment", elsewhere)
    yield address
    bank.shutdown()
    thread.join()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_form_leads_to_a_bank_elsewhere_and_back_leads_to_the_form(opened, address, mug, far_bank, javascript):
    """Chromium stops a redirect after a form at `form-action 'self'`; a page of ours that goes on by itself passes."""
    page = opened(javascript=javascript)
    page.goto(f"{address}/checkout/now?variant=mug-s")
    for name, words in NOOR.items():
        if name != "country":
            page.locator(f"[name={name}]").fill(words)
    press(page)
    page.wait_for_url(far_bank)
    page.go_back()
    expect(page.locator(".checkout__press")).to_be_visible()
    assert page.complaints == []
