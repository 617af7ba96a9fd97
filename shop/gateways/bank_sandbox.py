"""A payee check for trying the shop out: recorded answers, asked of no bank. The IBAN decides which.

They are examples that are published to be tried with, and nobody's. Any other account cannot be checked.
"""

from __future__ import annotations

from shop.gateways.bank_port import BankSilentError, Verdict
from shop.models import LookUpResult

SILENT = "NL69INGB0123456789"  # this one's bank does not answer
TABLE = {
    "NL91ABNA0417164300": Verdict(LookUpResult.MATCH),
    "BE68539007547034": Verdict(LookUpResult.MATCH),
    "DE89370400440532013000": Verdict(LookUpResult.MATCH),
    "FR1420041010050500013M02606": Verdict(LookUpResult.MATCH),
    "NL61TEST0123456701": Verdict(LookUpResult.MATCH),  # of the demo's shops; there is no such bank
    "NL07TEST0123456703": Verdict(LookUpResult.MATCH),
    "NL77TEST0123456704": Verdict(LookUpResult.MATCH),
    "NL50TEST0123456705": Verdict(LookUpResult.MATCH),
    "DE87000000000123456705": Verdict(LookUpResult.MATCH),
    "NL39RABO0300065264": Verdict(LookUpResult.CLOSE, "Mina de Groot-Bakker"),
    "BE71096123456769": Verdict(LookUpResult.CLOSE, "Huis van Smaak BV"),
    "NL20INGB0001234567": Verdict(LookUpResult.NO_MATCH),
    "GB29NWBK60161331926819": Verdict(LookUpResult.NO_MATCH),
    "LU280019400644750000": Verdict(LookUpResult.CANNOT_CHECK),
}


class SandboxPayeeCheck:
    """The banks of the demo."""

    name = "sandbox"

    def check(self, iban: str, holder: str) -> Verdict:
        """What the table says; it looks at no name."""
        if iban == SILENT:
            raise BankSilentError("recorded")
        return TABLE.get(iban, Verdict(LookUpResult.CANNOT_CHECK))
