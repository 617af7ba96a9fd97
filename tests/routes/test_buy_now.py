"""One thing at once, past the cart: in the sheet for who has all that it takes, as a page for everybody else."""

import re

import pytest
from sqlalchemy import text

from shop.database import db
from tests.conftest import HTMX
from tests.routes.conftest import NOOR, hidden, there

NOW = "/checkout/now?variant=mug-s"
IN_SHEET = f"{NOW}&sheet=1"


@pytest.fixture
def press_now(client, post):
    """Open the page of one thing, and press its button."""

    def send(page=None, *, htmx=False, **fields):
        page = page or client.get(NOW).text
        form = {**NOOR, "method": "card", "variant": "mug-s", **hidden(page), **fields}
        return post("/checkout/now", htmx=htmx, **form)

    return send


def test_a_guest_sees_the_offer_of_one_thing_and_the_cart_is_left_alone(client, filled, queries):
    with queries() as asked:
        page = client.get(NOW).text
    assert "Order and pay &middot; €28.45" in page  # one mug and its delivery; not the cart
    assert "Lamp" not in page
    assert [s for s in asked if not s.startswith("SELECT")] == []


@pytest.mark.parametrize("htmx", [False, True])
def test_a_guest_buys_one_thing_and_what_is_in_the_cart_stays_there(client, press_now, filled, stock_of, mug, htmx):
    address = there(press_now(htmx=htmx), htmx)
    page = client.get(address).text
    assert ("It is paid." in page, "€28.45" in page) == (True, True)
    assert stock_of(mug.small) == 2
    assert "€109.40" in client.get("/checkout").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Mug", "€28.45", "VAT 21 %", "arrives", "14 days", "two years", "Atelier Mina B.V.", "68750110"]),
        ("nl", ["Bestellen en betalen &middot; €\xa028,45", "btw 21%", "Je mag je bedenken", "Atelier Mina B.V."]),
    ],
)
def test_in_the_sheet_too_everything_is_said_before_the_button(client, noor_s_card, language, words):
    client.set_cookie("language", language)  # she reads what she read when she signed in, unless she chooses
    sheet = client.get(IN_SHEET, headers=HTMX).text
    above = sheet[: sheet.index("</button>", sheet.rindex('checkout__press">'))]
    assert [each for each in words if each not in above] == []
    assert ("<html" in sheet, "Oudegracht 1" in above, "Visa 4242" in above) == (False, True, True)
    assert re.search(r'name="method" value="saved:[\w-]+" checked', above)


def test_noor_pays_in_the_sheet_with_what_she_kept(client, post, noor_s_card, counts):
    sheet = client.get(IN_SHEET, headers=HTMX).text
    method = re.search(r'value="(saved:[\w-]+)" checked', sheet)[1]
    typed = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', sheet))
    sent = {name: typed[name] for name in ("email", "name", "postcode", "house_number", "street", "city")}
    answer = post("/checkout/now", htmx=True, **sent, **hidden(sheet), country="NL", variant="mug-s", method=method)
    assert "It is paid." in client.get(there(answer, True)).text
    assert (counts()["purchases"], counts()["payment_attempts"]) == (1, 1)


@pytest.mark.parametrize("lacks", ["everything", "address", "method"])
def test_who_lacks_something_is_led_from_the_sheet_to_the_page(app, client, post, mug, noor, request, lacks):
    if lacks != "everything":
        request.getfixturevalue("noor_s_card")
    with app.test_request_context(method="POST"):
        if lacks == "address":
            db.session.execute(text("DELETE FROM addresses"))
        if lacks == "method":
            db.session.execute(text("DELETE FROM saved_methods"))
        db.session.commit()
    answer = client.get(f"{IN_SHEET}&clip=c1", headers=HTMX)
    assert there(answer, True) == "/checkout/now?variant=mug-s&clip=c1"
    assert "Order and pay" in client.get("/checkout/now?variant=mug-s&clip=c1").text


def test_a_declined_card_is_said_in_the_sheet_with_the_others_at_hand(client, post, noor_s_card):
    sheet = client.get(IN_SHEET, headers=HTMX).text
    form = {**NOOR, **hidden(sheet), "variant": "mug-s", "sheet": "1", "method": "card_declined"}
    answer = post("/checkout/now", htmx=True, **form)
    assert answer.status_code == 422
    assert "Your bank declined the card." in answer.text
    assert ('id="sheet-title"' in answer.text, "<html" in answer.text) == (True, False)
    assert hidden(answer.text)["tries"] == "1"
    again = post("/checkout/now", htmx=True, **{**form, **hidden(answer.text), "method": "ideal"})
    assert "/sandbox/bank/" in there(again, True)


def test_twice_the_same_press_is_one_purchase(client, press_now, mug, counts):
    page = client.get(NOW).text
    first = there(press_now(page), False)
    assert there(press_now(page, htmx=True), True) == first
    assert counts()["purchases"] == 1


def test_a_price_that_changed_is_seen_before_it_is_asked(app, client, press_now, mug, counts):
    page = client.get(NOW).text
    with app.test_request_context(method="POST"):
        db.session.execute(text("UPDATE variants SET price_minor = 2600 WHERE code = 'mug-s'"))
        db.session.commit()
    answer = press_now(page)
    assert (answer.status_code, "the total is €29.95 now" in answer.text) == (409, True)
    assert counts()["purchases"] == 0


def test_another_country_shows_its_costs_for_the_one_thing(client, lamp, mug, filled):
    part = client.get("/checkout/summary?country=BE&variant=mug-s", headers=HTMX).text
    assert "Order and pay &middot; €28.45" in part
    part = client.get("/checkout/summary?country=BE&variant=lamp-oak", headers=HTMX).text
    assert ("This cannot be bought at this moment." in part, "Order and pay" in part) == (True, False)


@pytest.mark.parametrize("code", ["", "nothing", "mug-x", "../mug", "mug-s'--", "a" * 13, "mug%00"])
def test_what_is_not_there_cannot_be_bought(client, mug, code):
    assert client.get("/checkout/now", query_string={"variant": code}).status_code == 404


@pytest.mark.parametrize("change", ["UPDATE variants SET stock = 0", "UPDATE sellers SET vetting = 'suspended'"])
def test_what_cannot_be_sold_any_more_says_so(app, client, press_now, mug, counts, change):
    page = client.get(NOW).text
    with app.test_request_context(method="POST"):
        db.session.execute(text(change))
        db.session.commit()
    assert press_now(page).status_code == 409
    assert "This cannot be bought at this moment." in client.get(NOW).text
    assert counts()["purchases"] == 0


def test_cancelled_at_the_bank_one_thing_can_be_paid_in_another_way(client, post, press_now, mug):
    bank = there(press_now(method="ideal"), False)
    address = post(f"{bank}/answer", answer="cancelled").location
    page = post(f"{address}/look", htmx=True).text
    assert ("You cancelled the payment." in page, "Your cart is as it was." in page) == (True, False)
    again = post(f"{address}/payments", method="card", tries="1")
    assert again.location == address
    assert "It is paid." in client.get(address).text


def test_the_form_of_one_buyer_is_of_no_use_to_another(app, client, press_now, mug, noor, signed_in_as, counts):
    page = client.get(NOW).text
    assert press_now(page, method="ideal").status_code == 303
    kai = signed_in_as("kai")
    stolen = {**NOOR, "method": "card", "variant": "mug-s", **hidden(page)}
    before = counts()
    assert kai.post("/checkout/now", data=stolen).status_code == 409
    assert counts() == before


def test_a_form_of_the_cart_buys_nothing_past_it_nor_the_other_way(client, post, press, press_now, filled, counts):
    with_cart, past_it = client.get("/checkout").text, client.get(NOW).text
    form = {**NOOR, "method": "card"}
    assert press(with_cart, method="ideal").status_code == 303
    assert press_now(past_it, method="ideal").status_code == 303
    before = counts()
    assert post("/checkout/now", **{**form, "variant": "mug-s", **hidden(with_cart)}).status_code == 409
    assert post("/checkout", **{**form, **hidden(past_it)}).status_code == 409
    assert counts() == before


def test_buying_at_once_asks_the_database_no_more_than_the_checkout(client, press_now, noor_s_card, queries):
    with queries() as asked:
        client.get(IN_SHEET, headers=HTMX)
    assert len(asked) <= 7
    page = client.get(NOW).text
    with queries() as asked:
        press_now(page)
    placing = next(n for n, statement in enumerate(asked) if "sandbox_objects" in statement)
    assert placing - 1 <= 16 + 1 + 2


def test_what_another_gateway_keeps_is_neither_offered_nor_used(app, client, press_now, noor_s_card, noor, counts):
    with app.test_request_context(method="POST"):
        db.session.execute(text("UPDATE saved_methods SET gateway = 'stripe'"))
        db.session.commit()
        code = db.session.scalar(text("SELECT code FROM saved_methods"))
    assert "saved:" not in client.get(NOW).text
    assert press_now(method=f"saved:{code}").status_code == 422
    assert counts()["payment_attempts"] == 0
    assert there(client.get(IN_SHEET, headers=HTMX), True) == "/checkout/now?variant=mug-s&clip="


def test_buy_now_on_the_product_s_own_page_leads_to_the_order_and_not_into_the_cart(client, mug):
    button = re.search(r'<button[^>]*formaction="/checkout/now"[^>]*>', client.get("/p/mug").text)[0]
    assert 'hx-get="/checkout/now" hx-include="closest form"' in button
    answer = client.get(NOW, headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"].partition("?")[0]) == (204, "/checkout/now")
