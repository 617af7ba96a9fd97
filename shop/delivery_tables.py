"""Delivery tables: what it costs a seller to send so many grams to a country, and what that makes of each product.

The rows of `delivery_rates`, which shoppers see, are derived from the seller's table and the product's weight: the
first row of a country that is heavy enough. A product whose delivery was set by hand keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Row, bindparam, delete, func, insert, select

from shop.database import connection, db, rows, run
from shop.errors import Refused
from shop.i18n import _
from shop.listing_facts import HEAVIEST
from shop.models import DeliveryProfile, DeliveryRate, Product, Seller

MOST_ROWS = 60
LONGEST = 60  # working days on the way
DEAREST = 100_000  # minor units
CURRENCY = "EUR"

profiles, rates, products = DeliveryProfile.__table__, DeliveryRate.__table__, Product.__table__
_FACTS = ("min_days", "max_days", "cost_minor", "cost_currency", "free_from_minor")
_OF = select(profiles).where(profiles.c.seller_id == bindparam("seller")).order_by(profiles.c.country, "up_to_grams")
_CLEAR = delete(profiles).where(profiles.c.seller_id == bindparam("seller"))
_uses_table = ~products.c.has_own_delivery
_OF_SELLER = select(products.c.id).where(products.c.seller_id == bindparam("seller"), _uses_table)
_other = profiles.alias()
_fits = (
    select(func.min(_other.c.up_to_grams))
    .where(
        _other.c.seller_id == products.c.seller_id,
        _other.c.country == profiles.c.country,
        _other.c.up_to_grams >= products.c.weight_grams,
    )
    .correlate(products, profiles)
    .scalar_subquery()
)
_DERIVED = (
    select(products.c.id, profiles.c.country, *profiles.c[*_FACTS])
    .join(profiles, profiles.c.seller_id == products.c.seller_id)
    .where(_uses_table, profiles.c.up_to_grams == _fits)
)
_INTO = ["product_id", "country", *_FACTS]
_FORGET_ALL = delete(rates).where(rates.c.product_id.in_(_OF_SELLER))
_DERIVE_ALL = insert(rates).from_select(_INTO, _DERIVED.where(products.c.seller_id == bindparam("seller")))
_FORGET_ONE = delete(rates).where(rates.c.product_id == bindparam("product"))
_DERIVE_ONE = insert(rates).from_select(_INTO, _DERIVED.where(products.c.id == bindparam("product")))


class Stretch(NamedTuple):
    """What it takes to bring something to a country: working days on the way, and what it costs."""

    country: str
    min_days: int
    max_days: int
    cost_minor: int
    free_from_minor: int | None = None
    up_to_grams: int = HEAVIEST


def of(seller: int) -> Sequence[Row[tuple[object, ...]]]:
    """The seller's table, country by country, the lightest first."""
    return rows(_OF, seller=seller)


def lay(seller: Seller, stretches: Sequence[Stretch]) -> None:
    """Let this be the seller's table; the delivery of every product that uses it is derived anew."""
    _see_to(stretches)
    if len({(each.country, each.up_to_grams) for each in stretches}) < len(stretches):
        raise Refused(_("A country with a weight can be there only once."), 422)
    run(_CLEAR, seller=seller.id)
    same = {"seller_id": seller.id, "cost_currency": CURRENCY}
    if stretches:
        connection().execute(insert(profiles), [{**each._asdict(), **same} for each in stretches])
    run(_FORGET_ALL, seller=seller.id)
    run(_DERIVE_ALL, seller=seller.id)
    db.session.expire_all()


def derive(product: Product) -> None:
    """Read the product's delivery from its seller's table by its weight, unless it was set by hand."""
    if not product.has_own_delivery:
        run(_FORGET_ONE, product=product.id)
        run(_DERIVE_ONE, product=product.id)
        db.session.expire(product, ("delivery",))


def set_by_hand(product: Product, stretches: Sequence[Stretch]) -> None:
    """Let this product be brought like this, whatever the table says; with nothing here the table counts again."""
    _see_to(stretches)
    if len({each.country for each in stretches}) < len(stretches):
        raise Refused(_("A country can be there only once."), 422)
    product.has_own_delivery = bool(stretches)
    db.session.flush()
    if stretches:
        run(_FORGET_ONE, product=product.id)
        same = {"product_id": product.id, "cost_currency": CURRENCY}
        rows_ = [{**each._asdict(), **same} for each in stretches]
        connection().execute(insert(rates), [{name: row[name] for name in _INTO} for row in rows_])
    derive(product)
    db.session.expire(product, ("delivery",))


def _see_to(stretches: Sequence[Stretch]) -> None:
    if len(stretches) > MOST_ROWS:
        raise Refused(_("A delivery table has at most %(most)s rows.", most=MOST_ROWS), 422)
    for each in stretches:
        if not 0 <= each.min_days <= each.max_days <= LONGEST:
            raise Refused(_("The days have to go from few to many, and to at most %(most)s.", most=LONGEST), 422)
        if not 0 <= each.cost_minor <= DEAREST or not 0 <= (each.free_from_minor or 0) <= 100 * DEAREST:
            raise Refused(_("This cannot be what delivery costs."), 422)
        if not 0 < each.up_to_grams <= HEAVIEST:
            raise Refused(_("This cannot be the weight."), 422)
