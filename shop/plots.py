"""Plots: where the bars of a drawing stand and what is written beside them. Sums only: `parts/plot.html` draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

WIDTH, HEIGHT = 350.0, 150.0  # of the drawing, in its own units; a page shows it as wide as there is room
HEAD, FOOT = 14.5, 20.0  # above the highest bar, and under all of them: there are words
GAP = 0.25  # of the room of a bar, between it and the next
FEW = 6  # words under the bars: more do not fit on a phone


class Point(NamedTuple):
    """So much of something: its name in full, a short one to stand under the bar, the number, and how one says it."""

    name: str
    short: str
    number: int
    said: str


class Bar(NamedTuple):
    """One point, drawn; a bar of nothing has no height."""

    x: float
    y: float
    width: float
    height: float
    point: Point


class Mark(NamedTuple):
    """A word at a place: beside a line across, or under a bar."""

    at: float
    words: str


class Plot(NamedTuple):
    """Bars on one scale, lines across with what they stand for, and words under some of the bars."""

    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    words: tuple[Mark, ...]
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Is there nothing to see but lines?"""
        return not any(bar.height for bar in self.bars)


def top(most: int) -> int:
    """The end of a scale: the first of 1, 2, 5, 10, 20, 50, ... that nothing is higher than; never nothing."""
    steps: Iterator[int] = (unit * 10**power for power in count() for unit in (1, 2, 5))
    return next(step for step in steps if step >= most)


def bars(points: Sequence[Point], say: Callable[[int], str] = str) -> Plot:
    """The points as bars from the left to the right, on a scale from nothing to a round number; `say` writes it.

    Numbers are not negative. The last bar always has a word under it, so that one sees where today is.
    """
    end = top(max((point.number for point in points), default=0))
    room = WIDTH / max(1, len(points))
    return Plot(
        tuple(_bar(point, n * room, room, end) for n, point in enumerate(points)),
        tuple(Mark(_y(part, end), say(part)) for part in ((0, end // 2, end) if end > 1 else (0, end))),
        tuple(Mark(_middle(n, room), points[n].short) for n in _named(len(points))),
    )


def _y(number: int, end: int) -> float:
    floor = HEIGHT - FOOT
    return round(floor - (floor - HEAD) * number / end, 1)


def _bar(point: Point, left: float, room: float, end: int) -> Bar:
    y = _y(point.number, end)
    return Bar(round(left + room * GAP / 2, 1), y, round(room * (1 - GAP), 1), round(HEIGHT - FOOT - y, 1), point)


def _middle(n: int, room: float) -> float:
    return round((n + 0.5) * room, 1)


def _named(points: int) -> list[int]:
    """Which points get a word: the last one, and backwards from there as many as there is room for."""
    step = max(1, -(-points // FEW))
    return list(range(points - 1, -1, -step))[::-1]
