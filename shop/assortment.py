"""Assortment: what one seller has listed, at a glance and however much it is, and what each thing has cost."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select

from shop.audit import Actor
from shop.database import anywhere, rows
from shop.models import Picture, PriceChange, Product, ProductStatus, Profile, Seller, Variant
from shop.money import Money
from shop.products import FEW
from shop.words import Words

PAGE = 30
# Beside the states: what lacks a required fact; what sold before, and of which one size or colour is gone, or nearly.
LACKS, SOLD_OUT, RUNNING_OUT = "lacks", "sold_out", "running_out"
STATES = (*(str(state) for state in ProductStatus), LACKS, SOLD_OUT, RUNNING_OUT)
LONGEST = 80  # of what is searched
MOST_CHANGES = 200

products, variants, pictures = Product.__table__, Variant.__table__, Picture.__table__
sellers, profiles, changes = Seller.__table__, Profile.__table__, PriceChange.__table__
_free = variants.c.stock - variants.c.held
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
    asked = {"words": anywhere(folded)} if folded else {}
    asked |= {"state": state} if state in tuple(ProductStatus) else {}
    asked |= {"after": after} if after else {}
    statement = _list(bool(folded), state if state in STATES else "", bool(after))
    found = [Listed._make(row) for row in rows(statement, person=person.id, **asked)]
    return Page(found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else "")


def history_of(product: Product) -> list[Change]:
    """What each of its sizes and colours has been sold for, the newest first."""
    found = rows(_HISTORY, product=product.id)
    return [Change(row.id, row.name, row.at, Money(row.price_minor, row.price_currency)) for row in found]


def _of_variants(what: Any) -> Any:
    return select(what).where(variants.c.product_id == products.c.id, variants.c.is_offered).scalar_subquery()


def _left(*most: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(variants.c.product_id == products.c.id, variants.c.is_offered, *most)


def _are(state: str) -> tuple[ColumnElement[bool], ...]:
    """In this state, or in one of the three beside them."""
    if state == LACKS:
        return (products.c.is_complete.is_(False),)
    if state not in (SOLD_OUT, RUNNING_OUT):
        return (products.c.status == bindparam("state"),)
    is_out, is_low = _left(_free <= 0), _left(_free <= FEW)
    sold = (products.c.status == ProductStatus.LIVE, products.c.sold > 0)
    return (*sold, is_out) if state == SOLD_OUT else (*sold, is_low, ~is_out)


@lru_cache(maxsize=64)
def _list(has_words: bool, state: str, has_after: bool) -> Select[Any]:
    """First which of them, from an index alone, and then what is to be seen of those few."""
    which = select(products.c.id).where(products.c.seller_id == _MINE)
    if has_words:
        which = which.where(products.c.searched.like(bindparam("words"), escape="\\"))
    which = which.where(*_are(state)) if state else which
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
