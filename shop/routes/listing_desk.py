"""The moderators' desk for listings: what waits to be looked at, a decision and why, and a take-down at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import HiddenField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from shop import i18n, listing_cases, listing_desk, products, safety_checks
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _, _l
from shop.listing_checks import said_of
from shop.models import CaseState, ListingCase, Product, ProductStatus
from shop.reasons import PRODUCTS
from shop.words import Words

bp = Blueprint("listing_desk", __name__, url_prefix="/moderation")

VERDICTS = {
    CaseState.APPROVED: _l("Approve: it goes on sale"),
    CaseState.FIX: _l("Ask for a change; until then it is not for sale"),
    CaseState.TAKEN_DOWN: _l("Take down: this may not be sold here"),
}
STATES = {
    ProductStatus.DRAFT: _l("Draft"),
    ProductStatus.LIVE: _l("For sale"),
    ProductStatus.PAUSED: _l("Paused"),
    ProductStatus.REVIEW: _l("Waits for a moderator"),
    ProductStatus.DOWN: _l("Taken down"),
}
ALIKE_BY = {
    "barcode": _l("The same barcode"),
    "number": _l("The same brand and number"),
    "name": _l("The same brand and name"),
}
DONE: dict[str, str] = {
    CaseState.APPROVED: _l("It is for sale. The seller is told by mail."),
    CaseState.FIX: _l("Sent back, with what has to be changed. The seller is told by mail."),
    CaseState.TAKEN_DOWN: _l("Taken down, on every page and in every cart. The seller is told by mail why."),
    "kept": _l("It stays as it was, and what was pointed out is not asked again."),
}


def _reasons() -> list[SelectChoice]:
    first = SelectChoice("", _("Choose a reason"))
    return [first, *(SelectChoice(code, i18n.said(reason.said)) for code, reason in PRODUCTS.items())]


class ReasonForm(Form):
    """Why something may not be sold like this."""

    reason = SelectField(_l("Reason"), choices=_reasons, validate_choice=False)
    words = TextAreaField(_l("In your own words: the seller reads this"), [at_most(900)])


class DecisionForm(ReasonForm):
    """What follows, and why."""

    verdict = RadioField(
        _l("Decision"),
        [InputRequired(_l("Choose what to do with this listing."))],
        choices=[SelectChoice(str(code), name) for code, name in VERDICTS.items()],
    )
    seen = HiddenField()


@bp.get("/products")
def index() -> Answer:
    """Which listings wait, the longest first."""
    found, more = listing_desk.queue(request.args.get("after", ""))
    many = listing_desk.waiting()
    facts: dict[str, Any] = {"said_of": said_of, "done": _done(), "checked": safety_checks.last()}
    return page("moderation/products.html", "queue", found=found, more=more, waiting=many, **facts)


def _done() -> str:
    return str(DONE.get(request.args.get("done", ""), ""))


@bp.get("/products/<code>")
def case(code: str) -> Answer:
    """One of them, as a shopper would see it: why it waits, what its seller did before, and what to decide."""
    found = listing_cases.called(code)
    return _shown(listing_cases.product_of(found), found, DecisionForm(None))


@bp.post("/products/<code>/decision")
def decide(code: str) -> Answer:
    """Decide; what is said goes to the seller by mail."""
    found, form = listing_cases.called(code), DecisionForm()
    product = listing_cases.product_of(found)
    if not form.validate():
        return _shown(product, found, form, 422)
    reason, seen, was = form.reason.data or "", form.seen.data or "", product.status
    try:
        listing_cases.decide(found, form.verdict.data, by=current_user, reason=reason, words=_words(form), seen=seen)
    except Refused as no:
        return _again(product, found, form, no)
    db.session.commit()
    is_kept = was != ProductStatus.REVIEW and form.verdict.data == CaseState.APPROVED
    return leave(url_for(".index", done="kept" if is_kept else form.verdict.data))


@bp.get("/listings/<code>")
def listing(code: str) -> Answer:
    """Any product, to be taken down from its page."""
    return _shown(listing_cases.listed(code), None, ReasonForm(None))


@bp.post("/listings/<code>/take-down")
def take_down(code: str) -> Answer:
    """Take it down, at once."""
    product, form = listing_cases.listed(code), ReasonForm()
    if not form.validate():
        return _shown(product, None, form, 422)
    try:
        listing_cases.take_down(product, by=current_user, reason=form.reason.data or "", words=_words(form))
    except Refused as no:
        return _again(product, None, form, no)
    db.session.commit()
    return leave(url_for(".listing", code=code, done=CaseState.TAKEN_DOWN))


def _words(form: ReasonForm) -> Words:
    said = (form.words.data or "").strip()
    return Words({i18n.language(): said} if said else {})


def _again(product: Product, found: ListingCase | None, form: ReasonForm, no: Refused) -> Answer:
    """The same page with what is wrong beside it; what is no longer so is for the page of errors."""
    if no.status != 422:
        raise no
    (form.words if form.reason.data in PRODUCTS else form.reason).errors = [no.words]
    return _shown(product, found, form, 422)


def _shown(product: Product, found: ListingCase | None, form: ReasonForm, status: int = 200) -> Answer:
    seller = product.seller
    shopper = products.find(product.code, is_preview=True)
    return page(
        "moderation/listing.html",
        "listing",
        status=status,
        listing=product,
        case=found,
        form=form,
        seller=seller,
        page=shopper.read() if shopper.variants else None,
        done=_done(),
        reasons=PRODUCTS,
        states=STATES,
        said_of=said_of,
        alike_by=ALIKE_BY,
        may_decide=listing_cases.is_for(product, current_user),
        can_go_down=product.status in listing_cases.CAN_GO_DOWN,
        history=listing_desk.of_seller(seller.id),
        story=listing_desk.story(product.id),
        stamp=listing_cases.as_it_stands(product),
    )
