"""Shops to be measured: so many products, and the pages of who buys."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from itertools import cycle

import flask_migrate
from flask import Flask
from sqlalchemy import Row

from shop import accounts, clock, feed, passwords, settings
from shop.database import db
from shop.models import Cart, CartLine, Clip, Product, Rendition, Tag, Variant
from tests.bench.growth import grow
from tests.bench.measuring import BROWSER, FRESH, HTMX, caller
from tests.cast import fill_shelf
from tests.routes.conftest import NOOR

FILLED, FILMED = 10_000, 200  # products and clips that are made one by one; a larger shop is so many times this one
CARTS = 500  # more than are bought in one run


def empty(directory: str) -> Flask:
    """A shop without anything in it."""
    from app import create_app

    app = create_app(settings.read({"INSTANCE_PATH": directory}))
    with app.app_context():
        flask_migrate.upgrade()
    return app


def full(directory: str, products: int) -> Flask:
    """The shop with so many products; where they are a million, with as many clips."""
    app = empty(directory)
    with app.app_context():
        fill_shelf(min(products, FILLED), clips=FILMED)
        if products > FILLED:
            grow(products // FILLED)
            grow(FILLED // FILMED, (Clip, Rendition, Tag))
        accounts.register("noor@example.com", "Noor", passwords.hashed("twelve letters"))
        db.session.commit()
    return app


def ranking(app: Flask) -> Callable:
    """What to show next, and why: the feed without its page."""

    def rank() -> tuple[str, int]:
        with app.test_request_context("/"):
            return "200", len(feed.page().clips)

    return rank


def pages(app: Flask) -> dict[str, Callable]:
    """The pages that are measured, as a returning guest with a cart and as a person who is signed in."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"

    def cookie() -> dict[str, str]:
        return {"Cookie": f"session={client.get_cookie('session').value}"}

    line = {"variant": "v0000010", "quantity": "1"}
    client.post("/cart/lines", data=line)
    guest = cookie()
    etag = app.test_client().get("/shop", headers=BROWSER).headers["ETag"]
    measured = {
        "feed": caller(app, "/", headers={**BROWSER, **guest}),
        "feed ranking": ranking(app),
        "shop, first visit": caller(app, "/shop", headers=BROWSER),
        "shop": caller(app, "/shop", headers={**BROWSER, **guest}),
        "shelf (htmx)": caller(app, "/shop?after=2500-p000001", headers={**BROWSER, **guest, **HTMX}),
        "product page": caller(app, "/p/p000001", headers={**BROWSER, **guest}),
        "showcase": caller(app, "/@atelier1", headers={**BROWSER, **guest}),
        "sheet": caller(app, "/p/p000001", headers={**BROWSER, **guest, **HTMX}),
        "add to cart": caller(app, "/cart/lines", form=line, headers={**BROWSER, **guest, **HTMX}),
        "cart": caller(app, "/cart", headers={**BROWSER, **guest}),
        "livez": caller(app, "/livez", headers=BROWSER),
        "304": caller(app, "/shop", headers={**BROWSER, "If-None-Match": etag}, recalls=True),
        "304, rows asked": caller(app, "/shop", headers={**BROWSER, "If-None-Match": etag}),
        "feed, recalled": caller(app, "/", headers={**BROWSER, **guest}, recalls=True),
        "shop, recalled": caller(app, "/shop", headers={**BROWSER, **guest}, recalls=True),
    }
    measured |= checkout(app)
    client.post("/sign-in", data={"email": "noor@example.com", "password": "twelve letters"})
    measured["account"] = caller(app, "/account", headers={**BROWSER, **cookie()})
    return measured


def checkout(app: Flask) -> dict[str, Callable]:
    """A guest with three lines of two sellers in the cart: the page, and the press on its button, to the bank's page.

    Each press is somebody else's, out of a cart of their own: nobody buys the same cart a hundred times.
    """
    carts = [secrets.token_urlsafe(16) for _cart in range(CARTS)]
    with app.app_context():
        now, things = clock.now(), _things()
        made = db.insert(Cart).returning(Cart.id)
        ids = db.session.scalars(made, [{"code": code, "created_at": now} for code in carts]).all()
        lines = [
            {"cart_id": cart, "variant_id": thing.id, "quantity": 1, "seen_minor": thing.price_minor, "added_at": now}
            for cart, three in zip(ids, cycle(things), strict=False)
            for thing in three
        ]
        db.session.execute(db.insert(CartLine), lines)
        db.session.commit()
    signer = app.session_interface.get_signing_serializer(app)
    cookies = [{"Cookie": f"session={signer.dumps({'cart': code})}"} for code in carts]
    client = app.test_client(use_cookies=False)
    seen = [re.findall(r'name="seen" value="(.*?)"', client.get("/checkout", headers=each).text)[0] for each in cookies]
    form = {**NOOR, "token": FRESH, "tries": "0", "method": "ideal"}
    looks = cycle([caller(app, "/checkout", headers={**BROWSER, **each}) for each in cookies])
    presses = cycle(
        [  # made before: putting a form together is the browser's work
            caller(app, "/checkout", form={**form, "seen": shown}, headers={**BROWSER, **cookie})
            for cookie, shown in zip(cookies, seen, strict=True)
        ]
    )
    return {
        "checkout page": lambda: next(looks)(),  # noqa: PLW0108  another one each time
        "checkout": lambda: next(presses)(),  # noqa: PLW0108
    }


def _things() -> list[Sequence[Row]]:
    """Three variants each, of two sellers."""
    variants = Variant.__table__
    of_each: dict[int, list[Row]] = {}
    for row in db.session.execute(
        db.select(variants.c.id, variants.c.price_minor, Product.seller_id)
        .join(Product, Product.id == variants.c.product_id)
        .where(variants.c.position == 1)
        .limit(1000)
    ):
        of_each.setdefault(row.seller_id, []).append(row)
    one, other, *_rest = of_each.values()
    return [(*one[n : n + 2], other[n]) for n in range(min(len(one) - 1, len(other)))]
