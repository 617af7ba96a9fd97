"""Payments: each attempt is written down before the gateway hears of it, and its reports may come in any order."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update

from shop import gateways, inbox, jobs, notices, payments, reconcile, refunds, settlement, wallet
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import Notice, RejectedError, Report, SavedCard
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Event,
    InboxState,
    Job,
    Payment,
    PaymentAttempt,
    PaymentState,
    Purchase,
    Refund,
    RefundState,
    SandboxObject,
    SavedMethod,
    User,
    WebhookEvent,
)
from shop.money import Money
from tests.cast import a_purchase

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


def said(purchase, state, **more):
    """What the gateway reports about her first attempt."""
    ours = {"key": f"co:{purchase.id}:pay:1", "group": f"co:{purchase.id}", "purchase": purchase.code}
    return Report(state=state, **{"id": "pi_1", "amount": EUR_28_45, **ours, **more})


def row(table=PaymentAttempt):
    return db.session.scalar(select(table).execution_options(populate_existing=True))


# What is offered


def test_a_guest_is_offered_the_shops_ways_to_pay_and_the_tests(noor):
    offered = payments.methods()
    assert [(way.code, way.name) for way in offered[:3]] == [
        ("ideal", "iDEAL | Wero"),
        ("bancontact", "Bancontact"),
        ("card", "Card"),
    ]
    assert [way.code for way in offered if way.is_test] == [
        "card_declined",
        "insufficient_funds",
        "authentication_required",
        "slow_success",
        "slow_failure",
    ]
    assert not any(way.can_be_saved for way in offered)
    assert [way.code for way in payments.methods(noor.id) if way.can_be_saved] == ["card"]


def test_the_operator_decides_on_order_and_names(app, monkeypatch):
    monkeypatch.setitem(app.config, "PAYMENT_METHODS", (("card", ""), ("ideal", "Wero")))
    assert [way.name for way in payments.methods()[:2]] == ["Card", "Wero"]


# An attempt


def test_an_attempt_is_written_down_whole_before_anybody_hears_of_it(purchase, attempt):
    kept = row()
    assert (kept.state, kept.number, kept.gateway, kept.method) == (PaymentState.SUBMITTING, 1, "sandbox", "ideal")
    assert kept.idempotency_key == f"co:{purchase.id}:pay:1"
    assert (kept.request["amount_minor"], kept.request["currency"]) == (2845, "EUR")
    assert (len(kept.request_hash), kept.gateway_id) == (64, None)
    assert (row(Payment).state, row(Payment).amount) == (PaymentState.SUBMITTING, EUR_28_45)
    assert db.session.scalar(select(func.count(SandboxObject.name))) == 0


@pytest.mark.parametrize("method", ["", "cash", "saved", "saved:", "saved:somebody-elses", "IDEAL"])
def test_a_way_to_pay_that_was_not_offered_is_refused(purchase, method):
    with pytest.raises(Refused, match="choose how you want to pay") as refusal:
        payments.open(purchase, method)
    assert (refusal.value.status, row(), row(Payment)) == (422, None, None)


@pytest.mark.parametrize("state", [PaymentState.SUBMITTING, PaymentState.PROCESSING])
def test_while_a_payment_is_on_its_way_there_is_no_second_one(purchase, attempt, state):
    row().state = state
    db.session.flush()
    with pytest.raises(Refused, match="on its way"):
        payments.open(purchase, "card")


@pytest.mark.parametrize("state", inbox.CAME_IN)
def test_what_is_paid_is_not_paid_again(purchase, attempt, state):
    row().state = state
    db.session.flush()
    with pytest.raises(Refused, match="paid already"):
        payments.open(purchase, "card")


@pytest.mark.parametrize("state", [PaymentState.REQUIRES_ACTION, PaymentState.FAILED, PaymentState.CANCELLED])
def test_after_an_attempt_that_led_nowhere_there_is_a_next_one(purchase, attempt, state):
    row().state = state
    db.session.flush()
    payments.open(purchase, "card")
    keys = db.session.scalars(select(PaymentAttempt.idempotency_key).order_by(PaymentAttempt.number)).all()
    assert keys == [f"co:{purchase.id}:pay:1", f"co:{purchase.id}:pay:2"]
    assert db.session.scalar(select(func.count(Payment.id))) == 1


def test_a_gateway_that_refuses_the_request_has_moved_no_money(purchase, attempt, monkeypatch):
    def refuse(_self, _request):
        raise RejectedError("payment_method_unknown")

    monkeypatch.setattr(SandboxGateway, "create_payment", refuse)
    assert payments.submit(attempt) == payments.Declined("payment_method_unknown")
    assert "Nothing was paid" in payments.explain("payment_method_unknown")
    assert (row().state, row(Payment).state) == (PaymentState.FAILED, PaymentState.FAILED)


def test_an_attempt_that_does_not_exist_is_a_mistake_of_ours(mug):
    with pytest.raises(LookupError):
        payments.submit(404)


# A method that is kept for next time


def buy(mug, user, method, *, wants_saving=False):
    if user and wants_saving:
        wallet.introduce(user)
    attempt = payments.open(a_purchase({mug.small: 1}, user_id=user), method, wants_saving=wants_saving)
    db.session.commit()
    outcome = settlement.pay(attempt)
    db.session.commit()
    return outcome


def test_a_card_that_noor_keeps_is_offered_first_and_pays_in_one_go(mug, noor):
    buy(mug, noor.id, "card", wants_saving=True)
    first = payments.methods(noor.id)[0]
    assert (first.name, first.code[:6]) == ("Visa 4242", "saved:")
    assert buy(mug, noor.id, first.code) == payments.Paid()
    assert db.session.scalar(select(func.count(SavedMethod.id))) == 1


def test_a_card_is_not_kept_unless_she_says_so(mug, noor):
    buy(mug, noor.id, "card")
    assert payments.methods(noor.id)[0].code == "ideal"


def test_whose_account_was_closed_meanwhile_keeps_no_card(mug, noor):
    attempt = payments.open(a_purchase({mug.small: 1}, user_id=noor.id), "card")
    db.session.execute(update(User).where(User.id == noor.id).values(is_active=False))
    request = row().request
    bought = db.session.scalar(select(Purchase))
    late = said(bought, PaymentState.PAID, key=request["key"], saved=SavedCard("pm_1", "Visa 4242"))
    assert inbox.apply(late).state == InboxState.APPLIED
    assert (row().id, row().state, row(SavedMethod)) == (attempt, "paid", None)


def test_a_real_gateway_tells_of_its_own_accord(mug, monkeypatch):
    news_of = select(func.count(Job.id)).where(Job.handler.endswith("send_sandbox_events"))
    monkeypatch.setattr(gateways, "sandbox", lambda: None)
    payments.expect_events()
    assert db.session.scalar(news_of) == 0
    monkeypatch.undo()
    payments.expect_events()
    assert db.session.scalar(news_of) == 1


def test_a_guest_has_nobody_to_keep_a_card_for(mug):
    buy(mug, None, "card", wants_saving=True)
    assert row(SavedMethod) is None


def test_a_card_that_was_declined_is_not_kept(mug, noor):
    buy(mug, noor.id, "card_declined", wants_saving=True)
    assert row(SavedMethod) is None


def test_noors_card_is_not_for_others(mug, noor, signed_in_as):
    buy(mug, noor.id, "card", wants_saving=True)
    signed_in_as("kai")
    kai = db.session.scalar(text("SELECT id FROM users WHERE email = 'kai@example.com'"))
    assert payments.methods(kai)[0].code == "ideal"
    with pytest.raises(Refused):
        payments.open(a_purchase({mug.small: 1}, user_id=kai), payments.methods(noor.id)[0].code)


# Reports in any order


def six_events(purchase):
    """A life of a payment: asked, on its way, a failure that was too early, paid after all, and two refunds."""
    return [
        said(purchase, PaymentState.REQUIRES_ACTION, redirect_url="/sandbox/bank/pi_1"),
        said(purchase, PaymentState.PROCESSING),
        said(purchase, PaymentState.FAILED, failure="card_declined"),
        said(purchase, PaymentState.PAID),
        said(purchase, PaymentState.PART_REFUNDED, refunded_minor=845),
        said(purchase, PaymentState.REFUNDED, refunded_minor=2845),
    ]


def test_a_hundred_replays_of_each_event_have_one_effect(purchase, attempt):
    for report in six_events(purchase):
        before = db.session.scalar(select(func.count(Event.id)))
        for _time in range(100):
            inbox.apply(report)
        assert db.session.scalar(select(func.count(Event.id))) - before == 2, report.state
    assert db.session.scalar(select(func.count(Refund.id))) == 0


def test_what_comes_late_never_takes_anything_back(purchase, attempt):
    inbox.apply(said(purchase, PaymentState.PAID))
    for late in six_events(purchase)[:3]:
        inbox.apply(late)
    assert (row().state, row().failure, row(Payment).state) == ("paid", "", "paid")


def test_a_smaller_refund_that_comes_late_does_not_shrink_the_larger_one(purchase, attempt):
    inbox.apply(said(purchase, PaymentState.PART_REFUNDED, refunded_minor=2000))
    inbox.apply(said(purchase, PaymentState.PART_REFUNDED, refunded_minor=845))
    inbox.apply(said(purchase, PaymentState.PART_REFUNDED, refunded_minor=2100))
    assert (row().refunded_minor, row(Payment).refunded_minor) == (2100, 2100)


def test_the_gateways_call_may_come_before_its_answer(purchase, attempt):
    inbox.apply(said(purchase, PaymentState.PAID, id="sbx_pi_early"))
    assert payments.submit(attempt) == payments.Paid()
    assert row().gateway_id == "sbx_pi_early"


# Reports that do not fit


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": Money(2844, "EUR")},
        {"amount": Money(2845, "USD")},
        {"purchase": "another"},
        {"purchase": ""},
        {"key": "co:99:pay:1"},
        {"group": "co:99"},
        {"group": ""},
    ],
)
def test_a_report_that_differs_from_our_rows_is_set_apart(purchase, attempt, wrong):
    inbox.apply(said(purchase, PaymentState.PROCESSING))
    assert inbox.apply(replace(said(purchase, PaymentState.PAID), **wrong)).state == InboxState.QUARANTINED
    assert (row().state, row(Payment).state) == ("processing", "processing")


def test_two_payments_of_the_gateway_cannot_be_one_attempt(purchase, attempt):
    inbox.apply(said(purchase, PaymentState.PROCESSING))
    assert inbox.apply(said(purchase, PaymentState.PAID, id="pi_2")).state == InboxState.QUARANTINED
    assert row().state == "processing"


def test_a_hosted_page_gives_way_to_the_payment_that_is_made_there(purchase, attempt):
    inbox.apply(said(purchase, PaymentState.REQUIRES_ACTION, id="sbx_cs_1"))
    assert inbox.apply(said(purchase, PaymentState.PAID, id="sbx_pi_1")).state == InboxState.APPLIED
    assert inbox.apply(said(purchase, PaymentState.PROCESSING, id="sbx_cs_1")).state == InboxState.APPLIED
    assert (row().state, row().gateway_id) == ("paid", "sbx_pi_1")
    assert inbox.apply(said(purchase, PaymentState.PAID, id="sbx_pi_2")).state == InboxState.QUARANTINED


def test_a_payment_that_is_not_ours_is_foreign_and_one_that_says_it_is_stays_open(purchase, attempt):
    strange = said(purchase, PaymentState.PAID, id="pi_9", key="co:99:pay:1")
    assert inbox.apply(strange) == inbox.Verdict(InboxState.UNRESOLVED)
    assert inbox.apply(replace(strange, key="")) == inbox.Verdict(InboxState.FOREIGN)
    assert (row().state, row(Payment).state) == ("submitting", "submitting")


# The inbox


def a_call(report, monkeypatch, event="evt_1"):
    """A call that was verified and kept; gives the id of its row."""
    monkeypatch.setattr(SandboxGateway, "read_notice", lambda _self, _body: Notice(event, "payment_intent.x", report))
    call = inbox.keep(Notice(event, "payment_intent.x", report), b"{}")
    db.session.commit()
    return call


def test_a_call_is_kept_once(purchase):
    notice = Notice("evt_1", "charge.refunded", None)
    assert inbox.keep(notice, b"{}") is not None
    assert inbox.keep(notice, b"{}") is None
    assert db.session.scalar(select(func.count(WebhookEvent.id))) == 1


def test_a_call_that_is_taken_in_settles_its_payment_once(purchase, attempt, monkeypatch):
    call = a_call(said(purchase, PaymentState.PAID), monkeypatch)
    for _time in range(100):
        notices.take_in(call)
        db.session.commit()
    assert (row(WebhookEvent).state, row(WebhookEvent).tries) == (InboxState.APPLIED, 1)
    assert db.session.scalar(select(func.count(Event.id)).where(Event.became == "paid")) == 3
    assert row(Purchase).settled_at is not None


def test_a_call_before_its_purchase_is_tried_again_until_it_is_there(purchase, attempt, monkeypatch, pass_time):
    key = row().idempotency_key
    row().idempotency_key = "not here yet"
    call = a_call(said(purchase, PaymentState.PAID), monkeypatch)
    notices.take_in(call)
    db.session.commit()
    assert row(WebhookEvent).state == InboxState.UNRESOLVED
    row().idempotency_key = key
    db.session.commit()
    pass_time(minutes=2)
    jobs.run_due()
    assert (row(WebhookEvent).state, row(Payment).state) == (InboxState.APPLIED, "paid")


def test_a_call_about_nothing_we_know_is_given_up_after_three_days(purchase, attempt, monkeypatch, pass_time):
    call = a_call(said(purchase, PaymentState.PAID, id="pi_9", key="co:99:pay:1"), monkeypatch)
    notices.take_in(call)
    db.session.commit()
    for _try in range(40):
        pass_time(hours=2)
        jobs.run_due()
    tries = row(WebhookEvent).tries
    pass_time(days=3)
    jobs.run_due()
    kept = row(WebhookEvent)
    assert (kept.state, kept.tries, 10 < tries < 20) == (InboxState.UNRESOLVED, tries, True)


def test_a_call_whose_job_got_lost_is_found_by_the_clock(purchase, attempt, monkeypatch, pass_time):
    inbox.apply(said(purchase, PaymentState.PROCESSING))
    a_call(said(purchase, PaymentState.PAID), monkeypatch)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert row(WebhookEvent).state == InboxState.WAITING
    pass_time(minutes=2, seconds=1)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert row(WebhookEvent).state == InboxState.APPLIED


# Giving back


def test_a_refund_that_the_gateway_rejects_is_left_to_a_person(purchase, attempt, monkeypatch):
    inbox.apply(said(purchase, PaymentState.PAID))
    inbox.give_back(attempt, "sold_out")
    db.session.commit()
    refunds.send(row(Refund).id)  # the sandbox has never heard of pi_1
    assert (row(Refund).state, row(Payment).state) == (RefundState.FAILED, "paid")


def test_a_refund_is_sent_with_a_key_of_its_own_and_only_once(mug, purchase):
    attempt = payments.open(purchase, "card")
    db.session.commit()
    payments.submit(attempt)
    for _time in range(3):
        inbox.give_back(attempt, "sold_out")
    db.session.commit()
    refund = row(Refund)
    assert (refund.idempotency_key, refund.amount) == (f"ret:{refund.id}:refund", EUR_28_45)
    for _time in range(2):
        refunds.send(refund.id)
        db.session.commit()
    refunds.send(404)
    assert (row(Refund).state, row(Payment).state, row(Payment).refunded_minor) == ("done", "refunded", 2845)
    assert db.session.scalar(select(func.count()).where(SandboxObject.kind == "refund")) == 1
