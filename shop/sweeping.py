"""Sweeping: what nobody comes back for goes every day: carts, sessions that are over, links that no longer open."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, exists

from shop import clock, jobs
from shop.database import run
from shop.models import Cart, CartLine, Invitation, Moment, PasswordReset, Purchase, Session

CART_KEPT = timedelta(days=90)  # since something was put in; sign-in and devices have their own span, in accounts

carts, lines, purchases = Cart.__table__, CartLine.__table__, Purchase.__table__
_BEFORE = bindparam("before", type_=Moment)
_OLD_LINES = delete(lines).where(lines.c.added_at < _BEFORE)
# Money may still come for it, and then the cart says whether the same was paid in another tab (`settlement`).
_MAY_BE_PAID = exists().where(
    purchases.c.cart_id == carts.c.id, purchases.c.settled_at.is_(None), purchases.c.placed_at >= _BEFORE
)
# A person's own cart stays, empty: it is one row, and goes with the account.
_OLD_CARTS = delete(carts).where(
    carts.c.user_id.is_(None),
    carts.c.created_at < _BEFORE,
    ~exists().where(lines.c.cart_id == carts.c.id),
    ~_MAY_BE_PAID,
)
_OVER = [
    delete(table).where(table.c.expires_at < _BEFORE)
    for table in (Session.__table__, PasswordReset.__table__, Invitation.__table__)
]


@jobs.regularly(timedelta(days=1))
def sweep_what_is_over() -> None:
    """Delete what was put in a cart 90 days ago and the guests' carts that are empty then, and what has run out."""
    now = clock.now()
    run(_OLD_LINES, before=now - CART_KEPT)
    run(_OLD_CARTS, before=now - CART_KEPT)
    for over in _OVER:
        run(over, before=now)
