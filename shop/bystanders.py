"""Bystanders: whom a decision about somebody else concerns, each told once by mail.

Who bought a thing that turns out unsafe or against the law (DSA art. 32, GPSR art. 35); and who shows in their clips
what a stopped shop sells. What a moderator wrote to the seller is the seller's, and is not repeated here.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select

from shop import clock, jobs, notifications, reasons
from shop.database import first, rows
from shop.models import (
    Clip,
    ListingCase,
    Moment,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    ProductStatus,
    Profile,
    Purchase,
    Seller,
    SellerKind,
    Tag,
    User,
    Variant,
    Vetting,
)

BOUGHT_WITHIN = timedelta(days=183)  # six months (DSA art. 32(1))
UNSAFE = frozenset(("unsafe", "forbidden", "counterfeit"))  # grounds for a take-down that its buyers have to know
MOST_CLIPS = 20  # named in one mail

sellers, profiles, users = Seller.__table__, Profile.__table__, User.__table__
products, variants, cases = Product.__table__, Variant.__table__, ListingCase.__table__
orders, lines, purchases = Order.__table__, OrderLine.__table__, Purchase.__table__
clips, tags = Clip.__table__, Tag.__table__

_TAKEN_DOWN = (
    select(*cases.c["reason", "decided_at"], products.c.id, profiles.c.name.label("shop"))
    .join(products, products.c.id == cases.c.product_id)
    .join(sellers, sellers.c.id == products.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(cases.c.code == bindparam("case"))
)
_BUYERS = (
    select(*purchases.c["id", "email", "name", "language"], orders.c.code, orders.c.seller_snapshot, lines.c.title)
    .join(orders, orders.c.id == lines.c.order_id)
    .join(purchases, purchases.c.id == orders.c.purchase_id)
    .join(variants, variants.c.id == lines.c.variant_id)
    .where(
        variants.c.product_id == bindparam("product"),
        orders.c.status != OrderStatus.CANCELLED,
        orders.c.paid_at > bindparam("since", type_=Moment()),
    )
    .order_by(lines.c.id)
)
_SHOWN = (
    select(clips.c.code, clips.c.caption, profiles.c.id, *users.c["email", "name", "language"])
    .join(profiles, profiles.c.id == clips.c.profile_id)
    .join(users, users.c.id == profiles.c.user_id)
    .where(
        clips.c.id.in_(
            select(tags.c.clip_id)
            .join(products, products.c.id == tags.c.product_id)
            .where(products.c.seller_id == bindparam("seller"), products.c.status == ProductStatus.LIVE)
        ),
        clips.c.published_at.is_not(None),
        profiles.c.id != select(sellers.c.profile_id).where(sellers.c.id == bindparam("seller")).scalar_subquery(),
        users.c.is_active,
    )
    .order_by(clips.c.id)
)
_STOPPED = (
    select(profiles.c.name)
    .join(sellers, sellers.c.profile_id == profiles.c.id)
    .where(sellers.c.id == bindparam("seller"), sellers.c.vetting == Vetting.SUSPENDED)
)


# Buyers


def warn(case: ListingCase) -> None:
    """Tell the buyers of the last six months about a product that was taken down, where the reason is one for them."""
    if case.reason in UNSAFE:
        jobs.later(warn_buyers, case=case.code)


@jobs.handler
def warn_buyers(case: str) -> None:
    """A mail for each mailbox, however often it bought the thing; each goes out once, as a job of its own."""
    found = first(_TAKEN_DOWN, case=case)
    if found is None:
        return
    bought = rows(_BUYERS, product=found.id, since=found.decided_at - BOUGHT_WITHIN)
    last = {row.email.casefold(): row for row in bought}
    for row in last.values():
        _warn(case, found, row)


def _warn(case: str, found: Row[Any], row: Row[Any]) -> None:
    who = row.seller_snapshot
    jobs.later(
        notifications.mail,
        kind="unsafe_goods",
        about=f"{case}:{row.id}",
        to=row.email,
        template="unsafe_goods",
        language=row.language,
        name=row.name,
        title=row.title.said(row.language),
        order=row.code,
        seller=who.get("legal_name") or found.shop,
        seller_email=who.get("email", ""),
        reason=reasons.PRODUCTS[found.reason].said.said(row.language),
        is_unsafe=found.reason == "unsafe",
        is_private=who.get("kind") == SellerKind.INDIVIDUAL,
    )


# Creators


def tell_creators(seller: Seller) -> None:
    """Tell who shows this shop's goods in a clip that its sales are stopped; once for each stop."""
    jobs.later(tell_creators_now, seller=seller.id, since=clock.now().isoformat(timespec="seconds"))


@jobs.handler
def tell_creators_now(seller: int, since: str) -> None:
    """A mail for each creator, with which clips; nothing where the sales go on by now."""
    shop = first(_STOPPED, seller=seller)
    if shop is None:
        return
    each: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows(_SHOWN, seller=seller):
        each[row.id].append(row)
    for profile, shown in each.items():
        _tell(f"{seller}:{since}:{profile}", shop.name, shown)


def _tell(about: str, shop: str, shown: list[Row[Any]]) -> None:
    creator = shown[0]
    named = [(row.code, row.caption.said(creator.language)) for row in shown[:MOST_CLIPS]]
    jobs.later(
        notifications.mail,
        kind="tags_rest",
        about=about,
        to=creator.email,
        template="tags_rest",
        language=creator.language,
        name=creator.name,
        shop=shop,
        clips=named,
        more=len(shown) - len(named),
    )
