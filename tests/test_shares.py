"""Shares: to the cent, whatever the rates, and never more back than somebody had."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop import shares
from shop.money import Money
from shop.shares import Part, Shares

RATES = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("minor", "rates", "expected"),
    [
        (2450, (500, 0, 2100), Shares(2327, 0, 102, 21)),  # 5 % of 24.50 is 1.225; the odd cent goes to the shop
        (2450, (500, 1000, 2100), Shares(2082, 245, 102, 21)),
        (2450, (500, 1000, 0), Shares(2082, 245, 123, 0)),
        (1, (5000, 0, 2100), Shares(0, 0, 1, 0)),
        (1, (0, 0, 2100), Shares(1, 0, 0, 0)),
        (999, (3333, 3333, 2100), Shares(333, 333, 275, 58)),
    ],
)
def test_a_line_is_shared_out_by_the_rates_of_the_day(minor, rates, expected):
    share = shares.agreed(Money(minor, "EUR"), *rates)
    assert (share, share.total) == (expected, minor)


@settings(deadline=None)
@given(st.integers(1, 10**9), RATES, RATES, RATES)
def test_the_shares_are_the_line_to_the_cent(minor, platform, creator, vat):
    share = shares.agreed(Money(minor, "EUR"), platform, creator, vat)
    assert share.total == minor
    assert min(share) >= 0
    assert abs(share.platform + share.tax - minor * platform / 10_000) < 1
    assert abs(share.creator - minor * creator / 10_000) < 1


PARTS = st.lists(st.builds(Shares, *[st.integers(0, 500)] * 4), min_size=1, max_size=4)


@settings(deadline=None)
@given(PARTS, st.lists(st.integers(1, 2000), max_size=6))
def test_whatever_goes_back_in_whatever_steps_it_is_all_of_it_and_no_share_goes_below_zero(first, steps):
    left = [Part(n, share) for n, share in enumerate(first)]
    for step in [*steps, 10**6]:
        amount = min(step, sum(part.left.total for part in left))
        pieces = shares.spread(amount, left)
        assert sum(pieces) == amount
        gone = [shares.taken(piece, part.left) for piece, part in zip(pieces, left, strict=True)]
        assert [share.total for share in gone] == pieces
        left = [part._replace(left=part.left.less(share)) for part, share in zip(left, gone, strict=True)]
        assert min(min(part.left) for part in left) >= 0
    assert sum(part.left.total for part in left) == 0


@pytest.mark.parametrize("amount", [-1, 11])
def test_more_than_there_is_cannot_be_taken(amount):
    with pytest.raises(ValueError, match="cannot be taken from 10"):
        shares.taken(amount, Shares(4, 3, 2, 1))
    with pytest.raises(ValueError, match="cannot be taken from 10"):
        shares.spread(amount, [Part(1, Shares(10))])


def test_what_goes_back_comes_from_everybody_in_proportion():
    assert shares.taken(0, Shares(4, 3, 2, 1)) == Shares(0, 0, 0, 0)
    assert shares.taken(10, Shares(4, 3, 2, 1)) == Shares(4, 3, 2, 1)
    assert shares.taken(100, Shares(800, 100, 80, 20)) == Shares(80, 10, 8, 2)
    assert shares.taken(1, Shares(800, 100, 80, 20)) == Shares(1, 0, 0, 0)
    assert shares.spread(3, [Part(1, Shares(100)), Part(None, Shares(50))]) == [2, 1]


@pytest.mark.parametrize(
    ("country", "number", "rate"),
    [("NL", "NL999999990B51", 2100), ("NL", "", 2100), ("BE", "", 2100), ("BE", "BE0123456789", 0)],
)
def test_a_business_abroad_owes_the_vat_on_the_commission_itself(at_the_desk, country, number, rate):
    assert shares.vat_on_commission(country, number) == rate


def a_line(**given):
    return SimpleNamespace(**{"total": Money(10_000, "EUR"), "creator": 8, "creator_rate": 1000, **given})


def a_seller(**given):
    return SimpleNamespace(**{"platform_rate": None, "country": "NL", "vat_number": "", **given})


def test_the_columns_of_a_line_freeze_it(at_the_desk):
    frozen = {"platform_minor": 413, "tax_minor": 87, "creator_minor": 1000, "creator_id": 8}
    assert shares.of_line(a_line(), a_seller()) == frozen
    none = {"creator_minor": 0, "creator_id": None}
    assert shares.of_line(a_line(creator=None), a_seller()) == frozen | none
    assert shares.of_line(a_line(creator_rate=0), a_seller()) == frozen | none


def test_a_seller_may_have_a_rate_of_their_own(at_the_desk):
    assert shares.of_line(a_line(), a_seller(platform_rate=0))["platform_minor"] == 0
    assert shares.of_line(a_line(), a_seller(platform_rate=1000))["platform_minor"] == 826
