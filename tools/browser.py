"""See that there is a Chromium for the tests, and bring one if need be: `python -m tools.browser` prints its path.

In this order: the one that CHROMIUM names, the system's own, Debian's package where we may install it, Playwright's
own download. When none can be had it says what is missing and fails: a browser test is never skipped in silence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """The path of a Chromium that is here already."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return next((path for name in NAMES if (path := shutil.which(name))), None) or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = play.chromium.executable_path
    return path if Path(path).exists() else None


def from_debian() -> str | None:
    """Install Debian's package, where this is a Debian and we are root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(command, env=quiet, stdout=sys.stderr, check=False)
    return shutil.which("chromium")


def from_playwright() -> str | None:
    """Let Playwright download the build that it was made for."""
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)
    return _playwrights_own()


def main() -> int:
    """Print the path, or say what is missing."""
    for way in (found, from_debian, from_playwright):
        if path := way():
            print(path)
            return 0
    print(
        "No browser: the tests need a Chromium. Install one (on Debian or Ubuntu: apt-get install chromium), "
        "or name yours with CHROMIUM=/path/to/it.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
