"""The forms of who applies to sell: who they are and where, with what each field is for and until when it is kept."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_login import current_user
from wtforms import BooleanField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, Regexp

from shop import accounts, registers
from shop.countries import postcode_of_origin
from shop.hypermedia import Form, at_most
from shop.i18n import _, _l
from shop.models import Seller, SellerKind
from shop.routes.accounts import FILL_IN
from shop.routes.credentials import EMAIL
from shop.routes.sell_words import CHECKED, INSIDE, OF_COUNTRY, PACKAGING, REGISTERS, SHOWN

PHONE = Regexp(r"^\+?[0-9 ()-]{8,30}$", message=_l("This does not look like a telephone number."))
LETTERS = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
LINE = {"autocomplete": "address-line1"}
NUMBER = {"autocapitalize": "characters", "spellcheck": "false", "autocomplete": "off"}


def offered(names: dict[Any, Any]) -> list[SelectChoice]:
    """The choices of a field, by their code."""
    return [SelectChoice(str(code), name) for code, name in names.items()]


class StepForm(Form):
    """The form of one item; `seller` is whose application it is."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *given: Any, seller: Seller, **more: Any) -> None:
        self.seller = seller
        super().__init__(*given, **more)

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """What was told before, by field."""
        return {name: getattr(seller, name) for name in cls.columns}

    def facts(self) -> dict[str, Any]:
        """What was filled in, by column, without the spaces around it."""
        return {name: text.strip() if isinstance(text, str) else text for name, text in self.data.items()}


class ContactForm(StepForm):
    """Who it is and where they are."""

    columns = ("legal_name", "street", "postcode", "city", "phone", "email")

    legal_name = StringField(
        _l("Your full name, as on your identity paper"),
        [FILL_IN, at_most(120)],
        description=SHOWN,
        render_kw={"autocomplete": "name"},
    )
    street = StringField(_l("Street and house number"), [FILL_IN, at_most(120)], description=SHOWN, render_kw=LINE)
    postcode = StringField(
        _l("Postcode"), [FILL_IN, at_most(12)], description=SHOWN, render_kw={"autocomplete": "postal-code"}
    )
    city = StringField(
        _l("Town"), [FILL_IN, at_most(80)], description=SHOWN, render_kw={"autocomplete": "address-level2"}
    )
    phone = StringField(
        _l("Telephone"), [FILL_IN, PHONE], description=SHOWN, render_kw={"autocomplete": "tel", "inputmode": "tel"}
    )
    email = StringField(
        _l("E-mail address for buyers"),
        EMAIL,
        description=_l(
            "Buyers see it. With another address than that of your account we mail you six figures. Gone six"
            " months after you stop selling, or after a refusal."
        ),
        render_kw={"autocomplete": "email", **LETTERS},
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.seller.kind != SellerKind.INDIVIDUAL:
            self.legal_name.label.text = _("Name of the business, as in the register")
            self.legal_name.render_kw = {"autocomplete": "organization"}

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """The account's own address and, of a private person, their name, need not be typed again."""
        told = super().known(seller)
        account = accounts.own(current_user)
        return {**told, "email": told["email"] or account.email}

    def validate_postcode(self, field: StringField) -> None:
        """As this country writes them."""
        if postcode_of_origin(self.seller.country, field.data or "") is None:
            raise ValidationError(_("A postcode in this country looks different. Please look again."))

    def facts(self) -> dict[str, Any]:
        """The postcode as it is written."""
        given = super().facts()
        return {**given, "postcode": postcode_of_origin(self.seller.country, given["postcode"])}


def see_to(mistake: str | None) -> None:
    """Say beside the field what is wrong with it, if something is."""
    if mistake:
        raise ValidationError(mistake)


class RegisterForm(StepForm):
    """Where the business is registered."""

    columns = ("company_register", "company_number")

    company_register = SelectField(_l("Register"), choices=offered(REGISTERS), description=SHOWN)
    company_number = StringField(
        _l("Number in the register"), [FILL_IN, at_most(40)], description=SHOWN, render_kw=NUMBER
    )

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """The register of their own country, until they choose another one."""
        told = super().known(seller)
        return {**told, "company_register": told["company_register"] or OF_COUNTRY.get(seller.country, "OTHER")}

    def validate_company_number(self, field: StringField) -> None:
        """As this register writes them; that it is theirs, a moderator looks up."""
        see_to(registers.company_error(self.company_register.data, field.data))

    def facts(self) -> dict[str, Any]:
        """The number in capitals."""
        given = super().facts()
        return {**given, "company_number": registers.normal_company(given["company_number"])}


class VatForm(StepForm):
    """A VAT number, or why there is none."""

    columns = ("vat_number", "is_small_business")

    vat_number = StringField(_l("VAT number"), [Optional(), at_most(20)], description=SHOWN, render_kw=NUMBER)
    is_small_business = BooleanField(
        _l("I use the small business scheme, or owe no VAT: I have no number."), description=INSIDE
    )

    def validate_vat_number(self, field: StringField) -> None:
        """As the country writes them."""
        see_to(registers.vat_error(self.seller.country, field.data))

    def validate_is_small_business(self, field: BooleanField) -> None:
        """One of the two."""
        if bool((self.vat_number.data or "").strip()) == field.data:
            raise ValidationError(_("Fill in the number, or say that you have none; not both."))

    def facts(self) -> dict[str, Any]:
        """The number with the letters of its country; nothing where there is none."""
        given = super().facts()
        number = given["vat_number"]
        return {**given, "vat_number": registers.normal_vat(self.seller.country, number) if number else ""}


class RepresentativeForm(StepForm):
    """Who speaks for the business."""

    columns = ("represented_by", "represented_as")

    represented_by = StringField(
        _l("Name of who acts for the business"),
        [FILL_IN, at_most(120)],
        description=INSIDE,
        render_kw={"autocomplete": "name"},
    )
    represented_as = StringField(
        _l("As what"),
        [FILL_IN, at_most(60)],
        description=_l(
            "Such as owner, director or authorised signatory. Only we see it. Gone six months after you"
            " stop selling, or after a refusal."
        ),
        render_kw={"autocomplete": "organization-title"},
    )


class PersonInEuropeForm(StepForm):
    """Who answers in the European Union."""

    name = StringField(_l("Name or business in the European Union"), [FILL_IN, at_most(120)], description=SHOWN)
    address = StringField(_l("Their address"), [FILL_IN, at_most(200)], description=SHOWN)
    email = StringField(_l("Their e-mail address"), EMAIL, description=SHOWN, render_kw=LETTERS)

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """As it was told."""
        return dict(seller.eu_responsible)

    def facts(self) -> dict[str, Any]:
        """All of it in one column."""
        return {"eu_responsible": super().facts()}


class PackagingForm(StepForm):
    """The number in the packaging register of their country."""

    number = StringField(_l("Number"), [FILL_IN, at_most(40)], description=CHECKED, render_kw=NUMBER)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.number.label.text = PACKAGING[self.seller.country][1]

    @classmethod
    def known(cls, seller: Seller) -> dict[str, Any]:
        """Of this country."""
        return {"number": seller.packaging.get(seller.country, "")}

    def validate_number(self, field: StringField) -> None:
        """As this register writes them."""
        if not registers.has_shape(PACKAGING[self.seller.country][0], field.data):
            raise ValidationError(_("A number in this register looks different. Please look again."))

    def facts(self) -> dict[str, Any]:
        """That of this country beside those of others."""
        number = self.number.data.strip().upper()
        return {"packaging": {**self.seller.packaging, self.seller.country: number}}
