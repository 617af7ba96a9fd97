"""The operator's desk of money: for admins, with every difference and its evidence side by side."""

import re
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shop import clock, inbox, refunds
from shop.database import db
from shop.models import Difference, Job, JobState, Payment, PaymentAttempt, Refund, Role, Transfer, WebhookEvent
from tests.conftest import HTMX
from tests.till import paid, placed


@pytest.fixture
def ada(signed_in_as):
    return signed_in_as("ada", Role.ADMIN)


def differ(app, number=1, **given):
    with app.test_request_context(method="POST"):
        for n in range(number):
            now = clock.now()
            facts = {
                "code": f"{n:022}",
                "scope": "2026-11-27",
                "kind": "payment",
                "subject": f"pi_{n:03}",
                "ours": "EUR 28.45",
                "theirs": "EUR 28.44",
                "evidence": {"ours": {"purchase": "p-code <b>"}, "theirs": {"movement 1": "txn_1 2844 EUR"}},
                "first_seen": now,
                "last_seen": now,
            }
            db.session.add(Difference(**{**facts, **given}))
        db.session.commit()


def test_a_shop_in_which_all_agrees_says_so(ada):
    page = ada.get("/moderation/money").text
    for words in ("books and ours agree", "Every message found its place", "Every request was answered"):
        assert words in page
    assert '<svg class="plot"' in page


def test_it_is_not_there_for_a_moderator(signed_in_as):
    assert signed_in_as("rex", Role.MODERATOR).get("/moderation/money").status_code == 404


def test_a_difference_stands_there_with_both_sides(app, ada):
    differ(app)
    page = ada.get("/moderation/money").text
    assert "€" not in page[page.index('class="sides"') : page.index("first seen")]
    for words in ("EUR 28.45", "EUR 28.44", "p-code &lt;b&gt;", "txn_1 2844 EUR", "pi_000"):
        assert words in page


def test_a_side_that_has_nothing_says_so(app, ada):
    differ(app, ours="", evidence={"ours": {}, "theirs": {}})
    page = ada.get("/moderation/money").text
    assert "nothing" in page
    assert "flask take-in" not in page


@pytest.mark.parametrize(("ours", "is_told"), [("", True), ("EUR -5.00", False)])
def test_of_a_refund_that_only_the_payment_company_knows_it_says_how_to_take_it_in(app, ada, ours, is_told):
    differ(app, kind="refund", subject="re_1:-500", ours=ours, theirs="EUR -5.00")
    assert ("flask take-in ORDER re_1 --because" in ada.get("/moderation/money").text) is is_told


@pytest.mark.parametrize("htmx", [False, True])
def test_ada_notes_what_she_found_out(app, ada, htmx):
    differ(app)
    answer = ada.post(
        f"/moderation/money/differences/{0:022}/note",
        data={"words": "Stripe was late."},
        headers=HTMX if htmx else {},
    )
    assert answer.status_code == (204 if htmx else 303)
    page = ada.get("/moderation/money").text
    assert "Looked at by Ada" in page
    assert "Stripe was late." in page
    assert "pi_000" in page  # it stays for as long as it shows


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("words", ["", "x" * 1001])
def test_a_note_without_words_or_with_too_many_is_refused_beside_its_difference(app, ada, htmx, words):
    differ(app)
    address = f"/moderation/money/differences/{0:022}/note"
    answer = ada.post(address, data={"words": words}, headers=HTMX if htmx else {})
    assert answer.status_code == 422
    assert re.search(r'<details open>.*aria-invalid="true"', answer.text, re.DOTALL)
    assert ("<html" in answer.text) is not htmx
    with app.app_context():
        assert db.session.scalar(select(Difference.noted_at)) is None


def test_a_difference_that_is_not_there_cannot_be_noted(ada):
    assert ada.post("/moderation/money/differences/none/note", data={"words": "x"}).status_code == 404


def test_many_differences_come_in_leaves(app, ada):
    differ(app, 45)
    seen, address = [], "/moderation/money"
    while address:
        page = ada.get(address).text
        seen += re.findall(r"pi_\d{3}", page)
        more = re.search(r'href="(/moderation/money\?differences=\d+)#', page)
        address = more[1] if more else ""
    assert seen == [f"pi_{n:03}" for n in range(45)]


@pytest.mark.parametrize("place", ["-1", "x", "9" * 30, "1e9"])
def test_an_odd_place_is_the_first_leaf(app, ada, place):
    differ(app)
    assert "pi_000" in ada.get(f"/moderation/money?differences={place}").text


def test_messages_attempts_and_jobs_that_need_somebody_stand_there(app, ada, mug):
    with app.test_request_context(method="POST"):
        now = clock.now()
        for state in ("unresolved", "quarantined", "applied", "foreign"):
            told = {"gateway": "sandbox", "event_id": f"evt_{state}", "kind": "charge.refunded", "body": "{}"}
            db.session.add(WebhookEvent(**told, state=state, received_at=now))
        db.session.add(
            Job(handler="shop.x.y", arguments={}, state=JobState.DEAD, run_at=now, tries=5, last_error="RuntimeError()")
        )
        _purchase, attempt = placed({mug.small: 1})
        db.session.get(PaymentAttempt, attempt).created_at = now - timedelta(hours=24)
        _bought, paid_for = placed({mug.large: 1})
        paid(paid_for)
        sent = {"key": "co:7:transfer:9"}
        late = {"state": "sending", "changed_at": now - timedelta(hours=24), "request": sent}
        db.session.execute(update(Transfer).values(**late))
        db.session.commit()
    page = ada.get("/moderation/money").text
    assert "co:7:transfer:9" in page
    assert re.findall(r"evt_\w+", page) == ["evt_unresolved", "evt_quarantined"]
    assert "RuntimeError()" in page
    assert re.search(r"co:\d+:pay:1", page)


def test_what_moved_is_drawn_and_stands_in_the_table(app, ada, mug):
    with app.test_request_context(method="POST"):
        for _time in range(2):
            _purchase, attempt = placed({mug.small: 1})
            paid(attempt)
        inbox.give_back(attempt, "sold_out")
        db.session.commit()
        refunds.send(db.session.scalar(select(Refund.id)))
        db.session.commit()
        assert db.session.scalar(select(Payment.state).where(Payment.refunded_minor > 0)) == "refunded"
    page = ada.get("/moderation/money").text
    assert page.count('class="plot__bar plot__bar--paid"') == page.count('class="plot__bar plot__bar--back"') == 1
    moved = [re.findall(r"€[\d.]+", day)[:2] for day in page.split('<th scope="row">')[1:]]
    assert [each for each in moved if each and each[0] != "€0.00"] == [["€56.90", "€28.45"]]


def test_the_page_asks_the_same_number_of_questions_however_much_there_is(app, ada, queries):
    ada.get("/moderation/money")
    with queries() as few:
        ada.get("/moderation/money")
    differ(app, 30)
    with queries() as many:
        ada.get("/moderation/money")
    assert len(many) == len(few) <= 7


def test_ada_finds_the_way_from_the_moderators_desk_and_rex_does_not_see_it(ada, signed_in_as):
    assert "/moderation/money" in ada.get("/moderation").text
    assert "/moderation/money" not in signed_in_as("rex", Role.MODERATOR).get("/moderation").text


def test_in_dutch(app, signed_in_as):
    ada = signed_in_as("ada", Role.ADMIN)
    differ(app, code=secrets.token_urlsafe(16))
    page = ada.get("/moderation/money", headers={"Accept-Language": "nl"}).text
    assert '<html lang="nl">' in page
    assert "Wat je hebt gevonden" in page
