"""Differences: what the gateway's books and ours say otherwise, each a row with its evidence, until it shows no more.

Rows are matched by the gateway's own id of what moved. A day here is a day of UTC, as the gateway's is; what moved at
midnight may stand in the next day on one side, so each side's day is looked for in three of the other's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, func, select, update

from shop import clock, gateways
from shop.database import connection, first, let_go, rows
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import Movement, RejectedError
from shop.i18n import _
from shop.inbox import CAME_IN
from shop.models import Difference, Event, Payment, PaymentAttempt, Purchase, Refund, RefundState, User
from shop.money import Money

BOOKS = "books"  # the scope of what is no day's
PAGE = 20
BACK = timedelta(days=31)  # so far open differences are compared again

kept, events, users = Difference.__table__, Event.__table__, User.__table__
payments, attempts, purchases = Payment.__table__, PaymentAttempt.__table__, Purchase.__table__
refunds = Refund.__table__

_when = and_(events.c.at >= bindparam("since"), events.c.at < bindparam("until"))
_COLUMNS = (
    attempts.c.gateway_id.label("subject"),
    payments.c.amount_minor.label("minor"),
    payments.c.amount_currency.label("currency"),
    purchases.c.code.label("purchase"),
    attempts.c.state,
    attempts.c.id.label("row"),
)
_of_attempts = (
    select(*_COLUMNS)
    .join(payments, payments.c.id == attempts.c.payment_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id)
    .where(attempts.c.gateway == bindparam("gateway"), attempts.c.state.in_(CAME_IN))
)
_of_refunds = (
    select(
        refunds.c.gateway_id.label("subject"),
        (-refunds.c.amount_minor).label("minor"),
        refunds.c.amount_currency.label("currency"),
        purchases.c.code.label("purchase"),
        refunds.c.state,
        refunds.c.id.label("row"),
    )
    .join(attempts, attempts.c.id == refunds.c.attempt_id)
    .join(payments, payments.c.id == refunds.c.payment_id)
    .join(purchases, purchases.c.id == payments.c.purchase_id)
    .where(attempts.c.gateway == bindparam("gateway"), refunds.c.state == RefundState.DONE)
)


class Side(NamedTuple):
    """What we have of one kind of movement: what moved in a time, and by the gateway's ids."""

    moved: Any
    called: Any


def _side(query: Any, row: Any, subject: Any, subject_id: Any, *became: Any) -> Side:
    """`subject` is how the event of it is named in the history, which tells when it moved."""
    seen = and_(events.c.subject == subject, events.c.subject_id == row, *became)
    called: Any = bindparam("ids", expanding=True)
    lately = attempts.c.changed_at >= bindparam("since")  # with an index, and never before what happened to it
    moved = query.add_columns(events.c.at).join(events, seen).where(_when, lately)
    return Side(moved, query.where(subject_id.in_(called)))


# The seam: transfers, reversals and what a dispute took go in here, each by what it is called in `Movement.kind`.
SIDES: dict[str, Side] = {
    "payment": _side(
        _of_attempts,
        attempts.c.id,
        "attempt",
        attempts.c.gateway_id,
        events.c.became.in_(CAME_IN),
        events.c.was.not_in(CAME_IN),
    ),
    "refund": _side(_of_refunds, refunds.c.id, "refund", refunds.c.gateway_id, events.c.became == RefundState.DONE),
}

_KNOWN = select(kept).where(kept.c.scope == bindparam("scope"))
_SAME = select(kept).where(kept.c.kind == bindparam("kind"), kept.c.subject == bindparam("subject"))
_IS_OPEN = kept.c.resolved_at.is_(None)
_PAGE = (
    select(kept, users.c.name.label("noted_by"))
    .outerjoin(users, users.c.id == kept.c.noted_by_id)
    .where(_IS_OPEN, kept.c.id > bindparam("after"))
    .order_by(kept.c.id)
    .limit(PAGE + 1)
)
_UNSEEN = select(func.count()).where(_IS_OPEN, kept.c.noted_at.is_(None))
_OPEN = select(kept.c.scope, kept.c.kind, kept.c.subject, kept.c.ours, kept.c.theirs, kept.c.note).where(_IS_OPEN)
_OPEN_DAYS = select(kept.c.scope).distinct().where(_IS_OPEN, kept.c.scope != BOOKS, kept.c.scope >= bindparam("since"))


class Found(NamedTuple):
    """One difference, as it shows now; a side that has nothing is empty."""

    kind: str
    subject: str
    ours: str
    theirs: str
    evidence: dict[str, Any]


def of_day(day: date) -> list[Found]:
    """What differs of the money that moved on this day. It ends the present transaction, and asks the gateway first."""
    let_go()
    start = datetime.combine(day, time(), UTC)
    one = timedelta(days=1)
    theirs = list(gateways.payment().list_movements(start - one, start + 2 * one))
    found = [each for kind, side in SIDES.items() for each in _compare(kind, side, theirs, start)]
    let_go()
    return [each for each in found if not _is_foreign(each)]


def _compare(kind: str, side: Side, movements: Iterable[Movement], start: datetime) -> Iterator[Found]:
    theirs = _by_source(one for one in movements if one.kind == kind)
    ours, todays = _ours(side, theirs, start)
    end = start + timedelta(days=1)
    for subject, moved in theirs.items():
        if any(start <= one.at < end for one in moved):
            yield from _differs(kind, subject, ours.get(subject), moved)
    for subject in todays - theirs.keys():
        yield from _differs(kind, subject, ours[subject], ())


def _by_source(movements: Iterable[Movement]) -> dict[str, list[Movement]]:
    found: dict[str, list[Movement]] = {}
    for one in movements:
        found.setdefault(one.source, []).append(one)
    return found


def _ours(side: Side, theirs: Mapping[str, Any], start: datetime) -> tuple[dict[str, Row[Any]], set[str]]:
    """Our rows of three days by the gateway's id, also those of other days that it speaks of; and who is of the day."""
    name, one = gateways.payment().name, timedelta(days=1)
    moved = rows(side.moved, gateway=name, since=start - one, until=start + 2 * one)
    ours = {row.subject: row for row in moved}
    todays = {row.subject for row in moved if start <= row.at < start + one}
    missing = [subject for subject in theirs if subject not in ours]
    for begin in range(0, len(missing), 500):
        ours |= {row.subject: row for row in rows(side.called, gateway=name, ids=missing[begin : begin + 500])}
    return ours, todays


def _differs(kind: str, subject: str, mine: Row[Any] | None, moved: Sequence[Movement]) -> Iterator[Found]:
    ours = Money(mine.minor, mine.currency) if mine else None
    theirs = Money(sum(one.amount.minor for one in moved), moved[0].amount.currency) if moved else None
    if theirs and theirs.minor == 0 and ours is None:  # it went, and came back
        return
    if ours != theirs:
        yield Found(kind, subject, _said(ours), _said(theirs), {"ours": _facts(mine), "theirs": _told(moved)})


def _said(money: Money | None) -> str:
    return f"{money.currency} {money.minor / 100:.2f}" if money else ""


def _facts(row: Row[Any] | None) -> dict[str, str]:
    if row is None:
        return {}
    facts = {"purchase": row.purchase, "state": row.state, "row": row.row, "amount": f"{row.minor} {row.currency}"}
    return {name: str(fact) for name, fact in facts.items()}


def _told(moved: Sequence[Movement]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for number, one in enumerate(moved, 1):
        amount = f"{one.amount.minor} {one.amount.currency}"
        facts[f"movement {number}"] = f"{one.id} {amount} {one.at:%Y-%m-%d %H:%M:%S}"
    return facts | ({"payment": moved[0].of} if moved and moved[0].of else {})


def _is_foreign(found: Found) -> bool:
    """Money that moved for something else in the same account with the gateway is none of ours."""
    payment = found.subject if found.kind == "payment" else found.evidence["theirs"].get("payment", "")
    if found.ours or not payment:
        return False
    try:
        return gateways.payment().get_payment(payment).key == ""
    except RejectedError:
        return False


def of_books() -> list[Found]:
    """What does not add up in our own books. The seam: the ledger is held against the rows in here."""
    return []


# What is kept


def keep(scope: str, found: Iterable[Found]) -> None:
    """Write down what shows now, and that the rest of this scope shows no longer."""
    now = clock.now()
    shown = [_write(scope, each, now) for each in found]
    gone = update(kept).where(kept.c.scope == scope, _IS_OPEN, kept.c.id.not_in(shown))
    connection().execute(gone.values(resolved_at=now))


def _write(scope: str, found: Found, now: datetime) -> int:
    told = {"scope": scope, **found._asdict(), "last_seen": now}
    before = first(_SAME, kind=found.kind, subject=found.subject)
    if before is None:
        row = {**told, "code": secrets.token_urlsafe(16), "first_seen": now, "note": ""}
        return int(connection().execute(kept.insert().values(row).returning(kept.c.id)).scalar_one())
    if before.resolved_at or (before.ours, before.theirs) != (found.ours, found.theirs):
        told |= {"resolved_at": None, "noted_at": None, "noted_by_id": None}  # it is another one, or back: look anew
    connection().execute(update(kept).where(kept.c.id == before.id).values(told))
    return int(before.id)


def unseen() -> int:
    """How many differences are open that nobody has looked at."""
    return int(connection().execute(_UNSEEN).scalar_one())


def open_days() -> list[date]:
    """The days of the last month that still show a difference."""
    since = (clock.now() - BACK).date().isoformat()
    return [date.fromisoformat(row.scope) for row in rows(_OPEN_DAYS, since=since)]


def all_open() -> Sequence[Row[Any]]:
    """Every difference that shows."""
    return rows(_OPEN.order_by(kept.c.id))


def leaf(after: int = 0) -> tuple[Sequence[Row[Any]], int | None]:
    """Open differences, the oldest first, and the id after which the next leaf begins."""
    found = rows(_PAGE, after=after)
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def note(code: str, words: str, *, by: int) -> None:
    """Somebody has looked at a difference, and says what it is; it stays open for as long as it shows."""
    if not words.strip():
        raise Refused(_("Say what you found out."), 422)
    seen = update(kept).where(kept.c.code == code, _IS_OPEN)
    told = {"noted_at": clock.now(), "noted_by_id": by, "note": words.strip()}
    if connection().execute(seen.values(**told)).rowcount != 1:
        raise NotFound(_("This difference does not show any more."))
