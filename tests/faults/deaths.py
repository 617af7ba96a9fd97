"""Buyers whose shop is killed at a named point, between "before the payment" and "its mail is not sent yet".

`python -m tests.faults.deaths INSTANCE DATABASE SMTP VARIANT TIMES`: each point so many times, the last ones first (a
later child would else find the earlier one's work and die at that). Prints how many died where they should.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta

from sqlalchemy import select

from shop import clock, gateways, jobs, notices, notifications, payments, settlement, stock
from shop.database import db, let_go
from shop.gateways import payment_shape as shape
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import PaymentAttempt
from tests.cast import a_purchase
from tests.faults import forked

POINTS = (
    "before the payment",
    "made, its id not stored",
    "stored",
    "confirmed at the bank",
    "the call came",
    "the call is kept",
    "the order moved",
    "committed, the mail not sent",
)


def die(*_given, **_named):
    os.kill(os.getpid(), signal.SIGKILL)


def before(place, name):
    setattr(place, name, die)


def after(place, name):
    true = getattr(place, name)
    setattr(place, name, lambda *given, **named: (true(*given, **named), die()))


TRAPS = {
    "before the payment": lambda: before(SandboxGateway, "create_payment"),
    "made, its id not stored": lambda: after(SandboxGateway, "create_payment"),
    "the call came": lambda: after(SandboxGateway, "verify_webhook"),
    "the order moved": lambda: after(notices, "settle"),
    "committed, the mail not sent": lambda: before(notifications, "_send"),
}


def buy(app, variant, point):
    """Buy, and die on the way. What needs no trap dies between two steps."""
    TRAPS.get(point, lambda: None)()
    at_once = POINTS.index(point) < 2
    with app.test_request_context(method="POST"):
        purchase = a_purchase({variant: 1})
        attempt = payments.open(purchase, "card" if at_once else "ideal")
        stock.hold(purchase.id, {variant: 1})
        db.session.commit()
        settlement.pay(attempt)
        db.session.commit()
        code = db.session.scalar(select(PaymentAttempt.gateway_id).where(PaymentAttempt.id == attempt))
        let_go()
        if point == "stored":
            die()
        gateways.payment().answer_at_the_bank(code, "approved")
        if point == "confirmed at the bank":
            die()
        event = told(code)
        signature = shape.sign(event, gateways.payment()._secrets["payments"])
        let_go()
    assert (
        app.test_client().post("/webhooks/sandbox", data=event, headers={"Stripe-Signature": signature}).status_code
        == 200
    )
    if point == "the call is kept":
        die()
    with app.app_context():
        while jobs.run_due():
            pass


def told(code):
    """The event that says that it is paid."""
    for event in gateways.payment().list_events(clock.now() - timedelta(minutes=5)):
        if event["type"] == "payment_intent.succeeded" and event["data"]["object"]["id"] == code:
            return json.dumps(event)
    raise LookupError(code)


def main(instance, url, smtp, variant, times):
    app = forked.opened(instance, url, SMTP_URL=smtp)
    died = {}
    for point in reversed(POINTS):
        ends = [forked.dies(lambda point=point: buy(app, int(variant), point)) for _time in range(int(times))]
        died[point] = ends.count(-signal.SIGKILL)
    print(json.dumps(died))


if __name__ == "__main__":
    main(*sys.argv[1:])
