"""What may be called a saving: directive 98/6/EC, art. 6a."""

from datetime import UTC, datetime, timedelta

import pytest

from shop import clock, prices
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import PriceChange, Product, Variant
from shop.money import Money

TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def asks(at_the_desk, mug, monkeypatch):
    """Mina asks a price in cents for the small mug, so many days ago."""

    def ask(cents, days_ago):
        monkeypatch.setattr(clock, "now", lambda: TODAY - timedelta(days=days_ago))
        prices.set_price(mug.small, Money(cents, "EUR"))
        db.session.commit()

    return ask


def state():
    small = db.session.execute(db.select(Variant).filter_by(code="mug-s").execution_options(populate_existing=True))
    row = small.scalar_one()
    return row.price.minor, row.prior_minor


def announced(days_ago=0):
    row = db.session.execute(db.select(Variant.prior_minor, Variant.reduced_at).filter_by(code="mug-s")).one()
    return prices.announced(row.prior_minor, row.reduced_at, TODAY - timedelta(days=days_ago))


def test_a_price_and_its_history_are_written_in_one_step(asks, mug):
    asks(2450, days_ago=60)
    asks(1950, days_ago=0)
    history = db.session.execute(db.select(PriceChange).order_by(PriceChange.at)).scalars().all()
    assert [(line.variant_id, line.at, line.price) for line in history] == [
        (mug.small, TODAY - timedelta(days=60), Money(2450, "EUR")),
        (mug.small, TODAY, Money(1950, "EUR")),
    ]
    assert state() == (1950, 2450)


def test_the_shelf_sorts_by_the_price_of_the_first_variant_and_of_no_other(asks, mug):
    asks(1950, days_ago=0)
    prices.set_price(mug.large, Money(990, "EUR"))
    db.session.commit()
    assert db.session.scalar(db.select(Product.price_minor)) == 1950


def test_the_prior_price_is_the_lowest_of_the_thirty_days_before(asks):
    for cents, days_ago in ((3000, 90), (2000, 50), (2600, 20), (2400, 0)):
        asks(cents, days_ago)
    assert state() == (2400, None)  # it cost 20.00 thirty days ago, so this is no saving
    asks(1900, days_ago=0)
    assert state() == (1900, 2000)


def test_the_window_ends_where_the_reduction_begins(asks):
    for cents, days_ago in ((3000, 90), (2500, 0)):
        asks(cents, days_ago)
    assert announced() == 3000  # 25.00 itself is not in its own window


def test_a_price_from_before_the_window_that_no_longer_held_in_it_does_not_count(asks):
    for cents, days_ago in ((1000, 90), (3000, 31), (2500, 0)):
        asks(cents, days_ago)
    assert announced() == 3000


def test_a_price_that_held_at_the_first_moment_of_the_window_counts(asks):
    for cents, days_ago in ((1000, 90), (3000, 29), (2500, 0)):
        asks(cents, days_ago)
    assert announced() is None


def test_a_price_raised_to_be_lowered_again_is_no_saving(asks):
    for cents, days_ago in ((2000, 90), (4000, 5), (2000, 0)):
        asks(cents, days_ago)
    assert state() == (2000, None)


def test_of_two_reductions_in_a_row_the_second_is_measured_from_the_first(asks):
    for cents, days_ago in ((4000, 90), (3000, 10), (2000, 0)):
        asks(cents, days_ago)
    assert announced() == 3000


def test_prices_that_are_known_for_less_than_thirty_days_prove_nothing(asks):
    asks(4000, days_ago=29)
    asks(2000, days_ago=0)
    assert state() == (2000, None)


def test_a_higher_price_ends_the_saving(asks):
    for cents, days_ago in ((4000, 90), (3000, 10), (3500, 0)):
        asks(cents, days_ago)
    assert state() == (3500, None)


def test_after_thirty_days_a_reduced_price_is_just_the_price(asks):
    for cents, days_ago in ((4000, 90), (3000, 30)):
        asks(cents, days_ago)
    assert announced(days_ago=1) == 4000
    assert announced(days_ago=0) is None


def test_the_same_price_again_changes_nothing(asks):
    for days_ago in (60, 5):
        asks(2450, days_ago)
    assert db.session.scalar(db.select(db.func.count(PriceChange.id))) == 1
    assert state() == (2450, None)


@pytest.mark.parametrize("price", [Money(0, "EUR"), Money(-1, "EUR"), Money(2450, "USD")])
def test_what_is_no_price_is_refused_and_leaves_no_trace(at_the_desk, mug, price):
    with pytest.raises(Refused):
        prices.set_price(mug.small, price)
    assert state() == (2450, None)
    assert db.session.scalar(db.select(db.func.count(PriceChange.id))) == 0


def test_a_variant_that_is_not_there_has_no_price(at_the_desk):
    with pytest.raises(NotFound):
        prices.set_price(1, Money(100, "EUR"))
