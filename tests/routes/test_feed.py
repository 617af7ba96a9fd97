"""The feed over HTTP: page and pages of it, with htmx and without, and what it costs."""

import json
import re
from datetime import timedelta
from pathlib import Path

import brotli
import pytest

from shop import clock
from shop.database import db
from shop.models import Clip, Product, Variant
from shop.money import Money
from tests.cast import a_clip, a_profile, fill_shelf
from tests.conftest import HTMX

STATIC = Path("shop/static")


@pytest.fixture
def clips(app, mug, lamp):
    """Kai's and Lou's clips, seven, the newest first: k1 l2 k3 l4 k5 l6 k7; the mug and the lamp are in each."""
    with app.test_request_context(method="POST"):
        makers = {"k": a_profile("kai", "Kai"), "l": a_profile("lou", "Lou")}
        goods = [db.session.get(Product, mug.id), db.session.get(Product, lamp.id)]
        for n, letter in enumerate("klklklk", 1):
            at = clock.now() - timedelta(minutes=n)
            db.session.add(a_clip(makers[letter], f"{letter}{n}", *goods, published_at=at, likes=4200))
        db.session.commit()


def shown(answer):
    return re.findall(r'data-address="/v/(\w+)"', answer.text)


def test_the_front_door_is_the_feed(client, clips):
    page = client.get("/")
    assert page.text.startswith("<!doctype html>")
    assert shown(page) == ["k1", "l2", "k3", "l4", "k5"]
    assert '<a class="button button--plain" href="/v/k1?from=5">More videos</a>' in page.text


def test_the_next_page_goes_on_where_this_one_ends_with_htmx_and_without(client, clips):
    page, block = client.get("/v/k1?from=5"), client.get("/v/k1?from=5", headers=HTMX)
    assert shown(page) == shown(block) == ["l6", "k7"]
    assert ("<html" in page.text, "<html" in block.text) == (True, False)
    assert 'aria-posinset="6"' in block.text
    assert "You are all caught up." in block.text


def test_a_shared_clip_opens_with_its_own_words_in_the_title(client, clips):
    page = client.get("/v/l4")
    assert shown(page) == ["l4", "k5", "l6", "k7"]
    assert "<title>Look at l4 - Etalage</title>" in page.text


@pytest.mark.parametrize("address", ["/v/nope", "/v/nope/products"])
def test_a_clip_that_is_not_there_is_a_404(client, clips, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("start", ["-3", "99", "x"])
def test_a_strange_start_does_no_harm(client, clips, start):
    assert client.get(f"/v/k1?from={start}").status_code == 200


def test_an_empty_shop_says_so(client):
    assert "There are no videos yet." in client.get("/").text


def test_after_twenty_clips_one_is_asked_whether_to_go_on(app, client):
    with app.test_request_context(method="POST"):
        fill_shelf(1, clips=21)
    page = client.get("/v/c000000?from=15")
    assert len(shown(page)) == 5
    assert "You have seen 20 videos." in page.text
    assert 'href="/v/c000014" hx-get="/v/c000014"' in page.text
    assert "More videos" not in page.text


def test_the_price_on_the_tag_is_the_price_of_today(app, client, clips, lamp):
    def on_tag():
        return re.findall(r'<data class="price" value="(\d+)">', client.get("/v/k7").text)

    assert on_tag() == ["2450", "4995"]
    with app.app_context():
        db.session.get(Variant, lamp.oak).price = Money(3995, "EUR")
        db.session.commit()
    assert on_tag() == ["2450", "3995"]


def test_what_has_no_choices_goes_into_the_cart_in_one_tap_and_says_which_clip_led_there(client, clips):
    page = client.get("/v/k7").text
    form = re.search(r'<form class="rail__buy".*?</form>', page, re.S).group()
    assert ('action="/cart/lines"' in form, 'name="variant" value="lamp-oak"' in form) == (True, True)
    assert 'name="clip" value="k7"' in form
    assert 'class="rail__button rail__buy" href="/p/mug?clip=k7"' in page


def test_what_is_sold_out_is_shown_but_not_offered(app, client, clips, lamp):
    with app.app_context():
        db.session.get(Variant, lamp.oak).stock = 0
        db.session.commit()
    page = client.get("/v/k7").text
    assert ("Sold out" in page, '<form class="rail__buy"' in page) == (True, False)


def test_all_products_of_a_clip_are_a_sheet_or_a_page(client, clips):
    page, sheet = client.get("/v/k1/products"), client.get("/v/k1/products", headers=HTMX)
    assert ('<h1 id="sheet-title">' in page.text, '<h2 id="sheet-title">' in sheet.text) == (True, True)
    for answer in (page, sheet):
        assert re.findall(r"<b>(.*?)</b>", answer.text) == ["Mug &lt;b&gt;", "Lamp"]


@pytest.mark.parametrize(
    ("headers", "cookie", "wanted"),
    [({}, None, "k1.mp4"), ({"Save-Data": "on"}, None, "small.mp4"), ({"Save-Data": "on"}, "720", "k1.mp4")],
)
def test_who_saves_data_gets_the_small_video_unless_they_chose(app, client, clips, headers, cookie, wanted):
    with app.app_context():
        from shop.models import Rendition

        clip = db.session.scalar(db.select(Clip.id).where(Clip.code == "k1"))
        db.session.add(Rendition(clip_id=clip, width=360, height=640, name="small.mp4", size=1))
        db.session.commit()
    if cookie:
        client.set_cookie("q", cookie)
    assert f'src="/media/{wanted}"' in client.get("/v/k1", headers=headers).text


# Likes


def test_noor_likes_a_clip_with_htmx_and_gets_the_button_back(signed_in_as, clips):
    noor = signed_in_as("noor")
    answer = noor.post("/v/k1/like", data={"wanted": "yes"}, headers=HTMX)
    assert answer.text.startswith('<form class="like"')
    assert ('aria-pressed="true"' in answer.text, 'value="no"' in answer.text) == (True, True)
    assert 'id="like-k1" name="wanted" value="no"' in noor.get("/").text


def test_noor_likes_a_clip_without_javascript_and_is_back_at_it(app, signed_in_as, clips):
    answer = signed_in_as("noor").post("/v/k1/like", data={"wanted": "yes"})
    assert (answer.status_code, answer.location) == (303, "/v/k1")
    with app.app_context():
        assert db.session.scalar(db.select(Clip.likes).where(Clip.code == "k1")) == 4201


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_stranger_who_likes_is_shown_the_door_and_nothing_is_counted(app, client, clips, headers):
    answer = client.post("/v/k1/like", data={"wanted": "yes"}, headers=headers)
    assert "/sign-in" in (answer.location or answer.headers["HX-Redirect"])
    with app.app_context():
        assert db.session.scalar(db.select(Clip.likes).where(Clip.code == "k1")) == 4200


# What it costs


def test_a_page_of_the_feed_asks_twice_however_many_clips_there_are(client, queries, clips, app):
    def asked(address):
        with queries() as statements:
            assert client.get(address).status_code == 200
        return len(statements)

    few = [asked("/"), asked("/v/k1"), asked("/v/k1/products")]
    with app.test_request_context(method="POST"):
        fill_shelf(20, clips=60)
    assert few == [asked("/"), asked("/v/k1"), asked("/v/k1/products")] == [2, 2, 1]


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("encoding", ["zstd", "br"])
def test_the_feed_is_light(demo_shop, encoding, language):
    """As it is sent: the first five clips of the demo, and the next ones."""
    browser = demo_shop.test_client()
    page = browser.get("/", headers={"Accept-Encoding": encoding, "Accept-Language": language})
    assert page.headers["Content-Encoding"] == encoding
    assert len(page.data) <= 6 * 1024
    more = re.search(r'hx-get="(/v/\w+\?from=5)"', browser.get("/").text)[1]
    asked = {**HTMX, "Accept-Encoding": encoding, "Accept-Language": language}
    assert len(browser.get(more, headers=asked).data) <= 4 * 1024


def scripts(client, address):
    """How many of our own scripts a page brings, what they weigh, and what all of its scripts do: as they are sent."""
    names = re.findall(r'<script src="(/static/[^"]+)"', client.get(address).text)
    weights = {name: len(client.get(name, headers={"Accept-Encoding": "br"}).data) for name in names}
    own = [weight for name, weight in weights.items() if "/vendor/" not in name]
    return len(own), sum(own), sum(weights.values())


def test_scripts_are_light_on_every_page(client, clips):
    """The budgets of each page: ours at most 6 kB, with those of others 20 kB on the feed and 16 kB elsewhere."""
    most = {"/": 20, "/v/k1": 20, "/p/mug": 16, "/shop": 16, "/cart": 16, "/@kai": 16, "/checkout": 16}
    for address, kilobytes in most.items():
        how_many, own, all_of_them = scripts(client, address)
        assert how_many >= 6
        assert (own <= 6 * 1024, all_of_them <= kilobytes * 1024) == (True, True), (address, own, all_of_them)
    own = sorted((STATIC / "js").glob("*.js"))
    assert sum(len(brotli.compress(file.read_bytes())) for file in own) <= 18 * 1024  # no page has all of them


def test_the_styles_of_all_pages_together_are_light(app, client):
    css = client.get(app.extensions["shop.asset"]("shop.css")).data
    assert len(brotli.compress(css)) <= 10 * 1024
    assert len(brotli.compress(client.get(app.extensions["shop.asset"]("desk.css")).data)) <= 6 * 1024


def test_the_manifest_names_a_shop_that_opens_at_the_feed():
    manifest = json.loads((STATIC / "site.webmanifest").read_text())
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
