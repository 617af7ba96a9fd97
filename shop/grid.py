"""The grid: the sizes and colours of a product, each with its price, its stock and its SKU.

A cell is known by its colour and size. One that was ever sold, or may lie in a cart, is never thrown away: it is taken
out of sale, and comes back when it is asked for again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from shop import prices, stock
from shop.database import db, rows, run
from shop.errors import Refused
from shop.i18n import LANGUAGES, _
from shop.models import CartLine, OrderLine, PriceChange, Product, StockHold, Variant
from shop.money import Money
from shop.words import Words

MOST = 100  # cells of one product
DEAREST = 10_000_000  # minor units
FULLEST = 1_000_000
LONGEST_SIZE, LONGEST_COLOR, LONGEST_SKU = 30, 40, 60
CURRENCY = "EUR"

variants = Variant.__table__
_OF = (
    select(*variants.c["id", "position", "color", "size", "sku", "stock", "held", "price_minor", "is_offered"])
    .where(variants.c.product_id == bindparam("product"))
    .order_by(variants.c.id)
    .with_for_update(key_share=True)
)
_AWAY = update(variants).where(variants.c.id == bindparam("variant")).values(position=-variants.c.id)
_PLACE = (
    update(variants)
    .where(variants.c.id == bindparam("variant"))
    .values(position=bindparam("place"), sku=bindparam("label"), is_offered=bindparam("is_on"))
)
_FREE_OF = delete(variants).where(
    variants.c.id == bindparam("variant"),
    *(~exists().where(table.variant_id == variants.c.id) for table in (OrderLine, StockHold, CartLine, PriceChange)),
)


class WrongCellError(Refused):
    """One cell cannot be: its number, counted from 0, and the part of it that is wrong."""

    def __init__(self, words: str, number: int, part: str, status: int = 422) -> None:
        super().__init__(words, status)
        self.number, self.part = number, part


class Cell(NamedTuple):
    """One size in one colour as the seller wants it. `seen` is the stock that they saw when they typed the new one."""

    price: Money
    stock: int
    color: Words = Words()
    size: str = ""
    sku: str = ""
    seen: int | None = None

    @property
    def key(self) -> tuple[Words, str]:
        """By what it is known."""
        return self.color, self.size


def lay(product: Product, cells: Sequence[Cell], *, is_asked: bool) -> None:
    """Make the product's variants these cells, in this order. `is_asked`: it is for sale, so a price counts from now.

    409 where the stock of one is no longer what the seller saw; 422 for what cannot be, such as less than is held.
    Where one cell is to blame it is a `WrongCellError`, which says which.
    """
    _see_to(cells)
    try:
        _lay(product, cells, prices.set_price if is_asked else prices.pencil)
    except IntegrityError as clash:  # the same cell, typed in two places at once
        raise Refused(_("This has just changed. Please look again.")) from clash


def _lay(product: Product, cells: Sequence[Cell], ask: Callable[[int, Money], None]) -> None:
    there = rows(_OF, product=product.id)
    here: dict[tuple[Words, str], Any] = {(row.color, row.size): row for row in there}
    kept = {here[cell.key].id for cell in cells if cell.key in here}
    for known in there:
        run(_AWAY, variant=known.id)
    _take_out([row for row in there if row.id not in kept], len(cells))
    for place, cell in enumerate(cells):
        row: Any = here.get(cell.key)
        number = row.id if row else _new(product.id, cell, place)
        if row:
            _count(row, cell, place)
        run(_PLACE, variant=number, place=place, label=cell.sku, is_on=True)
        ask(number, cell.price)


def _count(row: Any, cell: Cell, place: int) -> None:
    seen = row.stock if cell.seen is None else cell.seen
    if cell.stock == seen:
        return
    try:
        stock.count(row.id, cell.stock, seen)
    except Refused as no:
        raise WrongCellError(no.words, place, "stock", no.status) from no


def copy(product: Product, into: Product, pictures: Mapping[int, int]) -> None:
    """The same sizes and colours for another product, with nothing in stock; `pictures`: whose picture is now which."""
    for place, one in enumerate(each for each in product.variants if each.is_offered):
        cell = Cell(one.price, 0, one.color, one.size)
        number = _new(into.id, cell, place, picture=pictures.get(one.picture_id or 0))
        run(_PLACE, variant=number, place=place, label="", is_on=True)


def name_of(color: Words, size: str) -> Words:
    """Colour and size as one reads them: "lilac, 39"."""
    said = color or Words(dict.fromkeys(LANGUAGES, "") if size else {})
    return Words({code: ", ".join(filter(None, (word, size))) for code, word in said.items()})


def _new(product: int, cell: Cell, place: int, picture: int | None = None) -> int:
    made = Variant(code=secrets.token_hex(5), product_id=product, sku=cell.sku, color=cell.color, size=cell.size)
    made.name, made.stock, made.price, made.picture_id = name_of(*cell.key), cell.stock, cell.price, picture
    made.position = -(2**30) - place  # until it has its own
    db.session.add(made)
    db.session.flush()
    return made.id


def _take_out(gone: Sequence[Any], place: int) -> None:
    """Delete what nobody ever saw; take the rest out of sale, behind the others."""
    for row in gone:
        if run(_FREE_OF, variant=row.id) != 1:
            run(_PLACE, variant=row.id, place=place, label=row.sku, is_on=False)
            place += 1


def _see_to(cells: Sequence[Cell]) -> None:
    if not 0 < len(cells) <= MOST:
        raise Refused(_("A product has 1 to %(most)s sizes and colours together.", most=MOST), 422)
    if len({cell.key for cell in cells}) < len(cells):
        raise Refused(_("A colour with a size can be there only once."), 422)
    for number, cell in enumerate(cells):
        if not 0 < cell.price.minor <= DEAREST or cell.price.currency != CURRENCY:
            raise WrongCellError(_("This cannot be the price."), number, "price")
        if not 0 <= cell.stock <= FULLEST:
            raise WrongCellError(_("This cannot be the stock."), number, "stock")
        too_long = len(cell.size) > LONGEST_SIZE or len(cell.sku) > LONGEST_SKU
        if too_long or any(len(word) > LONGEST_COLOR for word in cell.color.values()):
            raise WrongCellError(_("A size, a colour or a SKU is too long."), number, "sku")
