"""A passkey in a real browser, with a device that Chromium plays; and a paper that is painted over before it leaves."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from shop import accounts, application, clock, invitations, passwords, proofs, vault
from shop.database import db
from shop.gateways import storage_papers
from shop.models import Paper, Role, RoleGrant
from tests.papers import as_file

SECRET = "twelve letters"


@pytest.fixture
def shop(app, address, monkeypatch):
    """Passkeys want a name, and not a number."""
    named = address.replace("127.0.0.1", "localhost")
    monkeypatch.setitem(app.config, "BASE_URL", named)
    return named


def somebody(app, name, *roles):
    kept = passwords.hashed(SECRET)
    with app.test_request_context(method="POST"):
        user = accounts.register(f"{name}@example.com", name.title(), kept)
        user.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
        db.session.commit()


def sign_in(page: Page, shop: str, name: str, to: str) -> None:
    page.goto(f"{shop}/sign-in?next={to}")
    page.get_by_label("E-mail address").fill(f"{name}@example.com")
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def test_rex_makes_a_passkey_and_comes_in_with_it(app, shop, page: Page):
    somebody(app, "rex", Role.MODERATOR)
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    ready = {"isUserVerified": True, "automaticPresenceSimulation": True}
    line.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, **ready}})
    with app.test_request_context(method="POST"):
        token = invitations.invite(accounts.called("rex@example.com").id)
        db.session.commit()
    page.goto(f"{shop}/sign-in/invitation/{token}")
    sign_in(page, shop, "rex", "/moderation")
    page.get_by_label("What do you call this device?").fill("Laptop")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.locator(".proofs__codes code")).to_have_count(10)
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", name="Who waits")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, shop, "rex", "/moderation")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Who waits")).to_be_visible()
    with app.app_context():
        assert [key.name for key in proofs.passkeys_of(accounts.called("rex@example.com").id)] == ["Laptop"]


def test_mina_paints_the_back_of_her_card_by_keyboard_in_dutch_and_takes_a_bar_away_again(app, shop, browser):
    somebody(app, "mina")
    with app.test_request_context(method="POST"):
        person = accounts.as_actor(accounts.called("mina@example.com"))
        application.begin(person, kind="individual", country="NL", handle="mina", shop_name="Atelier Mina")
        db.session.commit()
    page = browser.new_context(locale="nl", base_url=shop).new_page()
    page.goto(f"{shop}/sign-in?next=/sell/identity")
    page.locator("main [name=email]").fill("mina@example.com")
    page.locator("main [name=password]").fill(SECRET)
    page.keyboard.press("Enter")
    camera = page.locator("#camera-back")
    expect(camera).to_have_attribute("capture", "environment")
    white = as_file(Image.new("RGB", (1000, 600), "white"), "PNG")
    camera.set_input_files({"name": "card.png", "mimeType": "image/png", "buffer": white})
    mask = page.locator("paper-mask").filter(has=camera)
    canvas, undo = (
        mask.get_by_label("De foto die verstuurd wordt"),
        mask.get_by_role("button", name="Haal de laatste balk weg"),
    )
    send = page.locator("form").filter(has=camera).get_by_role("button", name="Verstuur het")
    expect(canvas).to_be_visible()
    page.keyboard.press("Tab")  # from here on without a mouse
    canvas.focus()
    page.keyboard.press("Enter")  # the bar is there already: 400 to 650 across, 300 to 342 down
    expect(send).to_be_enabled()
    for key in ("Enter", *["ArrowUp"] * 10, "Enter"):  # the next one, 200 higher
        page.keyboard.press(key)
    expect(send).to_be_enabled()
    undo.focus()
    page.keyboard.press("Enter")
    expect(send).to_be_enabled()
    send.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Gestuurd op")).to_be_visible()
    with app.app_context():
        paper = db.session.scalars(db.select(Paper)).one()
        part = f"{paper.code}.1"
        seen = Image.open(BytesIO(vault.unseal(vault.unwrap(paper.wrapped_key), part, storage_papers.read(part))))
    assert (paper.kind, paper.came_as) == ("back", "jpeg")
    assert (max(seen.getpixel((500, 320))) < 20, min(seen.getpixel((500, 120))) > 235) == (True, True)


def test_what_mina_paints_over_never_leaves_her_phone(app, shop, page: Page):
    somebody(app, "mina")
    with app.test_request_context(method="POST"):
        person = accounts.as_actor(accounts.called("mina@example.com"))
        application.begin(person, kind="individual", country="NL", handle="mina", shop_name="Atelier Mina")
        db.session.commit()
    sign_in(page, shop, "mina", "/sell/identity")
    white = as_file(Image.new("RGB", (1000, 600), "white"), "PNG")
    page.locator("#paper-front").set_input_files({"name": "card.png", "mimeType": "image/png", "buffer": white})
    canvas = page.locator("paper-mask canvas").first
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.6)
    page.mouse.up()
    expect(page.get_by_role("button", name="Send it").first).to_be_enabled()
    page.get_by_role("button", name="Send it").first.click()
    expect(page.get_by_text("Sent on")).to_be_visible()
    with app.app_context():
        paper = db.session.scalars(db.select(Paper)).one()
        part = f"{paper.code}.1"
        seen = Image.open(BytesIO(vault.unseal(vault.unwrap(paper.wrapped_key), part, storage_papers.read(part))))
    middle, corner = seen.getpixel((500, 300)), seen.getpixel((20, 20))
    assert (max(middle) < 20, min(corner) > 235) == (True, True)
