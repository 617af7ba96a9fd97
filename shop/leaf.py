"""A leaf of a list that is long: so many rows, and the place after which the next leaf begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

FIRST = (datetime(1, 1, 2, tzinfo=UTC), 0)  # before everything, in a list that begins with the oldest
LAST = (datetime(9999, 12, 30, tzinfo=UTC), 2**62)  # and in one that begins with the newest


class Leaf(NamedTuple):
    """The rows of a leaf; `more` is empty where the list ends."""

    rows: Sequence[Any]
    more: str


def cut(found: Sequence[Any], size: int, by: str) -> Leaf:
    """A leaf of rows of which one more was asked for; they are in the order of the moment `by` and of their `id`."""
    last = found[size - 1] if len(found) > size else None
    return Leaf(found[:size], f"{getattr(last, by).timestamp():.6f}-{last.id}" if last else "")


def place(after: str, otherwise: tuple[datetime, int]) -> tuple[datetime, int]:
    """The place that an earlier leaf gave as its `more`; of anything else where the list begins."""
    moment, _dash, number = after.rpartition("-")
    try:
        return datetime.fromtimestamp(float(moment), UTC), max(0, min(int(number), 2**62))
    except (ValueError, OverflowError, OSError):
        return otherwise
