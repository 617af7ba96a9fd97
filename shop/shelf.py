"""Shelf: everything that is for sale, in the order that one likes, a row of cards at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Row, Select, Text, and_, bindparam, cast, exists, select, tuple_

from shop import clock, prices
from shop.countries import HOME
from shop.database import same_rows, same_rows_and_more
from shop.delivery import delivery_dates, ordering_day
from shop.errors import NotFound
from shop.i18n import _
from shop.models import Category, DeliveryRate, Picture, Product, Seller, Variant
from shop.money import Money
from shop.prepared import Same
from shop.products import MAY_BE_SOLD, read_words
from shop.words import Words

SHELF = 24
BEST_SOLD, NEWEST, CHEAP_FIRST, DEAR_FIRST = "sold", "newest", "price", "price-down"
SORTS = (BEST_SOLD, NEWEST, CHEAP_FIRST, DEAR_FIRST)
KEEP_CATEGORIES = timedelta(seconds=60)
FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)

products, variants, pictures = Product.__table__, Variant.__table__, Picture.__table__
sellers, categories, rates = Seller.__table__, Category.__table__, DeliveryRate.__table__
_other = variants.alias()

# What a card shows; the conditions and the order come on top.
CARDS = (
    select(
        *products.c["code", "ships_from_city", "handling_days"],
        cast(products.c.title, Text).label("title"),  # a card that is remembered need not read it
        *pictures.c["name", "width", "height", "name_360", "name_640"],
        *variants.c["price_minor", "price_currency", "prior_minor", "reduced_at"],
        *rates.c["min_days", "max_days"],
        exists()
        .where(_other.c.product_id == products.c.id, _other.c.stock > _other.c.held, _other.c.is_offered)
        .label("is_in_stock"),
    )
    .join(variants, and_(variants.c.product_id == products.c.id, variants.c.position == 0))
    .join(sellers, sellers.c.id == products.c.seller_id)
    .outerjoin(pictures, and_(pictures.c.product_id == products.c.id, pictures.c.position == 0))
    .outerjoin(rates, and_(rates.c.product_id == products.c.id, rates.c.country == HOME))
    .where(*MAY_BE_SOLD)
    .limit(SHELF + 1)  # one more, to know whether there is more
)


class Order(NamedTuple):
    """A way to sort: by this column and then by code, so that equal values have an order too."""

    column: str
    is_descending: bool
    start: Any  # before the first

    def statement(self, *conditions: Any) -> Select[Any]:
        """The cards after a place, in this order."""
        key = (products.c[self.column], products.c.code)
        place = tuple_(bindparam("value", type_=key[0].type), bindparam("code"))
        after = tuple_(*key) < place if self.is_descending else tuple_(*key) > place
        order = [column.desc() if self.is_descending else column for column in key]
        found: Select[Any] = CARDS.add_columns(key[0].label("key")).where(after, *conditions).order_by(*order)
        return found


_ORDERS = {
    BEST_SOLD: Order("sold", True, 2**31 - 1),
    NEWEST: Order("created_at", True, FAR_AHEAD),
    CHEAP_FIRST: Order("price_minor", False, -1),
    DEAR_FIRST: Order("price_minor", True, 2**62),
}
_ALL = {sort: order.statement() for sort, order in _ORDERS.items()}
_OF_ONE_KIND = {
    sort: order.statement(products.c.category_id == bindparam("category")) for sort, order in _ORDERS.items()
}
_CATEGORIES = (
    select(*categories.c["id", "slug"], cast(categories.c.name, Text).label("name"))
    .where(
        exists()
        .where(products.c.category_id == categories.c.id, *MAY_BE_SOLD)
        .where(sellers.c.id == products.c.seller_id)
    )
    .order_by(categories.c.position, categories.c.slug)
)


class Card(NamedTuple):
    """A product on a shelf. Everything a card shows is in here, so the card may be cached by it."""

    code: str
    told: str  # its title, as JSON
    city: str
    picture: str | None
    width: int | None
    height: int | None
    name_360: str | None
    name_640: str | None
    minor: int
    currency: str
    prior_minor: int | None
    arrives: date | None
    is_in_stock: bool

    @property
    def title(self) -> Words:
        """The title, in the languages that there are."""
        return read_words(self.told)

    @property
    def price(self) -> Money:
        """What the main variant costs."""
        return Money(self.minor, self.currency)

    @property
    def prior(self) -> Money | None:
        """The lowest price of the thirty days before the reduction, where there is one to announce."""
        return Money(self.prior_minor, self.currency) if self.prior_minor else None


@dataclass(frozen=True, eq=False)  # the same rows are the same object: see `_kinds`
class Kind:
    """A category in which something is for sale."""

    id: int
    slug: str
    name: Words


class Signs(NamedTuple):
    """What stands above a shelf: the kinds, the orders, and which of them it is; remembered by this."""

    kinds: tuple[Kind, ...]
    kind: Kind | None
    sort: str

    def read(self) -> Signs:
        """There is nothing to be read first."""
        return self


@dataclass(frozen=True, eq=False)  # the same rows are the same object: see `_laid_out`
class Shelf:
    """A row of cards, and the place after which the next one begins; None at the end."""

    cards: tuple[Card, ...]
    more: str | None


def shelf(sort: str = BEST_SOLD, kind: Kind | None = None, after: str = "") -> Shelf:
    """Up to `SHELF` products of this kind, from the start or after a place that an earlier shelf gave."""
    if kind:
        return lay_out(_OF_ONE_KIND[sort], sort, after, category=kind.id)
    return lay_out(_ALL[sort], sort, after)


def best_sold(*conditions: Any) -> Select[Any]:
    """The statement for a shelf of those products that meet the conditions, best sold first."""
    return _ORDERS[BEST_SOLD].statement(*conditions)


def lay_out(statement: Select[Any], sort: str, after: str, **values: Any) -> Shelf:
    """One shelf of what the statement finds, which is in the order `sort`: from memory, where it was laid out before.

    Each card has the day of arrival, and a saving only where it may be announced.
    """
    value, code = read_place(after, _ORDERS[sort])
    found, now = same_rows_and_more(statement, value=value, code=code, **values), clock.now()
    savings = tuple([prices.announced(prior, reduced_at, now) for prior, reduced_at in _reduced(found)])
    return _laid_out(found, savings, ordering_day(now))


@lru_cache(maxsize=1_000)
def _reduced(found: Same) -> tuple[tuple[int, datetime], ...]:
    """Of each row that has one its prior price, and since when it costs less."""
    return tuple((row.prior_minor, row.reduced_at) for row in found.rows[:SHELF] if row.prior_minor)


@lru_cache(maxsize=1_000)
def _laid_out(found: Same, savings: tuple[int | None, ...], today: date) -> Shelf:
    """The same rows on the same day are the same shelf; `savings` are those of the rows that have a prior price."""
    of_each, shown = iter(savings), found.rows[:SHELF]
    told = _cards(shown, [next(of_each) if row.prior_minor else None for row in shown], today)
    return Shelf(told, place(found.rows[SHELF - 1]) if len(found.rows) > SHELF else None)


def _cards(found: Sequence[tuple[Any, ...]], savings: Sequence[int | None], today: date) -> tuple[Card, ...]:
    # Taken apart by position: looking up sixteen names in each of the rows costs as much as asking for them.
    return tuple(
        Card(
            code,
            told,
            city,
            picture,
            width,
            height,
            name_360,
            name_640,
            minor,
            currency,
            saving,
            None if most is None else delivery_dates(handling, least, most, today).last,
            is_in_stock,
        )
        for (
            code,
            city,
            handling,
            told,
            picture,
            width,
            height,
            name_360,
            name_640,
            minor,
            currency,
            _prior,
            _reduced_at,
            least,
            most,
            is_in_stock,
            *_key_and_more,
        ), saving in zip(found, savings, strict=True)
    )


def kinds() -> tuple[Kind, ...]:
    """The categories in which something is for sale, as they were at most a minute ago."""
    kept: tuple[datetime, tuple[Kind, ...]] | None = current_app.extensions.get("shop.kinds")
    if kept is None or clock.now() - kept[0] > KEEP_CATEGORIES:
        kept = current_app.extensions["shop.kinds"] = (clock.now(), _kinds(same_rows(_CATEGORIES)))
    return kept[1]


@lru_cache(maxsize=16)
def _kinds(found: Same) -> tuple[Kind, ...]:
    return tuple([Kind(row.id, row.slug, read_words(row.name)) for row in found.rows])


def kind(slug: str) -> Kind | None:
    """The category with this slug; None for no slug, `NotFound` if there is nothing of the kind."""
    if not slug:
        return None
    found = next((known for known in kinds() if known.slug == slug), None)
    if found is None:
        raise NotFound(_("There is nothing of this kind at the moment."))
    return found


def place(row: Row[Any]) -> str:
    """Where a list stands after this row, by its `key` and its `code`."""
    return f"{_microseconds(row.key) if isinstance(row.key, datetime) else row.key}-{row.code}"


def read_place(after: str, order: Order) -> tuple[Any, str]:
    """Key and code of a place that `place` gave; of anything else those before the first."""
    number, _dash, code = after.partition("-")
    if not (number.isdecimal() and len(number) < 19 and code):
        return order.start, "~"
    if isinstance(order.start, datetime):
        return _moment(int(number)), code
    return min(int(number), order.start) if order.is_descending else int(number), code


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(microseconds, 2**57))
