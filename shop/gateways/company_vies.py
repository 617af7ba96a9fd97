"""The VAT numbers of the European Union: VIES of the European Commission, which asks the country's tax office.

It is free and asks for no key. Some countries say only whether a number is valid. https://ec.europa.eu/taxation_customs/vies
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from shop.gateways import company_line
from shop.gateways.company_port import Entry, RegisterSilentError

SERVER = "https://ec.europa.eu/taxation_customs/vies/rest-api"
NOT_TOLD = "---"


class ViesRegister:
    """The service, at the address of its server."""

    name = "vies"

    def __init__(self, server: str = SERVER) -> None:
        self._server = server

    def find(self, number: str) -> Entry | None:
        """Ask for one number; whose country does not answer just now, nobody can check."""
        told = company_line.ask(f"{self._server}/ms/{quote(number[:2])}/vat/{quote(number[2:], safe='')}", {})
        if told is None:
            raise RegisterSilentError("404")
        try:
            return _read(told)
        except (KeyError, TypeError, AttributeError) as error:
            raise RegisterSilentError(type(error).__name__) from error


def _read(told: dict[str, Any]) -> Entry | None:
    """`{"isValid": true, "userError": "VALID", "name": "...", "address": "..."}`; of what has no answer, the reason."""
    if told["isValid"] is True:
        name, address = _text(told.get("name")), _text(told.get("address"))
        return Entry((name[:120],) if name else (), address[:300])
    if told["userError"] not in ("INVALID", "INVALID_INPUT"):
        raise RegisterSilentError(str(told["userError"])[:40])
    return None


def _text(told: Any) -> str:
    text = " ".join(str(told or "").split())
    return "" if text == NOT_TOLD else text
