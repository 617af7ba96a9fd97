"""Tax numbers: under which somebody pays income tax. Is it written as the country that gave it writes them?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from stdnum.be import nn
from stdnum.de import idnr
from stdnum.exceptions import ValidationError
from stdnum.fr import nif
from stdnum.nl import bsn

from shop import clock
from shop.i18n import _

OLDEST = 120  # years

# Those of people that carry a check digit; in the Netherlands that of a business (RSIN) has the same one.
_PEOPLE: dict[str, Callable[[str], str]] = {
    "NL": bsn.validate,
    "BE": nn.validate,
    "DE": idnr.validate,
    "FR": nif.validate,
}
_BUSINESSES: dict[str, Callable[[str], str]] = {"NL": bsn.validate}
_ANY = r"[0-9A-Z]{4,20}"


def normal(text: str) -> str:
    """A number without what stands between its figures, in capitals."""
    return re.sub(r"[\s./-]", "", text).upper()


def error(country: str, text: str, *, is_person: bool) -> str | None:
    """What is wrong with this number from this country (ISO 3166); None where nothing is. It never repeats it."""
    number = normal(text)
    if not re.fullmatch(_ANY, number, re.ASCII):
        return _("A tax number has 4 to 20 letters and figures.")
    check = (_PEOPLE if is_person else _BUSINESSES).get(country)
    try:
        if check is not None:
            check(number)
    except ValidationError:
        return _("This is no such number of that country: one of its figures is wrong, or missing.")
    return None


def birth_error(born: date | None) -> str | None:
    """Can somebody be alive who was born on this day?"""
    today = clock.now().date()
    if born is None or not today.year - OLDEST < born.year or born >= today:
        return _("Fill in the day on which you were born.")
    return None
