"""Promise 3: whoever's shop is killed, wherever it is killed, what is paid is bought, once, and told, once."""

from collections import Counter

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select, text

from shop import gateways, payments, reconcile, trial_balance
from shop.database import db, let_go
from shop.models import (
    HoldState,
    Order,
    OrderStatus,
    PaymentAttempt,
    PaymentState,
    Refund,
    StockHold,
    Variant,
)
from tests.faults import forked
from tests.faults.deaths import POINTS
from tests.test_notifications import Postbox, a_free_port


@pytest.fixture
def post_office():
    """A real mail server, for processes that come and go."""
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=a_free_port())
    controller.start()
    postbox.address = f"smtp://127.0.0.1:{controller.port}"
    yield postbox
    controller.stop()


def start_again(app, pass_time):
    """The buyers finish at their bank; then the shop is open again, and reconciles once."""
    with app.app_context():
        waiting = select(PaymentAttempt.gateway_id).where(PaymentAttempt.state == PaymentState.REQUIRES_ACTION)
        codes = list(db.session.scalars(waiting))
        let_go()
        for code in codes:
            gateways.payment().answer_at_the_bank(code, "approved")
    pass_time(minutes=3)  # the leases of the dead run out
    with app.app_context():
        payments.expect_events()
        reconcile.find_lost()


def books(app, variant):
    with app.app_context():
        charged = db.session.execute(
            text("SELECT count(*) FROM sandbox_objects WHERE kind = 'payment' AND CAST(body AS TEXT) LIKE :paid"),
            {"paid": '%"status": "succeeded"%'},
        ).scalar()
        left, held = db.session.execute(select(Variant.stock, Variant.held).where(Variant.id == variant)).one()
        count = lambda *which: db.session.scalar(select(func.count()).where(*which))  # noqa: E731
        return {
            "charges": charged,
            "paid orders": count(Order.status == OrderStatus.PAID),
            "orders": count(Order.id > 0),
            "paid attempts": count(PaymentAttempt.state == PaymentState.PAID),
            "taken": count(StockHold.state == HoldState.TAKEN),
            "refunds": count(Refund.id > 0),
            "shelf": (left, held),
            "ledger off by": len(trial_balance.off()) + len(trial_balance.unbalanced()),
        }


def killed_at_each_point(app, mug, post_office, pass_time, times):
    deaths = times * len(POINTS)
    with app.app_context():
        db.session.get(Variant, mug.small).stock = deaths + 5
        db.session.commit()
    died = forked.run("deaths", app, post_office.address, mug.small, times)
    assert died == dict.fromkeys(POINTS, times)
    app.config["SMTP_URL"] = post_office.address
    try:
        start_again(app, pass_time)
    finally:
        app.config["SMTP_URL"] = ""
    told = Counter(mail["Message-ID"] for mail in post_office.mails)
    return books(app, mug.small) | {"mails": len(told), "mailed twice": sum(n > 1 for n in told.values())}


def expected(deaths):
    same = dict.fromkeys(("charges", "paid orders", "orders", "paid attempts", "taken", "mails"), deaths)
    return same | {"refunds": 0, "shelf": (5, 0), "mailed twice": 0, "ledger off by": 0}


@pytest.mark.faults
def test_a_shop_that_is_killed_at_each_point_sells_what_was_paid_once(app, mug, post_office, pass_time):
    assert killed_at_each_point(app, mug, post_office, pass_time, 1) == expected(8)


@pytest.mark.slow
def test_four_hundred_deaths_are_four_hundred_paid_orders(app, mug, post_office, pass_time, promise):
    found = killed_at_each_point(app, mug, post_office, pass_time, 50)
    name = app.extensions["shop.engines"]["write"].dialect.name
    figure = ", ".join(f"{count} {what}" for what, count in found.items())
    promise("3", f"killed at 8 points, 50 times each, {name}", figure, "400 of each, once", found == expected(400))
