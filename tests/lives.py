"""The life of a payment as the gateway tells it, in signed calls, and how everything stands when it is told."""

import json
from collections import Counter

from sqlalchemy import func, select

from shop import gateways, ledger, notices, trial_balance
from shop.database import db
from shop.gateways import payment_shape as shape
from shop.models import (
    Event,
    Job,
    LedgerEntry,
    Order,
    Payment,
    PaymentAttempt,
    Product,
    Purchase,
    Refund,
    StockHold,
    Variant,
)

MONEY = {"amount": 2845, "currency": "eur"}


def things(attempt, pi="pi_1"):
    """What Stripe's events about an attempt have in them: `things(attempt)["charge"](amount_refunded=845)`."""
    group = attempt.request["group"]
    meta = {"key": attempt.request["key"], "purchase": attempt.request["purchase"]}
    about = {"payment_intent": pi, **MONEY}
    page = {"mode": "payment", "amount_total": 2845, "currency": "eur", "metadata": {**meta, "group": group}}
    kinds = {
        "payment_intent": {"id": pi, **MONEY, "transfer_group": group, "metadata": meta},
        "charge": {"id": "ch_1", **about, "transfer_group": group, "status": "succeeded", "metadata": meta},
        "refund": {"id": "re_1", **about, "status": "succeeded"},
        "dispute": {"id": "du_1", **about, "reason": "fraudulent"},
        "checkout.session": {"id": "cs_1", **page},
    }
    return {kind: _maker({"object": kind, **body}) for kind, body in kinds.items()}


def _maker(body):
    return lambda **facts: {**body, **facts}


def event(number, kind, thing):
    return {"id": f"evt_{number}", "object": "event", "type": kind, "livemode": False, "data": {"object": thing}}


def signed(told, door="payments"):
    """A call as it comes to the shop's door: its body, and the signature by Stripe's own code."""
    body = json.dumps(told)
    return body.encode(), shape.sign(body, gateways.payment()._secrets[door])


def hear(told):
    """The gateway calls, and the shop sees to it at once, as its job would."""
    newest = select(func.max(notices.calls.c.id))
    before = db.session.scalar(newest)
    notices.receive(*signed(told))
    call = db.session.scalar(newest)
    if call != before:
        notices.take_in(call)


def end():
    """How everything stands, without the numbers of rows."""
    db.session.expire_all()
    payment = select(Payment.state, Payment.refunded_minor, Payment.given_back_minor, Payment.is_disputed)
    attempt = select(PaymentAttempt.state, PaymentAttempt.gateway_id, PaymentAttempt.refunded_minor)
    return {
        "purchase": _all(select(Purchase.settled_at.is_not(None)).order_by(Purchase.id)),
        "order": _all(select(Order.status).order_by(Order.id)),
        "attempt": _all(attempt.order_by(PaymentAttempt.id)),
        "payment": _all(payment.order_by(Payment.id)),
        "refund": _all(select(Refund.state, Refund.amount_minor, Refund.reason).order_by(Refund.id)),
        "hold": _all(select(StockHold.state).order_by(StockHold.id)),
        "stock": _all(select(Variant.stock, Variant.held).order_by(Variant.id)),
        "sold": _all(select(Product.sold).order_by(Product.id)),
        "journals": journals(),
        "books": [*trial_balance.off(), *ledger.odd()],
        "mails": mails(),
        "twice": steps_taken_twice(),
    }


def _all(query):
    return [tuple(row) if len(row) > 1 else row[0] for row in db.session.execute(query)]


def journals():
    """What stands in the ledger: each kind of journal, account and purpose, as often as it was posted."""
    rows = select(LedgerEntry.journal, LedgerEntry.account, LedgerEntry.purpose, LedgerEntry.amount_minor)
    told = ((row[0].partition(":")[0], *row[1:]) for row in db.session.execute(rows))
    return dict(sorted(Counter(told).items()))


def at_the_gateway(ended):
    """What the gateway's account says in the end, by purpose, in minor units; what lies there for us is negative."""
    sums = Counter()
    for (_journal, account, purpose, minor), times in ended["journals"].items():
        if account == "gateway":
            sums[purpose] += minor * times
    return dict(sums)


def mails():
    """How many letters to the buyer are written, or were."""
    letters = select(Job.handler).where(Job.handler.like("shop.purchases%"))
    return dict(sorted(Counter(name.rpartition(".")[2] for name in db.session.scalars(letters)).items()))


def steps_taken_twice():
    steps = select(Event.subject, Event.subject_id, Event.became).where(Event.subject != "attempt")
    grouped = steps.group_by(Event.subject, Event.subject_id, Event.became).having(func.count() > 1)
    return _all(grouped)
