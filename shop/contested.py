"""Contested: while an appeal of a seller waits, or a buyer's bank takes back what was paid for their goods.

Until that is decided nothing of theirs is forgotten, however old it is: somebody may have to look at it again.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_

from shop.models import Appeal, Dispute, Order, Payment, Statement

made, appeals = Statement.__table__, Appeal.__table__
orders, payments, disputes = Order.__table__, Payment.__table__, Dispute.__table__


def is_contested(seller: ColumnElement[int]) -> ColumnElement[bool]:
    """Is something about this seller still to be decided? For queries of what is to be forgotten."""
    appeal = exists().where(
        made.c.seller_id == seller, appeals.c.statement_id == made.c.id, appeals.c.outcome.is_(None)
    )
    dispute = exists().where(
        orders.c.seller_id == seller,
        payments.c.purchase_id == orders.c.purchase_id,
        disputes.c.payment_id == payments.c.id,
        disputes.c.state == "open",
    )
    return or_(appeal, dispute)
