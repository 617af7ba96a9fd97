"""Assortment: what one seller has listed, at a glance and however much it is, and what each thing has cost."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select

from shop.audit import Actor
from shop.database import rows
from shop.models import Picture, PriceChange, Product, ProductStatus, Profile, Seller, Variant
from shop.money import Money
from shop.words import Words

PAGE = 30
LACKS = "lacks"  # beside the states: what lacks a required fact
STATES = (*(str(state) for state in ProductStatus), LACKS)
LONGEST = 80  # of what is searched
MOST_CHANGES = 200

products, variants, pictures = Product.__table__, Variant.__table__, Picture.__table__
sellers, profiles, changes = Seller.__table__, Profile.__table__, PriceChange.__table__
_MINE = (
    select(sellers.c.id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(profiles.c.user_id == bindparam("person"))
    .scalar_subquery()
)
_before = products.alias("before")
_BEFORE = select(_before.c.id).where(_before.c.code == bindparam("after")).scalar_subquery()
_HISTORY = (
    select(variants.c.id, variants.c.name, *changes.c["at", "price_minor", "price_currency"])
    .join(changes, changes.c.variant_id == variants.c.id)
    .where(variants.c.product_id == bindparam("product"))
    .order_by(changes.c.at.desc(), changes.c.id.desc())
    .limit(MOST_CHANGES)
)


class Listed(NamedTuple):
    """A product in its seller's list."""

    code: str
    title: Words
    status: str
    is_complete: bool
    picture: str | None
    least_minor: int | None
    most_minor: int | None
    left: int
    choices: int

    @property
    def prices(self) -> list[Money]:
        """What it costs: nothing yet, one price, or the lowest and the highest."""
        return [Money(minor, "EUR") for minor in sorted({self.least_minor, self.most_minor} - {None})]  # type: ignore[type-var, arg-type]


class Change(NamedTuple):
    """What a variant cost from a moment on."""

    variant: int
    name: Words
    at: datetime
    price: Money


class Page(NamedTuple):
    """Some of the list, and the code after which it goes on; empty where it ends."""

    rows: list[Listed]
    more: str


def page_of(person: Actor, *, words: str = "", state: str = "", after: str = "") -> Page:
    """This person's products, the newest first: with these words in a title, in this state, from `after` on."""
    folded = words.casefold().strip()[:LONGEST]
    asked = {"words": f"%{_plain(folded)}%"} if folded else {}
    asked |= {"state": state} if state in STATES and state != LACKS else {}
    asked |= {"after": after} if after else {}
    statement = _list(bool(folded), state if state in STATES else "", bool(after))
    found = [Listed._make(row) for row in rows(statement, person=person.id, **asked)]
    return Page(found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else "")


def history_of(product: Product) -> list[Change]:
    """What each of its sizes and colours has been sold for, the newest first."""
    return [Change(*row[:3], Money(*row[3:])) for row in rows(_HISTORY, product=product.id)]


def _plain(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _of_variants(what: Any) -> Any:
    return select(what).where(variants.c.product_id == products.c.id, variants.c.is_offered).scalar_subquery()


@lru_cache(maxsize=64)
def _list(has_words: bool, state: str, has_after: bool) -> Select[Any]:
    """First which of them, from an index alone, and then what is to be seen of those few."""
    which = select(products.c.id).where(products.c.seller_id == _MINE)
    if has_words:
        which = which.where(products.c.searched.like(bindparam("words"), escape="\\"))
    if state == LACKS:
        which = which.where(products.c.is_complete.is_(False))
    elif state:
        which = which.where(products.c.status == bindparam("state"))
    if has_after:
        which = which.where(products.c.id < _BEFORE)
    few = which.order_by(products.c.id.desc()).limit(PAGE + 1).subquery()
    return (
        select(
            *products.c["code", "title", "status", "is_complete"],
            func.coalesce(pictures.c.name_216, pictures.c.name).label("picture"),
            _of_variants(func.min(variants.c.price_minor)),
            _of_variants(func.max(variants.c.price_minor)),
            func.coalesce(_of_variants(func.sum(variants.c.stock - variants.c.held)), 0),
            _of_variants(func.count()),
        )
        .join(few, few.c.id == products.c.id)
        .outerjoin(pictures, (pictures.c.product_id == products.c.id) & (pictures.c.position == 0))
        .order_by(products.c.id.desc())
    )
