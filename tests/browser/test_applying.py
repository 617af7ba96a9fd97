"""Applying to sell: a private person, a business, a brand with a fix; in both languages, by keyboard and by finger."""

import re

from playwright.sync_api import expect

from shop import accounts, reasons, sellers
from shop.models import Role
from tests.browser.hands import KEYBOARD, NO_SCRIPT, Hands, cross

DATABASES = ("sqlite",)
WAITS = "Your application waits for a moderator. You cannot sell yet."


def how_it_stands(app) -> tuple[str, str, str]:
    with app.test_request_context():
        seller = sellers.of(accounts.as_actor(accounts.called("noor@example.com")))
        return seller.vetting, seller.kind, seller.country


def fill(hands: Hands, then: str, **fields: str) -> None:
    """A step: its fields, and on to the next one."""
    for label, words in fields.items():
        hands.fill(LABELS[label], words)
    with hands.turns():
        hands.press("Keep and go on")
    hands.lands(then)


LABELS = {
    "shop": "Name of your shop",
    "handle": "Your address at Etalage",
    "name": "Your full name, as on your identity paper",
    "business": "Name of the business, as in the register",
    "street": "Street and house number",
    "postcode": "Postcode",
    "town": "Town",
    "phone": "Telephone",
    "email": "E-mail address for buyers",
    "number": "Number in the register",
    "by": "Name of who acts for the business",
    "as_what": "As what",
    "lucid": "LUCID number, such as DE1234567890123",
    "idu": "IDU of the packaging branch, such as FR123456_01ABCD",
    "iban": "Account number (IBAN)",
    "tax": "Tax number",
    "born": "Day of birth",
    "sells": "What do you want to sell?",
}


def begin(hands: Hands, shop: str, handle: str) -> None:
    hands.fill(LABELS["shop"], shop)
    hands.fill(LABELS["handle"], handle)
    hands.press("Begin")
    hands.lands("Name, address and e-mail")


def send(hands: Hands, kind: str, then: str) -> None:
    """One paper, with the button of its own form."""
    place = hands.page.locator(f"form:has(#paper-{kind})")
    hands.choose_file(f"#paper-{kind}", kind)
    with hands.turns():
        hands.press("Send it", place)
    hands.lands(then)


def promise_and_send_in(hands: Hands, shop: str, items: int) -> None:
    fill(hands, "Promise and terms")
    hands.tick("I sell only what the law of the European Union allows, and what I wrote here is true.")
    hands.tick("I agree to the terms for sellers.")
    hands.press("Keep")
    hands.lands(shop)
    hands.reads(f"%(told)s of %(all)s done|{items}")
    hands.press("Send it in")
    hands.reads(WAITS)


@cross(("en", KEYBOARD))
def test_a_private_person_applies_in_ten_minutes_with_fifteen_fields_and_ten_presses(
    app, opened, signed_in_as, language, way
):
    hands = opened(language, way, signed_in_as("noor"))
    hands.go("/sell")
    hands.lands("Sell at Etalage")
    begin(hands, "Noor turns mugs", "noor")
    person = {"name": "Noor Jansen", "street": "Oudegracht 1", "postcode": "3511 AA", "town": "Utrecht"}
    fill(hands, "Identity paper", **person, phone="+31 30 123 45 67")
    send(hands, "front", "Identity paper")
    expect(hands.page.get_by_text(hands.say("Sent on %(day)s").split("%")[0].strip())).to_have_count(1)
    send(hands, "back", "Bank account")
    fill(hands, "Tax details", iban="NL91 ABNA 0417 1643 00")
    fill(hands, "What you sell", tax="999999990", born="1990-05-17")
    fill(hands, "Returns", sells="Mugs that I turn myself.")
    promise_and_send_in(hands, "Noor turns mugs", 7)
    assert (hands.fields, hands.presses) == (15, 10)
    assert 200 < hands.seconds() <= 600
    assert how_it_stands(app) == ("waiting", "individual", "NL")


def start_as(hands: Hands, kind: str, country: str) -> None:
    """Another kind, in another country: what that asks shows by itself, or at the press of a button."""
    hands.go("/sell")
    hands.pick(kind)
    hands.choose("I sell from", country)
    if hands.way == NO_SCRIPT:
        hands.press("Show what is asked of this kind")
    hands.reads("Your number in the packaging register of your country")


@cross(("nl", NO_SCRIPT))
def test_a_business_in_germany_applies(app, opened, signed_in_as, language, way):
    hands = opened(language, way, signed_in_as("noor"))
    start_as(hands, "A business, registered as such", "DE")
    begin(hands, "Lichtwerk", "lichtwerk")
    there = {"business": "Lichtwerk e.K.", "street": "Lampenweg 5", "town": "Berlin", "phone": "+49 30 123456"}
    fill(hands, "Name, address and e-mail", **there, postcode="1011")
    expect(hands.page.locator("#postcode-errors")).to_be_visible()
    expect(hands.field("Town")).to_have_value("Berlin")
    fill(hands, "Trade register", postcode="10115")
    fill(hands, "Trade register", number="HRA 12345")
    send(hands, "extract", "VAT number")
    hands.tick("I use the small business scheme, or owe no VAT: I have no number.")
    fill(hands, "Who acts for the business")
    fill(hands, "Packaging register", by="Jonas", as_what="Inhaber")
    fill(hands, "Bank account", lucid="DE1234567890123")
    fill(hands, "Tax details", iban="DE89 3704 0044 0532 0130 00")
    fill(hands, "What you sell", tax="12 345 67890")
    fill(hands, "Returns", sells="Lampen van essenhout.")
    promise_and_send_in(hands, "Lichtwerk", 10)
    assert how_it_stands(app) == ("waiting", "business", "DE")


def figures_in(letters) -> str:
    """The six figures of the mail to buyers' address."""
    (mail,) = [mail for mail in letters() if mail["To"] == "bonjour@brume.example"]
    return re.search(r"\b\d{3} ?\d{3}\b", mail.get_body(("plain",)).get_content())[0]


def ask_to_fix_the_mark(rex: Hands) -> None:
    """From the queue, with a reason and words at the item."""
    rex.go("/moderation")
    rex.press("Take %(name)s|Brume")
    rex.lands("Brume")
    item, name = rex.page.locator("#item-mark"), reasons.NAMES["mark"].said(rex.language)
    rex.unfold("Something to fix", item)
    rex.choose("What is wrong", "not_entitled", item)
    rex.fill("In your own words", "BRUMA is another mark.", item)
    rex.press(f"To be fixed: %(item)s|{name}", item)
    expect(item.get_by_text(rex.say("To be fixed"), exact=True)).to_be_visible()
    rex.press("Ask to fix it")
    rex.reads("Sent back, with what has to be put right. They are told by mail.")


@cross(("en", NO_SCRIPT))
def test_a_brand_in_france_applies_and_fixes_the_one_thing_that_it_is_asked(
    app, opened, signed_in_as, letters, language, way
):
    hands = opened(language, way, signed_in_as("noor"))
    start_as(hands, "A brand: a business that sells under its own mark", "FR")
    hands.reads("A certificate of your mark, or a letter of its owner")
    begin(hands, "Brume", "brume")
    there = {"business": "Brume SAS", "street": "7 rue", "postcode": "75011", "town": "Paris"}
    fill(hands, "Name, address and e-mail", **there, phone="+33 1 23456789", email="bonjour@brume.example")
    hands.fill("Six figures", figures_in(letters))
    hands.press("Confirm")
    hands.lands("Trade register")
    fill(hands, "Trade register", number="552 100 554")
    send(hands, "extract", "VAT number")
    hands.tick("I use the small business scheme, or owe no VAT: I have no number.")
    fill(hands, "Who acts for the business")
    fill(hands, "Packaging register", by="Brume", as_what="gérante")
    fill(hands, "Your mark", idu="FR123456_01ABCD")
    send(hands, "mark", "Bank account")
    fill(hands, "Tax details", iban="FR14 2004 1010 0505 0001 3M02 606")
    fill(hands, "What you sell", tax="552100554")
    fill(hands, "Returns", sells="Kaarsen en zeep.")
    promise_and_send_in(hands, "Brume", 11)
    ask_to_fix_the_mark(opened(language, way, signed_in_as("rex", Role.MODERATOR)))
    hands.go("/sell")
    hands.reads("BRUMA is another mark.")
    hands.follow("Go on: %(what)s|Your mark")
    hands.reads("BRUMA is another mark.")
    send(hands, "mark", "Brume")
    hands.press("Send it in")
    hands.reads(WAITS)
    assert how_it_stands(app) == ("waiting", "brand", "FR")
