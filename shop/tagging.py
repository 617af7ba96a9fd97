"""Tagging: which products are to be seen in a clip, when and where, and what its creator has to say about that."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, select

from shop.database import db, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.media import SHORTEST_TAG
from shop.models import Clip, Disclosure, Product, Profile, Seller, Tag, Variant
from shop.money import Money
from shop.products import MAY_BE_SOLD
from shop.words import Words

MOST_TAGS = 20
MOST_SEARCHED = 2000  # the best-selling ones; a large shop needs its search for more
MOST_FOUND = 40
LONGEST_CLIP = 60_000

products, sellers = Product.__table__, Seller.__table__
variants, profiles, tags = Variant.__table__, Profile.__table__, Tag.__table__

_SELLABLE = (
    select(
        *(products.c.id, products.c.code, products.c.title, products.c.seller_id),
        *(profiles.c.name.label("seller"), variants.c.price_minor, variants.c.price_currency),
        (profiles.c.user_id == bindparam("user")).label("is_own"),
        products.c.creator_rate.label("rate"),
    )
    .join(sellers, sellers.c.id == products.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .join(variants, and_(variants.c.product_id == products.c.id, variants.c.position == 0))
    .where(*MAY_BE_SOLD)
)


_SHOWN = (
    select(
        *(tags.c.code, tags.c.start_ms, tags.c.end_ms, tags.c.x, tags.c.y),
        *(products.c.code.label("product"), products.c.title, and_(*MAY_BE_SOLD).label("is_for_sale")),
    )
    .join(products, products.c.id == tags.c.product_id)
    .join(sellers, sellers.c.id == products.c.seller_id)
    .where(tags.c.clip_id == bindparam("clip"))
    .order_by(tags.c.start_ms, tags.c.id)
)


class Choice(NamedTuple):
    """A product that may be tagged."""

    id: int
    code: str
    title: Words
    seller_id: int
    seller: str
    minor: int
    currency: str
    is_own: bool
    rate: int  # what its seller offers to who shows it, in hundredths of a per cent

    @property
    def price(self) -> Money:
        """What its main variant costs."""
        return Money(self.minor, self.currency)


class Place(NamedTuple):
    """Where and while a product is to be seen: milliseconds, and parts of the frame's width and height."""

    start: int
    end: int
    x: float
    y: float


def sellable(user_id: int, words: str = "") -> list[Choice]:
    """Products that may be tagged, one's own first; with `words`, those that have them in their title or their shop."""
    best = _SELLABLE.order_by(products.c.sold.desc(), products.c.code).limit(MOST_SEARCHED)
    found = [Choice._make(row) for row in rows(best, user=user_id)]
    wanted = words.casefold().split()
    fits = [choice for choice in found if all(word in _searched(choice) for word in wanted)]
    return sorted(fits, key=lambda choice: not choice.is_own)[:MOST_FOUND]


def _searched(choice: Choice) -> str:
    return " ".join((*choice.title.values(), choice.seller)).casefold()


def add(clip: Clip, product: str, place: Place) -> Tag:
    """Show that a product is to be seen there and then."""
    if len(clip.tags) >= MOST_TAGS:
        raise Refused(_("A clip may have at most %(most)s tags.", most=MOST_TAGS), 409)
    added = Tag(code=secrets.token_hex(6), product_id=_for_sale(product))
    _put(clip, added, place)
    clip.tags.append(added)
    clip.disclosure = disclosed(clip, Disclosure(clip.disclosure))
    db.session.flush()
    return added


def change(clip: Clip, code: str, product: str, place: Place) -> Tag:
    """Move a tag, or let it show another product."""
    changed = _of(clip, code)
    chosen = _for_sale(product)
    _put(clip, changed, place)
    changed.product_id = chosen
    clip.disclosure = disclosed(clip, Disclosure(clip.disclosure))
    return changed


def remove(clip: Clip, code: str) -> None:
    """Take a tag away. What was disclosed stays: the clip may have earned already."""
    clip.tags.remove(_of(clip, code))


def _of(clip: Clip, code: str) -> Tag:
    for known in clip.tags:
        if known.code == code:
            return known
    raise NotFound(_("This tag is not there any more."))


def _for_sale(code: str) -> int:
    found = db.session.execute(_SELLABLE.where(products.c.code == code), {"user": 0}).first()
    if found is None:
        raise Refused(_("Choose a product that is for sale."), 422)
    return int(found.id)


def _put(clip: Clip, put: Tag, place: Place) -> None:
    end = min(place.end, clip.duration_ms or LONGEST_CLIP)
    if not 0 <= place.start <= end - SHORTEST_TAG:
        raise Refused(_("A tag has to be seen for at least half a second, before the clip ends."), 422)
    if not (0 <= place.x <= 1 and 0 <= place.y <= 1):
        raise Refused(_("Choose a place inside the frame."), 422)
    put.start_ms, put.end_ms, put.x, put.y = place.start, end, place.x, place.y


def shown(clip: Clip) -> list[Row[Any]]:
    """A clip's tags with what they show, in the order of their seconds."""
    return list(rows(_SHOWN, clip=clip.id))


def is_bound(clip: Clip) -> bool:
    """Does the creator earn by another's product, so that the clip has to say so?"""
    return bool(set(db.session.scalars(_owners(clip))) - {clip.profile_id})


def disclosed(clip: Clip, wanted: Disclosure) -> Disclosure:
    """The least that the law lets a creator say: who earns by another's product says so, always."""
    owners = set(db.session.scalars(_owners(clip)))
    if not owners:
        return wanted
    if owners - {clip.profile_id}:
        return Disclosure.COMMISSION
    return Disclosure.OWN_PRODUCTS if wanted == Disclosure.NONE else wanted


def _owners(clip: Clip) -> Any:
    """The profiles of those whose products are tagged."""
    tagged = [tag.product_id for tag in clip.tags]
    return select(Seller.profile_id).join(Product, Product.seller_id == Seller.id).where(Product.id.in_(tagged))
