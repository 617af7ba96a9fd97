"""Prices: what a variant costs from now on, what it cost before, and which saving may be announced.

Directive 98/6/EC, art. 6a: who announces a reduction names the lowest price of the thirty days before it. That
window ends when the reduction begins, so the prior price is known at that moment and is kept with the variant; the
rows of `price_changes` prove it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert, select, update

from shop import clock
from shop.database import connection, first, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Moment, PriceChange, Product, Variant
from shop.money import Money

WINDOW = timedelta(days=30)
NEWS = timedelta(days=30)  # a price that has stood longer is no longer a reduction, just the price

products, variants, changes = Product.__table__, Variant.__table__, PriceChange.__table__

_VARIANT = (
    select(variants.c.product_id, variants.c.position, variants.c.price_minor, variants.c.price_currency)
    .where(variants.c.id == bindparam("variant"))
    # Two changes at once would each take the other's price for the one before. Who only names it does not wait.
    .with_for_update(key_share=True)
)
_OFFERED = (
    select(variants.c.id, variants.c.price_minor, variants.c.price_currency)
    .where(variants.c.product_id == bindparam("product"), variants.c.is_offered)
    .order_by(variants.c.id)
)
_LAST = (
    select(changes.c.price_minor)
    .where(changes.c.variant_id == bindparam("variant"))
    .order_by(changes.c.at.desc(), changes.c.id.desc())
    .limit(1)
)
# The price that held when the window opened counts too. If none did, the comparison is with NULL, and finds nothing.
_HELD_AT_START = (
    select(func.max(changes.c.at))
    .where(changes.c.variant_id == bindparam("variant"), changes.c.at <= bindparam("start", type_=Moment()))
    .scalar_subquery()
)
_LOWEST = select(func.min(changes.c.price_minor)).where(
    changes.c.variant_id == bindparam("variant"),
    changes.c.at >= _HELD_AT_START,
    changes.c.at < bindparam("end", type_=Moment()),
)
_CHANGE = update(variants).where(variants.c.id == bindparam("variant"))
_COPY = update(products).where(products.c.id == bindparam("product")).values(price_minor=bindparam("minor"))


def set_price(variant: int, price: Money, at: datetime | None = None) -> None:
    """Ask `price` for the variant with this id from now on (or from `at`, for a shop that is only now written down),
    and write it in the history, which begins here if it is the first time. The same price again changes nothing.
    """
    now, was = at or clock.now(), first(_VARIANT, variant=variant)
    if was is None:
        raise NotFound(_("We cannot find this product."))
    if price.minor <= 0 or price.currency != was.price_currency:
        raise Refused(_("This cannot be the price."), 422)
    last = first(_LAST, variant=variant)
    if last is None or last.price_minor != price.minor:
        line = {"variant_id": variant, "at": now, "price_minor": price.minor, "price_currency": price.currency}
        connection().execute(insert(changes), line)
    if price.minor != was.price_minor:
        prior = _prior(variant, price, now)
        value = {"price_minor": price.minor, "prior_minor": prior, "reduced_at": now if prior else None}
        connection().execute(_CHANGE.values(value), {"variant": variant})
    if was.position == 0:
        connection().execute(_COPY, {"product": was.product_id, "minor": price.minor})


def pencil(variant: int, price: Money) -> None:
    """Note what a variant will cost that is not for sale now. Nobody was asked that price, so it is no history, and no
    saving may be announced from it: the history goes on where `set_price` is called as it goes up for sale.
    """
    was = first(_VARIANT, variant=variant)
    if was is None:
        raise NotFound(_("We cannot find this product."))
    if price.minor <= 0 or price.currency != was.price_currency:
        raise Refused(_("This cannot be the price."), 422)
    if price.minor != was.price_minor:
        value = {"price_minor": price.minor, "prior_minor": None, "reduced_at": None}
        connection().execute(_CHANGE.values(value), {"variant": variant})
    if was.position == 0:
        connection().execute(_COPY, {"product": was.product_id, "minor": price.minor})


def put_up(product: int) -> None:
    """The product with this id is for sale from now on: what its variants cost is asked, and begins to be history."""
    for variant in rows(_OFFERED, product=product):
        set_price(variant.id, Money(variant.price_minor, variant.price_currency))


def lowest_before(variant: int, moment: datetime) -> int | None:
    """The lowest price of the thirty days before `moment`, in minor units; None if we do not know all of them."""
    row = first(_LOWEST, variant=variant, start=moment - WINDOW, end=moment)
    return row[0] if row else None


def announced(prior_minor: int | None, reduced_at: datetime | None, now: datetime) -> int | None:
    """The prior price that may stand beside a reduced one, in minor units; None where no saving may be announced."""
    return prior_minor if prior_minor and reduced_at and now - reduced_at < NEWS else None


def _prior(variant: int, price: Money, now: datetime) -> int | None:
    lowest = lowest_before(variant, now)
    return lowest if lowest is not None and lowest > price.minor else None
