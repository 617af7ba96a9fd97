"""Addresses: where people with an account have things delivered."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, select

from shop.database import first
from shop.models import Address, User

users, addresses = User.__table__, Address.__table__
_OF = (
    select(
        users.c.email,
        users.c.name.label("called"),
        addresses.c.name,
        addresses.c.street,
        addresses.c.house_number,
        addresses.c.postcode,
        addresses.c.city,
        addresses.c.country,
    )
    .outerjoin(addresses, addresses.c.user_id == users.c.id)
    .where(users.c.id == bindparam("person"))
)


class Buyer(NamedTuple):
    """To whom and where something goes, and where we write about it."""

    email: str
    name: str
    street: str
    house_number: str
    postcode: str
    city: str
    country: str

    @property
    def is_complete(self) -> bool:
        """Is all of it known already?"""
        return all(self)


def known(person: int | None) -> Buyer | None:
    """What we know of somebody with an account; the parts that we do not know are empty."""
    row = first(_OF, person=person) if person else None
    if row is None:
        return None
    place = [row.street, row.house_number, row.postcode, row.city, row.country]
    return Buyer(row.email, row.name or row.called, *(part or "" for part in place))
