"""Orders: one seller's part of a purchase goes from state to state, once each, and every step is written down."""

from __future__ import annotations

from sqlalchemy import update

from shop import clock
from shop.database import connection, db
from shop.errors import Refused
from shop.i18n import _
from shop.models import Event, Order, OrderStatus

MOVES: dict[str, tuple[str, ...]] = {
    OrderStatus.PENDING_PAYMENT: (OrderStatus.PAID, OrderStatus.CANCELLED),
    OrderStatus.PAID: (OrderStatus.PACKED, OrderStatus.CANCELLED),
    OrderStatus.PACKED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED,),
}
BEFORE_IT_LEAVES = (OrderStatus.PAID, OrderStatus.PACKED)

orders = Order.__table__


def move(order: int, was: str, to: str, *, by: int | None = None) -> None:
    """Move an order along, once, however many try at the same moment; `by` is None for the shop itself."""
    if to not in MOVES.get(was, ()):
        raise Refused(_("An order that is %(was)s cannot become %(to)s.", was=was, to=to))
    moved = update(orders).where(orders.c.id == order, orders.c.status == was).values(status=to)
    if connection().execute(moved).rowcount != 1:
        raise Refused(_("This order has just changed. Please look again."))
    db.session.add(Event(at=clock.now(), subject="order", subject_id=order, was=was, became=to, user_id=by))
