"""The pictures of the README, taken from the shop as it is: `make pictures` writes docs/pictures/*.webp.

A real shop with the demo, a phone of 375 x 812 points, Chromium. Where a picture cannot be taken the command fails, so
that the README shows nothing that is not there.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from shop import demo
from shop.demo import catalogue
from tests.browser.conftest import FLAGS
from tests.faults.shops import opened

PHONE = {"width": 375, "height": 812}
SNEAKER = f"/p/{catalogue.code('product', 'wolk-sneaker')}"
CLIP = f"/v/{catalogue.code('clip', 'weekend-packing')}"


@contextmanager
def window(browser: Browser, shop: str, *, dark: bool = False, who: str = "") -> Iterator[Page]:
    """A window of somebody, who has signed in if there is a `who`."""
    context = browser.new_context(
        base_url=shop,
        viewport=PHONE,
        device_scale_factor=2,
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        has_touch=True,
        bypass_csp=True,  # to ask the page how far the film is
    )
    context.add_cookies([{"name": "language", "value": "en", "url": shop}])  # not what the demo's people read
    page = context.new_page()
    if who:
        page.goto("/sign-in")
        page.fill("input[name=email]", f"{who}@example.com")
        page.fill("input[name=password]", demo.PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
    yield page
    context.close()


def feed(page: Page) -> None:
    """A clip that has been playing for a moment."""
    page.goto(CLIP)
    page.wait_for_function("[...document.querySelectorAll('video')].some(v => v.currentTime > 2)")


def sheet(page: Page) -> None:
    """The product, over the clip."""
    feed(page)
    page.locator(".tag-chip__link:visible").first.click()
    page.locator("#sheet-body form").first.wait_for()
    page.wait_for_timeout(500)


def at(address: str, *first: str) -> Callable[[Page], None]:
    """A page, after the things of `first` (their SKUs) have been put into the cart."""

    def go(page: Page) -> None:
        for sku in first:
            form = {"variant": catalogue.code("variant", sku)}
            page.request.post("/cart/lines", form=form, headers={"Sec-Fetch-Site": "same-origin"})
        page.goto(address)
        page.wait_for_load_state("networkidle")

    return go


CART = ("wolk-sneaker-lilac-39", "candle", "honey")
# Name -> who looks, how, and at what.
SHOTS: dict[str, tuple[dict[str, object], Callable[[Page], None]]] = {
    "feed": ({}, feed),
    "sheet": ({}, sheet),
    "product": ({"dark": True}, at(SNEAKER)),
    "shop": ({}, at("/shop")),
    "cart": ({}, at("/cart", *CART)),
    "checkout": ({}, at("/checkout", *CART)),
    "showcase": ({}, at("/@huis.van.smaak")),
    "studio": ({"who": "kai"}, at("/studio")),
}


def take(folder: Path, names: list[str]) -> None:
    """Take the pictures of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as home, opened(Path(home), DEMO="1") as shop, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=FLAGS.split())
        for name in names:
            how, go = SHOTS[name]
            with window(browser, shop.address, **how) as page:  # type: ignore[arg-type]
                go(page)
                _save(page.screenshot(), folder / f"{name}.webp")
        browser.close()


def _save(png: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.save(path, quality=78, method=6)
    print(f"{path}  {picture.width}x{picture.height}  {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    take(Path(sys.argv[1]), sys.argv[2:] or list(SHOTS))
