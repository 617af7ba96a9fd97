"""The price on a tag is what the checkout charges: over every tag of the demo, from the feed to the order."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app import create_app
from shop import prices, settings
from shop.database import db
from shop.models import OrderLine, Variant
from shop.money import Money
from tests.conftest import HTMX
from tests.routes.conftest import NOOR, hidden


@pytest.fixture
def shop(demo_shop, tmp_path):
    """The demo in a database of our own, since something is bought in it."""
    known = Path(demo_shop.instance_path, "shop.sqlite3")
    with closing(sqlite3.connect(known)) as there, closing(sqlite3.connect(tmp_path / "shop.sqlite3")) as here:
        there.backup(here)
    app = create_app(settings.read({"INSTANCE_PATH": str(tmp_path)}))
    app.config.update(TESTING=True)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def noor(shop):
    client = shop.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


def on_tags(noor):
    """What each product costs on its tags, wherever it is shown; of what is sold out there is no price."""
    address, found, tags = "/", {}, 0
    while address:
        page = noor.get(address).text
        for product, chip in re.findall(r'class="tag-chip__link" href="/p/(\w+)\?.*?</b>(.*?)</a>', page, re.S):
            price = re.search(r'value="(\d+)"', chip)
            found.setdefault(product, set()).add(int(price[1]) if price else None)
            tags += 1
        more = re.search(r'<a class="button button--plain" href="(/v/[^"]+)"', page)
        address = more and more[1]
    assert {len(asked) for asked in found.values()} == {1}  # the same on each of them
    return {product: asked.pop() for product, asked in found.items()}, tags


def on_sheet(noor, product):
    """The least that the sheet asks, and a variant that can be had for it, if there is one."""
    page = noor.get(f"/p/{product}", headers=HTMX).text
    offers = re.findall(r'<p class="product__price [^>]*><data class="price[^>]* value="(\d+)"', page)
    least = min(map(int, offers))
    place = offers.index(str(least)) + 1
    picks = re.findall(rf'<input class="pick__input pick__input--{place}"[^>]* value="([^"]+)"[^>]*>', page)
    picks = [code for code in picks if not re.search(rf'value="{code}"[^>]* disabled', page)]
    return least, next(iter(picks or re.findall(r'<input type="hidden" name="variant" value="([^"]+)"', page)), None)


def on_lines(page):
    """Product -> what its line costs, of a cart, a checkout or a purchase with one piece of each."""
    lines = re.findall(
        r'class="line__title" href="/p/(\w+)".*?class="line__sum"><data class="price" value="(\d+)"', page, re.S
    )
    return {product: int(minor) for product, minor in lines}


def test_every_tag_of_the_demo_costs_in_the_end_what_it_said(shop, noor):
    asked, tags = on_tags(noor)
    assert (tags >= 20, len(asked) >= 15) == (True, True)
    wanted = {}
    for product, price in asked.items():
        least, variant = on_sheet(noor, product)
        if price is not None:
            assert least == price
            if variant and noor.post("/cart/lines", data={"variant": variant}).status_code == 303:
                wanted[product] = variant
    assert len(wanted) >= 15
    told = {product: asked[product] for product in wanted}
    assert on_lines(noor.get("/cart").text) == told

    # Meanwhile one of them becomes cheaper: everywhere, and at once.
    product, variant = next(iter(wanted.items()))
    with shop.test_request_context(method="POST"):
        cheaper = Money(told[product] - 105, "EUR")
        prices.set_price(db.session.scalar(db.select(Variant.id).where(Variant.code == variant)), cheaper)
        db.session.commit()
    told[product] -= 105
    assert (on_tags(noor)[0][product], on_sheet(noor, product)) == (told[product], (told[product], variant))
    assert on_lines(noor.get("/cart").text) == told
    checkout = noor.get("/checkout").text
    assert on_lines(checkout) == told

    paid = noor.post("/checkout", data={**NOOR, "method": "card", **hidden(checkout)})
    assert paid.status_code == 303
    orders = on_lines(noor.get(paid.location).text)
    with shop.app_context():
        newest = db.select(OrderLine).order_by(OrderLine.id.desc()).limit(len(told))
        lines = {line.product_code: line.price.minor for line in db.session.scalars(newest)}
    assert (lines, orders) == (told, told)
