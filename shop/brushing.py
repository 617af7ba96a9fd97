"""Brushing: a seller buys from themselves to look popular, or has somebody buy who lives or mails where they do.

Such an order is paid, sent and settled as any other. It only counts nowhere: not as sold, and not among the orders
that end being new here; and a moderator sees it beside the shop. What anybody can type, such as the mailbox that the
shop shows, makes no order its own: else a stranger could take away from what a seller sold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, literal_column, select, update

from shop import marks
from shop.database import first, rows, run
from shop.models import Address, Kin, MarkKind, Order, Profile, Purchase, Seller, SellerMark, User

SHOWN = 20

orders, sellers, profiles = Order.__table__, Seller.__table__, Profile.__table__
people, homes, told, purchases = User.__table__, Address.__table__, SellerMark.__table__, Purchase.__table__


def _is_marked(kind: MarkKind, name: str) -> Any:
    mine = (told.c.seller_id == orders.c.seller_id, told.c.kind == kind, told.c.mark == bindparam(name))
    return select(told.c.id).where(*mine).correlate(orders).exists()


_FACTS = (
    select(orders.c.id, people.c.id.label("owner"), people.c.email, *homes.c["country", "street", "postcode"])
    .add_columns(
        homes.c.house_number,
        _is_marked(MarkKind.EMAIL, "mailbox").label("has_mailbox"),
        _is_marked(MarkKind.EMAIL, "proven").label("has_proven"),
        _is_marked(MarkKind.ADDRESS, "home").label("has_home"),
        marks.near(orders.c.seller_id).label("is_near"),
    )
    .join(sellers, sellers.c.id == orders.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(people, people.c.id == profiles.c.user_id)
    .outerjoin(homes, homes.c.user_id == people.c.id)
    .where(orders.c.purchase_id == bindparam("purchase"))
)
_BUYER = select(people.c.email).where(people.c.id == bindparam("person"), people.c.confirmed_at.is_not(None))
_NOTE = update(orders).where(orders.c.id == bindparam("order")).values(kin=bindparam("why"))
_OF = (
    select(*orders.c["code", "kin", "status", "goods_minor", "goods_currency"], purchases.c.placed_at)
    .join(purchases, purchases.c.id == orders.c.purchase_id)
    .where(and_(orders.c.seller_id == bindparam("seller"), orders.c.kin != literal_column("''")))  # as the index says
    .order_by(orders.c.id.desc())
    .limit(SHOWN)
)


def note(bought: Row[Any]) -> None:
    """Write down which orders of a purchase seem to be the seller's own, and why; before the goods count as sold."""
    home = marks.address(bought.country, f"{bought.street} {bought.house_number}", bought.postcode)
    proven, given = _proven(bought.user_id), marks.mailbox(bought.email)
    boxes = {name: marks.of(MarkKind.EMAIL, box) for name, box in (("mailbox", given), ("proven", proven))}
    home_mark = marks.of(MarkKind.ADDRESS, home)
    for row in rows(_FACTS, purchase=bought.id, person=bought.user_id or 0, home=home_mark, **boxes):
        if why := _kin(row, bought, home, proven):
            run(_NOTE, order=row.id, why=why)


def _proven(person: int | None) -> str:
    """The mailbox of the account that they bought with, where they have shown that they read it; empty of a guest."""
    found = first(_BUYER, person=person) if person else None
    return marks.mailbox(found.email) if found else ""


def _kin(row: Row[Any], bought: Row[Any], home: str, proven: str) -> str:
    """The plainest thing that buyer and seller share; empty where there is none."""
    if row.owner is not None and row.owner == bought.user_id:
        return Kin.PERSON
    if row.is_near:
        return Kin.SHOP
    own = marks.mailbox(row.email or "")
    if proven and (row.has_proven or own == proven):
        return Kin.EMAIL
    lives = marks.address(row.country, f"{row.street} {row.house_number}", row.postcode) if row.street else ""
    if row.has_home or (home and lives == home):
        return Kin.ADDRESS
    return Kin.GIVEN if row.has_mailbox or (own and own == marks.mailbox(bought.email)) else ""


def counts(kin: str) -> bool:
    """Is an order of this kin sold as any other?"""
    return kin in ("", Kin.GIVEN)


def of(seller: int) -> Sequence[Row[Any]]:
    """The last orders of a shop that seem to be its own, for a moderator."""
    return rows(_OF, seller=seller)
