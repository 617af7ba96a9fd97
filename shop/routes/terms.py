"""What people agree to, in plain words."""

from __future__ import annotations

from flask import Blueprint

from shop.application import TERMS
from shop.hypermedia import Answer, page

bp = Blueprint("terms", __name__)


@bp.get("/terms")
def sellers() -> Answer:
    """The terms for who sells here: Regulation (EU) 2019/1150, art. 3, 4, 5, 8 and 11."""
    return page("terms/sellers.html", "terms", version=TERMS)
