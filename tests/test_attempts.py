"""An attempt to pay: what exactly the gateway is asked, and what is said when it answers, or does not."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from hashlib import sha256

import pytest
from flask import current_app
from sqlalchemy import select, update

from shop import clock, inbox, jobs, payments, wallet
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import NotAskedError, RejectedError, Report, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import Job, Payment, PaymentAttempt, PaymentState, SavedMethod
from shop.money import Money
from tests.cast import a_purchase
from tests.listening import listen

pytestmark = pytest.mark.usefixtures("at_the_desk")

EUR_28_45 = Money(2845, "EUR")


@pytest.fixture
def purchase(mug):
    """Noor's small mug with delivery: EUR 28.45; not paid."""
    purchase = a_purchase({mug.small: 1})
    db.session.commit()
    return purchase


@pytest.fixture
def attempt(purchase):
    """Her first attempt, of which the gateway has not heard."""
    attempt = payments.open(purchase, "ideal")
    db.session.commit()
    return attempt


def said(state, **more):
    """What the gateway reports."""
    return Report(id="pi_1", key="", purchase="", state=state, amount=EUR_28_45, **more)


def row(table=PaymentAttempt):
    return db.session.scalar(select(table).execution_options(populate_existing=True))


# What the gateway is asked


def asked(purchase, method, card="", **more):
    """The request as it was written down for this attempt."""
    attempt = payments.open(purchase, method, card, **more)
    return db.session.get(PaymentAttempt, attempt).request


def again_with(purchase):
    """What she tried so far led nowhere."""
    db.session.execute(update(PaymentAttempt).values(state=PaymentState.FAILED))
    db.session.expire_all()
    return purchase


def plain(purchase, **more):
    """A request in which nothing is special."""
    return {
        "key": f"co:{purchase.id}:pay:1",
        "amount_minor": 2845,
        "currency": "EUR",
        "method": "ideal",
        "purchase": purchase.code,
        "return_path": f"/purchases/{purchase.code}",
        "group": f"co:{purchase.id}",
        "customer": "",
        "saved_method": "",
        "token": "",
        "is_hosted": False,
        "wants_saving": False,
        "payer_name": "Noor",
        "payer_email": "noor@example.com",
        "expires_at": 0,
        **more,
    }


@pytest.fixture
def fields(monkeypatch):
    """The gateway has fields of its own in the page, and a page of its own."""
    monkeypatch.setattr(SandboxGateway, "publishable_key", "pk_test_1")
    ways = ("card", "wallet", "ideal", "other")
    monkeypatch.setitem(current_app.config, "PAYMENT_METHODS", tuple((way, "") for way in ways))


@pytest.fixture
def noors(mug, noor):
    """Noor's purchase, signed in; the gateway knows her, and keeps a card of hers that is called "Visa 4242"."""
    wallet.introduce(noor.id)
    row = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=clock.now(), **row))
    purchase = a_purchase({mug.small: 1}, user_id=noor.id)
    db.session.commit()
    return purchase


def test_a_guest_is_asked_about_with_nothing_but_the_purchase(purchase):
    request = asked(purchase, "ideal")
    assert request == plain(purchase)
    kept = row()
    assert kept.request_hash == sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    assert (kept.idempotency_key, kept.payment_id) == (request["key"], row(Payment).id)


def test_an_attempt_and_its_payment_know_when_they_began(purchase, monkeypatch):
    then = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: then)
    payments.open(purchase, "ideal")
    kept = row(Payment)
    assert (row().created_at, row().changed_at, kept.changed_at) == (then, then, then)
    assert (kept.purchase_id, kept.refunded_minor, kept.is_disputed) == (purchase.id, 0, False)
    assert (kept.amount, kept.state) == (EUR_28_45, PaymentState.SUBMITTING)


def test_without_fields_what_a_card_was_made_into_is_no_use(purchase):
    assert asked(purchase, "card", "tok_1") == plain(purchase, method="card")


@pytest.mark.parametrize("method", ["card", "wallet"])
def test_what_the_fields_made_of_a_card_is_paid_with_in_the_page(purchase, fields, method):
    assert asked(purchase, method, "tok_1") == plain(purchase, method=method, token="tok_1")


@pytest.mark.parametrize("method", ["card", "wallet", "other"])
def test_who_filled_in_no_fields_pays_on_the_gateways_page(purchase, fields, method):
    assert asked(purchase, method) == plain(purchase, method=method, is_hosted=True)


def test_who_says_nothing_more_has_no_card_and_wants_none_kept(noors, fields):
    expected = plain(noors, method="card", is_hosted=True)
    assert asdict(payments.begin(noors, "card").request) == expected
    attempt = payments.open(again_with(noors), "card")
    assert db.session.get(PaymentAttempt, attempt).request == {**expected, "key": f"co:{noors.id}:pay:2"}


def test_a_way_to_pay_without_fields_takes_no_card_and_needs_no_page(purchase, fields):
    assert asked(purchase, "ideal", "tok_1") == plain(purchase, token="")
    refused = asked(again_with(purchase), "other", "tok_1")
    assert (refused["token"], refused["is_hosted"]) == ("", True)


def test_a_card_that_is_kept_is_asked_for_by_the_gateways_own_names(noors):
    known_as = wallet.customer(noors.user_id)
    db.session.commit()
    assert known_as
    expected = plain(noors, method="saved", customer=known_as, saved_method="pm_hers")
    assert asked(noors, "saved:hers") == expected


def test_who_wants_a_card_kept_is_known_to_the_gateway_and_who_does_not_is_not(noors):
    known_as = wallet.customer(noors.user_id)
    assert asked(noors, "card", wants_saving=True) == plain(noors, method="card", customer=known_as, wants_saving=True)
    again = asked(again_with(noors), "card")
    assert (again["customer"], again["wants_saving"], again["key"]) == ("", False, f"co:{noors.id}:pay:2")
    bank = asked(again_with(noors), "ideal", wants_saving=True)
    assert (bank["customer"], bank["wants_saving"]) == (known_as, False)


def test_nothing_is_kept_for_whom_the_gateway_does_not_know(mug, noor):
    purchase = a_purchase({mug.small: 1}, user_id=noor.id)
    assert asked(purchase, "card", wants_saving=True) == plain(purchase, method="card")


def test_each_refusal_says_what_to_do(purchase, attempt):
    with pytest.raises(Refused) as no:
        payments.open(purchase, "cash")
    assert no.value.words == "Please choose how you want to pay."
    with pytest.raises(Refused) as no:
        payments.open(purchase, "card")
    assert no.value.words == "Your payment is on its way. Please wait a moment before you try again."
    row().state = PaymentState.PAID
    db.session.flush()
    with pytest.raises(Refused) as no:
        payments.open(purchase, "card")
    assert no.value.words == "This has been paid already."
    with pytest.raises(LookupError, match=r"^there is no attempt 404$"):
        payments.outcome(404)


def test_an_attempt_begins_with_nothing_come_of_it(purchase):
    begun = payments.begin(purchase, "ideal")
    kept = row()
    assert (kept.id, kept.number, kept.gateway, kept.method, kept.state) == (
        begun.id,
        1,
        "sandbox",
        "ideal",
        "submitting",
    )
    assert (kept.is_surplus, kept.refunded_minor, kept.redirect_url, kept.failure) == (False, 0, "", "")
    assert (kept.request, kept.idempotency_key) == (asdict(begun.request), begun.request.key)


# What comes of it


def test_what_was_just_begun_need_not_be_looked_up(purchase, monkeypatch):
    begun = payments.begin(purchase, "ideal")
    db.session.commit()
    really = SandboxGateway.create_payment
    monkeypatch.setattr(
        SandboxGateway,
        "create_payment",
        lambda self, request: replace(really(self, request), redirect_url="", client_secret="cs_1"),
    )
    assert payments.submitted(begun)[:2] == (payments.NeedsClientAction("cs_1"), row(Payment).id)


def test_of_what_was_just_begun_nobody_can_have_heard(purchase, monkeypatch):
    begun = payments.begin(purchase, "ideal")
    db.session.commit()
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(NotAskedError("nobody there")))
    assert payments.submit(begun) == payments.Declined("unreachable")


def silent(error):
    def ask(_self, _request):
        raise error

    return ask


def test_a_gateway_that_may_have_heard_leaves_the_attempt_as_it_is_and_its_moment_is_noted(
    purchase, attempt, monkeypatch, pass_time
):
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(UnreachableError("no answer")))
    told = listen(monkeypatch, payments)
    pass_time(minutes=1)
    assert payments.submit(attempt) == payments.Processing()
    db.session.commit()
    assert (row().state, row().changed_at, row().changed_at > row().created_at) == ("submitting", clock.now(), True)
    assert told == [
        {
            "event": "no answer from the gateway",
            "attempt": attempt,
            "error": repr(UnreachableError("no answer")),
            "log_level": "warning",
        }
    ]


def test_a_gateway_that_cannot_have_heard_of_it_leaves_nothing_open(purchase, attempt, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(NotAskedError("nobody there")))
    assert payments.submit(attempt) == payments.Declined("unreachable")
    assert (row().state, row().failure) == ("failed", "unreachable")


def test_who_may_have_heard_of_it_before_may_still_have_it(purchase, attempt, monkeypatch, pass_time):
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(UnreachableError("no answer")))
    pass_time(minutes=1)
    payments.submit(attempt)
    db.session.commit()
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(NotAskedError("nobody there")))
    assert payments.submit(attempt) == payments.Processing()
    assert row().state == "submitting"


def test_a_request_that_is_rejected_is_told_to_whoever_minds_the_shop(purchase, attempt, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "create_payment", silent(RejectedError("amount_too_small")))
    told = listen(monkeypatch, payments)
    assert payments.submit(attempt) == payments.Declined("amount_too_small")
    assert told == [
        {
            "event": "the gateway rejects a payment",
            "attempt": attempt,
            "code": "amount_too_small",
            "log_level": "error",
        }
    ]


def test_the_gateway_is_asked_for_exactly_what_was_written_down_and_only_once(purchase, attempt, monkeypatch):
    heard = []
    real = SandboxGateway.create_payment
    monkeypatch.setattr(
        SandboxGateway, "create_payment", lambda self, request: heard.append(request) or real(self, request)
    )
    for _time in range(2):
        assert isinstance(payments.submit(attempt), payments.NeedsRedirect)
        db.session.commit()
    assert [asdict(request) for request in heard] == [plain(purchase)]
    assert db.session.scalar(select(Job.handler)) == "shop.payments.send_sandbox_events"


def stands(state, **more):
    """Her attempt stands like this."""
    for name, value in {"state": state, **more}.items():
        setattr(row(), name, value)
    db.session.flush()


def test_how_an_attempt_stands_is_what_the_page_says_next(purchase, attempt):
    secret = said(PaymentState.REQUIRES_ACTION, client_secret="cs_1")
    assert payments.outcome(attempt, secret) == payments.Processing()
    for state in inbox.CAME_IN:
        stands(state)
        assert payments.outcome(attempt) == payments.Paid()
    for state in (PaymentState.FAILED, PaymentState.CANCELLED):
        stands(state, failure="expired_card", redirect_url="/bank")
        assert payments.outcome(attempt, secret) == payments.Declined("expired_card")
    stands(PaymentState.REQUIRES_ACTION)
    assert payments.outcome(attempt, secret) == payments.NeedsRedirect("/bank")
    stands(PaymentState.REQUIRES_ACTION, redirect_url="")
    assert payments.outcome(attempt, secret) == payments.NeedsClientAction("cs_1")
    assert payments.outcome(attempt, said(PaymentState.REQUIRES_ACTION)) == payments.Processing()
    assert payments.outcome(attempt) == payments.Processing()
    stands(PaymentState.PROCESSING, redirect_url="/bank")
    assert payments.outcome(attempt, secret) == payments.Processing()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("card_declined", "Your bank declined the card. Nothing was paid; please try another way to pay."),
        ("insufficient_funds", "There is not enough money on the card. Nothing was paid; please try another one."),
        (
            "unreachable",
            "We cannot reach the payment company at this moment. Nothing was paid, and your cart is as it was; "
            "please try again in a minute.",
        ),
        ("expired_card", "This card has expired. Nothing was paid; please try another one."),
        ("incorrect_cvc", "The security code of the card is not right. Nothing was paid; please try again."),
        ("incorrect_number", "The number of the card is not right. Nothing was paid; please try again."),
        ("authentication_required", "Your bank wants you to confirm this payment. Nothing was paid; please try again."),
        (
            "payment_intent_authentication_failure",
            "You did not confirm the payment at your bank. Nothing was paid; please try again, or in another way.",
        ),
        ("abandoned", "You cancelled the payment. Nothing was paid."),
        (
            "payment_intent_payment_attempt_expired",
            "The bank's page was open for too long. Nothing was paid; please try again.",
        ),
        ("anything else", "The payment did not work. Nothing was paid; please try again."),
    ],
)
def test_why_it_did_not_work_is_said_in_words_with_what_to_do_now(mug, code, words):
    assert payments.explain(code) == words


def test_the_sandbox_tells_its_news_at_the_shops_own_address(app, mug, monkeypatch):
    told = []
    monkeypatch.setattr(SandboxGateway, "deliver", lambda _self, base: told.append(base))
    payments.expect_events()
    db.session.commit()
    jobs.run_due()
    assert told == [app.config["BASE_URL"]]
