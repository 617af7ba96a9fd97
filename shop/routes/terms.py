"""What people agree to, and what they may want to know of the shop itself, in plain words."""

from __future__ import annotations

from datetime import date

from flask import Blueprint

from shop import accounts, feed, packing, papers, questions, sweeping
from shop.application import TERMS
from shop.hypermedia import Answer, page

bp = Blueprint("terms", __name__)

LOOKED_AT = date(2026, 11, 28)  # when what the accessibility page says was last held against the shop


@bp.get("/terms")
def sellers() -> Answer:
    """The terms for who sells here: Regulation (EU) 2019/1150, art. 3, 4, 5, 8 and 11."""
    return page("terms/sellers.html", "terms", version=TERMS)


@bp.get("/about")
def about() -> Answer:
    """Who runs this shop: 2000/31/EC art. 5, DSA art. 11 and 12, 2011/83/EU art. 6a(1)(d)."""
    return page("terms/about.html", "main")


@bp.get("/ranking")
def ranking() -> Answer:
    """In which order things are shown: DSA art. 27, (EU) 2019/1150 art. 5, 2011/83/EU art. 6a(1)(a)."""
    return page("terms/ranking.html", "main", sitting=feed.SITTING)


@bp.get("/accessibility")
def accessibility() -> Answer:
    """What works for whom: Directive (EU) 2019/882, annex V."""
    return page("terms/accessibility.html", "main", of=LOOKED_AT)


@bp.get("/privacy")
def privacy() -> Answer:
    """What is known of people, what for and for how long: GDPR art. 13. The days are those that the rules keep to."""
    return page(
        "terms/privacy.html",
        "main",
        shown_days=packing.SHOWN_FOR.days,
        session_days=accounts.SESSION_LASTS.days,
        refused_days=papers.REFUSED.days,
        undecided_days=papers.UNDECIDED.days,
        ended_days=papers.ENDED.days,
        cart_days=sweeping.CART_KEPT.days,
        asked_days=questions.KEPT.days,
    )
