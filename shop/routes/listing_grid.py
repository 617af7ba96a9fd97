"""What a product is sold in, and how it is brought: its grid of sizes and colours, and the delivery tables."""

from __future__ import annotations

from flask import Blueprint, abort, url_for
from flask_login import current_user

from shop import delivery_tables, listings, sellers
from shop.countries import COUNTRIES
from shop.database import db, let_go
from shop.errors import Refused
from shop.grid import WrongCellError
from shop.hypermedia import Answer, leave, page
from shop.models import Product, Seller
from shop.routes.listing_rows import Grid, Stretches
from shop.routes.listings import mine, refused_in, saved, shown

bp = Blueprint("listing_grid", __name__, url_prefix="/seller")


@bp.post("/products/<code>/grid")
def ask(code: str) -> Answer:
    """The cells for other sizes and colours, with what was typed. Nothing is kept yet."""
    return shown(mine(code), "variants", grid=Grid.asked(), is_asked=True)


@bp.post("/products/<code>/variants")
def lay(code: str) -> Answer:
    """Offer these sizes and colours at these prices, with this stock."""
    product, grid = mine(code), Grid.sent()
    if grid.is_other_than_asked:
        return shown(product, "variants", grid=Grid.asked(), is_asked=True)
    if wrong := grid.wrongs():
        return _wrong(product, grid._replace(wrong=wrong))
    try:
        listings.set_variants(product, [cell.cell(product) for cell in grid.cells], by=current_user)
    except WrongCellError as no:
        let_go()
        product, wrong = mine(code), {(no.number, no.part): no.words}
        grid = grid.as_it_lies(product) if no.status == 409 else grid
        return _wrong(product, grid._replace(wrong=wrong), no.status)
    except Refused as no:
        more = {} if no.status == 409 else {"grid": grid}
        return refused_in("variants", code, no, **more)
    return saved(product, "variants")


def _wrong(product: Product, grid: Grid, status: int = 422) -> Answer:
    """What was typed, with what is wrong beside the cells that it is wrong in."""
    return shown(product, "variants", status, grid=grid, at="")


@bp.post("/products/<code>/delivery")
def bring(code: str) -> Answer:
    """Let this product be brought like this, whatever the seller's table says."""
    product, stretches = mine(code), Stretches.sent()
    try:
        listings.set_delivery(product, stretches.read(), by=current_user)
    except Refused as no:
        return refused_in("delivery", code, no, stretches=stretches)
    return saved(product, "delivery")


@bp.get("/delivery")
def show() -> Answer:
    """The table for all products that have none of their own."""
    return _table(Stretches.of(delivery_tables.of(_seller().id)))


@bp.post("/delivery")
def change() -> Answer:
    """Keep another table; what is for sale is brought by it from now on."""
    stretches, seller = Stretches.sent(), _seller()
    try:
        listings.set_table(seller, stretches.read(), by=current_user)
    except Refused as no:
        let_go()
        return _table(stretches, no.status, no.words)
    db.session.commit()
    return leave(url_for(".show"))


def _table(stretches: Stretches, status: int = 200, error: str = "") -> Answer:
    return page("listings/table.html", "table", status=status, stretches=stretches, error=error, delivered=COUNTRIES)


def _seller() -> Seller:
    seller = sellers.of(current_user)
    if seller is None:
        abort(404)
    return seller
