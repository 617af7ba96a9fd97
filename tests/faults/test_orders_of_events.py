"""Promise 5: six signed calls about one payment, in each order in which they can come: one end of everything."""

from math import factorial

import pytest
from sqlalchemy import update

from shop.database import db
from shop.models import PaymentAttempt
from tests.lives import end, event, hear, things
from tests.till import placed

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("at_the_desk")]


@pytest.fixture
def six(mug):
    """A small mug at the bank's page, and the six: on its way, a failure too early, paid, that again, two refunds."""
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    db.session.execute(update(PaymentAttempt).values(gateway_id="pi_1", state="requires_action"))
    db.session.commit()
    make = things(db.session.get(PaymentAttempt, attempt))
    intent, charge = make["payment_intent"], make["charge"]
    declined = {"last_payment_error": {"code": "card_declined"}}
    paid = event(3, "payment_intent.succeeded", intent(status="succeeded"))
    return [
        event(1, "payment_intent.processing", intent(status="processing")),
        event(2, "payment_intent.payment_failed", intent(status="requires_payment_method", **declined)),
        paid,
        paid,
        event(4, "charge.refunded", charge(amount_refunded=845)),
        event(5, "charge.refunded", charge(amount_refunded=2845)),
    ]


def ends_of(calls):
    """How everything stands after each order of the calls; what several orders begin with is walked once."""
    if not calls:
        ended = end()
        return {repr(ended): ended}
    ends = {}
    for n, call in enumerate(calls):
        with db.session.begin_nested() as life:
            hear(call)
            ends |= ends_of(calls[:n] + calls[n + 1 :])
            life.rollback()
        db.session.expunge_all()
    return ends


ONE_END = {
    "purchase": [True],
    "order": ["cancelled"],
    "attempt": [("refunded", "pi_1", 2845)],
    "payment": [("refunded", 2845, 2845, False)],
    "refund": [("done", 2845, "cancelled")],
    "hold": ["taken"],
    "stock": [(3, 0), (1, 0)],
    "sold": [7],
    "books": [],
    "mails": {"confirm": 1, "tell_of_refund": 1},
    "twice": [],
}


@pytest.mark.parametrize("count", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_all_orders_of_the_calls_end_the_same(request, six, count, promise):
    ends = ends_of(six[-count:])
    found = next(iter(ends.values()))
    kinds = {name for name, *_rest in found.pop("journals")}
    kept = len(ends) == 1 and found == ONE_END and kinds == {"paid", "sale", "refund", "returned"}
    words = f"all {factorial(count)} orders of {count} signed calls, {request.node.callspec.params['built']}"
    bar = "1: order off, goods free, books even, one mail of each"
    promise("5", words, f"{len(ends)} end of order, payment, stock, hold, ledger and mails", bar, kept)
