"""Orders: one seller's part of a purchase goes from state to state, once each, and every step is written down."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from shop import history
from shop.database import run
from shop.errors import Refused
from shop.i18n import _
from shop.models import Order, OrderStatus

MOVES: dict[str, tuple[str, ...]] = {
    OrderStatus.PENDING_PAYMENT: (OrderStatus.PAID, OrderStatus.CANCELLED),
    OrderStatus.PAID: (OrderStatus.PACKED, OrderStatus.CANCELLED),
    OrderStatus.PACKED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED, OrderStatus.PACKED),  # back: see `shipping.take_back`
}
BEFORE_IT_LEAVES = (OrderStatus.PAID, OrderStatus.PACKED)

orders = Order.__table__
_MOVE = (
    update(orders)
    .where(orders.c.id == bindparam("order"), orders.c.status == bindparam("was"))
    .values(status=bindparam("became"))
)


def move(order: int, was: str, to: str, *, by: int | None = None) -> None:
    """Move an order along, once, however many try at the same moment; `by` is None for the shop itself."""
    if to not in MOVES.get(was, ()):
        raise Refused(_("An order that is %(was)s cannot become %(to)s.", was=was, to=to))
    if run(_MOVE, order=order, was=was, became=to) != 1:
        raise Refused(_("This order has just changed. Please look again."))
    history.note("order", order, was, to, by=by)
