"""Desk counts: how much waits in each row of the moderators' desk besides the applications. One question for all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from shop import bank_accounts, listing_desk, rechecks
from shop.database import first

_ALL = select(
    bank_accounts.how_many.scalar_subquery().label("accounts"),
    listing_desk.how_many.scalar_subquery().label("listings"),
    rechecks.how_many.scalar_subquery().label("papers"),
)


def waiting() -> Row[Any]:
    """So many bank accounts that are to change, listings, and papers of who sells already."""
    found = first(_ALL, by=rechecks.today())
    assert found  # noqa: S101  counts are always there
    return found
