"""Paying: a payment and its attempts as they stand, for whoever is about to move them: locked until that is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, case, or_, select

from shop.database import first, is_sqlite, rows
from shop.gateways.payment_port import Report
from shop.models import Payment, PaymentAttempt, Purchase

payments, attempts, purchases = Payment.__table__, PaymentAttempt.__table__, Purchase.__table__
_HERE = attempts.c.gateway == bindparam("gateway")
_is_called_so = attempts.c.gateway_id == bindparam("id")
_FIND = (
    select(attempts.c.id, attempts.c.payment_id)
    .where(_HERE, or_(_is_called_so, attempts.c.idempotency_key == bindparam("key")))
    .order_by(case((_is_called_so, 0), else_=1))
    .limit(1)
)
_found = _FIND.subquery("found")
_PAYING = ("id", "purchase_id", "state", "amount_minor", "amount_currency", "refunded_minor")
# All attempts of the payment that it is about, each with that payment at its end (`Paying`).
_HEARD = (
    select(
        attempts,
        _found.c.id.label("found"),
        *(payments.c[name].label(f"paying_{name}") for name in _PAYING),
        purchases.c.code,
        purchases.c.user_id,
    )
    .select_from(_found)
    .join(payments, payments.c.id == _found.c.payment_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id)
    .join(attempts, attempts.c.payment_id == payments.c.id)
    .order_by(attempts.c.number)
)
_PAYMENT = (
    select(payments, purchases.c.code, purchases.c.user_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id)
    .where(payments.c.id == bindparam("payment"))
)
_PURCHASE_OF = (
    select(purchases.c.id)
    .join(payments, payments.c.purchase_id == purchases.c.id)
    .where(payments.c.id == bindparam("payment"))
    .with_for_update(of=purchases)
)


class Paying(NamedTuple):
    """A payment, with its purchase's code and person."""

    id: int
    purchase_id: int
    state: str
    amount_minor: int
    amount_currency: str
    refunded_minor: int
    code: str
    user_id: int | None


class Stand(NamedTuple):
    """How an attempt stands, as far as its payment and its buyer go by it."""

    id: int
    state: str
    is_surplus: bool
    refunded_minor: int
    redirect_url: str
    failure: str

    @classmethod
    def of(cls, row: Row[Any]) -> Stand:
        """By its row."""
        return cls._make([getattr(row, name) for name in cls._fields])


def heard(gateway: str, report: Report) -> Sequence[Row[Any]]:
    """All attempts of the payment that a report of this gateway is about, locked as in `lock`; none: it is not ours.

    Each row ends in that payment (`Paying`), and `found` is the id of the attempt that is meant.
    """
    asked = {"gateway": gateway, "id": report.id, "key": report.key}
    if not is_sqlite() and (found := first(_FIND, **asked)) is not None:
        rows(_PURCHASE_OF, payment=found.payment_id)
    return rows(_HEARD, **asked)


def lock(payment: int) -> Row[Any]:
    """A payment with its purchase's code and person; whoever else wants to move either of them waits for us.

    It is the purchase that is locked, as at the checkout, and the payment is read after that: what PostgreSQL joins to
    a row that it had to wait for is as old as the wait.
    """
    if not is_sqlite():
        rows(_PURCHASE_OF, payment=payment)
    found = first(_PAYMENT, payment=payment)
    assert found  # noqa: S101  rows of payments are never deleted
    return found
