"""Addresses: where people with an account have things delivered, and what a postcode says about where that is."""

from __future__ import annotations

import re
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, select

from shop import gateways, turn
from shop.database import first
from shop.gateways.address_port import Found, LookUpFailedError
from shop.models import Address, User

log = structlog.get_logger()

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


def can_be_looked_up() -> bool:
    """Did the operator choose somebody to ask for streets?"""
    return gateways.address() is not None


def number(text: str) -> int | None:
    """The number in a house number: 145 of "145 bis"; None where it begins with something else."""
    found = re.match(r"\s*([1-9]\d{0,4})(?!\d)", text)
    return int(found[1]) if found else None


def look_up(postcode: str, number: int) -> Found | None:
    """The street and town of an address in the Netherlands; None where nobody knows, or nobody answers in time.

    Called with no transaction open. Whoever fails to answer is logged, without the address.
    """
    register = gateways.address()
    if register is None:
        return None
    try:
        with turn.aside():
            return register.find(postcode.replace(" ", ""), number)
    except LookUpFailedError as error:
        log.warning("nobody looks up addresses", error=str(error))
        return None
