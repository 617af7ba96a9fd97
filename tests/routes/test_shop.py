"""The shelf: everything that is for sale, in four orders, each product exactly once."""

import re
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from shop import clock, prices, shelf
from shop.database import db
from shop.models import Picture, Product, ProductStatus, Variant, Vetting
from shop.money import Money
from tests.cast import a_category, a_clip, a_product, a_profile, a_seller, a_variant, fill_shelf
from tests.conftest import HTMX

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_a_monday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: MONDAY)


@pytest.fixture
def change(app):
    """Change something in the shop: `what` gets the product with this code."""

    def do(code, what):
        with app.test_request_context(method="POST"):
            what(db.session.execute(db.select(Product).filter_by(code=code)).scalar_one())
            db.session.commit()

    return do


@pytest.fixture
def sixty(app):
    """Sixty products in two kinds; of each value that one may sort by, several are the same."""
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina")
        kinds = [a_category("mugs", "Mugs"), a_category("lamps", "Lamps")]
        for n in range(60):
            product = a_product(mina, f"p{n:02}", f"Thing {n}", [a_variant(f"v{n:02}", "One", 1000 + n % 7, 5)])
            product.category, product.sold = kinds[n % 2], n % 5
            product.created_at = MONDAY - timedelta(days=n % 6)
            db.session.add(product)
        db.session.add(a_category("empty", "Empty"))
        db.session.commit()


def codes(html):
    return re.findall(r'class="card__link" href="/p/([^"]+)"', html)


def walk(client, address, headers):
    """All the codes that one sees by asking for more until there is no more, and how many pages that took."""
    seen, pages = [], 0
    while address:
        html = client.get(address, headers=headers).text
        seen += codes(html)
        more = re.search(r'class="button button--quiet" href="([^"]+)"', html)
        address = more[1].replace("&amp;", "&") if more else None
        pages += 1
        assert pages <= 5
    return seen, pages


KEYS = {
    "sold": lambda n: (-(n % 5), -n),
    "newest": lambda n: (n % 6, -n),
    "price": lambda n: (n % 7, n),
    "price-down": lambda n: (-(n % 7), -n),
}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("sort", shelf.SORTS)
def test_each_product_comes_exactly_once_also_where_values_are_equal(client, sixty, sort, headers):
    seen, pages = walk(client, f"/shop?sort={sort}", headers)
    assert (seen, pages) == ([f"p{n:02}" for n in sorted(range(60), key=KEYS[sort])], 3)
    seen, pages = walk(client, f"/shop?category=lamps&sort={sort}", headers)
    assert (seen, pages) == ([f"p{n:02}" for n in sorted(range(1, 60, 2), key=KEYS[sort])], 2)


def test_a_product_that_is_sold_while_one_reads_on_moves_no_other_out_of_sight(client, sixty, change):
    first = client.get("/shop").text
    change("p00", lambda product: setattr(product, "sold", 99))
    more = re.search(r'hx-get="([^"]+)" hx-target="closest p"', first)[1]
    rest, _pages = walk(client, more.replace("&amp;", "&"), HTMX)
    assert sorted(codes(first) + rest) == [f"p{n:02}" for n in range(60) if n != 0]


def test_more_is_a_link_without_htmx_and_a_fragment_with_it(client, sixty):
    page = client.get("/shop?category=mugs").text
    link = re.search(r'<a class="button button--quiet" href="([^"]+)" hx-get="([^"]+)"', page)
    assert link[1] == link[2]
    address = link[1].replace("&amp;", "&")
    assert address.startswith("/shop?category=mugs&after=")
    further, fragment = client.get(address).text, client.get(address, headers=HTMX).text
    assert "<h1>Mugs</h1>" in further
    assert "<html" not in fragment
    assert codes(fragment) == codes(further)
    assert len(codes(fragment)) == 6
    assert "That is everything." in fragment


@pytest.mark.parametrize("after", ["x", "-", "5", "5-", "-p01", "9" * 30 + "-p01", "1e3-p01", "٣-p01", "5-<b>"])
@pytest.mark.parametrize("sort", shelf.SORTS)
def test_a_place_that_makes_no_sense_is_no_error(client, sixty, sort, after):
    answer = client.get("/shop", query_string={"after": after, "sort": sort})
    assert answer.status_code == 200
    assert "<b>" not in answer.text


def test_kinds_are_links_that_keep_the_order_and_empty_ones_are_left_out(client, sixty):
    page = client.get("/shop?sort=price").text
    chips = re.findall(r'<a class="kind" href="([^"]+)"([^>]*)>([^<]+)<', page)
    assert chips == [
        ("/shop?sort=price", ' aria-current="page"', "Everything"),
        ("/shop?category=lamps&amp;sort=price", "", "Lamps"),
        ("/shop?category=mugs&amp;sort=price", "", "Mugs"),
    ]
    sorts = re.findall(r'<a class="sorts__link" href="([^"]+)"( aria-current="true")?>', page)
    assert sorts == [
        ("/shop", ""),
        ("/shop?sort=newest", ""),
        ("/shop?sort=price", ' aria-current="true"'),
        ("/shop?sort=price-down", ""),
    ]
    assert client.get("/shop?category=empty").status_code == 404
    assert client.get("/shop?category=nothing").status_code == 404


def test_a_new_kind_is_on_the_shelf_within_a_minute(app, client, sixty, monkeypatch):
    client.get("/shop")
    with app.test_request_context(method="POST"):
        seller = db.session.execute(db.select(Product)).scalars().first().seller
        vase = a_product(seller, "vase", "Vase", [a_variant("vase", "One", 900, 1)], category=a_category("vases", "V."))
        db.session.add(vase)
        db.session.commit()
    assert "category=vases" not in client.get("/shop").text
    monkeypatch.setattr(clock, "now", lambda: MONDAY + timedelta(seconds=61))
    assert "category=vases" in client.get("/shop").text


def test_a_card_tells_price_place_day_and_a_saving(client, mug, change):
    change("mug", lambda product: prices.set_price(product.variants[0].id, Money(2450, "EUR"), MONDAY - timedelta(60)))
    change("mug", lambda product: prices.set_price(product.variants[0].id, Money(1950, "EUR")))
    card = re.search(r"<article.*?</article>", client.get("/shop").text, re.S)[0]
    for words in ("Mug &lt;b&gt;", "€19.50", "lowest in 30 days before: €24.50", "From Utrecht · arrives Thu 26 Nov"):
        assert words in card
    assert "Sold out" not in card
    dutch = client.get("/shop", headers={"Accept-Language": "nl"}).text
    assert "Uit Utrecht · komt do 26 nov" in dutch


def test_the_day_on_a_remembered_card_moves_on(client, mug, monkeypatch):
    assert "arrives Thu 26 Nov" in client.get("/shop").text
    monkeypatch.setattr(clock, "now", lambda: MONDAY + timedelta(hours=4))  # 17:00 in Amsterdam
    assert "arrives Fri 27 Nov" in client.get("/shop").text


def test_a_card_says_sold_out_only_when_nothing_is_left_of_any_variant(client, mug, change):
    def sell(number):
        return lambda product: setattr(product.variants[number], "stock", 0)

    change("mug", sell(0))
    assert "Sold out" not in client.get("/shop").text
    change("mug", sell(1))
    page = client.get("/shop").text
    assert '<p class="card__label">Sold out</p>' in page
    assert "· arrives" not in page


def test_what_may_not_be_sold_is_on_no_shelf(client, mug, change):
    for hide in (
        lambda product: setattr(product, "status", ProductStatus.PAUSED),
        lambda product: (
            setattr(product, "status", ProductStatus.LIVE),
            setattr(product.seller, "vetting", Vetting.SUSPENDED),
        ),
    ):
        change("mug", hide)
        page = client.get("/shop").text
        assert codes(page) == []
        assert "There is nothing for sale at the moment." in page


def test_the_shelf_costs_one_question_in_a_small_shop_and_in_a_large_one(app, client, queries, mug):
    def asked(address, headers):
        with queries() as statements:
            assert client.get(address, headers=headers).status_code == 200
        return len(statements)

    client.get("/shop")  # the kinds are looked up once a minute
    places = [(address, headers) for address in ("/shop", "/shop?sort=price") for headers in ({}, HTMX)]
    assert [asked(*place) for place in places] == [1, 1, 1, 1]
    with app.test_request_context(method="POST"):
        fill_shelf(60, clips=5)
    assert [asked(*place) for place in places] == [1, 1, 1, 1]
    assert asked("/shop?after=100-p000001", HTMX) == 1


@pytest.mark.parametrize("language", ["en", "nl"])
def test_a_full_shelf_stays_within_its_weight(client, app, language):
    with app.test_request_context(method="POST"):
        fill_shelf(60)
    page = client.get("/shop", headers={"Accept-Language": language})
    assert len(codes(page.text)) == shelf.SHELF
    assert len(brotli.compress(page.data, quality=4)) <= 8_000


def test_the_copy_of_the_price_is_that_of_the_first_variant(app, client, sixty):
    with app.test_request_context(method="POST"):
        product = db.session.execute(db.select(Product).filter_by(code="p01")).scalar_one()
        prices.set_price(product.variants[0].id, Money(1, "EUR"))
        db.session.commit()
        differing = (
            db.select(Product.code)
            .join(Variant, (Variant.product_id == Product.id) & (Variant.position == 0))
            .where(Product.price_minor != db.literal_column("variants.price_minor"))
        )
        assert db.session.execute(differing).all() == []
    assert codes(client.get("/shop?sort=price").text)[0] == "p01"


@pytest.fixture
def pictured(app, mug):
    """The mug has a picture in four sizes; the lamp's, from before, has one."""
    with app.test_request_context(method="POST"):
        sizes = {f"name_{width}": f"{width}.webp" for width in (216, 360, 640)}
        db.session.add(Picture(product_id=mug.id, name="900.webp", width=900, height=900, **sizes))
        db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", db.session.get(Product, mug.id)))
        db.session.commit()


CARD = (
    'src="/media/900.webp" srcset="/media/360.webp 360w, /media/640.webp 640w, /media/900.webp 900w" '
    'sizes="(max-width: 35rem) 45vw, 13rem" alt="" width="900" height="900"'
)


def test_no_page_asks_for_a_larger_picture_than_it_shows(client, post, pictured):
    assert CARD in client.get("/shop").text
    product = client.get("/p/mug").text
    assert 'srcset="/media/640.webp 640w, /media/900.webp 900w" sizes="(max-width: 60rem) 100vw, 50vw"' in product
    assert 'sizes="(max-width: 35rem) 100vw, 35rem"' in client.get("/p/mug", headers=HTMX).text
    post("/cart/lines", variant="mug-s", quantity="1")
    for address in ("/v/kai1", "/cart", "/checkout"):
        page = client.get(address).text
        assert 'src="/media/216.webp"' in page
        assert "/media/900.webp" not in page


def test_a_picture_of_before_has_one_size(app, client, mug):
    with app.test_request_context(method="POST"):
        db.session.add(Picture(product_id=mug.id, name="900.webp", width=900, height=900))
        db.session.commit()
    for address in ("/shop", "/p/mug"):
        page = client.get(address).text
        assert 'src="/media/900.webp" alt=""' in page
        assert "srcset" not in page
