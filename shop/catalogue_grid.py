"""Catalogue grid: what the lines of one product say about its sizes and colours, held to how they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row

from shop import catalogue_columns, grid
from shop.catalogue_columns import is_same
from shop.catalogue_csv import Line
from shop.errors import Refused
from shop.grid import Cell
from shop.i18n import LANGUAGES, _
from shop.money import Money
from shop.words import Words

_VARIANT = ("sku", "size", "price", *(f"color_{code}" for code in LANGUAGES))
_TELLS = (*_VARIANT, "stock")


class Wrong(Exception):  # noqa: N818  a cell is no error of ours
    """A cell that cannot be: in which line and column, and why."""

    def __init__(self, line: int, column: str, words: str) -> None:
        super().__init__(words)
        self.line, self.column, self.words = line, column, words


class Known(NamedTuple):
    """A product as it is now, as cells and as rows."""

    row: Row[Any] | None
    cells: dict[str, str]
    variants: Sequence[Row[Any]]


Group = list[Line]


def cell_of(line: Line, name: str) -> str:
    """What stands there, without the spaces around it."""
    return line.cells.get(name, "").strip()


class OfLine(NamedTuple):
    """What a line says about a size and colour."""

    columns: list[str]
    is_new: bool
    stock: int | None


def whole_grid(group: Group, known: Known, seen: Mapping[int, int | None]) -> tuple[list[Cell], dict[int, OfLine]]:
    """The whole grid as it becomes, and what each line changes in it; an empty one where nothing changes.

    A line that says nothing about a size and colour is about the product alone.
    """
    cells = {row.id: _as_is(row) for row in known.variants}
    told: dict[int, OfLine] = {}
    new: list[Cell] = []
    there: set[int] = set()
    for line in group:
        if not any(cell_of(line, name) for name in _TELLS):
            told[line.number] = OfLine([], False, None)
            continue
        row = _variant_of(line, known)
        if row and row.id in there:
            raise Wrong(line.number, "sku", _("Another line is about the same size and colour."))
        cell, columns = _readcell_of(line, row, seen.get(line.number))
        told[line.number] = OfLine(columns, row is None, row.stock if row else None)
        if row is None:
            new.append(cell)
        else:
            cells[row.id] = cell
            there.add(row.id)
    whole = [*cells.values(), *new]
    keys = [cell.key for cell in whole]
    if len(set(keys)) < len(keys):
        raise Wrong(group[-1].number, "size", _("A colour with a size can be there only once."))
    return (whole if new or any(each.columns for each in told.values()) else []), told


def _as_is(row: Row[Any]) -> Cell:
    price = Money(row.price_minor, row.price_currency)
    return Cell(price, row.stock, row.color or Words(), row.size, row.sku, row.stock)


def _variant_of(line: Line, known: Known) -> Row[Any] | None:
    """Known by its SKU, where several have it by colour and size too; without one, by its colour and size."""
    color = {code: text for code in LANGUAGES if (text := cell_of(line, f"color_{code}"))}
    size = cell_of(line, "size")
    sku = cell_of(line, "sku")
    found = [row for row in known.variants if not sku or row.sku == sku]
    alike = [row for row in found if (row.color or {}) == color and row.size == size]
    return next(iter(alike or (found if sku else [])), None)


def _readcell_of(line: Line, row: Row[Any] | None, seen: int | None) -> tuple[Cell, list[str]]:
    now = catalogue_columns.variant_cells(row._mapping) if row else {}
    changed = [
        name for name in _VARIANT if cell_of(line, name) and not is_same(name, line.cells[name], now.get(name, ""))
    ]
    cells = {**now, **{name: line.cells[name].strip() for name in changed}}
    count = _stock(line, row)
    if count is not None and (row is None or count != row.stock):
        changed.append("stock")
    before = None if row is None else _seen(line, row, seen) if "stock" in changed else row.stock
    left = count if count is not None else row.stock if row else 0
    color = Words({code: text for code in LANGUAGES if (text := cells.get(f"color_{code}", ""))})
    return Cell(_price(line, cells), left, color, cells.get("size", ""), cells.get("sku", ""), before), changed


def _price(line: Line, cells: Mapping[str, str]) -> Money:
    if not (told := cells.get("price", "")):
        raise Wrong(line.number, "price", _("A new size or colour needs a price."))
    try:
        minor = catalogue_columns.hundredths(told)
    except Refused as no:
        raise Wrong(line.number, "price", no.words) from no
    if not 0 < minor <= grid.DEAREST:
        raise Wrong(line.number, "price", _("This cannot be the price."))
    for name, most in (("size", grid.LONGEST_SIZE), *((f"color_{code}", grid.LONGEST_COLOR) for code in LANGUAGES)):
        if len(cells.get(name, "")) > most:
            raise Wrong(line.number, name, _("This is too long: use at most %(most)s characters.", most=most))
    return Money(minor, grid.CURRENCY)


def _stock(line: Line, row: Row[Any] | None) -> int | None:
    """The stock as it is told; None where nothing is told, or the same as when the file was made."""
    told, was = cell_of(line, "stock"), cell_of(line, "stock_was")
    if not told or (row is not None and told == was):
        return None
    try:
        count = catalogue_columns.whole(told)
    except Refused as no:
        raise Wrong(line.number, "stock", no.words) from no
    if count > grid.FULLEST:
        raise Wrong(line.number, "stock", _("This cannot be the stock."))
    return count


def _seen(line: Line, row: Row[Any], seen: int | None) -> int:
    """What the seller saw when they counted: as the file says, else when it was looked at. 409 where it has changed."""
    was = cell_of(line, "stock_was")
    try:
        before = catalogue_columns.whole(was) if was else row.stock if seen is None else seen
    except Refused as no:
        raise Wrong(line.number, "stock_was", no.words) from no
    if before != row.stock:
        words = _("The stock has changed since: there are %(n)s now. Export again.", n=row.stock)
        raise Wrong(line.number, "stock", words)
    return int(before)
