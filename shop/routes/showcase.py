"""The window of a creator or seller."""

from __future__ import annotations

from flask import Blueprint, request

from shop import showcase
from shop.hypermedia import Answer, whole
from shop.recall import recalled
from shop.routes.cart import ask_size_along

bp = Blueprint("showcase", __name__)


@bp.get("/@<handle>")
@recalled
def show(handle: str) -> Answer:
    """Who they are, their newest clips and their products, a shelf at a time."""
    ask_size_along()
    window, after = showcase.find(handle), request.args.get("after", "")
    found = showcase.goods(window, after)
    return whole("showcase/show.html", "goods", window=window, shelf=found, is_further=bool(after))


@bp.get("/@<handle>/clips")
@recalled
def clips(handle: str) -> Answer:
    """All their clips, some at a time."""
    ask_size_along()
    return whole("showcase/clips.html", "clips", window=showcase.find(handle, request.args.get("after", "")))
