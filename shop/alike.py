"""Alike: is a product for sale the one that an alert is about? By its barcode, by brand and number, by brand and name.

Both are compared without accents, capitals and signs. A barcode says it by itself; numbers of models and batches are
short, so they count with the brand only. It says that somebody has to look, and never that it is the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shop.gateways.recalls_port import Alert
from shop.word_list import tokens

_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){7,13}(?!\d)")
_PIECE = re.compile(r"[,;/\s]+")
_GTIN = (8, 12, 13, 14)  # lengths of barcodes
_SHORTEST_NUMBER, _SHORTEST_WORD = 5, 3
_COMPANY = frozenset(("bv", "nv", "vof", "gmbh", "ag", "ltd", "llc", "inc", "co", "sa", "srl", "sas", "lda", "spa"))
_COMPANY |= {"company", "limited", "fictief", "fictitious"}
_NO_BRAND = frozenset(("no brand", "no name", "without brand", "unbranded", "not specified", "none", "n a", "generic"))


class Told(NamedTuple):
    """What a listing tells by which a thing is known again."""

    title: tuple[str, ...]
    maker: tuple[str, ...]
    barcodes: frozenset[str]
    numbers: frozenset[str]


class Mark(NamedTuple):
    """What an alert names, made once for all the goods that are held against it."""

    alert: Alert
    brand: tuple[str, ...]
    names: frozenset[str]
    barcodes: frozenset[str]
    numbers: frozenset[str]


class Likeness(NamedTuple):
    """By what they are alike, and how that is written in the alert."""

    by: str  # barcode, number or name
    what: str


def told(title: str, maker: str, texts: Iterable[str]) -> Told:
    """A listing: its titles, who made it, and all the text in which a number may stand."""
    whole = " ".join((title, *texts))
    return Told(tuple(tokens(title)), tuple(tokens(maker)), barcodes(whole), numbers(whole))


def mark(alert: Alert) -> Mark:
    """An alert."""
    brand = tuple(word for word in tokens(alert.brand) if word not in _COMPANY)
    if " ".join(brand) in _NO_BRAND or sum(map(len, brand)) < _SHORTEST_WORD:
        brand = ()
    named = {word for word in tokens(alert.name or alert.product) if len(word) >= _SHORTEST_WORD}
    both = f"{alert.numbers} {alert.models}"
    return Mark(alert, brand, frozenset(named - set(brand)), barcodes(both), numbers(both))


def alike(one: Told, other: Mark) -> Likeness | None:
    """By what a listing is like what the alert is about, the surest first; None where it is not."""
    if same := one.barcodes & other.barcodes:
        return Likeness("barcode", min(same))
    if not other.brand or not (_holds(one.title, other.brand) or _holds(one.maker, other.brand)):
        return None
    if same := (one.numbers & other.numbers) - set(other.brand):
        return Likeness("number", min(same))
    if other.names and other.names <= set(one.title):
        return Likeness("name", other.alert.name or other.alert.product)
    return None


def barcodes(text: str) -> frozenset[str]:
    """The barcodes in a text (GTIN), without the noughts in front: those whose check digit is right."""
    runs = ("".join(filter(str.isdigit, found)) for found in _DIGITS.findall(text))
    return frozenset(run.lstrip("0") for run in runs if len(run) in _GTIN and _checks(run))


def _checks(digits: str) -> bool:
    """Weights of 3 and 1 from the right, as GS1 has it; nothing but noughts is no number."""
    weighed = sum(int(digit) * (3, 1)[n % 2] for n, digit in enumerate(reversed(digits[:-1])))
    return (weighed + int(digits[-1])) % 10 == 0 and bool(digits.strip("0"))


def numbers(text: str) -> frozenset[str]:
    """What may be the number of a model or a batch: a piece with a figure in it, of five signs at least."""
    pieces = ("".join(filter(str.isalnum, piece)).casefold() for piece in _PIECE.split(text))
    return frozenset(
        piece for piece in pieces if len(piece) >= _SHORTEST_NUMBER and any(sign.isdigit() for sign in piece)
    )


def _holds(words: Sequence[str], brand: tuple[str, ...]) -> bool:
    """Do the words of the brand stand there one after the other?"""
    size = len(brand)
    return any(tuple(words[n : n + size]) == brand for n in range(len(words) - size + 1))
