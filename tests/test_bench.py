"""The bench's verdict is about the figures that it prints."""

from __future__ import annotations

from io import StringIO

import pytest

from tests.bench.verdict import Book, Goal

DATABASES = ("sqlite",)  # it asks none


def told(*rows, grown=()):
    book = Book(out := StringIO())
    for row in rows:
        book.page("shop", *row)
    for before, after in grown:
        book.growth("shop", before, after)
    return book.close(), out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((1, 800, 0.1400, Goal("0.14", questions=1)), "PASS"),
        ((1, 800, 0.1350, Goal("0.14", questions=1)), "PASS"),  # printed as 0.14
        ((1, 800, 0.1349, Goal("0.14", questions=1)), "MISS (cpu)"),
        ((2, 800, 0.2000, Goal("0.14", questions=1)), "MISS (queries)"),
        ((2, 800, 0.0100, Goal("0.14", questions=1)), "MISS (cpu, queries)"),
        ((9, 800, 0.2000, Goal("0.14")), "PASS"),
    ],
)
def test_a_row_says_whether_what_it_prints_is_at_its_goal(row, verdict):
    status, (line, last) = told(row)
    assert line.partition("  ")[0] == "BENCH shop"
    assert line.endswith(f"  {verdict}")
    is_reached = verdict == "PASS"
    assert (status, last) == (int(not is_reached), f"{int(is_reached)} of 1 rows at their goal")


def test_a_row_without_a_goal_is_not_counted_and_growth_is():
    status, lines = told((1, 800, 0.1, None), grown=[(100, 150.4), (100, 150.6)])
    assert [line.rpartition("  ")[2] for line in lines[:3]] == ["-", "PASS", "MISS (growth)"]
    assert (status, lines[-1]) == (1, "1 of 2 rows at their goal")
