"""The steps of an application: one short form for each item, and the way to the next one that is missing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user

from shop import (
    application,
    bank_accounts,
    checklist,
    contact_mail,
    gateways,
    limits,
    papers,
    payouts,
    sellers,
    tax_facts,
)
from shop.access import is_fresh
from shop.checklist import Item, State
from shop.database import db
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, leave, page, secret
from shop.i18n import _
from shop.models import LookUpResult, Seller
from shop.routes import sell
from shop.routes.sell_forms import StepForm
from shop.routes.sell_trade_forms import FORMS
from shop.routes.sell_words import ABOUT, ITEMS, PAPERS, STATES

bp = Blueprint("sell_steps", __name__, url_prefix="/sell")

SAVES = "120 per hour"


@bp.get("/<item>")
def show(item: str) -> Answer:
    """One item, with what was told about it. Who may not change anything now goes to see how it stands."""
    seller = sellers.of(current_user)
    if seller is None or not sellers.is_open(seller):
        _known(item)
        return leave(url_for("sell.show"))
    return shown(application.asked(current_user, _known(item)), _known(item))


def _known(item: str) -> Item:
    if item not in list(Item):
        raise NotFound(_("This is not asked of you."))
    return Item(item)


def shown(seller: Seller, item: Item, status: int = 200, form: StepForm | None = None, **more: Any) -> Answer:
    """The step as it stands."""
    if form is None and item in FORMS:
        form = FORMS[item](None, seller=seller, data=FORMS[item].known(seller))
    stands = sell.standing(seller)
    number, step = next((n, step) for n, step in enumerate(stands.steps, 1) if step.item == item)
    facts: dict[str, Any] = {"seller": seller, "step": step, "number": number, "standing": stands, "form": form}
    facts |= {"title": ITEMS[item], "about": ABOUT[item], "states": STATES, "papers": _papers(seller, item)}
    if item == Item.BANK:
        facts |= {"account": bank_accounts.current(seller.id), "payee": payouts.payee(current_user.id)}
        facts |= {"is_sandbox": gateways.payment().name == "sandbox", "is_back": "back" in request.args}
        facts["is_stale"] = not is_fresh(current_user.vouched_at)
    if item == Item.TAX:
        facts["tax"] = tax_facts.of(seller.id)
    return page("sell/step.html", "application", status=status, **facts, names=PAPERS, most=papers.LARGEST, **more)


def _papers(seller: Seller, item: Item) -> dict[str, Any]:
    """The papers that this item asks for, each with the one that is here."""
    here = {paper.kind: paper for paper in papers.of(seller.id)} if item in checklist.PAPERS else {}
    return {kind: here.get(kind) for kind in checklist.PAPERS.get(item, ())}


@bp.post("/<item>")
def save(item: str) -> Answer:
    """Keep one item, and go on to the next that is missing."""
    asked = _known(item)
    seller = application.asked(current_user, asked)
    if asked not in FORMS:
        raise NotFound(_("There is nothing to fill in here."))
    form = FORMS[asked](seller=seller)
    if not form.validate():
        return shown(seller, asked, 422, form)
    limits.spend(SAVES, "apply step", str(current_user.id))
    is_clear = _keep(asked, form)
    db.session.commit()
    return onward(asked) if is_clear else leave(url_for(".show", item=asked))


def _keep(item: Item, form: StepForm) -> bool:
    """Keep it; is there nothing more to say about it?"""
    if item == Item.BANK:
        return _keep_bank(form)
    if item == Item.TAX:
        tax_facts.give(form.seller, **form.facts(), by=current_user)
        application.touch(form.seller, Item.TAX)
    elif item == Item.CONTACT:
        contact_mail.tell(current_user, form.facts())
    elif item == Item.PROMISE:
        application.promise(current_user)
    else:
        application.tell(current_user, item, form.facts())
    return True


def _keep_bank(form: StepForm) -> bool:
    verdict = bank_accounts.give(form.seller, **form.facts(), by=current_user)
    application.touch(application.asked(current_user, Item.BANK), Item.BANK)
    return verdict.result in (LookUpResult.MATCH, LookUpResult.CANNOT_CHECK)


@bp.post("/bank/name")
def take_name() -> Answer:
    """The name that the bank says is the right one."""
    bank_accounts.take_name(application.asked(current_user, Item.BANK))
    db.session.commit()
    return onward(Item.BANK)


def onward(item: Item) -> Answer:
    """To what is missing next, or to the same step where half of it is; when all is told, to the checklist."""
    steps = checklist.of(application.open_one(current_user))
    is_missing = any(step.item == item and step.state == State.MISSING for step in steps)
    there = item if is_missing else application.next_step(steps, after=item)
    return leave(url_for("sell_steps.show", item=there) if there else url_for("sell.show"))


# The e-mail address for buyers


@bp.post("/contact/mail")
def mail() -> Answer:
    """Another mail with figures."""
    contact_mail.ask(current_user)
    db.session.commit()
    return leave(url_for(".show", item=Item.CONTACT))


@bp.post("/contact/figures")
def confirm() -> Answer:
    """The six figures from the mail."""
    given = request.form.get("figures", "")[:40]
    try:
        contact_mail.confirm(current_user, given)
    except Refused as no:
        if no.status != 422:
            raise
        seller = application.asked(current_user, Item.CONTACT)
        return shown(seller, Item.CONTACT, 422, figures=given, figures_error=no.words)
    db.session.commit()
    return onward(Item.CONTACT)


@bp.get("/address/<token>")
def address(token: str) -> Answer:
    """The page behind the link in that mail, on whatever device. To look confirms nothing: mail programs look, too."""
    return secret(page("sell/address.html", "address", asks=contact_mail.asked_by(token), token=token))


@bp.post("/address/<token>")
def confirm_address(token: str) -> Answer:
    """Yes, it is theirs."""
    contact_mail.confirm_by(token)
    db.session.commit()
    return leave(url_for(".address", token=token))
