"""Delivery: on which days a parcel may arrive, and what it costs to have it brought.

A day is a working day of the carriers in the Netherlands: not Saturday, not Sunday, not one of the general public
holidays of the Algemene termijnenwet (art. 3, first paragraph).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from babel.dates import get_timezone

from shop.money import Money

CUT_OFF = 17  # o'clock in Amsterdam: what is ordered later counts as ordered on the next working day
AMSTERDAM = get_timezone("Europe/Amsterdam")
_DAY = timedelta(days=1)


class Days(NamedTuple):
    """The first and the last day on which a parcel may arrive."""

    first: date
    last: date


def begin_of(day: date) -> datetime:
    """The moment at which a day begins in Amsterdam, where the clocks are never changed before one at night in UTC."""
    midnight = datetime.combine(day, time(), UTC)
    return midnight - (midnight.astimezone(AMSTERDAM).utcoffset() or timedelta())


def ordering_day(moment: datetime) -> date:
    """The working day on which an order of this moment counts as received."""
    here = moment.astimezone(AMSTERDAM)
    return _from(here.date() + _DAY if here.hour >= CUT_OFF else here.date())


@lru_cache(maxsize=4096)
def delivery_dates(handling: int, min_days: int, max_days: int, today: date) -> Days:
    """When something arrives that is ordered `today`, takes `handling` working days to send off and then
    `min_days` to `max_days` working days on the way.
    """
    sent = _after(_from(today), handling)
    return Days(_after(sent, min_days), _after(sent, max_days))


def sending_day(handling: int, today: date) -> date:
    """The working day by whose end something has to leave that is ordered `today`, to arrive on time."""
    return _after(_from(today), handling)


def cost(rate: Money, free_from: int | None, goods: Money) -> Money:
    """What one seller's parcel with `goods` costs to bring: nothing from `free_from` minor units on."""
    return Money(0, rate.currency) if free_from is not None and goods.minor >= free_from else rate


def is_working_day(day: date) -> bool:
    """Do carriers bring parcels on this day?"""
    return day.weekday() < 5 and day not in holidays(day.year)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """The general public holidays of the Netherlands in this year."""
    easter = _easter(year)
    king = date(year, 4, 27)
    return frozenset(
        (
            date(year, 1, 1),
            easter + _DAY,
            king - _DAY if king.weekday() == 6 else king,
            date(year, 5, 5),
            easter + 39 * _DAY,  # Ascension Day
            easter + 50 * _DAY,  # Whit Monday
            date(year, 12, 25),
            date(year, 12, 26),
        )
    )


def _easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar: the algorithm of Meeus, Jones and Butcher."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _from(day: date) -> date:
    while not is_working_day(day):
        day += _DAY
    return day


def _after(day: date, working_days: int) -> date:
    for _count in range(working_days):
        day = _from(day + _DAY)
    return day
