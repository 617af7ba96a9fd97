"""Parcels: what is bought, seller by seller, with what its delivery costs and when it comes.

One set of sums for the cart, the checkout and the order, so that the same cent is shown, charged and written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import NamedTuple

from shop import clock, delivery
from shop.money import Money
from shop.words import Words


class Line(NamedTuple):
    """So many of one variant, at today's price, and what stands in the way of buying them."""

    variant: int
    code: str
    product: str
    title: Words
    name: Words
    sku: str
    picture: str
    quantity: int
    seen: int  # the price that this person was shown last, in minor units
    minor: int
    currency: str
    vat_rate: int
    free: int  # on the shelf and not held by somebody else
    is_for_sale: bool
    seller: int
    seller_name: str
    handle: str
    ships_from_city: str
    ships_from_country: str
    stock_kind: str
    returns_days: int
    returns_paid_by: str
    guarantee: Words
    handling_days: int
    min_days: int | None  # None: this is not delivered in that country
    max_days: int | None
    cost_minor: int | None
    free_from_minor: int | None
    clip: int | None
    clip_code: str | None
    creator_rate: int = 0  # what the seller offers to who shows it, in hundredths of a per cent
    creator: int | None = None  # whose clip led here, if it shows the product: their profile

    @property
    def price(self) -> Money:
        """What one costs."""
        return Money(self.minor, self.currency)

    @property
    def was(self) -> Money | None:
        """The price that was shown before, where it has changed since."""
        return Money(self.seen, self.currency) if self.seen != self.minor else None

    @property
    def is_delivered(self) -> bool:
        """Does its seller deliver it in that country?"""
        return self.cost_minor is not None

    @property
    def counted(self) -> int:
        """How many of them can be bought now: the sums are about these."""
        return max(0, min(self.quantity, self.free)) if self.is_for_sale and self.is_delivered else 0

    @property
    def total(self) -> Money:
        """What those that can be bought cost together."""
        return self.price.times(self.counted)

    def arrives(self, today: date) -> delivery.Days:
        """The first and the last day on which it may arrive when it is ordered today."""
        return delivery.delivery_dates(self.handling_days, self.min_days or 0, self.max_days or 0, today)


class Parcel(NamedTuple):
    """One seller's part: its lines, and the one delivery of those that can be bought."""

    seller: int
    name: str
    handle: str
    lines: tuple[Line, ...]
    goods: Money
    delivery: Money
    free_from: Money | None  # the value of the goods from which delivery would have been free
    arrives: delivery.Days | None  # None: nothing in it can be bought
    leaves: date | None = None  # by the end of this day, to arrive on time

    @property
    def bought(self) -> list[Line]:
        """The lines that can be bought."""
        return [line for line in self.lines if line.counted]

    @property
    def total(self) -> Money:
        """Goods and delivery."""
        return self.goods + self.delivery

    def vat(self) -> dict[int, Money]:
        """The VAT that is contained in it, by rate in hundredths of a per cent."""
        return vat_within(((line.vat_rate, line.total) for line in self.bought), self.delivery)


def by_seller(lines: Iterable[Line]) -> list[Parcel]:
    """The lines, which come seller by seller, as one parcel for each."""
    today = delivery.ordering_day(clock.now())
    return [_parcel(tuple(each), today) for _seller, each in groupby(lines, lambda line: line.seller)]


def _parcel(lines: tuple[Line, ...], today: date) -> Parcel:
    first, bought = lines[0], [line for line in lines if line.counted]
    goods = _sum((line.total for line in bought), Money(0, first.currency))
    cost = max((_cost(line, goods) for line in bought), default=Money(0, first.currency))
    days = [line.arrives(today) for line in bought]
    return Parcel(
        seller=first.seller,
        name=first.seller_name,
        handle=first.handle,
        lines=lines,
        goods=goods,
        delivery=cost,
        free_from=_free_from(bought, cost),
        arrives=delivery.Days(max(each.first for each in days), max(each.last for each in days)) if days else None,
        leaves=delivery.sending_day(max(line.handling_days for line in bought), today) if bought else None,
    )


def _cost(line: Line, goods: Money) -> Money:
    """What this line alone would make the delivery cost."""
    return delivery.cost(Money(line.cost_minor or 0, line.currency), line.free_from_minor, goods)


def _free_from(bought: list[Line], cost: Money) -> Money | None:
    """What the goods must be worth for free delivery, where that can be reached and has not been."""
    asked = [line.free_from_minor for line in bought if line.cost_minor]
    return Money(max(filter(None, asked)), cost.currency) if cost.minor and all(asked) else None


def total(parcels: Iterable[Parcel]) -> Money | None:
    """What there is to pay; None when nothing can be bought."""
    amounts = [parcel.total for parcel in parcels if parcel.bought]
    return sum(amounts[1:], amounts[0]) if amounts else None


def vat(parcels: Iterable[Parcel]) -> dict[int, Money]:
    """The VAT in the total, by rate. Each seller owes their own, so it is rounded for each of them."""
    found: dict[int, Money] = {}
    for parcel in parcels:
        for rate, amount in parcel.vat().items():
            found[rate] = found[rate] + amount if rate in found else amount
    return dict(sorted(found.items(), reverse=True))


def vat_within(goods: Iterable[tuple[int, Money]], cost: Money) -> dict[int, Money]:
    """The VAT in one seller's goods, given as rate and amount, and in their delivery, which follows the goods."""
    shares: dict[int, Money] = {}
    for rate, amount in goods:
        shares[rate] = shares[rate] + amount if rate in shares else amount
    if not shares:
        return {}
    rates = sorted(shares)
    parts = cost.split(*(shares[rate].minor for rate in rates))
    return {rate: contained(shares[rate] + part, rate) for rate, part in zip(rates, parts, strict=True)}


def contained(gross: Money, rate: int) -> Money:
    """The VAT in an amount that includes it, to the nearest cent, halves upwards."""
    return Money((2 * gross.minor * rate + 10_000 + rate) // (2 * (10_000 + rate)), gross.currency)


def _sum(amounts: Iterable[Money], like: Money) -> Money:
    return sum(amounts, Money(0, like.currency))
