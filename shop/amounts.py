"""Amounts as people write them: `12`, `12,5`, `€ 12.50`, `1.234,50`; fields, files and the desk read them in one way.

What could be read in two ways is not guessed: `1.234` is a thousand to one reader and a little over one to another.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,2}))?")
_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3}){0,2})(?!\2)[.,]([0-9]{1,2})")
_WHOLE = re.compile(r"[0-9]{1,9}")


def hundredths(text: str) -> int | None:
    """`79,95` is 7995, `1.079,95` is 107995: cents, or hundredths of a per cent; None for what is unclear."""
    plain = text.strip().removeprefix("€").strip()
    if found := _NUMBER.fullmatch(plain):
        units, part = found[1], found[2] or ""
    elif found := _GROUPED.fullmatch(plain):
        units, part = found[1].replace(found[2], ""), found[3]
    else:
        return None
    return int(units) * 100 + int(part.ljust(2, "0"))


def whole(text: str) -> int | None:
    """A whole number from nought on, of at most nine figures; None for anything else."""
    plain = text.strip()
    return int(plain) if _WHOLE.fullmatch(plain) else None


def decimal(minor: int, sign: str) -> str:
    """Hundredths as a number with two decimals after that sign: 1250 is `12,50`."""
    return f"{minor // 100}{sign}{minor % 100:02d}"
