"""The window of a creator or seller."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from shop import clock
from shop.database import db
from shop.models import Profile, Seller, SellerKind, Vetting
from tests.cast import a_clip, a_product, a_profile, a_seller, a_variant, both, fill_shelf
from tests.conftest import HTMX


@pytest.fixture
def windows(app):
    """Mina sells a mug and a bowl, Otto sells a lamp; Kai shows the mug and the lamp in his clip, Mina the mug."""
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina", decided_at=datetime(2026, 6, 21, 9, tzinfo=UTC))
        otto, kai = a_seller("otto", "Otto"), a_profile("kai", "Kai", bio=both("I film."))
        mug, bowl, lamp = (
            a_product(seller, code, code.title(), [a_variant(code, "One", 1000, 5)], sold=sold)
            for seller, code, sold in ((mina, "mug", 3), (mina, "bowl", 5), (otto, "lamp", 4))
        )
        db.session.add_all([mug, bowl, lamp, kai])
        db.session.flush()
        db.session.add_all([a_clip(kai, "kai-1", mug, lamp), a_clip(mina.profile, "mina-1", mug)])
        db.session.add(a_clip(kai, "kai-0", bowl, published_at=None))
        db.session.commit()


def cards(html):
    return re.findall(r'class="card__link" href="/p/([^"]+)"', html)


def posters(html):
    return re.findall(r'class="strip__clip" href="/v/([^"]+)"', html)


def test_a_sellers_window_has_own_clips_own_products_and_who_they_are(client, windows):
    page = client.get("/@mina").text
    assert "<h1>Atelier Mina</h1>" in page
    assert (posters(page), cards(page)) == (["mina-1"], ["bowl", "mug"])
    assert "Checked on 21 June 2026" in page
    for words in ("business: consumer law applies", "KVK 68750110", "Oudegracht 1, 3511 AA Utrecht", "mina@shop"):
        assert words in page
    assert "follower" not in page


def test_a_creators_window_has_what_is_seen_in_the_clips_that_are_out(client, windows):
    page = client.get("/@kai").text
    assert (posters(page), cards(page)) == (["kai-1"], ["lamp", "mug"])
    assert "I film." in page
    assert "Shown in these clips" in page
    assert "Who sells this" not in page
    assert "Checked on" not in page


def test_dutch_readers_get_it_in_dutch(client, windows):
    page = client.get("/@mina", headers={"Accept-Language": "nl"}).text
    for words in ("Producten", "Gecontroleerd op 21 juni 2026", "bedrijf: het consumentenrecht geldt", "Nederland"):
        assert words in page


@pytest.mark.parametrize("vetting", [Vetting.WAITING, Vetting.REFUSED, Vetting.SUSPENDED])
def test_who_may_not_sell_shows_no_goods_and_no_sign(app, client, windows, vetting):
    with app.test_request_context(method="POST"):
        profile = db.select(Profile.id).filter_by(handle="mina").scalar_subquery()
        db.session.execute(db.update(Seller).filter_by(profile_id=profile).values(vetting=vetting))
        db.session.commit()
    page = client.get("/@mina").text
    assert (posters(page), cards(page)) == (["mina-1"], [])
    assert "There is nothing for sale here at the moment." in page
    assert "Checked on" not in page
    assert "68750110" not in page


def test_a_private_persons_street_is_not_shown(app, client, windows):
    with app.test_request_context(method="POST"):
        db.session.execute(db.update(Seller).values(kind=SellerKind.INDIVIDUAL))
        db.session.commit()
    page = client.get("/@mina").text
    assert "This is a private person, not a business." in page
    assert "Oudegracht" not in page


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_window_that_is_not_there_is_a_404(client, windows, headers):
    answer = client.get("/@nobody", headers=headers)
    assert answer.status_code == 404
    assert "There is nobody of this name here." in answer.text


def test_more_products_come_as_a_link_and_as_a_fragment(app, client):
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina")
        db.session.add_all(
            a_product(mina, f"p{n:02}", f"Thing {n}", [a_variant(f"v{n:02}", "One", 1000, 5)]) for n in range(30)
        )
        db.session.commit()
    page = client.get("/@mina").text
    more = re.search(r'hx-get="(/@mina\?after=[^"]+)" hx-target="closest p"', page)[1]
    further, fragment = client.get(more).text, client.get(more, headers=HTMX).text
    assert "<h1>Atelier Mina</h1>" in further
    assert "<h1>" not in fragment
    assert cards(page) + cards(fragment) == [f"p{n:02}" for n in reversed(range(30))]
    assert cards(further) == cards(fragment)


def test_a_window_costs_three_questions_in_a_small_shop_and_in_a_large_one(app, client, queries, windows):
    def asked(handle):
        with queries() as statements:
            assert client.get(f"/@{handle}").status_code == 200
        return len(statements)

    assert [asked(handle) for handle in ("mina", "kai")] == [3, 3]
    with app.test_request_context(method="POST"):
        fill_shelf(60, clips=60)
    assert [asked(handle) for handle in ("mina", "kai", "atelier1")] == [3, 3, 3]


@pytest.fixture
def many(app, windows):
    """Kai has 26 clips; three of them came out at the same moment, across the end of the first twelve."""
    with app.test_request_context(method="POST"):
        kai = db.session.execute(db.select(Profile).filter_by(handle="kai")).scalar_one()
        now = clock.now()
        at = {n: now - timedelta(minutes=n) for n in range(1, 26)} | dict.fromkeys(
            (11, 12, 13), now - timedelta(minutes=11)
        )
        db.session.add_all(a_clip(kai, f"c{n:02}", published_at=at[n]) for n in range(1, 26))
        db.session.commit()
    return ["kai-1", *(f"c{n:02}" for n in (*range(1, 11), 13, 12, 11, *range(14, 26)))]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_every_clip_of_somebody_can_be_reached_some_at_a_time(client, queries, many, headers):
    address, seen, asked = "/@kai", [], []
    while address:
        with queries() as statements:
            page = client.get(address, headers=headers if seen else {}).text
        seen.append(posters(page))
        asked.append(len(statements))
        more = re.search(r'href="(/@kai/clips[^"]+)" hx-get="\1" hx-target="closest li"', page)
        address = more and more[1]
        assert ("<html" in page) == (not headers or len(seen) == 1)
    assert [clip for page in seen for clip in page] == many
    assert ([len(page) for page in seen], asked) == ([12, 12, 2], [3, 2, 2])


def test_all_clips_have_a_page_of_their_own(client, many):
    page = client.get("/@kai/clips")
    assert "<h1>Clips of Kai</h1>" in page.text
    assert posters(page.text) == many[:12]
    assert client.get("/@nobody/clips").status_code == 404
    assert "That is everything." in client.get("/@kai/clips?after=1-a").text
