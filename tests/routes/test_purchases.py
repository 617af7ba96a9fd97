"""After buying: the purchase and its orders, while one waits, when it did not work, and for whom it opens."""

import re

import pytest
from sqlalchemy import text

from shop import clock, gateways, payments
from shop.database import db, let_go
from shop.models import Refund
from shop.money import Money
from tests import fields
from tests.routes.conftest import there


@pytest.fixture
def bought(client, press, filled):
    """Buy in this way; gives the address of the purchase."""

    def buy(method="card", **fields):
        answer = press(method=method, **fields)
        if answer.status_code == 303 and answer.location.startswith("/purchases/"):
            return answer.location
        return f"/purchases/{_newest(client.application)}"

    return buy


def _newest(app):
    with app.app_context():
        return db.session.execute(text("SELECT code FROM purchases ORDER BY id DESC")).scalar()


@pytest.fixture
def bank(app):
    """Noor's answer on the page of the sandbox's bank."""

    def answer(end):
        with app.test_request_context(method="POST"):
            url = db.session.execute(text("SELECT redirect_url FROM payment_attempts ORDER BY id DESC")).scalar()
            let_go()
            gateways.payment().answer_at_the_bank(url.rpartition("/")[2], end)

    return answer


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_purchase_shows_what_was_bought_and_promised(client, bought, language):
    page = client.get(bought(), headers={"Accept-Language": language}).text
    words = {
        "en": ["It is paid.", "€109.40", "VAT 21 %", "VAT 9 %", "Ordered", "Paid", "Arrives", "Atelier Mina B.V."],
        "nl": ["Het is betaald.", "€\xa0109,40", "btw 21%", "Besteld", "Betaald", "Lars Licht B.V."],
    }
    assert [
        each for each in words[language] + ["3511 AA Utrecht", "mailto:lars@shop.example"] if each not in page
    ] == []
    assert "hx-trigger" not in page[page.index('id="purchase"') :]


def test_each_seller_has_an_order_of_their_own(client, bought):
    page = client.get(bought()).text
    orders = re.findall(r'href="(/orders/[\w-]{22})"', page)
    assert len(orders) == 2
    mina, lars = (client.get(order).text for order in orders)
    assert "Order from Atelier Mina" in mina
    assert "€52.95" in mina
    assert "Lamp" not in mina
    assert "€56.45" in lars


def test_the_key_in_the_address_is_told_to_no_one(client, bought):
    address = bought()
    order = re.search(r'href="(/orders/[\w-]+)"', client.get(address).text)[1]
    for page in (client.get(address), client.get(order)):
        assert page.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert page.headers["Cache-Control"] == "no-store"


def test_the_key_in_the_address_is_not_in_the_log(client, bought, capsys):
    address = bought()
    client.get(address)
    assert address.rpartition("/")[2] not in capsys.readouterr().out


@pytest.mark.parametrize(
    "address", ["/purchases/nope", "/orders/nope", "/purchases/nope/look", "/purchases/nope/payments"]
)
def test_who_guesses_finds_nothing(client, post, address):
    answer = post(address) if address.count("/") == 3 else client.get(address)
    assert answer.status_code == 404


def test_what_somebody_with_an_account_bought_opens_for_them_alone(app, client, post, noor, bought):
    post("/sign-in", email=noor.email, password=noor.password)
    address = bought()
    order = re.search(r'href="(/orders/[\w-]+)"', client.get(address).text)[1]
    post("/sign-out")
    assert [client.get(each).status_code for each in (address, order)] == [404, 404]
    assert [post(f"{address}/{part}").status_code for part in ("look", "payments")] == [404, 404]


@pytest.mark.parametrize("htmx", [False, True])
def test_the_page_waits_looks_by_itself_and_stops_when_it_is_paid(client, post, bought, bank, htmx):
    address = bought("ideal")
    page = client.get(address).text
    assert "Waiting for your bank" in page
    assert "/sandbox/bank/" in page  # the way back to the bank
    bank("approved")
    answer = post(f"{address}/look", htmx=htmx)
    if not htmx:
        assert (answer.status_code, answer.location) == (303, address)
    now = answer.text if htmx else client.get(address).text
    assert "It is paid." in now
    assert "delay:" not in now
    badge = re.search(r'id="cart-size".*?</span>', now, re.S)[0]
    assert ("1" in re.sub(r"<[^>]+>", "", badge.split(">", 1)[1]), "hx-swap-oob" in badge) == (False, htmx)


@pytest.mark.parametrize("end", ["waiting", "cancelled", "failed", "expired"])
def test_what_is_not_paid_is_not_called_ordered_and_has_no_day(client, post, bought, bank, end):
    address = bought("ideal")
    if end != "waiting":
        bank(end)
        post(f"{address}/look")
    page = client.get(address).text
    order = client.get(re.search(r'href="(/orders/[\w-]+)"', page)[1]).text
    said = [words for words in ("Ordered <", "Arrives", "in the e-mail", 'class="steps"') if words in page + order]
    assert said == []
    assert "it opens your purchase without an account." in page


def test_who_comes_back_from_a_page_with_several_ways_and_has_not_paid_may_choose_again(client, post, bought):
    address = bought("other")
    assert "Waiting for your bank" in client.get(address).text  # nobody has looked yet
    looked = post(f"{address}/look", htmx=True).text
    assert "This is not paid yet" in looked
    assert "Your bank asks you to confirm it." not in looked
    assert [words in looked for words in ("Go on at your bank", "Pay with another method", '<details class="box"')] == [
        True,
        True,
        False,
    ]
    looked = post(f"{bought('ideal')}/look", htmx=True).text
    assert "Waiting for your bank" in looked


def test_the_page_looks_less_and_less_often_and_in_the_end_only_when_asked(post, bought):
    address = bought("slow_success")
    delays = [
        re.findall(r"load delay:(\d)s", post(f"{address}/look?looks={looks}", htmx=True).text) for looks in (0, 20, 80)
    ]
    assert delays == [["2"], ["5"], []]


@pytest.mark.parametrize("htmx", [False, True])
def test_cancelled_at_the_bank_is_not_paid_keeps_the_cart_and_offers_another_way(
    client, post, bought, bank, counts, htmx
):
    address = bought("ideal")
    bank("cancelled")
    post(f"{address}/look", htmx=htmx)
    page = client.get(address).text
    assert "This is not paid yet" in page
    assert "It is paid." not in page
    assert "€109.40" in client.get("/checkout").text
    again = post(f"{address}/payments", htmx=htmx, method="card", tries="1")
    assert there(again, htmx) == address
    assert "It is paid." in client.get(address).text
    assert (counts()["purchases"], counts()["payment_attempts"]) == (1, 2)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("form", [{}, {"method": ""}, {"method": "cash"}, {"method": "card", "tries": "-1"}])
def test_a_strange_way_to_pay_again_is_refused_on_the_page(post, bought, bank, counts, htmx, form):
    address = bought("ideal")
    bank("cancelled")
    post(f"{address}/look")
    before = counts()
    answer = post(f"{address}/payments", htmx=htmx, **{"tries": "1", **form})
    assert answer.status_code == 422
    assert "hoose how you want to pay." in answer.text
    assert counts() == before


def test_paying_again_twice_pays_once(client, post, bought, bank, counts):
    address = bought("ideal")
    bank("cancelled")
    post(f"{address}/look")
    for _press in range(3):
        assert post(f"{address}/payments", method="card", tries="1").location == address
    assert counts()["payment_attempts"] == 2
    assert "It is paid." in client.get(address).text


def test_who_comes_back_from_the_bank_is_not_asked_to_press_anything(client, bought):
    page = client.get(bought("ideal")).text
    before, _unfolds, behind = page.partition('<details class="box" id="other-ways" hx-preserve>')
    assert "button--wide" not in before
    assert "/sandbox/bank/" in behind
    assert '<button type="submit" class="button button--wide checkout__press">Pay' in behind


def test_a_purchase_that_came_too_late_says_that_the_money_goes_back(app, client, bought):
    address = bought("ideal")
    with app.test_request_context(method="POST"):
        for change in (
            "UPDATE payments SET state = 'paid'",
            "UPDATE orders SET status = 'cancelled'",
        ):
            db.session.execute(text(change))
        db.session.commit()
    assert "You get your money back" in client.get(address).text
    with app.test_request_context(method="POST"):
        db.session.execute(text("UPDATE payments SET state = 'refunded', refunded_minor = amount_minor"))
        db.session.commit()
    assert "You got your money back" in client.get(address).text


@pytest.mark.parametrize(("state", "words"), [("paid", "goes back"), ("refunded", "went back")])
def test_who_paid_one_cart_in_two_windows_reads_that_and_not_that_it_was_sold(app, client, bought, state, words):
    address = bought("ideal")
    with app.test_request_context(method="POST"):
        payment, attempt = db.session.execute(text("SELECT payment_id, id FROM payment_attempts")).one()
        db.session.execute(text("UPDATE payments SET state = :state"), {"state": state})
        db.session.execute(text("UPDATE orders SET status = 'cancelled'"))
        amount, key = Money(100, "EUR"), {"code": "r", "idempotency_key": "r", "created_at": clock.now()}
        db.session.add(Refund(payment_id=payment, attempt_id=attempt, amount=amount, reason="paid_twice", **key))
        db.session.commit()
    page = client.get(address).text
    assert "You had paid for this already, in another window." in page
    assert f"{words} the way it came" in page
    assert "somebody else" not in page


@pytest.mark.parametrize("code", ["card_declined", "insufficient_funds"])
def test_why_it_did_not_work_is_said_on_the_purchase(client, bought, code):
    assert payments.explain(code) in client.get(bought(code)).text


# What the bank asks, and how it is asked

SAID = {
    "card_declined": {"en": "Your bank declined the card.", "nl": "Je bank heeft de kaart geweigerd."},
    "insufficient_funds": {"en": "There is not enough money", "nl": "te weinig geld"},
    "cancelled": {"en": "You cancelled the payment.", "nl": "afgebroken"},
    "expired": {"en": "open for too long", "nl": "te lang open"},
}


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_what_the_bank_did_is_said_in_ones_own_language_and_the_cart_is_kept(client, post, bought, bank, end, language):
    address = bought("ideal")
    bank(end)
    post(f"{address}/look")
    page = client.get(address, headers={"Accept-Language": language}).text
    assert SAID[end][language] in page
    assert f'action="{address}/payments"' in page  # another way is one tap away
    assert "€49.00" in client.get("/cart").text


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("method", ["card_declined", "insufficient_funds"])
def test_paid_again_and_declined_again_it_is_said_and_can_be_tried_again(client, post, bought, method, language):
    address = bought("ideal")
    assert post(f"{address}/payments", method=method, tries="1").location == address
    page = client.get(address, headers={"Accept-Language": language}).text
    assert SAID[method][language] in page
    post(f"{address}/payments", method="card", tries="2")
    assert "It is paid." in client.get(address).text


def test_what_the_bank_asks_in_the_page_comes_with_a_look(app, client, post, press, filled, monkeypatch):
    fields.install(monkeypatch)
    fields.ask_in_the_page(monkeypatch)
    address = there(press(method="card", card="tok_authentication_required"), False)
    page = client.get(address).text
    assert "Your bank asks you to confirm it." in page
    assert ('hx-trigger="submit, load"' in page, "data-secret" in page) == (True, False)
    part = post(f"{address}/look?looks=0", htmx=True).text
    secret = re.search(r'data-secret="([\w-]+_secret_etalage)"', part)[1]
    assert f'data-key="{fields.KEY}"' in part
    assert "hx-trigger" not in part[: part.index("data-secret")]  # while the bank asks, the page does not look away
    assert f'action="{address}/payments"' in part
    assert post(f"{address}/look").location == address  # without JavaScript one pays in another way
    with app.app_context():
        kept = db.session.execute(text("SELECT * FROM payment_attempts")).all()
    assert secret not in str(kept)


def test_paid_again_with_a_card_from_the_fields_it_goes_by_its_id(client, post, press, filled, monkeypatch):
    asked = fields.install(monkeypatch)
    there(press(method="ideal"), False)
    address = f"/purchases/{_newest(client.application)}"
    page = client.get(address).text
    assert ("card-fields" in page, 'data-amount="10940"' in page) == (True, True)
    assert post(f"{address}/payments", method="card", tries="1", card="tok_card").location == address
    assert [(one.token, one.is_hosted) for one in asked] == [("", False), ("tok_card", False)]
    assert "It is paid." in client.get(address).text
