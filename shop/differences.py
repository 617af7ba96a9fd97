"""Differences: what the gateway's books and ours say otherwise, each a row with its evidence, until it shows no more.

Rows are matched by the gateway's own id of what moved. A day here is a day of UTC, as the gateway's is; what moved at
midnight may stand in the next day on one side, so each side's day is looked for in three of the other's.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select, update

from shop import clock, gateways, movements, trial_balance
from shop.database import connection, first, let_go, rows
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import Movement, RejectedError
from shop.i18n import _
from shop.models import Difference, User
from shop.money import Money
from shop.movements import Moved, Side

BOOKS = "books"  # the scope of what is no day's
PAGE = 20
BACK = timedelta(days=31)  # so far open differences are compared again

kept, users = Difference.__table__, User.__table__

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


def told_of(day: date) -> list[Movement]:
    """All that the gateway says has moved around a day. It ends the present transaction."""
    let_go()
    start, one = datetime.combine(day, time(), UTC), timedelta(days=1)
    return list(gateways.payment().list_movements(start - one, start + 2 * one))


def of_day(day: date, told: Iterable[Movement]) -> list[Found]:
    """What differs of the money that moved on this day. It asks the gateway about what we do not know: nothing may
    have been written in the present transaction, which it ends."""
    start = datetime.combine(day, time(), UTC)
    moved = [named for each in told for named in movements.theirs(each)]
    found = [each for kind, side in movements.SIDES.items() for each in _compare(kind, side, moved, start)]
    let_go()
    gone = _came_back(moved)
    return [each for each in found if not (each.ours == "" and each.subject in gone) and not _is_foreign(each)]


def _came_back(moved: Sequence[Moved]) -> set[str]:
    """What they moved there and back again, as a refund that somebody made by hand and that bounced."""
    sums = Counter[str]()
    for one in moved:
        if one.kind in movements.BY_AMOUNT:
            sums[one.told.source] += one.money.minor
    return {one.subject for one in moved if one.kind in movements.BY_AMOUNT and sums[one.told.source] == 0}


def _compare(kind: str, side: Side, moved: Iterable[Moved], start: datetime) -> Iterator[Found]:
    theirs: dict[str, list[Moved]] = {}
    for one in moved:
        if one.kind == kind:
            theirs.setdefault(one.subject, []).append(one)
    ours, todays = _ours(side, theirs, start)
    end = start + timedelta(days=1)
    for subject, told in theirs.items():
        if any(start <= one.told.at < end for one in told):
            yield from _differs(kind, subject, ours.get(subject, []), told)
    for subject in sorted(todays - theirs.keys()):
        yield from _differs(kind, subject, ours[subject], [])


def _ours(side: Side, theirs: Mapping[str, Any], start: datetime) -> tuple[dict[str, list[Row[Any]]], set[str]]:
    """Our rows of three days by their subject, also those of other days that they speak of; and who is of the day."""
    name, one = gateways.payment().name, timedelta(days=1)
    moved = list(rows(side.moved, gateway=name, since=start - one, until=start + 2 * one))
    todays = {row.subject for row in moved if start <= row.at < start + one}
    here = {row.subject for row in moved}
    missing = [subject for subject in theirs if subject not in here]
    for begin in range(0, len(missing), 500):
        moved += rows(side.called, gateway=name, ids=missing[begin : begin + 500])
    ours: dict[str, list[Row[Any]]] = {}
    for row in moved:
        ours.setdefault(row.subject, []).append(row)
    return ours, todays


def _differs(kind: str, subject: str, mine: Sequence[Row[Any]], moved: Sequence[Moved]) -> Iterator[Found]:
    ours = Money(sum(row.minor or 0 for row in mine), mine[0].currency) if mine else None
    theirs = Money(sum(one.money.minor for one in moved), moved[0].money.currency) if moved else None
    if kind == "fee" and (ours is None or theirs is None):  # then the payment itself differs
        return
    if ours != theirs:
        yield Found(kind, subject, _said(ours), _said(theirs), {"ours": _facts(mine), "theirs": _told(moved)})


def _said(money: Money | None) -> str:
    return f"{money.currency} {money.minor / 100:.2f}" if money else ""


def _facts(mine: Sequence[Row[Any]]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for number, row in enumerate(mine, 1):
        facts[f"row {number}"] = f"{row.number} {row.state} {row.minor} {row.currency} {row.at:%Y-%m-%d %H:%M:%S}"
        facts["about"] = str(row.about)
    return facts


def _told(moved: Sequence[Moved]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for number, (_kind, _subject, money, one) in enumerate(moved, 1):
        facts[f"movement {number}"] = f"{one.id} {money.minor} {money.currency} {one.at:%Y-%m-%d %H:%M:%S}"
    return facts | ({"payment": moved[0].told.of} if moved and moved[0].told.of else {})


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
    """What does not add up in our own books: sums of the ledger and of the rows, journals, and who paid for nothing."""
    found = [
        _odd(f"{kind} {currency}", Money(by_rows, currency), Money(by_ledger, currency))
        for kind, currency, by_rows, by_ledger in trial_balance.off()
    ]
    for row in trial_balance.unbalanced():
        currency = row.amount_currency
        found.append(_odd(row.journal, Money(0, currency), Money(int(row.minor), currency)))
    return found + [_unsold(row) for row in trial_balance.unsold()]


def _unsold(row: Row[Any]) -> Found:
    paid = {"payment": f"{row.id} {row.state} {row.changed_at:%Y-%m-%d %H:%M:%S}"}
    money = Money(row.amount_minor, row.amount_currency)
    return Found("unsold", row.code, "", _said(money), {"ours": {}, "theirs": paid})


def _odd(subject: str, ours: Money, ledgers: Money) -> Found:
    return Found("ledger", subject, _said(ours), _said(ledgers), {"ours": {}, "theirs": {}})


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
