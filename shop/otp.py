"""One-time codes as an app makes them from a seed and the time: RFC 6238 with SHA-1 and six digits, by `pyotp`."""

from __future__ import annotations

import base64
from datetime import datetime

from pyotp import TOTP
from pyotp.exceptions import OTPVerificationError

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be off


def code(seed: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of this step."""
    return TOTP(written(seed), digits=digits).generate_otp(step)


def step_at(moment: datetime) -> int:
    """The step in which this moment lies."""
    return int(moment.timestamp()) // STEP


def step_of(seed: bytes, given: str, moment: datetime) -> int | None:
    """The step whose code this is, around this moment; None where it is not one of them."""
    if not (given.isascii() and given.isdigit() and len(given) == DIGITS):
        return None
    try:
        return TOTP(written(seed)).verify_and_get_timecode(given, for_time=moment, valid_window=DRIFT)
    except OTPVerificationError:
        return None


def written(seed: bytes) -> str:
    """The seed as one types it into an app."""
    return base64.b32encode(seed).decode().rstrip("=")


def address(seed: bytes, shop: str, who: str) -> str:
    """The seed as an app reads it from a QR code."""
    return TOTP(written(seed)).provisioning_uri(name=who, issuer_name=shop)
