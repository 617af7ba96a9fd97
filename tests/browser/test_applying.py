"""Applying to sell in a browser: a private person by keyboard, a business without JavaScript, a brand with a fix."""

import pytest
from playwright.sync_api import Locator, Page, expect

from shop import accounts, checklist, contact_mail, sellers
from shop.checklist import Item
from shop.database import db
from shop.models import ItemState, Vetting
from shop.words import Words
from tests.browser.test_accounts import no_complaints
from tests.papers import jpeg

DATABASES = ("sqlite",)
PHONE = {"width": 375, "height": 812}


class Hands:
    """Somebody who has no mouse, and counts what they fill in and how often they press."""

    def __init__(self, page: Page) -> None:
        self.page, self.fields, self.presses = page, 0, 0

    def to(self, place: Locator) -> None:
        """By the Tab key, from where one is."""
        expect(place).to_be_visible()
        for _time in range(60):
            if place.evaluate("(it) => it === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {place}")

    def fill(self, label: str, words: str) -> None:
        self.to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.type(words)
        self.fields += 1

    def tick(self, label: str) -> None:
        self.to(self.page.get_by_label(label))
        self.page.keyboard.press("Space")
        self.fields += 1

    def choose(self, place: str, content: bytes) -> None:
        self.to(self.page.locator(place))
        self.page.locator(place).set_input_files({"name": "card.jpg", "mimeType": "image/jpeg", "buffer": content})
        self.fields += 1

    def press(self, name: str, then: str) -> None:
        self.to(self.page.get_by_role("button", name=name, exact=True).first)
        self.page.keyboard.press("Enter")
        self.presses += 1
        expect(self.page.get_by_role("heading", level=1)).to_have_text(then)


def come_in(page: Page, address: str, noor, language: str = "en") -> None:
    """Signed in, on the page where one begins, in this language."""
    page.context.add_cookies([{"name": "language", "value": language, "url": address}])
    page.set_viewport_size(PHONE)
    page.goto(f"{address}/sign-in?next=/sell")
    page.locator("[name=email]").fill(noor.email)
    page.locator("[name=password]").fill(noor.password)
    page.locator("main form button").first.click()
    expect(page).to_have_url(f"{address}/sell")


def fill(page: Page, **fields: str) -> None:
    for name, words in fields.items():
        page.locator(f"main [name={name}]").fill(words)


def press(page: Page, name: str, then: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(then)


def send(page: Page, kind: str, then: str) -> None:
    file = {"name": "paper.jpg", "mimeType": "image/jpeg", "buffer": jpeg(kind)}
    page.locator(f"#paper-{kind}").set_input_files(file)
    press(page, "Verstuur het", then)


def how_it_stands(app) -> tuple[str, str, str]:
    with app.test_request_context():
        seller = sellers.of(accounts.as_actor(accounts.called("noor@example.com")))
        return seller.vetting, seller.kind, seller.country


def test_a_private_person_applies_with_fifteen_fields_and_ten_presses_and_no_mouse(app, page: Page, address, noor):
    complaints = no_complaints(page)
    come_in(page, address, noor)
    hands = Hands(page)
    hands.fill("Name of your shop", "Noor turns mugs")
    hands.fill("Your address at Etalage", "noor")
    hands.press("Begin", "Name, address and e-mail")
    hands.fill("Your full name, as on your identity paper", "Noor Jansen")
    hands.fill("Street and house number", "Oudegracht 1")
    hands.fill("Postcode", "3511 AA")
    hands.fill("Town", "Utrecht")
    hands.fill("Telephone", "+31 30 123 45 67")
    hands.press("Keep and go on", "Identity paper")
    hands.choose("#paper-front", jpeg("FRONT"))
    hands.press("Send it", "Identity paper")
    expect(page.get_by_text("Sent on")).to_have_count(1)
    hands.choose("#paper-back", jpeg("BACK"))
    hands.to(page.get_by_role("button", name="Send it", exact=True).last)
    page.keyboard.press("Enter")
    hands.presses += 1
    expect(page.get_by_role("heading", level=1)).to_have_text("Bank account")
    hands.fill("Account number (IBAN)", "NL91 ABNA 0417 1643 00")
    hands.press("Keep and go on", "Tax details")
    hands.fill("Tax number", "999999990")
    hands.fill("Day of birth", "05171990")
    hands.press("Keep and go on", "What you sell")
    hands.fill("What do you want to sell?", "Mugs that I turn myself.")
    hands.press("Keep and go on", "Returns")
    hands.press("Keep and go on", "Promise and terms")
    hands.tick("I sell only what the law of the European Union allows")
    hands.tick("I agree to the terms for sellers.")
    hands.press("Keep", "Noor turns mugs")
    expect(page.get_by_text("7 of 7 done")).to_be_visible()
    hands.press("Send it in", "Noor turns mugs")
    expect(page.get_by_text("Your application waits for a moderator.")).to_be_visible()
    assert (hands.fields, hands.presses) == (15, 10)
    assert how_it_stands(app) == ("waiting", "individual", "NL")
    assert complaints == []


def test_a_business_in_germany_applies_without_javascript_in_dutch(app, browser, address, noor):
    page = browser.new_context(java_script_enabled=False).new_page()
    come_in(page, address, noor, "nl")
    page.get_by_label("Een bedrijf, als zodanig ingeschreven").check()
    page.locator("[name=country]").select_option("DE")
    press(page, "Toon wat er van deze soort wordt gevraagd", "Verkopen bij Etalage")
    expect(page.get_by_text("Je nummer in het verpakkingsregister van je land")).to_be_visible()
    fill(page, shop_name="Lichtwerk", handle="lichtwerk")
    press(page, "Beginnen", "Naam, adres en e-mail")
    fill(page, legal_name="Lichtwerk e.K.", street="Lampenweg 5", postcode="1011", city="Berlin", phone="+49 30 123456")
    press(page, "Bewaren en verder", "Naam, adres en e-mail")
    expect(page.locator("#postcode-errors")).to_be_visible()
    expect(page.locator("[name=city]")).to_have_value("Berlin")
    fill(page, postcode="10115")
    press(page, "Bewaren en verder", "Handelsregister")
    fill(page, company_number="HRA 12345")
    press(page, "Bewaren en verder", "Handelsregister")
    send(page, "extract", "Btw-nummer")
    page.locator("[name=is_small_business]").check()
    press(page, "Bewaren en verder", "Wie namens het bedrijf handelt")
    fill(page, represented_by="Jonas", represented_as="Inhaber")
    press(page, "Bewaren en verder", "Verpakkingen")
    fill(page, number="DE1234567890123")
    press(page, "Bewaren en verder", "Bankrekening")
    fill(page, iban="DE89 3704 0044 0532 0130 00")
    press(page, "Bewaren en verder", "Belastinggegevens")
    fill(page, number="12/345/67890")
    press(page, "Bewaren en verder", "Wat je verkoopt")
    fill(page, sells_what="Lampen van essenhout.")
    press(page, "Bewaren en verder", "Retouren")
    press(page, "Bewaren en verder", "Belofte en voorwaarden")
    for box in page.locator("main [type=checkbox]").all():
        box.check()
    press(page, "Bewaren", "Lichtwerk")
    expect(page.get_by_text("10 van 10 klaar")).to_be_visible()
    press(page, "Insturen", "Lichtwerk")
    expect(page.get_by_text("Je aanvraag wacht op een moderator.")).to_be_visible()
    assert how_it_stands(app) == ("waiting", "business", "DE")
    page.context.close()


@pytest.fixture
def rex(app, signed_in_as):
    signed_in_as("rex")
    with app.app_context():
        return accounts.as_actor(accounts.called("rex@example.com"))


def ask_to_fix(app, rex, item: Item, words: str) -> None:
    """What a moderator does, by the rules."""
    with app.test_request_context(method="POST"):
        seller = sellers.called("brume")
        for each in checklist.asked_of(seller.kind, seller.country):
            checklist.judge(seller, each, ItemState.ACCEPTED, by=rex)
        checklist.judge(seller, item, ItemState.FIX, by=rex, words=Words(nl=words))
        sellers.move(seller, Vetting.NEEDS_FIXING, by=rex, note="", is_told=False)
        db.session.commit()


def test_a_brand_in_france_applies_in_dutch_and_fixes_the_one_thing_it_is_asked(app, page: Page, address, noor, rex):
    complaints = no_complaints(page)
    come_in(page, address, noor, "nl")
    page.get_by_label("Een merk: een bedrijf dat onder eigen merk verkoopt").check()
    page.locator("[name=country]").select_option("FR")
    expect(page.get_by_text("Een bewijs van je merk")).to_be_visible()
    expect(page.get_by_text("Je nummer in het verpakkingsregister van je land")).to_be_visible()
    fill(page, shop_name="Brume", handle="brume")
    press(page, "Beginnen", "Naam, adres en e-mail")
    fill(page, legal_name="Brume SAS", street="7 rue", postcode="75011", city="Paris", phone="+33 1 23456789")
    fill(page, email="bonjour@brume.example")
    press(page, "Bewaren en verder", "Naam, adres en e-mail")
    expect(page.get_by_label("Zes cijfers")).to_be_visible()
    with app.test_request_context():
        figures = contact_mail.figures_for(sellers.of(accounts.as_actor(accounts.called(noor.email))))
    fill(page, figures=figures)
    press(page, "Bevestigen", "Handelsregister")
    fill(page, company_number="552 100 554")
    press(page, "Bewaren en verder", "Handelsregister")
    send(page, "extract", "Btw-nummer")
    page.locator("[name=is_small_business]").check()
    press(page, "Bewaren en verder", "Wie namens het bedrijf handelt")
    fill(page, represented_by="Brume", represented_as="gérante")
    press(page, "Bewaren en verder", "Verpakkingen")
    fill(page, number="FR123456_01ABCD")
    press(page, "Bewaren en verder", "Je merk")
    send(page, "mark", "Bankrekening")
    fill(page, iban="FR14 2004 1010 0505 0001 3M02 606")
    press(page, "Bewaren en verder", "Belastinggegevens")
    fill(page, number="123456789")
    press(page, "Bewaren en verder", "Wat je verkoopt")
    fill(page, sells_what="Kaarsen en zeep.")
    press(page, "Bewaren en verder", "Retouren")
    press(page, "Bewaren en verder", "Belofte en voorwaarden")
    for box in page.locator("main [type=checkbox]").all():
        box.check()
    press(page, "Bewaren", "Brume")
    press(page, "Insturen", "Brume")
    expect(page.get_by_text("Je aanvraag wacht op een moderator.")).to_be_visible()
    ask_to_fix(app, rex, Item.MARK, "Op dit bewijs staat een ander merk.")
    page.reload()
    expect(page.get_by_text("Op dit bewijs staat een ander merk.")).to_be_visible()
    expect(page.get_by_text("Akkoord")).to_have_count(10)
    page.get_by_role("link", name="Verder: Je merk").click()
    expect(page.get_by_text("Op dit bewijs staat een ander merk.")).to_be_visible()
    send(page, "mark", "Brume")
    press(page, "Insturen", "Brume")
    expect(page.get_by_text("Je aanvraag wacht op een moderator.")).to_be_visible()
    assert how_it_stands(app) == ("waiting", "brand", "FR")
    assert complaints == []
