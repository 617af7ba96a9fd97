"""Papers: sending them with an application, and looking at them with a reason. No file has an address of its own."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request, url_for
from flask_login import current_user

from shop import limits, papers, sellers
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, leave, page
from shop.i18n import _
from shop.models import PaperKind
from shop.routes import sell

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
    try:
        _receive(kind)
    except Refused as no:
        let_go()
        return sell.shown(sellers.of(current_user), no.status, paper_errors={kind: no.words})
    db.session.commit()
    return leave(url_for("sell.show"))


def _receive(kind: str) -> None:
    file, seller_id = request.files.get("file"), sellers.asked_for(current_user, kind)
    if file is None or not file.filename:
        raise Refused(_("Choose a file first, or take a photograph."), 422)
    limits.spend("20 per hour", "papers", str(current_user.id))
    let_go()
    found, file_mark = papers.read(file.stream)
    papers.keep(seller_id, PaperKind(kind), found, file_mark)


@bp.post("/sell/papers/<code>/removal")
def remove(code: str) -> Answer:
    """Take a paper back: its key is thrown away."""
    seller = sellers.of(current_user)
    papers.withdraw(seller.id if seller else 0, code)
    db.session.commit()
    return leave(url_for("sell.show"))


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
