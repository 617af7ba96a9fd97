"""Evidence: what stands beside what an applicant told: papers, answers of registers and banks, and who looks alike."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, select

from shop import papers
from shop.checklist import Item
from shop.database import rows
from shop.models import BankAccount, BankState, LookUp, Paper, PaperKind, PaperState, Profile, Seller, SellerMark

# Which papers and which answers belong to which item.
PAPERS: dict[Item, tuple[PaperKind, ...]] = {
    Item.IDENTITY: (PaperKind.FRONT, PaperKind.BACK),
    Item.REGISTER: (PaperKind.EXTRACT,),
    Item.LICENCE: (PaperKind.LICENCE,),
    Item.MARK: (PaperKind.LICENCE,),
}
ANSWERS = {Item.REGISTER: "company", Item.VAT: "vat", Item.BANK: "payee"}

sheets, look_ups, marks = Paper.__table__, LookUp.__table__, SellerMark.__table__
accounts, sellers, profiles = BankAccount.__table__, Seller.__table__, Profile.__table__
_theirs = marks.alias("theirs")
_PAPERS = select(*sheets.c["code", "kind", "pages", "sent_at", "valid_until"]).where(
    sheets.c.seller_id == bindparam("seller"), sheets.c.state == PaperState.SEALED
)
_ANSWERS = (
    select(*look_ups.c["kind", "source", "asked", "result", "answer", "at"])
    .where(look_ups.c.seller_id == bindparam("seller"))
    .order_by(look_ups.c.at.desc(), look_ups.c.id.desc())
    .limit(50)
)
_BANK = (
    select(*accounts.c["state", "last4", "country", "bank", "holder", "payee_check", "payee_name", "set_at"])
    .where(accounts.c.seller_id == bindparam("seller"), accounts.c.state.in_((BankState.CURRENT, BankState.WAITING)))
    .order_by(accounts.c.id.desc())
)
_TWINS = (
    select(profiles.c.handle, profiles.c.name, *sellers.c["vetting", "banned_at"], marks.c.kind)
    .join_from(marks, _theirs, and_(_theirs.c.kind == marks.c.kind, _theirs.c.mark == marks.c.mark))
    .join(sellers, sellers.c.id == _theirs.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(marks.c.seller_id == bindparam("seller"), _theirs.c.seller_id != marks.c.seller_id)
    .order_by(profiles.c.handle, marks.c.kind)
    .limit(100)
)


class Twin(NamedTuple):
    """Another seller of whom something is the same, how they stand, and what it is."""

    handle: str
    name: str
    vetting: str
    is_banned: bool
    same: tuple[str, ...]  # kinds of marks; "paper" for a paper


class Evidence(NamedTuple):
    """All of it, for one application."""

    papers: dict[str, Row[Any]]
    answers: dict[str, Row[Any]]  # the last one of each kind
    bank: list[Row[Any]]
    twins: list[Twin]


def of(seller: Seller) -> Evidence:
    """What there is about this application: five questions to the database, however much there is."""
    answers: dict[str, Row[Any]] = {}
    for row in rows(_ANSWERS, seller=seller.id):
        answers.setdefault(row.kind, row)
    here = {row.kind: row for row in rows(_PAPERS, seller=seller.id)}
    return Evidence(here, answers, list(rows(_BANK, seller=seller.id)), _twins(seller))


def _twins(seller: Seller) -> list[Twin]:
    found: dict[str, Twin] = {}
    for row in rows(_TWINS, seller=seller.id):
        was = found.get(row.handle) or Twin(row.handle, row.name, row.vetting, row.banned_at is not None, ())
        found[row.handle] = was._replace(same=(*was.same, row.kind))
    for row in papers.same_as_of(seller.id):
        was = found.get(row.handle) or Twin(row.handle, row.name, row.vetting, False, ())
        found[row.handle] = was._replace(same=(*was.same, "paper"))
    return [found[handle] for handle in sorted(found)]
