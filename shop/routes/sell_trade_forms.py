"""The forms of how somebody sells: their account, goods and returns, and what they promise; and those of all items."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange

from shop import i18n, registers, tax_numbers
from shop.checklist import Item
from shop.countries import EU, ORIGINS
from shop.hypermedia import WholeNumber, at_most
from shop.i18n import _l
from shop.models import Seller, SellerKind, StockKind
from shop.routes.accounts import FILL_IN
from shop.routes.sell_forms import (
    NUMBER,
    ContactForm,
    PackagingForm,
    PersonInEuropeForm,
    RegisterForm,
    RepresentativeForm,
    StepForm,
    VatForm,
    offered,
    see_to,
)
from shop.routes.sell_words import INSIDE, PAID_BY, SEALED, SHOWN, STOCKS, TAX_NUMBER

TELL = (DataRequired(_l("Tell us.")), Length(10, 500, _l("Tell us in 10 to 500 characters.")))


class BankForm(StepForm):
    """Where the money goes, and on whose name that is."""

    iban = StringField(
        _l("Account number (IBAN)"),
        [FILL_IN, at_most(50)],
        description=_l(
            "What you earn goes there. Sealed, so that we see its last four; gone six months after you stop selling, "
            "or 90 days after a refusal."
        ),
        render_kw=NUMBER,
    )
    holder = StringField(
        _l("On the name of"),
        [FILL_IN, Length(2, 120, _l("Fill in on whose name the account is, as the bank has it."))],
        description=_l("We ask the bank whether it fits. Kept as long as the account."),
        render_kw={"autocomplete": "off"},
    )

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """Nobody sees the number again; the name is most likely their own."""
        return {"holder": seller.legal_name}

    def validate_iban(self, field: StringField) -> None:
        """As banks write them."""
        see_to(registers.iban_error(field.data))


class TaxForm(StepForm):
    """Under which number they pay income tax, and of a person the day of birth; sealed, and shown to nobody again."""

    country = SelectField(_l("Country that gave you the number"), choices=sorted(ORIGINS), description=SEALED)
    number = StringField(_l("Tax number"), [FILL_IN, at_most(30)], description=TAX_NUMBER, render_kw=NUMBER)
    born = DateField(
        _l("Day of birth"),
        [DataRequired(_l("Fill in your day of birth."))],
        description=SEALED,
        render_kw={"autocomplete": "bday"},
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.country.choices = [SelectChoice(code, i18n.country(code)) for code in ORIGINS]
        if self.seller.kind != SellerKind.INDIVIDUAL:
            del self.born

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """Most have the number of where they live; nobody sees it again."""
        return {"country": seller.country}

    def validate_number(self, field: StringField) -> None:
        """As this country writes them."""
        is_person = self.seller.kind == SellerKind.INDIVIDUAL
        see_to(tax_numbers.error(self.country.data or "", field.data, is_person=is_person))

    def validate_born(self, field: DateField) -> None:
        """Somebody who can be alive."""
        see_to(tax_numbers.birth_error(field.data))


class GoodsForm(StepForm):
    """What is sold, and where it lies."""

    columns = ("sells_what", "stock_kind")

    sells_what = TextAreaField(
        _l("What do you want to sell?"),
        TELL,
        description=_l(
            "So that a moderator knows what to look for. Only we see it. Gone six months after you"
            " stop selling, or after a refusal."
        ),
        render_kw={"rows": 4, "maxlength": 500},
    )
    stock_kind = RadioField(
        _l("Where does the stock lie?"), choices=offered(STOCKS), default=StockKind.OWN_STOCK, description=INSIDE
    )


class ReturnsForm(StepForm):
    """Where things go back to, and on whose account."""

    columns = ("returns_days", "returns_paid_by")

    returns_address = TextAreaField(
        _l("Where returns go, without the country"),
        [FILL_IN, at_most(280)],
        description=SHOWN,
        render_kw={"rows": 2, "autocomplete": "street-address"},
    )
    returns_country = SelectField(_l("Country"), choices=sorted(EU), description=SHOWN)
    returns_days = WholeNumber(
        _l("Within how many days"),
        [FILL_IN, NumberRange(14, 365, _l("Here buyers have 14 days at least; you may give up to 365."))],
        default=14,
        description=SHOWN,
        render_kw={"inputmode": "numeric"},
    )
    returns_paid_by = RadioField(_l("Who pays"), choices=offered(PAID_BY), default="buyer", description=SHOWN)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        inside = [code for code in ORIGINS if code in EU]
        self.returns_country.choices = [SelectChoice(code, i18n.country(code)) for code in inside]

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """As it was told; before that, of who lives in the union, their own address."""
        told = super().known(seller)
        where, _comma, country = seller.returns_address.rpartition(", ")
        if not where and seller.country in EU and seller.street:
            where, country = f"{seller.street}, {seller.postcode} {seller.city}", seller.country
        return {**told, "returns_address": where, "returns_country": country or "NL"}

    def facts(self) -> dict[str, Any]:
        """Address and country in one line."""
        given = super().facts()
        where = ", ".join(filter(None, (line.strip(" ,") for line in given["returns_address"].splitlines())))
        kept = {name: given[name] for name in self.columns}
        return {**kept, "returns_address": f"{where}, {given['returns_country']}"}


class PromiseForm(StepForm):
    """What the law wants promised, and our terms."""

    is_self_certified = BooleanField(
        _l("I sell only what the law of the European Union allows, and what I wrote here is true."),
        [DataRequired(_l("Without this promise the law does not let us let you sell."))],
        description=SHOWN,
    )
    terms = BooleanField(
        _l("I agree to the terms for sellers."),
        [DataRequired(_l("Nobody sells here without these terms."))],
        description=INSIDE,
    )

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """As it was promised."""
        return {"is_self_certified": seller.is_self_certified, "terms": seller.terms_accepted_at is not None}


FORMS: dict[Item, type[StepForm]] = {
    Item.CONTACT: ContactForm,
    Item.REGISTER: RegisterForm,
    Item.VAT: VatForm,
    Item.REPRESENTATIVE: RepresentativeForm,
    Item.EU_RESPONSIBLE: PersonInEuropeForm,
    Item.PACKAGING: PackagingForm,
    Item.BANK: BankForm,
    Item.TAX: TaxForm,
    Item.GOODS: GoodsForm,
    Item.RETURNS: ReturnsForm,
    Item.PROMISE: PromiseForm,
}
