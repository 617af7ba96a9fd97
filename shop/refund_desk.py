"""The refund desk: an order's money as staff and its seller see it, and what they may give back of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, or_, select
from sqlalchemy.orm import selectinload

from shop import amounts, audit, books, refunds, transfers
from shop.audit import Actor
from shop.books import Went
from shop.database import db, first, rows
from shop.errors import NotFound, Refused
from shop.i18n import _, price
from shop.models import Order, OrderLine, Payment, Profile, Purchase, Refund, Role, Seller, User
from shop.money import Money

REASONS = refunds.REASONS
MOST = 50_000  # minor units of one order that one member of staff gives back
NUMBER = 8  # signs of an order's code by which its seller knows it: the whole code would open the buyer's page

refunded, sellers, profiles = Refund.__table__, Seller.__table__, Profile.__table__
orders, purchases, users = Order.__table__, Purchase.__table__, User.__table__

_REFUNDS = (
    select(*refunded.c["code", "amount_minor", "amount_currency", "reason", "state", "created_at", "order_id"])
    .where(refunded.c.payment_id == bindparam("payment"))
    .order_by(refunded.c.id.desc())
)
_FAILED = (
    select(*refunded.c["code", "state", "amount_minor", "amount_currency", "created_at"], orders.c.code.label("order"))
    .join(Payment.__table__, Payment.__table__.c.id == refunded.c.payment_id)
    .join(orders, orders.c.purchase_id == Payment.__table__.c.purchase_id)
    .where(refunds.is_stuck)
    .order_by(refunded.c.id, orders.c.id)
    .limit(100)
)
_INTERESTED = (
    select(orders.c.id)
    .join(purchases, purchases.c.id == orders.c.purchase_id)
    .join(sellers, sellers.c.id == orders.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .join(users, users.c.id == bindparam("person"))
    .where(
        orders.c.id == bindparam("order"),
        or_(
            purchases.c.user_id == users.c.id,
            func.lower(purchases.c.email) == func.lower(users.c.email),
            profiles.c.user_id == users.c.id,
        ),
    )
)
_GIVEN = select(func.coalesce(func.sum(refunded.c.amount_minor), 0).label("minor")).where(
    refunded.c.order_id == bindparam("order"), refunded.c.by_id == bindparam("person")
)
_MEANT = (
    select(orders.c.code)
    .join(Purchase.__table__, Purchase.__table__.c.id == orders.c.purchase_id)
    .where(
        or_(
            orders.c.code == bindparam("typed"),
            func.substr(orders.c.code, 1, NUMBER) == bindparam("typed"),
            Purchase.__table__.c.code == bindparam("typed"),
        )
    )
    .order_by(orders.c.id)
    .limit(1)
)
_BY_CODE = select(refunded.c.id).where(refunded.c.code == bindparam("code"))


class Desk(NamedTuple):
    """An order, what is left of its lines and its delivery, where its money went, what went back, and its transfers."""

    order: Order
    left: list[tuple[OrderLine | None, Money]]
    total: Money
    went: Went
    refunds: Sequence[Row[Any]]
    transfers: Sequence[Row[Any]]

    @property
    def may_give(self) -> bool:
        """Is it paid, is anything left of it, and does no bank ask it back?"""
        purchase = self.order.purchase
        return bool(purchase.settled_at and self.total.minor and not purchase.payment.is_disputed)


def meant(typed: str) -> str:
    """The code of the order that staff mean: by its code, its number, or its purchase's code (the first of that)."""
    found = first(_MEANT, typed=typed)
    if found is None:
        raise NotFound(_("We cannot find this order. Please look at the code again."))
    return str(found.code)


def look(code: str) -> Desk:
    """An order by its code, for staff; `NotFound` otherwise."""
    return _desk(Order.code == code)


def look_own(number: str, person: int) -> Desk:
    """An order of this person's own shop by its number, which opens nothing for anybody else; `NotFound` otherwise."""
    mine = (
        select(sellers.c.id).join(profiles, profiles.c.id == sellers.c.profile_id).where(profiles.c.user_id == person)
    )
    desk = _desk(Order.seller_id.in_(mine), func.substr(Order.code, 1, NUMBER) == number)
    return desk._replace(refunds=[row for row in desk.refunds if row.order_id == desk.order.id])


def _desk(*which: Any) -> Desk:
    whole = selectinload(Order.purchase).selectinload(Purchase.payment)
    order = db.session.scalar(select(Order).where(*which).options(selectinload(Order.lines), whole))
    if order is None:
        raise NotFound(_("We cannot find this order."))
    by_id = {line.id: line for line in order.lines}
    currency = order.goods.currency
    parts = books.left(order.id)
    return Desk(
        order,
        [(by_id.get(part.line or 0), Money(part.left.total, currency)) for part in parts],
        Money(sum(part.left.total for part in parts), currency),
        books.where_it_went(order.id),
        rows(_REFUNDS, payment=order.purchase.payment.id),
        transfers.of_order(order.id),
    )


def give(
    desk: Desk,
    *,
    amount: str = "",
    quantities: Sequence[int] = (),
    reason: str = "goodwill",
    by: Actor | None = None,
    token: str = "",
) -> int:
    """Give back all that is left; or an amount as one types it ("12,50"); or so many of each line, in their order."""
    of = lines_of(desk, quantities)
    if quantities and not of:
        raise Refused(_("Choose what goes back, and how many of it."), 422)
    minor = minor_of(amount) if amount and not of else None
    return refunds.give(desk.order.id, minor, of=of or None, reason=reason, by=by.id if by else None, token=token)


def give_as_staff(desk: Desk, *, reason: str = "goodwill", by: Actor | None, **what: Any) -> int:
    """As `give`, for other people's orders, and written down in the audit; nobody is the operator, in a shell.

    What one person gives back of one order has a limit, but for an admin.
    """
    if by and first(_INTERESTED, order=desk.order.id, person=by.id):
        raise Refused(_("This order is your own. Another member of staff has to give money of it back."), 403)
    refund = give(desk, reason=reason, by=by, **what)
    if by and Role.ADMIN not in by.roles and int(rows(_GIVEN, order=desk.order.id, person=by.id)[0].minor) > MOST:
        most = price(Money(MOST, desk.order.goods.currency))
        raise Refused(_("More than %(most)s of one order only an administrator gives back.", most=most), 403)
    row = db.session.get_one(Refund, refund)
    after = {"refund": row.code, "amount": f"{row.amount.currency} {row.amount.minor}"}
    audit.note("refund given", f"order:{desk.order.code[:NUMBER]}", by=by, reason=reason, after=after)
    return refund


def lines_of(desk: Desk, quantities: Sequence[int]) -> dict[int, int]:
    """So many of each line, in their order, by the lines themselves."""
    return {line.id: n for line, n in zip(desk.order.lines, quantities, strict=False) if n}


def quantities(desk: Desk, asked: Mapping[str, str]) -> list[int]:
    """So many of each line, in their order, of what is asked by SKU or product code; nothing for nothing."""
    found = [asked.get(line.sku) or asked.get(line.product_code) or "0" for line in desk.order.lines]
    named = [line for line, n in zip(desk.order.lines, found, strict=True) if n != "0"]
    if len(named) != len(asked) or not all(n.isascii() and n.isdecimal() for n in found):
        raise Refused(_("Choose what goes back, and how many of it."), 422)
    return [int(n) for n in found] if asked else []


def minor_of(typed: str) -> int:
    """An amount as it is typed, in minor units; `Refused` for anything else."""
    if (found := amounts.hundredths(typed)) is None:
        raise Refused(_("Write an amount as 12.50."), 422)
    return found


def failed() -> Sequence[Row[Any]]:
    """Refunds that did not arrive, or were never answered: the buyer still has the money coming."""
    seen: dict[str, Row[Any]] = {}
    for row in rows(_FAILED, **refunds.stuck_since()):
        seen.setdefault(row.code, row)
    return list(seen.values())


def send_again(code: str, *, by: Actor) -> None:
    """Try a refund once more that failed, or was never answered."""
    row = first(_BY_CODE, code=code)
    if row is None:
        raise NotFound(_("There is no such refund."))
    refunds.send_again(row.id)
    audit.note("refund sent again", f"refund:{code}", by=by)
