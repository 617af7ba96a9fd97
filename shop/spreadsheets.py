"""Spreadsheets: a text in a CSV file that goes out is no formula to whoever opens it, and comes back as it was.

Where one would be taken for a formula it gets an apostrophe in front, and loses it when it is read; one that begins
with apostrophes before such a sign gets one more. (OWASP, CSV Injection.)
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def tame(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def wild(text: str) -> str:
    """The text as it was before `tame`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
