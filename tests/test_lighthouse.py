"""What `make lighthouse` makes of a report: scores and times, each with its bar."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from tools.lighthouse import __main__ as lighthouse


def a_report(paint, deaf, jumps, score=1.0):
    told = dict(zip(lighthouse.TIMES, ({"numericValue": value} for value in (paint, deaf, jumps)), strict=True))
    return {"categories": {name: {"score": score} for name in lighthouse.BARS}, "audits": told}


@pytest.mark.parametrize(
    ("report", "failed"),
    [
        (a_report(2000, 150, 0), []),
        (a_report(2001, 150, 0), ["LCP 2.00 s, TBT 150 ms, CLS 0"]),
        (a_report(1000, 151, 0), ["LCP 1.00 s, TBT 151 ms, CLS 0"]),
        (a_report(1000, 20, 0.01), ["LCP 1.00 s, TBT 20 ms, CLS 0.01"]),
        (a_report(1000, 20, 0, score=0.94), ["performance 94"]),
    ],
    ids=["kept", "late", "deaf", "jumps", "scores"],
)
def test_a_page_that_is_late_deaf_or_jumps_fails_as_a_low_score_does(monkeypatch, capsys, report, failed):
    def look(_folder, _tool, _address, *options):
        path = next(option.partition("=")[2] for option in options if option.startswith("--output-path="))
        with open(path, "w") as file:
            json.dump(report, file)
        return 0

    monkeypatch.setenv("PAGES", "checkout")
    monkeypatch.setattr(lighthouse.node, "run", look)
    monkeypatch.setattr(lighthouse, "opened", lambda *_given, **_more: nullcontext(SimpleNamespace(address="")))
    monkeypatch.setattr(lighthouse, "filled_cart", lambda _address: "")
    assert lighthouse.main() == bool(failed)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert [words in line for line in lines if line.startswith("FAIL") for words in failed] == [True] * len(failed)
    assert set(lighthouse.MOST) == set(lighthouse.PAGES)
