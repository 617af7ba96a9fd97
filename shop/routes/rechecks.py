"""Papers that run out: their owner sends a new one, and a moderator looks at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user

from shop import limits, packing, papers, rechecks
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, leave, page
from shop.i18n import _
from shop.papers import LARGEST

bp = Blueprint("rechecks", __name__)


@bp.get("/seller/papers")
def show() -> Answer:
    """A shop's papers, until when they hold, and a place for the new one where one runs out."""
    return _shown()


@bp.post("/seller/papers")
def send() -> Answer:
    """Send a new paper; it is sealed at once, and takes the place of the one that runs out."""
    shop, kind = packing.shop_of(current_user.id), request.form.get("kind", "")
    try:
        _receive(shop.id, kind)
    except Refused as no:
        let_go()
        return _shown(no.status, {kind: no.words})
    db.session.commit()
    return leave(url_for(".show"))


def _receive(shop: int, kind: str) -> None:
    file = next((file for file in request.files.getlist("file") if file.filename), None)
    if file is None:
        raise Refused(_("Choose a file first, or take a photograph."), 422)
    limits.spend("20 per hour", "papers", str(current_user.id))
    let_go()
    found, file_mark = papers.read(file.stream)
    rechecks.send(shop, kind, found, file_mark)


def _shown(status: int = 200, wrong: dict[str, str] | None = None) -> Answer:
    shop = packing.shop_of(current_user.id)
    found = [(paper, rechecks.is_asked(paper)) for paper in rechecks.of(shop.id)]
    facts: dict[str, Any] = {"most": LARGEST, "wrong": wrong or {}, "today": rechecks.today()}
    facts |= {"grace": rechecks.GRACE, "stops": rechecks.stops}
    return page("seller/papers.html", "papers", status=status, papers=found, shop=shop, **facts)


@bp.get("/moderation/rechecks")
def index() -> Answer:
    """New papers of who sells already, and those that have run out."""
    return _listed()


@bp.post("/moderation/rechecks/<code>")
def accept(code: str) -> Answer:
    """A moderator has seen it, and until when it holds."""
    return _decided(code, lambda: rechecks.accept(code, _day(request.form.get("until", "")), by=current_user))


@bp.post("/moderation/rechecks/<code>/refusal")
def turn_down(code: str) -> Answer:
    """It is no good, and why."""
    return _decided(code, lambda: rechecks.turn_down(code, request.form.get("words", ""), by=current_user), "no-")


def _decided(code: str, decide: Callable[[], None], where: str = "") -> Answer:
    try:
        decide()
    except Refused as no:
        if no.status != 422:
            raise
        let_go()
        return _listed(422, {where + code: no.words})
    db.session.commit()
    return leave(url_for(".index"))


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise Refused(_("Fill in the day until which it holds."), 422) from None


def _listed(status: int = 200, wrong: dict[str, str] | None = None) -> Answer:
    facts: dict[str, Any] = {
        "wrong": wrong or {},
        "typed": request.form.get("until", ""),
        "words": request.form.get("words", ""),
    }
    facts |= {"waiting": rechecks.waiting(), "grace": rechecks.GRACE, "longest": rechecks.GRACE + rechecks.PATIENCE}
    return page("moderation/rechecks.html", "rechecks", status=status, **facts)
