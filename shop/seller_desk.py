"""The sellers' desk: whose application waits, who sells, and what happened to each; what moderators read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from shop.database import first, rows
from shop.models import Event, Profile, Seller, User, Vetting

PAGE = 20

sellers, profiles, events, users = Seller.__table__, Profile.__table__, Event.__table__, User.__table__

_QUEUE = (
    select(profiles.c.handle, profiles.c.name, sellers.c.kind, sellers.c.country, sellers.c.applied_at)
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .outerjoin(users, users.c.id == profiles.c.user_id)
    .where(sellers.c.vetting == Vetting.WAITING, or_(users.c.id.is_(None), users.c.is_active))
    .order_by(sellers.c.applied_at, sellers.c.id)
    .limit(PAGE + 1)
)
_SELLING = (
    select(*profiles.c["handle", "name"], *sellers.c["kind", "country", "vetting", "decided_at"])
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .where(sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)), profiles.c.handle > bindparam("after"))
    .order_by(profiles.c.handle)
    .limit(PAGE + 1)
)
_AFTER = (
    select(sellers.c.applied_at, sellers.c.id)
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .where(profiles.c.handle == bindparam("handle"))
)
_STORY = (
    select(events.c.at, events.c.was, events.c.became, events.c.note, users.c.name)
    .join_from(events, users, events.c.user_id == users.c.id, isouter=True)
    .where(events.c.subject == "seller", events.c.subject_id == bindparam("id"))
    .order_by(events.c.id)
)


def queue(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Waiting applications, the oldest first, and the handle after which the next page begins."""
    asked, place = _QUEUE, first(_AFTER, handle=after) if after else None
    if place is not None:
        older = (sellers.c.applied_at == place.applied_at) & (sellers.c.id > place.id)
        asked = asked.where((sellers.c.applied_at > place.applied_at) | older)
    found = list(rows(asked))
    return found[:PAGE], found[PAGE - 1].handle if len(found) > PAGE else None


def selling(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Who sells, or did until their sales were stopped, by handle; and the handle after which the next page begins."""
    found = list(rows(_SELLING, after=after))
    return found[:PAGE], found[PAGE - 1].handle if len(found) > PAGE else None


def story(seller: Seller) -> list[Row[Any]]:
    """Everything that happened to an application, in its order: who, when, what, and why."""
    return list(rows(_STORY, id=seller.id))
