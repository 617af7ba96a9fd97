"""The demo's goods: categories, products with their variants and pictures, delivery, and what they have cost."""

from __future__ import annotations

from sqlalchemy import select

from shop import delivery_tables, prices
from shop.database import db
from shop.delivery_tables import Stretch
from shop.demo import catalogue
from shop.listing_facts import folded
from shop.models import Category, DeliveryRate, Picture, Product, Seller, Variant
from shop.money import Money
from shop.words import Words

DELIVERS_TO = ("NL", "BE")
ABROAD = {"days": 1, "cost": 200}  # what a border adds to a delivery, where it is not free
HEAVIER = {2_000: 0, 10_000: 300}  # up to so many grams it costs so much more
CURRENCY = "EUR"
OFFERED = 1000  # what a seller of the demo offers to who else shows a thing in a clip: 10 %


def add_categories(entries: list[catalogue.Entry]) -> None:
    """Put up the shelves."""
    for position, entry in enumerate(entries):
        if not catalogue.is_there(Category, Category.slug == entry["slug"]):
            facts = {"name": Words.read(entry["name"]), "specs": entry["specs"], "requires": entry["requires"]}
            db.session.add(Category(slug=entry["slug"], position=position, **facts))
    db.session.flush()


def add_products(shop: catalogue.Entry, files: catalogue.Files) -> None:
    """List the products that are not there yet."""
    categories = {category.slug: category for category in db.session.scalars(select(Category))}
    sellers = {seller.profile.handle: seller for seller in db.session.scalars(select(Seller))}
    sold = [review["product"] for review in shop["reviews"] if review["verified_purchase"]]
    shown = {(tag["product"], clip["creator"]) for clip in shop["clips"] for tag in clip["tags"]}
    for age, entry in enumerate(shop["products"], 60):
        code = catalogue.code("product", entry["slug"])
        if catalogue.is_there(Product, Product.code == code):
            continue
        product = Product(code=code, seller=sellers[entry["seller"]], category=categories[entry["category"]])
        product.sold, product.created_at = sold.count(entry["slug"]), catalogue.ago(age)
        if any(slug == entry["slug"] and creator != entry["seller"] for slug, creator in shown):
            product.creator_rate = OFFERED
        _describe(product, entry)
        product.pictures = [_picture(picture, n, files) for n, picture in enumerate(entry["pictures"])]
        product.delivery = [_delivery(entry, country) for country in DELIVERS_TO]
        db.session.add(product)
        db.session.flush()
        _add_variants(product, entry, files)
        _lay_table(product)


def _describe(product: Product, entry: catalogue.Entry) -> None:
    product.status, product.stock_kind = entry["status"], entry["stock_kind"]
    product.title, product.description = Words.read(entry["title"]), Words.read(entry["description"])
    product.searched, product.has_own_delivery = folded(product.title), True
    product.guarantee = Words.read(entry["guarantee"])
    product.warnings = Words.read(entry["warnings"]) if entry["warnings"] else None
    product.vat_rate = entry["vat_rate"] * 100
    product.specs, product.handling_days = entry["specs"], entry["handling_days"]
    product.maker, product.responsible = entry["maker"], entry["eu_responsible_person"]
    product.ships_from_country, product.ships_from_city = entry["ships_from"]["country"], entry["ships_from"]["city"]


def _picture(entry: catalogue.Entry, position: int, files: catalogue.Files) -> Picture:
    folder, _slash, file = entry["file"].rpartition("/")
    smaller = {f"name_{width}": files[f"{folder}/{width}/{file}"] for width in (216, 360, 640)}
    alt = Words.read(entry["alt"])
    return Picture(position=position, name=files[entry["file"]], width=900, height=900, alt=alt, **smaller)


def _delivery(entry: catalogue.Entry, country: str) -> DeliveryRate:
    """The catalogue promises days from the order on; what is on the way begins when it has been packed."""
    promise, packed = entry["delivery"], entry["handling_days"]
    crosses = entry["ships_from"]["country"] in DELIVERS_TO and entry["ships_from"]["country"] != country
    soonest = max(1, promise["min_days"] - packed) + crosses * ABROAD["days"]
    latest = max(soonest + 1, promise["max_days"] - packed + crosses * ABROAD["days"])
    cost = Money(promise["cost_cents"] + crosses * ABROAD["cost"] * bool(promise["cost_cents"]), CURRENCY)
    free_from = promise["free_from_cents"] or None  # what costs nothing needs no bound
    return DeliveryRate(country=country, min_days=soonest, max_days=latest, cost=cost, free_from_minor=free_from)


def _lay_table(product: Product) -> None:
    """Its seller's delivery table, if they have none: what they list later costs what their first product does."""
    if delivery_tables.of(product.seller_id):
        return
    stretches = []
    for rate in product.delivery:
        for grams, more in HEAVIER.items():
            cost = rate.cost.minor and rate.cost.minor + more
            bounds = (rate.country, rate.min_days, rate.max_days, cost, rate.free_from_minor, grams)
            stretches.append(Stretch(*bounds))
    delivery_tables.lay(product.seller, stretches)


def _add_variants(product: Product, entry: catalogue.Entry, files: catalogue.Files) -> None:
    pictures = {picture.name: picture.id for picture in product.pictures}
    for position, one in enumerate(entry["variants"]):
        color, size = Words.read(one["color"]), one["size"] or ""
        name = Words({language: ", ".join(filter(None, (word, size))) for language, word in color.items()})
        variant = Variant(
            code=catalogue.code("variant", one["sku"]), product_id=product.id, position=position, name=name
        )
        variant.sku, variant.color, variant.size, variant.stock = one["sku"], color, size, one["stock"]
        variant.price, variant.picture_id = Money(one["price_cents"], CURRENCY), pictures[files[one["picture"]]]
        db.session.add(variant)
        db.session.flush()
        _add_prices(variant, product, entry["before"])


def _add_prices(variant: Variant, product: Product, before: catalogue.Entry | None) -> None:
    """What it has cost until now."""
    price = variant.price
    if before:
        variant.price = Money(before["price_cents"], CURRENCY)
        db.session.flush()
    prices.set_price(variant.id, variant.price, at=product.created_at)
    prices.set_price(variant.id, price, at=catalogue.ago(before["days_ago"]) if before else None)
