"""Delivery tables: what it costs a seller to send so many grams to a country, and what that makes of each product.

The rows of `delivery_rates`, which shoppers see, are derived from the seller's table and the product's weight: the
first row of a country that is heavy enough. A product whose delivery was set by hand keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BindParameter, Row, bindparam, delete, func, insert, select

from shop import jobs
from shop.database import connection, db, rows, run
from shop.errors import Refused
from shop.i18n import _
from shop.listing_facts import HEAVIEST
from shop.models import DeliveryProfile, DeliveryRate, Product, Seller

MOST_ROWS = 60
AT_ONCE = 1000  # products whose delivery is derived in one transaction
LONGEST = 60  # working days on the way
DEAREST = 100_000  # minor units
CURRENCY = "EUR"

profiles, rates = DeliveryProfile.__table__, DeliveryRate.__table__
products, sellers = Product.__table__, Seller.__table__
_FACTS = ("min_days", "max_days", "cost_minor", "cost_currency", "free_from_minor")
_OF = select(profiles).where(profiles.c.seller_id == bindparam("seller")).order_by(profiles.c.country, "up_to_grams")
_LOCK = select(sellers.c.id).where(sellers.c.id == bindparam("seller")).with_for_update(key_share=True)
_CLEAR = delete(profiles).where(profiles.c.seller_id == bindparam("seller"))
_uses_table = ~products.c.has_own_delivery
_OF_SELLER = (
    select(products.c.id)
    .where(products.c.seller_id == bindparam("seller"), _uses_table, products.c.id > bindparam("after"))
    .order_by(products.c.id)
    .limit(bindparam("most"))
)
_these: BindParameter[int] = bindparam("ids", expanding=True)
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
_FORGET = delete(rates).where(rates.c.product_id.in_(_these))
_DERIVE = insert(rates).from_select(_INTO, _DERIVED.where(products.c.id.in_(_these)))


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
    """Let this be the seller's table; the delivery of every product that uses it is derived anew.

    That of the first thousand at once; of the others, a thousand at a time, by jobs, so that nobody waits for us.
    """
    _see_to(stretches)
    if len({(each.country, each.up_to_grams) for each in stretches}) < len(stretches):
        raise Refused(_("A country with a weight can be there only once."), 422)
    wait_for(seller.id)
    run(_CLEAR, seller=seller.id)
    same = {"seller_id": seller.id, "cost_currency": CURRENCY}
    if stretches:
        connection().execute(insert(profiles), [{**each._asdict(), **same} for each in stretches])
    derive_from(seller.id)
    db.session.expire_all()


def wait_for(seller: int) -> None:
    """Deliveries of one seller are written one after the other. Wait before anything of theirs is written."""
    rows(_LOCK, seller=seller)


@jobs.handler
def derive_from(seller: int, after: int = 0) -> None:
    """Read the delivery of a seller's next products from the table, and leave the rest to a job. Again does no harm."""
    wait_for(seller)
    ids = [row.id for row in rows(_OF_SELLER, seller=seller, after=after, most=AT_ONCE)]
    if ids:
        run(_FORGET, ids=ids)
        run(_DERIVE, ids=ids)
    if len(ids) == AT_ONCE:
        jobs.later(derive_from, seller=seller, after=ids[-1])


def derive(product: Product) -> None:
    """Read the product's delivery from its seller's table by its weight, unless it was set by hand."""
    if not product.has_own_delivery:
        wait_for(product.seller_id)
        run(_FORGET, ids=[product.id])
        run(_DERIVE, ids=[product.id])
        db.session.expire(product, ("delivery",))


def set_by_hand(product: Product, stretches: Sequence[Stretch]) -> None:
    """Let this product be brought like this, whatever the table says; with nothing here the table counts again."""
    _see_to(stretches)
    if len({each.country for each in stretches}) < len(stretches):
        raise Refused(_("A country can be there only once."), 422)
    wait_for(product.seller_id)
    product.has_own_delivery = bool(stretches)
    db.session.flush()
    if stretches:
        run(_FORGET, ids=[product.id])
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
