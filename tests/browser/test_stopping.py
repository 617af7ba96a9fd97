"""Rex stops Mina's sales while her mug lies in Noor's cart: what Noor sees and reads, and what Mina reads."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from shop import accounts, proofs
from shop.database import db
from shop.models import Product, Profile, Role
from tests.browser.hands import KEYBOARD, NO_SCRIPT, Hands
from tests.cast import a_clip, a_profile

DATABASES = ("sqlite",)
WHY = "Three buyers sent us photographs: these are copies."
GONE = "No longer for sale, so it is not counted."
DELIVER = {
    "E-mail address": "noor@example.com",
    "Name": "Noor de Wit",
    "Postcode": "3511 AA",
    "House number": "1",
    "Street": "Oudegracht",
    "Town": "Utrecht",
}


@pytest.fixture
def selling(app, mug, signed_in_as):
    """Mina's mug is on the shelf and in a clip of kai's; Rex has an app that shows codes."""
    signed_in_as("mina", Role.SELLER)
    signed_in_as("rex", Role.MODERATOR)
    with app.test_request_context(method="POST"):
        profile = db.session.scalar(db.select(Profile).where(Profile.handle == "mina"))
        profile.user_id = accounts.called("mina@example.com").id
        rex = accounts.called("rex@example.com").id
        proofs.give_demo_app(rex)
        db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", db.session.get(Product, mug.id)))
        db.session.commit()
    return SimpleNamespace(rex=rex)


def fill_the_cart(noor: Hands) -> Hands:
    """With the mug out of kai's clip; the cart stays open, and beside it a checkout that is filled in."""
    noor.go("/v/kai1")
    expect(noor.page.locator(".tag-chip")).to_have_count(1)
    noor.go("/p/mug?clip=kai1")
    noor.press("Add to cart", noor.page.locator("main"), whole=False)
    expect(noor.page.locator("#cart-size").first).to_contain_text("1")
    noor.go("/cart")
    noor.follow("To the checkout")
    noor.lands("Checkout")
    for label, words in DELIVER.items():
        if label == "Street" and noor.way == KEYBOARD:  # it comes by itself, as soon as one leaves the number
            noor.page.keyboard.press("Tab")
            expect(noor.field("Street")).to_have_value(words)
        elif noor.way == NO_SCRIPT or label != "Town":
            noor.fill(label, words)
    beside = noor.beside()
    beside.go("/cart")
    beside.reads("Total, including VAT and delivery")
    return beside


def stop(app, rex: Hands, code: str) -> None:
    """From the list of who sells, past the question who he is, with a reason in his own words."""
    rex.go("/moderation/sellers")
    rex.follow("Atelier Mina", whole=False)
    rex.follow("Say who I am")
    rex.lands("Prove that it is you")
    rex.fill("Code from your app, or a recovery code", code)
    rex.press("Come in")
    rex.lands("Atelier Mina")
    expect(rex.page.get_by_text(rex.say("Say who I am"))).to_have_count(0)
    act = rex.page.locator("form[action$='/suspension']")
    rex.choose("Reason", "counterfeit_goods", act)
    rex.fill("What happened: the applicant reads this", WHY, act)
    rex.press("Stop their sales", act)
    rex.reads("Their sales are stopped, on every page and in every cart. They are told by mail why.")


def reads_that_it_is_gone(noor: Hands, cart: Hands) -> None:
    """On the checkout and in the cart that were open all the time, and in the clip at the next look."""
    noor.press("Order and pay", whole=False)
    noor.reads("Not included, because it cannot be bought now:")
    where = {"nl": "Nederland", "en": "Netherlands"}[noor.language]
    noor.reads(f"Nothing in your cart can be bought and brought to %(country)s now.|{where}")
    expect(noor.page.get_by_role("button", name=noor.say("Order and pay"))).to_have_count(0)
    cart.press("One more of %(title)s|Mug <b>")
    cart.reads(GONE)
    cart.reads("Nothing in your cart can be bought at this moment.")
    expect(cart.page.get_by_role("link", name=cart.say("To the checkout"))).to_have_count(0)
    noor.go("/v/kai1")
    expect(noor.page.locator("video")).to_have_count(1)
    expect(noor.page.locator(".tag-chip")).to_have_count(0)


@pytest.mark.parametrize(("language", "way"), [pytest.param("nl", NO_SCRIPT, marks=pytest.mark.slow), ("en", KEYBOARD)])
def test_when_rex_stops_mina_noor_reads_it_in_her_open_cart_and_mina_why(
    app, selling, opened, signed_in_as, pass_time, language, way
):
    noor = opened(language, way)
    cart = fill_the_cart(noor)
    pass_time(minutes=16)
    client = signed_in_as("rex")
    pass_time(minutes=16)  # what he proved at the door is too long ago
    with app.app_context():
        code = proofs.demo_code(selling.rex)
    stop(app, opened(language, way, client), code)
    reads_that_it_is_gone(noor, cart)
    mina = opened(language, way, signed_in_as("mina"))
    mina.go("/sell")
    mina.reads("Your sales are stopped. A moderator decided this, not a computer. This is the reason:")
    mina.reads(WHY)
