"""Promise 29 in a shop that takes real money: Stripe refuses, hangs, answers 500 or takes ten seconds.

The gateway is Stripe's own, with its SDK, its line and its fuse; only where it finds Stripe is another place.
"""

import threading

import pytest
import stripe
from sqlalchemy import func, select

from shop import gateways
from shop.database import db, let_go
from shop.gateways.payment_stripe import StripeGateway
from shop.models import CartLine, Order, OrderStatus, PaymentAttempt, Purchase, Variant
from tests.faults.bad_servers import HTTP_NO, MANNERS, bad_server
from tests.faults.browsers import Browser
from tests.faults.stripe_shop import KEYS
from tests.faults.test_crowds import looks, p95
from tests.faults.test_helpers_down import filled, press_pay  # noqa: F401  the fixture
from tests.faults.test_locked import ready_to_pay

pytestmark = pytest.mark.faults
BUYERS = 8
NOTHING_PAID = "We cannot reach the payment company at this moment. Nothing was paid"


@pytest.fixture
def with_stripe(app, monkeypatch):
    """`with_stripe(port)` gives this shop a gateway that looks for Stripe there."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)

    def be(port):
        gateway = StripeGateway("sk_test_1", "pk_test_1", {}, "https://x", api=f"http://127.0.0.1:{port}")
        monkeypatch.setattr(gateways, "payment", lambda: gateway)
        monkeypatch.setattr(gateways, "sandbox", lambda: None)
        return gateway

    return be


def stands(app):
    """Lines in carts, purchases without an order, orders that are no longer unpaid, and how the attempts stand."""
    with app.app_context():
        halves = select(func.count(Purchase.id)).where(~Purchase.orders.any())
        moved = select(func.count(Order.id)).where(Order.status == OrderStatus.PAID)
        found = [db.session.scalar(one) for one in (select(func.count()).select_from(CartLine), halves, moved)]
        attempts = sorted(db.session.scalars(select(PaymentAttempt.state)))
        let_go()
        return *found, attempts


@pytest.mark.parametrize("manner", ["refused", "500"])
def test_a_buyer_hears_it_in_words_and_keeps_the_cart(app, client, post, lamp, with_stripe, manner):
    with bad_server(manner, HTTP_NO) as port:
        with_stripe(port)
        answer, took = press_pay(client, post)
        assert took <= 6
        page = client.get(answer.location) if answer.status_code == 303 else answer
        assert page.status_code in (200, 422)
        assert client.get("/cart").status_code == client.get("/shop").status_code == 200
    assert stands(app) == (1, 0, 0, ["submitting"])
    with app.app_context():
        assert db.session.scalar(select(Variant.held)) == 1  # for whoever may have paid, until it is known


def test_after_five_failures_nobody_waits_for_it_and_the_goods_are_free(app, client, post, lamp, with_stripe):
    with bad_server("500", HTTP_NO) as port:
        gateway = with_stripe(port)
        for _failure in range(5):
            gateway.fuse.failed()
        answer, took = press_pay(client, post)
    assert (answer.status_code, took <= 1) == (422, True)
    assert NOTHING_PAID in answer.text
    assert stands(app) == (1, 0, 0, ["failed"])
    with app.app_context():
        assert db.session.scalar(select(Variant.held)) == 0


def crowd(shop):
    """So many have the form open; then they press at once. A list gets what each of them was answered."""
    presses, answers = [ready_to_pay(Browser(shop), "ideal") for _buyer in range(BUYERS)], []
    hands = [threading.Thread(target=lambda press=press: answers.append(press())) for press in presses]
    return hands, answers


def met(shop):
    """Reading p95 alone and beside the buyers who wait, in ms; and what they were answered."""
    hands, answers = crowd(shop)
    looks(shop, times=40)
    alone = min(p95(looks(shop, times=40)) for _round in range(3))
    for hand in hands:
        hand.start()
    beside = min(p95(looks(shop, times=40)) for _round in range(3))
    for hand in hands:
        hand.join(60)
    return alone, beside, answers


def is_told(answer):
    """In words at once, or the page of a purchase that waits for what the company will say."""
    status, words, took = answer
    return took <= 6 and (status == 303 or (status == 422 and NOTHING_PAID in words))


@pytest.mark.slow
@pytest.mark.parametrize("manner", MANNERS)
def test_a_shop_with_stripe_stays_up_while_stripe_does_not(filled, manner, promise):  # noqa: F811
    with bad_server(manner, HTTP_NO) as port:
        command = ("-m", "tests.faults.stripe_shop", f"http://127.0.0.1:{port}")
        with filled.opened(command=command, **KEYS) as shop:
            alone, beside, answers = met(shop)
    lines, halves, moved, attempts = stands(filled.app)
    longest = max(took for _status, _words, took in answers)
    words = [status for status, _words, _took in answers]
    figure = (
        f"reading p95 {beside / alone:.2f}x, the longest of {BUYERS} purchases {longest:.1f} s, {words.count(422)} "
        f"told at once and {words.count(303)} to wait, {lines} carts kept, {halves} halves"
    )
    kept = (
        beside <= 1.5 * alone
        and [is_told(answer) for answer in answers] == [True] * BUYERS
        and (lines, halves, moved) == (BUYERS, 0, 0)
        and set(attempts) <= {"submitting", "failed"}
    )
    promise("29", f"Stripe is down ({manner}), {filled.database}", figure, "1.5x, 6 s, all carts, 0", kept)
