"""Showcase: the window of one creator or seller, with their clips, their products and who they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, bindparam, cast, select, tuple_

from shop import checklist, shelf
from shop.database import same_rows
from shop.errors import NotFound
from shop.i18n import _
from shop.models import Clip, Product, Profile, Seller, Tag
from shop.prepared import Same
from shop.products import MAY_BE_SEEN, read_words
from shop.sellers import may_sell

CLIPS = 12  # at a time
NEWEST = shelf.Order("published_at", True, shelf.FAR_AHEAD)

profiles, sellers = Profile.__table__, Seller.__table__
clips, tags, products = Clip.__table__, Tag.__table__, Product.__table__

_PROFILE = (
    select(
        *profiles.c["id", "handle", "name", "avatar"],
        cast(profiles.c.bio, Text).label("bio"),
        sellers.c.id.label("seller_id"),
        *sellers.c["kind", "legal_name", "company_register", "company_number", "vat_number", "email", "phone"],
        *sellers.c["street", "postcode", "city", "country", "is_self_certified", "decided_at"],
        checklist.accepted.label("checked"),
        checklist.payee.label("payee"),
    )
    .outerjoin(sellers, (sellers.c.profile_id == profiles.c.id) & may_sell)
    .where(profiles.c.handle == bindparam("handle"))
)
_CLIPS = (
    select(
        *clips.c["code", "poster", "width", "height"],
        cast(clips.c.caption, Text).label("caption"),
        clips.c.published_at.label("key"),
    )
    .where(clips.c.profile_id == bindparam("profile"), *MAY_BE_SEEN)
    .where(
        tuple_(clips.c.published_at, clips.c.code)
        < tuple_(bindparam("value", type_=clips.c.published_at.type), bindparam("code"))
    )
    .order_by(clips.c.published_at.desc(), clips.c.code.desc())
    .limit(CLIPS + 1)  # one more, to know whether there is more
)
_OWN = shelf.best_sold(products.c.seller_id == bindparam("seller"))
_SHOWN = shelf.best_sold(
    products.c.id.in_(
        select(tags.c.product_id)
        .join(clips, clips.c.id == tags.c.clip_id)
        .where(clips.c.profile_id == bindparam("profile"), *MAY_BE_SEEN)
    )
)


class Seen(NamedTuple):
    """A clip of theirs."""

    code: str
    poster: str
    width: int
    height: int
    caption: str  # as JSON


@dataclass(frozen=True, eq=False)  # the same rows are the same object: see `_window`
class Window:
    """A profile and its clips as the database gave them; the top of its page may be remembered by this."""

    facts: Row[Any]
    clips: tuple[Seen, ...]
    more: str | None  # the place after which the next clips begin; None at the end

    def read(self) -> SimpleNamespace:
        """The same, as the page shows it."""
        facts = SimpleNamespace(**self.facts._mapping)
        facts.bio = read_words(facts.bio)
        seen = [SimpleNamespace(**{**clip._asdict(), "caption": read_words(clip.caption)}) for clip in self.clips]
        return SimpleNamespace(profile=facts, clips=seen, more=self.more)

    @property
    def is_seller(self) -> bool:
        """Do they sell things of their own, or show those of others?"""
        return self.facts.seller_id is not None


def find(handle: str, after: str = "") -> Window:
    """The window of this name, with its newest clips or those after a place; `NotFound` if there is none."""
    who = same_rows(_PROFILE, handle=handle)
    if not who.rows:
        raise NotFound(_("There is nobody of this name here."))
    value, code = shelf.read_place(after, NEWEST)
    return _window(who, same_rows(_CLIPS, profile=who.rows[0].id, value=value, code=code))


@lru_cache(maxsize=1_000)
def _window(who: Same, seen: Same) -> Window:
    more = shelf.place(seen.rows[CLIPS - 1]) if len(seen.rows) > CLIPS else None
    return Window(who.rows[0], tuple([Seen._make(row[:-1]) for row in seen.rows[:CLIPS]]), more)


def goods(window: Window, after: str = "") -> shelf.Shelf:
    """What a seller sells, or else what is to be seen in somebody's clips."""
    if window.is_seller:
        return shelf.lay_out(_OWN, shelf.BEST_SOLD, after, seller=window.facts.seller_id)
    return shelf.lay_out(_SHOWN, shelf.BEST_SOLD, after, profile=window.facts.id)
