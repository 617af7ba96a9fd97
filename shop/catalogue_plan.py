"""Catalogue plan: what a file would make of a seller's products, product by product, before anything is done.

Only what differs from the product as it is now counts as told, and an empty cell tells nothing; so a file that was
exported and not changed, changes nothing. A product of which one line is refused is refused whole. Lines that are not
in the file stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shop import catalogue_columns, catalogue_csv, listing_facts
from shop.catalogue_columns import is_same, shown
from shop.catalogue_csv import Line
from shop.catalogue_grid import Group, Known, OfLine, Wrong, cell_of, whole_grid
from shop.errors import Refused
from shop.grid import Cell
from shop.i18n import _
from shop.models import Outcome

AT_ONCE = 100  # products that are looked up together
LONGEST_NAME = 60


class Result(NamedTuple):
    """What becomes of a line."""

    line: int
    product: str
    sku: str
    outcome: Outcome
    columns: str = ""
    why: str = ""
    stock_seen: int | None = None


class Plan(NamedTuple):
    """What becomes of a product: its lines, and what is told about it."""

    results: list[Result]
    product: int | None  # None: a new one
    reference: str
    facts: dict[str, Any]
    cells: list[Cell]

    @property
    def is_refused(self) -> bool:
        """Is it left alone, because of something in one of its lines?"""
        return any(result.outcome == Outcome.REFUSED for result in self.results)


class Shelf(NamedTuple):
    """A seller's products by name and by SKU, what categories there are, and where and of which kind the seller is."""

    named: Mapping[str, int]
    skus: Mapping[str, int]
    categories: frozenset[str]
    country: str
    kind: str


def groups(lines: Sequence[Line], shelf: Shelf) -> list[Group]:
    """The lines of each product together, in the order of the file."""
    found: dict[tuple[str, Any], Group] = {}
    for line in lines:
        found.setdefault(_key(line, shelf), []).append(line)
    return list(found.values())


def _key(line: Line, shelf: Shelf) -> tuple[str, Any]:
    number = _product_of(line, shelf)
    name = cell_of(line, "product") or cell_of(line, "sku") or f"line {line.number}"
    return ("is", number) if number else ("new", name)


def _product_of(line: Line, shelf: Shelf) -> int | None:
    if name := cell_of(line, "product"):
        return shelf.named.get(name)
    return shelf.skus.get(cell_of(line, "sku"))


def plans(
    found: Sequence[Group], shelf: Shelf, twice: frozenset[str], seen: Mapping[int, int | None] | None = None
) -> Iterator[Plan]:
    """The plan for each of these products. `seen`: what lay there when the file was first looked at, by line."""
    for start in range(0, len(found), AT_ONCE):
        piece = found[start : start + AT_ONCE]
        ids = [number for group in piece if (number := _product_of(group[0], shelf))]
        told, offered = catalogue_csv.these(ids), catalogue_csv.variants_of(ids)
        for group in piece:
            number = _product_of(group[0], shelf)
            row = told.get(number) if number else None
            cells = catalogue_columns.product_cells(row._mapping) if row else {}
            known = Known(row, cells, offered.get(number, []) if number else [])
            yield _plan(group, known, shelf, twice, seen or {})


def skus_twice(lines: Sequence[Line]) -> frozenset[str]:
    """The SKUs that stand in more than one line."""
    counted = Counter(sku for line in lines if (sku := cell_of(line, "sku")))
    return frozenset(sku for sku, n in counted.items() if n > 1)


def _plan(group: Group, known: Known, shelf: Shelf, twice: frozenset[str], seen: Mapping[int, int | None]) -> Plan:
    reference = cell_of(group[0], "product") or cell_of(group[0], "sku")
    number = known.row.id if known.row else None
    try:
        for line in group:
            _see_to(line)
            _see_to_sku(line, group, known, shelf, twice)
        changed = _product_columns(group, known)
        facts = _facts(group, changed, known, shelf)
        cells, of_lines = whole_grid(group, known, seen)
    except Wrong as wrong:
        return Plan([_no(line, wrong) for line in group], number, reference, {}, [])
    told = {line.number: [name for name, where in changed.items() if where is line] for line in group}
    results = [_yes(line, known, of_lines[line.number], told[line.number]) for line in group]
    return Plan(results, number, reference, facts, cells)


def _no(line: Line, wrong: Wrong) -> Result:
    is_it = line.number == wrong.line
    words = wrong.words if is_it else _("Line %(n)s of the same product is refused.", n=wrong.line)
    return _result(line, Outcome.REFUSED, wrong.column if is_it else "", words)


def _yes(line: Line, known: Known, cell: OfLine, changed: Sequence[str]) -> Result:
    columns = [*changed, *cell.columns]
    is_new = cell.is_new or known.row is None
    outcome = Outcome.CREATED if is_new else Outcome.CHANGED if columns else Outcome.UNCHANGED
    told = "" if outcome == Outcome.CREATED else ", ".join(columns)
    return _result(line, outcome, told, "", cell.stock)


def _result(line: Line, outcome: Outcome, columns: str, why: str, stock: int | None = None) -> Result:
    product, sku = cell_of(line, "product")[:LONGEST_NAME], cell_of(line, "sku")[:LONGEST_NAME]
    return Result(line.number, product, sku, outcome, columns[:300], why[:300], stock)


def _see_to(line: Line) -> None:
    """Can this line be at all?"""
    if "" in line.cells:
        raise Wrong(line.number, "", line.cells[""])
    for name, text in line.cells.items():
        if any(sign < " " and sign not in "\t\r\n" for sign in text) or "\x7f" in text:
            raise Wrong(line.number, name, _("There is a sign in it that nobody can have typed."))
        if name in ("product", "sku") and len(text.strip()) > LONGEST_NAME:
            raise Wrong(line.number, name, _("This is too long: use at most %(most)s characters.", most=LONGEST_NAME))
    if not cell_of(line, "sku") and not cell_of(line, "product"):
        raise Wrong(line.number, "product", _("Say which product this is, or give a SKU."))


def _see_to_sku(line: Line, group: Group, known: Known, shelf: Shelf, twice: frozenset[str]) -> None:
    sku = cell_of(line, "sku")
    here = sum(row.sku == sku for row in known.variants)
    if sku and sum(cell_of(each, "sku") == sku for each in group) <= here:
        return  # also where one number stands at two things: so it was made, and so it goes out and comes in
    if sku in twice:
        raise Wrong(line.number, "sku", _("This SKU is there more than once: %(sku)s.", sku=shown(sku)))
    if sku in shelf.skus and shelf.skus[sku] != (known.row.id if known.row else None):
        raise Wrong(line.number, "sku", _("Another product of yours has this SKU: %(sku)s.", sku=shown(sku)))


def _product_columns(group: Group, known: Known) -> dict[str, Line]:
    """The columns of the product that differ from how it is, and the line that says so; others say the same."""
    told: dict[str, Line] = {}
    for line in group:
        for name, text in line.cells.items():
            if not text.strip() or not catalogue_columns.column(name):
                continue
            where = told.setdefault(name, line)
            if not is_same(name, text, where.cells[name]):
                words = _("Line %(n)s says something else about the same product.", n=where.number)
                raise Wrong(line.number, name, words)
    return {name: at for name, at in told.items() if not is_same(name, at.cells[name], known.cells.get(name, ""))}


def _facts(group: Group, changed: Mapping[str, Line], known: Known, shelf: Shelf) -> dict[str, Any]:
    """What is told anew about the product, by the names of `listings.change`."""
    told: dict[str, dict[str, str]] = {}
    for name, line in changed.items():
        where = catalogue_columns.column(name)
        assert where  # noqa: S101  only those come here
        told.setdefault(where.fact, {})[where.part] = line.cells[name]
    if known.row is None:
        _see_to_new(group[0], told)
    columns = {fact: next(name for name in changed if _fact_of(name) == fact) for fact in told}
    return {name: _fact(changed[columns[name]], columns[name], parts, known, shelf) for name, parts in told.items()}


def _fact_of(name: str) -> str:
    where = catalogue_columns.column(name)
    return where.fact if where else ""


def _see_to_new(line: Line, told: Mapping[str, Any]) -> None:
    for fact, column in (("title", "title_nl"), ("category", "category")):
        if fact not in told:
            raise Wrong(line.number, column, _("A new product needs this."))


def _fact(line: Line, column: str, parts: Mapping[str, str], known: Known, shelf: Shelf) -> Any:
    fact = _fact_of(column)
    now = known.row._mapping[fact] if known.row is not None else None
    try:
        value = catalogue_columns.fact(fact, now, parts)
        if fact == "category":
            if value not in shelf.categories:
                raise Refused(_("There is no such category: %(name)s.", name=shown(value)), 422)
            return value
        return listing_facts.checked({fact: value}, country=shelf.country, kind=shelf.kind)[fact]
    except Refused as no:
        raise Wrong(line.number, column, no.words) from no
