"""The verdict: each page beside its goal, and how many of them reach it.

What is compared is what is printed. A share, and a growth, has two decimals, rounded half up: a share of 0.115 counts
as 0.12, one of 0.1149 as 0.11. Questions are whole numbers, and none more than the bar is allowed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, TextIO

GROWTH = Decimal("1.50")


class Goal(NamedTuple):
    """The least share, and the most questions, where there is a bar for them."""

    share: str
    questions: int | None = None


def two(number: float) -> Decimal:
    """Two decimals, rounded half up."""
    return Decimal(repr(number)).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Book:
    """Prints each row as it is known, counts, and ends with what it came to."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.rows = self.reached = 0

    def head(self, what: str) -> None:
        """The names of the columns."""
        columns = f"{'':5} {'page':<18}{'queries':>8}{'cpu_us':>8}{'share':>7}{'goal':>7}{'most':>6}  verdict"
        print(f"{columns}  {what}", file=self._out)

    def page(self, name: str, queries: int, spent: float, share: float, goal: Goal | None) -> None:
        """BENCH page queries cpu_us share goal most verdict."""
        row = f"BENCH {name.replace(' ', '-'):<18}{queries:>8}{spent:>8.0f}{two(share):>7}"
        if goal is None:
            print(f"{row}{'-':>7}{'-':>6}  -", file=self._out)
            return
        most = "-" if goal.questions is None else goal.questions
        print(f"{row}{goal.share:>7}{most:>6}  {self._count(_missed(queries, share, goal))}", file=self._out)

    def growth(self, name: str, before: float, after: float) -> None:
        """GROWS page ratio goal verdict."""
        ratio = two(after / before)
        verdict = self._count(["growth"] if ratio > GROWTH else [])
        print(f"GROWS {name.replace(' ', '-'):<18}{ratio:>31}{GROWTH:>6}  {verdict}", file=self._out)

    def close(self) -> int:
        """Say what it came to; the status to end with: 0 where every row is at its goal, else 1."""
        print(f"{self.reached} of {self.rows} rows at their goal", file=self._out)
        return int(self.reached < self.rows)

    def _count(self, missed: list[str]) -> str:
        self.rows += 1
        self.reached += not missed
        return f"MISS ({', '.join(missed)})" if missed else "PASS"


def _missed(queries: int, share: float, goal: Goal) -> list[str]:
    is_slow = two(share) < Decimal(goal.share)
    has_many = goal.questions is not None and queries > goal.questions
    return [what for what, is_so in (("cpu", is_slow), ("queries", has_many)) if is_so]
