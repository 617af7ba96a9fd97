"""The sandbox keeps its word as a payment company does: keys, refunds and cards that are kept."""

from dataclasses import replace

import pytest

from shop import clock, gateways
from shop.gateways.payment_port import KeyConflictError, RejectedError, Request
from shop.models import PaymentState
from shop.money import Money

pytestmark = pytest.mark.usefixtures("at_the_desk")

ASKED = Request("co:1:pay:1", 2845, "EUR", "card", "purchase", "/purchases/purchase", customer="user:1")


@pytest.fixture
def sandbox(app, at_the_desk):
    return gateways.payment()


def euros(minor):
    return Money(minor, "EUR")


def test_the_same_request_with_the_same_key_is_the_same_payment(sandbox):
    first = sandbox.create_payment(ASKED)
    assert (first.state, first.amount, first.key) == (PaymentState.PAID, euros(2845), "co:1:pay:1")
    assert sandbox.create_payment(ASKED) == first
    assert len(sandbox.list_events(clock.now().replace(year=2020))) == 1


@pytest.mark.parametrize(
    "change", [{"amount_minor": 2846}, {"currency": "USD"}, {"method": "ideal"}, {"wants_saving": True}]
)
def test_another_request_with_that_key_is_refused(sandbox, change):
    first = sandbox.create_payment(ASKED)
    with pytest.raises(KeyConflictError):
        sandbox.create_payment(replace(ASKED, **change))
    assert sandbox.create_payment(ASKED) == first


def test_a_key_is_forgotten_after_a_day(sandbox, pass_time):
    first = sandbox.create_payment(ASKED)
    pass_time(hours=23, minutes=59)
    assert sandbox.create_payment(ASKED).id == first.id
    pass_time(minutes=2)
    assert sandbox.create_payment(ASKED).id != first.id


def test_refunds_add_up_and_never_exceed_the_payment(sandbox):
    paid = sandbox.create_payment(ASKED).id
    sandbox.refund(paid, euros(845), key="ret:1:refund")
    assert sandbox.get_payment(paid).state == PaymentState.PART_REFUNDED
    for minor in (2001, 0, -1):
        with pytest.raises(RejectedError, match="refund_greater_than_charge"):
            sandbox.refund(paid, euros(minor), key=f"ret:{minor}:refund")
    sandbox.refund(paid, euros(2000), key="ret:2:refund")
    report = sandbox.get_payment(paid)
    assert (report.state, report.refunded_minor) == (PaymentState.REFUNDED, 2845)


def test_a_refund_with_the_same_key_is_given_once(sandbox):
    paid = sandbox.create_payment(ASKED).id
    first = sandbox.refund(paid, euros(845), key="ret:1:refund")
    assert sandbox.refund(paid, euros(845), key="ret:1:refund") == first
    with pytest.raises(KeyConflictError):
        sandbox.refund(paid, euros(846), key="ret:1:refund")
    assert sandbox.get_payment(paid).refunded_minor == 845


def test_what_was_not_paid_cannot_be_given_back(sandbox):
    waiting = sandbox.create_payment(replace(ASKED, method="ideal")).id
    with pytest.raises(RejectedError, match="charge_not_refundable"):
        sandbox.refund(waiting, euros(1), key="ret:1:refund")
    with pytest.raises(RejectedError, match="resource_missing"):
        sandbox.refund("sbx_pi_nothing", euros(1), key="ret:2:refund")


def test_a_card_that_is_kept_pays_for_its_owner_only(sandbox):
    kept = sandbox.create_payment(replace(ASKED, wants_saving=True)).saved
    again = replace(ASKED, key="co:2:pay:1", method="saved", saved_method=kept.id)
    assert (kept.name, sandbox.create_payment(again).state) == ("Visa 4242", PaymentState.PAID)
    with pytest.raises(RejectedError, match="resource_missing"):
        sandbox.create_payment(replace(again, key="co:3:pay:1", customer="user:2"))


def test_a_course_that_it_does_not_know_is_refused(sandbox):
    with pytest.raises(RejectedError, match="payment_method_unknown"):
        sandbox.create_payment(replace(ASKED, method="cash"))
