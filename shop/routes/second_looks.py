"""Second looks: an application as it was sent, without what was decided about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from shop import checklist, clock, evidence, reasons, second_looks
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _l
from shop.models import Role, Seller, Verdict
from shop.routes.sell import KINDS, PAPERS, STOCKS

bp = Blueprint("second_looks", __name__, url_prefix="/moderation/second-looks")

DONE = {
    "alike": _l("Thank you. The first one decided so, too."),
    "other": _l("Thank you. The first one decided otherwise; the administrator sees that."),
}
WOULD = {
    Verdict.APPROVED: _l("Approve it"),
    Verdict.ASKED: _l("Ask to put something right"),
    Verdict.REFUSED: _l("Refuse it"),
}


class LookForm(Form):
    """What one would have decided, and why."""

    verdict = RadioField(
        _l("What would you have decided?"),
        [InputRequired(_l("Choose what you would have decided."))],
        choices=[SelectChoice(code, name) for code, name in WOULD.items()],
    )
    words = TextAreaField(_l("Why"), [at_most(900)])


@bp.get("")
def index() -> Answer:
    """What waits for this person; and for an administrator how often two decided alike."""
    is_admin = Role.ADMIN in current_user.roles
    return page(
        "second_looks/index.html",
        "looks",
        found=second_looks.waiting(current_user),
        figures=second_looks.agreement() if is_admin else [],
        is_admin=is_admin,
        done=str(DONE.get(request.args.get("done", ""), "")),
    )


@bp.get("/<code>")
def show(code: str) -> Answer:
    """One application, and nothing of what became of it."""
    return _shown(code, LookForm(None))


def _shown(code: str, form: LookForm, status: int = 200) -> Answer:
    seller = db.session.get_one(Seller, second_looks.called(code, current_user).seller_id)
    told: dict[str, Any] = {"seller": seller, "steps": second_looks.blind(seller), "evidence": evidence.of(seller)}
    told |= {"papers_of": checklist.PAPERS, "answers_of": evidence.ANSWERS, "now": clock.now(), "code": code}
    told |= {"names": reasons.NAMES, "kinds": KINDS, "stocks": STOCKS, "paper_names": PAPERS, "items": checklist.Item}
    return page("second_looks/show.html", "look", status=status, form=form, **told)


@bp.post("/<code>")
def give(code: str) -> Answer:
    """Say it; the first verdict stands as it is."""
    form = LookForm()
    second_looks.called(code, current_user)
    if not form.validate():
        return _shown(code, form, 422)
    try:
        is_alike = second_looks.give(code, form.verdict.data, by=current_user, words=form.words.data or "")
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _shown(code, form, 422)
    db.session.commit()
    return leave(url_for(".index", done="alike" if is_alike else "other"))
