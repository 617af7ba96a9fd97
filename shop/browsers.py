"""Browsers: what people call the one that they use."""

from __future__ import annotations


def device_name(browser: str) -> str:
    """A browser as people call it; its own name is long, and says that it is everything."""
    name = next((says for sign, says in _BROWSERS if sign in browser), "")
    system = next((says for sign, says in _SYSTEMS if sign in browser), "")
    return " - ".join(part for part in (name, system) if part)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
