"""Carriers: who brings parcels, and where one can follow them. The addresses are the carriers' own, and theirs to move.

A parcel of a carrier that is not in the table can be followed by its number alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from shop.errors import Refused
from shop.i18n import _


class Carrier(NamedTuple):
    """A carrier, and its page for a parcel: `{number}`, and where that is asked for `{postcode}` and `{country}`."""

    name: str
    page: str


OTHER = "other"
CARRIERS = {
    "postnl": Carrier("PostNL", "https://postnl.nl/tracktrace/?B={number}&P={postcode}&D={country}&T=C"),
    "dhl": Carrier("DHL", "https://www.dhl.com/nl-en/home/tracking.html?tracking-id={number}"),
    "dpd": Carrier("DPD", "https://tracking.dpd.de/status/nl_NL/parcel/{number}"),
    "gls": Carrier("GLS", "https://gls-group.com/track/{number}"),
    "ups": Carrier("UPS", "https://www.ups.com/track?tracknum={number}"),
    "bpost": Carrier("bpost", "https://track.bpost.cloud/btr/web/#/search?itemCode={number}&postalCode={postcode}"),
    "deutsche_post": Carrier(
        "Deutsche Post", "https://www.deutschepost.de/sendung/simpleQuery.html?form.sendungsnummer={number}"
    ),
    "colissimo": Carrier("Colissimo", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"),
    OTHER: Carrier("", ""),
}
_NUMBER = re.compile(r"[A-Z0-9]{5,40}")


def tidy(number: str) -> str:
    """A parcel's number as carriers write it: without spaces, dots and hyphens, in capitals."""
    return re.sub(r"[\s.-]", "", number).upper()


def is_number(number: str) -> bool:
    """Can this be the number of a parcel? Letters and figures only, so it is harmless in an address."""
    return bool(_NUMBER.fullmatch(number))


def number_of(carrier: str, tracking: str, *, is_followed: bool) -> str:
    """A parcel's number as its carrier writes it; 422 for what is none, and for none where it is to be followed."""
    number = tidy(tracking)
    if carrier not in CARRIERS:
        raise Refused(_("Choose who brings it."), 422)
    if is_followed and not number:
        raise Refused(_("Fill in the number of the parcel, or say that it has none."), 422)
    if number and not is_number(number):
        raise Refused(_("This is no parcel's number: those have at least five letters and figures."), 422)
    return number


def page_of(carrier: str, number: str, postcode: str, country: str) -> str:
    """Where this parcel can be followed; nothing where its carrier is not known, or has no number for it."""
    known = CARRIERS.get(carrier)
    if known is None or not known.page or not is_number(number):
        return ""
    return known.page.format(number=number, postcode=quote(postcode.replace(" ", "")), country=quote(country))
