"""Listing facts: what a seller tells about a product, and which of it can be true. Checked here, whoever brings it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from shop.countries import HOME
from shop.errors import Refused
from shop.i18n import LANGUAGES, _
from shop.models import SellerKind, StockKind
from shop.words import Words

# The rates of VAT in force, in hundredths of a per cent, by the country that the seller is in.
VAT_RATES = {
    "NL": (2100, 900, 0),
    "BE": (2100, 1200, 600, 0),
    "DE": (1900, 700, 0),
    "FR": (2000, 1000, 550, 210, 0),
    "LU": (1700, 1400, 800, 300, 0),
}
LONGEST = {"title": 120, "description": 5000, "guarantee": 500, "warnings": 1000}
LONGEST_SPEC = 200
MOST_HANDLING = 60  # working days before it is sent
MOST_COMMISSION = 5000  # hundredths of a per cent
HEAVIEST = 1_000_000  # grams
PARTY = {"name": 120, "email": 254}
ADDRESS = {"street": 120, "postcode": 12, "city": 80, "country": 2}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
# What only a business can promise: the guarantee that the law asks of it, towards consumers (2019/771/EU, art. 10).
_OF_A_BUSINESS = re.compile(
    r"wettelijk|volgens de wet|consumentenrecht|statutory|\blegal|\bby law\b|consumer (?:law|right)", re.IGNORECASE
)


def vat_rates(country: str) -> tuple[int, ...]:
    """The rates that a seller in this country can ask; those of home for a country that we know nothing of."""
    return VAT_RATES.get(country, VAT_RATES[HOME])


def own_promise(guarantee: Words | None, kind: str) -> Words:
    """What a seller of this kind promises themselves. A private person's words are left out where they name the law:
    what it asks of a business, they do not owe, and nobody should count on it."""
    words = guarantee or Words()
    if kind != SellerKind.INDIVIDUAL:
        return words
    return Words({code: text for code, text in words.items() if not _OF_A_BUSINESS.search(text)})


def checked(facts: Mapping[str, Any], *, country: str, kind: str) -> dict[str, Any]:
    """These facts of a product as they are kept, of such a seller in `country`; 422 for the first that cannot be.

    Who does not tell something leaves it as it was: a fact that is not in here is not touched.
    """
    told = {name: _CHECKS[name](value) for name, value in facts.items()}  # a KeyError is our own mistake
    if told.get("vat_rate", 0) not in vat_rates(country):
        raise Refused(_("This rate of VAT does not exist there."), 422)
    if own_promise(told.get("guarantee"), kind) != told.get("guarantee", Words()):
        raise Refused(_("A private person gives no legal guarantee. Say what you promise yourself, or nothing."), 422)
    return told


def party(told: Mapping[str, Any]) -> dict[str, Any]:
    """A maker, or who is responsible in the EU: name, address and e-mail. Nothing told is nobody."""
    who: dict[str, Any] = {name: _line(told.get(name), most) for name, most in PARTY.items()}
    at = {name: _line((told.get("address") or {}).get(name), most) for name, most in ADDRESS.items()}
    if who["email"] and not _EMAIL.fullmatch(who["email"]):
        raise Refused(_("This does not look like an e-mail address."), 422)
    if at["country"] and not _COUNTRY.fullmatch(at["country"]):
        raise Refused(_("Choose a country."), 422)
    is_told = any(who.values()) or any(at[name] for name in ("street", "postcode", "city"))
    return {**who, "address": at} if is_told else {}


def folded(title: Words) -> str:
    """The titles as one finds them again: without capitals, each once."""
    return " ".join(dict.fromkeys(text.casefold() for text in title.values()))[:300]


def _line(text: Any, most: int) -> str:
    line = " ".join(str(text or "").split())
    if len(line) > most:
        raise Refused(_("This is too long: use at most %(most)s characters.", most=most), 422)
    return line


def _words(told: Mapping[str, Any] | None, name: str) -> Words:
    most = LONGEST[name]
    words = {code: str(text or "").strip() for code, text in (told or {}).items() if code in LANGUAGES}
    if any(len(text) > most for text in words.values()):
        raise Refused(_("This is too long: use at most %(most)s characters.", most=most), 422)
    return Words({code: text for code, text in words.items() if text})


def _title(told: Mapping[str, Any]) -> Words:
    if not (title := _words(told, "title")):
        raise Refused(_("Give it a title, in Dutch or in English."), 422)
    return title


def _specs(told: Mapping[str, Any]) -> dict[str, Any]:
    """By the keys of the category: a text, or one in each language."""
    return {str(key): value for key, given in told.items() if (value := _spec(given))}


def _spec(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return _line(given, LONGEST_SPEC)
    lines = {code: _line(given.get(code), LONGEST_SPEC) for code in LANGUAGES}
    return {code: line for code, line in lines.items() if line}


def _whole(given: Any, least: int, most: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise Refused(_("Fill in a whole number from %(least)s to %(most)s.", least=least, most=most), 422)
    return given


def _weight(given: Any) -> int | None:
    return None if given is None else _whole(given, 1, HEAVIEST)


def _country(given: Any) -> str:
    if not _COUNTRY.fullmatch(str(given)):
        raise Refused(_("Choose a country."), 422)
    return str(given)


def _stock_kind(given: Any) -> str:
    if given not in tuple(StockKind):
        raise Refused(_("Choose where the stock lies."), 422)
    return str(given)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "title": _title,
    "description": partial(_words, name="description"),
    "guarantee": partial(_words, name="guarantee"),
    "warnings": lambda told: _words(told, "warnings") or None,
    "specs": _specs,
    "maker": party,
    "responsible": party,
    "ships_from_country": _country,
    "ships_from_city": partial(_line, most=80),
    "stock_kind": _stock_kind,
    "handling_days": partial(_whole, least=0, most=MOST_HANDLING),
    "weight_grams": _weight,
    "vat_rate": partial(_whole, least=0, most=10_000),
    "creator_rate": partial(_whole, least=0, most=MOST_COMMISSION),
}
FACTS = (*_CHECKS, "category")
