"""Registers: how the numbers of companies and of VAT are written, by register and by country."""

from __future__ import annotations

import re

# What a number must look like. That says that it was typed well, and never that it is somebody's.
REGISTERS = {
    "KVK": r"\d{8}",
    "KBO": r"[01]\d{9}",
    "HRB": r"HR[AB] ?\d{1,6}[A-Z]?",
    "RCS": r"\d{9}",
    "RCSL": r"[A-Z]\d{1,6}",
}
VAT_NUMBERS = {
    "NL": r"\d{9}B\d{2}",
    "BE": r"[01]\d{9}",
    "DE": r"\d{9}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "LU": r"\d{8}",
}


def has_shape(shape: str, text: str) -> bool:
    """Was it typed as such a number is written?"""
    return re.fullmatch(shape, text.strip().upper()) is not None
