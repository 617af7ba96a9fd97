"""Chosen: the lines of what somebody means to buy, as everything stands at this moment.

Out of a cart, or one thing alone: the same facts in the same form, so what is made of them is the same too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    Case,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from shop import clock
from shop.countries import HOME
from shop.database import rows, rows_and_more
from shop.models import (
    Cart,
    CartLine,
    Clip,
    DeliveryRate,
    HoldState,
    Picture,
    Product,
    Profile,
    Purchase,
    Seller,
    StockHold,
    Tag,
    Variant,
)
from shop.parcels import Line
from shop.products import MAY_BE_BOUGHT

carts, in_carts = Cart.__table__, CartLine.__table__
products, variants, rates = Product.__table__, Variant.__table__, DeliveryRate.__table__
sellers, profiles, clips = Seller.__table__, Profile.__table__, Clip.__table__
holds, purchases, tags = StockHold.__table__, Purchase.__table__, Tag.__table__
films = profiles.alias("films")
own, main, led_here = Picture.__table__.alias("own"), Picture.__table__.alias("main"), Clip.__table__.alias("led_here")

IS_MINE = and_(
    carts.c.code == bindparam("cart"),
    or_(carts.c.user_id.is_(None), carts.c.user_id == bindparam("person")),
)


class One(NamedTuple):
    """One of one variant, wanted at once and past the cart; `clip` is the code of the clip that led here."""

    variant: str
    clip: str = ""


_LEFT = (holds.c.variant_id == variants.c.id, holds.c.state == HoldState.HELD, holds.c.expires_at <= bindparam("now"))
_IS_THEIRS = (
    holds.c.purchase_id == purchases.c.id,
    holds.c.variant_id == variants.c.id,
    holds.c.state.concat("") == HoldState.HELD,
    holds.c.expires_at > bindparam("now"),
)


def _not_in_the_way(*mine: ColumnElement[bool]) -> ColumnElement[int]:
    """What this buyer holds for an unpaid purchase is free for them, and so is what nobody pays for any more.

    Theirs is found by their purchases: of a thing that many want at once, others hold hundreds.
    """
    left = select(func.coalesce(func.sum(holds.c.quantity), 0)).where(*_LEFT).correlate(variants)
    theirs = select(func.coalesce(func.sum(holds.c.quantity), 0)).select_from(purchases).join(holds, and_(*_IS_THEIRS))
    return left.scalar_subquery() + theirs.where(or_(*mine)).correlate(variants, carts).scalar_subquery()


def _creator(buyer: ColumnElement[Any]) -> Case[Any]:
    """Whoever made the clip earns by it when it shows the product, and it is neither their own product nor purchase."""
    return case(
        (
            and_(
                clips.c.profile_id != sellers.c.profile_id,
                clips.c.published_at.is_not(None),
                exists().where(tags.c.clip_id == clips.c.id, tags.c.product_id == products.c.id),
                ~exists().where(films.c.id == clips.c.profile_id, films.c.user_id == buyer),
            ),
            clips.c.profile_id,
        )
    )


def _lines_of(chosen: FromClause, not_in_the_way: ColumnElement[int], buyer: ColumnElement[Any]) -> Select[Any]:
    """The facts of what is chosen, as a `Line` has them."""
    return (
        select(
            variants.c.id,
            variants.c.code,
            products.c.code,
            products.c.title,
            variants.c.name,
            variants.c.sku,
            func.coalesce(own.c.name_216, own.c.name, main.c.name_216, main.c.name, ""),
            chosen.c.quantity,
            chosen.c.seen_minor,
            variants.c.price_minor,
            variants.c.price_currency,
            products.c.vat_rate,
            variants.c.stock - variants.c.held + not_in_the_way,
            and_(*MAY_BE_BOUGHT),
            sellers.c.id,
            profiles.c.name,
            profiles.c.handle,
            products.c.ships_from_city,
            products.c.ships_from_country,
            products.c.stock_kind,
            sellers.c.returns_days,
            sellers.c.returns_paid_by,
            products.c.guarantee,
            products.c.handling_days,
            rates.c.min_days,
            rates.c.max_days,
            rates.c.cost_minor,
            rates.c.free_from_minor,
            chosen.c.clip_id,
            clips.c.code,
            products.c.creator_rate,
            _creator(buyer),
        )
        .select_from(chosen)
        .join(variants, variants.c.id == chosen.c.variant_id)
        .join(products, products.c.id == variants.c.product_id)
        .join(sellers, sellers.c.id == products.c.seller_id)
        .join(profiles, profiles.c.id == sellers.c.profile_id)
        .outerjoin(rates, and_(rates.c.product_id == products.c.id, rates.c.country == bindparam("country")))
        .outerjoin(own, own.c.id == variants.c.picture_id)
        .outerjoin(main, and_(main.c.product_id == products.c.id, main.c.position == 0))
        .outerjoin(clips, clips.c.id == chosen.c.clip_id)
    )


_OF_CART = _not_in_the_way(purchases.c.cart_id == carts.c.id, purchases.c.user_id == carts.c.user_id)
_IN_CART = (
    _lines_of(in_carts, _OF_CART, carts.c.user_id)
    .join(carts, carts.c.id == in_carts.c.cart_id)
    .where(IS_MINE)
    .order_by(products.c.seller_id, in_carts.c.added_at, variants.c.id)
)
_ONE = (
    select(
        variants.c.id.label("variant_id"),
        literal(1).label("quantity"),
        variants.c.price_minor.label("seen_minor"),
        select(led_here.c.id).where(led_here.c.code == bindparam("clip")).scalar_subquery().label("clip_id"),
    )
    .where(variants.c.code == bindparam("variant"))
    .subquery("chosen")
)
_PERSON = bindparam("person", type_=purchases.c.user_id.type)
_ALONE = _lines_of(_ONE, _not_in_the_way(purchases.c.user_id == _PERSON), _PERSON)


def lines(chosen: str | One, person: int | None = None, country: str = HOME) -> list[Line]:
    """What is chosen, seller by seller, at today's prices and delivered in `country`. A cart is known by its code."""
    if not chosen:
        return []
    known: dict[str, Any] = {"person": person, "country": country, "now": clock.now()}
    if isinstance(chosen, One):
        return [Line._make(row) for row in rows(_ALONE, **chosen._asdict(), **known)]
    # Without what may have come along with the rows.
    return [Line._make(row[: len(Line._fields)]) for row in rows_and_more(_IN_CART, cart=chosen, **known)]
