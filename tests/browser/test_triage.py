"""Rex decides by keyboard; and with or without JavaScript, in both languages, it is refused and appealed."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from shop import checklist, clock, papers, reasons, vault
from shop.checklist import Item
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import PaperKind, Role, Seller
from tests.applicants import an_applicant
from tests.browser.hands import KEYBOARD, NO_SCRIPT, Hands, cross
from tests.papers import jpeg

DATABASES = ("sqlite",)
UNTIL = timedelta(days=900)


@pytest.fixture
def applied(app):
    """Mina has told everything; the front of her paper is a picture that can be looked at."""
    with app.test_request_context(method="POST"):
        seller = an_applicant()
        papers.keep(seller.id, PaperKind.FRONT, Read("jpeg", (jpeg("FRONT"),), bytes(8)), vault.mark(b"front"))
        db.session.commit()
        return checklist.asked_of(seller.kind, seller.country)


def vetting(app):
    with app.test_request_context():
        return db.session.scalar(db.select(Seller.vetting))


def name_of(item: str, hands: Hands) -> str:
    return reasons.NAMES[item].said(hands.language)


def opens_the_paper(rex: Hands) -> None:
    """With a reason; back at the application it stands beside what was told, until he closes it."""
    rex.follow("Identity paper, front")
    rex.lands("Identity paper, front")
    rex.fill("Why do you have to see it?", "Is it her?")
    rex.press("Open it for ten minutes")
    rex.reads("Open to you alone for ten minutes. Your name stands all over it; do not copy it.")
    rex.papers += 1
    rex.follow("Atelier Mina")
    expect(rex.page.get_by_role("heading", name="Atelier Mina")).to_be_visible()
    page = rex.page.locator("#item-identity img")
    expect(page).to_be_visible()
    assert page.evaluate("async (it) => { await it.decode(); return it.naturalWidth }") > 300


@pytest.mark.parametrize("language", ["en", pytest.param("nl", marks=pytest.mark.slow)])
def test_rex_triages_by_keyboard_in_two_minutes_from_the_queue_to_the_approval(
    app, applied, opened, signed_in_as, language
):
    rex = opened(language, KEYBOARD, signed_in_as("rex", Role.MODERATOR))
    rex.go("/moderation")
    said, button = rex.say, rex.page.get_by_role

    def press(key: str) -> None:
        rex.page.keyboard.press(key)
        rex.struck += 1
        rex.presses += key == "Enter"

    press("?")
    rex.reads("to the next, to the one before")
    press("j")
    expect(button("button", name=said("Take %(name)s|Atelier Mina"))).to_be_focused()
    press("Enter")
    expect(button("heading", name="Atelier Mina")).to_be_visible()
    rex.takes_in(".sides")
    opens_the_paper(rex)
    press("j")
    expect(button("button", name=said(f"Accept: %(item)s|{name_of('contact', rex)}"))).to_be_focused()
    press("Enter")
    until = rex.field("The paper is valid until")
    expect(until).to_be_focused()
    rex.fill("The paper is valid until", str(clock.now().date() + UNTIL))
    press("Enter")
    for item in ("bank", "tax", "goods", "returns", "promise"):
        expect(button("button", name=said(f"Accept: %(item)s|{name_of(item, rex)}"))).to_be_focused()
        press("Enter")
    approve = button("button", name=said("Approve: they may sell"))
    expect(approve).to_be_focused()
    press("r")
    expect(rex.page.locator("#decide").get_by_label(said("Reason"))).to_be_focused()
    press("Shift+Tab")  # in a field letters are letters
    press("a")
    expect(approve).to_be_focused()
    press("Enter")
    rex.reads("Approved. They are told by mail, and may sell from now on.")
    assert vetting(app) == "approved"
    assert 40 < rex.seconds() <= 120


def refuses(rex: Hands) -> None:
    rex.go("/moderation")
    rex.press("Take %(name)s|Atelier Mina")
    form = rex.page.locator("#decide form").last
    rex.choose("Reason", "goods_not_allowed", form)
    rex.fill("What happened: the applicant reads this", "These are copies.", form)
    rex.press("Refuse", form)
    rex.reads("Refused. They are told by mail why, and how to appeal.")


def appeals(mina: Hands) -> None:
    mina.go("/statements")
    mina.follow("Refused", whole=False)
    mina.reads(reasons.REFUSALS["goods_not_allowed"].said.said(mina.language))
    mina.reads("These are copies.")
    mina.fill("Why the decision is wrong", "I turn them myself, look.")
    mina.press("Appeal")
    mina.reads("It waits for somebody who has not judged it before.")


def grants(ada: Hands, items: tuple[Item, ...]) -> None:
    """Another one reads the appeal, looks at every item anew, and approves."""
    ada.go("/moderation/appeals")
    ada.follow("Atelier Mina")
    ada.reads("I turn them myself, look.")
    ada.follow("All we know about them")
    ada.press("Take it, to decide")
    for item in items:
        here = ada.page.locator(f"#item-{item}")
        if item == Item.IDENTITY:
            ada.fill("The paper is valid until", str(clock.now().date() + UNTIL), here)
        ada.press(f"Accept: %(item)s|{name_of(item, ada)}", here)
        expect(here.get_by_text(ada.say("Accepted"), exact=True)).to_be_visible()
    ada.press("Approve: they may sell")
    ada.reads("Approved. They are told by mail, and may sell from now on.")


@cross(("nl", NO_SCRIPT))
def test_it_is_refused_and_appealed_to_another_one(app, applied, opened, signed_in_as, language, way):
    rex = opened(language, way, signed_in_as("rex", Role.MODERATOR))
    ada = opened(language, way, signed_in_as("ada", Role.ADMIN))
    mina = opened(language, way, signed_in_as("mina"))
    refuses(rex)
    appeals(mina)
    rex.go("/moderation/sellers/mina")
    rex.reads("This application is for another moderator to decide.")
    grants(ada, applied)
    ada.go("/moderation/sellers/mina")  # mina is signed out: she has new rights
    ada.reads("appeal granted")
    assert vetting(app) == "approved"
