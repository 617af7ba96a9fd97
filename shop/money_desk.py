"""The operator's desk of money: what does not fit, what nobody could place, and how much moves each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, case, func, literal, select, union_all

from shop import clock
from shop.database import rows
from shop.gateways.payment_port import KEYS_LAST
from shop.inbox import CAME_IN
from shop.models import (
    Difference,
    Event,
    InboxState,
    Job,
    JobState,
    Moment,
    Order,
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
    WebhookEvent,
)

PAGE = 20
DAYS = 14
END = 4 * 10**15  # microseconds: beyond it there is no leaf

calls, attempts, payments = WebhookEvent.__table__, PaymentAttempt.__table__, Payment.__table__
purchases, refunds, jobs = Purchase.__table__, Refund.__table__, Job.__table__
transfers, reversals, orders = Transfer.__table__, Reversal.__table__, Order.__table__
events, kept = Event.__table__, Difference.__table__

_CALLS = (
    select(calls.c.id, calls.c.event_id, calls.c.kind, calls.c.state, calls.c.tries, calls.c.received_at)
    .where(calls.c.state.in_((InboxState.UNRESOLVED, InboxState.QUARANTINED)), calls.c.id > bindparam("after"))
    .order_by(calls.c.id)
    .limit(PAGE + 1)
)
_DEAD = (
    select(jobs.c.id, jobs.c.handler, jobs.c.tries, jobs.c.last_error, jobs.c.run_at)
    .where(jobs.c.state == JobState.DEAD, jobs.c.id > bindparam("after"))
    .order_by(jobs.c.id)
    .limit(PAGE + 1)
)


def _asked(what: str, table: Any, key: Any, at: Any, state: str) -> Any:
    """One kind of request that was written down and sent, and of which nobody knows what became."""
    columns = (literal(what).label("what"), table.c.id.label("id"), key.label("key"), at.label("at"))
    return select(*columns, purchases.c.code).where(table.c.state == state)


_requests = union_all(
    _asked("payment", attempts, attempts.c.idempotency_key, attempts.c.created_at, PaymentState.SUBMITTING)
    .join(payments, payments.c.id == attempts.c.payment_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id),
    _asked("refund", refunds, refunds.c.idempotency_key, refunds.c.created_at, RefundState.WANTED)
    .join(payments, payments.c.id == refunds.c.payment_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id),
    _asked("transfer", transfers, transfers.c.request["key"].as_string(), transfers.c.changed_at, TransferState.SENDING)
    .join(orders, orders.c.id == transfers.c.order_id)
    .join(purchases, purchases.c.id == orders.c.purchase_id),
    _asked("reversal", reversals, reversals.c.key, reversals.c.due_at, ReversalState.WANTED)
    .join(transfers, transfers.c.id == reversals.c.transfer_id)
    .join(orders, orders.c.id == transfers.c.order_id)
    .join(purchases, purchases.c.id == orders.c.purchase_id),
).subquery()
_UNANSWERED = (
    select(_requests)
    .where(_requests.c.at < bindparam("before"), _requests.c.at > bindparam("after"))
    .order_by(_requests.c.at)
    .limit(PAGE + 1)
)


def _moved(what: str, moment: Any, amount: Any, currency: Any) -> Any:
    """One kind of movement by day: `n` counts from the first of the days, of which the ends are bound."""
    day = case(*[(moment < bindparam(f"end{n}", type_=Moment()), n) for n in range(DAYS)])
    columns = (literal(what).label("what"), day.label("n"), currency.label("currency"))
    sums = (func.count().label("times"), func.coalesce(func.sum(amount), 0).label("minor"))
    return select(*columns, *sums).where(moment >= bindparam("since", type_=Moment())).group_by("n", "currency")


_BY_DAY = union_all(
    _moved("payments", events.c.at, payments.c.amount_minor, payments.c.amount_currency)
    .select_from(attempts)
    .join(events, (events.c.subject == "attempt") & (events.c.subject_id == attempts.c.id))
    .join(payments, payments.c.id == attempts.c.payment_id)
    .where(
        attempts.c.changed_at >= bindparam("since", type_=Moment()),
        events.c.became.in_(CAME_IN),
        events.c.was.not_in(CAME_IN),
    ),
    _moved("refunds", events.c.at, refunds.c.amount_minor, refunds.c.amount_currency)
    .select_from(refunds)
    .join(events, (events.c.subject == "refund") & (events.c.subject_id == refunds.c.id))
    .where(events.c.became == RefundState.DONE),
    _moved("differences", kept.c.first_seen, literal(0), literal("")),
)


class Leaf(NamedTuple):
    """Some rows, and the id after which the next leaf begins, if there is one."""

    rows: Sequence[Row[Any]]
    next: int | None


class Day(NamedTuple):
    """What moved on one day (of UTC): how often, and how much in minor units."""

    day: date
    payments: int
    paid: int
    refunds: int
    refunded: int
    differences: int


def unplaced(after: int = 0) -> Leaf:
    """Calls of the gateway that fit nothing we know, or say something else than our rows; the oldest first."""
    return _leaf(rows(_CALLS, after=after))


def dead_jobs(after: int = 0) -> Leaf:
    """Jobs that were given up."""
    return _leaf(rows(_DEAD, after=after))


def unanswered(after: int = 0) -> Leaf:
    """Requests that the gateway never answered, whose key it has forgotten: only a person can look them up.

    The place of a leaf is a moment, in microseconds.
    """
    start = datetime.fromtimestamp(min(after, END) / 1e6, UTC)
    found = rows(_UNANSWERED, after=start, before=clock.now() - KEYS_LAST)
    more = len(found) > PAGE
    return Leaf(found[:PAGE], round(found[PAGE - 1].at.timestamp() * 1e6) if more else None)


def _leaf(found: Sequence[Row[Any]]) -> Leaf:
    return Leaf(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def by_day() -> tuple[list[Day], str]:
    """The last two weeks, today last, and the currency of their sums: the one in which most was paid."""
    first = clock.now().astimezone(UTC).date() - timedelta(days=DAYS - 1)
    midnights = [datetime.combine(first + timedelta(days=n), time(), UTC) for n in range(DAYS + 1)]
    found = rows(_BY_DAY, since=midnights[0], **{f"end{n}": midnights[n + 1] for n in range(DAYS)})
    currency = _usual(found)
    told = {(row.what, row.n): row for row in found if row.currency in (currency, "")}
    return [_day(first + timedelta(days=n), n, told) for n in range(DAYS)], currency


def _usual(found: Sequence[Row[Any]]) -> str:
    counted = Counter[str]()
    for row in found:
        if row.currency:
            counted[row.currency] += row.times
    return counted.most_common(1)[0][0] if counted else "EUR"


def _day(day: date, n: int, told: dict[tuple[str, int], Any]) -> Day:
    paid, back, odd = (told.get((what, n)) for what in ("payments", "refunds", "differences"))
    return Day(
        day,
        payments=paid.times if paid else 0,
        paid=int(paid.minor) if paid else 0,
        refunds=back.times if back else 0,
        refunded=int(back.minor) if back else 0,
        differences=odd.times if odd else 0,
    )
