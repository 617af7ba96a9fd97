"""Mina packs an order and sends it: on a phone, in Dutch, with JavaScript off."""

import re

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from shop import accounts
from shop.database import db
from shop.models import Order, Profile, Role
from tests.bookkeeping import bought
from tests.browser.audit import PHONE


@pytest.fixture
def cookie(app, mug, signed_in_as):
    """Mina's session, as her browser keeps it; noor has bought one small mug from her."""
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        db.session.execute(update(Profile).values(user_id=accounts.called("mina@example.com").id))
        db.session.commit()
        bought({mug.small: 1})
    return client.get_cookie("session").value


def test_mina_packs_and_sends_on_her_phone_without_javascript(app, address, cookie, browser: Browser):
    phone = browser.new_context(viewport=PHONE, locale="nl-NL", java_script_enabled=False)
    phone.add_cookies([{"name": "session", "value": cookie, "url": address}])
    page = phone.new_page()
    page.goto(f"{address}/seller")
    page.get_by_role("link", name="1 bestelling om in te pakken").click()
    page.get_by_role("link", name=re.compile("Noor")).click()
    expect(page.get_by_text("3511 AA Utrecht")).to_be_visible()
    page.get_by_role("button", name="Het is ingepakt").click()
    expect(page.get_by_text("Ingepakt. Het ligt klaar")).to_be_visible()
    page.get_by_label("Nummer van het pakket").fill("3s!")
    page.get_by_role("button", name="Verstuurd").click()
    expect(page.get_by_label("Wie bezorgt het?")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Wie bezorgt het?").select_option("postnl")
    page.get_by_role("button", name="Verstuurd").click()
    expect(page.get_by_label("Nummer van het pakket")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Nummer van het pakket").fill("3s abc 123 456")
    page.get_by_role("button", name="Verstuurd").click()
    expect(page.get_by_role("link", name="Volg het pakket")).to_have_attribute("href", re.compile("B=3SABC123456&"))
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    phone.close()
    with app.app_context():
        order = db.session.scalars(db.select(Order)).one()
        assert (order.status, order.carrier, order.tracking) == ("shipped", "postnl", "3SABC123456")
