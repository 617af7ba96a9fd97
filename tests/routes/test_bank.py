"""The seller's page of their account, and the moderators' desk where a change waits for a second pair of eyes."""

import re

import pytest
from sqlalchemy import select, update

from shop import accounts, bank_accounts
from shop.database import db
from shop.models import BankAccount, BankState, Job, Role, Seller
from tests.cast import a_seller
from tests.conftest import HTMX

pytestmark = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
NEW = {"iban": "NL20 INGB 0001 2345 67", "holder": "Mina de Groot"}
CLOSE = {"iban": "NL39RABO0300065264", "holder": "Mina de Groot"}
REASON = "Looked at a statement of the bank: it is theirs."


@pytest.fixture
def mina(app, signed_in_as):
    """Mina sells, and is paid on the account that ends in 3000; she has proven a moment ago who she is."""
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        owner = accounts.called("mina@example.com")
        seller = a_seller("mina", "Atelier Mina", vetting="draft")
        seller.profile.user_id = owner.id
        db.session.add(seller)
        db.session.commit()
        mina = accounts.as_actor(owner)
        bank_accounts.give(seller, iban="DE89370400440532013000", holder="Atelier Mina", by=mina)
        seller.vetting = "approved"
        db.session.commit()
    return client


@pytest.fixture
def rex(signed_in_as):
    return signed_in_as("rex", Role.MODERATOR)


def stands(app):
    with app.app_context():
        return [
            tuple(row)
            for row in db.session.execute(select(BankAccount.state, BankAccount.last4).order_by(BankAccount.id))
        ]


def decide(rex, how, headers, **given):
    seen = re.search(r'name="seen" value="([^"]+)"', rex.get("/moderation/bank-accounts").text)
    data = {"seen": seen[1] if seen else "", "reason": REASON, **given}
    return rex.post(f"/moderation/bank-accounts/mina/{how}", data=data, headers=headers)


def test_mina_sees_her_account_by_its_last_four(mina, headers):
    page = mina.get("/seller/bank", headers=headers).text
    for words in ("DE &bull;&bull;&bull;&bull; 3000", "Commerzbank", "Atelier Mina", "on this name"):
        assert words in page
    assert "0532" not in page


def test_mina_asks_to_be_paid_elsewhere_and_sees_that_it_waits(app, mina, headers):
    answer = mina.post("/seller/bank", data=NEW, headers=headers)
    assert answer.headers.get("Location", answer.headers.get("HX-Redirect")) == "/seller/bank?done=changed"
    page = mina.get("/seller/bank?done=changed").text
    for words in ("A moderator looks at it", "nothing is paid out before", "4567", "not on this name", "Take it back"):
        assert words in page
    assert stands(app) == [("current", "3000"), ("waiting", "4567")]
    payouts = mina.get("/seller/payouts").text
    assert "nothing is paid out before" in payouts


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"iban": "NL20 INGB 0001 2345 76"}, "The check figures do not fit"),
        ({"iban": ""}, "Fill in the IBAN"),
        ({"holder": ""}, "Fill in the name"),
        ({"iban": "DE89370400440532013000", "holder": "Atelier Mina"}, "paid on this account already"),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_nothing_changes(app, mina, headers, given, words):
    answer = mina.post("/seller/bank", data=NEW | given, headers=headers)
    assert answer.status_code == 422
    assert words in answer.text
    assert stands(app) == [("current", "3000")]


def test_without_a_fresh_proof_nothing_changes_and_the_form_is_not_shown(app, mina, headers, pass_time):
    pass_time(minutes=16)
    assert 'name="iban"' not in mina.get("/seller/bank").text
    answer = mina.post("/seller/bank", data=NEW, headers=headers)
    assert "/sign-in/proof" in answer.headers.get("Location", answer.headers.get("HX-Redirect", ""))
    assert stands(app) == [("current", "3000")]


def test_mina_takes_the_name_that_the_bank_has(app, mina, headers):
    mina.post("/seller/bank", data=CLOSE)
    assert "The bank says: Mina de Groot-Bakker. Is that you?" in mina.get("/seller/bank").text
    mina.post("/seller/bank/name", headers=headers)
    page = mina.get("/seller/bank").text
    assert "Mina de Groot-Bakker" in page
    assert "Is that you?" not in page


def test_the_name_is_taken_with_a_fresh_proof_only_and_a_change_is_taken_back_without(app, mina, headers, pass_time):
    mina.post("/seller/bank", data=CLOSE)
    pass_time(minutes=16)
    answer = mina.post("/seller/bank/name", headers=headers)
    assert "/sign-in/proof" in answer.headers.get("Location", answer.headers.get("HX-Redirect", ""))
    assert "Is that you?" in mina.get("/seller/bank").text
    mina.post("/seller/bank/withdrawal", headers=headers)
    assert ("refused", "5264") in stands(app)


def test_mina_takes_a_change_back(app, mina, headers):
    mina.post("/seller/bank", data=NEW)
    mina.post("/seller/bank/withdrawal", headers=headers)
    assert stands(app) == [("current", "3000"), ("refused", "4567")]
    assert mina.post("/seller/bank/withdrawal", headers=headers).status_code == 409


def test_rex_sees_old_and_new_and_what_the_bank_says_and_confirms(app, mina, rex, headers):
    mina.post("/seller/bank", data=CLOSE)
    page = rex.get("/moderation/bank-accounts", headers=headers).text
    for words in ("Atelier Mina", "&bull; 3000", "5264", "nearly this name", "It says: Mina de Groot-Bakker.", "today"):
        assert words in page
    answer = decide(rex, "confirmation", headers)
    assert answer.headers.get("Location", answer.headers.get("HX-Redirect")).endswith("?done=confirmed")
    assert stands(app) == [("replaced", "3000"), ("current", "5264")]
    assert "No account waits." in rex.get("/moderation/bank-accounts").text


def test_rex_does_not_take_it_and_says_why(app, mina, rex, headers):
    mina.post("/seller/bank", data=NEW)
    answer = decide(rex, "refusal", headers, reason="no")
    assert (answer.status_code, "a reason has at least" in answer.text) == (422, True)
    assert stands(app) == [("current", "3000"), ("waiting", "4567")]
    decide(rex, "refusal", headers)
    assert stands(app) == [("current", "3000"), ("refused", "4567")]


def test_rex_decides_with_a_fresh_proof_only(app, mina, rex, headers, pass_time):
    mina.post("/seller/bank", data=NEW)
    seen = re.search(r'name="seen" value="([^"]+)"', rex.get("/moderation/bank-accounts").text)[1]
    pass_time(minutes=16)
    assert "Say who I am" in rex.get("/moderation/bank-accounts").text
    for how in ("confirmation", "refusal"):
        answer = decide(rex, how, headers, seen=seen)
        assert "/sign-in/proof" in answer.headers.get("Location", answer.headers.get("HX-Redirect", ""))
    assert stands(app) == [("current", "3000"), ("waiting", "4567")]


def test_a_moderator_who_sells_does_not_decide_on_their_own(app, mina, rex, headers):
    mina.post("/seller/bank", data=NEW)
    with app.test_request_context(method="POST"):
        db.session.execute(update(BankAccount).where(BankAccount.state == BankState.WAITING).values(
            set_by_id=accounts.called("rex@example.com").id))  # fmt: skip
        db.session.commit()
    page = rex.get("/moderation/bank-accounts").text
    assert "for another moderator to decide on" in page
    assert 'name="reason"' not in page


def test_for_others_there_is_no_such_desk_and_no_such_account(mina, signed_in_as, headers):
    noor = signed_in_as("noor")
    assert [noor.get("/seller/bank").status_code, noor.post("/seller/bank", data=NEW).status_code] == [403, 403]
    assert noor.get("/moderation/bank-accounts").status_code == 404
    assert mina.post("/moderation/bank-accounts/mina/confirmation", headers=headers).status_code == 404


def test_rex_lets_the_registers_be_asked_again(app, mina, rex, headers):
    with app.test_request_context(method="POST"):
        db.session.execute(Job.__table__.delete())
        db.session.commit()
    answer = rex.post("/moderation/sellers/mina/look-ups", headers=headers)
    assert answer.headers.get("Location", answer.headers.get("HX-Redirect")) == "/moderation/sellers/mina"
    with app.app_context():
        seller = db.session.scalars(select(Seller.id)).one()
        asked = [job.arguments for job in db.session.scalars(select(Job).order_by(Job.id))]
    assert asked == [{"seller": seller, "kind": "company"}, {"seller": seller, "kind": "vat"}]
