"""When a parcel arrives, to the day."""

from datetime import UTC, date, datetime

import pytest

from shop.delivery import cost, delivery_dates, holidays, is_working_day, ordering_day
from shop.money import Money


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 15, 59, tzinfo=UTC), date(2026, 11, 23)),  # a Monday, 16:59 in Amsterdam
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), date(2026, 11, 24)),  # 17:00
        (datetime(2026, 7, 6, 14, 59, tzinfo=UTC), date(2026, 7, 6)),  # in summer Amsterdam is two hours ahead
        (datetime(2026, 7, 6, 15, 0, tzinfo=UTC), date(2026, 7, 7)),
        (datetime(2026, 11, 23, 23, 30, tzinfo=UTC), date(2026, 11, 24)),  # Tuesday already, in Amsterdam
        (datetime(2026, 11, 27, 16, 0, tzinfo=UTC), date(2026, 11, 30)),  # Friday after five: Monday
        (datetime(2026, 11, 29, 10, 0, tzinfo=UTC), date(2026, 11, 30)),  # Sunday
        (datetime(2026, 12, 24, 17, 0, tzinfo=UTC), date(2026, 12, 28)),  # Christmas is on Friday and Saturday
    ],
)
def test_an_order_after_five_or_on_a_free_day_counts_for_the_next_working_day(moment, day):
    assert ordering_day(moment) == day


@pytest.mark.parametrize(
    ("today", "handling", "least", "most", "first", "last"),
    [
        (date(2026, 11, 23), 1, 1, 2, date(2026, 11, 25), date(2026, 11, 26)),
        (date(2026, 11, 23), 0, 1, 1, date(2026, 11, 24), date(2026, 11, 24)),
        (date(2026, 11, 23), 0, 0, 0, date(2026, 11, 23), date(2026, 11, 23)),
        (date(2026, 11, 26), 1, 1, 2, date(2026, 11, 30), date(2026, 12, 1)),  # over a weekend
        (date(2026, 11, 28), 1, 1, 2, date(2026, 12, 2), date(2026, 12, 3)),  # from a Saturday
        (date(2026, 12, 23), 1, 1, 2, date(2026, 12, 28), date(2026, 12, 29)),  # over Christmas
        (date(2026, 4, 2), 0, 1, 2, date(2026, 4, 3), date(2026, 4, 7)),  # Good Friday is worked, Easter Monday not
        (date(2026, 11, 23), 4, 8, 14, date(2026, 12, 9), date(2026, 12, 17)),
    ],
)
def test_days_on_which_no_parcels_come_are_not_counted(today, handling, least, most, first, last):
    assert delivery_dates(handling, least, most, today) == (first, last)


def test_the_general_public_holidays_of_2026_and_of_a_year_in_which_the_kings_day_is_moved():
    assert holidays(2026) == {
        date(2026, 1, 1),
        date(2026, 4, 6),
        date(2026, 4, 27),
        date(2026, 5, 5),
        date(2026, 5, 14),
        date(2026, 5, 25),
        date(2026, 12, 25),
        date(2026, 12, 26),
    }
    assert date(2025, 4, 26) in holidays(2025)
    assert date(2025, 4, 27) not in holidays(2025)
    assert date(2025, 4, 21) in holidays(2025)  # Easter was on 20 April


@pytest.mark.parametrize(("year", "monday"), [(1981, 20), (2000, 24), (2019, 22), (2038, 26), (2049, 19), (2076, 20)])
def test_easter_monday_is_found_in_the_hard_years_too(year, monday):
    assert not is_working_day(date(year, 4, monday))
    assert date(year, 4, monday).weekday() == 0


@pytest.mark.parametrize(
    ("goods", "free_from", "asked"), [(4999, 5000, 395), (5000, 5000, 0), (1, None, 395), (1, 0, 0)]
)
def test_delivery_is_free_from_the_named_value_on(goods, free_from, asked):
    assert cost(Money(395, "EUR"), free_from, Money(goods, "EUR")) == Money(asked, "EUR")
