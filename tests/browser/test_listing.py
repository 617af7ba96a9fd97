"""Mina lists a shoe in two sizes on her phone, with a picture, by keyboard, in a real browser."""

import pytest
from playwright.sync_api import expect

from shop.database import db
from shop.delivery_tables import Stretch, lay
from shop.models import Role
from tests.browser.audit import PHONE
from tests.cast import a_category, a_profile, a_seller
from tests.papers import jpeg

# What differs between the databases is tried without a browser; without JavaScript too (tests/routes/test_listings.py).
pytestmark = pytest.mark.parametrize("built", ["sqlite"], indirect=True, scope="session")


@pytest.fixture
def phone(browser, app, address, signed_in_as):
    """Mina's phone; she sells shoes from Utrecht, and has a delivery table."""
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        user = db.session.execute(db.text("SELECT id FROM users WHERE email = 'mina@example.com'")).scalar()
        seller = a_seller("mina", "Atelier Mina", profile=a_profile("mina", "Atelier Mina", user_id=user))
        db.session.add_all([seller, a_category("shoes", "Shoes")])
        db.session.flush()
        lay(seller, [Stretch("NL", 1, 2, 395)])
        db.session.commit()
    context = browser.new_context(viewport=PHONE, locale="en", base_url=address)
    context.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in client._cookies.values()])
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
    yield page
    context.close()


def write(page, label, words, within="body"):
    """Go to a field by its label and type, as with a keyboard."""
    field = page.locator(within).get_by_label(label, exact=True)
    field.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(words)


def press(page, name, within="body"):
    """Press a button with the keyboard."""
    page.locator(within).get_by_role("button", name=name, exact=True).focus()
    page.keyboard.press("Enter")


def save(page, section):
    """Save a section, and see in its place that it is saved."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as saved:
        press(page, "Save", f"#s-{section}")  # and then one is at its heading
    assert saved.value.status == 200
    expect(page.get_by_text("Saved.").first).to_be_visible()
    expect(page.locator(f"#h-{section}")).to_be_focused()


def test_mina_lists_a_shoe_in_two_sizes_with_a_picture_on_her_phone(phone, client):
    phone.goto("/seller/products/new")
    write(phone, "Title in English", "Cloud shoe")
    phone.get_by_label("What kind of thing is it?").select_option("shoes")
    write(phone, "Description in English", "Light as air.")
    press(phone, "Begin")
    expect(phone.get_by_text("Before it can be for sale:")).to_be_visible()
    here = phone.url

    write(phone, "Colours", "lila / lilac")
    write(phone, "Sizes", "38, 39")
    phone.keyboard.press("Enter")  # in a field of the grid: another grid, and nothing is kept
    for size, price, stock in (("38", "79,95", "5"), ("39", "84.95", "2")):
        cell = f"fieldset:has(> legend:text('lila / lilac, {size}'))"
        write(phone, "Price, €", price, cell)
        write(phone, "Stock", stock, cell)
    save(phone, "variants")

    shoe = {"name": "shoe.jpg", "mimeType": "image/jpeg", "buffer": jpeg("SHOE")}
    phone.get_by_label("Or take a photograph").set_input_files(shoe)
    press(phone, "Send", "#s-pictures")
    expect(phone.locator(".shots__picture")).to_have_count(1)
    write(phone, "What one sees, in English", "A grey shoe")
    save(phone, "pictures")

    maker = {"Name": "Wolk", "E-mail address": "w@maker.example", "Street and house number": "Dorp 1", "Town": "Gent"}
    for label, words in maker.items():
        field = phone.locator("#s-safety").get_by_label(label, exact=True).first
        field.focus()
        phone.keyboard.type(words)
    phone.locator("#maker_country").select_option("BE")
    save(phone, "safety")
    write(phone, "Weight in grams, packed", "800")
    save(phone, "origin")

    expect(phone.get_by_text("Before it can be for sale:")).to_have_count(0)
    press(phone, "Put up for sale")
    expect(phone.locator("#s-state").get_by_text("For sale")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert phone.complaints == []
    shown = client.get(f"/p/{here.rsplit('/', 1)[1]}", headers={"Accept-Language": "en"}).text
    assert all(words in shown for words in ("Cloud shoe", "€79.95", "€84.95", "A grey shoe", "Arrives"))
