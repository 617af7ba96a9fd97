"""What was decided, how often and why; for everybody to see."""

from __future__ import annotations

from datetime import date

from flask import Blueprint

from shop import plots, reasons, transparency
from shop.hypermedia import Answer, page
from shop.i18n import month
from shop.models import Verdict

bp = Blueprint("transparency", __name__)


@bp.get("/transparency")
def show() -> Answer:
    """A year of decisions about sellers and their goods."""
    report = transparency.report()
    sums = [sum(counts.values()) for counts in report.by_month]
    drawn = plots.bars([_point(day, n) for day, n in zip(report.months, sums, strict=True)])
    shown = [verdict for verdict in Verdict if report.total(verdict)]
    return page("transparency/show.html", "report", report=report, plot=drawn, verdicts=shown, reasons=reasons.ALL)


def _point(day: date, n: int) -> plots.Point:
    return plots.Point(month(day), month(day, is_short=True), n, str(n))
