"""The door and the account, in a real browser."""

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
