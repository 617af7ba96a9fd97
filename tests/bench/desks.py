"""A shop with many applications and listings, and the pages of who works in it: moderators, and one large seller.

At its smallest 100 applications wait, and there are 1,000 listings: half of them of one seller, half of ten others. A
hundred times that is 10,000 applications and 100,000 listings, of which one seller has 50,000.

The bars are ours: the goals of the shop's pages are those of pages that are remembered for everybody. These are made
anew each time, for one person, whose session and roles are looked up, and no cache may keep them. So they have the
least that is asked of the one shopper's page of that kind, the checkout: 0.02, which is about 5 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from urllib.parse import quote

from flask import Flask
from sqlalchemy import func, select, update

from shop import accounts, clock, seller_desk
from shop.database import db
from shop.models import (
    Category,
    DeliveryRate,
    ListingCase,
    OrderStatus,
    Product,
    ProductStatus,
    Profile,
    Role,
    RoleGrant,
    Seller,
    SellerKind,
    User,
    Variant,
    Vetting,
)
from tests.bench.growth import grow
from tests.bench.measuring import BROWSER, caller
from tests.bench.shops import empty
from tests.bench.verdict import Goal
from tests.cast import a_category, a_product, a_profile, a_purchase, a_seller, a_variant

APPLICATIONS, SELLERS, LISTINGS, ORDERS = 100, 11, 1_000, 30
COPIED = (User, Profile, Seller, Product, Variant, DeliveryRate, ListingCase)
NAMES = ("Atelier Oak", "Bindery", "Clay and Co", "De Kaarsenmaker", "Atelier Elm", "Fern", "Glow", "Huis van Hout")
KINDS = (SellerKind.INDIVIDUAL, SellerKind.BUSINESS, SellerKind.INDIVIDUAL, SellerKind.BRAND)
# Of each ten listings: most are for sale, and one waits for a moderator.
STATES = (ProductStatus.REVIEW, ProductStatus.DRAFT, ProductStatus.PAUSED, *[ProductStatus.LIVE] * 7)
SHARE = "0.02"
GOALS = {
    "queue": Goal(SHARE, questions=6),
    "queue, further": Goal(SHARE, questions=6),
    "queue, brands": Goal(SHARE, questions=6),
    "find one": Goal(SHARE, questions=5),
    "find many": Goal(SHARE, questions=5),
    "products queue": Goal(SHARE, questions=4),
    "products, further": Goal(SHARE, questions=5),
    "seller home": Goal(SHARE, questions=6),
    "own products": Goal(SHARE, questions=2),
    "own, further": Goal(SHARE, questions=2),
    "own, with a word": Goal(SHARE, questions=2),
    "own, drafts": Goal(SHARE, questions=2),
}


def said(times: int) -> str:
    """The size of such a shop, in words."""
    return f"{APPLICATIONS * times} applications, {LISTINGS * times} listings"


def full(directory: str, times: int) -> Flask:
    """The shop, so many times its smallest size."""
    app = empty(directory)
    with app.test_request_context(method="POST"):
        fill()
        if times > 1:
            grow(times, COPIED)
            _give_the_copies_to_one_seller()
        db.session.commit()
    return app


def fill(applications: Iterable[int] = range(APPLICATIONS), listings: Iterable[int] = range(LISTINGS)) -> None:
    """Applications that wait, and listings of some who were let in, by their numbers; commits."""
    now = clock.now()
    for n in applications:
        waits = {"vetting": Vetting.WAITING, "kind": KINDS[n % len(KINDS)], "decided_at": None, "established_at": None}
        _sells(f"waits{n}", f"{NAMES[n % len(NAMES)]} {n}", applied_at=now - timedelta(minutes=n), **waits)
    category = db.session.scalars(select(Category)).first() or a_category()
    letting_in = select(Seller).where(Seller.vetting == Vetting.APPROVED).order_by(Seller.id)
    sellers = db.session.scalars(letting_in).all() or [
        _sells(f"sells{n}", f"No. {n}", Role.SELLER) for n in range(SELLERS)
    ]
    db.session.flush()
    for n in listings:
        _listing(n, sellers[0] if n % 2 else sellers[1 + n // 2 % (SELLERS - 1)], category)
    db.session.flush()
    _orders(list(db.session.scalars(select(Variant.id).join(Product).where(Product.seller_id == sellers[0].id))))
    db.session.commit()


def _sells(handle: str, name: str, *roles: Role, **given: object) -> Seller:
    user = User(email=f"{handle}@example.com", name=name, password_hash="none", created_at=clock.now())
    user.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
    seller = a_seller(handle, name, profile=a_profile(handle, name, user=user), **given)
    db.session.add(seller)
    return seller


def _listing(n: int, seller: Seller, category: object) -> None:
    state = STATES[n // 2 % len(STATES)]
    title, sold = f"{'Mug' if n % 20 > 1 else 'Rare lamp'} no. {n}", n % 50 if state == ProductStatus.LIVE else 0
    sizes = [a_variant(f"v{n:05x}{m}", name, 2000 + n, n % 40, m) for m, name in enumerate(("Small", "Large"))]
    facts = {"status": state, "sold": sold, "is_complete": state != ProductStatus.DRAFT, "category": category}
    product = a_product(seller, f"p{n:05x}", title, sizes, **facts)
    db.session.add(product)
    if state == ProductStatus.REVIEW:
        db.session.flush()
        why, at = [{"code": "word", "field": "title", "found": "rare"}], clock.now() - timedelta(minutes=n)
        db.session.add(ListingCase(code=f"case{n}", product_id=product.id, why=why, opened_at=at))


def _orders(variants: list[int]) -> None:
    """What was bought of a seller in these last weeks; half of it is to be packed."""
    for n in range(ORDERS if variants else 0):
        (order,) = a_purchase({variants[n % len(variants)]: 1}).orders
        order.status = OrderStatus.PAID if n % 2 else OrderStatus.DELIVERED
        order.paid_at = clock.now() - timedelta(days=n % 28)


def _give_the_copies_to_one_seller() -> None:
    """The copies of the seller with half of the listings have none: all are that one's."""
    called = select(Seller.id).join(Profile, Profile.id == Seller.profile_id)
    one = called.where(Profile.handle == "sells0").scalar_subquery()
    copies = called.where(Profile.handle.like("sells0-%"))
    db.session.execute(update(Product).where(Product.seller_id.in_(copies)).values(seller_id=one))


def addresses() -> dict[str, tuple[str, str]]:
    """The pages: who looks, rex who moderates or the seller with half of the listings, and at which address."""
    place, name, case, product = _in_the_middle()
    return {
        "queue": ("rex", "/moderation"),
        "queue, further": ("rex", f"/moderation?after={place}"),
        "queue, brands": ("rex", "/moderation?kind=brand"),
        "find one": ("rex", f"/moderation?q={quote(name)}"),
        "find many": ("rex", "/moderation?q=Atelier"),
        "products queue": ("rex", "/moderation/products"),
        "products, further": ("rex", f"/moderation/products?after={case}"),
        "seller home": ("sells0", "/seller"),
        "own products": ("sells0", "/seller/products"),
        "own, further": ("sells0", f"/seller/products?after={product}"),
        "own, with a word": ("sells0", "/seller/products?q=lamp"),
        "own, drafts": ("sells0", "/seller/products?show=draft"),
    }


def pages(app: Flask) -> dict[str, Callable]:
    """The same, to be measured."""
    cookies = _signed_in(app)
    with app.app_context():
        asked = addresses()
    return {name: caller(app, path, headers={**BROWSER, **cookies[who]}) for name, (who, path) in asked.items()}


def _in_the_middle() -> tuple[str, str, str, str]:
    """A place in each of three lists, of applications, of cases, and of the large seller's products; and a name."""
    waiting = select(Seller).where(Seller.vetting == Vetting.WAITING).order_by(Seller.applied_at)
    cases = select(ListingCase.code).order_by(ListingCase.opened_at)
    mine = select(Seller.id).join(Profile, Profile.id == Seller.profile_id).where(Profile.handle == "sells0")
    own = select(Product.code).where(Product.seller_id == mine.scalar_subquery()).order_by(Product.id)
    half = [db.session.scalar(select(func.count()).select_from(each.subquery())) // 2 for each in (waiting, cases, own)]
    seller, case, product = (
        db.session.scalars(each.offset(n).limit(1)).one() for each, n in zip((waiting, cases, own), half, strict=True)
    )
    return seller_desk.place_of(seller.applied_at, seller.id), seller.profile.name, case, product


def _signed_in(app: Flask) -> dict[str, dict[str, str]]:
    """What the browsers of these two send along."""
    signer, now = app.session_interface.get_signing_serializer(app), clock.now()
    with app.test_request_context(method="POST"):
        rex = User(email="rex@example.com", name="Rex", password_hash="none", created_at=now, confirmed_at=now)
        rex.roles = [RoleGrant(role=Role.MODERATOR, granted_at=now)]
        db.session.add(rex)
        db.session.flush()
        seller = db.session.scalars(select(User).where(User.email == "sells0@example.com")).one()
        tokens = {
            who: accounts.open_session(user, is_proven=True).get_id()
            for who, user in (("rex", rex), ("sells0", seller))
        }
        db.session.commit()
    return {who: {"Cookie": f"session={signer.dumps({'_user_id': token})}"} for who, token in tokens.items()}
