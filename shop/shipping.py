"""Shipping, put right: what was called sent by mistake comes back, and a parcel gets the number that it really has.

The buyer is written to when the way back is over, so nobody hears of a parcel that never left. Neither moves a day:
what was promised and when its money may leave stand in the order, and the weeks of silence count from when it was sent.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, null, update

from shop import carriers, clock, history, jobs, notifications, orders, packing, refunds
from shop.database import db, run
from shop.errors import Refused
from shop.i18n import _
from shop.models import Order, OrderStatus

sold = Order.__table__
_CORRECTED = (
    update(sold)
    .where(sold.c.id == bindparam("order"), sold.c.status == OrderStatus.SHIPPED)
    .values(carrier=bindparam("by_carrier"), tracking=bindparam("number"))
)
_NOT_SENT = (
    update(sold).where(sold.c.id == bindparam("order")).values(carrier="", tracking="", shipped_at=null())
)  # after the move, which only one wins


def back_until(order: Order) -> datetime | None:
    """Until when its seller may say that it has not left after all; None where that is over, or never was."""
    if order.status != OrderStatus.SHIPPED or order.shipped_at is None:
        return None
    until = order.shipped_at + packing.WAY_BACK
    return until if clock.now() < until else None


def take_back(order: Order, *, by: int) -> None:
    """It has not left after all: it lies packed again, as before, and its buyer has heard nothing. Once.

    What was given back whole meanwhile is off, and its goods are on the shelf again.
    """
    refunds.lock(order.id)
    if back_until(order) is None:
        raise Refused(_("This cannot be taken back any more. You can still correct the number of the parcel."))
    orders.move(order.id, OrderStatus.SHIPPED, OrderStatus.PACKED, by=by)
    run(_NOT_SENT, order=order.id)
    refunds.call_off_if_empty(order.id, by)


def correct(order: Order, carrier: str, tracking: str, *, by: int) -> None:
    """It goes with this carrier and number; a buyer who was told another one, or none, is told this one.

    A number is added or changed, never taken away: who has one may not say themselves that it has arrived.
    """
    number = carriers.number_of(carrier, tracking, is_followed=True)
    if (carrier, number) == (order.carrier, order.tracking):
        return
    if run(_CORRECTED, order=order.id, by_carrier=carrier, number=number) != 1:
        raise Refused(_("Only the number of a parcel that is on its way can be corrected."))
    history.note("order", order.id, OrderStatus.SHIPPED, OrderStatus.SHIPPED, f"{carrier} {number}", by=by)
    if back_until(order) is None:
        jobs.later(tell_of_correction, order=order.id, at=round(clock.now().timestamp() * 1000))


@jobs.patient_handler
def tell_of_correction(order: int, at: int) -> None:
    """Mail the buyer where their parcel can be followed instead; once for each correction, and as it is by now."""
    found = db.session.get(Order, order)
    if found is not None and found.status == OrderStatus.SHIPPED:
        letter = packing.letter(found)
        notifications.mail(**letter | {"kind": "parcel_corrected", "about": f"{found.code} {at}"}, is_corrected=True)
