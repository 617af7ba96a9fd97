"""What a parcel costs, when it comes, and the VAT in it: exact figures."""

from datetime import UTC, datetime

import pytest

from shop import clock, parcels
from shop.money import Money
from shop.words import Words

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def a_line(**given):
    facts = {
        "variant": 1,
        "code": "mug-s",
        "product": "mug",
        "title": Words(en="Mug"),
        "name": Words(en="Small"),
        "sku": "MUG-S",
        "picture": "",
        "quantity": 1,
        "seen": 2450,
        "minor": 2450,
        "currency": "EUR",
        "vat_rate": 2100,
        "free": 9,
        "is_for_sale": True,
        "seller": 1,
        "seller_name": "Mina",
        "handle": "mina",
        "ships_from_city": "Utrecht",
        "ships_from_country": "NL",
        "stock_kind": "own_stock",
        "returns_days": 14,
        "returns_paid_by": "buyer",
        "guarantee": Words(),
        "handling_days": 1,
        "min_days": 1,
        "max_days": 2,
        "cost_minor": 395,
        "free_from_minor": 5000,
        "clip": None,
        "clip_code": None,
    }
    return parcels.Line(**{**facts, **given})


@pytest.fixture(autouse=True)
def _monday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: MONDAY)


def eur(minor):
    return Money(minor, "EUR")


def test_a_parcel_costs_what_its_dearest_line_costs_to_bring_once():
    (parcel,) = parcels.by_seller(
        [a_line(), a_line(variant=2, cost_minor=650, minor=1000), a_line(variant=3, minor=10)]
    )
    assert (parcel.goods, parcel.delivery, parcel.total) == (eur(3460), eur(650), eur(4110))


@pytest.mark.parametrize(("minor", "delivery"), [(4999, 395), (5000, 0), (5001, 0)])
def test_delivery_is_free_from_its_threshold_on(minor, delivery):
    (parcel,) = parcels.by_seller([a_line(minor=minor)])
    assert parcel.delivery == eur(delivery)
    assert parcel.free_from == (eur(5000) if delivery else None)


def test_a_line_whose_threshold_is_not_reached_still_costs_its_own_rate():
    lines = [a_line(minor=6000), a_line(variant=2, minor=1000, cost_minor=250, free_from_minor=None)]
    (parcel,) = parcels.by_seller(lines)
    assert (parcel.delivery, parcel.free_from) == (eur(250), None)


def test_each_seller_sends_one_parcel_and_the_total_is_their_sum():
    both = parcels.by_seller([a_line(), a_line(variant=2, seller=2, minor=4995, cost_minor=650)])
    assert [parcel.total for parcel in both] == [eur(2845), eur(5645)]
    assert parcels.total(both) == eur(8490)


def test_a_parcel_arrives_when_its_slowest_line_does():
    (parcel,) = parcels.by_seller([a_line(), a_line(variant=2, handling_days=2, min_days=1, max_days=4)])
    assert [str(day) for day in parcel.arrives] == ["2026-11-26", "2026-12-01"]


@pytest.mark.parametrize(
    "obstacle", [{"free": 0}, {"free": -2}, {"is_for_sale": False}, {"cost_minor": None, "min_days": None}]
)
def test_what_cannot_be_bought_costs_nothing_and_brings_no_delivery(obstacle):
    (parcel,) = parcels.by_seller([a_line(**obstacle)])
    assert (parcel.goods, parcel.delivery, parcel.arrives, parcel.bought) == (eur(0), eur(0), None, [])
    assert parcel.vat() == {}
    assert parcels.total([parcel]) is None


def test_only_what_is_left_is_counted():
    (parcel,) = parcels.by_seller([a_line(quantity=5, free=2, minor=1000)])
    assert (parcel.bought[0].counted, parcel.goods) == (2, eur(2000))


def test_vat_is_what_is_contained_in_goods_and_delivery_by_rate():
    lines = [a_line(minor=10_000, cost_minor=300, free_from_minor=None), a_line(variant=2, minor=5000, vat_rate=900)]
    lines[1] = lines[1]._replace(cost_minor=0)
    (parcel,) = parcels.by_seller(lines)
    # 121 parts of 10,200 are 21 parts VAT; 109 parts of 5,100 are 9 parts VAT.
    assert parcel.vat() == {2100: eur(1770), 900: eur(421)}


def test_vat_is_rounded_for_each_seller_since_each_owes_their_own():
    each = [a_line(minor=1, cost_minor=0, seller=n, variant=n, vat_rate=2100) for n in range(1, 4)]
    assert parcels.vat(parcels.by_seller(each)) == {2100: eur(0)}
    each = [line._replace(minor=3) for line in each]  # 0.52 cent in each of them
    assert parcels.vat(parcels.by_seller(each)) == {2100: eur(3)}


@pytest.mark.parametrize(("gross", "rate", "within"), [(121, 2100, 21), (2450, 2100, 425), (109, 900, 9), (500, 0, 0)])
def test_the_vat_contained_in_an_amount(gross, rate, within):
    assert parcels.contained(eur(gross), rate) == eur(within)
