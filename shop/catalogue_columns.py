"""Catalogue columns: what stands in which column of a seller's CSV, how it is written and how it is read again.

What was exported and imported again is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shop import amounts
from shop.amounts import decimal
from shop.errors import Refused
from shop.i18n import LANGUAGES, _
from shop.models import StockKind
from shop.words import Words

WORDS = ("title", "description", "guarantee", "warnings")
PARTIES = {"maker": "maker", "responsible": "responsible"}
PARTY = ("name", "street", "postcode", "city", "country", "email")
PLAIN = (
    *("category", "vat_rate", "weight_grams", "ships_from_country", "ships_from_city", "stock_kind"),
    *("handling_days", "commission"),
)
SPEC = "spec_"


class Column(NamedTuple):
    """Where a cell belongs: a fact of the product with a part of it, or of the variant."""

    fact: str
    part: str = ""


# Of the product, as `listings.change` knows its facts; of the specs there are as many as the categories ask for.
OF_PRODUCT: dict[str, Column] = {
    **{f"{name}_{code}": Column(name, code) for name in WORDS for code in LANGUAGES},
    **{name: Column("creator_rate" if name == "commission" else name) for name in PLAIN},
    **{f"{name}_{part}": Column(name, part) for name in PARTIES for part in PARTY},
}
OF_VARIANT = ("sku", *(f"color_{code}" for code in LANGUAGES), "size", "price", "stock", "stock_was")
READ_ONLY = ("status",)
KEYS = ("product",)
ALL = (*KEYS, *OF_VARIANT, *READ_ONLY, *OF_PRODUCT)


def is_known(name: str) -> bool:
    """Is there such a column?"""
    return name in ALL or (name.startswith(SPEC) and name.rpartition("_")[2] in LANGUAGES)


def column(name: str) -> Column | None:
    """Where a column of the product belongs; None for one of the variant."""
    if name.startswith(SPEC):
        key, _sign, code = name.removeprefix(SPEC).rpartition("_")
        return Column("specs", f"{key}.{code}")
    return OF_PRODUCT.get(name)


def spec_columns(specs: list[Any]) -> list[str]:
    """The columns of what a category asks for, in every language."""
    return [f"{SPEC}{each['key']}_{code}" for each in specs for code in LANGUAGES]


# Numbers


def hundredths(text: str) -> int:
    """A price or a rate with a comma or a point, in hundredths; 422 for others."""
    if (found := amounts.hundredths(text)) is None:
        raise Refused(_("This is not a number with at most two decimals: %(text)s.", text=shown(text)), 422)
    return found


def whole(text: str) -> int:
    """A whole number from nought on; 422 for others."""
    if (found := amounts.whole(text)) is None:
        raise Refused(_("This is not a whole number: %(text)s.", text=shown(text)), 422)
    return found


def shown(text: str) -> str:
    """So much of a cell as one can read in a line."""
    return text if len(text) <= 40 else f"{text[:40]}…"


# A product as cells


def product_cells(product: Any, sign: str = ".") -> dict[str, str]:
    """The cells of a product's own columns."""
    cells = {"product": product["reference"] or product["code"], "status": product["status"]}
    for name in WORDS:
        cells |= {f"{name}_{code}": (product[name] or {}).get(code, "") for code in LANGUAGES}
    for name in PARTIES:
        cells |= _party_cells(name, product[name] or {})
    cells |= {name: str(product[name] or "") for name in ("category", "ships_from_country", "ships_from_city")}
    cells |= {"stock_kind": product["stock_kind"], "handling_days": str(product["handling_days"])}
    cells["weight_grams"] = "" if product["weight_grams"] is None else str(product["weight_grams"])
    cells["vat_rate"] = decimal(product["vat_rate"], sign)
    cells["commission"] = decimal(product["creator_rate"], sign)
    for key, value in (product["specs"] or {}).items():
        said = value if isinstance(value, dict) else dict.fromkeys(LANGUAGES, str(value))
        cells |= {f"{SPEC}{key}_{code}": str(said.get(code, "")) for code in LANGUAGES}
    return cells


def _party_cells(name: str, party: Mapping[str, Any]) -> dict[str, str]:
    address = party.get("address") or {}
    told = {part: party.get(part) if part in ("name", "email") else address.get(part) for part in PARTY}
    return {f"{name}_{part}": str(text or "") for part, text in told.items()}


def variant_cells(variant: Any, sign: str = ".") -> dict[str, str]:
    """The cells of one size and colour."""
    color = variant["color"] or {}
    cells = {f"color_{code}": color.get(code, "") for code in LANGUAGES}
    stock = str(variant["stock"])
    cells |= {"sku": variant["sku"], "size": variant["size"], "stock": stock, "stock_was": stock}
    return {**cells, "price": decimal(variant["price_minor"], sign)}


def is_same(name: str, one: str, other: str) -> bool:
    """Do two cells say the same? Numbers may be written in several ways; line ends are those of whoever saved it."""
    if name in ("price", "vat_rate", "commission") and one.strip() and other.strip():
        try:
            return hundredths(one) == hundredths(other)
        except Refused:
            return False
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# Cells as facts of a product

_READ: dict[str, Callable[[str], Any]] = {
    "vat_rate": hundredths,
    "creator_rate": hundredths,
    "weight_grams": lambda text: whole(text) if text.strip() else None,
    "handling_days": whole,
    "ships_from_country": lambda text: text.strip().upper(),
    "ships_from_city": str.strip,
    "stock_kind": lambda text: text.strip() or StockKind.OWN_STOCK,
    "category": str.strip,
}


def fact(name: str, now: Any, told: Mapping[str, str]) -> Any:
    """A fact as it becomes: what it is now, with these parts of it told anew. 422 where a cell cannot be read."""
    if name in WORDS:
        return Words({code: text for code, text in {**(now or {}), **told}.items() if text.strip()})
    if name in PARTIES:
        return _party(now or {}, told)
    if name == "specs":
        return _specs(now or {}, told)
    return _READ[name](told[""])


def _party(now: Mapping[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    new: dict[str, Any] = {**now, "address": dict(now.get("address") or {})}
    for part, text in told.items():
        (new if part in ("name", "email") else new["address"])[part] = text.strip()
    new["address"]["country"] = str(new["address"].get("country", "")).upper()
    return new


def _specs(now: Mapping[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    new = dict(now)
    for path, text in told.items():
        key, _sign, code = path.rpartition(".")
        value = new.get(key)
        said = dict(value) if isinstance(value, dict) else dict.fromkeys(LANGUAGES, str(value or ""))
        new[key] = {**said, code: text.strip()}
    return {key: value if isinstance(now.get(key), dict) else _once(value) for key, value in new.items()}


def _once(value: Any) -> Any:
    """A spec that says the same in every language is said once."""
    return value["en"] if isinstance(value, dict) and len({value.get(code) for code in LANGUAGES}) == 1 else value
