"""Listing checks: what a listing has to tell before it may go live, and what a person has to look at first.

Both look at a product as it is loaded and ask the database nothing. What has to be told follows from the law: name and
address of the maker, somebody in the EU who answers for it, and warnings (GPSR art. 16 and 19), what the category asks
(composition of textiles and shoes, ingredients, allergens, CE), where it comes from and what becomes of it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from shop import word_list
from shop.countries import EU
from shop.i18n import _, _l, language
from shop.models import Product, StockKind
from shop.word_list import Gravity
from shop.words import Words

RECALLED = "recalled"  # the official list of unsafe products may have it (`safety_checks`)
WARNINGS = "warnings"  # what a category may ask for besides its own specs
LONGEST_HANDLING = 60  # days
LEAST_RETURNS = 14  # days, from the seller's own terms (2011/83/EU art. 9)
DUTCH = frozenset(("NL", "BE"))  # who has things delivered here has to be able to read the warnings

# By what a word in a title shows that the thing belongs on a shelf where this is asked.
SHELVES = {"shelf_age": "age", "shelf_ce": "ce", "shelf_ingredients": "ingredients", "shelf_allergens": "allergens"}


class Lack(NamedTuple):
    """Something that a listing has to tell and does not."""

    code: str
    field: str  # of the form in which it is told
    words: str  # in the language of who asks


class Risk(NamedTuple):
    """Something in a listing that is not for sale here, or that a person has to look at first."""

    code: str
    gravity: Gravity
    field: str
    found: str  # the word, or by what the picture is known

    @property
    def words(self) -> str:
        """What is the matter, in the language of who asks."""
        return said_of(self.code, self.found)


def lacking(product: Product) -> list[Lack]:
    """What this listing has to tell before it may go live, and does not; in the order of its form."""
    return [*_plain_lacks(product), *_category_lacks(product), *_maker_lacks(product)]


def risks(product: Product, *, has_mark: bool = False, prints: Iterable[Risk] = ()) -> list[Risk]:
    """What is not for sale here in this listing, and what somebody has to look at; nothing: it is clear.

    `has_mark`: the seller has shown that the brand is theirs. `prints`: what its pictures are like (`looks`).
    """
    asked = set(product.category.requires)
    skipped = {code for code, fact in SHELVES.items() if fact in asked} | ({"brand"} if has_mark else set())
    told: dict[tuple[str, str], Risk] = {}
    for field, code, text in _texts(product):
        for one in word_list.find(text, code, is_title=field == "title"):
            if one.code not in skipped:
                told.setdefault((one.code, one.word), Risk(one.code, one.gravity, field, one.word))
    return [*told.values(), *prints]


# What has to be told


def _said(words: Words | None) -> bool:
    return words is not None and bool(words.said("").strip())


def _has_pictures(product: Product) -> bool:
    return bool(product.pictures)


def _describes_pictures(product: Product) -> bool:
    return all(_said(picture.alt) for picture in product.pictures)


def _has_price(product: Product) -> bool:
    offered = [variant for variant in product.variants if variant.is_offered is not False]
    return bool(offered) and all(variant.price.minor > 0 for variant in offered)


def _knows_returns(product: Product) -> bool:
    return product.seller.returns_days >= LEAST_RETURNS and bool(product.seller.returns_address)


# code, field, is it told?, and what to do where it is not.
_FACTS: tuple[tuple[str, str, Callable[[Product], bool], str], ...] = (
    ("title", "title", lambda product: _said(product.title), _l("Give it a title.")),
    ("description", "description", lambda product: _said(product.description), _l("Describe it.")),
    ("pictures", "pictures", _has_pictures, _l("Add at least one picture.")),
    ("alt", "pictures", _describes_pictures, _l("Say of each picture what is to be seen, for who cannot see it.")),
    ("price", "variants", _has_price, _l("Say what it costs.")),
    ("vat_rate", "vat_rate", lambda product: product.vat_rate is not None, _l("Choose the VAT rate.")),
    ("ships_from_country", "ships_from_country", lambda product: bool(product.ships_from_country),
     _l("Say from which country it is sent.")),
    ("ships_from_city", "ships_from_city", lambda product: bool((product.ships_from_city or "").strip()),
     _l("Say from which town it is sent.")),
    ("stock_kind", "stock_kind", lambda product: product.stock_kind in tuple(StockKind),
     _l("Say whether it is your own stock, comes from your supplier, or is made when it is ordered.")),
    ("handling_days", "handling_days",
     lambda product: product.handling_days is not None and 0 <= product.handling_days <= LONGEST_HANDLING,
     _l("Say in how many days you send it.")),
    ("delivery", "delivery", lambda product: bool(product.delivery),
     _l("Say to which country you deliver, and for how much.")),
    ("returns", "returns", _knows_returns, _l("Fill in, with your shop, where returns go and within how many days.")),
)  # fmt: skip


def _plain_lacks(product: Product) -> Iterator[Lack]:
    for code, field, is_told, words in _FACTS:
        if not is_told(product):
            yield Lack(code, field, str(words))


def _category_lacks(product: Product) -> Iterator[Lack]:
    """What the category asks for; its warnings have to be in Dutch where people read Dutch."""
    names = {each["key"]: Words.read(each["name"]) for each in product.category.specs or ()}
    told = product.specs or {}
    for fact in product.category.requires:
        if fact == WARNINGS:
            yield from _warning_lacks(product)
        elif not _is_told(told.get(fact)):
            name = names.get(fact, Words(en=fact)).said(language())
            yield Lack(f"spec:{fact}", f"spec-{fact}", _("Fill in: %(fact)s.", fact=name))


def _warning_lacks(product: Product) -> Iterator[Lack]:
    goes_to = {rate.country for rate in product.delivery}
    if not _said(product.warnings):
        yield Lack("warnings", "warnings", _("Write the warnings that belong with it."))
    elif goes_to & DUTCH and not (product.warnings or Words()).get("nl", "").strip():
        yield Lack("warnings_dutch", "warnings", _("Write the warnings in Dutch too: it goes to who reads that."))


def _maker_lacks(product: Product) -> Iterator[Lack]:
    maker, responsible = product.maker or {}, product.responsible or {}
    if not _is_filled(maker.get("name")):
        yield Lack("maker_name", "maker", _("Say who made it."))
    if not has_address(maker):
        yield Lack("maker_address", "maker", _("Fill in the postal address of the maker, with the country."))
    if not _reaches(maker):
        yield Lack("maker_email", "maker", _("Fill in the e-mail address or website of the maker."))
    if country_of(maker) not in (*EU, "") and not _answers_in_eu(responsible):
        yield Lack(
            "responsible",
            "responsible",
            _("The maker is outside the EU. Say who in the EU answers for it: name, postal address and e-mail."),
        )


def _answers_in_eu(person: Mapping[str, Any]) -> bool:
    is_known = _is_filled(person.get("name")) and has_address(person) and _reaches(person)
    return is_known and country_of(person) in EU


def country_of(person: Mapping[str, Any]) -> str:
    """The country of a maker or of who answers for them; empty where it is not told."""
    address = person.get("address")
    return str(address.get("country", "")).strip().upper() if isinstance(address, dict) else ""


def has_address(person: Mapping[str, Any]) -> bool:
    """Is there a postal address, with a street, a town and a country?"""
    address = person.get("address")
    return isinstance(address, dict) and all(_is_filled(address.get(part)) for part in ("street", "city", "country"))


def _reaches(person: Mapping[str, Any]) -> bool:
    email, website = str(person.get("email") or ""), str(person.get("website") or "")
    return "@" in email.strip("@ ") or website.startswith(("https://", "http://"))


def _is_filled(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _is_told(value: Any) -> bool:
    return _said(Words.read(value)) if isinstance(value, dict) else bool(str("" if value is None else value).strip())


# What somebody has to look at

_WHY = {
    "weapons": _l("Weapons are not for sale here: “%(found)s”."),
    "medicines": _l("Medicines are not for sale here: “%(found)s”."),
    "drugs": _l("Drugs are not for sale here: “%(found)s”."),
    "tobacco": _l("Tobacco and nicotine are not for sale here: “%(found)s”."),
    "alcohol": _l("Alcohol is not for sale here: “%(found)s”."),
    "live_animals": _l("Animals, and what is made of protected ones, are not for sale here: “%(found)s”."),
    "hate_and_sex": _l("This is not for sale here: “%(found)s”."),
    "stolen_or_false": _l("What is counterfeit, false or stolen is not for sale here: “%(found)s”."),
    "brand": _l("A brand is named: “%(found)s”. We look whether you may use it."),
    "green_claim": _l("“%(found)s” says that it is good for nature without saying why. Prove it or leave it out."),
    "medical_claim": _l("“%(found)s” promises that it heals. Only medicines may say so."),
    "shelf_age": _l("This looks like a toy (“%(found)s”), but not in a category for toys."),
    "shelf_ce": _l("This looks like a thing that needs CE (“%(found)s”), but not in a category that asks for it."),
    "shelf_ingredients": _l("This looks like cosmetics (“%(found)s”), but not in a category for them."),
    "shelf_allergens": _l("This looks like food (“%(found)s”), but not in a category for it."),
    "banned_picture": _l("A picture is like one of a product that was taken down (%(found)s)."),
    "others_picture": _l("A picture is like one of another seller's (%(found)s)."),
    RECALLED: _l("It looks like a product that the alert %(found)s calls unsafe."),
    "reported": _l("A moderator looked at it: %(found)s."),
}


def said_of(code: str, found: str) -> str:
    """What is the matter, in the language of who asks."""
    return str(_WHY.get(code, _l("Somebody has to look at this: “%(found)s”."))) % {"found": found}


def _texts(product: Product) -> Iterator[tuple[str, str, str]]:
    """What shoppers read: the field, the language where it is known, and the text.

    Not warnings and guarantee, which say what a thing is not for.
    """
    told: list[tuple[str, Any]] = [("title", product.title), ("description", product.description)]
    told += [("specs", value) for value in (product.specs or {}).values()]
    told += [("pictures", picture.alt) for picture in product.pictures]
    told += [("variants", value) for variant in product.variants for value in (variant.name, variant.size)]
    for field, value in told:
        texts = value if isinstance(value, dict) else {"": str(value or "")}
        for code, text in texts.items():
            yield field, code, str(text)
