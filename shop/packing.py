"""Packing: a seller's orders, from paid to arrived: what has to leave and until when, and where it is after that.

A seller knows their orders by a number; where a parcel goes is theirs to see while they need it, and 90 days longer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, bindparam, func, literal_column, or_, select, tuple_, union_all, update
from sqlalchemy.orm import selectinload

from shop import carriers, clock, jobs, leaf, newcomers, notifications, orders, transfers
from shop.database import anywhere, db, first, rows, run
from shop.delivery import AMSTERDAM, begin_of
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Order, OrderLine, OrderStatus, Profile, Purchase, Seller, Vetting

PAGE = 30
NUMBER = 8  # signs of an order's code by which its seller knows it: the whole code would open the buyer's page
SHOWN_FOR = timedelta(days=90)  # from the delivery on, its seller sees where it went
WAY_BACK = timedelta(minutes=15)  # what was called sent by mistake comes back; only then its buyer is told
SILENCE = timedelta(days=14)  # without a word from the buyer, a parcel has arrived
AT_ONCE = 200

TO_PACK = (OrderStatus.PAID, OrderStatus.PACKED)
SHOWS: dict[str, tuple[OrderStatus, ...]] = {
    "to-pack": TO_PACK,
    "sent": (OrderStatus.SHIPPED,),
    "delivered": (OrderStatus.DELIVERED,),
    "cancelled": (OrderStatus.CANCELLED,),
}

sold, purchases, lines = Order.__table__, Purchase.__table__, OrderLine.__table__
sellers, profiles = Seller.__table__, Profile.__table__

_SHOP = (
    select(*sellers.c["id", "vetting", "established_at"], *profiles.c["handle", "name"])
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(
        profiles.c.user_id == bindparam("person"),
        sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)),
    )
)
_SEEN = (
    *sold.c["id", "code", "status", "send_until", "deliver_until", "shipped_at", "delivered_at"],
    *sold.c["goods_minor", "delivery_minor", "goods_currency", "carrier", "tracking"],
    *purchases.c["name", "city", "country", "placed_at"],
)
_THINGS = (
    select(*lines.c["order_id", "title", "variant_name", "quantity"])
    .where(lines.c.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(lines.c.id)
)
_is_private = and_(
    sold.c.status == OrderStatus.DELIVERED,
    or_(
        sold.c.delivered_at.is_(None),
        sold.c.delivered_at < bindparam("forgotten", type_=sold.c.delivered_at.type),
    ),
)
_NAMED = (
    select(*_SEEN)
    .join(purchases, purchases.c.id == sold.c.purchase_id)
    .where(
        sold.c.seller_id == bindparam("seller"),
        sold.c.status.in_((*newcomers.UNDER_WAY, OrderStatus.DELIVERED)),
        ~_is_private,
        func.lower(purchases.c.name).like(bindparam("name"), escape="\\"),
    )
    .order_by(sold.c.id.desc())
    .limit(PAGE)
)
_NUMBERED = select(sold.c.id).where(
    sold.c.seller_id == bindparam("seller"), func.substr(sold.c.code, 1, NUMBER) == bindparam("number")
)
_SENT = (
    update(sold)
    .where(sold.c.id == bindparam("order"))
    .values(
        carrier=bindparam("by_carrier"),
        tracking=bindparam("number"),
        shipped_at=bindparam("now", type_=sold.c.shipped_at.type),
    )
)
_ARRIVED = (
    update(sold)
    .where(sold.c.id == bindparam("order"))
    .values(delivered_at=bindparam("now", type_=sold.c.delivered_at.type))
)
_SILENT = (
    select(*sold.c["id", "status", "seller_id"])
    .where(
        sold.c.status == literal_column(f"'{OrderStatus.SHIPPED}'"),  # as the index says it
        sold.c.deliver_until < bindparam("before", type_=sold.c.deliver_until.type),
        sold.c.shipped_at < bindparam("before", type_=sold.c.shipped_at.type),
    )
    .order_by(sold.c.deliver_until)
    .limit(AT_ONCE)
)


def _leaf(statuses: Sequence[OrderStatus], *, is_oldest_first: bool, is_late: bool = False) -> Select[Any]:
    """A page of the orders in these states, by the day on which they had to leave; each state by its own index."""
    key = (sold.c.send_until, sold.c.id)
    order = key if is_oldest_first else tuple(column.desc() for column in key)
    at, number = bindparam("at", type_=sold.c.send_until.type), bindparam("number", type_=sold.c.id.type)
    place, last = tuple_(*key), tuple_(at, number)
    parts = []
    for status in statuses:
        found = select(sold.c.id).where(sold.c.seller_id == bindparam("seller"), sold.c.status == status)
        found = found.where(place > last if is_oldest_first else place < last)
        if is_late:
            found = found.where(sold.c.send_until < bindparam("today", type_=sold.c.send_until.type))
        parts.append(select(found.order_by(*order).limit(PAGE + 1).subquery().c.id))
    wanted = sold.c.id.in_(union_all(*parts))
    return (
        select(*_SEEN)
        .join(purchases, purchases.c.id == sold.c.purchase_id)
        .where(wanted)
        .order_by(*order)
        .limit(PAGE + 1)
    )


LISTS = {show: _leaf(states, is_oldest_first=show == "to-pack") for show, states in SHOWS.items()}
LISTS["late"] = _leaf(TO_PACK, is_oldest_first=True, is_late=True)
OLDEST_FIRST = ("to-pack", "late")  # of the others the newest


class Sold(NamedTuple):
    """An order as its seller's list shows it; the buyer's name only while it is theirs to see."""

    row: Row[Any]
    number: str
    name: str
    things: tuple[Row[Any], ...]
    is_late: bool


class Leaf(NamedTuple):
    """A page of a list, and where the next one begins."""

    orders: list[Sold]
    more: str


# Whose they are, and which


def shop_of(person: int) -> Row[Any]:
    """The shop of somebody who sells, or whose sales were stopped: what is paid has to be sent all the same."""
    found = first(_SHOP, person=person)
    if found is None:
        raise NotFound(_("There is nothing here: you do not sell at Etalage."))
    return found


def today() -> datetime:
    """The moment at which this day began, in Amsterdam; what had to leave before it is late."""
    return begin_of(clock.now().astimezone(AMSTERDAM).date())


def listed(seller: int, show: str, after: str = "") -> Leaf:
    """A page of a shop's orders: to be packed (the oldest first), late, sent, delivered or cancelled."""
    at, number = leaf.place(after, leaf.FIRST if show in OLDEST_FIRST else leaf.LAST)
    more = {"today": today()} if show == "late" else {}
    found = rows(LISTS[show], seller=seller, at=at, number=number, **more)
    cut = leaf.cut(found, PAGE, "send_until")
    return Leaf(_shown(cut.rows), cut.more)


def named(seller: int, name: str) -> Leaf:
    """The newest orders of a shop whose buyer is called like this, as far as the name is the seller's to see."""
    found = rows(_NAMED, seller=seller, name=anywhere(name.lower()), forgotten=clock.now() - SHOWN_FOR)
    return Leaf(_shown(found), "")


def _shown(found: Sequence[Row[Any]]) -> list[Sold]:
    things: dict[int, list[Row[Any]]] = defaultdict(list)
    for line in rows(_THINGS, orders=[row.id for row in found]) if found else ():
        things[line.order_id].append(line)
    begun = today()
    return [
        Sold(
            row,
            row.code[:NUMBER],
            row.name if shows_address(row) else "",
            tuple(things[row.id]),
            row.status in TO_PACK and row.send_until < begun,
        )
        for row in found
    ]


def own(number: str, seller: int) -> Order:
    """An order of this shop by its number; `NotFound` of anybody else's."""
    whole = (selectinload(Order.lines), selectinload(Order.purchase).selectinload(Purchase.payment))
    paid = Order.status != OrderStatus.PENDING_PAYMENT  # what is not paid is nobody's order yet
    named = first(_NUMBERED, seller=seller, number=number)  # from an index alone, however many they have
    found = db.session.scalar(select(Order).where(Order.id == (named.id if named else 0), paid).options(*whole))
    if found is None:
        raise NotFound(_("We cannot find this order."))
    return found


def shows_address(order: Order | Row[Any]) -> bool:
    """May its seller see who bought it and where it goes? From paid until 90 days after it arrived."""
    if order.status == OrderStatus.DELIVERED:
        return order.delivered_at is not None and clock.now() - order.delivered_at <= SHOWN_FOR
    return order.status in newcomers.UNDER_WAY


# What becomes of them


def pack(order: Order, *, by: int) -> None:
    """It lies ready. Once."""
    if order.status == OrderStatus.SHIPPED:
        raise Refused(_("This order has just changed. Please look again."))
    orders.move(order.id, order.status, OrderStatus.PACKED, by=by)


def ship(order: Order, carrier: str, tracking: str, *, by: int, is_followed: bool = True) -> None:
    """It is on its way, with this carrier and this number, or by its seller's word without one. Once.

    Its buyer is told when the way back is over (`shipping.take_back`).
    """
    number = carriers.number_of(carrier, tracking, is_followed=is_followed)
    if order.status == OrderStatus.PAID:
        orders.move(order.id, OrderStatus.PAID, OrderStatus.PACKED, by=by)
        orders.move(order.id, OrderStatus.PACKED, OrderStatus.SHIPPED, by=by)
    else:
        orders.move(order.id, order.status, OrderStatus.SHIPPED, by=by)
    run(_SENT, order=order.id, by_carrier=carrier, number=number, now=clock.now())
    jobs.later(tell_of_shipping, delay=WAY_BACK, order=order.id)


def is_sellers_word(order: Order, shop: Row[Any]) -> bool:
    """May its seller say that it has arrived? Only where no carrier can, and not while they are new here."""
    return order.status == OrderStatus.SHIPPED and not order.tracking and shop.established_at is not None


def hand_over(order: Order, shop: Row[Any], *, by: int) -> None:
    """Its seller says that it has arrived."""
    if order.status == OrderStatus.SHIPPED and not is_sellers_word(order, shop):
        raise Refused(_("That it has arrived is for the buyer to say; after two weeks without a word it counts as so."))
    _arrive(order.id, order.status, order.seller_id, by=by)


def receive(order: Order, *, by: int | None) -> None:
    """Its buyer says that it has arrived; `by` is None for a guest, who has its link."""
    _arrive(order.id, order.status, order.seller_id, by=by)


@jobs.regularly(timedelta(hours=1))
def believe_the_silent() -> None:
    """What was to arrive two weeks ago, and of which nobody has said anything, has arrived."""
    for row in rows(_SILENT, before=clock.now() - SILENCE):
        _arrive(row.id, row.status, row.seller_id, by=None)


def _arrive(order: int, was: str, seller: int, *, by: int | None) -> None:
    """It has arrived: from now on it can be returned, and its money waits for that; one newcomer fewer, perhaps."""
    orders.move(order, was, OrderStatus.DELIVERED, by=by)
    now = clock.now()
    run(_ARRIVED, order=order, now=now)
    transfers.not_before(order, now + timedelta(days=newcomers.hold(is_new=newcomers.is_one(seller))))
    newcomers.count_delivery(seller)


@jobs.patient_handler
def tell_of_shipping(order: int) -> None:
    """Mail the buyer that it is on its way, and where it can be followed, once; not of what was taken back.

    Also when its seller said meanwhile that it has arrived: else nobody would hear of it who could say otherwise.
    """
    found = db.session.get(Order, order)
    if found is None or found.status not in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return
    if found.shipped_at is not None and clock.now() < found.shipped_at + WAY_BACK:
        return  # it was taken back and sent again: that has a job of its own
    notifications.mail(**letter(found))


def letter(order: Order) -> dict[str, Any]:
    """The mail to its buyer about an order that is on its way."""
    bought = order.purchase
    return {
        "kind": "order_shipped",
        "about": order.code,
        "to": bought.email,
        "template": "order_shipped",
        "language": bought.language,
        "name": bought.name,
        "seller": order.seller_snapshot.get("name", ""),
        "code": order.code,
        "carrier": carriers.CARRIERS[order.carrier].name if order.carrier in carriers.CARRIERS else "",
        "tracking": order.tracking,
        "page": page_of(order),
        "days": (order.deliver_from.date(), order.deliver_until.date()),
        "things": [(line.quantity, line.title, line.variant_name) for line in order.lines],
    }


def page_of(order: Order) -> str:
    """Where the parcel of an order can be followed; empty where it cannot."""
    return carriers.page_of(order.carrier, order.tracking, order.purchase.postcode, order.purchase.country)
