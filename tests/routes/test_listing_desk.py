"""The moderators' desk for listings: the queue, a decision, and a take-down while goods are in a stranger's cart."""

import pytest
from sqlalchemy import text

from shop import listing_cases, listings
from shop.database import db
from shop.models import ListingCase, Picture, Product, Role, Statement, User
from tests.cast import a_category, a_clip, a_product, a_profile, a_seller, a_variant, both

WHY = {"reason": "unsafe", "words": "It was called back in October: the handle breaks."}


@pytest.fixture
def rex(signed_in_as):
    return signed_in_as("rex", Role.MODERATOR)


@pytest.fixture
def mug(app, signed_in_as):
    """Mina's mug is for sale, and shown in a clip; her eco bowl waits for a moderator."""
    signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        mina = db.session.scalar(db.select(User).where(User.email == "mina@example.com"))
        person = type("Person", (), {"id": mina.id, "roles": (Role.SELLER,)})
        profile = a_profile("mina", "Atelier Mina", user_id=mina.id)
        seller, kind = a_seller("mina", "Atelier Mina", profile=profile), a_category()
        for code, title in (("mug", "Mug"), ("bowl", "Eco bowl")):
            one = a_product(seller, code, title, [a_variant(f"{code}-s", "Small", 2450, stock=3)], category=kind)
            one.pictures = [Picture(position=0, name=f"{code}.webp", width=9, height=9, alt=both("A thing"))]
            one.status = "draft"
            db.session.add(one)
            db.session.flush()
            listings.publish(one, by=person)
            if code == "mug":
                db.session.add(a_clip(profile, "clip", one))
        db.session.commit()


def seen(page):
    return page.partition('name="seen" value="')[2].partition('"')[0]


def status_of(app, code):
    with app.test_request_context():
        return db.session.scalar(text("SELECT status FROM products WHERE code = :code"), {"code": code})


def case_of(app, code):
    with app.test_request_context():
        asked = db.select(ListingCase.code).join(Product).where(Product.code == code).order_by(ListingCase.id.desc())
        return db.session.scalars(asked).first()


def test_the_queue_says_what_waits_and_why_and_a_decision_is_made_on_the_page(app, mug, rex, client, letters):
    page = rex.get("/moderation/products").text
    assert "Eco bowl" in page
    assert "says that it is good for nature" in page
    code = case_of(app, "bowl")
    found = rex.get(f"/moderation/products/{code}").text
    assert "Eco bowl, made by hand." in found
    assert client.get("/p/bowl").status_code == 404
    wrong = rex.post(f"/moderation/products/{code}/decision", data={"verdict": "fix", "seen": seen(found)})
    assert (wrong.status_code, status_of(app, "bowl")) == (422, "review")
    answer = rex.post(f"/moderation/products/{code}/decision", data={"verdict": "approved", "seen": seen(found)})
    assert answer.headers["Location"] == "/moderation/products?done=approved"
    assert client.get("/p/bowl").status_code == 200
    assert "Nothing waits" in rex.get(answer.headers["Location"]).text
    assert [letter["Subject"] for letter in letters()] == ["Your listing is for sale"]


def test_a_take_down_empties_the_carts_the_clips_and_the_shelf_at_once(app, mug, rex, client, post):
    post("/cart/lines", variant="mug-s", quantity="2")
    assert "Mug" in client.get("/cart").text
    link = 'href="/moderation/listings/mug"'
    assert (link in rex.get("/p/mug").text, link in client.get("/p/mug").text) == (True, False)
    found = rex.get("/moderation/listings/mug").text
    assert "Take it down" in found
    short = rex.post("/moderation/listings/mug/take-down", data={"reason": "unsafe", "words": "Bad"})
    assert (short.status_code, status_of(app, "mug")) == (422, "live")
    answer = rex.post("/moderation/listings/mug/take-down", data=WHY)
    assert (answer.status_code, status_of(app, "mug")) == (303, "down")
    assert (
        "no longer for sale" in client.get("/cart").text.lower() or "not for sale" in client.get("/cart").text.lower()
    )
    assert client.get("/p/mug").status_code == 404
    assert "/p/mug" not in client.get("/shop").text
    assert "/p/mug" not in client.get("/@mina").text
    assert "/p/mug" not in client.get("/v/clip").text
    with app.test_request_context():
        statement = db.session.scalars(db.select(Statement)).one()
        assert (statement.verdict, statement.words) == ("taken_down", {"en": WHY["words"]})


def test_what_was_only_pointed_out_is_for_sale_before_and_after_it_is_approved_and_the_seller_hears_nothing(
    app, mug, rex, client, letters
):
    with app.test_request_context(method="POST"):
        why = {"code": "recalled", "field": "title", "found": "SR/1/26"}
        listing_cases.point_out(listing_cases.listed("mug"), [why])
        db.session.commit()
    letters()
    address = f"/moderation/products/{case_of(app, 'mug')}"
    form = {"verdict": "approved", "seen": seen(rex.get(address).text)}
    assert client.get("/p/mug").status_code == 200
    done = rex.post(f"{address}/decision", data=form, follow_redirects=True).text
    assert "It stays as it was, and what was pointed out is not asked again." in done
    assert (client.get("/p/mug").status_code, status_of(app, "mug"), letters()) == (200, "live", [])


@pytest.mark.parametrize("address", ["/moderation/products", "/moderation/listings/mug"])
def test_the_desk_is_not_there_for_others(mug, signed_in_as, address):
    assert signed_in_as("mina", Role.SELLER).get(address).status_code == 404


def test_the_queue_asks_the_database_the_same_however_long_it_is(app, mug, rex, queries):
    with queries() as one:
        rex.get("/moderation/products")
    with app.test_request_context(method="POST"):
        bowl = listing_cases.listed("bowl")
        for n in range(30):
            copy = a_product(
                bowl.seller, f"more{n}", f"Eco {n}", [a_variant(f"m{n}", "One", 100, 1)], category=bowl.category
            )
            db.session.add(copy)
            db.session.flush()
            copy.status = listing_cases.look_at(copy)
        db.session.commit()
    with queries() as many:
        first = rex.get("/moderation/products").text
    assert len(one) == len(many) == 4
    assert first.count("listing-case__why") == 20
    after = first.partition("?after=")[2].partition('"')[0]
    rest = rex.get(f"/moderation/products?after={after}").text
    assert rest.count("listing-case__why") == 11
