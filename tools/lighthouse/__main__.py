"""Lighthouse's opinion of the pages that sell, as a phone: `make lighthouse`.

Opens a furnished shop of its own and prints one line a page; the exit status is 1 when a page is below the bar.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.shops import opened
from tools import node

HERE = Path(__file__).parent
BARS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
PAGES = {"feed": "/", "shop": "/shop", "cart": "/cart", "checkout": "/checkout"}


def scores(address: str, folder: Path) -> dict[str, int]:
    """Out of a hundred, by category."""
    report = folder / "report.json"
    options = ["--quiet", "--output=json", f"--output-path={report}", f"--chrome-flags={FLAGS}"]
    if node.run(HERE, "lighthouse", address, *options, f"--only-categories={','.join(BARS)}"):
        sys.exit(f"Lighthouse could not look at {address}")
    categories = json.loads(report.read_text())["categories"]
    return {name: round((categories[name]["score"] or 0) * 100) for name in BARS}


def main() -> int:
    """Look at each page."""
    failed = 0
    with TemporaryDirectory() as folder, opened(Path(folder), DEMO="1") as shop:
        for name, path in {**PAGES, **json.loads(os.environ.get("PAGES", "{}"))}.items():
            got = scores(f"{shop.address}{path}", Path(folder))
            kept = all(got[what] >= bar for what, bar in BARS.items())
            failed += not kept
            told = ", ".join(f"{what} {score}" for what, score in got.items())
            print(f"{'PASS' if kept else 'FAIL'} L {name}: {told} ({'/'.join(map(str, BARS.values()))})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
