"""What every look-up of addresses can do: say which street and town a postcode and a house number stand for."""

from __future__ import annotations

from typing import NamedTuple, Protocol

PATIENCE = 2  # seconds; somebody is typing meanwhile, and can go on typing


class LookUpFailedError(Exception):
    """It did not answer, or not in a way that we understand. Whoever asked types it themselves."""


class Found(NamedTuple):
    """Where it is."""

    street: str
    city: str


class AddressLookUp(Protocol):
    """A register of the addresses of the Netherlands."""

    def find(self, postcode: str, number: int) -> Found | None:
        """The street and town of `1234AB` and a house number without its letter; None where there is no such address.

        It takes at most about `PATIENCE` seconds, keeps nothing, and raises `LookUpFailedError`.
        """
        ...
