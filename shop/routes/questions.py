"""What shoppers ask: about a product, or about an order of theirs; and what they were answered."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, request, url_for
from flask_login import current_user
from sqlalchemy import Row
from werkzeug.exceptions import TooManyRequests
from wtforms import TextAreaField

from shop import i18n, limits, purchases, questions, shown_answers
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, Form, leave, page, secret, wants_fragment
from shop.i18n import _, _l
from shop.models import Order
from shop.routes.cart import person
from shop.routes.products import clip_before

bp = Blueprint("questions", __name__)

ASKED = "20 per day"  # questions of one person
OF_PRODUCT = "3 per day"  # of one person about one product
FROM_ADDRESS = "60 per day"  # there may be a whole network behind it
WRITTEN = "60 per day"  # replies of one person
OF_ORDER = "10 per day"  # about one order, whoever has its link
DRAFT = "asking"  # the cookie in which a guest's words wait until they have signed in
DRAFT_KEPT = 3600  # seconds
DONE = {
    "sent": _l("Your question is with the seller. You get the answer by mail, and it stands here."),
    "closed": _l("This conversation is closed."),
    "hidden": _l("It is no longer on the product page."),
}


class QuestionForm(Form):
    """A question."""

    words = TextAreaField(_l("Your question"))


class ReplyForm(Form):
    """One more turn."""

    words = TextAreaField(_l("Write back"))


@bp.get("/p/<code>/ask")
def ask(code: str) -> Answer:
    """The form, with what was typed before one signed in."""
    return _form(questions.about(code), QuestionForm(None, data={"words": _draft()}))


@bp.post("/p/<code>/ask")
def send(code: str) -> Answer:
    """Ask it; who is not signed in does that first, and finds what they typed."""
    about, form = questions.about(code), QuestionForm()
    let_go()  # looking it up began a transaction that may write; what was typed is read without holding up others
    try:
        asked = _sent(about, form.words.data or "")
    except (Refused, TooManyRequests) as no:
        let_go()
        return _form(about, form, no)
    if asked is None:
        return _keep(leave(url_for("credentials.sign_in", next=url_for(".ask", code=code), why="ask")), form, code)
    answer = _form(about, None) if wants_fragment() else leave(url_for(".show", code=asked, done="sent"))
    answer.delete_cookie(DRAFT, path=url_for(".ask", code=code))
    return answer


def _sent(about: Row[Any], words: str) -> str | None:
    """The code of the new question; None where nobody is signed in."""
    said = questions.checked(words, questions.SHORTEST, questions.LONGEST)
    if not current_user.is_authenticated:
        return None
    who = str(current_user.id)
    limits.spend(OF_PRODUCT, "asked about", who, about.code)
    limits.spend(ASKED, "asked", who)
    limits.spend(FROM_ADDRESS, "asked from", limits.who_asks())
    code = questions.ask(current_user, about, said)
    db.session.commit()
    return code


def _form(about: Row[Any], form: QuestionForm | None, no: Refused | TooManyRequests | None = None) -> Answer:
    """The page with the form, and what was wrong with it; without one, the word that it was sent."""
    is_sheet = wants_fragment() and request.values.get("sheet") == "1"
    facts = {"about": about, "is_sheet": is_sheet, "clip": clip_before(), "longest": questions.LONGEST}
    return with_form("questions/ask.html", "ask", form, no, **facts)


def with_form(
    template: str, block: str, form: Form | None, no: Refused | TooManyRequests | None, **facts: Any
) -> Answer:
    """A page with a form, and beside it why it was refused: also how long one has to wait."""
    if no is not None and form is not None:
        form.words.errors = [_why(no)]
    status = 200 if no is None else no.status if isinstance(no, Refused) else 429
    answer = page(template, block, status=status, form=form, **facts)
    if isinstance(no, TooManyRequests):
        answer.headers["Retry-After"] = str(no.retry_after)
    return answer


def _why(no: Refused | TooManyRequests) -> str:
    if isinstance(no, Refused):
        return no.words
    seconds = no.retry_after if isinstance(no.retry_after, int) else 60
    wait = i18n.span(timedelta(seconds=seconds))
    return _("That was too often. You can send it in %(time)s; what you typed stays here.", time=wait)


def _draft() -> str:
    """What a guest typed, as their browser kept it."""
    try:
        return urlsafe_b64decode(request.cookies.get(DRAFT, "")).decode()[: questions.LONGEST]
    except (binascii.Error, ValueError):
        return ""


def _keep(answer: Answer, form: QuestionForm, code: str) -> Answer:
    """Let this browser keep what was typed, for this page alone."""
    kept = urlsafe_b64encode((form.words.data or "")[: questions.LONGEST].encode()).decode()
    how: dict[str, Any] = {"secure": current_app.config["SESSION_COOKIE_SECURE"], "httponly": True, "samesite": "Lax"}
    answer.set_cookie(DRAFT, kept, max_age=DRAFT_KEPT, path=url_for(".ask", code=code), **how)
    return answer


@bp.get("/p/<code>/questions")
def shown(code: str) -> Answer:
    """All questions with answers that the seller shows of a product, the newest first."""
    about = questions.about(code)
    leaf = shown_answers.of(about.id, request.args.get("after", ""))
    return page("questions/shown.html", "shown", about=about, leaf=leaf)


# About an order, by its link


@bp.get("/orders/<code>/ask")
def order(code: str) -> Answer:
    """The talk with the seller of an order."""
    return _of_order(purchases.find_order(code, person()))


@bp.post("/orders/<code>/ask")
def ask_about_order(code: str) -> Answer:
    """Ask something, or write back."""
    found, words = purchases.find_order(code, person()), request.form.get("words", "")
    try:
        limits.spend(OF_ORDER, "asked about an order", found.code)
        limits.spend(FROM_ADDRESS, "asked from", limits.who_asks())
        questions.ask_about(found, words)
        db.session.commit()
    except (Refused, TooManyRequests) as no:
        db.session.rollback()
        return _of_order(purchases.find_order(code, person()), words, no)
    return leave(url_for(".order", code=code, done="sent"))


@bp.post("/orders/<code>/ask/closing")
def close_order(code: str) -> Answer:
    """End the talk about an order."""
    found = questions.of_order(purchases.find_order(code, person()))
    if found is not None:
        questions.close(found)
        db.session.commit()
    return leave(url_for(".order", code=code, done="closed"))


def _of_order(found: Order, words: str = "", no: Refused | TooManyRequests | None = None) -> Answer:
    talk = questions.of_order(found)
    form = (ReplyForm if talk else QuestionForm)(None, data={"words": words})
    facts: dict[str, Any] = {"order": found, "talk": talk, "done": _done()}
    facts |= {"replies": questions.said_in(talk) if talk else (), "may_ask": questions.may_ask_about(found)}
    facts["longest"] = questions.LONGEST_REPLY if talk else questions.LONGEST
    return secret(with_form("questions/order.html", "talk", form, no, **facts))


# One's own


@bp.get("/account/questions")
def index() -> Answer:
    """What one asked, the newest first."""
    found = questions.asked_by(current_user.id, request.args.get("before", ""))
    return page("questions/index.html", "questions", leaf=found)


@bp.get("/account/questions/<code>")
def show(code: str) -> Answer:
    """One of them, with what was said since."""
    return _shown(code, ReplyForm(None))


@bp.post("/account/questions/<code>/replies")
def write(code: str) -> Answer:
    """Write back; about an order on its own page, which knows who may still be asked and how often."""
    found, form = questions.own(code, current_user.id), ReplyForm()
    if found.order_id is not None:
        return leave(url_for(".order", code=found.order))
    try:
        limits.spend(WRITTEN, "written back", str(current_user.id))
        questions.write(found, form.words.data or "")
        db.session.commit()
    except (Refused, TooManyRequests) as no:
        db.session.rollback()
        return _shown(code, form, no)
    return leave(url_for(".show", code=code, done="sent"))


@bp.post("/account/questions/<code>/closing")
def close(code: str) -> Answer:
    """End a talk."""
    questions.close(questions.own(code, current_user.id))
    db.session.commit()
    return leave(url_for(".show", code=code, done="closed"))


@bp.post("/account/questions/<code>/hiding")
def hide(code: str) -> Answer:
    """Take it off the product page."""
    questions.show_no_more(questions.own(code, current_user.id))
    db.session.commit()
    return leave(url_for(".show", code=code, done="hidden"))


def _shown(code: str, form: ReplyForm, no: Refused | TooManyRequests | None = None) -> Answer:
    talk = questions.own(code, current_user.id)
    facts: dict[str, Any] = {"talk": talk, "replies": questions.said_in(talk), "done": _done()}
    return with_form("questions/show.html", "talk", form, no, longest=questions.LONGEST_REPLY, **facts)


def _done() -> str:
    return str(DONE.get(request.args.get("done", ""), ""))
