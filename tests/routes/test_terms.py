"""What everybody may know of the shop: who runs it, how it orders things, what it knows of people."""

import re

import pytest

from shop.imprint import Imprint
from tests.conftest import HTMX

BOOKS = ("/about", "/ranking", "/accessibility", "/privacy")
THEM = Imprint("Etalage BV", "Oudegracht 1, Utrecht", "shop@shop.example", "030 1234567", "KVK 68750110", "NL1B01")


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.mark.parametrize("address", BOOKS)
def test_the_open_books_are_at_the_foot_of_each_page_and_on_the_feed(client, address):
    assert f'<a href="{address}">' in re.search(r"<footer.*?</footer>", client.get("/shop").text, re.S).group()
    assert re.search(
        r'<section id="watching".*?href="/ranking".*?href="/about".*?</section>', client.get("/").text, re.S
    )
    assert f'href="{address}"' in client.get("/about").text
    page = client.get(address, headers=HTMX)
    assert (page.status_code, page.text.count("<h1>"), "<html" in page.text) == (200, 1, False)


def test_who_runs_the_shop_is_told_or_that_nobody_does(app, client, monkeypatch):
    assert "nobody runs it as a business" in words(client.get("/about"))
    monkeypatch.setitem(app.config, "OPERATOR", THEM)
    told = words(client.get("/about"))
    assert [fact for fact in THEM if fact not in told] == []
    assert "nobody runs it as a business" not in told
    assert "Etalage BV answers for it." in words(client.get("/privacy"))
    for address in ("/about", "/privacy", "/accessibility"):
        assert 'href="mailto:shop@shop.example"' in client.get(address).text


def test_what_is_known_of_people_is_told_with_the_days_that_are_kept_to(app, client, monkeypatch):
    told = words(client.get("/privacy"))
    for fact in ("until 90 days after it arrived", "A sign-in ends after 30 days", "for seven years", "no money moves"):
        assert fact in told
    assert "when 90 days have passed, and the rest is forgotten after 180" in told
    assert ("Kadaster" in told, "Stripe takes the payment" in told) == (False, False)
    monkeypatch.setitem(app.config, "ADDRESS_LOOKUP", "pdok")
    monkeypatch.setitem(app.config, "TEST_MODE", False)
    told = words(client.get("/privacy", headers={"Accept-Language": "nl"}))
    assert ("Kadaster" in told, "Stripe" in told) == (True, True)


def test_who_gives_their_name_is_told_what_becomes_of_it(client, post, mug):
    post("/cart/lines", variant="mug-s")
    for address in ("/sign-up", "/checkout"):
        assert '<a href="/privacy">What happens with your data</a>' in client.get(address).text
