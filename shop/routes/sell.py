"""Applying to sell: to begin, what is missing, sending it in; what became of it, and what one can do about that."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Regexp

from shop import application, checklist, i18n, limits, reasons, sellers, statements, verdicts
from shop.checklist import Item, Step
from shop.countries import ORIGINS
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _, _l
from shop.models import Seller, SellerKind, Vetting
from shop.routes.accounts import FILL_IN
from shop.routes.sell_forms import offered
from shop.routes.sell_words import AT_HAND, ITEMS, KINDS, PAPERS, STATES, STOCKS

__all__ = ["KINDS", "PAPERS", "STOCKS", "bp"]  # also the words of the moderators' desk

bp = Blueprint("sell", __name__, url_prefix="/sell")

TRIES = "10 per hour"  # to begin, and to send it in
HANDLE = Regexp(r"^[a-z0-9][a-z0-9._-]{2,29}$", message=_l("Use 3 to 30 small letters, digits, dots, - or _."))


class KindForm(Form):
    """What sort of seller, and from where."""

    kind = RadioField(_l("I am"), choices=offered(KINDS), default=SellerKind.INDIVIDUAL)
    country = SelectField(_l("I sell from"), choices=list(ORIGINS), render_kw={"autocomplete": "country"})

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.country.choices = [SelectChoice(code, i18n.country(code)) for code in ORIGINS]

    def asks(self) -> tuple[Item, ...]:
        """What such a seller is asked."""
        kind = self.kind.data if self.kind.data in list(SellerKind) else SellerKind.INDIVIDUAL
        return checklist.asked_of(kind, self.country.data if self.country.data in ORIGINS else ORIGINS[0])


class BeginForm(KindForm):
    """Also the name and the address of the window."""

    shop_name = StringField(_l("Name of your shop"), [FILL_IN, at_most(80)], render_kw={"autocomplete": "organization"})
    handle = StringField(
        _l("Your address at Etalage"),
        [FILL_IN, HANDLE],
        description=_l("Your window will be at /@ and this word. It cannot be changed later."),
        render_kw={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if current_user.profile_handle is not None:
            del self.handle, self.shop_name


class Standing(NamedTuple):
    """How far an application is: its steps, how many of them are told, and how long the rest takes."""

    steps: list[Step]
    told: int
    minutes: int
    next: Item | None


def standing(seller: Seller) -> Standing:
    """As it is now."""
    steps = [step._replace(words=reasons.spoken(step.reason, step.words)) for step in checklist.of(seller)]
    to_do = [step.item for step in steps if application.is_to_do(step)]
    return Standing(steps, len(steps) - len(to_do), application.minutes(to_do), application.next_step(steps))


@bp.get("")
def show() -> Answer:
    """How to begin, for who has not; else the checklist, or what became of it."""
    seller = sellers.of(current_user)
    if seller is None:
        return _beginning(BeginForm(request.args) if request.args else BeginForm(None))
    return shown(seller)


def _beginning(form: KindForm, status: int = 200) -> Answer:
    return _asking("sell/begin.html", form, status)


def _asking(template: str, form: KindForm, status: int) -> Answer:
    asks = form.asks()
    minutes = application.minutes(asks)
    return page(template, "application", status=status, form=form, asks=asks, minutes=minutes, at_hand=AT_HAND)


def shown(seller: Seller, status: int = 200, **more: Any) -> Answer:
    """The page as it stands for this application."""
    facts: dict[str, Any] = {"seller": seller, "names": ITEMS, "states": STATES, "kinds": KINDS}
    if sellers.is_open(seller) or seller.vetting == Vetting.WAITING:
        facts["standing"] = standing(seller)
    if seller.vetting == Vetting.WAITING:
        facts |= {"before": sellers.waiting_before(seller), "until": application.decided_by(seller)}
    facts |= {"can_object": verdicts.can_object(seller), "can_take_back": application.can_take_back(seller)}
    facts |= {"told": statements.of(seller), "note": reasons.unlisted(seller.vetting_note)}
    return page("sell/show.html", "application", status=status, **facts, **more)


@bp.post("")
def begin() -> Answer:
    """Begin: from now on everything is kept, step by step."""
    form = BeginForm()
    if not form.validate():
        return _beginning(form, 422)
    limits.spend(TRIES, "apply", str(current_user.id))
    named = {"handle": current_user.profile_handle or "", "shop_name": "", **form.data}
    try:
        seller = application.begin(current_user, **{name: text.strip() for name, text in named.items()})
    except Refused as no:
        if no.status != 422 or "handle" not in form:
            raise
        form.handle.errors = [no.words]
        return _beginning(form, no.status)
    first = application.next_step(checklist.of(seller))
    db.session.commit()
    return leave(url_for("sell_steps.show", item=first))


@bp.get("/kind")
def kind() -> Answer:
    """Another kind of seller, or another country."""
    seller = sellers.of(current_user)
    if seller is None or seller.vetting != Vetting.DRAFT:
        return leave(url_for(".show"))
    return _kind(KindForm(request.args) if request.args else KindForm(None, obj=seller))


def _kind(form: KindForm, status: int = 200) -> Answer:
    return _asking("sell/kind.html", form, status)


@bp.post("/kind")
def change_kind() -> Answer:
    """Change it; the checklist changes along, and nothing that was told is lost."""
    form = KindForm()
    if not form.validate():
        return _kind(form, 422)
    application.change_kind(current_user, kind=form.kind.data, country=form.country.data)
    db.session.commit()
    return leave(url_for(".show"))


@bp.post("/sending")
def submit() -> Answer:
    """Send it in."""
    limits.spend(TRIES, "apply", str(current_user.id))
    try:
        application.submit(current_user)
    except Refused as no:
        seller = sellers.of(current_user)
        if no.status != 422 or seller is None:
            raise
        let_go()
        return shown(application.open_one(current_user), 422, error=no.words)
    db.session.commit()
    return leave(url_for(".show"))


@bp.post("/return")
def take_back() -> Answer:
    """Take it back, to change something after all."""
    application.take_back(current_user)
    db.session.commit()
    return leave(url_for(".show"))


@bp.post("/objection")
def objection() -> Answer:
    """Say why a refusal is wrong."""
    words = request.form.get("words", "").strip()
    seller = sellers.of(current_user)
    if len(words) < 10 and seller is not None:
        wrong = _("Tell us why the refusal is wrong.")
        return shown(seller, 422, objection=words, objection_error=wrong)
    verdicts.object_to(current_user, words[:1000])
    db.session.commit()
    return leave(url_for(".show"))
