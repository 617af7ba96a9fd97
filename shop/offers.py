"""Offers: what can be bought at this moment and on which terms, with a fingerprint of all that is promised.

The form of the checkout shows one and carries its fingerprint; what is bought is what was shown, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select

from shop import chosen, newcomers, parcels
from shop.chosen import One
from shop.database import rows
from shop.models import Profile, Seller
from shop.money import Money
from shop.parcels import Parcel

sellers, profiles = Seller.__table__, Profile.__table__
_FACTS = (
    select(
        sellers.c.id,
        profiles.c.name,
        profiles.c.handle,
        sellers.c.kind,
        sellers.c.legal_name,
        sellers.c.company_register,
        sellers.c.company_number,
        sellers.c.vat_number,
        sellers.c.email,
        sellers.c.phone,
        sellers.c.street,
        sellers.c.postcode,
        sellers.c.city,
        sellers.c.country,
        sellers.c.returns_days,
        sellers.c.returns_paid_by,
        sellers.c.returns_address,
        sellers.c.returns_note,
        sellers.c.platform_rate,
        newcomers.under_way.label("under_way"),
    )
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .order_by(sellers.c.id)
)
# A list of the same length each time is put into SQL once; few buy from more sellers than that.
_FEW = tuple(f"seller_{n}" for n in range(6))
_FEW_SELLERS = _FACTS.where(sellers.c.id.in_([bindparam(name, type_=sellers.c.id.type) for name in _FEW]))
_SELLERS = _FACTS.where(sellers.c.id.in_(bindparam("sellers", expanding=True)))


OURS = frozenset(("id", "platform_rate", "under_way"))  # of these facts: not the buyer's business


class Offer(NamedTuple):
    """What can be bought now, on which terms."""

    parcels: list[Parcel]
    sellers: dict[int, Row[Any]]
    total: Money | None
    left_out: list[parcels.Line]  # what is in the cart too, but cannot be bought
    seen: str  # the fingerprint of all that the page promises

    @property
    def parts(self) -> tuple[tuple[Parcel, Row[Any]], ...]:
        """Each parcel with its seller."""
        return tuple((parcel, self.sellers[parcel.seller]) for parcel in self.parcels)

    @property
    def too_much(self) -> str:
        """The name of a seller who is new here and may not have so much under way yet; empty: everybody may."""
        names = (
            parcel.name
            for parcel in self.parcels
            if newcomers.goes_over(self.sellers[parcel.seller].under_way, parcel.total)
        )
        return next(names, "")


def make(wanted: str | One, person: int | None, country: str) -> Offer:
    """What is in a cart, or one thing alone, as it would be bought at this moment and delivered in `country`."""
    all_of_it = parcels.by_seller(chosen.lines(wanted, person, country))
    found = [parcel for parcel in all_of_it if parcel.bought]
    return Offer(
        parcels=found,
        sellers={row.id: row for row in _facts([parcel.seller for parcel in found])},
        total=parcels.total(found),
        left_out=[line for parcel in all_of_it for line in parcel.lines if not line.counted],
        seen=_fingerprint(found),
    )


def _facts(wanted: list[int]) -> Sequence[Row[Any]]:
    if len(wanted) > len(_FEW):
        return rows(_SELLERS, sellers=wanted)
    return rows(_FEW_SELLERS, **dict(zip(_FEW, wanted + [0] * len(_FEW), strict=False))) if wanted else ()


def _fingerprint(found: list[Parcel]) -> str:
    """Everything that the page promises about what is bought, in a form that changes when it does."""
    promised = [
        (parcel.seller, parcel.delivery, parcel.arrives, [_promise(line) for line in parcel.bought]) for parcel in found
    ]
    return sha256(repr(promised).encode()).hexdigest()


def _promise(line: parcels.Line) -> tuple[Any, ...]:
    origin = (line.ships_from_country, line.stock_kind)
    return (line.variant, line.counted, line.price, line.vat_rate, origin, line.returns_days, line.returns_paid_by)
