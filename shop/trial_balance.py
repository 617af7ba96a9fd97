"""The trial balance: what stands in the ledger is held against the rows that it was written for, in one question.

Everything that moved at the gateway is in the books on the gateway's account, by purpose, so each purpose has to come
to what the rows of that kind come to. Every journal sums to zero, and whoever has paid has bought.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, case, exists, func, literal, select, union_all

from shop import clock, ledger
from shop.database import rows
from shop.inbox import CAME_IN
from shop.models import (
    Account,
    Dispute,
    LedgerEntry,
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentState,
    Purchase,
    Refund,
    RefundState,
    Reversal,
    ReversalState,
    Transfer,
    TransferState,
)

entries, payments, attempts = LedgerEntry.__table__, Payment.__table__, PaymentAttempt.__table__
purchases, orders = Purchase.__table__, Order.__table__
refunds, disputes, transfers, reversals = Refund.__table__, Dispute.__table__, Transfer.__table__, Reversal.__table__

# What the gateway holds for us is below zero on its account.
KINDS = {
    "payment": "payment",
    "fee": "fee",
    "returned": "refund",
    "bounced": "refund",
    "transfer": "transfer",
    "untransfer": "transfer",
    "reversal": "reversal",
    "dispute": "dispute",
}


SOON = timedelta(minutes=15)
_UNSOLD = (
    select(purchases.c.code, *payments.c["id", "state", "amount_minor", "amount_currency", "changed_at"])
    .join(payments, payments.c.purchase_id == purchases.c.id)
    .where(
        purchases.c.settled_at.is_(None),
        payments.c.state.in_((PaymentState.PAID, PaymentState.PART_REFUNDED)),
        payments.c.changed_at < bindparam("before"),
        exists().where(orders.c.purchase_id == purchases.c.id, orders.c.status != OrderStatus.CANCELLED),
    )
    .order_by(purchases.c.id)
)


class Total(NamedTuple):
    """What one kind of movement comes to in one currency: by the rows, and by the ledger; in minor units."""

    kind: str
    currency: str
    by_rows: int
    by_ledger: int


def _sum(kind: str, minor: Any, currency: Any, *which: Any) -> Any:
    columns = (literal("rows").label("side"), literal(kind).label("kind"), currency.label("currency"))
    return select(*columns, func.sum(minor).label("minor")).where(*which).group_by(currency)


_came = and_(payments.c.id == attempts.c.payment_id, attempts.c.state.in_(CAME_IN))
_kind = case(*[(entries.c.purpose == purpose, kind) for purpose, kind in KINDS.items()])
_TOTALS = union_all(
    _sum("payment", payments.c.amount_minor, payments.c.amount_currency, _came),
    _sum("fee", -attempts.c.fee_minor, attempts.c.fee_currency, _came, attempts.c.fee_minor > 0),
    _sum(
        "refund",
        -refunds.c.amount_minor,
        refunds.c.amount_currency,
        refunds.c.state.in_((RefundState.SENT, RefundState.DONE)),
    ),
    _sum(
        "transfer",
        -transfers.c.amount_minor,
        transfers.c.amount_currency,
        transfers.c.state != TransferState.WAITING,
        transfers.c.amount_minor > 0,
    ),
    _sum(
        "reversal",
        reversals.c.amount_minor - reversals.c.netted_minor,
        reversals.c.amount_currency,
        reversals.c.state == ReversalState.DONE,
        reversals.c.amount_minor > reversals.c.netted_minor,
    ),
    _sum("dispute", -disputes.c.amount_minor, disputes.c.amount_currency, disputes.c.state != "won"),
    select(literal("ledger"), _kind, entries.c.amount_currency, -func.sum(entries.c.amount_minor))
    .where(entries.c.account == Account.GATEWAY, entries.c.purpose.in_(list(KINDS)))
    .group_by(_kind, entries.c.amount_currency),
)


def off() -> list[Total]:
    """The kinds of movement of which the ledger says otherwise than the rows."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows(_TOTALS):
        sums.setdefault((row.kind, row.currency), {})[row.side] = int(row.minor or 0)
    totals = [Total(*named, each.get("rows", 0), each.get("ledger", 0)) for named, each in sorted(sums.items())]
    return [total for total in totals if total.by_rows != total.by_ledger]


def unsold() -> list[Row[Any]]:
    """Purchases that were paid a quarter of an hour ago; neither are the goods the buyer's, nor is it called off."""
    return list(rows(_UNSOLD, before=clock.now() - SOON))


def unbalanced() -> list[Row[Any]]:
    """Journals that do not sum to zero."""
    return list(ledger.odd())
