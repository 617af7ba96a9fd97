"""Choosing a variant, in a real browser, with JavaScript and without."""

import pytest
from playwright.sync_api import expect

from shop.database import db
from shop.models import Picture
from tests.cast import a_product, a_seller, a_variant, both

DATABASES = ("sqlite",)  # what differs between the databases is tried without a browser


@pytest.fixture
def cap(app):
    """A cap: lime in M for EUR 20, plum in M for EUR 25 and in L, which is sold out."""
    with app.test_request_context(method="POST"):
        variants = [
            a_variant(f"{color}-{size}", f"{color}, {size}", price, stock, n, color=both(color), size=size)
            for n, (color, size, price, stock) in enumerate(
                (("lime", "M", 2000, 9), ("plum", "M", 2500, 9), ("plum", "L", 2500, 0))
            )
        ]
        cap = a_product(a_seller("mina", "Atelier Mina"), "cap", "Cap", variants)
        cap.pictures = [
            Picture(position=n, name=f"cap-{n}.webp", width=900, height=900, alt=both(f"Cap, view {n}"))
            for n in range(2)
        ]
        db.session.add(cap)
        db.session.flush()
        variants[1].picture_id = cap.pictures[1].id
        db.session.commit()


def choose_and_add(where):
    """Take the plum one; what is sold out cannot be taken."""
    expect(where.get_by_role("button", name="Add to cart · €20.00", exact=True)).to_be_visible()
    expect(where.get_by_role("radio", name="plum, L")).to_be_disabled()
    where.get_by_role("radio", name="plum, M").check()
    expect(where.locator(".product__prices .product__price:visible")).to_contain_text("€25.00")
    where.get_by_role("button", name="Add to cart · €25.00", exact=True).click()


def test_in_the_sheet_the_price_and_the_picture_follow_the_choice(page, address, cap):
    page.set_viewport_size({"width": 375, "height": 812})
    page.goto(f"{address}/shop")
    page.get_by_role("link", name="Cap").click()
    sheet = page.get_by_role("dialog")
    add = sheet.get_by_role("button", name="Add to cart")
    for seen in (sheet.get_by_text("€20.00").first, sheet.get_by_text("Arrives"), sheet.get_by_text("plum").first, add):
        expect(seen).to_be_in_viewport(ratio=0.9)
    pictures = sheet.locator(".gallery__pictures")
    assert pictures.evaluate("box => box.scrollLeft") == 0
    choose_and_add(sheet)
    expect(page.locator("#cart-size")).to_contain_text("1 thing")
    pictures.scroll_into_view_if_needed()  # a finger that reached for the choice may have moved the sheet up
    expect(sheet.locator('li[data-picture="1"]')).to_be_in_viewport(ratio=0.9)
    sheet.get_by_text("Product code").scroll_into_view_if_needed()
    expect(add).to_be_in_viewport(ratio=0.9)
    sheet.get_by_role("link", name="Picture 1").click()
    expect(sheet.locator('li[data-picture="0"]')).to_be_in_viewport(ratio=0.9)
    assert page.url == f"{address}/shop"


@pytest.mark.parametrize("javascript", [True, False])
def test_on_the_page_noor_chooses_with_javascript_and_without(browser, address, cap, javascript):
    page = browser.new_context(java_script_enabled=javascript, viewport={"width": 375, "height": 812}).new_page()
    page.goto(f"{address}/p/cap")
    choose_and_add(page.locator("#main"))
    if javascript:
        expect(page.locator("#cart-size")).to_contain_text("1 thing")
    page.goto(f"{address}/cart")
    expect(page.get_by_role("main")).to_contain_text("plum, M")
    expect(page.get_by_role("main")).to_contain_text("€25.00")
    page.context.close()


def test_without_javascript_a_thumbnail_is_a_link_to_its_picture(browser, address, cap):
    page = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 812}).new_page()
    page.goto(f"{address}/p/cap")
    page.get_by_role("link", name="Picture 2").click()
    expect(page.locator('li[data-picture="1"]')).to_be_in_viewport(ratio=0.9)
    page.context.close()
