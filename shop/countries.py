"""Countries: where people live, sell and have things delivered. One list for every form, with how a postcode looks."""

from __future__ import annotations

import re

HOME = "NL"  # where we deliver until somebody says otherwise

# The member states of the European Union, by ISO 3166.
_WEST = ("AT", "BE", "DE", "DK", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "NL", "PT", "SE")
_EAST = ("BG", "CY", "CZ", "EE", "HR", "HU", "LT", "LV", "MT", "PL", "RO", "SI", "SK")
EU = frozenset((*_WEST, *_EAST))

# In the order in which they are offered. The groups of a postcode are written with a space between them.
POSTCODES = {
    "NL": r"([1-9]\d{3}) ?([A-Z]{2})",
    "BE": r"([1-9]\d{3})",
    "DE": r"(\d{5})",
    "FR": r"(\d{5})",
    "LU": r"(\d{4})",
}
COUNTRIES = tuple(POSTCODES)
# From where one may sell: the countries nearby first, then the other member states, then some outside the union.
OUTSIDE = ("CH", "CN", "GB", "NO", "TR", "US")
ORIGINS = ("NL", "BE", "DE", "FR", *sorted(EU - {"NL", "BE", "DE", "FR"}), *OUTSIDE)
_ANYWHERE = r"([A-Z0-9][A-Z0-9 -]{1,10})"  # of whom we do not know how they write it


def postcode(country: str, text: str) -> str | None:
    """A postcode as this country writes it, `1234 AB`; None for what is none."""
    found = re.fullmatch(POSTCODES.get(country, "(?!)"), text.strip().upper())
    return " ".join(found.groups()) if found else None


def postcode_of_origin(country: str, text: str) -> str | None:
    """As `postcode`, of any country from where one may sell; where we do not know how it looks, nearly all will do."""
    if country in POSTCODES:
        return postcode(country, text)
    found = re.fullmatch(_ANYWHERE, text.strip().upper())
    return found[1] if found and country in ORIGINS else None
