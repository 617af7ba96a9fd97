"""Rex decides by keyboard in two minutes; and all of it without JavaScript, in Dutch, down to an appeal."""

from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from shop import accounts, application, clock, sellers
from shop.checklist import Item
from shop.database import db
from shop.models import Role, Seller
from tests.applicants import accept_all, an_applicant


def let_in(context, client, address):
    """This window is of who is signed in in this browser."""
    context.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in client._cookies.values()])


def vetting(app):
    with app.test_request_context():
        return db.session.scalar(db.select(Seller.vetting))


def test_rex_triages_by_keyboard_from_the_queue_to_the_approval(app, address, signed_in_as, page: Page):
    with app.test_request_context(method="POST"):
        an_applicant()
    let_in(page.context, signed_in_as("rex", Role.MODERATOR), address)
    page.goto(f"{address}/moderation")
    press = page.keyboard.press
    press("?")
    expect(page.get_by_text("to the next, to the one before")).to_be_visible()
    press("j")
    expect(page.get_by_role("button", name="Take Atelier Mina")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name="Atelier Mina")).to_be_visible()
    press("j")
    expect(page.get_by_role("button", name="Accept: Name and contact")).to_be_focused()
    press("Enter")
    until = page.get_by_label("The paper is valid until")
    expect(until).to_be_focused()
    until.fill(str(clock.now().date() + timedelta(days=900)))
    press("Enter")
    for name in ("Bank account", "Tax details", "What you sell", "Where returns go", "Promise and terms"):
        expect(page.get_by_role("button", name=f"Accept: {name}")).to_be_focused()
        press("Enter")
    approve = page.get_by_role("button", name="Approve: they may sell")
    expect(approve).to_be_focused()
    press("r")
    expect(page.get_by_label("Reason").first).to_be_focused()
    press("Shift+Tab")  # in a field letters are letters
    press("a")
    expect(approve).to_be_focused()
    press("Enter")
    expect(page.get_by_text("Approved. They are told by mail")).to_be_visible()
    assert vetting(app) == "approved"


def test_without_javascript_it_is_asked_refused_and_appealed_to_another_one(
    app, address, signed_in_as, browser: Browser
):
    with app.test_request_context(method="POST"):
        an_applicant()
    windows = {}
    for name, roles in (("rex", [Role.MODERATOR]), ("ada", [Role.ADMIN]), ("mina", [])):
        context = browser.new_context(java_script_enabled=False, locale="nl", base_url=address)
        let_in(context, signed_in_as(name, *roles), address)
        windows[name] = context.new_page()
    rex, ada, mina = windows["rex"], windows["ada"], windows["mina"]
    rex.goto("/moderation")
    rex.get_by_role("button", name="Pak Atelier Mina").click()
    goods = rex.locator("#item-goods")
    goods.get_by_text("Er moet iets beter").click()
    goods.get_by_label("Wat er mis is").select_option("vague")
    goods.get_by_label("In je eigen woorden").fill("Welke mokken?")
    goods.get_by_role("button", name="Moet beter: Wat je verkoopt").click()
    rex.get_by_role("button", name="Vraag om het te verbeteren").click()
    expect(rex.get_by_text("Teruggestuurd")).to_be_visible()
    mina.goto("/sell")
    expect(mina.get_by_text("Welke mokken?").first).to_be_visible()
    with app.test_request_context(method="POST"):
        owner = accounts.as_actor(accounts.called("mina@example.com"))
        application.tell(owner, Item.GOODS, {"sells_what": "Copies of well-known mugs."})
        application.submit(owner)
        db.session.commit()
    rex.goto("/moderation/sellers/mina")
    rex.get_by_role("button", name="Pak het, om te beslissen").click()
    rex.locator("#decide").get_by_label("Reden").select_option("goods_not_allowed")
    rex.locator("#decide").get_by_label("Wat er gebeurde: de aanvrager leest dit").fill("Dit zijn kopieën.")
    rex.get_by_role("button", name="Afwijzen").click()
    expect(rex.get_by_text("Afgewezen. Ze lezen per mail waarom")).to_be_visible()
    mina.goto("/statements")
    mina.get_by_role("link", name="Afgewezen").click()
    expect(mina.get_by_text("Wat je wilt verkopen mag hier niet.")).to_be_visible()
    mina.get_by_label("Waarom het besluit niet klopt").fill("Ik draai ze zelf, kijk maar.")
    mina.get_by_role("button", name="Bezwaar").click()
    expect(mina.get_by_text("Het wacht op iemand die er nog niet over oordeelde.")).to_be_visible()
    rex.goto("/moderation/sellers/mina")
    expect(rex.get_by_text("Over deze aanvraag beslist een andere moderator.")).to_be_visible()
    with app.test_request_context(method="POST"):
        accept_all(sellers.called("mina"), accounts.as_actor(accounts.called("ada@example.com")))
        db.session.commit()
    ada.goto("/moderation/appeals")
    ada.get_by_role("link", name="Atelier Mina").click()
    expect(ada.get_by_text("Ik draai ze zelf, kijk maar.")).to_be_visible()
    ada.get_by_role("link", name="Alles wat we over ze weten").click()
    ada.get_by_role("button", name="Goedkeuren: ze mogen verkopen").click()
    expect(ada.get_by_text("Goedgekeurd. Ze")).to_be_visible()
    ada.goto("/moderation/sellers/mina")  # mina is signed out: she has new rights
    expect(ada.get_by_text("bezwaar toegekend")).to_be_visible()
    assert vetting(app) == "approved"
    for window in windows.values():
        window.context.close()
