"""Newcomers: a seller who is new here may not do everything at once (a stolen identity sells nothing it never sends).

Until so many buyers have had an order delivered, they have few products for sale, little under way, and no money of
an order that has not arrived. Who sold here before these limits, is `established_at` too.
"""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import Row, bindparam, case, distinct, exists, func, or_, select, update

from shop import clock
from shop.database import first, rows, run
from shop.errors import Refused
from shop.i18n import _, ngettext, price
from shop.models import (
    Order,
    OrderStatus,
    Product,
    ProductStatus,
    Profile,
    Purchase,
    RefundLine,
    Seller,
    Transfer,
    User,
)
from shop.money import Money

UNDER_WAY = (OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED)

UP = (ProductStatus.LIVE, ProductStatus.REVIEW)  # what waits for a moderator takes room: it goes live by itself

sellers, orders, products, transfers = Seller.__table__, Order.__table__, Product.__table__, Transfer.__table__
purchases, owners, people = Purchase.__table__, Profile.__table__.alias("owners"), User.__table__.alias("people")
given_back = RefundLine.__table__
is_new = sellers.c.established_at.is_(None)

# No list: a statement with one is put into words anew each time.
_is_under_way = or_(*(orders.c.status == status for status in UNDER_WAY))
# Of the seller of a query: minor units under way; nothing of who is established, and then nothing is counted.
under_way = case(
    (
        is_new,
        select(func.coalesce(func.sum(orders.c.goods_minor + orders.c.delivery_minor), 0))
        .where(orders.c.seller_id == sellers.c.id, _is_under_way)
        .correlate(sellers)
        .scalar_subquery(),
    )
)
# Of the order of a query: its seller is new, and it has not arrived.
is_too_early = exists().where(
    sellers.c.id == orders.c.seller_id,
    is_new,
    orders.c.status.in_(UNDER_WAY),
    orders.c.id == transfers.c.order_id,
)
_email = func.lower(purchases.c.email)
_back = (
    select(func.coalesce(func.sum(given_back.c.amount_minor), 0))
    .where(given_back.c.order_id == orders.c.id)
    .correlate(orders)
    .scalar_subquery()
)
# Of the seller of a query: how many others have had an order delivered and kept it. Ten orders to oneself, or to who
# shares something with the seller (`brushing`), are none; nor is one to the seller's mailbox, whoever typed it.
delivered = (
    select(func.count(distinct(_email)))
    .select_from(orders)
    .join(purchases, purchases.c.id == orders.c.purchase_id)
    .where(orders.c.seller_id == sellers.c.id, orders.c.status == OrderStatus.DELIVERED, orders.c.kin == "")
    .where(_back < orders.c.goods_minor + orders.c.delivery_minor)
    .where(
        ~exists()
        .where(owners.c.id == sellers.c.profile_id, people.c.id == owners.c.user_id)
        .where(or_(people.c.id == purchases.c.user_id, func.lower(people.c.email) == _email))
        .correlate(sellers, purchases)
    )
    .correlate(sellers)
    .scalar_subquery()
)
_LOCKED = select(is_new.label("is_new")).where(sellers.c.id == bindparam("seller")).with_for_update()
_LISTED = select(func.count().label("listed")).where(
    products.c.seller_id == bindparam("seller"), products.c.status.in_(UP)
)
_IS_NEW = select(is_new.label("is_new")).where(sellers.c.id == bindparam("seller"))
_ESTABLISH = (
    update(sellers)
    .where(sellers.c.id == bindparam("seller"), is_new, delivered >= bindparam("enough"))
    .values(established_at=bindparam("now", type_=sellers.c.established_at.type))
)


def limit(name: str) -> int:
    """What the operator set: `ORDERS`, `LISTINGS`, `OPEN` in minor units, or `HOLD` in days."""
    return int(current_app.config[f"NEWCOMER_{name}"])


def refuse_too_many(seller: Seller | Row[Any] | int) -> None:
    """Refuse one more product for sale of who is new and has as many as they may; ask before it goes live.

    A seller, or their id. It counts those that are for sale or in review by now, so it is asked for each one
    that is put up; from review it may go live without being asked again.
    """
    number = seller if isinstance(seller, int) else seller.id
    if has_room(number):
        return
    most = limit("LISTINGS")
    words: str = ngettext(
        "While you are new here you may have %(num)s product for sale; more once orders of %(orders)s different buyers"
        " have arrived.",
        "While you are new here you may have %(num)s products for sale; more once orders of %(orders)s different buyers"
        " have arrived.",
        most,
        orders=limit("ORDERS"),
    )
    raise Refused(words, 422)


def has_room(seller: int) -> bool:
    """May this seller have one more product for sale? Two that are put up at once wait for each other."""
    found = first(_LOCKED, seller=seller)
    return found is None or not found.is_new or rows(_LISTED, seller=seller)[0].listed < limit("LISTINGS")


def goes_over(under_way: int | None, more: Money) -> bool:
    """Would so much more be too much for a seller with so much under way? None: they are not new."""
    return under_way is not None and int(under_way) + more.minor > limit("OPEN")


def is_too_much(name: str) -> str:
    """Why a basket cannot be bought yet, for the buyer."""
    return _(
        "%(seller)s is new here, and may have orders for %(most)s under way. Buy less, or come back in a few days.",
        seller=name,
        most=price(Money(limit("OPEN"), "EUR")),
    )


def is_one(seller: int) -> bool:
    """Is this seller still new?"""
    found = first(_IS_NEW, seller=seller)
    return found is not None and bool(found.is_new)


def hold(*, is_new: bool) -> int:
    """Days from the delivery until a seller's share may leave."""
    usual = int(current_app.config["PAYOUT_HOLD"])
    return max(usual, limit("HOLD")) if is_new else usual


def count_delivery(seller: int) -> bool:
    """After one more delivered order: is this seller no longer new from now on? Once."""
    return run(_ESTABLISH, seller=seller, enough=limit("ORDERS"), now=clock.now()) == 1
