"""The door and the application to sell, in a real browser."""

import re

from playwright.sync_api import Page, expect

DATABASES = ("sqlite",)  # what differs between the databases is tried without a browser


def no_complaints(page: Page):
    """What the browser complains about; a 422 is an answer like any other."""
    said = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" and "422" not in m.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def sign_in(page: Page, address: str, noor) -> None:
    page.goto(f"{address}/sell")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("E-mail address").fill(noor.email)
    page.get_by_label("Password").fill(noor.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/sell")


def test_another_kind_of_seller_is_asked_other_things_in_place(page: Page, address, noor):
    complaints = no_complaints(page)
    sign_in(page, address, noor)
    expect(page.get_by_label("Number in the register")).to_have_count(0)
    page.get_by_label("Your full name").fill("Noor Jansen")
    page.get_by_label("A business, registered as such").check()
    expect(page.get_by_label("Number in the register")).to_be_visible()
    expect(page.get_by_label("Name of the business, as in the register")).to_have_value("Noor Jansen")
    expect(page).to_have_url(f"{address}/sell")
    page.get_by_role("button", name="Send my application").click()
    expect(page.get_by_text("Tell us.")).to_be_visible()
    expect(page.get_by_label("Name of the business, as in the register")).to_have_value("Noor Jansen")
    assert complaints == []


def test_without_javascript_a_button_asks_for_it(browser, address, noor):
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, address, noor)
    page.get_by_label("Your full name").fill("Noor Jansen")
    page.get_by_label("A brand: a business that sells under its own mark").check()
    page.get_by_role("button", name="Show what is asked of this kind").click()
    expect(page.get_by_label("Number in the register")).to_be_visible()
    expect(page.get_by_label("Name of the business, as in the register")).to_have_value("Noor Jansen")
    page.context.close()


def test_the_language_changes_where_one_is_and_the_password_in_place(page: Page, address, noor):
    complaints = no_complaints(page)
    sign_in(page, address, noor)
    page.get_by_role("button", name="Nederlands").click()
    expect(page).to_have_url(f"{address}/sell")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    page.goto(f"{address}/account")
    page.get_by_label("Huidig wachtwoord").fill("verkeerd verkeerd")
    page.get_by_label("Nieuw wachtwoord").fill("drie stille ganzen")
    page.get_by_role("button", name="Veranderen").click()
    expect(page.get_by_text("Dit is niet je huidige wachtwoord.")).to_be_visible()
    page.get_by_label("Huidig wachtwoord").fill(noor.password)
    page.get_by_label("Nieuw wachtwoord").fill("drie stille ganzen")
    page.get_by_role("button", name="Veranderen").click()
    expect(
        page.get_by_text("Je wachtwoord is veranderd, en alle andere apparaten zijn uitgelogd.").first
    ).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert complaints == []
