"""Purchases: what was bought, what was promised, and how its payment and its orders stand.

A guest opens a purchase by its code, which cannot be guessed; a purchase of somebody with an account opens for that
person alone. What is shown are the copies that were made when it was placed, whatever became of the product since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import selectinload

from shop import jobs, notifications, parcels, payments
from shop.database import db, rows
from shop.errors import NotFound
from shop.i18n import _
from shop.models import Event, Order, OrderLine, OrderStatus, Payment, PaymentAttempt, PaymentState, Purchase, Refund
from shop.money import Money

purchases, orders, lines = Purchase.__table__, Order.__table__, OrderLine.__table__
paid, events = Payment.__table__, Event.__table__

_COUNTED = (
    select(
        purchases.c.id,
        purchases.c.code,
        purchases.c.placed_at,
        purchases.c.settled_at,
        purchases.c.total_minor,
        purchases.c.total_currency,
        paid.c.state,
        func.count(lines.c.id).label("things"),
        func.min(lines.c.id).label("line"),
    )
    .join(paid, paid.c.purchase_id == purchases.c.id)
    .join(orders, orders.c.purchase_id == purchases.c.id)
    .join(lines, lines.c.order_id == orders.c.id)
    .where(
        purchases.c.user_id == bindparam("person"),
        paid.c.state.in_(
            (PaymentState.PROCESSING, PaymentState.PAID, PaymentState.PART_REFUNDED, PaymentState.REFUNDED)
        ),
    )
    .group_by(purchases.c.id, paid.c.id)
    .order_by(purchases.c.id.desc())
    .limit(50)
    .subquery()
)
_BOUGHT_BY = (
    select(_COUNTED, lines.c.title, lines.c.picture)
    .join(lines, lines.c.id == _COUNTED.c.line)
    .order_by(_COUNTED.c.id.desc())
)
_EVENTS = (
    select(events.c.subject_id, events.c.at, events.c.became)
    .where(events.c.subject == "order", events.c.subject_id.in_(bindparam("orders", expanding=True)))
    .where(events.c.was != events.c.became)  # another number of the parcel is no step
    .order_by(events.c.id)
)
_WHOLE = (
    selectinload(Purchase.orders).selectinload(Order.lines),
    selectinload(Purchase.payment).selectinload(Payment.attempts),
)


class Stage(StrEnum):
    """How the payment of a purchase stands, in the words of its page."""

    PAID = "paid"
    WAITING = "waiting"
    FAILED = "failed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


def find(code: str, person: int | None) -> Purchase:
    """The purchase with this code, as far as it is this person's to see; `NotFound` otherwise."""
    found = db.session.scalar(select(Purchase).where(Purchase.code == code).options(*_WHOLE))
    if found is None or found.user_id not in (None, person):
        raise NotFound(_("We cannot find this purchase."))
    return found


def find_order(code: str, person: int | None) -> Order:
    """One seller's part of a purchase, seen by the same people."""
    whole = selectinload(Order.purchase).options(selectinload(Purchase.payment).selectinload(Payment.attempts))
    query = select(Order).where(Order.code == code).options(selectinload(Order.lines), whole)
    found = db.session.scalar(query)
    if found is None or found.purchase.user_id not in (None, person):
        raise NotFound(_("We cannot find this order."))
    return found


def bought_by(person: int) -> Sequence[Row[Any]]:
    """What somebody with an account bought, newest first: code, when, total, state, how many things, the first one."""
    return rows(_BOUGHT_BY, person=person)


def stage(purchase: Purchase) -> Stage:
    """How it stands. It is paid once the goods are taken: until then another page may still be at it."""
    state = purchase.payment.state
    if state == PaymentState.REFUNDED:
        return Stage.REFUNDED
    if state in (PaymentState.PAID, PaymentState.PART_REFUNDED):
        if purchase.settled_at:
            return Stage.PAID
        return Stage.REFUNDING if _is_off(purchase) else Stage.WAITING
    return Stage.FAILED if state in (PaymentState.FAILED, PaymentState.CANCELLED) else Stage.WAITING


def _is_off(purchase: Purchase) -> bool:
    return all(order.status == OrderStatus.CANCELLED for order in purchase.orders)


def is_paid_twice(purchase: Purchase) -> bool:
    """Does its money go back because the same cart was paid in another window?"""
    asked = select(Refund.id).where(Refund.payment_id == purchase.payment.id, Refund.reason == "paid_twice")
    return db.session.scalar(asked.limit(1)) is not None


def newest(purchase: Purchase) -> PaymentAttempt:
    """The last try to pay."""
    return purchase.payment.attempts[-1]


def trouble(purchase: Purchase) -> str:
    """Why it is not paid, for the buyer."""
    return payments.explain(newest(purchase).failure)


def steps(found: Iterable[Order]) -> dict[int, list[Row[Any]]]:
    """What happened to each order, by its id, oldest first."""
    by_order: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows(_EVENTS, orders=[order.id for order in found]):
        by_order[row.subject_id].append(row)
    return by_order


def vat(order: Order) -> dict[int, Money]:
    """The VAT in an order, by rate."""
    return parcels.vat_within(
        ((line.vat_rate, line.price.times(line.quantity)) for line in order.lines), order.delivery
    )


# The confirmation on a durable medium (2011/83/EU art. 8(7))


@jobs.patient_handler
def confirm(purchase: int) -> None:
    """Mail the buyer what they bought and what was promised, once."""
    found = db.session.scalar(select(Purchase).where(Purchase.id == purchase).options(*_WHOLE))
    if found is None:
        return
    notifications.mail(
        kind="purchase_paid",
        about=found.code,
        to=found.email,
        template="purchase_paid",
        language=found.language,
        purchase=_copy(found, "code name street house_number postcode city country total placed_at"),
        orders=[_told(order) for order in found.orders],
    )


@jobs.patient_handler
def tell_of_refund(refund: int) -> None:
    """Mail the buyer that their money goes back, how much and why, once."""
    given = db.session.get(Refund, refund)
    if given is None:
        return
    bought = db.session.scalars(select(Purchase).join(Payment).where(Payment.id == given.payment_id)).one()
    notifications.mail(
        kind="purchase_refunded",
        about=given.code,
        to=bought.email,
        template="purchase_refunded",
        language=bought.language,
        purchase=_copy(bought, "code name"),
        amount=given.amount,
        reason=given.reason,
    )


def _told(order: Order) -> dict[str, Any]:
    """An order as plain values: the mail is written when the transaction, and so its rows, are gone."""
    return {
        **_copy(order, "code goods delivery deliver_from deliver_until"),
        "seller": order.seller_snapshot,
        "vat": vat(order),
        "lines": [_copy(line, "title variant_name quantity price vat_rate guarantee") for line in order.lines],
        "returns_days": min(line.returns_days for line in order.lines),
        "is_return_free": all(line.returns_paid_by == "seller" for line in order.lines),
    }


def _copy(row: Any, names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names.split()}
