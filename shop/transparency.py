"""Transparency: how often what was decided, why, and how appeals ended. Counts only; nobody is named (DSA art. 24)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Row, bindparam, case, func, select

from shop import clock
from shop.database import rows
from shop.delivery import AMSTERDAM, begin_of
from shop.models import Appeal, Moment, SafetyCheck, Statement

MONTHS = 12
LASTS = timedelta(hours=1)  # so long the same counts are shown

statements, appeals, checks = Statement.__table__, Appeal.__table__, SafetyCheck.__table__
_since = bindparam("since", type_=Moment())
_month = case(*[(statements.c.at < bindparam(f"end{n}", type_=Moment()), n) for n in range(MONTHS)])
_VERDICTS = (
    select(_month.label("n"), statements.c.verdict, statements.c.reason, statements.c.is_automated)
    .add_columns(func.count().label("times"))
    .where(statements.c.at >= _since)
    .group_by("n", statements.c.verdict, statements.c.reason, statements.c.is_automated)
)
_APPEALS = (
    select(statements.c.verdict, appeals.c.outcome, func.count().label("times"))
    .join_from(appeals, statements, statements.c.id == appeals.c.statement_id)
    .where(appeals.c.at >= _since)
    .group_by(statements.c.verdict, appeals.c.outcome)
)
_HOURS = (
    select(statements.c.waited_hours, func.count().label("times"))
    .where(statements.c.at >= _since, statements.c.waited_hours.is_not(None))
    .group_by(statements.c.waited_hours)
    .order_by(statements.c.waited_hours)
)
_CHECKS = select(
    func.count().label("drawn"),
    func.count(func.distinct(checks.c.product_id)).label("products"),
    func.coalesce(func.sum(case((checks.c.alike > 0, 1), else_=0)), 0).label("alike"),
).where(checks.c.at >= _since)


class Report(NamedTuple):
    """A year of verdicts, the present month last; months as they are in Amsterdam."""

    months: tuple[date, ...]
    by_month: tuple[dict[str, int], ...]  # how often each verdict
    reasons: dict[tuple[str, str], int]  # by verdict and code
    appeals: dict[str, dict[str, int]]  # by verdict: granted, dismissed, open
    automated: int
    median_days: float | None  # from sent in to decided
    made_at: datetime
    checks: Row[Any]  # random checks of goods (DSA art. 31(3)): drawn, different products, like what is on the list

    def total(self, verdict: str) -> int:
        """How often this was decided in the year."""
        return sum(month.get(verdict, 0) for month in self.by_month)


def report() -> Report:
    """The counts of a year; made anew once an hour, with four questions to the database."""
    now = clock.now()
    kept: Report | None = current_app.extensions.get("shop.transparency")
    if kept is None or not now - LASTS < kept.made_at <= now:
        kept = current_app.extensions["shop.transparency"] = _made(now)
    return kept


def _made(now: datetime) -> Report:
    here = now.astimezone(AMSTERDAM)
    starts = _months(here.year, here.month)
    midnights = [begin_of(day) for day in starts]
    months = {f"end{n}": end for n, end in enumerate([*midnights[1:], now + timedelta(days=1)])}
    by_month: list[dict[str, int]] = [{} for _month in starts]
    why: dict[tuple[str, str], int] = {}
    automated = 0
    for row in rows(_VERDICTS, since=midnights[0], **months):
        by_month[row.n][row.verdict] = by_month[row.n].get(row.verdict, 0) + row.times
        automated += row.times if row.is_automated else 0
        if row.reason:
            why[row.verdict, row.reason] = why.get((row.verdict, row.reason), 0) + row.times
    median = _median(rows(_HOURS, since=midnights[0]))
    ends = _ends(rows(_APPEALS, since=midnights[0]))
    checked = rows(_CHECKS, since=midnights[0])[0]
    return Report(starts, tuple(by_month), why, ends, automated, median, now, checked)


@lru_cache(maxsize=4)
def _months(year: int, month: int) -> tuple[date, ...]:
    """The first days of the last twelve months, of which this is the last."""
    numbers = range(year * 12 + month - MONTHS, year * 12 + month)
    return tuple(date(number // 12, number % 12 + 1, 1) for number in numbers)


def _ends(found: Any) -> dict[str, dict[str, int]]:
    ended: dict[str, dict[str, int]] = {}
    for row in found:
        ended.setdefault(row.verdict, {})[row.outcome or "open"] = row.times
    return ended


def _median(hours: Any) -> float | None:
    """The hour in the middle, in days with one decimal."""
    counted: list[Row[Any]] = list(hours)
    left = sum(row.times for row in counted) / 2
    for row in counted:
        left -= row.times
        if left <= 0:
            return float(round(row.waited_hours / 24, 1))
    return None
