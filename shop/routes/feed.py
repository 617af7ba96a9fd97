"""The feed: what one sees first."""

from __future__ import annotations

from flask import Blueprint, request, session, url_for
from flask_login import current_user

from shop import feed, social
from shop.database import db
from shop.hypermedia import Answer, fragment, page, wants_fragment, whole
from shop.recall import recalled
from shop.routes.cart import ask_size_along

bp = Blueprint("feed", __name__)


@bp.get("/")
@recalled
def index() -> Answer:
    """The newest clips."""
    return _show("")


@bp.get("/v/<code>")
@recalled
def clip(code: str) -> Answer:
    """The feed from this clip on; `from` is how many clips after it one has seen."""
    return _show(code)


@bp.get("/v/<code>/products")
def products(code: str) -> Answer:
    """All that is for sale in this clip."""
    return page("feed/products.html", "products", is_sheet=wants_fragment(), code=code, goods=feed.goods_of(code))


@bp.post("/v/<code>/like")
def like(code: str) -> Answer:
    """Say that one likes it, or no longer."""
    liked = social.like(current_user.id, code, wanted=request.form.get("wanted") != "no")
    db.session.commit()
    return fragment(url_for(".clip", code=code), "parts/like.html", clip=liked)


def _show(top: str) -> Answer:
    at = max(request.args.get("from", 0, int), 0)
    # Who has no session is not looked up.
    person = current_user.id if "_user_id" in session and current_user.is_authenticated else 0
    quality = _quality()
    ask_size_along()
    dealt = feed.page(top, at, tallest=feed.RUNGS[quality], person=person)
    return whole("feed/index.html", "clips", page=dealt, on_video=True, quality=quality)


def _quality() -> str:
    """What this person chose, else what their network can carry."""
    chosen = request.cookies.get("q", "")
    if chosen in feed.RUNGS:
        return chosen
    return "360" if request.environ.get("HTTP_SAVE_DATA") == "on" else "540"
