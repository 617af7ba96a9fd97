"""A register for trying the shop out: recorded answers, asked of nobody. It knows these numbers and no others.

The KVK numbers are those with which the Chamber of Commerce lets one try its own service.
"""

from __future__ import annotations

from shop.gateways.company_port import Entry, RegisterSilentError

SILENT = "90004973"  # the number with which KVK's own test service answers an error
TABLE = {
    "68750110": Entry(("Wolkstap B.V. (fictief)", "Test BV Donald"), "Wolkenkade 8, 3511 ZZ Utrecht"),
    "69599084": Entry(("Kira Keramiek",), "Ovenpad 15, 2611 ZZ Delft"),
    "69599076": Entry(("Test VOF Guus",), "Abebe Bikilalaan 17, 1034 WL Amsterdam"),
    "90001354": Entry(("Test BV Afgeschermd",), ""),
    "96354429": Entry(("Test Cooperatie",), "Hizzaarderlaan 3 A, 8823 SJ Lollum", is_active=False),
    "0123456749": Entry(("Huis van Smaak BV (fictief)",), "Proeflokaalstraat 21, 9000 Gent"),
    "NL999999990B51": Entry(("WOLKSTAP B.V.",), "WOLKENKADE 00008 3511ZZ UTRECHT"),
    "91440300TEST00001": Entry(
        ("BrightPeak Trading Co., Ltd. (fictitious)",), "18 Lantern Harbour Road, Nanshan, 518000 Shenzhen"
    ),
    "NL999999995B06": Entry(("KIRA KERAMIEK",), "OVENPAD 00015 2611ZZ DELFT"),
    "BE0123456749": Entry(("BV HUIS VAN SMAAK",), "Proeflokaalstraat 21, 9000 Gent"),
    "DE123456788": Entry((), ""),  # Germany says that a number is valid, and not whose it is
}


class SandboxRegister:
    """The companies of the demo."""

    name = "sandbox"

    def find(self, number: str) -> Entry | None:
        """What the table says."""
        if number == SILENT:
            raise RegisterSilentError("recorded")
        return TABLE.get(number)
