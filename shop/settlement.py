"""Settlement: paid money becomes sold goods, once, whoever comes first with the news.

The page after paying, the gateway's call and the clock all end in `settle`. It is the one place where a payment moves
stock, orders and cart, so it is also where the books belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, func, select, update

from shop import books, brushing, cart, clock, elsewhere, gateways, history, inbox, jobs, payments, refunds, stock
from shop.database import db, first, is_sqlite, let_go, rows, run
from shop.gateways.payment_port import KEYS_LAST
from shop.models import (
    Cart,
    Order,
    OrderLine,
    OrderStatus,
    PaymentAttempt,
    PaymentState,
    Purchase,
    Refund,
    RefundState,
)
from shop.paying import Paying, lock
from shop.purchases import confirm

log = structlog.get_logger()

purchases, orders, lines = Purchase.__table__, Order.__table__, OrderLine.__table__
attempts, given = PaymentAttempt.__table__, Refund.__table__
_PURCHASE = select(purchases).where(purchases.c.id == bindparam("purchase"))
_CLAIM = (
    update(purchases)
    .where(purchases.c.id == bindparam("purchase"), purchases.c.settled_at.is_(None))
    .values(settled_at=bindparam("now"))
)
_MOVE = (
    update(orders)
    .where(orders.c.purchase_id == bindparam("purchase"), orders.c.status == OrderStatus.PENDING_PAYMENT)
    .values(status=bindparam("to"), paid_at=bindparam("paid_at", type_=orders.c.paid_at.type))
    .returning(orders.c.id)
)
_WAITING_ORDER = (
    select(orders.c.id)
    .where(orders.c.purchase_id == bindparam("purchase"), orders.c.status == OrderStatus.PENDING_PAYMENT)
    .limit(1)
)
_theirs = purchases.alias("theirs")
_CART = (
    select(Cart.id)
    .join(Purchase, Purchase.cart_id == Cart.id)
    .where(Purchase.id == bindparam("purchase"))
    .with_for_update(of=Cart, key_share=True)
)
# The same things out of the same cart for the same buyer, placed before the other one was paid and emptied the cart.
_SAME = (
    select(_theirs.c.id)
    .join(purchases, and_(purchases.c.cart_id == _theirs.c.cart_id, purchases.c.fingerprint == _theirs.c.fingerprint))
    .where(purchases.c.id == bindparam("purchase"), purchases.c.id != _theirs.c.id)
    .limit(1)
)
_TWIN = _SAME.where(_theirs.c.settled_at > purchases.c.placed_at)
_BOUGHT = (
    select(lines.c.variant_id, func.sum(lines.c.quantity).label("quantity"))
    .join(orders, orders.c.id == lines.c.order_id)
    .where(orders.c.purchase_id == bindparam("purchase"))
    .group_by(lines.c.variant_id)
)
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("attempt"))
_KEPT = select(attempts.c.id).where(
    attempts.c.payment_id == bindparam("payment"), attempts.c.state.in_(inbox.CAME_IN), ~attempts.c.is_surplus
)
_WANTED = select(given.c.id).where(given.c.payment_id == bindparam("payment"), given.c.state == RefundState.WANTED)


def settle(payment: int, known: Paying | None = None) -> None:
    """Draw the consequences of how a payment stands, once, however often and from wherever it is called.

    Paid: the goods are taken, the orders go on, the cart is emptied of them, and the buyer is told. Paid, but the
    goods went to somebody else after the hold ran out, or the same cart was paid in another tab: all of the money goes
    back. Not paid: the goods are free again. All of it given back at the gateway: what was sold is called off.

    `known` is the payment as it stands, for who locked it in this transaction (`inbox.Verdict`).
    """
    paying = known or lock(payment)  # one at a time for each payment
    is_sold = paying.state in inbox.CAME_IN and _deliver(paying)
    if paying.state in (PaymentState.FAILED, PaymentState.CANCELLED):
        stock.release(paying.purchase_id)
    if paying.state in inbox.CAME_IN and not is_sold:  # else nothing has come; or all of it is done
        _send_back(payment)
        books.book(payment)
    if paying.state == PaymentState.REFUNDED:
        elsewhere.take_in(payment)


def _send_back(payment: int) -> None:
    for row in rows(_WANTED, payment=payment):
        jobs.later(refunds.send, refund=row.id)


def _deliver(payment: Row[Any] | Paying) -> bool:
    """Hand over what was paid; False when it was handed over before, or cannot be.

    Also when the first that we hear is that part of it, or all, went back: it ends as if we had heard it in time.
    """
    if first(_WAITING_ORDER, purchase=payment.purchase_id) is None:
        return False
    if _is_bought_already(payment.purchase_id):
        log.warning("one cart was paid in two tabs", payment=payment.id)
        _return_money(payment, "paid_twice")
        return False
    _send_back(payment.id)  # before the stock: whoever waits for that waits for all that follows
    try:
        with db.session.begin_nested():
            return _sell(payment)
    except stock.SoldOut as error:
        log.warning("paid too late, the goods are gone", payment=payment.id, variant=error.variant)
        _return_money(payment, "sold_out")
        return False


def _is_bought_already(purchase: int) -> bool:
    """Was the same cart paid in another tab? Two of them that come at once wait for each other at the cart."""
    if first(_SAME, purchase=purchase) is None:
        return False
    if not is_sqlite():
        rows(_CART, purchase=purchase)
    return first(_TWIN, purchase=purchase) is not None


def _sell(payment: Row[Any] | Paying) -> bool:
    """All that follows from money that came in, in one transaction. The stock comes last: others wait for its rows."""
    purchase = payment.purchase_id
    if run(_CLAIM, purchase=purchase, now=clock.now()) != 1:
        return False
    _move_orders(purchase, OrderStatus.PAID)
    bought = first(_PURCHASE, purchase=purchase)
    assert bought  # noqa: S101  it was claimed just now
    brushing.note(bought)
    if bought.cart_id:
        cart.take_out(bought.cart_id, _quantities(purchase))
    jobs.later(confirm, purchase=purchase)
    books.book(payment.id)
    stock.take_held(purchase)
    return True


def _return_money(payment: Row[Any] | Paying, why: str) -> None:
    stock.release(payment.purchase_id)
    _move_orders(payment.purchase_id, OrderStatus.CANCELLED)
    kept = first(_KEPT, payment=payment.id)
    if kept:
        inbox.give_back(kept.id, why)


def _move_orders(purchase: int, to: OrderStatus) -> None:
    paid_at = clock.now() if to == OrderStatus.PAID else None
    for row in rows(_MOVE, purchase=purchase, to=to, paid_at=paid_at):
        history.note("order", row.id, OrderStatus.PENDING_PAYMENT, to)


def _quantities(purchase: int) -> Mapping[int, int]:
    return {row.variant_id: int(row.quantity) for row in rows(_BOUGHT, purchase=purchase)}


def pay(attempt: int | payments.Begun) -> payments.Outcome:
    """Submit an attempt and settle what came of it; the caller commits. It ends the present transaction first."""
    submitted = payments.submitted(attempt)
    settle(submitted.payment, submitted.paying)
    return submitted.outcome


def look(attempt: int) -> payments.Outcome:
    """Ask the gateway how an attempt stands, and settle it. For a page that waits, and for the clock."""
    row = first(_ATTEMPT, attempt=attempt)
    assert row  # noqa: S101  rows of attempts are never deleted
    if row.state == PaymentState.SUBMITTING:
        return pay(attempt) if clock.now() - row.created_at <= KEYS_LAST else payments.outcome(attempt)
    report = None
    if row.state in (PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING):
        let_go()
        report = gateways.payment().get_payment(row.gateway_id)
        inbox.apply(report)
    settle(row.payment_id)
    return payments.outcome(attempt, report)
