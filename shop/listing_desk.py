"""The listings' desk: which listings wait for a moderator, the longest first, and what a seller's came to before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, tuple_

from shop.clock import UTC
from shop.database import first, rows
from shop.models import CaseState, Event, ListingCase, Picture, Product, Profile, Seller, User
from shop.models import Moment as MomentType

PAGE = 20
FIRST = datetime(1, 1, 2, tzinfo=UTC)  # before every case

cases, products, pictures = ListingCase.__table__, Product.__table__, Picture.__table__
sellers, profiles, events, users = Seller.__table__, Profile.__table__, Event.__table__, User.__table__
_waiting = cases.c.state == CaseState.WAITING
_shown = (products.c.code.label("product"), products.c.title)
_QUEUE = (
    select(*cases.c["id", "code", "opened_at", "why"], *_shown)
    .add_columns(profiles.c.name.label("seller"), func.coalesce(pictures.c.name_216, pictures.c.name).label("picture"))
    .join_from(cases, products, products.c.id == cases.c.product_id)
    .join(sellers, sellers.c.id == products.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(pictures, (pictures.c.product_id == products.c.id) & (pictures.c.position == 0))
    .where(
        _waiting,
        tuple_(cases.c.opened_at, cases.c.id) > tuple_(bindparam("at", type_=MomentType()), bindparam("after")),
    )
    .order_by(cases.c.opened_at, cases.c.id)
    .limit(PAGE + 1)
)
_PLACE = select(cases.c.opened_at, cases.c.id).where(cases.c.code == bindparam("code"))
how_many = select(func.count()).where(_waiting)
_SINCE = select(func.min(cases.c.opened_at)).where(_waiting)  # by itself it is the first in the index
_HOW_MANY = select(how_many.scalar_subquery().label("n"), _SINCE.scalar_subquery().label("since"))
_OF_SELLER = (
    select(*cases.c["code", "state", "reason", "opened_at", "decided_at"], *_shown)
    .join_from(cases, products, products.c.id == cases.c.product_id)
    .where(products.c.seller_id == bindparam("seller"), cases.c.state.in_((CaseState.TAKEN_DOWN, CaseState.FIX)))
    .order_by(cases.c.id.desc())
    .limit(10)
)
_STORY = (
    select(*events.c["at", "was", "became", "note"], users.c.name)
    .join_from(events, users, users.c.id == events.c.user_id, isouter=True)
    .where(events.c.subject == "product", events.c.subject_id == bindparam("product"))
    .order_by(events.c.id)
)


def queue(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Listings that wait, the longest first, from after this case on; and the last of the leaf where there are more."""
    place = first(_PLACE, code=after) if after else None
    found = list(rows(_QUEUE, at=place.opened_at if place else FIRST, after=place.id if place else 0))
    return found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else None


def waiting() -> Row[Any]:
    """How many wait, and since when the first."""
    found = first(_HOW_MANY)
    assert found  # noqa: S101  a count is always there
    return found


def of_seller(seller: int) -> Sequence[Row[Any]]:
    """What was taken down or sent back of this seller lately."""
    return rows(_OF_SELLER, seller=seller)


def story(product: int) -> Sequence[Row[Any]]:
    """Everything that happened to a listing, in its order."""
    return rows(_STORY, product=product)
