"""Second looks: one verdict in twenty is decided anew by somebody who does not see what the first one said.

It changes nothing for the seller. What it tells is whether moderators judge alike, and whether one of them does not.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from math import ceil
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, case, func, or_, select, update

from shop import audit, checklist, clock, jobs, marks
from shop.audit import Actor
from shop.checklist import State, Step
from shop.database import connection, db, first, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Moment, Profile, SecondLook, Seller, Statement, User, Verdict
from shop.words import Words

SHARE = 0.05  # of the verdicts of a week
WEEK, COUNTED = timedelta(days=7), timedelta(days=365)
SHORTEST = 10
VERDICTS = (Verdict.APPROVED, Verdict.ASKED, Verdict.REFUSED)  # on applications, which stand as they were sent

looks, made = SecondLook.__table__, Statement.__table__
sellers, profiles, users = Seller.__table__, Profile.__table__, User.__table__
_later = made.alias("later")
_LAST_WEEK = (
    select(made.c.id, looks.c.id.label("look"))
    .outerjoin(looks, looks.c.statement_id == made.c.id)
    .where(
        made.c.at > bindparam("since", type_=Moment()),
        made.c.verdict.in_(VERDICTS),
        made.c.decided_by_id.is_not(None),
        # Whoever was judged again since has put something right: what stands there is not what was judged.
        ~select(_later.c.id).where(_later.c.seller_id == made.c.seller_id, _later.c.id > made.c.id).exists(),
    )
)
_OPEN = (
    select(looks.c.id, looks.c.code, looks.c.drawn_at, made.c.seller_id, made.c.decided_by_id, made.c.second_by_id)
    .add_columns(made.c.verdict.label("first"), looks.c.looked_at, profiles.c.name, profiles.c.user_id)
    .join_from(looks, made, made.c.id == looks.c.statement_id)
    .join(sellers, sellers.c.id == made.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
)
_CALLED = _OPEN.where(looks.c.code == bindparam("code"))
_person: BindParameter[int] = bindparam("person")
_WAITING = (
    _OPEN.where(
        looks.c.looked_at.is_(None),
        made.c.decided_by_id != _person,
        or_(made.c.second_by_id.is_(None), made.c.second_by_id != _person),
        ~marks.near(made.c.seller_id),
    )
    .order_by(looks.c.drawn_at, looks.c.id)
    .limit(50)
)
_AGREED = (
    select(
        users.c.name,
        func.count().label("drawn"),
        func.count(looks.c.looked_at).label("looked"),
        func.sum(case((looks.c.verdict == made.c.verdict, 1), else_=0)).label("agreed"),
    )
    .join_from(looks, made, made.c.id == looks.c.statement_id)
    .join(users, users.c.id == made.c.decided_by_id)
    .where(looks.c.drawn_at > bindparam("since", type_=Moment()))
    .group_by(users.c.id, users.c.name)
    .order_by(users.c.name)
)


@jobs.regularly(timedelta(days=1))
def draw() -> None:
    """See to it that of the verdicts of the last week one in twenty is drawn, and one at least where there are any."""
    found = rows(_LAST_WEEK, since=clock.now() - WEEK)
    fresh = [row.id for row in found if row.look is None]
    wanted = ceil(len(found) * SHARE) - (len(found) - len(fresh))
    for statement in secrets.SystemRandom().sample(fresh, max(0, min(wanted, len(fresh)))):
        db.session.add(SecondLook(code=secrets.token_urlsafe(16), statement_id=statement, drawn_at=clock.now()))
    db.session.flush()


def waiting(person: Actor) -> list[Row[Any]]:
    """What this person may look at anew: not what they decided, nor what is their own."""
    return list(rows(_WAITING, person=person.id))


def called(code: str, person: Actor) -> Row[Any]:
    """One that waits for somebody like this person; for others it is not there."""
    row = first(_CALLED, code=code)
    if row is None or row.looked_at or _is_not_for(row, person):
        raise NotFound(_("There is nothing here to look at anew."))
    return row


def _is_not_for(row: Row[Any], person: Actor) -> bool:
    return person.id in (row.decided_by_id, row.second_by_id) or marks.is_near(row.seller_id, person.id)


def blind(seller: Seller) -> list[Step]:
    """The checklist with nothing of what the first one made of it."""
    steps = checklist.of(seller)
    return [step if step.state == State.MISSING else Step(step.item, State.GIVEN, "", Words()) for step in steps]


def give(code: str, verdict: str, *, by: Actor, words: str) -> bool:
    """Say what one would have decided, once; tells whether the first one decided so, too."""
    row = called(code, by)
    if verdict not in VERDICTS:
        raise Refused(_("Choose what you would have decided."), 422)
    if len(words.strip()) < SHORTEST:
        raise Refused(_("Say why, in at least %(n)s characters.", n=SHORTEST), 422)
    told = {"verdict": verdict, "words": words.strip()[:900], "looked_by_id": by.id, "looked_at": clock.now()}
    free = update(looks).where(looks.c.id == row.id, looks.c.looked_at.is_(None))
    if connection().execute(free.values(told)).rowcount != 1:
        raise Refused(_("Somebody has looked at this just now."))
    audit.note("second look", f"seller:{row.name}"[:80], by=by, reason=words.strip(), after={"verdict": verdict})
    return bool(verdict == row.first)


def agreement() -> list[Row[Any]]:
    """Of whom how many verdicts were drawn in a year, how many were looked at, and how many were alike."""
    return list(rows(_AGREED, since=clock.now() - COUNTED))
