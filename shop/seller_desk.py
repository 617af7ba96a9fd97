"""The sellers' desk: whose application waits and for how long, who sells, and what happened to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, func, literal, or_, select, union, union_all

from shop import clock
from shop.database import rows
from shop.delivery import AMSTERDAM, is_working_day
from shop.models import Appeal, Event, Profile, Seller, Statement, User, Verdict, Vetting

PAGE = 20
MOST = 60  # of each way to find somebody, so that a word with which thousands begin is found as soon as any other
PROMISED = 3  # working days in which we mean to decide

sellers, profiles, events, users = Seller.__table__, Profile.__table__, Event.__table__, User.__table__
claimer, statements, appeals = users.alias("claimer"), Statement.__table__, Appeal.__table__

_is_waiting = and_(sellers.c.vetting == Vetting.WAITING, or_(users.c.id.is_(None), users.c.is_active))
_has_appealed = (
    select(1)
    .join_from(appeals, statements, statements.c.id == appeals.c.statement_id)
    .where(statements.c.seller_id == sellers.c.id, appeals.c.outcome.is_(None))
    .where(statements.c.verdict == Verdict.REFUSED)
    .exists()
)
_ROW = (
    profiles.c.handle,
    profiles.c.name,
    *sellers.c["id", "kind", "country", "vetting", "applied_at", "decided_at", "claimed_by_id", "claimed_until"],
    claimer.c.name.label("claimed_by"),
)
_QUEUE = (
    select(*_ROW, _has_appealed.label("has_appealed"))
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .outerjoin(users, users.c.id == profiles.c.user_id)
    .outerjoin(claimer, claimer.c.id == sellers.c.claimed_by_id)
    .where(_is_waiting)
    .where(sellers.c.applied_at >= bindparam("at", type_=sellers.c.applied_at.type))
    .where(or_(sellers.c.applied_at > bindparam("at"), sellers.c.id > bindparam("id")))
    .order_by(sellers.c.applied_at, sellers.c.id)
    .limit(PAGE + 1)
)
_QUEUE_OF_KIND = _QUEUE.where(sellers.c.kind == bindparam("kind"))  # each has an index, however few of a kind there are
# All that wait, from an index alone, without those of accounts that are closed, which begins at the few of those.
_COUNTS = union_all(
    select(sellers.c.kind, func.count().label("n"))
    .where(sellers.c.vetting == Vetting.WAITING)
    .group_by(sellers.c.kind),
    select(sellers.c.kind, -func.count())
    .join_from(users, profiles, profiles.c.user_id == users.c.id)
    .join(sellers, sellers.c.profile_id == profiles.c.id)
    .where(~users.c.is_active, literal("") + sellers.c.vetting == Vetting.WAITING)
    .group_by(sellers.c.kind),
)
# Both indexes by what a text begins with; a name is tried in the ways in which people write one.
WAYS: tuple[Callable[[str], str], ...] = (str, str.lower, str.title, str.upper)


def _begins(column: Any, words: str) -> Any:
    """Who begins like this, as the index gives them; of very many some, for nobody reads a thousand."""
    hits = select(profiles.c.id).join(sellers, sellers.c.profile_id == profiles.c.id).limit(MOST)
    return select(hits.where(column.like(bindparam(words)), sellers.c.vetting != Vetting.DRAFT).subquery().c.id)


_hits = union(
    _begins(profiles.c.handle, "handle"), *(_begins(profiles.c.name, f"name{n}") for n in range(len(WAYS)))
).cte("hits")
_FOUND = (
    select(*_ROW, select(func.count()).select_from(_hits).scalar_subquery().label("hits"))
    .join_from(_hits, profiles, profiles.c.id == _hits.c.id)
    .join(sellers, sellers.c.profile_id == profiles.c.id)
    .outerjoin(claimer, claimer.c.id == sellers.c.claimed_by_id)
    .where(profiles.c.handle > bindparam("after"))
    .order_by(profiles.c.handle)
    .limit(PAGE + 1)
)
_SELLING = (
    select(*profiles.c["handle", "name"], *sellers.c["kind", "country", "vetting", "decided_at"])
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .where(sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)), profiles.c.handle > bindparam("after"))
    .order_by(profiles.c.handle)
    .limit(PAGE + 1)
)
_STORY = (
    select(events.c.at, events.c.was, events.c.became, events.c.note, users.c.name)
    .join_from(events, users, events.c.user_id == users.c.id, isouter=True)
    .where(events.c.subject == "seller", events.c.subject_id == bindparam("id"))
    .order_by(events.c.id)
)
_START = datetime(1970, 1, 1, tzinfo=clock.UTC)


class Leaf(NamedTuple):
    """Some rows, and after what the next leaf begins; empty where there is none."""

    rows: list[Row[Any]]
    next: str
    is_cut: bool = False  # there are more than are shown, leaf by leaf


def queue(after: str = "", kind: str = "") -> Leaf:
    """Waiting applications, the oldest first. The place of a leaf is a moment in microseconds and a number."""
    at, number = place(after)
    found = list(rows(_QUEUE_OF_KIND, at=at, id=number, kind=kind) if kind else rows(_QUEUE, at=at, id=number))
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Leaf(found[:PAGE], place_of(last.applied_at, last.id) if last else "")


def place_of(at: datetime, number: int) -> str:
    """A place in a row that is sorted by moment and number, for an address."""
    return f"{round(at.timestamp() * 1e6)}.{number}"


def place(text: str) -> tuple[datetime, int]:
    """The place that an address names; the beginning where it names none."""
    moment, _dot, number = text.partition(".")
    if not (moment.isdecimal() and number.isdecimal() and len(text) < 40 and len(moment) < 17):
        return _START, 0
    return _START + timedelta(microseconds=int(moment)), min(int(number), 2**62)


def counts() -> dict[str, int]:
    """How many applications of each kind wait."""
    found: Counter[str] = Counter()
    for row in rows(_COUNTS):
        found[row.kind] += int(row.n)
    return dict(+found)


def found(words: str, after: str = "") -> Leaf:
    """Who has sent something in and whose name or handle begins with these words, by handle; of very many the first."""
    sought = words.strip().replace("%", "").lstrip("@_/").strip()[:80]
    if not sought:
        return Leaf([], "")
    names = {f"name{n}": f"{way(sought)}%" for n, way in enumerate(WAYS)}
    hits = list(rows(_FOUND, handle=f"{sought.lower()}%", after=after, **names))
    is_cut = bool(hits) and hits[0].hits >= MOST
    return Leaf(hits[:PAGE], hits[PAGE - 1].handle if len(hits) > PAGE else "", is_cut)


def due(applied_at: datetime) -> datetime:
    """When the working days are over in which we mean to decide: so many hours later, of days in Amsterdam."""
    day, days, left = applied_at.astimezone(AMSTERDAM).date(), 0, PROMISED
    while left:
        days += 1
        left -= is_working_day(day + timedelta(days=days))
    return applied_at + timedelta(days=days)


def selling(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Who sells, or did until their sales were stopped, by handle; and the handle after which the next page begins."""
    found = list(rows(_SELLING, after=after))
    return found[:PAGE], found[PAGE - 1].handle if len(found) > PAGE else None


def story(seller: Seller) -> list[Row[Any]]:
    """Everything that happened to an application, in its order: who, when, what, and why."""
    return list(rows(_STORY, id=seller.id))
