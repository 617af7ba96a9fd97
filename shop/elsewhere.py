"""Elsewhere: money that somebody gave back at the gateway itself, of which this shop only hears.

All of a payment is no question: what this shop has not given back yet goes out of everybody's shares as if it had, and
what has not left is called off. Of a part nobody here knows whose share it was: that is a difference between the books
until a person says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from shop import books, brushing, inbox, paying, refunds, stock
from shop.database import first, rows
from shop.errors import Refused
from shop.gateways.payment_port import RefundReport, RefundStatus
from shop.i18n import _, price
from shop.models import PaymentAttempt, Refund
from shop.money import Money

REASON = "cancelled"

attempts, given = PaymentAttempt.__table__, Refund.__table__
_PAID_AS = select(attempts.c.id).where(attempts.c.id == bindparam("attempt"), attempts.c.gateway_id == bindparam("id"))
_KNOWN = select(given.c.id).where(
    or_(given.c.gateway_id == bindparam("id"), given.c.idempotency_key == bindparam("key"))
)


def take_in(payment: int) -> None:
    """All of a payment is back with its buyer: draw the consequences that nobody has drawn yet. Its purchase is locked.

    The goods come last, as others wait for them.
    """
    orders = rows(refunds.ORDERS, payment=payment)
    if orders[0].settled_at is None:  # the goods were gone: nobody has a share of it, the money came and went
        if (refund := inbox.give_back(orders[0].attempt_id, REASON, is_back=True)) is not None:
            refunds.was_there(refund)
        return
    left = {order: [(part, part.left, 0) for part in books.left(order.id) if part.left.total] for order in orders}
    total = sum(share.total for pieces in left.values() for _part, share, _quantity in pieces)
    if total == 0 or not inbox.claim_back(payment, total):
        return
    freed = {True: Counter[int](), False: Counter[int]()}  # what counted as sold, and what was bought from oneself
    for order, pieces in left.items():
        if pieces:
            refunds.was_there(refunds.take(order, pieces, reason=REASON))
            freed[brushing.counts(order.kin)].update(refunds.call_off(order, None))
    for has_counted, quantities in freed.items():
        stock.put_back(quantities, has_counted=has_counted)


def take_in_part(order: int, found: RefundReport, *, of: Mapping[int, int] | None = None, reason: str) -> int:
    """A part of a payment went back, and somebody says of which order it was: the gateway tells how much (`found`), and
    it goes out of the shares in so many of some lines, which have to come to it, or in all of them (as `refunds.give`).

    Gives our refund's id. Raises `Refused` for what the shop knows already, what is another payment's, what did not
    arrive, and for more than is left of this order.
    """
    row = refunds.lock(order)
    if row is None or row.settled_at is None:
        raise Refused(_("This order is not paid, so there is nothing to give back."))
    payment = paying.lock(row.payment_id)
    _look_whose(row, found)
    minor = found.amount.minor
    _left, pieces = refunds.claim(row, payment, None if of else minor, of)
    if (worth := sum(share.total for _part, share, _quantity in pieces)) != minor:
        words = _("These lines come to %(worth)s, and %(amount)s went back.", **_said(row.currency, worth, minor))
        raise Refused(words, 422)
    refund = refunds.take(row, pieces, reason=reason)
    refunds.was_there(refund, found)
    refunds.call_off_if_empty(order, None)
    return refund


def _look_whose(order: Row[Any], found: RefundReport) -> None:
    if first(_KNOWN, id=found.id, key=found.key) is not None:
        raise Refused(_("The shop knows of %(id)s already.", id=found.id))
    if first(_PAID_AS, attempt=order.attempt_id, id=found.payment) is None:
        raise Refused(_("%(id)s is of another payment than this order's.", id=found.id))
    if found.status == RefundStatus.FAILED:
        raise Refused(_("%(id)s did not reach the buyer, so nothing went back.", id=found.id))


def _said(currency: str, worth: int, minor: int) -> dict[str, str]:
    return {"worth": price(Money(worth, currency)), "amount": price(Money(minor, currency))}
