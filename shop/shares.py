"""Shares: who gets what of a line that is sold, and out of whose share it comes when money goes back.

Everything is whole minor units, shared out by largest remainder, so the shares of a line are the line to the cent,
and what is taken back of a share is never more than is left of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Row

from shop import parcels
from shop.countries import HOME
from shop.money import Money

WHOLE = 10_000  # hundredths of a per cent


class Shares(NamedTuple):
    """What everybody has of an amount, in minor units. `platform` is the commission without the VAT on it, `tax`."""

    seller: int
    creator: int = 0
    platform: int = 0
    tax: int = 0

    @property
    def total(self) -> int:
        """The amount that is shared."""
        return sum(self)

    def less(self, other: Shares) -> Shares:
        """What is left when `other` has been taken away."""
        return Shares(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Part(NamedTuple):
    """What is left of one order line, or (`line` is None) of an order's delivery."""

    line: int | None
    left: Shares
    creator: int | None = None  # whose profile the creator's share is for
    price: int = 0  # of one of them
    quantity: int = 0


def agreed(gross: Money, platform_rate: int, creator_rate: int, vat_rate: int) -> Shares:
    """Share out what a line costs by the rates (in hundredths of a per cent) that hold when it is bought."""
    rest = WHOLE - platform_rate - creator_rate
    platform, creator, seller = gross.split(platform_rate, creator_rate, rest)
    tax = parcels.contained(platform, vat_rate).minor
    return Shares(seller.minor, creator.minor, platform.minor - tax, tax)


def of_line(line: parcels.Line, seller: Row[Any]) -> dict[str, Any]:
    """The columns of an order line that freeze its shares; `seller` has its rate, country and VAT number."""
    config = current_app.config
    rate = config["PLATFORM_COMMISSION"] if seller.platform_rate is None else seller.platform_rate
    creator_rate = line.creator_rate if line.creator else 0
    share = agreed(line.total, rate, creator_rate, vat_on_commission(seller.country, seller.vat_number))
    return {
        "platform_minor": share.platform,
        "tax_minor": share.tax,
        "creator_minor": share.creator,
        "creator_id": line.creator if share.creator else None,
    }


def vat_on_commission(country: str, vat_number: str) -> int:
    """The rate of the VAT in the commission. A business abroad owes it there itself (2006/112/EC art. 44, 196)."""
    is_reversed = country != HOME and vat_number != ""
    return 0 if is_reversed else int(current_app.config["PLATFORM_VAT"])


def spread(amount: int, parts: Sequence[Part]) -> list[int]:
    """Spread an amount over parts by what is left of each, to the cent, and never more than that."""
    return _split(amount, [part.left.total for part in parts])


def taken(amount: int, left: Shares) -> Shares:
    """Out of whose share an amount comes: in proportion to what is left of each, and never more than that."""
    return Shares(*_split(amount, left))


def _split(amount: int, left: Sequence[int]) -> list[int]:
    if not 0 <= amount <= sum(left):
        raise ValueError(f"{amount} cannot be taken from {sum(left)}")
    return [share.minor for share in Money(amount, "").split(*left)] if amount else [0] * len(left)
