"""Builders for the cast and their goods: what a test does not say is filled in, always in the same way."""

from __future__ import annotations

import random
import secrets
from datetime import timedelta
from typing import Any

from shop import clock, shares
from shop.database import db
from shop.models import (
    Category,
    Clip,
    ClipState,
    DeliveryRate,
    Order,
    OrderLine,
    PriceChange,
    Product,
    ProductStatus,
    Profile,
    Purchase,
    Rendition,
    Seller,
    SellerKind,
    Tag,
    Variant,
    Vetting,
)
from shop.money import Money
from shop.words import Words

STREET = {"street": "Oudegracht 1", "postcode": "3511 AA", "city": "Utrecht", "country": "NL"}


def both(text: str) -> Words:
    """The same text in both languages."""
    return Words(nl=text, en=text)


def a_profile(handle: str, name: str, **given: Any) -> Profile:
    return Profile(**{"handle": handle, "name": name, "bio": both(f"{name}."), "created_at": clock.now(), **given})


def a_seller(handle: str, name: str, *, profile: Profile | None = None, **given: Any) -> Seller:
    """An approved business in Utrecht."""
    facts = {
        "kind": SellerKind.BUSINESS,
        "vetting": Vetting.APPROVED,
        "legal_name": f"{name} B.V.",
        "company_register": "KVK",
        "company_number": "68750110",
        "vat_number": "NL999999990B51",
        "email": f"{handle}@shop.example",
        **STREET,
        "returns_address": "Oudegracht 1, 3511 AA Utrecht",
        "is_self_certified": True,
        "applied_at": clock.now(),
        "decided_at": clock.now(),
        "established_at": clock.now(),
    }
    return Seller(profile=profile or a_profile(handle, name), **{**facts, **given})


def a_category(slug: str = "home", name: str = "Home") -> Category:
    specs = [{"key": "material", "name": {"nl": "Materiaal", "en": "Material"}}]
    return Category(slug=slug, name=both(name), specs=specs)


def a_variant(code: str, name: str, minor: int, stock: int, position: int = 0, **given: Any) -> Variant:
    price = Money(minor, "EUR")
    return Variant(code=code, sku=code, name=both(name), position=position, stock=stock, price=price, **given)


def a_product(seller: Seller, code: str, title: str, variants: list[Variant], **given: Any) -> Product:
    """A live product that ships from Utrecht in a day and arrives one to two working days later, for EUR 3.95."""
    facts = {
        "status": ProductStatus.LIVE,
        "category": given.pop("category", None) or a_category(f"kind-{code}", "Home"),
        "title": both(title),
        "description": both(f"{title}, made by hand."),
        "specs": {"material": {"nl": "klei", "en": "clay"}},
        "ships_from_country": "NL",
        "ships_from_city": "Utrecht",
        "handling_days": 1,
        "guarantee": both("Two years."),
        "maker": {"name": "Maker", "address": STREET, "email": "maker@maker.example"},
        "responsible": {"name": "Europa", "address": STREET, "email": "europa@maker.example"},
        "created_at": clock.now(),
        "searched": title.casefold(),
        "has_own_delivery": True,
        "delivery": [
            DeliveryRate(country=country, min_days=1, max_days=2, cost=Money(395, "EUR"), free_from_minor=5000)
            for country in ("NL", "BE")
        ],
    }
    facts["price_minor"] = variants[0].price.minor
    return Product(seller=seller, code=code, variants=variants, **{**facts, **given})


def a_clip(profile: Profile, code: str, *products: Product, **given: Any) -> Clip:
    """A clip of eight seconds that is in the feed, with a tag for each product from its first to its last second."""
    facts = {
        "state": ClipState.READY,
        "caption": both(f"Look at {code}"),
        "duration_ms": 8000,
        "width": 540,
        "height": 960,
        "poster": f"{code}.webp",
        "created_at": clock.now(),
        "published_at": clock.now(),
        "progress": 100,
    }
    clip = Clip(profile=profile, code=code, **{**facts, **given})
    clip.renditions = [Rendition(width=540, height=960, name=f"{code}.mp4", size=1000)]
    clip.tags = [
        Tag(code=f"{code}-{n}", product_id=product.id, start_ms=0, end_ms=8000, x=0.5, y=0.5)
        for n, product in enumerate(products)
    ]
    return clip


THINGS = ("stoneware mug", "cone desk lamp", "canvas tote", "linen apron", "oak stool", "wool throw", "enamel pan")
MANNERS = ("Drip-glaze", "Everyday", "Hand-thrown", "Dimmable", "Waxed", "Tall", "Quiet", "Ink-blue")


def fill_shelf(products: int, clips: int = 0) -> None:
    """Fill an empty shop with so many made-up products and clips, the same ones every time; commits as it goes."""
    chance = random.Random(41)
    sellers = [a_seller(f"atelier{n}", f"Atelier {n}") for n in range(1, 21)]
    category = a_category()
    db.session.add_all([*sellers, category])
    db.session.flush()
    for n in range(products):
        title = f"{chance.choice(MANNERS)} {chance.choice(THINGS)} no. {n + 1}"
        price = chance.randrange(400, 20_000)
        sizes = [a_variant(f"v{n:06x}{m}", name, price + 300 * m, 50, m) for m, name in enumerate(("Small", "Large"))]
        sold = chance.randrange(0, 5000)
        db.session.add(a_product(chance.choice(sellers), f"p{n:06x}", title, sizes, sold=sold, category=category))
        if n % 1000 == 999:
            db.session.commit()
    db.session.flush()
    now = clock.now()
    ids = list(db.session.scalars(db.select(Product.id).order_by(Product.id)))
    for n in range(clips):
        clip = a_clip(sellers[n % 20].profile, f"c{n:06x}", published_at=now - timedelta(minutes=n))
        clip.tags = [
            Tag(code=f"t{n:06x}{m}", product_id=chance.choice(ids), start_ms=m * 1000, end_ms=8000, x=0.5, y=0.5)
            for m in range(chance.randrange(1, 5))
        ]
        db.session.add(clip)
    for variant in db.session.scalars(db.select(Variant).limit(100)):
        db.session.add(PriceChange(variant_id=variant.id, at=now, price=variant.price))
    db.session.commit()


def a_purchase(wanted: dict[int, int], *, creators: dict[int, int] | None = None, **given: Any) -> Purchase:
    """What noor placed and has not paid: so many of each variant, one order for each seller, delivery EUR 3.95 each.

    `creators` says whose clip led to which variant. The shop has 5 %, and a creator what the product offers.

    It is added to the session and flushed; the goods are not held yet.
    """
    code = secrets.token_urlsafe(16)
    purchase = Purchase(
        **{
            "code": code,
            "token": f"token-{code}",
            "fingerprint": "0" * 64,
            "language": "en",
            "email": "noor@example.com",
            "name": "Noor",
            "street": "Oudegracht",
            "house_number": "1",
            "postcode": "3511 AA",
            "city": "Utrecht",
            "country": "NL",
            "placed_at": clock.now(),
            **given,
        }
    )
    by_seller: dict[int, Order] = {}
    for variant in db.session.scalars(db.select(Variant).where(Variant.id.in_(wanted)).order_by(Variant.id)):
        product = db.session.get_one(Product, variant.product_id)
        order = by_seller.setdefault(product.seller_id, _an_order(product.seller_id))
        order.goods += variant.price.times(wanted[variant.id])
        order.lines.append(_a_line(product, variant, wanted[variant.id], (creators or {}).get(variant.id)))
    purchase.orders = list(by_seller.values())
    purchase.total = sum((order.goods + order.delivery for order in purchase.orders), Money(0, "EUR"))
    db.session.add(purchase)
    db.session.flush()
    return purchase


def _an_order(seller: int) -> Order:
    return Order(
        code=secrets.token_urlsafe(16),
        seller_id=seller,
        seller_snapshot={"name": "Atelier Mina"},
        goods=Money(0, "EUR"),
        delivery=Money(395, "EUR"),
        deliver_from=clock.now() + timedelta(days=2),
        deliver_until=clock.now() + timedelta(days=3),
        send_until=clock.now() + timedelta(days=1),
    )


def _a_line(product: Product, variant: Variant, quantity: int, creator: int | None) -> OrderLine:
    gross = variant.price.times(quantity)
    share = shares.agreed(gross, 500, product.creator_rate if creator else 0, 2100)
    return OrderLine(
        platform_minor=share.platform,
        tax_minor=share.tax,
        creator_minor=share.creator,
        creator_id=creator if share.creator else None,
        variant_id=variant.id,
        product_code=product.code,
        title=product.title,
        variant_name=variant.name,
        sku=variant.sku,
        quantity=quantity,
        price=variant.price,
        vat_rate=product.vat_rate,
        ships_from_country="NL",
        ships_from_city="Utrecht",
        stock_kind=product.stock_kind,
        returns_days=14,
        returns_paid_by="buyer",
    )
