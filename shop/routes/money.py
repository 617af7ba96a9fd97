"""The operator's desk of money: what differs, what nobody could place, and what moved each day."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import TextAreaField

from shop import differences, money_desk
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _l
from shop.money import Money

bp = Blueprint("money", __name__, url_prefix="/moderation/money")

LEAVES = ("differences", "calls", "attempts", "jobs")


class NoteForm(Form):
    """What an operator found out about a difference."""

    words = TextAreaField(_l("What you found out"), [at_most(1000)])


@bp.get("")
def index() -> Answer:
    """All that has to be looked at, and two weeks of what moved; each list has a leaf of its own."""
    return _shown()


@bp.post("/differences/<code>/note")
def note(code: str) -> Answer:
    """Say that a difference was looked at, and what it is; it stays until it shows no more."""
    form = NoteForm()
    if not form.validate():
        return _shown(422, wrong=code, words=" ".join(form.words.errors), typed=form.words.data)
    try:
        differences.note(code, form.words.data or "", by=current_user.id)
    except Refused as no:
        if no.status != 422:
            raise
        return _shown(422, wrong=code, words=no.words, typed="")
    db.session.commit()
    return leave(url_for(".index"))


def _shown(status: int = 200, **context: str) -> Answer:
    after = {name: request.args.get(name, 0, type=int) for name in LEAVES}
    after = {name: place if 0 <= place < 2**62 else 0 for name, place in after.items()}
    days, currency = money_desk.by_day()
    return page(
        "moderation/money.html",
        "desk",
        status=status,
        differences=money_desk.Leaf(*differences.leaf(after["differences"])),
        calls=money_desk.unplaced(after["calls"]),
        attempts=money_desk.unanswered(after["attempts"]),
        jobs=money_desk.dead_jobs(after["jobs"]),
        days=days,
        money=Money,
        currency=currency,
        most=max(1, *(max(day.payments, day.refunds, day.differences) for day in days)),
        **context,
    )
