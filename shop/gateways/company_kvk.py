"""The trade register of the Netherlands: the Basisprofiel of the Chamber of Commerce (KVK), asked with the shop's key.

https://developers.kvk.nl/apis/basisprofiel
"""

from __future__ import annotations

from typing import Any

from shop.gateways import company_line
from shop.gateways.company_port import Entry, RegisterSilentError

SERVER = "https://api.kvk.nl/api/v1"


class KvkRegister:
    """The register, at the address of its server."""

    name = "kvk"

    def __init__(self, key: str, server: str = SERVER) -> None:
        self._key, self._server = key, server

    def find(self, number: str) -> Entry | None:
        """Ask for one company, and keep its names and where it can be visited."""
        if not (number.isascii() and number.isdigit()):
            return None
        told = company_line.ask(f"{self._server}/basisprofielen/{number}", {"apikey": self._key})
        try:
            return _read(told) if told is not None else None
        except (KeyError, TypeError, AttributeError) as error:
            raise RegisterSilentError(type(error).__name__) from error


def _read(told: dict[str, Any]) -> Entry:
    """`{"naam", "statutaireNaam", "handelsnamen": [{"naam"}], "_embedded": {"hoofdvestiging": {"adressen"}}}`."""
    names = [told.get("statutaireNaam"), told["naam"], *(each["naam"] for each in told.get("handelsnamen") or ())]
    ended = (told.get("materieleRegistratie") or {}).get("datumEinde")
    place = (told.get("_embedded") or {}).get("hoofdvestiging") or {}
    return Entry(tuple(dict.fromkeys(str(name)[:120] for name in names if name)), _address(place), is_active=not ended)


def _address(place: dict[str, Any]) -> str:
    """Where it can be visited; one that is shielded is not told."""
    for each in place.get("adressen") or ():
        if each.get("type") == "bezoekadres" and each.get("indAfgeschermd") != "Ja":
            return " ".join(str(each.get("volledigAdres") or "").split())[:300]
    return ""
