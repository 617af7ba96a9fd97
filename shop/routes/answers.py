"""A seller's questions: what waits for an answer, and the talk with who asked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from werkzeug.exceptions import TooManyRequests
from wtforms import BooleanField, TextAreaField

from shop import answers, limits, packing, questions
from shop.database import db
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, leave, page
from shop.i18n import _, _l
from shop.models import QuestionState
from shop.routes.questions import with_form

bp = Blueprint("answers", __name__, url_prefix="/seller/questions")

ANSWERED = "200 per hour"  # by one person: each is a mail
SHOWS = {
    QuestionState.OPEN: _l("To answer"),
    QuestionState.ANSWERED: _l("Answered"),
    QuestionState.CLOSED: _l("Closed"),
}
DONE = {
    "answered": _l("Answered. Who asked gets a mail."),
    "closed": _l("This conversation is closed."),
    "shown": _l("It stands on the product page."),
    "hidden": _l("It is no longer on the product page."),
}


class AnswerForm(Form):
    """An answer, and whether all may read it."""

    words = TextAreaField(_l("Your answer"))
    is_shown = BooleanField(_l("Show question and answer on the product page, without who asked"))


@bp.get("")
def index() -> Answer:
    """What was asked of a shop: first what waits, what has waited longest before the rest."""
    shop, show = packing.shop_of(current_user.id), request.args.get("show", str(QuestionState.OPEN))
    if show not in answers.LISTS:
        raise NotFound(_("We cannot find this page."))
    found = answers.listed(shop.id, show, request.args.get("after", ""))
    return page("answers/index.html", "questions", leaf=found, show=show, shows=SHOWS, shop=shop)


@bp.get("/<code>")
def show(code: str) -> Answer:
    """One question, what it is about, and what was said since."""
    return _shown(code, AnswerForm(None))


@bp.post("/<code>/answers")
def answer(code: str) -> Answer:
    """Answer it."""
    found, form = answers.own(code, packing.shop_of(current_user.id).id), AnswerForm()
    try:
        limits.spend(ANSWERED, "answered", str(current_user.id))
        answers.answer(found, form.words.data or "", is_shown=form.is_shown.data)
        db.session.commit()
    except (Refused, TooManyRequests) as no:
        db.session.rollback()
        return _shown(code, form, no)
    return leave(url_for(".show", code=code, done="answered"))


@bp.post("/<code>/closing")
def close(code: str) -> Answer:
    """End the talk."""
    questions.close(answers.own(code, packing.shop_of(current_user.id).id))
    db.session.commit()
    return leave(url_for(".show", code=code, done="closed"))


@bp.post("/<code>/showing")
def publish(code: str) -> Answer:
    """Show it with the last answer on the product page."""
    answers.show_last(answers.own(code, packing.shop_of(current_user.id).id))
    db.session.commit()
    return leave(url_for(".show", code=code, done="shown"))


@bp.post("/<code>/hiding")
def hide(code: str) -> Answer:
    """Take it off the product page."""
    answers.hide(answers.own(code, packing.shop_of(current_user.id).id))
    db.session.commit()
    return leave(url_for(".show", code=code, done="hidden"))


def _shown(code: str, form: AnswerForm, no: Refused | TooManyRequests | None = None) -> Answer:
    shop = packing.shop_of(current_user.id)
    talk = answers.own(code, shop.id)
    done = str(DONE.get(request.args.get("done", ""), ""))
    facts: dict[str, Any] = {"talk": talk, "replies": questions.said_in(talk), "done": done, "shop": shop}
    return with_form("answers/show.html", "talk", form, no, longest=questions.LONGEST_REPLY, **facts)
