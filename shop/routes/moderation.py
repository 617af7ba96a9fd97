"""The moderators' desk: who waits, what they told, and a decision with its reason."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import HiddenField, RadioField, SelectMultipleField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput

from shop import i18n, papers, sellers
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _, _l
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


@bp.get("")
def index() -> Answer:
    """Who waits, the longest first."""
    waiting, more = sellers.queue(request.args.get("after", ""))
    return page("moderation/index.html", "queue", waiting=waiting, more=more, kinds=KINDS)


@bp.get("/sellers/<handle>")
def seller(handle: str) -> Answer:
    """One application: what they told, what happened, and what to decide."""
    return _shown(sellers.called(handle), DecisionForm(None))


def _shown(applied: Seller, form: DecisionForm, status: int = 200, **more: str) -> Answer:
    return page(
        "moderation/seller.html",
        "application",
        status=status,
        seller=applied,
        form=form,
        checks={code: CHECKS[code] for code in sellers.checks_for(applied)},
        story=sellers.story(applied),
        may_decide=sellers.is_for(applied, current_user),
        kinds=KINDS,
        stocks=STOCKS,
        papers={paper: PAPERS[paper.kind] for paper in papers.of(applied.id)},
        missing=sellers.is_open_for_papers(applied) and papers.missing(applied.id, applied.kind),
        twins=papers.same_as_of(applied.id),
        stamp=sellers.as_it_stands(applied),
        **more,
    )


@bp.post("/sellers/<handle>/suspension")
def suspend(handle: str) -> Answer:
    """Stop somebody's sales at once; only shortly after a proof of who does it (`access.FRESH`)."""
    applied, words = sellers.called(handle), request.form.get("words", "").strip()[:900]
    if len(words) < 10:
        wrong = _("Give the reason, in words that the applicant can do something with.")
        return _shown(applied, DecisionForm(None), 422, suspension=words, suspension_error=wrong)
    sellers.suspend(applied, by=current_user, words=Words({i18n.language(): words}))
    db.session.commit()
    return leave(url_for(".seller", handle=handle))


@bp.post("/sellers/<handle>/decision")
def decide(handle: str) -> Answer:
    """Decide; what is said goes to the applicant by mail."""
    applied, form = sellers.called(handle), DecisionForm()
    if not form.validate():
        return _shown(applied, form, 422)
    words = Words({i18n.language(): (form.words.data or "").strip()})
    seen, checks = form.seen.data or "", form.checks.data or []
    try:
        sellers.decide(applied, form.verdict.data, by=current_user, checks=checks, words=words, seen=seen)
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _shown(applied, form, 422)
    db.session.commit()
    return leave(url_for(".index"))
