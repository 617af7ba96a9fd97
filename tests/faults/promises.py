"""Promises with a figure: a test that keeps one prints `PASS|FAIL number promise: figure (bar)`.

    def test_other_pages_stay_quick(promise):
        promise("15", "other pages' p95 beside 50 slow uploads", f"{ratio:.2f}x idle", "<= 2x", ratio <= 2)

The lines of all tests stand together at the end of the run; a FAIL fails its test, and with it `make faults`. A test
without a figure has a line too, with its name and the number that its file begins with ("Promise 9: ..."), if it has
one. Number 0 is what belongs to none: that it opens, that it closes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = 180  # seconds

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
    reports = [one for outcome in ("passed", "failed", "error") for one in reporter.stats.get(outcome, ())]
    told = {said for one in reports for said in _of(one)}
    return sorted(told | set(_plain(reports)), key=lambda said: (said.split()[1].zfill(4), said))


def _of(report: pytest.TestReport) -> list[str]:
    return [str(value) for name, value in report.user_properties if name == "promise"]


def _plain(reports: list[pytest.TestReport]) -> Iterator[str]:
    """For tests of the weather that have no figure, or broke off before they had one: how many of them kept it."""
    kept: dict[str, list[bool]] = defaultdict(list)
    for one in reports:
        is_weather = "faults" in one.keywords or "slow" in one.keywords
        if is_weather and not _of(one) and (one.when == "call" or one.failed):
            kept[one.nodeid.split("[")[0]].append(one.passed)
    for test, ends in kept.items():
        file, name = test.split("::")[0], test.split("::")[-1]
        words = name.removeprefix("test_").replace("_", " ")
        yield line(_number(file), words, f"{sum(ends)} of {len(ends)}", "all", all(ends))


@cache
def _number(file: str) -> str:
    with (ROOT / file).open() as text:
        found = re.match(r'"""Promise (\d+)', text.readline())
    return found[1] if found else "-"


def quick(reporter: pytest.TerminalReporter) -> str:
    """How long those of the weather take that `make test` runs too, with what they need before and after."""
    reports = [one for outcome in ("passed", "failed", "error", "") for one in reporter.stats.get(outcome, ())]
    ours = [one for one in reports if "faults" in one.keywords and "slow" not in one.keywords]
    took = sum(one.duration for one in ours)
    count = len({one.nodeid for one in ours})
    return f"The quick ones of the weather: {count} tests, {took:.0f} s of work (at most {QUICK} s)" if ours else ""
