"""Papers: sending them with an application, and looking at them with a reason. No file has an address of its own."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request, url_for
from flask_login import current_user

from shop import application, limits, papers
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, leave, page
from shop.i18n import _
from shop.models import PaperKind
from shop.routes import sell, sell_steps

bp = Blueprint("papers", __name__)

KINDS = sell.PAPERS
CAME_AS = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "pdf": "PDF"}
SEEN_BY_ONE = (
    ("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Disposition", "inline"),
    ("Cache-Control", "no-store"),
)


@bp.post("/sell/papers")
def send() -> Answer:
    """Send one paper; it is sealed at once, and takes the place of the one before."""
    kind = request.form.get("kind", "")
    seller, item = application.asked_paper(current_user, kind)
    try:
        _receive(seller.id, kind)
    except Refused as no:
        let_go()
        asked = application.asked(current_user, item)
        return sell_steps.shown(asked, item, no.status, paper_errors={kind: no.words})
    application.touch(application.asked(current_user, item), item)
    db.session.commit()
    return sell_steps.onward(item)


def _receive(seller_id: int, kind: str) -> None:
    file = next((file for file in request.files.getlist("file") if file.filename), None)
    if file is None:
        raise Refused(_("Choose a file first, or take a photograph."), 422)
    limits.spend("20 per hour", "papers", str(current_user.id))
    let_go()
    found, file_mark = papers.read(file.stream)
    application.asked_paper(current_user, kind)  # it took a moment, in which it may have been sent in
    papers.keep(seller_id, PaperKind(kind), found, file_mark)


@bp.post("/sell/papers/<code>/removal")
def remove(code: str) -> Answer:
    """Take a paper back: its key is thrown away."""
    seller = application.open_one(current_user)
    item = application.withdraw(seller, code)
    db.session.commit()
    return leave(url_for("sell_steps.show", item=item) if item else url_for("sell.show"))


@bp.get("/moderation/papers/<code>")
def show(code: str) -> Answer:
    """A paper: its pages while it is open to who looks, else the question why they have to see it."""
    return _shown(code)


def _shown(code: str, status: int = 200, **more: str) -> Answer:
    paper = papers.called(code)
    facts = {"paper": paper, "kind": KINDS[paper.kind], "came_as": CAME_AS[paper.came_as]}
    is_open = papers.is_open_to(paper, current_user)
    return page("moderation/paper.html", "paper", status=status, is_open=is_open, **facts, **more)


@bp.post("/moderation/papers/<code>/opening")
def open_up(code: str) -> Answer:
    """Open it, with a reason that is kept."""
    reason = request.form.get("reason", "")
    try:
        papers.open_up(code, by=current_user, reason=reason)
    except papers.TooManyOpenings:
        let_go()
        papers.lock(current_user, current_user.name)
        db.session.commit()
        raise
    except Refused as no:
        if no.status != 422:
            raise
        return _shown(code, 422, reason=reason, error=no.words)
    db.session.commit()
    return leave(url_for(".show", code=code))


@bp.get("/moderation/papers/<code>/<int:number>")
def picture(code: str, number: int) -> Response:
    """One page, for one person, at this moment."""
    seen = papers.page(code, number, to=current_user, name=current_user.name)
    answer = make_response(seen)
    answer.mimetype = "image/jpeg"
    answer.headers.extend(SEEN_BY_ONE)
    return answer


@bp.post("/moderation/papers/<code>/closing")
def close(code: str) -> Answer:
    """Put it back."""
    seller = papers.called(code).handle
    papers.close(code, by=current_user)
    db.session.commit()
    return leave(url_for("moderation.seller", handle=seller))
