"""The forms of a listing, one for each section of its page. They check shape; what can be true, the rules say."""

from __future__ import annotations

import re
from typing import Any

from wtforms import EmailField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from shop import listing_facts
from shop.hypermedia import DecimalNumber, Form, WholeNumber, at_most
from shop.i18n import LANGUAGES, _, _l, language
from shop.models import Product, StockKind
from shop.words import Words

FILL_IN = InputRequired(_l("Fill this in."))
STOCKS = {
    StockKind.OWN_STOCK: _l("With me: I pack and send it"),
    StockKind.SUPPLIER_SHIPS: _l("With a supplier, who sends it to the buyer"),
    StockKind.MADE_TO_ORDER: _l("Nowhere yet: it is made after the order"),
}
BETWEEN = _l("Fill in a whole number from %(min)s to %(max)s.")
_COUNTRY = re.compile(r"[A-Z]{2}")


def countries() -> list[SelectChoice]:
    """Every country, by its name in this person's language."""
    names = LANGUAGES[language()].territories
    named = sorted((str(name), code) for code, name in names.items() if _COUNTRY.fullmatch(code) and code not in _NONE)
    return [SelectChoice("", "-"), *(SelectChoice(code, name) for name, code in named)]


_NONE = frozenset(("EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"))  # of Unicode's list, and no country


def both(form: Form, name: str) -> Words:
    """What was written in each language."""
    return Words({code: form[f"{name}_{code}"].data or "" for code in LANGUAGES})


def apart(name: str, words: Words | None) -> dict[str, str]:
    """Words as the fields of a form have them."""
    told = words or Words()
    return {f"{name}_{code}": told.get(code, "") for code in LANGUAGES}


class WhatForm(Form):
    """What it is, in both languages or in one."""

    title_nl = StringField(_l("Title in Dutch"), [at_most(listing_facts.LONGEST["title"])])
    title_en = StringField(_l("Title in English"), [at_most(listing_facts.LONGEST["title"])])
    description_nl = TextAreaField(_l("Description in Dutch"), [at_most(listing_facts.LONGEST["description"])])
    description_en = TextAreaField(_l("Description in English"), [at_most(listing_facts.LONGEST["description"])])
    category = SelectField(_l("What kind of thing is it?"), invalid_choice_message=_l("Choose a category."), choices=[])

    def validate(self, *more: Any) -> bool:
        """Each field, and that there is a title: one language is enough."""
        is_right = super().validate(*more)
        if any((field.data or "").strip() for field in (self.title_nl, self.title_en)):
            return bool(is_right)
        self.title_nl.errors = [_("Give it a title, in Dutch or in English.")]
        return False

    @classmethod
    def told(cls, product: Product) -> dict[str, Any]:
        """As it stands."""
        words = apart("title", product.title) | apart("description", product.description)
        return {**words, "category": product.category.slug}

    def facts(self) -> dict[str, Any]:
        """What was told."""
        told = {name: both(self, name) for name in ("title", "description")}
        return {**told, "category": self.category.data}


class SafetyForm(Form):
    """Who made it, who answers for it in the EU, and what one has to be warned of."""

    maker_name = StringField(_l("Name"), [at_most(120)])
    maker_email = EmailField(_l("E-mail address"), [at_most(254)])
    maker_street = StringField(_l("Street and house number"), [at_most(120)])
    maker_postcode = StringField(_l("Postcode"), [at_most(12)])
    maker_city = StringField(_l("Town"), [at_most(80)])
    maker_country = SelectField(_l("Country"), choices=[], default="")
    responsible_name = StringField(_l("Name"), [at_most(120)])
    responsible_email = EmailField(_l("E-mail address"), [at_most(254)])
    responsible_street = StringField(_l("Street and house number"), [at_most(120)])
    responsible_postcode = StringField(_l("Postcode"), [at_most(12)])
    responsible_city = StringField(_l("Town"), [at_most(80)])
    responsible_country = SelectField(_l("Country"), choices=[], default="")
    warnings_nl = TextAreaField(_l("Warnings in Dutch"), [at_most(listing_facts.LONGEST["warnings"])])
    warnings_en = TextAreaField(_l("Warnings in English"), [at_most(listing_facts.LONGEST["warnings"])])

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.maker_country.choices = self.responsible_country.choices = countries()

    @classmethod
    def told(cls, product: Product) -> dict[str, Any]:
        """As it stands."""
        told: dict[str, Any] = apart("warnings", product.warnings)
        for who in ("maker", "responsible"):
            party = getattr(product, who) or {}
            told |= {f"{who}_{name}": text for name, text in {**party, **(party.get("address") or {})}.items()}
        return told

    def facts(self) -> dict[str, Any]:
        """What was told."""
        return {**{who: self._party(who) for who in ("maker", "responsible")}, "warnings": both(self, "warnings")}

    def _party(self, who: str) -> dict[str, Any]:
        at = {name: self[f"{who}_{name}"].data for name in listing_facts.ADDRESS}
        return {"name": self[f"{who}_name"].data, "email": self[f"{who}_email"].data, "address": at}


class OriginForm(Form):
    """Where it is sent from, by whom and how soon, and what it weighs."""

    ships_from_country = SelectField(_l("It is sent from"), invalid_choice_message=_l("Choose a country."), choices=[])
    ships_from_city = StringField(_l("Town"), [FILL_IN, at_most(80)])
    stock_kind = RadioField(
        _l("Where does the stock lie?"),
        invalid_choice_message=_l("Choose where the stock lies."),
        choices=[SelectChoice(str(k), words) for k, words in STOCKS.items()],
    )
    handling_days = WholeNumber(
        _l("Working days until it is sent"), [FILL_IN, NumberRange(0, listing_facts.MOST_HANDLING, BETWEEN)]
    )
    weight_grams = WholeNumber(
        _l("Weight in grams, packed"), [Optional(), NumberRange(1, listing_facts.HEAVIEST, BETWEEN)]
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.ships_from_country.choices = countries()[1:]

    @classmethod
    def told(cls, product: Product) -> dict[str, Any]:
        """As it stands."""
        return {name: getattr(product, name) for name in ORIGIN}

    def facts(self) -> dict[str, Any]:
        """What was told."""
        return {name: self[name].data for name in ORIGIN}


ORIGIN = ("ships_from_country", "ships_from_city", "stock_kind", "handling_days", "weight_grams")


class TermsForm(Form):
    """Tax, guarantee, and what somebody gets who shows it in a clip."""

    vat_rate = SelectField(_l("VAT in the price"), invalid_choice_message=_l("Choose a rate of VAT."), choices=[])
    guarantee_nl = StringField(_l("Guarantee in Dutch"), [at_most(listing_facts.LONGEST["guarantee"])])
    guarantee_en = StringField(_l("Guarantee in English"), [at_most(listing_facts.LONGEST["guarantee"])])
    creator_rate = DecimalNumber(
        _l("For who shows it in a clip, in per cent"),
        [InputRequired(_l("Fill in a number.")), NumberRange(0, 50, _l("Fill in a number from %(min)s to %(max)s."))],
        invalid_value_message=_l("Fill in a number."),
    )

    @classmethod
    def told(cls, product: Product) -> dict[str, Any]:
        """As it stands."""
        told = {"vat_rate": str(product.vat_rate), "creator_rate": product.creator_rate / 100}
        return {**told, **apart("guarantee", product.guarantee)}

    def facts(self) -> dict[str, Any]:
        """What was told."""
        rate = {"vat_rate": int(self.vat_rate.data), "creator_rate": round(self.creator_rate.data * 100)}
        return {**rate, "guarantee": both(self, "guarantee")}


class FactsForm(Form):
    """What its category asks for. The fields have the names of the category's facts: see `facts_form`."""

    keys: tuple[str, ...] = ()

    @classmethod
    def told(cls, product: Product) -> dict[str, Any]:
        """As it stands; what has one text for all languages stands in each."""
        specs = {key: _apart(value) for key, value in (product.specs or {}).items()}
        return {f"spec_{key}_{code}": text for key, texts in specs.items() for code, text in texts.items()}

    def facts(self) -> dict[str, Any]:
        """What was told: one text where it is the same in every language, or is there in one only."""
        return {"specs": {key: _together(both(self, f"spec_{key}")) for key in self.keys}}


def _apart(value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, dict) else dict.fromkeys(LANGUAGES, str(value))


def _together(words: Words) -> Any:
    texts = {text.strip() for text in words.values() if text.strip()}
    return texts.pop() if len(texts) == 1 else {code: text for code, text in words.items() if text.strip()}


def facts_form(product: Product) -> type[FactsForm]:
    """The form for what this product's category asks for."""
    keys = tuple(str(spec["key"]) for spec in product.category.specs)
    fields: dict[str, Any] = {"keys": keys}
    for spec in product.category.specs:
        for code, locale in LANGUAGES.items():
            label = f"{Words.read(spec['name']).said(language())} ({locale.get_display_name(language())})"
            fields[f"spec_{spec['key']}_{code}"] = StringField(label, [at_most(listing_facts.LONGEST_SPEC)])
    return type("FactsOfCategory", (FactsForm,), fields)
