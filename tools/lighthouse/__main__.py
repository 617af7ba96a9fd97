"""Lighthouse's opinion of the pages that sell, as a phone: `make lighthouse`.

Opens the demo in a shop of its own, puts something into the cart, and prints two lines a page: the scores, and when the
page is there and holds still. The exit status is 1 when one is off its bar. `make lighthouse PAGES="feed cart"` looks
at those only.
"""

from __future__ import annotations

import json
import os
import sys
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode, urlsplit

from shop.demo import catalogue
from tests.faults.shops import opened
from tools import node

HERE = Path(__file__).parent
BARS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
# When the largest thing is there and how long the page is deaf, in milliseconds, and how far things jump: at the most.
TIMES = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
MOST = {
    "feed": (2000, 150, 0.02),
    "shop": (1800, 100, 0.02),
    "product": (1800, 100, 0.02),
    "cart": (1800, 100, 0.02),
    "checkout": (2000, 150, 0.0),
}
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
PAGES = {
    "feed": "/",
    "shop": "/shop",
    "product": f"/p/{catalogue.code('product', 'wolk-sneaker')}",
    "cart": "/cart",
    "checkout": "/checkout",
}


def filled_cart(address: str) -> str:
    """The cookie of somebody who has put a sneaker and a candle into the cart."""
    cookie = ""
    for sku in ("wolk-sneaker-lilac-39", "candle"):
        shop = HTTPConnection(urlsplit(address).netloc, timeout=10)
        form = urlencode({"variant": catalogue.code("variant", sku)})
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        shop.request("POST", "/cart/lines", form, {**kind, **({"Cookie": cookie} if cookie else {})})
        answer = shop.getresponse()
        if answer.status != 303:
            sys.exit(f"{sku} cannot be put into the cart: {answer.status}")
        cookie = (answer.headers["Set-Cookie"] or cookie).partition(";")[0]
    return cookie


def looked_at(address: str, folder: Path, cookie: str) -> tuple[dict[str, int], tuple[float, ...]]:
    """Out of a hundred, by category; and the `TIMES`."""
    report = folder / "report.json"
    options = ["--quiet", "--output=json", f"--output-path={report}", f"--chrome-flags={FLAGS}"]
    options += ["--extra-headers", json.dumps({"Cookie": cookie})]
    if node.run(HERE, "lighthouse", address, *options, f"--only-categories={','.join(BARS)}"):
        sys.exit(f"Lighthouse could not look at {address}")
    told = json.loads(report.read_text())
    scores = {name: round((told["categories"][name]["score"] or 0) * 100) for name in BARS}
    return scores, tuple(round(told["audits"][name]["numericValue"], 3) for name in TIMES)


def _verdict(is_kept: bool) -> str:
    return "PASS" if is_kept else "FAIL"


def _in_words(paint: float, deaf: float, jumps: float) -> str:
    return f"LCP {paint / 1000:.2f} s, TBT {deaf:.0f} ms, CLS {jumps:g}"


def main() -> int:
    """Look at each page."""
    failed = 0
    with TemporaryDirectory() as folder, opened(Path(folder), DEMO="1") as shop:
        cookie = filled_cart(shop.address)
        for name in os.environ.get("PAGES", "").split() or PAGES:
            scores, times = looked_at(f"{shop.address}{PAGES[name]}", Path(folder), cookie)
            kept = all(scores[what] >= bar for what, bar in BARS.items())
            quick = all(time <= most for time, most in zip(times, MOST[name], strict=True))
            failed += (not kept) + (not quick)
            told = ", ".join(f"{what} {score}" for what, score in scores.items())
            print(f"{_verdict(kept)} L {name}: {told} ({'/'.join(map(str, BARS.values()))})", flush=True)
            told = _in_words(*times)
            print(f"{_verdict(quick)} L {name}: {told} (at most {_in_words(*MOST[name])})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
