"""A guest is answered as before only while nothing was written, and only if everything else is as before too."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import update

from shop import access, accounts, hypermedia, prices, written
from shop.database import db
from shop.models import Seller, Variant, Vetting
from shop.money import Money
from tests.cast import a_category
from tests.conftest import HTMX

PAGES = ("/", "/shop", "/p/mug", "/@mina")


@pytest.fixture
def asked(app, monkeypatch):
    """What the handlers were asked that end in `whole`: a page that is recalled asks none of them."""
    seen = []
    whole = hypermedia.whole

    def noted(template, *given, **context):
        seen.append(template)
        return whole(template, *given, **context)

    for name in ("feed", "shop", "products", "showcase"):
        monkeypatch.setattr(f"shop.routes.{name}.whole", noted)
    return seen


@pytest.fixture
def write(app):
    """`write(lambda: ...)` does it and commits, as a handler or a job would."""

    def do(what):
        with app.test_request_context(method="POST"):
            what()
            db.session.commit()

    return do


@pytest.fixture
def undisturbed(app, asked):
    """`undisturbed(look)` gives what `look` saw, and how much was asked meanwhile, when nobody else wrote.

    PostgreSQL counts for all of its databases, and other tests write into theirs at the same time.
    """

    def do(look):
        for _again in range(100):
            asked.clear()
            with app.app_context():
                before = written.version()
            seen, count = look(), len(asked)
            with app.app_context():
                if written.version() == before:
                    return seen, count
        raise AssertionError("somebody else wrote each time")

    return do


@pytest.mark.parametrize("address", PAGES)
def test_what_nobody_changed_is_not_asked_again(client, mug, undisturbed, address):
    (first, again), count = undisturbed(lambda: (client.get(address), client.get(address)))
    assert count == 1
    assert (again.status_code, again.data, again.headers["ETag"]) == (200, first.data, first.headers["ETag"])
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    differs = ("X-Request-Id",)
    told, told_again = ({k: v for k, v in each.headers.items() if k not in differs} for each in (first, again))
    assert told_again == told
    known = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")


@pytest.mark.parametrize("address", PAGES)
def test_whatever_is_written_everything_is_asked_again(client, mug, asked, write, address):
    client.get(address)
    write(lambda: db.session.add(a_category("kettles", "Kettles")))
    client.get(address)
    assert len(asked) == 2


def test_a_new_price_is_on_the_next_page_and_its_old_mark_is_worth_nothing(client, mug, write):
    before = client.get("/p/mug")
    assert "€24.50" in before.text
    write(lambda: prices.set_price(mug.small, Money(1950, "EUR")))
    after = client.get("/p/mug", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "€19.50" in after.text


def test_what_another_process_wrote_counts_too(app, client, mug, asked):
    client.get("/p/mug")
    with app.extensions["shop.engines"]["write"].connect() as elsewhere:
        elsewhere.execute(update(Variant).where(Variant.code == "mug-s").values(stock=0))
        elsewhere.commit()
    assert "Sold out" in client.get("/p/mug").text
    assert len(asked) == 2


def test_what_was_taken_back_was_never_written(app, client, mug, asked):
    client.get("/p/mug")
    with app.test_request_context(method="POST"):
        db.session.execute(update(Variant).where(Variant.code == "mug-s").values(stock=0))
        db.session.rollback()
    assert "Sold out" not in client.get("/p/mug").text


def test_a_suspended_seller_is_gone_at_once(client, mug, write):
    assert client.get("/p/mug").status_code == client.get("/p/mug").status_code == 200
    write(lambda: db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED)))
    assert client.get("/p/mug").status_code == 404
    assert "Mug" not in client.get("/shop").text


def test_each_cart_has_its_own_number_also_from_memory(app, client, post, mug):
    stranger = app.test_client()
    post("/cart/lines", variant="mug-s", quantity="2")
    for _again in range(2):
        assert "2 things" in client.get("/shop").text
        assert "2 things" not in stranger.get("/shop").text


def test_language_part_host_and_thrift_are_other_questions(client, mug, undisturbed):
    def look():
        english = client.get("/p/mug")
        dutch = client.get("/p/mug", headers={"Accept-Language": "nl"})
        sheet = client.get("/p/mug", headers=HTMX)
        elsewhere = client.get("/p/mug", base_url="https://localhost")
        client.get("/", headers={"Save-Data": "on"})
        client.get("/")
        again = client.get("/p/mug", headers={"Accept-Language": "nl"})
        return [each.data for each in (english, dutch, sheet, elsewhere, again)]

    seen, count = undisturbed(look)
    assert (len(set(seen)), seen[4], count) == (4, seen[1], 6)


def test_a_choice_of_language_holds_on_the_page_that_was_just_seen(client, post, mug):
    assert '<html lang="en"' in client.get("/shop").text
    post("/language", language="nl", next="/shop")
    assert '<html lang="nl"' in client.get("/shop").text


def test_a_cookie_that_was_tampered_with_opens_no_cart(app, client, post, mug):
    post("/cart/lines", variant="mug-s", quantity="2")
    client.get("/cart"), client.get("/shop")
    real = client.get_cookie("session").value
    for forged in (f"{real[:-5]}{'A' if real[-5] != 'A' else 'B'}{real[-4:]}", "A" + real[1:], real + "A"):
        thief = app.test_client()
        thief.set_cookie("session", forged)
        assert "Mug" not in thief.get("/cart").text
    assert "Mug" in client.get("/cart").text


def test_who_is_signed_in_is_looked_up_each_time(app, signed_in_as, mug, asked, write):
    kim = signed_in_as("kim")
    kim.get("/"), kim.get("/")
    assert len(asked) == 2
    assert kim.get("/account").status_code == 200
    write(lambda: accounts.sign_out_everywhere(accounts.called("kim@example.com").id))
    assert kim.get("/account").status_code == 303


def test_time_alone_makes_a_new_page_within_a_minute(client, mug, asked, pass_time):
    client.get("/p/mug")
    pass_time(minutes=1)
    client.get("/p/mug")
    assert len(asked) == 2


def test_a_page_that_is_not_there_is_not_kept(client, mug, write):
    assert client.get("/p/lamp").status_code == 404
    assert client.get("/p/lamp").status_code == 404


def test_where_the_version_cannot_be_asked_the_rows_are(app, client, mug, asked, undisturbed, monkeypatch):
    broken = SimpleNamespace(execute=lambda _question: (_ for _ in ()).throw(written.DBAPIError("", {}, ValueError())))
    watch = app.extensions["shop.watch"]
    client.get("/shop")
    monkeypatch.setattr(watch, "_raw", broken)
    assert client.get("/shop").status_code == 200
    assert len(asked) == 2
    _seen, count = undisturbed(lambda: (client.get("/shop"), client.get("/shop")))
    assert count <= 1  # it looks again, on a new line


def test_a_memory_that_is_full_forgets_its_oldest():
    memory = written.Memory(2)
    for question in "abc":
        memory.keep((question,), ("now",), question.upper())
    assert [memory.recall((question,), ("now",)) for question in "abc"] == [None, "B", "C"]
    assert memory.recall(("c",), ("later",)) is None


def test_a_memory_has_room_for_so_many_bytes_and_what_is_stale_goes_first():
    memory = written.Memory(100, room=100)
    memory.keep(("stale",), ("then",), "S", 30)
    memory.keep(("a",), ("now",), "A", 40)
    memory.keep(("b",), ("now",), "B", 40)
    assert [memory.recall((one,), ("now",)) for one in "ab"] == ["A", "B"]
    assert memory.recall(("stale",), ("then",)) is None
    memory.keep(("c",), ("now",), "C", 40)
    memory.keep(("whale",), ("now",), "W", 101)
    assert [memory.recall((one,), ("now",)) for one in ("a", "b", "c", "whale")] == [None, "B", "C", None]
    memory.keep(("b",), ("now",), "B", 60)
    assert [memory.recall((one,), ("now",)) for one in "bc"] == ["B", "C"]


@pytest.mark.parametrize("address", ["/", "/shop", "/p/mug", "/@mina"])
def test_what_nobody_else_would_ask_fills_no_memory(app, client, mug, address):
    recalled, made = app.extensions["shop.recalled"], app.extensions["shop.memory"].made
    client.get(address)
    before = (len(recalled._kept), made.cache_info().currsize)
    for n in range(5):
        assert client.get(f"{address}?x={n}{'y' * 60_000}").status_code == 200
        assert client.get(address, headers={"Accept-Language": f"en, x{n}{'z' * 600}"}).status_code == 200
        assert client.get(address, headers={"Cookie": f"x{n}={'z' * 600}"}).status_code == 200
    assert (len(recalled._kept), made.cache_info().currsize) == before


def test_every_page_that_is_recalled_is_for_everybody_and_changes_nothing(app):
    recalled = {name for name, view in app.view_functions.items() if getattr(view, "is_recalled", False)}
    assert recalled == {"feed.index", "feed.clip", "shop.index", "products.show", "showcase.show", "showcase.clips"}
    assert {access.ROUTES[name] for name in recalled} == {access.Who.ANYONE}
    methods = {method for rule in app.url_map.iter_rules() if rule.endpoint in recalled for method in rule.methods}
    assert methods == {"GET", "HEAD", "OPTIONS"}
