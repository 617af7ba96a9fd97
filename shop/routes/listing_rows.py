"""Rows of fields that a form has many of: the cells of a grid, and the stretches of a delivery table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import request

from shop import amounts, delivery_tables, listings
from shop.countries import COUNTRIES
from shop.delivery_tables import Stretch
from shop.errors import Refused
from shop.grid import CURRENCY, MOST, Cell
from shop.i18n import _, decimal_sign
from shop.listing_facts import HEAVIEST
from shop.models import Product
from shop.money import Money
from shop.words import Words

BLANK = 2  # empty rows under a table, to be filled in
_BETWEEN = re.compile(r"(?:^|\s+)/(?:\s+|$)")  # and not in "black/white"
_SPLIT = re.compile(r"[,;\n]")


def minor(text: str) -> int:
    """An amount as one types it, in cents; 422 for what is none."""
    if (found := amounts.hundredths(text)) is None:
        raise Refused(_("Write an amount as 12.50."), 422)
    return found


def whole(text: str) -> int:
    """A whole number that is not negative; 422 for what is none."""
    if (found := amounts.whole(text)) is None:
        raise Refused(_("Fill in a whole number."), 422)
    return found


def typed(amount: int | None) -> str:
    """An amount in cents as a field has it: `12.50`, in Dutch `12,50`."""
    return "" if amount is None else amounts.decimal(amount, decimal_sign())


def color_of(text: str) -> Words:
    """A colour as one types it: "lila / lilac" is Dutch and English, one word is both."""
    parts = [part.strip() for part in _BETWEEN.split(text, maxsplit=1) if part.strip()]
    return Words(nl=parts[0], en=parts[-1]) if parts else Words()


def said_both(color: Words) -> str:
    """A colour as one types it."""
    texts = [color[code] for code in ("nl", "en") if color.get(code)]
    return " / ".join(dict.fromkeys(texts))


def known_color(product: Product, text: str) -> Words:
    """A colour that the product has, by how one types it; else a new one. One with a single language stays itself."""
    return {said_both(one.color): one.color for one in product.variants}.get(text.strip()) or color_of(text)


class Typed(NamedTuple):
    """A cell of the grid as it stands in the form."""

    color: str
    size: str
    price: str
    stock: str
    sku: str
    seen: str = ""
    held: int = 0

    @property
    def name(self) -> str:
        """What it is called on the page."""
        return ", ".join(filter(None, (self.color, self.size)))

    def cell(self, product: Product) -> Cell:
        """What the rules are told."""
        seen = whole(self.seen) if self.seen else None
        color = known_color(product, self.color)
        return Cell(Money(minor(self.price), CURRENCY), whole(self.stock), color, self.size, self.sku.strip(), seen)

    def wrongs(self) -> dict[str, str]:
        """What in it is no amount or no number, and why, by the names of its fields."""
        found = {}
        for part, read in (("price", minor), ("stock", whole)):
            try:
                read(getattr(self, part))
            except Refused as no:
                found[part] = no.words
        return found


class Grid(NamedTuple):
    """The grid as it stands in the form: its sizes, its colours, and a cell for each of them."""

    sizes: str
    colors: list[str]
    cells: list[Typed]
    wrong: dict[tuple[int, str], str] = {}  # noqa: RUF012  by the cell's number, from 0, and its field; never changed

    @classmethod
    def of(cls, product: Product) -> Grid:
        """As it is kept."""
        offered = listings.offered(product)
        cells = [
            Typed(
                *(said_both(one.color), one.size, typed(one.price.minor), str(one.stock), one.sku),
                *(str(one.stock), one.held),
            )
            for one in offered
        ]
        return cls._around(cells or [Typed("", "", "", "", "")])

    @classmethod
    def sent(cls) -> Grid:
        """As it was typed, cell by cell."""
        columns = [
            request.form.getlist(name)[: MOST + 1] for name in ("color", "size", "price", "stock", "sku", "seen")
        ]
        return cls._around([Typed(*row) for row in zip(*columns, strict=False)])

    @property
    def is_other_than_asked(self) -> bool:
        """Are colours and sizes named that there are no cells for, or cells for others? Then those are shown first."""
        here = ", ".join(self.colors)
        sizes, colors = request.form.get("sizes", self.sizes), request.form.get("colors", here)
        return _listed(sizes) != _listed(self.sizes) or _as_said(colors) != _as_said(here)

    def wrongs(self) -> dict[tuple[int, str], str]:
        """What cannot be read in which cell."""
        return {(n, part): words for n, cell in enumerate(self.cells) for part, words in cell.wrongs().items()}

    def as_it_lies(self, product: Product) -> Grid:
        """What was typed, but the stock as it is now: who saw an old one has to see that."""
        now = {(one.color, one.size): one for one in Grid.of(product).cells}
        cells = []
        for cell in self.cells:
            lies = now.get((cell.color, cell.size), cell)
            is_old = lies.stock != cell.seen
            cells.append(cell._replace(stock=lies.stock, seen=lies.seen, held=lies.held) if is_old else cell)
        return self._replace(cells=cells)

    @classmethod
    def asked(cls) -> Grid:
        """With a cell for each size in each colour that was typed; what a cell had already, it keeps."""
        known = {(cell.color, cell.size): cell for cell in cls.sent().cells}
        price = next((cell.price for cell in known.values() if cell.price), "")
        sizes, colors = _listed(request.form.get("sizes", "")), _as_said(request.form.get("colors", ""))
        wanted = [(color, size) for color in colors or [""] for size in sizes or [""]]
        cells = [known.get(key) or Typed(*key, price, "", "") for key in wanted[: MOST + 1]]
        return cls._around(cells)

    @classmethod
    def _around(cls, cells: list[Typed]) -> Grid:
        sizes, colors = (
            list(dict.fromkeys(filter(None, names))) for names in ((c.size for c in cells), (c.color for c in cells))
        )
        return cls(", ".join(sizes), colors, cells)


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in _SPLIT.split(text[:2000]) if part.strip()))


def _as_said(text: str) -> list[str]:
    return [said_both(color_of(color)) for color in _listed(text)]


COLUMNS = ("country", "up_to", "min_days", "max_days", "cost", "free_from")


class Stretches(NamedTuple):
    """The rows of a delivery table as they stand in the form, and some empty ones under them."""

    rows: list[dict[str, str]]

    @classmethod
    def of_product(cls, product: Product) -> Stretches:
        """What was set by hand for this product."""
        return cls.of(product.delivery if product.has_own_delivery else ())

    @classmethod
    def of(cls, kept: Sequence[Any]) -> Stretches:
        """As they are kept."""
        return cls([*map(_as_typed, kept), *({} for _n in range(BLANK))])

    @classmethod
    def sent(cls) -> Stretches:
        """As they were typed."""
        most = delivery_tables.MOST_ROWS + 1
        columns = [request.form.getlist(name)[:most] for name in COLUMNS]
        columns[1] = columns[1] or [""] * len(columns[0])
        return cls([dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=False)])

    def read(self) -> list[Stretch]:
        """What the rules are told; a row without a country is no row."""
        return [_as_told(row) for row in self.rows if row.get("country")]


def _as_typed(kept: Any) -> dict[str, str]:
    grams = getattr(kept, "up_to_grams", HEAVIEST)
    cost = kept.cost_minor if hasattr(kept, "cost_minor") else kept.cost.minor
    days = {"min_days": str(kept.min_days), "max_days": str(kept.max_days)}
    up_to = "" if grams == HEAVIEST else str(grams)
    return {
        "country": kept.country,
        "up_to": up_to,
        **days,
        "cost": typed(cost),
        "free_from": typed(kept.free_from_minor),
    }


def _as_told(row: dict[str, str]) -> Stretch:
    if row["country"] not in COUNTRIES:
        raise Refused(_("Choose a country."), 422)
    free_from = minor(row["free_from"]) if row["free_from"].strip() else None
    up_to = whole(row["up_to"]) if row["up_to"].strip() else HEAVIEST
    return Stretch(row["country"], whole(row["min_days"]), whole(row["max_days"]), minor(row["cost"]), free_from, up_to)
