"""The columns of a seller's file in words: what each is called, and what belongs in it, in the reader's language.

The names in the file itself are the same in every language, so that a file can be read wherever it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from shop.catalogue_columns import SPEC
from shop.i18n import LANGUAGES, _, _l, language
from shop.models import StockKind
from shop.routes.listing_forms import STOCKS

_NAMES = {
    "product": _l("Product"),
    "sku": _l("SKU"),
    "size": _l("Size"),
    "price": _l("Price"),
    "stock": _l("Stock"),
    "stock_was": _l("Stock as it was"),
    "status": _l("State"),
    "color": _l("Colour"),
    "title": _l("Title"),
    "description": _l("Description"),
    "guarantee": _l("Guarantee"),
    "warnings": _l("Warnings"),
    "category": _l("Category"),
    "vat_rate": _l("VAT in the price"),
    "weight_grams": _l("Weight in grams, packed"),
    "ships_from_country": _l("It is sent from: country"),
    "ships_from_city": _l("It is sent from: town"),
    "stock_kind": _l("Where does the stock lie?"),
    "handling_days": _l("Working days until it is sent"),
    "commission": _l("For who shows it in a clip, in per cent"),
}
_PARTIES = {"maker": _l("Maker"), "responsible": _l("Responsible in the EU")}
_PARTS = {
    "name": _l("Name"),
    "street": _l("Street and house number"),
    "postcode": _l("Postcode"),
    "city": _l("Town"),
    "country": _l("Country"),
    "email": _l("E-mail address"),
}
_INSIDE = {
    "product": _l("Your own name for it, the same on each of its lines. A name that is new makes a new product."),
    "sku": _l("Your own number of this size and colour."),
    "price": _l("In euros, VAT included. A new size or colour needs one."),
    "stock_was": _l("What there was when you exported. Leave it: so we see what was sold in the meantime."),
    "status": _l("Only told: what is for sale, you say on the page of the product."),
    "vat_rate": _l("In per cent, such as 21."),
    "ships_from_country": _l("Two letters, such as NL."),
    "country": _l("Two letters, such as NL."),
    "commission": _l("From 0 to 50."),
}


class Told(NamedTuple):
    """Some columns of a file that belong together: their names there, what they are called, and what goes in."""

    names: str
    called: str
    inside: str


def name_of(column: str) -> str:
    """What a column is called, in the reader's language: "Title (Dutch)"; its own name where we know no other."""
    if column in _NAMES:
        return str(_NAMES[column])
    if column.startswith(SPEC):
        key, _sign, code = column.removeprefix(SPEC).rpartition("_")
        return _in_language(key.replace("_", " "), code)
    who, _sign, part = column.partition("_")
    if who in _PARTIES and part in _PARTS:
        return f"{_PARTIES[who]}: {_PARTS[part]}"
    if who in _NAMES and part in LANGUAGES:
        return _in_language(str(_NAMES[who]), part)
    return column


def names_of(columns: str) -> list[str]:
    """The columns that a report names, each as it is called and as it stands in the file."""
    return [f"{name_of(column)} ({column})" for column in filter(None, columns.split(", "))]


def told(kinds: Sequence[Any]) -> Iterator[Told]:
    """Every column that a file may have, with what belongs in it; `kinds` are the categories."""
    for name in ("product", "sku"):
        yield _one(name)
    yield _both("color")
    for name in ("size", "price", "stock", "stock_was", "status"):
        yield _one(name)
    for name in ("title", "description", "guarantee", "warnings"):
        yield _both(name)
    yield Told("category", str(_NAMES["category"]), _either((row.slug, row.name.said(language())) for row in kinds))
    for name in ("vat_rate", "weight_grams", "ships_from_country", "ships_from_city"):
        yield _one(name)
    yield Told("stock_kind", str(_NAMES["stock_kind"]), _either((str(kind), STOCKS[kind]) for kind in StockKind))
    for name in ("handling_days", "commission"):
        yield _one(name)
    for who, called in _PARTIES.items():
        for part, words in _PARTS.items():
            yield Told(f"{who}_{part}", f"{called}: {words}", str(_INSIDE.get(part, "")))
    yield Told(f"{SPEC}…_nl, {SPEC}…_en", _("Facts"), _("What the category asks for, such as what it is made of."))


def _one(name: str) -> Told:
    return Told(name, str(_NAMES[name]), str(_INSIDE.get(name, "")))


def _both(name: str) -> Told:
    inside = _("In Dutch and in English; one of the two is enough.")
    return Told(", ".join(f"{name}_{code}" for code in sorted(LANGUAGES, reverse=True)), str(_NAMES[name]), inside)


def _either(choices: Any) -> str:
    return "; ".join(f"{code}: {words}" for code, words in choices)


def _in_language(words: str, code: str) -> str:
    return f"{words} ({LANGUAGES[code].get_display_name(language())})" if code in LANGUAGES else words
