"""The moderators' desk: who waits, what they told, and a decision with its reason."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import HiddenField, RadioField, SelectMultipleField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput

from shop import i18n, papers, seller_desk, sellers, verdicts
from shop.access import is_fresh
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _l
from shop.models import Seller, Vetting
from shop.routes.sell import KINDS, PAPERS, STOCKS
from shop.words import Words

bp = Blueprint("moderation", __name__, url_prefix="/moderation")

VERDICTS = {
    Vetting.APPROVED: _l("Approve: they may sell"),
    Vetting.NEEDS_FIXING: _l("Ask to fix something"),
    Vetting.REFUSED: _l("Refuse"),
}
CHECKS = {
    "identity": _l("Name and address belong together and exist"),
    "register": _l("Looked up in the official register: name, address and number agree"),
    "vat": _l("VAT number looked up (VIES): valid, and theirs"),
    "contact": _l("Somebody answers the telephone or the mail"),
    "goods": _l("What they want to sell is allowed"),
    "brand": _l("The mark is theirs, or they may use it"),
}


class DecisionForm(Form):
    """What was looked at, what follows, and why."""

    checks = SelectMultipleField(
        _l("Looked at"),
        choices=[SelectChoice(code, name) for code, name in CHECKS.items()],
        option_widget=CheckboxInput(),
    )
    verdict = RadioField(
        _l("Decision"),
        [InputRequired(_l("Choose what to do with this application."))],
        choices=[SelectChoice(str(code), name) for code, name in VERDICTS.items()],
    )
    words = TextAreaField(_l("Reason: the applicant reads this"), [at_most(900)])
    seen = HiddenField()


class ReasonForm(Form):
    """Why somebody's sales are stopped, or may go on."""

    words = TextAreaField(_l("Reason: the seller reads this"), [at_most(900)])


# What was done on the page before; its address says which.
DONE = {
    Vetting.APPROVED: _l("Approved. They are told by mail, and may sell from now on."),
    Vetting.NEEDS_FIXING: _l("Sent back, with what has to be put right. They are told by mail."),
    Vetting.REFUSED: _l("Refused. They are told by mail why, and how to object."),
    Vetting.SUSPENDED: _l("Their sales are stopped, on every page and in every cart. They are told by mail why."),
    sellers.LIFTED: _l("They may sell again. They are told by mail."),
}


@bp.get("")
def index() -> Answer:
    """Who waits, the longest first."""
    waiting, more = seller_desk.queue(request.args.get("after", ""))
    return page("moderation/index.html", "queue", waiting=waiting, more=more, kinds=KINDS, done=_done())


@bp.get("/sellers")
def selling() -> Answer:
    """Who sells, and whose sales are stopped."""
    found, more = seller_desk.selling(request.args.get("after", ""))
    return page("moderation/sellers.html", "selling", found=found, more=more, kinds=KINDS)


@bp.app_template_filter()
def checked(note: str) -> str:
    """The note of a decision, with what was looked at in words: the codes of the checks stand in its first line."""
    codes, _end, words = note.partition("\n")
    names = [CHECKS.get(code) for code in codes.split(", ")]
    return "\n".join(filter(None, ("\n".join(map(str, names)), words))) if all(names) else note


def _done() -> str:
    return str(DONE.get(request.args.get("done", ""), ""))


@bp.get("/sellers/<handle>")
def seller(handle: str) -> Answer:
    """One application: what they told, what happened, and what to decide."""
    return _shown(sellers.called(handle), DecisionForm(None), done=_done())


def _shown(applied: Seller, form: Form, status: int = 200, done: str = "") -> Answer:
    return page(
        "moderation/seller.html",
        "application",
        status=status,
        seller=applied,
        form=form,
        reason=form if isinstance(form, ReasonForm) else ReasonForm(None),
        done=done,
        is_own=applied.profile.user_id == current_user.id,
        checks={code: CHECKS[code] for code in verdicts.checks_for(applied)},
        story=seller_desk.story(applied),
        may_decide=verdicts.is_for(applied, current_user),
        is_stale=not is_fresh(current_user.proven_at),
        kinds=KINDS,
        stocks=STOCKS,
        papers={paper: PAPERS[paper.kind] for paper in papers.of(applied.id)},
        missing=sellers.is_open_for_papers(applied) and papers.missing(applied.id, applied.kind),
        twins=papers.same_as_of(applied.id),
        stamp=verdicts.as_it_stands(applied),
    )


@bp.post("/sellers/<handle>/decision")
def decide(handle: str) -> Answer:
    """Decide; what is said goes to the applicant by mail."""
    applied, form = sellers.called(handle), DecisionForm()
    if not form.validate():
        return _shown(applied, form, 422)
    words = Words({i18n.language(): (form.words.data or "").strip()})
    seen, checks = form.seen.data or "", form.checks.data or []
    try:
        verdicts.decide(applied, form.verdict.data, by=current_user, checks=checks, words=words, seen=seen)
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _shown(applied, form, 422)
    db.session.commit()
    return leave(url_for(".index", done=form.verdict.data))


@bp.post("/sellers/<handle>/suspension")
def suspend(handle: str) -> Answer:
    """Stop somebody's sales, at once, shortly after a proof of who does it (`access.FRESH`); the reason is mailed."""
    return _judged(handle, verdicts.suspend, Vetting.SUSPENDED)


@bp.post("/sellers/<handle>/return")
def lift(handle: str) -> Answer:
    """Let them sell again; with a proof, as with the stop."""
    return _judged(handle, verdicts.lift, sellers.LIFTED)


def _judged(handle: str, judge: Callable[..., None], done: str) -> Answer:
    stopped, form = sellers.called(handle), ReasonForm()
    if not form.validate():
        return _shown(stopped, form, 422)
    try:
        judge(stopped, by=current_user, words=Words({i18n.language(): (form.words.data or "").strip()}))
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _shown(stopped, form, 422)
    db.session.commit()
    return leave(url_for(".seller", handle=handle, done=done))
