"""Applying to sell: the form, what became of it, and what one can do about that."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, Regexp

from shop import accounts, i18n, limits, papers, registers, sellers, verdicts
from shop.countries import COUNTRIES, postcode
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _, _l
from shop.models import PaperKind, Seller, SellerKind, StockKind, Vetting
from shop.routes.accounts import FILL_IN
from shop.routes.credentials import EMAIL

bp = Blueprint("sell", __name__, url_prefix="/sell")

KINDS = {
    SellerKind.INDIVIDUAL: _l("A private person: I sell what I made or own"),
    SellerKind.BUSINESS: _l("A business, registered as such"),
    SellerKind.BRAND: _l("A brand: a business that sells under its own mark"),
}
STOCKS = {
    StockKind.OWN_STOCK: _l("With me: I pack and send it"),
    StockKind.SUPPLIER_SHIPS: _l("With a supplier, who sends it to the buyer"),
    StockKind.MADE_TO_ORDER: _l("Nowhere yet: it is made after the order"),
}
REGISTERS = {
    "KVK": _l("KvK, the Netherlands (8 digits)"),
    "KBO": _l("KBO/BCE, Belgium (10 digits)"),
    "HRB": _l("Handelsregister, Germany (HRB or HRA and a number)"),
    "RCS": _l("SIREN, France (9 digits)"),
    "RCSL": _l("RCS, Luxembourg (a letter and a number)"),
}
PAPERS = {
    PaperKind.FRONT: _l("Identity paper, front"),
    PaperKind.BACK: _l("Identity paper, back"),
    PaperKind.EXTRACT: _l("Extract from the register, or licence"),
    PaperKind.LICENCE: _l("Licence"),
}
HANDLE = Regexp(r"^[a-z0-9][a-z0-9._-]{2,29}$", message=_l("Use 3 to 30 small letters, digits, dots, - or _."))
TELL = (DataRequired(_l("Tell us.")), Length(10, 500, _l("Tell us in 10 to 500 characters.")))
PHONE = Regexp(r"^\+?[0-9 ()-]{8,30}$", message=_l("This does not look like a telephone number."))


def _offered(names: dict[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(str(code), name) for code, name in names.items()]


class ApplicationForm(Form):
    """Who wants to sell, what, and from where. What is asked depends on the kind of seller."""

    kind = RadioField(_l("I am"), choices=_offered(KINDS), default=SellerKind.INDIVIDUAL)
    handle = StringField(_l("Your address at Etalage"), [FILL_IN, HANDLE])
    shop_name = StringField(_l("Name of your shop"), [FILL_IN, at_most(80)])
    legal_name = StringField(_l("Your full name"), [FILL_IN, at_most(120)])
    company_register = SelectField(_l("Register"), choices=_offered(REGISTERS))
    company_number = StringField(_l("Number in the register"), [FILL_IN, at_most(40)])
    vat_number = StringField(_l("VAT number"), [Optional(), at_most(20)])
    email = StringField(_l("E-mail address for buyers"), EMAIL)
    phone = StringField(_l("Telephone"), [FILL_IN, PHONE])
    street = StringField(_l("Street and house number"), [FILL_IN, at_most(120)])
    postcode = StringField(_l("Postcode"), [FILL_IN, at_most(12)])
    city = StringField(_l("Town"), [FILL_IN, at_most(80)])
    country = SelectField(_l("Country"), choices=list(COUNTRIES))
    returns_address = TextAreaField(_l("Where returns go, if that is elsewhere"), [at_most(300)])
    stock_kind = RadioField(_l("Where does the stock lie?"), choices=_offered(STOCKS), default=StockKind.OWN_STOCK)
    sells_what = TextAreaField(_l("What do you want to sell?"), TELL)
    is_self_certified = BooleanField(
        _l("I sell only what the law of the European Union allows, and what I wrote here is true."),
        [DataRequired(_l("Without this promise the law does not let us let you sell."))],
    )

    def __init__(self, *given: Any, has_window: bool = False, **more: Any) -> None:
        super().__init__(*given, **more)
        self.country.choices = [SelectChoice(code, i18n.country(code)) for code in COUNTRIES]
        if has_window:
            del self.handle, self.shop_name
        if self.kind.data == SellerKind.INDIVIDUAL:
            del self.company_register, self.company_number, self.vat_number
        else:
            self.legal_name.label.text = _("Name of the business, as in the register")

    def validate_company_number(self, field: StringField) -> None:
        """As this register writes them; that it is theirs, a moderator looks up."""
        if not registers.has_shape(registers.REGISTERS.get(self.company_register.data, ".+"), field.data):
            raise ValidationError(_("A number in this register looks different. Please look again."))

    def validate_vat_number(self, field: StringField) -> None:
        """As the country of its first two letters writes them."""
        number = field.data.strip().upper()
        if not registers.has_shape(registers.VAT_NUMBERS.get(number[:2], "(?!)"), number[2:]):
            raise ValidationError(_("A VAT number begins with the country, such as NL123456789B01. Please look again."))

    def validate_postcode(self, field: StringField) -> None:
        """As this country writes them."""
        if postcode(self.country.data, field.data) is None:
            raise ValidationError(_("A postcode in this country looks different. Please look again."))

    def facts(self) -> dict[str, Any]:
        """What was filled in, without the spaces around it."""
        given = {name: text.strip() if isinstance(text, str) else text for name, text in self.data.items()}
        for name in ("company_number", "vat_number", "postcode"):
            given[name] = (given.get(name) or "").upper()
        if not given["returns_address"]:
            given["returns_address"] = "{street}, {postcode} {city}, {country}".format_map(given)
        own = {"handle": current_user.profile_handle or "", "shop_name": "", "company_register": ""}
        return {**own, **given}


@bp.get("")
def show() -> Answer:
    """The form for who has not applied; else what became of it, with the form again where something must be fixed."""
    return shown(sellers.of(current_user))


def shown(seller: Seller | None, status: int = 200, form: ApplicationForm | None = None, **more: Any) -> Answer:
    """The page as it stands for this application."""
    is_open = seller is None or seller.vetting == Vetting.NEEDS_FIXING
    if form is None and is_open:
        form = ApplicationForm(None, obj=seller or _known(), has_window=_has_window())
    before = sellers.waiting_before(seller) if seller is not None and seller.vetting == Vetting.WAITING else 0
    facts: dict[str, Any] = {"seller": seller, "form": form if is_open else None, "before": before}
    facts |= {"kinds": KINDS, "stocks": STOCKS, "can_object": seller is not None and verdicts.can_object(seller)}
    if seller is not None and sellers.is_open_for_papers(seller):
        facts |= {"papers": _papers(seller), "names": PAPERS, "most": papers.LARGEST}
    return page("sell/show.html", "application", status=status, **{**facts, **more})


def _papers(seller: Seller) -> dict[PaperKind, Any]:
    """What is asked of this kind of seller, each with the paper that is here."""
    here = {paper.kind: paper for paper in papers.of(seller.id)}
    return {kind: here.get(kind) for kind in papers.wanted(seller.kind)}


def _known() -> Any:
    """What the account tells already need not be typed again."""
    account = accounts.own(current_user)
    return type("Known", (), {"email": account.email, "legal_name": ""})


def _has_window() -> bool:
    return current_user.profile_handle is not None


@bp.post("/kind")
def ask() -> Answer:
    """Another kind of seller is asked other things: the form again, with what was typed. Nothing is kept yet."""
    return shown(sellers.of(current_user), form=ApplicationForm(has_window=_has_window()))


@bp.post("")
def apply() -> Answer:
    """Send it in."""
    form = ApplicationForm(has_window=_has_window())
    if not form.validate():
        return shown(sellers.of(current_user), 422, form)
    limits.spend("10 per hour", "apply", str(current_user.id))
    try:
        sellers.apply(current_user, **form.facts())
    except Refused as no:
        if no.status != 422 or "handle" not in form:
            raise
        form.handle.errors = [no.words]
        return shown(sellers.of(current_user), no.status, form)
    db.session.commit()
    return leave(url_for(".show"))


@bp.post("/objection")
def objection() -> Answer:
    """Say why a refusal is wrong."""
    words = request.form.get("words", "").strip()
    if len(words) < 10:
        wrong = _("Tell us why the refusal is wrong.")
        return shown(sellers.of(current_user), 422, objection=words, objection_error=wrong)
    verdicts.object_to(current_user, words[:1000])
    db.session.commit()
    return leave(url_for(".show"))
