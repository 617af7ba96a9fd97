"""Listings: a seller's own products, from the first word to the shelf and off it again. Whoever may not sell, lists
nothing; what lacks a required fact does not go live, and is told which.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, exists, select, update

from shop import clock, delivery_tables, grid, jobs, listing_cases, listing_facts, newcomers, pictures, prices
from shop.audit import Actor
from shop.database import connection, db, first, rows
from shop.delivery_tables import Stretch
from shop.errors import NotFound, Refused
from shop.grid import Cell
from shop.i18n import _
from shop.listing_checks import lacking
from shop.models import Category, DeliveryRate, Event, Picture, Product, ProductStatus, Profile, Seller, Variant
from shop.sellers import may_sell
from shop.words import Words

products, sellers = Product.__table__, Seller.__table__
categories, people = Category.__table__, Profile.__table__
# Each move happens once: the database decides who won.
MOVES: dict[str, tuple[str, ...]] = {
    ProductStatus.DRAFT: (ProductStatus.LIVE, ProductStatus.REVIEW),
    ProductStatus.LIVE: (ProductStatus.PAUSED,),
    ProductStatus.PAUSED: (ProductStatus.LIVE, ProductStatus.REVIEW),
    ProductStatus.REVIEW: (ProductStatus.PAUSED,),  # taken back before anybody looked
}
MOST = 20_000  # products of one seller, whatever became of them
LOOKED_AT = 200  # products in one job
ON_SALE = (ProductStatus.LIVE, ProductStatus.REVIEW)
_SELLS = select(sellers.c.id).where(sellers.c.id == bindparam("seller"), may_sell)
_OWNED = select(products.c.id).where(products.c.seller_id == bindparam("seller")).offset(bindparam("but")).limit(1)
_MOVE = update(products).where(
    products.c.id == bindparam("product"),
    products.c.status == bindparam("was"),
    exists().where(sellers.c.id == products.c.seller_id, may_sell),
)
_CATEGORIES = select(*categories.c["slug", "name"]).order_by(categories.c.position, categories.c.slug)
_IS_OF = (
    select(products.c.id)
    .join(sellers, sellers.c.id == products.c.seller_id)
    .join(people, people.c.id == sellers.c.profile_id)
    .where(products.c.code == bindparam("code"), people.c.user_id == bindparam("person"))
)
COPIED = (
    *("category_id", "description", "vat_rate", "specs", "ships_from_country", "ships_from_city", "stock_kind"),
    *("handling_days", "guarantee", "warnings", "maker", "responsible", "creator_rate", "weight_grams"),
    "has_own_delivery",
)


def categories_known() -> Sequence[Row[Any]]:
    """Everything that a product can be, in the order of the shop."""
    return rows(_CATEGORIES)


def is_of(person: Actor, code: str) -> bool:
    """Is this the product of this person?"""
    return first(_IS_OF, person=person.id, code=code) is not None


def find(person: Actor, code: str) -> Product:
    """This person's own product; 404 for everybody else's."""
    mine = select(Product).join(Seller).join(Profile).where(Profile.user_id == person.id, Product.code == code)
    found = db.session.scalar(mine)
    if found is None:
        raise NotFound(_("We cannot find this product."))
    return found


def draft(seller: Seller, *, title: Words, category: str, by: Actor, **facts: Any) -> Product:
    """A new product that nobody else sees yet; it comes from where the seller is until they say otherwise."""
    _see_to(seller.id)
    _see_to_room(seller.id)
    told = listing_facts.checked({"title": title, **facts}, country=seller.country, kind=seller.kind)
    home = {"ships_from_country": seller.country, "ships_from_city": seller.city, "stock_kind": seller.stock_kind}
    vat = {"vat_rate": listing_facts.vat_rates(seller.country)[0]}
    product = Product(code=_code(), seller=seller, category=_category(category), status=ProductStatus.DRAFT)
    _fill(product, {**home, **vat, **told})
    product.created_at, product.is_complete = clock.now(), False
    db.session.add(product)
    db.session.flush()
    _settle(product)
    _note(product, "", ProductStatus.DRAFT, by)
    return product


def change(product: Product, facts: Mapping[str, Any], *, by: Actor) -> None:
    """Tell these facts anew, by their names in `listing_facts.FACTS`. What is for sale stays complete, or as it was."""
    _see_to(product.seller_id)
    given = dict(facts)
    if "weight_grams" in given:
        delivery_tables.wait_for(product.seller_id)
    if "category" in given:
        product.category = _category(given.pop("category"))
    _fill(product, listing_facts.checked(given, country=product.seller.country, kind=product.seller.kind))
    asked = {spec["key"] for spec in product.category.specs}
    product.specs = {key: value for key, value in (product.specs or {}).items() if key in asked}
    db.session.flush()
    if "weight_grams" in given:
        delivery_tables.derive(product)
    _settle(product)


def set_variants(product: Product, cells: list[Cell], *, by: Actor) -> None:
    """Offer exactly these sizes and colours, in this order, at these prices; see `grid.lay`."""
    _see_to(product.seller_id)
    listing_cases.alone(product)
    grid.lay(product, cells, is_asked=product.status == ProductStatus.LIVE)
    _settle(product)


def set_delivery(product: Product, stretches: Sequence[Stretch], *, by: Actor) -> None:
    """Let this product be brought like this, whatever the seller's table says; with nothing the table counts again."""
    _see_to(product.seller_id)
    delivery_tables.set_by_hand(product, stretches)
    _settle(product)


def set_table(seller: Seller, stretches: Sequence[Stretch], *, by: Actor) -> None:
    """Let this be the seller's delivery table, for every product that has none of its own."""
    _see_to(seller.id)
    delivery_tables.lay(seller, stretches)
    jobs.later(look_again, seller=seller.id)


def add_pictures(product: Product, found: Sequence[pictures.Clean], *, by: Actor) -> None:
    """Put these pictures behind the ones that are there."""
    _see_to(product.seller_id)
    listing_cases.alone(product)
    pictures.add(product, found)
    _settle(product)


def describe_picture(
    product: Product, number: int, alt: Words, colors: Collection[Words], to: int, *, by: Actor
) -> None:
    """Say what the picture at this place shows, of which colours it is, and put it at the place `to`."""
    _see_to(product.seller_id)
    listing_cases.alone(product)
    picture = pictures.of(product, number)
    pictures.describe(picture, alt)
    pictures.show_colors(product, picture, colors)
    pictures.move(product, number, to)
    _settle(product)


def remove_picture(product: Product, number: int, *, by: Actor) -> None:
    """Take a picture away."""
    _see_to(product.seller_id)
    listing_cases.alone(product)
    pictures.remove(product, number)
    _settle(product)


def refuse_if_stopped(product: Product) -> None:
    """Say no before anything slow is done for who may not sell, or with what was taken down."""
    _see_to(product.seller_id)
    _refuse_if_down(product)


def offered(product: Product) -> list[Variant]:
    """The sizes and colours that are offered, in their order."""
    return [variant for variant in product.variants if variant.is_offered]


def publish(product: Product, *, by: Actor) -> None:
    """Put it up for sale. Refused, with the words of what it lacks, while it lacks something."""
    _go_live(product, ProductStatus.DRAFT, by)


def resume(product: Product, *, by: Actor) -> None:
    """Put it up for sale again after a pause: it is looked at as if it were new."""
    _go_live(product, ProductStatus.PAUSED, by)


def pause(product: Product, *, by: Actor) -> None:
    """Take it off every page and out of every cart for a while; always allowed."""
    was = product.status
    if ProductStatus.PAUSED not in MOVES.get(was, ()):
        raise Refused(_("Only what is for sale can be paused."))
    paused = update(products).where(products.c.id == product.id, products.c.status == was)
    if connection().execute(paused.values(status=ProductStatus.PAUSED)).rowcount != 1:
        raise Refused(_("This has just changed. Please look again."))
    listing_cases.withdraw(product.id)
    db.session.refresh(product)
    _note(product, was, ProductStatus.PAUSED, by)


def duplicate(product: Product, *, by: Actor) -> Product:
    """A draft with the same facts, pictures, sizes and colours, and nothing in stock."""
    _see_to(product.seller_id)
    _see_to_room(product.seller_id)
    copy = Product(code=_code(), seller=product.seller, status=ProductStatus.DRAFT, created_at=clock.now())
    for name in COPIED:
        setattr(copy, name, getattr(product, name))
    _fill(copy, {"title": product.title})
    copy.is_complete, copy.price_minor = False, product.price_minor
    copy.pictures = [_copied(picture, Picture, "product_id") for picture in product.pictures]
    copy.delivery = [_copied(rate, DeliveryRate, "product_id") for rate in product.delivery]
    db.session.add(copy)
    db.session.flush()
    shown = {old.id: new.id for old, new in zip(product.pictures, copy.pictures, strict=True)}
    grid.copy(product, copy, shown)
    _settle(copy)
    _note(copy, "", ProductStatus.DRAFT, by)
    return copy


def _copied(row: Any, table: Any, *left: str) -> Any:
    columns = (name for name in table.__mapper__.column_attrs.keys() if name not in ("id", *left))  # noqa: SIM118
    return table(**{name: getattr(row, name) for name in columns})


def _go_live(product: Product, was: str, by: Actor) -> None:
    _see_to(product.seller_id)
    if product.status != was:
        raise Refused(_("This has just changed. Please look again."))
    if lacks := lacking(product):
        raise Refused(_("This still lacks something. %(facts)s", facts=" ".join(lack.words for lack in lacks)), 422)
    newcomers.refuse_too_many(product.seller_id)
    to = listing_cases.look_at(product)
    moved = connection().execute(_MOVE.values(status=to, is_complete=True), {"product": product.id, "was": was})
    if moved.rowcount != 1:
        raise Refused(_("This has just changed. Please look again."))
    if to == ProductStatus.LIVE:
        prices.put_up(product.id)
    db.session.refresh(product)
    _note(product, was, to, by)


@jobs.handler
def look_again(seller: int, after: int = 0) -> None:
    """See what of this seller's goods lacks something, now that their delivery is another. Again does no harm."""
    some = select(Product).where(Product.seller_id == seller, ~Product.has_own_delivery, Product.id > after)
    last = 0
    for product in db.session.scalars(some.order_by(Product.id).limit(LOOKED_AT)).all():
        product.is_complete, last = not lacking(product), product.id
    if last:
        jobs.later(look_again, seller=seller, after=last)


def _settle(product: Product) -> None:
    """See what it lacks now. What is for sale may lack nothing; what is down stays what was taken down."""
    db.session.flush()
    db.session.expire_all()  # the grid and the delivery are written by statements
    _refuse_if_down(product)
    lacks = lacking(product)
    if product.status in ON_SALE:
        if lacks:
            words = " ".join(lack.words for lack in lacks)
            raise Refused(_("This is for sale, so nothing may be missing. Pause it first. %(facts)s", facts=words), 422)
        was, product.status = product.status, listing_cases.look_at(product)
        if (was, product.status) == (ProductStatus.REVIEW, ProductStatus.LIVE):
            prices.put_up(product.id)
    product.is_complete = not lacks
    db.session.flush()


def _refuse_if_down(product: Product) -> None:
    if product.status == ProductStatus.DOWN:
        raise Refused(_("This was taken down, so nothing in it can be changed. A copy of it can."))


def _fill(product: Product, told: Mapping[str, Any]) -> None:
    for name, value in told.items():
        setattr(product, name, value)
    if "title" in told:
        product.searched = listing_facts.folded(told["title"])


def _see_to(seller: int) -> None:
    """Only who may sell, lists: asked at each step, so that a stop counts from the same moment on."""
    if first(_SELLS, seller=seller) is None:
        raise Refused(_("You may not sell at the moment, so nothing was changed."), 403)


def _see_to_room(seller: int) -> None:
    if first(_OWNED, seller=seller, but=MOST - 1) is not None:
        raise Refused(_("A shop has at most 20,000 products."))


def _category(slug: str) -> Category:
    found = db.session.scalar(select(Category).where(Category.slug == slug))
    if found is None:
        raise Refused(_("Choose what kind of thing it is."), 422)
    return found


def _note(product: Product, was: str, became: str, by: Actor) -> None:
    step = {"subject": "product", "subject_id": product.id, "was": was, "became": became, "user_id": by.id}
    db.session.add(Event(at=clock.now(), **step))
    db.session.flush()


def _code() -> str:
    return secrets.token_hex(5)
