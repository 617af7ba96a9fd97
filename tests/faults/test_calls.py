"""Promise 5: the gateway may call in any order, as often as it likes, ten at a time: one effect, and a quick answer."""

import http.client
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from shop import clock, gateways, jobs, reconcile
from shop.database import db, let_go
from shop.gateways import payment_shape as shape
from shop.models import Event, Order, Payment, PaymentAttempt, Purchase, Refund, WebhookEvent
from tests.faults.shops import opened
from tests.till import placed

pytestmark = pytest.mark.faults


@pytest.fixture
def bought(app, mug):
    """A small mug of which the payment company has made a payment, and nobody has told the shop: its code and key."""
    with app.test_request_context(method="POST"):
        purchase, attempt = placed({mug.small: 1}, "ideal")
        code = db.session.scalar(select(Purchase.code).where(Purchase.id == purchase))
        key = db.session.scalar(select(PaymentAttempt.idempotency_key).where(PaymentAttempt.id == attempt))
        group = db.session.scalar(select(PaymentAttempt.request).where(PaymentAttempt.id == attempt))["group"]
        let_go()
    return {"purchase": code, "key": key, "group": group}


def twelve(bought):
    """An event of each kind that Stripe may send, in the life of one payment; by its door."""
    money = {"amount": 2845, "currency": "eur", "transfer_group": bought["group"]}
    meta = {"metadata": {"key": bought["key"], "purchase": bought["purchase"]}}
    intent = {"id": "pi_1", "object": "payment_intent", **money, **meta}
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "status": "succeeded", **money, **meta}
    refund = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "status": "succeeded", "amount": 845}
    account = {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"}
    told = {
        "payment_intent.requires_action": {**intent, "status": "requires_action"},
        "payment_intent.processing": {**intent, "status": "processing"},
        "payment_intent.payment_failed": {
            **intent,
            "status": "requires_payment_method",
            "last_payment_error": {"code": "card_declined"},
        },
        "payment_intent.succeeded": {**intent, "status": "succeeded"},
        "charge.succeeded": {**charge, "amount_refunded": 0},
        "charge.refunded": {**charge, "amount_refunded": 845},
        "charge.updated": {**charge, "amount_refunded": 845},
        "refund.created": {**refund, "currency": "eur"},
        "refund.updated": {**refund, "currency": "eur"},
        "customer.created": {"id": "cus_1", "object": "customer"},
        "payout.paid": {"id": "po_1", "object": "payout"},
    }
    events = [
        ("", {"id": f"evt_{n}", "object": "event", "type": kind, "livemode": False, "data": {"object": thing}})
        for n, (kind, thing) in enumerate(told.items())
    ]
    thin = {"id": "evt_a", "object": "v2.core.event", "type": "v2.core.account.updated", "livemode": False}
    return [*events, ("/accounts", {**thin, "created": "2026-11-28T00:00:00Z", "related_object": account})]


def signed(app, door, event):
    body = json.dumps(event)
    with app.app_context():
        secrets = gateways.payment()._secrets["accounts" if door else "payments"]
    return door, body, {"Stripe-Signature": shape.sign(body, secrets), "Content-Type": "application/json"}


def call(shop, door, body, headers):
    """Milliseconds until the answer, which is 200."""
    with closing(http.client.HTTPConnection("127.0.0.1", shop.port, timeout=30)) as line:
        began = time.perf_counter()
        line.request("POST", f"/webhooks/sandbox{door}", body, headers)
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200
        return (time.perf_counter() - began) * 1000


def replayed(app, bought, times):
    """Each event so many times, ten at once; gives the waits."""
    calls = [signed(app, door, event) for door, event in twelve(bought)]
    with opened(Path(app.instance_path), DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"]) as shop:
        with ThreadPoolExecutor(10) as lines:
            waits = list(lines.map(lambda each: call(shop, *each), calls * times))
        end = time.monotonic() + 30
        while unseen(app) and time.monotonic() < end:
            time.sleep(0.2)
    return waits


def unseen(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).where(WebhookEvent.state == "waiting"))


def effects(app):
    """What became of it: the payment, what had gone back, each step of history that was taken twice, and the inbox."""
    with app.app_context():
        payment = db.session.execute(select(Payment.state, Payment.refunded_minor)).one()
        steps = db.session.execute(
            select(Event.subject, Event.became).group_by(Event.subject, Event.became).having(func.count() > 1)
        ).all()
        calls = db.session.scalar(select(func.count()).select_from(WebhookEvent))
        refunds = db.session.scalar(select(func.count()).select_from(Refund))
        settled = db.session.scalar(select(func.count()).where(Order.status == "paid"))
        return {"payment": tuple(payment), "twice": list(steps), "calls": calls, "refunds": refunds, "sold": settled}


ONE_EFFECT = {"payment": ("part_refunded", 845), "twice": [], "calls": 12, "refunds": 0}


def test_each_call_three_times_ten_at_once_has_one_effect(app, bought):
    calls = [signed(app, door, event) for door, event in twelve(bought)] * 3

    def send(each):
        door, body, headers = each
        return app.test_client().post(f"/webhooks/sandbox{door}", data=body, headers=headers).status_code

    with ThreadPoolExecutor(10) as lines:
        assert set(lines.map(send, calls)) == {200}
    with app.app_context():
        jobs.run_due()
    assert {**effects(app), "sold": 0} == {**ONE_EFFECT, "sold": 0}


@pytest.mark.slow
def test_twelve_kinds_of_calls_a_hundred_times_each(app, bought, promise):
    waits = replayed(app, bought, 100)
    found, p95 = effects(app), statistics.quantiles(waits, n=20)[-1]
    name = app.extensions["shop.engines"]["write"].dialect.name
    figure = f"{len(waits)} calls, {found['calls']} kept, {len(found['twice'])} steps twice, p95 {p95:.0f} ms"
    kept = {**found, "sold": 0} == {**ONE_EFFECT, "sold": 0} and p95 <= 200
    promise("5", f"each of 12 calls 100 times, 10 at once, {name}", figure, "12 kept, one effect, 200 ms", kept)


def test_a_call_that_comes_before_its_purchase_is_seen_to_when_it_is_there(app, bought, pass_time):
    with app.app_context():
        db.session.execute(update(PaymentAttempt).values(idempotency_key="not here yet"))
        db.session.commit()
    paid = next(event for _door, event in twelve(bought) if event["type"] == "payment_intent.succeeded")
    _door, body, headers = signed(app, "", paid)
    assert app.test_client().post("/webhooks/sandbox", data=body, headers=headers).status_code == 200
    with app.app_context():
        jobs.run_due()
        assert db.session.scalar(select(WebhookEvent.state)) == "unresolved"
        db.session.execute(update(PaymentAttempt).values(idempotency_key=bought["key"]))
        db.session.commit()
    pass_time(minutes=2)
    with app.app_context():
        jobs.run_due()
        assert db.session.scalar(select(Order.status)) == "paid"
        assert db.session.scalar(select(WebhookEvent.state)) == "applied"


def test_a_refund_that_is_told_before_its_payment_ends_the_same(app, bought):
    events = {event["type"]: event for _door, event in twelve(bought)}
    for kind in ("charge.refunded", "payment_intent.succeeded", "payment_intent.processing"):
        _door, body, headers = signed(app, "", events[kind])
        app.test_client().post("/webhooks/sandbox", data=body, headers=headers)
        with app.app_context():
            jobs.run_due()
    assert effects(app)["payment"] == ("part_refunded", 845)


def test_what_never_arrived_is_fetched_by_the_clock_once(app, bought, pass_time):
    with app.app_context():
        payments_of = gateways.payment()
        let_go()
        from shop import settlement

        attempt = db.session.scalar(select(PaymentAttempt.id))
        let_go()
        settlement.pay(attempt)
        db.session.commit()
        code = db.session.scalar(select(PaymentAttempt.gateway_id))
        let_go()
        payments_of.answer_at_the_bank(code, "approved")
        assert clock.now()
        reconcile.fetch_events()
        db.session.commit()
        jobs.run_due()
        kept = db.session.scalar(select(func.count()).select_from(WebhookEvent))
        assert db.session.scalar(select(Order.status)) == "paid"
        reconcile.fetch_events()
        db.session.commit()
        assert db.session.scalar(select(func.count()).select_from(WebhookEvent)) == kept
