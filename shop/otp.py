"""One-time codes as an app makes them from a seed and the time: RFC 6238, on RFC 4226, with SHA-1 and six digits."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from urllib.parse import quote

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be off


def code(seed: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of this step."""
    digest = hmac.new(seed, step.to_bytes(8, "big"), "sha1").digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(moment: datetime) -> int:
    """The step in which this moment lies."""
    return int(moment.timestamp()) // STEP


def step_of(seed: bytes, given: str, moment: datetime) -> int | None:
    """The step whose code this is, around this moment; None where it is not one of them."""
    now, found = step_at(moment), None
    for step in range(now - DRIFT, now + DRIFT + 1):  # all of them, so that time tells nothing
        if hmac.compare_digest(code(seed, step).encode(), given.encode()):
            found = step
    return found


def written(seed: bytes) -> str:
    """The seed as one types it into an app."""
    return base64.b32encode(seed).decode().rstrip("=")


def address(seed: bytes, shop: str, who: str) -> str:
    """The seed as an app reads it from a QR code."""
    return f"otpauth://totp/{quote(shop)}:{quote(who)}?secret={written(seed)}&issuer={quote(shop)}"
