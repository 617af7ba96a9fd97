"""A product as a page and as a sheet: what has to be on it, and what may not."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import brotli
import pytest

from shop import clock, prices
from shop.database import db
from shop.models import Picture, Product, ProductStatus, Seller, SellerKind, StockKind, Vetting
from shop.money import Money
from shop.words import Words
from tests.cast import a_clip, a_product, a_profile, a_seller, a_variant, both, fill_shelf
from tests.conftest import HTMX

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_a_monday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: MONDAY)


@pytest.fixture
def scarf(app):
    """Mina's scarf: red and green in two sizes, the red M sold out, two green S left; three pictures, one clip."""
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina", decided_at=datetime(2026, 6, 21, 9, tzinfo=UTC))
        variants = [
            a_variant(f"{color}-{size}", f"{color}, {size}", 3900, stock, n, color=both(color), size=size)
            for n, (color, size, stock) in enumerate(
                (("red", "S", 9), ("red", "M", 0), ("green", "S", 2), ("green", "M", 6))
            )
        ]
        scarf = a_product(mina, "scarf", "Scarf", variants, warnings=Words(nl="Niet eten.", en="Do not eat."))
        scarf.title = Words(nl="Sjaal", en="Scarf")
        scarf.pictures = [
            Picture(position=n, name=f"scarf-{n}.webp", width=900, height=900, alt=both(f"Scarf, view {n}"))
            for n in range(3)
        ]
        db.session.add(scarf)
        db.session.flush()
        variants[2].picture_id = scarf.pictures[2].id
        db.session.add(a_clip(a_profile("kai", "Kai"), "clip-1", scarf))
        db.session.commit()


def change(app, what):
    """Change something in the shop: `what` gets the product and its seller."""
    with app.test_request_context(method="POST"):
        product = db.session.execute(db.select(Product)).scalar_one()
        what(product)
        db.session.commit()


def plain(html):
    """What one reads, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_all_that_has_to_be_known_before_buying_is_on_the_page(client, scarf):
    text = plain(client.get("/p/scarf").text)
    for words in (
        "Scarf",
        "€39.00 incl. VAT",
        "Arrives Wed 25 Nov – Thu 26 Nov",  # noqa: RUF001
        "delivery €3.95, free from €50.00",
        "Ships from Utrecht, Netherlands · from the seller's own stock",
        "Sold by Atelier Mina · business",
        "Checked by a moderator on 21 June 2026: KVK register",
        "14 days to return · you pay for the return",
        "Material clay",
        "Do not eat.",
        "Maker Maker Oudegracht 1, 3511 AA Utrecht, Netherlands maker@maker.example",
        "Responsible in the EU Europa",
        "Product code scarf",
        "Belgium Wed 25 Nov – Thu 26 Nov · delivery €3.95, free from €50.00",  # noqa: RUF001
        "Returns go to Oudegracht 1, 3511 AA Utrecht",
        "Legal guarantee: for at least two years",
        "The seller's own words: Two years.",
        "Seller Atelier Mina B.V. · business: consumer law applies",
        "E-mail mina@shop.example",
        "Register KVK 68750110",
        "VAT number NL999999990B51",
        "declared to offer only products that comply with the law of the EU",
    ):
        assert words in text, words


@pytest.mark.parametrize(("price", "words"), [(4999, "delivery €3.95, free from €50.00"), (5000, "free delivery")])
def test_delivery_is_called_free_where_every_variant_alone_reaches_the_value(app, client, scarf, price, words):
    def cost(product):
        for variant in product.variants:
            variant.price_minor = 9900
        product.variants[0].price_minor = price

    change(app, cost)
    text = plain(client.get("/p/scarf").text)
    assert f"Arrives Wed 25 Nov – Thu 26 Nov · {words}" in text  # noqa: RUF001
    assert f"Belgium Wed 25 Nov – Thu 26 Nov · {words}" in text  # noqa: RUF001


def test_the_chosen_variant_is_in_the_first_picture(app, client, scarf):
    def pictures(text):
        return re.findall(r'<li id="page-picture-(\d)"', text), re.findall(r'data-shows="(\d)"', text)

    assert pictures(client.get("/p/scarf").text) == (["0", "1", "2"], ["0", "1", "2"])

    def sell(product):
        product.variants[0].stock = 0

    change(app, sell)
    page = client.get("/p/scarf").text
    assert re.search(r'value="green-S"[^>]* data-picture="2" checked', page)
    assert pictures(page) == (["2", "0", "1"], ["2", "0", "1"])


def test_dutch_readers_get_it_in_dutch(client, scarf):
    text = plain(client.get("/p/scarf", headers={"Accept-Language": "nl"}).text)
    for words in ("Sjaal", "€ 39,00 incl. btw", "Komt wo 25", "bedrijf", "Niet eten.", "21 juni 2026"):
        assert words in text, words


def test_the_sheet_and_the_page_differ_only_in_their_headings_and_ids(client, scarf):
    page, sheet = client.get("/p/scarf").text, client.get("/p/scarf", headers=HTMX).text
    assert '<h1 class="product__title">Scarf</h1>' in page
    assert '<h2 id="sheet-title" class="product__title">Scarf</h2>' in sheet
    assert "<html" not in sheet
    inside = page[page.index("<product-view") : page.index("</product-view>")]
    assert plain(inside) == plain(sheet)


def test_variants_are_one_list_of_radio_buttons_and_a_sold_out_one_says_so(client, scarf):
    page = client.get("/p/scarf").text
    inputs = dict(re.findall(r'<input class="pick__input[^>]*value="([^"]+)"([^>]*)>', page))
    assert list(inputs) == ["red-S", "red-M", "green-S", "green-M"]
    assert [code for code, rest in inputs.items() if "checked" in rest] == ["red-S"]
    assert [code for code, rest in inputs.items() if "disabled" in rest] == ["red-M"]
    assert 'data-picture="2"' in inputs["green-S"]
    text = plain(page)
    assert "red, M Sold out" in text
    assert "green, S 2 left" in text
    assert "6 left" not in text


def test_what_somebody_is_paying_for_is_not_offered_again(app, client, scarf):
    def hold(product):
        product.variants[0].held = 9
        product.variants[3].held = 1

    change(app, hold)
    page = client.get("/p/scarf").text
    assert "red, S Sold out" in plain(page)
    assert "green, M 5 left" in plain(page)
    assert re.search(r'value="green-S"[^>]* checked', page)


def test_a_product_that_is_wholly_sold_out_cannot_be_put_in_the_cart(app, client, scarf):
    def sell(product):
        for variant in product.variants:
            variant.stock = 0

    change(app, sell)
    page = client.get("/p/scarf").text
    assert re.search(r'<button type="submit"[^>]* disabled>Sold out</button>', page)
    assert "Add to cart" not in page


def test_the_button_says_the_price_of_each_variant_where_they_differ(client, mug):
    page = client.get("/p/mug").text
    assert re.findall(r'product__price--(\d)">&middot; ([^<]+)<', page) == [("1", "€24.50"), ("2", "€29.00")]
    assert re.findall(r'pick__input--(\d)" type="radio" name="variant" value="([^"]+)"', page) == [
        ("1", "mug-s"),
        ("2", "mug-l"),
    ]


def test_the_clip_that_led_here_goes_along_into_the_cart(client, scarf):
    assert '<input type="hidden" name="clip" value="clip-1">' in client.get("/p/scarf?clip=clip-1", headers=HTMX).text
    for address in ("/p/scarf", "/p/scarf?clip=", '/p/scarf?clip="><script>', "/p/scarf?clip=0123456789abc"):
        assert 'name="clip"' not in client.get(address, headers=HTMX).text


def test_clips_in_which_it_is_seen_are_links_to_them(app, client, scarf):
    page = client.get("/p/scarf").text
    assert '<a class="strip__clip" href="/v/clip-1"><img src="/media/clip-1.webp" alt="Look at clip-1"' in page

    with app.test_request_context(method="POST"):
        db.session.execute(db.text("UPDATE clips SET published_at = NULL"))
        db.session.commit()
    assert "strip__clip" not in client.get("/p/scarf").text


def test_a_private_person_is_called_one_and_keeps_the_own_address(app, client, scarf):
    def go_private(product):
        product.seller.kind, product.seller.phone = SellerKind.INDIVIDUAL, "+31 6 12345678"
        product.guarantee = Words(en="Statutory guarantee of two years")  # as it was told before that was refused

    change(app, go_private)
    text = plain(client.get("/p/scarf").text)
    assert "Sold by Atelier Mina · private person" in text
    assert "The consumer law of the EU, such as the right to change your mind within 14 days, does not apply" in text
    assert "Legal guarantee: for at least" not in text
    assert "Statutory" not in text
    assert "does not apply. It has to be what the page says it is" in text
    assert "Returns go to Utrecht, Netherlands" in text
    trader = text[text.index("Who sells this") :]
    assert "Oudegracht" not in trader
    assert "+31" not in trader


def test_where_a_supplier_sends_it_or_it_is_made_to_order_the_page_says_so(app, client, scarf):
    for kind, words in (
        (StockKind.SUPPLIER_SHIPS, "a supplier sends it straight to you"),
        (StockKind.MADE_TO_ORDER, "made to order for you"),
    ):
        change(app, lambda product, kind=kind: setattr(product, "stock_kind", kind))
        assert words in client.get("/p/scarf").text


def test_a_shopper_in_belgium_is_told_of_the_delivery_to_belgium_first(app, client, scarf):
    with client.session_transaction() as session:
        session["country"] = "BE"
    change(app, lambda product: setattr(product.delivery[0], "min_days", 2))  # BE comes before NL
    text = plain(client.get("/p/scarf").text)
    assert "Arrives Thu 26 Nov" in text
    assert "Netherlands Wed 25 Nov" in text
    with client.session_transaction() as session:
        session["country"] = "FR"
    assert "Not delivered to France." in client.get("/p/scarf").text


def test_a_saving_names_the_lowest_price_of_the_thirty_days_before(app, client, scarf):
    def reduce(product):
        for variant in product.variants:
            prices.set_price(variant.id, Money(4900, "EUR"), at=MONDAY - timedelta(days=60))
            prices.set_price(variant.id, Money(3900, "EUR"), at=MONDAY - timedelta(days=2))

    assert "30 days before" not in client.get("/p/scarf").text
    change(app, reduce)
    page = client.get("/p/scarf").text
    assert "Lowest price in the 30 days before: €49.00" in page
    assert "&minus;20%" in page


@pytest.mark.parametrize("htmx", [False, True])
def test_what_may_not_be_sold_is_not_there(app, client, scarf, htmx):
    headers = HTMX if htmx else {}
    hidden = [
        lambda product: setattr(product, "status", ProductStatus.DRAFT),
        lambda product: setattr(product, "status", ProductStatus.PAUSED),
        lambda product: (
            setattr(product, "status", ProductStatus.LIVE),
            setattr(product.seller, "vetting", Vetting.WAITING),
        ),
        lambda product: setattr(product.seller, "vetting", Vetting.SUSPENDED),
    ]
    for hide in hidden:
        change(app, hide)
        answer = client.get("/p/scarf", headers=headers)
        assert answer.status_code == 404
        assert "it is not for sale at the moment" in answer.text
        assert "Atelier Mina" not in answer.text
    assert client.get("/p/nothing", headers=headers).status_code == 404


def test_search_engines_get_the_same_facts_and_cannot_be_broken_out_of(app, client, scarf):
    change(app, lambda product: setattr(product, "title", both("Scarf </script><b>")))
    page = client.get("/p/scarf").text
    linked = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert linked["name"] == "Scarf </script><b>"
    assert linked["image"] == [f"http://localhost/media/scarf-{n}.webp" for n in range(3)]
    assert [(offer["sku"], offer["price"], offer["availability"][19:]) for offer in linked["offers"]] == [
        ("red-S", "39.00", "InStock"),
        ("red-M", "39.00", "SoldOut"),
        ("green-S", "39.00", "InStock"),
        ("green-M", "39.00", "InStock"),
    ]
    assert '<meta property="og:title" content="Scarf &lt;/script&gt;&lt;b&gt;">' in page
    assert "</script><b>" not in page


def test_pictures_have_words_and_sizes(client, scarf):
    page = client.get("/p/scarf").text
    assert re.findall(r'alt="(Scarf, view \d)" width="(\d+)" height="(\d+)"', page) == [
        (f"Scarf, view {n}", "900", "900") for n in range(3)
    ]


@pytest.mark.parametrize("address", ["/p/scarf", "/p/p000007"])
def test_a_product_costs_three_questions_in_a_small_shop_and_in_a_large_one(app, client, queries, scarf, address):
    with app.test_request_context(method="POST"):
        fill_shelf(60, clips=20)
    for headers in ({}, HTMX):
        for _cold_and_warm in range(2):
            with queries() as asked:
                assert client.get(address, headers=headers).status_code == 200
            assert len(asked) == 3


def test_a_remembered_page_is_never_an_old_one(app, client, scarf):
    client.get("/p/scarf")
    change(app, lambda product: setattr(product.variants[3], "stock", 1))
    assert "green, M 1 left" in plain(client.get("/p/scarf").text)
    change(app, lambda product: setattr(product.seller, "legal_name", "Mina & Zn."))
    assert "Mina &amp; Zn." in client.get("/p/scarf").text
    change(app, lambda product: setattr(product, "handling_days", 0))
    assert "Arrives Tue 24 Nov" in client.get("/p/scarf").text


@pytest.mark.parametrize("language", ["en", "nl"])
def test_a_product_with_twelve_variants_stays_within_its_weight(app, client, scarf, language):
    with app.test_request_context(method="POST"):
        seller = db.session.execute(db.select(Seller)).scalar_one()
        many = [
            a_variant(f"v{c}{s}", f"{c}, {s}", 7995, 9, c * 4 + s, color=both(f"Colour {c}"), size=f"{s}")
            for c in range(3)
            for s in range(4)
        ]
        shoe = a_product(seller, "shoe", "Shoe", many, description=both("A long story. " * 40))
        db.session.add(shoe)
        db.session.commit()
    headers = {"Accept-Language": language}
    page, sheet = client.get("/p/shoe", headers=headers), client.get("/p/shoe", headers={**headers, **HTMX})
    assert len(brotli.compress(page.data, quality=4)) <= 8_000
    assert len(brotli.compress(sheet.data, quality=4)) <= 3_500
