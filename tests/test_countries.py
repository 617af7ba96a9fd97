"""One list of countries, each with its own postcodes."""

import pytest

from shop import countries


@pytest.mark.parametrize(
    ("country", "typed", "written"),
    [
        ("NL", "3511aj", "3511 AJ"),
        ("NL", " 3511 AJ ", "3511 AJ"),
        ("NL", "0511 AJ", None),
        ("NL", "3511  AJ", None),
        ("NL", "3511 AJ1", None),
        ("BE", "9000", "9000"),
        ("BE", "9000 AB", None),
        ("DE", "10115", "10115"),
        ("FR", "7500", None),
        ("LU", "1009", "1009"),
        ("XX", "1234", None),
        ("", "", None),
    ],
)
def test_a_postcode_is_written_as_its_country_writes_it(country, typed, written):
    assert countries.postcode(country, typed) == written
