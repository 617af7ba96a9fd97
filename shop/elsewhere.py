"""Elsewhere: money that somebody gave back at the gateway itself, of which this shop only hears.

Of a part of a payment nobody here knows whose share it was: that is a difference between the books, and a person looks.
All of it is no such question: what this shop has not given back yet goes out of everybody's shares as if it had, and
what has not left is called off.
"""

from __future__ import annotations

from collections import Counter

from shop import books, brushing, inbox, refunds, stock
from shop.database import rows

REASON = "cancelled"


def take_in(payment: int) -> None:
    """All of a payment is back with its buyer: draw the consequences that nobody has drawn yet. Its purchase is locked.

    The goods come last, as others wait for them.
    """
    orders = rows(refunds.ORDERS, payment=payment)
    if orders[0].settled_at is None:  # the goods were gone: nobody has a share of it, the money came and went
        if (refund := inbox.give_back(orders[0].attempt_id, REASON, is_back=True)) is not None:
            refunds.was_there(refund)
        return
    left = {order: [(part, part.left, 0) for part in books.left(order.id) if part.left.total] for order in orders}
    total = sum(share.total for pieces in left.values() for _part, share, _quantity in pieces)
    if total == 0 or not inbox.claim_back(payment, total):
        return
    freed = {True: Counter[int](), False: Counter[int]()}  # what counted as sold, and what was bought from oneself
    for order, pieces in left.items():
        if pieces:
            refunds.was_there(refunds.take(order, pieces, reason=REASON))
            freed[brushing.counts(order.kin)].update(refunds.call_off(order, None))
    for has_counted, quantities in freed.items():
        stock.put_back(quantities, has_counted=has_counted)
