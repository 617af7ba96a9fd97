"""What every list of unsafe products can do: give all its alerts, so that our goods are held against them here.

Nobody outside is told what is for sale with us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

PATIENCE = 30  # seconds for all of it; a job asks, and nobody sits and waits


class RecallsSilentError(Exception):
    """It did not answer, or not in a way that we understand. It is asked again later."""


class Alert(NamedTuple):
    """A product that an authority calls unsafe or against the law. What is not told is empty."""

    number: str  # by which the alert is known: `SR/01234/26`
    address: str  # where everybody can read it
    published: str  # the day of the report that it stands in, as `2026-11-20`
    brand: str
    name: str
    product: str  # what kind of thing it is
    models: str  # types and numbers of models, as they are written
    numbers: str  # barcodes and batches, as they are written
    danger: str
    measures: str


class RecallList(Protocol):
    """An official, freely accessible list that machines can read (DSA art. 31(3))."""

    name: str  # of whoever is asked, as it is kept with each check

    def alerts(self) -> Sequence[Alert]:
        """Every alert of it that we hold our goods against.

        It takes at most about `PATIENCE` seconds, and raises `RecallsSilentError`.
        """
        ...
