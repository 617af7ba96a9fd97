"""Evidence: what stands beside what an applicant told: papers, answers of registers and banks, and who looks alike."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select

from shop import look_ups, marks, papers, tax_facts
from shop.checklist import Item
from shop.database import rows
from shop.look_ups import Found
from shop.models import BankAccount, BankState, LookUpKind, Paper, PaperState, Seller

# Which answers belong to which item.
ANSWERS = {Item.REGISTER: LookUpKind.COMPANY, Item.VAT: LookUpKind.VAT, Item.BANK: LookUpKind.PAYEE}

sheets, accounts = Paper.__table__, BankAccount.__table__
_PAPERS = select(*sheets.c["code", "kind", "pages", "sent_at", "valid_until", "opened_by_id", "open_until"]).where(
    sheets.c.seller_id == bindparam("seller"), sheets.c.state == PaperState.SEALED
)
_BANK = (
    select(*accounts.c["state", "last4", "country", "bank", "holder", "payee_check", "payee_name", "set_at"])
    .where(accounts.c.seller_id == bindparam("seller"), accounts.c.state.in_((BankState.CURRENT, BankState.WAITING)))
    .order_by(accounts.c.id.desc())
)


class Twin(NamedTuple):
    """Another seller of whom something is the same, how they stand, and what it is."""

    handle: str
    name: str
    vetting: str
    same: tuple[str, ...]  # kinds of marks; "paper" for a paper


class Evidence(NamedTuple):
    """All of it, for one application."""

    papers: dict[str, Row[Any]]
    answers: dict[LookUpKind, Found]  # the last one of each kind
    bank: list[Row[Any]]
    twins: list[Twin]
    tax: Row[Any] | None  # by its last three


def of(seller: Seller) -> Evidence:
    """What there is about this application: six questions to the database, however much there is."""
    here = {row.kind: row for row in rows(_PAPERS, seller=seller.id)}
    return Evidence(
        here, look_ups.latest(seller), list(rows(_BANK, seller=seller.id)), _twins(seller), tax_facts.of(seller.id)
    )


def _twins(seller: Seller) -> list[Twin]:
    told: list[tuple[Any, str]] = [(one, str(one.kind)) for one in marks.twins(seller)]
    sent: list[tuple[Any, str]] = [(row, "paper") for row in papers.same_as_of(seller.id)]
    found: dict[str, Twin] = {}
    for one, kind in (*told, *sent):
        was = found.get(one.handle) or Twin(one.handle, one.name, one.vetting, ())
        found[one.handle] = was._replace(same=(*was.same, kind))
    return [found[handle] for handle in sorted(found)]
