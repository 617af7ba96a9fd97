"""Movements: what we believe to have moved at the gateway, by its own ids, to be held against what it says.

A payment, its fee and a transfer move once, and are known by their id. What may move twice (a refund that bounces, a
dispute that is won) or in parts (a transfer that is taken back) is known by its id and its amount.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, String, and_, bindparam, cast, literal, select, union_all

from shop.gateways.payment_port import Movement
from shop.inbox import CAME_IN
from shop.models import (
    Account,
    Dispute,
    Event,
    LedgerEntry,
    Order,
    Payment,
    PaymentAttempt,
    Purchase,
    Refund,
    RefundState,
    Reversal,
    ReversalState,
    Transfer,
    TransferState,
)
from shop.money import Money

payments, attempts, purchases = Payment.__table__, PaymentAttempt.__table__, Purchase.__table__
refunds, disputes, events = Refund.__table__, Dispute.__table__, Event.__table__
transfers, reversals, orders, entries = Transfer.__table__, Reversal.__table__, Order.__table__, LedgerEntry.__table__

BY_AMOUNT = frozenset(("refund", "reversal", "dispute"))


class Side(NamedTuple):
    """Our rows of one kind: those that moved in a time, and those of given subjects."""

    moved: Any
    called: Any


class Moved(NamedTuple):
    """A movement of theirs, by the name under which we would know it."""

    kind: str
    subject: str
    money: Money
    told: Movement


def theirs(one: Movement) -> list[Moved]:
    """A movement; its fee is one of its own."""
    named = f"{one.source}:{one.amount.minor}" if one.kind in BY_AMOUNT else one.source
    moved = [Moved(one.kind, named, one.amount, one)]
    if one.kind == "payment":
        moved.append(Moved("fee", one.source, one.fee, one))
    return moved


def _side(*queries: Select[Any]) -> Side:
    """All of it is about the gateway that we have; `at` says when."""
    found = union_all(*queries).subquery() if len(queries) > 1 else queries[0].subquery()
    mine = select(found)
    when = and_(found.c.at >= bindparam("since"), found.c.at < bindparam("until"))
    ids: Any = bindparam("ids", expanding=True)
    return Side(mine.where(when), mine.where(found.c.subject.in_(ids)))


def _row(*columns: Any) -> tuple[Any, ...]:
    return tuple(column.label(name) for name, column in zip(_NAMES, columns, strict=True))


def _named(gateway_id: Any, minor: Any) -> Any:
    return gateway_id + literal(":") + cast(minor, String)


_NAMES = ("subject", "minor", "currency", "about", "state", "number", "at")
_HERE = attempts.c.gateway == bindparam("gateway")


def _of_payment(minor: Any, currency: Any) -> Select[Any]:
    came = and_(
        events.c.subject == "attempt",
        events.c.subject_id == attempts.c.id,
        events.c.became.in_(CAME_IN),
        events.c.was.not_in(CAME_IN),
    )
    ids = (attempts.c.state, attempts.c.id, events.c.at)
    return (
        select(*_row(attempts.c.gateway_id, minor, currency, purchases.c.code, *ids))
        .join(payments, payments.c.id == attempts.c.payment_id)
        .join(purchases, purchases.c.id == payments.c.purchase_id)
        .join(events, came)
        .where(_HERE, attempts.c.state.in_(CAME_IN))
    )


def _of_refund(minor: Any, became: RefundState, *states: RefundState) -> Select[Any]:
    moved = and_(events.c.subject == "refund", events.c.subject_id == refunds.c.id, events.c.became == became)
    ids = (purchases.c.code, refunds.c.state, refunds.c.id, events.c.at)
    return (
        select(*_row(_named(refunds.c.gateway_id, minor), minor, refunds.c.amount_currency, *ids))
        .join(attempts, attempts.c.id == refunds.c.attempt_id)
        .join(payments, payments.c.id == refunds.c.payment_id)
        .join(purchases, purchases.c.id == payments.c.purchase_id)
        .join(events, moved)
        .where(_HERE, refunds.c.gateway_id.is_not(None), refunds.c.state.in_(states))
    )


def _of_dispute(minor: Any, at: Any) -> Select[Any]:
    ids = (purchases.c.code, disputes.c.state, disputes.c.id, at)
    return (
        select(*_row(_named(disputes.c.gateway_id, minor), minor, disputes.c.amount_currency, *ids))
        .join(payments, payments.c.id == disputes.c.payment_id)
        .join(purchases, purchases.c.id == payments.c.purchase_id)
        .where(disputes.c.gateway == bindparam("gateway"))
    )


def _of_order(query: Select[Any]) -> Select[Any]:
    return (
        query.join(orders, orders.c.id == transfers.c.order_id)
        .join(payments, payments.c.purchase_id == orders.c.purchase_id)
        .join(attempts, and_(attempts.c.payment_id == payments.c.id, attempts.c.state.in_(CAME_IN)))
        .where(_HERE, ~attempts.c.is_surplus)
    )


_minus = -transfers.c.amount_minor
_back = reversals.c.amount_minor - reversals.c.netted_minor
_of_transfer = _of_order(
    select(
        *_row(
            transfers.c.gateway_id,
            _minus,
            transfers.c.amount_currency,
            orders.c.code,
            transfers.c.state,
            transfers.c.id,
            transfers.c.changed_at,
        )
    ).where(transfers.c.state == TransferState.DONE, transfers.c.gateway_id.is_not(None))
)
_posted = and_(
    entries.c.journal == literal("reversal:") + cast(reversals.c.id, String), entries.c.account == Account.GATEWAY
)
_of_reversal = _of_order(
    select(
        *_row(
            _named(transfers.c.gateway_id, _back),
            _back,
            reversals.c.amount_currency,
            orders.c.code,
            reversals.c.state,
            reversals.c.id,
            entries.c.posted_at,
        )
    )
    .select_from(reversals)
    .join(transfers, transfers.c.id == reversals.c.transfer_id)
    .join(entries, _posted)
    .where(reversals.c.state == ReversalState.DONE, reversals.c.is_callable, _back > 0)
)

# By what it is called in `Movement.kind`, and the fee.
SIDES: dict[str, Side] = {
    "payment": _side(_of_payment(payments.c.amount_minor, payments.c.amount_currency)),
    "fee": _side(_of_payment(attempts.c.fee_minor, payments.c.amount_currency)),
    "refund": _side(
        _of_refund(-refunds.c.amount_minor, RefundState.SENT, RefundState.SENT, RefundState.DONE, RefundState.FAILED),
        _of_refund(refunds.c.amount_minor, RefundState.FAILED, RefundState.FAILED),
    ),
    "dispute": _side(
        _of_dispute(-disputes.c.amount_minor, disputes.c.opened_at),
        _of_dispute(disputes.c.amount_minor, disputes.c.closed_at).where(disputes.c.state == "won"),
    ),
    "transfer": _side(_of_transfer),
    "reversal": _side(_of_reversal),
}
