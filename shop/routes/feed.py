"""The feed: what one sees first."""

from __future__ import annotations

from flask import Blueprint, redirect

from shop.hypermedia import Answer

bp = Blueprint("feed", __name__)


@bp.get("/")
def index() -> Answer:
    """The front door."""
    return redirect("/shop", 303)
