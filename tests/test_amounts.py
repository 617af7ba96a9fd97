"""What somebody writes for an amount is read in one way everywhere, or not at all."""

import pytest

from shop import amounts


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        *(("12", 1200), ("12,5", 1250), ("12.50", 1250), (" 7 ", 700), ("0.01", 1), ("€ 9,00", 900), ("€9", 900)),
        *(("1.234,56", 123456), ("1,234.56", 123456), ("1.234.567,8", 123456780), ("007", 700)),
    ],
)
def test_an_amount_has_a_comma_or_a_point_and_thousands_or_none(text, cents):
    assert amounts.hundredths(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "€", "-1", "+1", "1e3", "1.234", "1,234", "1.234.567", "12.345", "1.2.3", "1,234,56", "12.34,5"),
        *("1.234.56", "NaN", "inf", "0x10", "١٢", "1 000", "12.", ".5", "1_000", "9" * 13, "1.111.111.111.111,00"),
    ],
)
def test_what_is_no_amount_or_could_be_two_is_not_guessed(text):
    assert amounts.hundredths(text) is None


def test_a_whole_number_has_figures_and_nothing_else():
    assert [amounts.whole(text) for text in ("0", " 12 ", "999999999")] == [0, 12, 999_999_999]
    assert [amounts.whole(text) for text in ("", "-1", "1.0", "1e3", "²", "9" * 10)] == [None] * 6


def test_what_is_written_is_read_again():
    for minor in (0, 1, 10, 99, 100, 123_456):
        assert {amounts.hundredths(amounts.decimal(minor, sign)) for sign in ",."} == {minor}
