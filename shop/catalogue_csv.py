"""Catalogue CSV: all of a seller's products as a file, one line a variant, and such a file as lines again.

What is written is UTF-8 with the mark by which a spreadsheet knows it; in Dutch with semicolons and decimal commas,
as spreadsheets there expect. What is read may have been saved by any of them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select

from shop.catalogue_columns import (
    ALL,
    READ_ONLY,
    is_known,
    product_cells,
    spec_columns,
    variant_cells,
)
from shop.database import rows
from shop.errors import Refused
from shop.i18n import _
from shop.models import Category, Product, Variant
from shop.spreadsheets import tame, wild

LARGEST = 5 * 1024 * 1024  # bytes
MOST_LINES = 10_000
MOST_COLUMNS = 500
LONGEST_CELL = 10_000
PIECE = 200  # products that are read at once
SIGNS = (";", ",", "\t")

products, variants, categories = Product.__table__, Variant.__table__, Category.__table__
_TOLD = (
    *("id", "code", "reference", "status", "title", "description", "guarantee", "warnings", "maker", "responsible"),
    *("vat_rate", "weight_grams", "ships_from_country", "ships_from_city", "stock_kind", "handling_days"),
    *("creator_rate", "specs"),
)
_PRODUCTS = select(*products.c[*_TOLD], categories.c.slug.label("category")).join(
    categories, categories.c.id == products.c.category_id
)
_PIECE = (
    _PRODUCTS.where(products.c.seller_id == bindparam("seller"), products.c.id > bindparam("after"))
    .order_by(products.c.id)
    .limit(PIECE)
)
_VARIANTS = (
    select(*variants.c["id", "product_id", "sku", "color", "size", "price_minor", "price_currency", "stock"])
    .where(variants.c.product_id.in_(bindparam("ids", expanding=True)), variants.c.is_offered)
    .order_by(variants.c.product_id, variants.c.position)
)
_SPECS = (
    select(categories.c.specs)
    .where(categories.c.id.in_(select(products.c.category_id).where(products.c.seller_id == bindparam("seller"))))
    .order_by(categories.c.position, categories.c.id)
)
_THESE = _PRODUCTS.where(products.c.id.in_(bindparam("ids", expanding=True)))
_INDEX = select(*products.c["id", "code", "reference"]).where(products.c.seller_id == bindparam("seller"))
_SKUS = (
    select(variants.c.sku, variants.c.product_id)
    .join(products, products.c.id == variants.c.product_id)
    .where(products.c.seller_id == bindparam("seller"), variants.c.sku != "", variants.c.is_offered)
)
_SPECS_OF = select(categories.c.specs).where(categories.c.slug == bindparam("slug"))


class Line(NamedTuple):
    """A line of a file: its number there, and its cells by the names of their columns."""

    number: int
    cells: dict[str, str]


class File(NamedTuple):
    """What stands in a file, and the columns in it that we do not know."""

    lines: list[Line]
    unknown: list[str]


# Out


def exported(seller: int, language: str) -> Iterator[str]:
    """All products of a seller, piece by piece."""
    sign, comma = dialect(language)
    names = [*ALL, *_spec_names(rows(_SPECS, seller=seller))]
    yield "\ufeff" + written([names], sign)
    after = 0
    while found := rows(_PIECE, seller=seller, after=after):
        yield written(_lines(found, names, comma), sign)
        after = found[-1].id


def template(slug: str, language: str) -> str:
    """An empty file for products of one category."""
    names = [name for name in ALL if name not in (*READ_ONLY, "stock_was")]
    return "\ufeff" + written([[*names, *_spec_names(rows(_SPECS_OF, slug=slug))]], dialect(language)[0])


def dialect(language: str) -> tuple[str, str]:
    """What stands between cells, and before decimals, in spreadsheets of this language."""
    return (";", ",") if language == "nl" else (",", ".")


def variants_of(ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """The sizes and colours on offer of each of these products, in their order."""
    found: dict[int, list[Row[Any]]] = {number: [] for number in ids}
    for row in rows(_VARIANTS, ids=list(ids)):
        found[row.product_id].append(row)
    return found


def these(ids: Sequence[int]) -> dict[int, Row[Any]]:
    """These products, as they stand in a file."""
    return {row.id: row for row in rows(_THESE, ids=list(ids))}


def index_of(seller: int) -> tuple[dict[str, int], dict[str, int]]:
    """A seller's products by the names that they have in a file, and by their SKUs; never anybody else's."""
    found = rows(_INDEX, seller=seller)
    named = {row.code: row.id for row in found} | {row.reference: row.id for row in found if row.reference}
    return named, {row.sku: row.product_id for row in rows(_SKUS, seller=seller)}


def _spec_names(found: Sequence[Row[Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in found for name in spec_columns(row.specs or [])))


def _lines(found: Sequence[Row[Any]], names: Sequence[str], comma: str) -> Iterator[list[str]]:
    offered = variants_of([row.id for row in found])
    for row in found:
        own = product_cells(row._mapping, comma)
        for variant in offered[row.id] or (None,):
            cells = {**own, **(variant_cells(variant._mapping, comma) if variant else {})}
            yield [tame(cells.get(name, "")) for name in names]


def written(lines: Any, sign: str) -> str:
    """Lines of cells as CSV (RFC 4180)."""
    out = StringIO()
    csv.writer(out, delimiter=sign).writerows(lines)
    return out.getvalue()


# In


def read(content: bytes) -> File:
    """The lines of a file; 422 with the reason for what is none, or more than we take."""
    text = _decoded(content)
    sign, start = _sign(text)
    reader = csv.reader(StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        for _skipped in range(start):
            next(reader, None)
        names = [name.strip().lower() for name in next(reader, [])]
        _see_to(names)
        return File(_read_lines(reader, names), [name for name in names if name and not is_known(name)])
    except csv.Error as error:
        words = _(
            "Line %(n)s cannot be read: a quotation mark is missing, or a cell is far too long.", n=reader.line_num
        )
        raise Refused(words, 422) from error


def _decoded(content: bytes) -> str:
    if len(content) > LARGEST:
        raise Refused(_("This file is larger than 5 MB. Split it."), 422)
    if content[:2] in (b"PK", b"\x1f\x8b") or content[:4] == b"\xd0\xcf\x11\xe0":
        raise Refused(_("This is a spreadsheet or a packed file. Save it as CSV UTF-8 first."), 422)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content:
        raise _no_csv()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_csv() from error


def _no_csv() -> Refused:
    return Refused(_("This is no CSV in UTF-8. In your spreadsheet choose “CSV UTF-8” when you save it."), 422)


def _sign(text: str) -> tuple[str, int]:
    """What stands between the cells, and how many lines come before the names: a spreadsheet may say `sep=;` first."""
    first, _end, _rest = text.partition("\n")
    first = first.strip("\r")
    if first[:4].lower() == "sep=" and first[4:5] in SIGNS:
        return first[4], 1
    known = {sign: sum(is_known(name.strip(' "\r').lower()) for name in first.split(sign)) for sign in SIGNS}
    return max(SIGNS, key=lambda sign: known[sign]), 0


def _see_to(names: list[str]) -> None:
    """Do the names of the columns make sense?"""
    if len(names) > MOST_COLUMNS:
        words = _("This file has more than %(most)s columns. Leave out those that we do not know.", most=MOST_COLUMNS)
        raise Refused(words, 422)
    if not {"product", "sku"} & set(names):
        raise Refused(_("The first line has to name the columns, with “product” or “sku” among them."), 422)
    if twice := sorted(name for name, n in Counter(names).items() if name and n > 1):
        raise Refused(_("This column is there twice: %(name)s.", name=twice[0][:40]), 422)


def _read_lines(reader: Any, names: list[str]) -> list[Line]:
    lines: list[Line] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(lines) >= MOST_LINES:
            raise Refused(_("This file has more than 10,000 lines. Split it."), 422)
        if any(cells[len(names) :]) or any(len(cell) > LONGEST_CELL for cell in cells):
            lines.append(
                Line(reader.line_num, {"": _("This line has more cells than the first one, or one too long.")})
            )
        else:
            known = zip(names, cells, strict=False)
            lines.append(Line(reader.line_num, {name: wild(cell) for name, cell in known if is_known(name)}))
    if not lines:
        raise Refused(_("There is nothing in this file."), 422)
    return lines
