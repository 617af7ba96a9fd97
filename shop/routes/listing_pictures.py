"""The pictures of a product: sent from a camera or a file, put in order, described, taken away."""

from __future__ import annotations

from flask import Blueprint, request
from flask_login import current_user

from shop import limits, listings, pictures
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer
from shop.i18n import LANGUAGES, _
from shop.models import Product
from shop.routes.listing_rows import known_color, whole
from shop.routes.listings import mine, refused_in, saved
from shop.words import Words

bp = Blueprint("listing_pictures", __name__, url_prefix="/seller")


@bp.post("/pictures/<code>")
def add(code: str) -> Answer:
    """Send one or more; an address of its own, for the edge lets larger bodies through to it."""
    try:
        product = _received(code)
    except Refused as no:
        return refused_in("pictures", code, no)
    return saved(product, "pictures")


def _received(code: str) -> Product:
    product = mine(code)
    listings.refuse_if_stopped(product)
    files = [file.stream for file in request.files.getlist("file") if file.filename]
    if not files:
        raise Refused(_("Choose a file first, or take a photograph."), 422)
    limits.spend("120 per hour", "pictures", str(current_user.id))
    pictures.refuse_too_many(product, len(files))
    found = pictures.read(files)
    try:
        product = mine(code)
        listings.add_pictures(product, found, by=current_user)
    except Refused:
        let_go()
        pictures.forget(found)
        db.session.commit()
        raise
    return product


@bp.post("/products/<code>/pictures/<int:number>")
def describe(code: str, number: int) -> Answer:
    """Say what is to be seen, of which colours it is, and where it stands."""
    product = mine(code)
    alt = Words({code: request.form.get(f"alt_{code}", "") for code in LANGUAGES})
    colors = [known_color(product, text) for text in request.form.getlist("color")]
    try:
        place = whole(request.form.get("place", "1")) - 1
        listings.describe_picture(product, number, alt, colors, place, by=current_user)
    except Refused as no:
        return refused_in("pictures", product.code, no)
    return saved(product, "pictures")


@bp.post("/products/<code>/pictures/<int:number>/removal")
def remove(code: str, number: int) -> Answer:
    """Take it away."""
    product = mine(code)
    try:
        listings.remove_picture(product, number, by=current_user)
    except Refused as no:
        return refused_in("pictures", code, no)
    return saved(product, "pictures")
