"""What every payee check can do: say whether an account is on this name, as banks in the EU have to before a transfer.

Regulation (EU) 2024/886, art. 5c. A bank says a name only where it is nearly the one that was asked about.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from shop.models import LookUpResult

PATIENCE = 5  # seconds; banks have to answer each other within five, and somebody waits


class BankSilentError(Exception):
    """It did not answer, or not in a way that we understand: it cannot be checked now."""


class Verdict(NamedTuple):
    """What a bank says of an account and a name; `name` only of a close one: as the bank has it."""

    result: LookUpResult
    name: str = ""


class PayeeCheck(Protocol):
    """Somebody who asks the banks."""

    name: str  # of whoever is asked, as it is kept with the answer

    def check(self, iban: str, holder: str) -> Verdict:
        """Is the account with this right IBAN, in one piece, on this name?

        It takes at most about `PATIENCE` seconds, keeps nothing, and raises `BankSilentError`.
        """
        ...
