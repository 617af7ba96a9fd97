"""How a register is asked: one GET, a bound in time and size, and JSON that is an object."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from shop.gateways import company_port
from shop.gateways.company_port import RegisterSilentError

LARGEST = 256 * 1024  # bytes; of a company with a hundred trade names there are about 20,000


def ask(address: str, headers: dict[str, str]) -> dict[str, Any] | None:
    """What it answers; None where it says that there is no such thing (404)."""
    request = Request(address, headers={"Accept": "application/json", **headers})  # noqa: S310  ours
    try:
        with urlopen(request, timeout=company_port.PATIENCE) as answer:  # noqa: S310  the scheme is ours
            told = json.loads(answer.read(LARGEST))
    except HTTPError as error:
        with error:
            if error.code == 404:
                return None
        raise RegisterSilentError(str(error.code)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise RegisterSilentError(type(error).__name__) from error
    if not isinstance(told, dict):
        raise RegisterSilentError("no object")
    return told
