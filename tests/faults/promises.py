"""Promises with a figure: a test that keeps one prints `PASS|FAIL number promise: figure (bar)`.

    def test_other_pages_stay_quick(promise):
        promise("15", "other pages' p95 beside 50 slow uploads", f"{ratio:.2f}x idle", "<= 2x", ratio <= 2)

The lines of all tests stand together at the end of the run; a FAIL fails its test, and with it `make faults`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Promise = Callable[[str, str, str, str, bool], None]


def line(number: str, words: str, figure: str, bar: str, kept: bool) -> str:
    """One promise, as a person and a program read it."""
    return f"{'PASS' if kept else 'FAIL'} {number} {words}: {figure} ({bar})"


def recorder(record_property: Callable[[str, object], None]) -> Promise:
    """What the fixture `promise` gives: note the line, then stand by it."""

    def promise(number: str, words: str, figure: str, bar: str, kept: bool) -> None:
        said = line(number, words, figure, bar, kept)
        record_property("promise", said)
        assert kept, said

    return promise


def lines(reporter: pytest.TerminalReporter) -> list[str]:
    """All that was promised in this run, also by tests that ran in other processes; kept in the order of numbers."""
    reports = [one for outcome in ("passed", "failed") for one in reporter.stats.get(outcome, ())]
    told = {str(value) for one in reports for name, value in one.user_properties if name == "promise"}
    return sorted(told, key=lambda said: (said.split()[1].zfill(4), said))
