"""What lies in the files of the demo's shops that were approved: what they told, their papers, and every item accepted.

So that whoever opens one finds what the shop would have asked for. The papers are specimens, made up and drawn here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from shop import application, checklist, clock, papers, sellers, vault
from shop.accounts import Person
from shop.checklist import Item
from shop.database import connection
from shop.demo import catalogue
from shop.gateways import paper_reader
from shop.models import ItemState, Paper, Seller

VALID_FOR = timedelta(days=9 * 365)  # an identity paper, from when it was sent
PHONES = {  # nobody's: they end in noughts; each shop has its own
    "tante.toos": "+31 38 000 00 00",
    "huis.van.smaak": "+32 9 000 00 00",
    "wolkstap": "+31 30 000 00 00",
    "brightpeak.audio": "+86 755 0000 0000",
    "kira.keramiek": "+31 15 000 00 00",
    "flitsdeals": "+31 20 000 00 00",
}
SPEAKS = {
    "huis.van.smaak": ("Mina Fictief", "zaakvoerder"),
    "wolkstap": ("Wim Fictief", "bestuurder"),
    "brightpeak.audio": ("Bo Fictitious", "director"),
}
NO_VAT_NUMBER = frozenset(("brightpeak.audio",))  # from outside the EU
IN_EUROPE = {
    "brightpeak.audio": {
        "name": "Loket Europa Productveiligheid B.V. (fictief)",
        "address": "Loodskade 44, 3089 ZZ Rotterdam, NL",
        "email": "rp@loketeuropa.example",
    }
}
APPROVED = frozenset(("tante.toos", *SPEAKS))

sheets = Paper.__table__


def told(handle: str) -> dict[str, Any]:
    """What this shop told besides what the catalogue says of it, by column."""
    facts: dict[str, Any] = {"phone": PHONES.get(handle, "")}
    if handle not in APPROVED:
        return facts
    by, as_what = SPEAKS.get(handle, ("", ""))
    facts |= {"represented_by": by, "represented_as": as_what, "is_small_business": handle in NO_VAT_NUMBER}
    facts |= {"email_confirmed_at": clock.now(), "eu_responsible": IN_EUROPE.get(handle, {})}
    return facts | {"terms_accepted_at": clock.now(), "terms_version": application.TERMS}


def fill(handle: str, *, by: Person, days_ago: float) -> None:
    """Send the papers of a shop that is going to be approved, and let the moderator accept item by item."""
    if handle not in APPROVED:
        return
    seller = sellers.called(handle)
    with clock.at(seller.applied_at):
        _send_papers(seller)
    with clock.at(catalogue.ago(days_ago)):
        for item in checklist.asked_of(seller.kind, seller.country):
            checklist.judge(seller, item, ItemState.ACCEPTED, by=by)


def _send_papers(seller: Seller) -> None:
    for kind, item in checklist.papers_of(seller.kind, seller.country).items():
        read = paper_reader.specimen(seller.legal_name, str(kind), seller.profile.handle)
        sent = papers.keep(seller.id, kind, read, vault.mark(b"file" + read.pages[0]))
        if item == Item.IDENTITY:
            valid = {"valid_until": (clock.now() + VALID_FOR).date()}
            connection().execute(update(sheets).where(sheets.c.id == sent.id).values(valid))
