"""Addresses from the Dutch Kadaster: the Locatieserver of PDOK, which reads the national register (BAG).

It is free and asks for no key. It is told a postcode and a house number, by our server: never who asks, and nothing
from the visitor's browser. https://www.pdok.nl/pdok-locatieserver
"""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from shop.gateways.address_port import PATIENCE, Found, LookUpFailedError

SERVER = "https://api.pdok.nl/bzk/locatieserver/search/v3_1"
LARGEST = 64 * 1024  # bytes; an answer of one address has less than one thousand


class PdokLookUp:
    """The register, at the address of its server."""

    def __init__(self, server: str = SERVER) -> None:
        self._server = server

    def find(self, postcode: str, number: int) -> Found | None:
        """Ask for one address, and for no more than its street and town."""
        asked = [
            ("q", f"postcode:{postcode} and huisnummer:{number}"),
            *(("fq", "type:adres"), ("fq", f"postcode:{postcode}"), ("fq", f"huisnummer:{number}")),
            *(("fl", "straatnaam,woonplaatsnaam"), ("rows", "1")),
        ]
        request = Request(f"{self._server}/free?{urlencode(asked)}", headers={"Accept": "application/json"})  # noqa: S310  ours
        try:
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  the scheme is ours
                return _read(json.loads(answer.read(LARGEST)))
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise LookUpFailedError(type(error).__name__) from error


def _read(told: Any) -> Found | None:
    """The first address in an answer: `{"response": {"docs": [{"straatnaam": ..., "woonplaatsnaam": ...}]}}`."""
    docs = told["response"]["docs"]
    return Found(str(docs[0]["straatnaam"])[:120], str(docs[0]["woonplaatsnaam"])[:80]) if docs else None
