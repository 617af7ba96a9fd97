"""Statements of reasons, as the seller reads them; appeals against them; and what a second person has to confirm."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import HiddenField, TextAreaField

from shop import appeals, clock, i18n, proposals, reasons, seller_desk, sellers, statements
from shop.access import is_fresh
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _l
from shop.models import AppealOutcome, Verdict
from shop.routes.moderation import done
from shop.words import Words

bp = Blueprint("appeals", __name__)


class WordsForm(Form):
    """Why."""

    words = TextAreaField(_l("Why the decision is wrong"), [at_most(1000)])


class OutcomeForm(Form):
    """How an appeal ends, and why."""

    outcome = HiddenField()
    words = TextAreaField(_l("What you found: the seller reads this"), [at_most(900)])


@bp.get("/statements")
def mine() -> Answer:
    """What was decided about one's own shop."""
    seller = sellers.of(current_user)
    return page("statements/index.html", "list", statements=statements.of(seller) if seller else [])


@bp.get("/statements/<code>")
def show(code: str) -> Answer:
    """One statement: what was decided, why, on what it rests, and how one appeals."""
    return _shown(code, WordsForm(None))


def _shown(code: str, form: WordsForm, status: int = 200) -> Answer:
    row = statements.called(code, current_user)
    is_mine = row.user_id == current_user.id
    may_appeal = is_mine and appeals.may_be_lodged(row, row.appeal is not None)
    told = {"row": row, "form": form, "is_mine": is_mine, "may_appeal": may_appeal}
    return page("statements/show.html", "statement", status=status, **told)


@bp.post("/statements/<code>/appeal")
def lodge(code: str) -> Answer:
    """Appeal against a statement about oneself; once."""
    form = WordsForm()
    if not form.validate():
        return _shown(code, form, 422)
    try:
        appeals.lodge(code, by=current_user, words=form.words.data or "")
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _shown(code, form, 422)
    db.session.commit()
    return leave(url_for(".show", code=code))


# At the desk


@bp.get("/moderation/appeals")
def index() -> Answer:
    """Appeals that wait, the oldest first."""
    at, number = seller_desk.place(request.args.get("after", ""))
    found, last = appeals.queue(current_user, at, number)
    more = seller_desk.place_of(last.at, last.id) if last else ""
    return page("moderation/appeals.html", "appeals", found=found, more=more, now=clock.now(), done=done())


@bp.get("/moderation/appeals/<code>")
def look(code: str) -> Answer:
    """One appeal, with the statement that it is about."""
    return _looked(code, OutcomeForm(None))


def _looked(code: str, form: OutcomeForm, status: int = 200) -> Answer:
    row = statements.called(code, current_user)
    told: dict[str, Any] = {"row": row, "form": form, "is_stale": not is_fresh(current_user.vouched_at)}
    told |= {"is_for": appeals.is_for(row, current_user), "is_elsewhere": row.verdict == Verdict.REFUSED}
    return page("moderation/appeal.html", "appeal", status=status, now=clock.now(), **told)


@bp.post("/moderation/appeals/<code>/outcome")
def decide(code: str) -> Answer:
    """Grant or dismiss it, shortly after a proof of who does it (`access.FRESH`)."""
    form = OutcomeForm()
    outcome = AppealOutcome.GRANTED if form.outcome.data == AppealOutcome.GRANTED else AppealOutcome.DISMISSED
    if not form.validate():
        return _looked(code, form, 422)
    try:
        words = Words({i18n.language(): (form.words.data or "").strip()})
        appeals.decide(code, outcome, by=current_user, words=words)
    except Refused as no:
        if no.status != 422:
            raise
        form.words.errors = [no.words]
        return _looked(code, form, 422)
    db.session.commit()
    return leave(url_for(".index"))


@bp.get("/moderation/proposals")
def proposed() -> Answer:
    """What waits for a second person."""
    return page(
        "moderation/proposals.html",
        "proposals",
        found=proposals.waiting(current_user),
        reasons=reasons.ALL,
        is_for=proposals.is_for,
        is_stale=not is_fresh(current_user.vouched_at),
        done=done(),
    )


@bp.post("/moderation/proposals/<code>/confirmation")
def confirm(code: str) -> Answer:
    """Do what was proposed, as its second person; with a fresh proof."""
    proposals.confirm(code, by=current_user)
    db.session.commit()
    return leave(url_for(".proposed"))


@bp.post("/moderation/proposals/<code>/decline")
def decline(code: str) -> Answer:
    """Say no to it; nothing happens."""
    proposals.decline(code, by=current_user, words=request.form.get("words", "")[:900])
    db.session.commit()
    return leave(url_for(".proposed"))
