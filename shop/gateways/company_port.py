"""What every register of companies can do: say whose a number is. A trade register, or the register of VAT numbers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

PATIENCE = 8  # seconds; a job asks, and nobody sits and waits


class RegisterSilentError(Exception):
    """It did not answer, or not in a way that we understand. It is asked again later."""


class Entry(NamedTuple):
    """Who stands in a register under a number. What it does not tell is empty."""

    names: tuple[str, ...]
    address: str
    is_active: bool = True


class CompanyRegister(Protocol):
    """A register that can be asked about one number at a time."""

    name: str  # of whoever is asked, as it is kept with the answer

    def find(self, number: str) -> Entry | None:
        """Who has this number, written in one piece (`68750110`, `NL999999990B51`); None where nobody has it.

        It takes at most about `PATIENCE` seconds, keeps nothing, and raises `RegisterSilentError`.
        """
        ...
