"""Promise 5: a purchase, a refund and a dispute, told as on a bad day of the payment company: it all ends the same."""

import random
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select

from shop import gateways, jobs, payments, reconcile, refunds
from shop.database import db, let_go
from shop.gateways.sandbox_weather import Weather
from shop.models import PaymentAttempt, WebhookEvent
from shop.money import Money
from tests.bookkeeping import order_of
from tests.lives import at_the_gateway, end
from tests.till import at_the_bank, paid, placed

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("at_the_desk")]

WEATHERS = {
    "fair": Weather(),
    "duplicate": Weather(duplicate=3),
    "delay": Weather(delay=3600),
    "reorder": Weather(reorder=True),
    "drop": Weather(drop=2),
    "error": Weather(error=2),
    "all of it": Weather(duplicate=2, delay=3600, reorder=True, drop=1, error=1),
}


def told():
    """Two days go by, in which the gateway tells, and tells again, and the shop sees to it; then it asks for fees."""
    for _time in range(8):
        payments.expect_events()
        db.session.commit()
        while jobs.run_due():
            pass
        yield
    reconcile.ask_fees()
    db.session.commit()
    jobs.run_due()


def lived(mug, pass_time):
    """A small mug: approved at the bank, 8.45 given back there by hand, the rest asked back by the buyer's bank, and
    lost, all before the shop heard of any of it. And a large one, of which the shop gives 5.00 back."""
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    large, quick = placed({mug.large: 1})
    paid(quick)
    refunds.give(order_of(large), 500)
    db.session.commit()
    at_the_bank(attempt, "approved")
    code = db.session.scalar(select(PaymentAttempt.gateway_id).where(PaymentAttempt.id == attempt))
    let_go()
    gateways.payment().refund(code, Money(845, "EUR"), key="in the dashboard")
    gateways.sandbox().end_dispute(gateways.sandbox().dispute(code), is_won=False)
    for _hours in told():
        pass_time(hours=6)


@pytest.mark.parametrize("weather", WEATHERS)
def test_in_any_weather_a_life_ends_the_same(mug, monkeypatch, pass_time, weather):
    monkeypatch.setattr("shop.gateways.sandbox_weather.random.shuffle", random.Random(weather).shuffle)
    gateways.sandbox().set_weather(WEATHERS[weather])
    lived(mug, pass_time)
    ended = end()
    assert at_the_gateway(ended) == {"payment": -2845 - 3295, "fee": 68 + 74, "returned": 500, "dispute": 2000}
    assert ended == ONE_END
    inbox = select(WebhookEvent.state, func.count()).group_by(WebhookEvent.state)
    assert dict(map(tuple, db.session.execute(inbox))) == {"applied": 7}


ONE_END = {
    "purchase": [True, True],
    "order": ["paid", "paid"],
    "attempt": [("part_refunded", ANY, 845), ("part_refunded", ANY, 500)],
    "payment": [("part_refunded", 845, 2000, True), ("part_refunded", 500, 500, False)],
    "refund": [("done", 500, "goodwill")],
    "hold": ["taken", "taken"],
    "stock": [(2, 0), (0, 0)],
    "sold": [9],
    "journals": ANY,
    "books": [],
    "mails": {"confirm": 2, "tell_of_refund": 1},
    "twice": [],
}
