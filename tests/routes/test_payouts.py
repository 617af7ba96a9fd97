"""Open books: a seller and a creator see every line of theirs, nobody else's, and where it is paid to."""

import csv
import io
import re
from urllib.parse import quote

import pytest
from sqlalchemy import delete, select

from shop import accounts, gateways, ledger, refunds, sanctions
from shop.database import db
from shop.models import Account, PayoutAccount, Profile, Role, Seller
from shop.spreadsheets import tame
from shop.words import Words
from tests.bookkeeping import bought
from tests.cast import a_profile

DESKS = [("mina", Role.SELLER, "/seller/payouts"), ("kai", Role.CREATOR, "/studio/earnings")]


@pytest.fixture
def browsers(app, mug, signed_in_as):
    """Mina sold a mug that kai showed for ten per cent, and 10.00 of it went back; both are signed in."""
    found = {"mina": signed_in_as("mina", Role.SELLER), "kai": signed_in_as("kai", Role.CREATOR)}
    with app.test_request_context(method="POST"):
        kai = a_profile("kai", "Kai", user_id=accounts.called("kai@example.com").id)
        db.session.add(kai)
        mina = db.session.query(Profile).filter_by(handle="mina").one()
        mina.user_id = accounts.called("mina@example.com").id
        db.session.flush()
        from shop.models import Product

        db.session.get(Product, mug.id).creator_rate = 1000
        db.session.commit()
        _purchase, order = bought({mug.small: 1}, creators={mug.small: kai.id})
        refunds.give(order, 1000)
        db.session.commit()
    return found


def test_a_seller_sees_how_they_stand_and_every_line(browsers):
    page = browsers["mina"].get("/seller/payouts").text
    assert [
        words for words in ("€24.77", "-€8.71", "€16.06", "Sold", "Given back to the buyer") if words not in page
    ] == []
    assert "€0.86" not in page


def test_a_creator_sees_theirs_in_their_own_language(browsers):
    page = browsers["kai"].get("/studio/earnings", headers={"Accept-Language": "nl"}).text
    assert [words for words in ("€\xa02,45", "€\xa0-0,86", "€\xa01,59", "Verkocht") if words not in page] == []
    assert "16,06" not in page


@pytest.mark.parametrize(("who", "_role", "address"), DESKS)
def test_the_lines_come_as_a_table_that_no_spreadsheet_runs(browsers, who, _role, address):
    answer = browsers[who].get(f"{address}.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"\xef\xbb\xbf")  # so that a spreadsheet reads all letters
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[0]) for row in rows[1:])
    assert rows[0] == ["Date", "What", "Order", "Amount", "Balance", "Currency"]
    amounts = {"mina": [("-8.71", "16.06"), ("24.77", "24.77")], "kai": [("-0.86", "1.59"), ("2.45", "2.45")]}
    assert [(row[3], row[4]) for row in rows[1:]] == amounts[who]
    assert all(cell[:1] not in "=+@" for row in rows for cell in row if cell)


def test_the_table_says_order_for_what_was_bought_in_dutch_too(browsers):
    answer = browsers["mina"].get("/seller/payouts.csv", headers={"Accept-Language": "nl"})
    assert answer.data.decode("utf-8-sig").splitlines()[0] == "Datum,Wat,Bestelling,Bedrag,Saldo,Munt"


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_begins_like_a_formula_is_a_text(evil):
    assert (tame(evil), tame("mug"), tame("")) == (f"'{evil}", "mug", "")


@pytest.mark.parametrize(("who", "_role", "address"), DESKS)
def test_the_page_asks_as_much_with_one_line_as_with_many(app, browsers, queries, mug, who, _role, address):
    with queries() as asked:
        browsers[who].get(address)
    with app.test_request_context(method="POST"):
        for n in range(60):
            lines = [
                ledger.Entry(Account.BUYER, -2, "sale", n),
                ledger.Entry(Account.SELLER, 1, "sale", db.session.query(Seller).one().id),
                ledger.Entry(Account.CREATOR, 1, "sale", db.session.query(Profile).filter_by(handle="kai").one().id),
            ]
            ledger.post(ledger.Journal(f"test:{n}", "EUR", lines))
        db.session.commit()
    with queries() as again:
        page = browsers[who].get(address).text
    assert (len(asked), len(again)) == (4, 4)
    assert page.count('class="ledger"') == 50
    assert "?before=" in page


def test_who_has_no_window_has_nothing_to_be_paid_for(signed_in_as):
    assert signed_in_as("noor", Role.CREATOR).get("/studio/earnings").status_code == 404
    seller = signed_in_as("lars", Role.SELLER)
    assert seller.get("/seller/payouts").status_code == 404
    assert seller.post("/payouts/account").status_code == 404


def test_a_creator_who_sells_nothing_has_no_page_of_payouts(app, browsers, signed_in_as):
    both = signed_in_as("lena", Role.CREATOR, Role.SELLER)
    with app.test_request_context(method="POST"):
        db.session.add(a_profile("lena", "Lena", user_id=accounts.called("lena@example.com").id))
        db.session.commit()
    assert both.get("/seller/payouts").status_code == 404
    assert both.get("/studio/earnings").status_code == 200


@pytest.mark.parametrize(("who", "_role", "address"), DESKS)
@pytest.mark.parametrize("htmx", [False, True])
def test_an_account_is_opened_completed_and_looked_at(app, browsers, who, _role, address, htmx):
    from tests.conftest import HTMX
    from tests.routes.conftest import there

    browser, headers = browsers[who], HTMX if htmx else {}
    assert there(browser.post("/payouts/account", headers=headers), htmx) == address
    assert "Complete my account" in browser.get(address).text
    assert browser.get("/payouts/onboarding").status_code == 405
    assert there(browser.post("/payouts/onboarding", headers=headers), htmx).startswith("/sandbox/account/")
    with app.test_request_context(method="POST"):
        account = db.session.query(PayoutAccount).one().gateway_id
        db.session.rollback()
        gateways.payment().activate(account)
    assert there(browser.post("/payouts/look", headers=headers), htmx) == address
    assert "Your account is complete" in browser.get(address).text
    with app.test_request_context(method="POST"):
        assert db.session.query(PayoutAccount).one().state == "active"


def test_the_gateway_is_asked_only_so_often_by_one_person(browsers, monkeypatch):
    monkeypatch.setattr("shop.routes.payouts.ASKED", "3 per hour")
    ways = ("account", "onboarding", "look")
    assert [browsers["mina"].post(f"/payouts/{way}").status_code for way in ways] == [303, 303, 303]
    assert [browsers["mina"].post(f"/payouts/{way}").status_code for way in ways] == [429, 429, 429]


@pytest.mark.parametrize(("who", "_role", "address"), DESKS)
def test_who_holds_a_stolen_cookie_comes_to_no_page_of_a_bank(app, browsers, pass_time, who, _role, address):
    browser = browsers[who]
    assert "Say who I am" not in browser.get(address).text
    pass_time(minutes=16)
    assert f'href="/sign-in/proof?next={address}"' in browser.get(address).text
    for form in ("/payouts/account", "/payouts/onboarding"):
        answer = browser.post(form, headers={"Referer": f"http://localhost{address}"})
        assert answer.location == f"/sign-in/proof?next={quote(address)}"
    with app.test_request_context():
        assert db.session.query(PayoutAccount).count() == 0


def test_without_an_account_there_is_no_way_to_complete_one(browsers):
    assert browsers["mina"].post("/payouts/onboarding").location == "/seller/payouts"
    assert browsers["mina"].post("/payouts/look").location == "/seller/payouts"


def test_an_outdated_link_leads_back_to_the_page_with_the_button(browsers, monkeypatch):
    from shop.gateways.payment_sandbox import SandboxGateway

    browsers["kai"].post("/payouts/account")
    asked = []

    def listen(_self, _account, *, again_path, return_path):
        asked.append((again_path, return_path))
        return "https://connect.example/form"

    monkeypatch.setattr(SandboxGateway, "onboarding_link", listen)
    page = browsers["kai"].post("/payouts/onboarding")
    assert (page.status_code, 'href="https://connect.example/form"' in page.text) == (200, True)
    assert asked == [("/studio/earnings", "/studio/earnings?back=1")]
    assert 'action="/payouts/onboarding"' in browsers["kai"].get(asked[0][0]).text


def test_who_was_stopped_still_sees_every_line_and_that_it_waits(app, browsers, signed_in_as):
    signed_in_as("rex", Role.MODERATOR)
    with app.test_request_context(method="POST"):
        rex = accounts.called("rex@example.com")
        why = {"reason": "not_sent", "words": Words(en="Nothing arrives at all.")}
        sanctions.suspend(db.session.query(Seller).one(), by=rex, **why)
        db.session.commit()
    assert browsers["mina"].get("/seller/payouts").status_code == 303  # she is signed out
    mina = signed_in_as("mina")
    page = mina.get("/seller/payouts")
    assert (page.status_code, page.text.count('class="ledger"')) == (200, 2)
    assert "Meanwhile nothing is sent to you" in page.text
    assert ("Can be paid out" in page.text, "/payouts/" in page.text) == (False, False)
    assert "/seller/orders/" in page.text  # what was paid has to be sent all the same
    assert mina.get("/seller/payouts.csv").status_code == 200


def test_who_only_applied_has_no_books_yet(app, browsers):
    with app.test_request_context(method="POST"):
        db.session.query(Seller).one().vetting = "waiting"
        db.session.commit()
    assert browsers["mina"].get("/seller/payouts").status_code == 404


def test_a_gateway_that_is_silent_is_said_in_words(browsers, monkeypatch):
    from shop.gateways.payment_port import UnreachableError
    from shop.gateways.payment_sandbox import SandboxGateway

    def silence(*_given, **_more):
        raise UnreachableError

    for name in ("open_account", "onboarding_link", "get_account"):
        monkeypatch.setattr(SandboxGateway, name, silence)
    answer = browsers["mina"].post("/payouts/account")
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


@pytest.mark.parametrize(
    "before", ["99999999999999999999", "9223372036854775807", "-5", "-99999999999999999999", "x", ""]
)
@pytest.mark.parametrize(("who", "_role", "address"), DESKS)
def test_a_place_that_is_not_in_the_books_shows_the_newest_leaf(browsers, who, _role, address, before):
    answer = browsers[who].get(f"{address}?before={before}")
    assert (answer.status_code, {"mina": "€24.77", "kai": "€2.45"}[who] in answer.text) == (200, True)


def test_an_account_that_is_turned_down_is_said_in_words_and_can_be_asked_for_again(app, browsers, monkeypatch):
    from shop.gateways.payment_port import RejectedError
    from shop.gateways.payment_sandbox import SandboxGateway

    def rejects(*_given):
        raise RejectedError("email_invalid")

    with app.test_request_context(method="POST"):
        db.session.execute(delete(PayoutAccount))
        db.session.commit()
    with monkeypatch.context() as closed:
        closed.setattr(SandboxGateway, "open_account", rejects)
        answer = browsers["mina"].post("/payouts/account")
    assert (answer.status_code, "turned this down (email_invalid)" in answer.text) == (422, True)
    assert browsers["mina"].post("/payouts/account").status_code == 303
    with app.test_request_context(method="POST"):
        assert db.session.scalar(select(PayoutAccount.gateway_id)).startswith("sbx_acct_")
