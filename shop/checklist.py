"""The checklist: what an application has to tell, by kind of seller and by country, and how each item of it stands.

One list for the applicant, who sees what is missing, and for the moderator, who accepts each item or says what to fix.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, exists, func, select

from shop import clock, papers
from shop.accounts import Person
from shop.countries import EU
from shop.database import connection, db, insert, rows
from shop.models import BankAccount, BankState, ItemState, PaperKind, Seller, SellerKind, TaxNumber, VettingItem
from shop.words import Words

items, accounts, taxes = VettingItem.__table__, BankAccount.__table__, TaxNumber.__table__
_OF = select(*items.c["item", "state", "reason", "words", "at"]).where(items.c.seller_id == bindparam("seller"))
_SEALED = select(
    exists()
    .where(accounts.c.seller_id == bindparam("seller"), accounts.c.state.in_((BankState.CURRENT, BankState.WAITING)))
    .label("bank"),
    exists().where(taxes.c.seller_id == bindparam("seller")).label("tax"),
    exists().where(taxes.c.seller_id == bindparam("seller"), taxes.c.has_birth_date).label("born"),
)


# Of the seller of a query: what was accepted, in no order; and what the bank said about the name on their account.
accepted = (
    select(func.aggregate_strings(items.c.item, ","))
    .where(items.c.seller_id == Seller.__table__.c.id, items.c.state == ItemState.ACCEPTED)
    .correlate(Seller.__table__)
    .scalar_subquery()
)
payee = (
    select(accounts.c.payee_check)
    .where(accounts.c.seller_id == Seller.__table__.c.id, accounts.c.state == BankState.CURRENT)
    .correlate(Seller.__table__)
    .scalar_subquery()
)


class Item(StrEnum):
    """One thing that an application asks for; in the order in which it is asked."""

    CONTACT = "contact"  # name, address, telephone, and an e-mail address that answers (DSA art. 30(1)(a))
    IDENTITY = "identity"  # an identity paper (b)
    REGISTER = "register"  # the trade register, its number and its extract (d)
    LICENCE = "licence"  # from outside the EU: by what they are allowed to trade
    VAT = "vat"  # the VAT number, or that they need none
    REPRESENTATIVE = "representative"  # who acts for the business
    EU_RESPONSIBLE = "eu_responsible"  # who answers in the EU for goods from outside it (GPSR art. 16)
    PACKAGING = "packaging"  # the number in the packaging register, where the country asks for one (EPR)
    MARK = "mark"  # that the brand is theirs
    BANK = "bank"  # the account that money goes to (c)
    TAX = "tax"  # the number under which they pay income tax, and a person's day of birth (DAC7)
    GOODS = "goods"  # what they want to sell, and where its stock lies
    RETURNS = "returns"  # where returns go
    PROMISE = "promise"  # the self-certification (e), and the terms


class State(StrEnum):
    """How an item stands."""

    MISSING = "missing"
    GIVEN = "given"
    ACCEPTED = "accepted"
    FIX = "fix"


class Step(NamedTuple):
    """An item of one application, how it stands, and what a moderator said about it."""

    item: Item
    state: State
    reason: str  # the code of a reason template
    words: Words

    @property
    def is_asked_again(self) -> bool:
        """Did a moderator say that it has to be put right, and has it not been told anew?"""
        return self.state == State.FIX or (self.state == State.MISSING and any(self.words.values()))


# The papers that an item asks for.
PAPERS: dict[Item, tuple[PaperKind, ...]] = {
    Item.IDENTITY: (PaperKind.FRONT, PaperKind.BACK),
    Item.REGISTER: (PaperKind.EXTRACT,),
    Item.LICENCE: (PaperKind.LICENCE,),
    Item.MARK: (PaperKind.MARK,),
}
PACKAGING = frozenset(("DE", "FR"))  # where nobody sells without a number in the packaging register: LUCID, IDU
_ALL = frozenset((Item.CONTACT, Item.BANK, Item.TAX, Item.GOODS, Item.RETURNS, Item.PROMISE))
_BUSINESS = frozenset((Item.REGISTER, Item.VAT, Item.REPRESENTATIVE))


def asked_of(kind: str, country: str) -> tuple[Item, ...]:
    """What is asked of this kind of seller from this country, in its order."""
    asked = set(_ALL)
    asked |= {Item.IDENTITY} if kind == SellerKind.INDIVIDUAL else _BUSINESS
    if kind == SellerKind.BRAND:
        asked.add(Item.MARK)
    if kind != SellerKind.INDIVIDUAL and country in PACKAGING:
        asked.add(Item.PACKAGING)
    if country not in EU:
        asked |= {Item.EU_RESPONSIBLE} | ({Item.LICENCE} if kind != SellerKind.INDIVIDUAL else set())
    return tuple(item for item in Item if item in asked)


def papers_of(kind: str, country: str) -> dict[PaperKind, Item]:
    """Which papers are asked of this kind of seller from this country, each with the item that it belongs to."""
    return {paper: item for item in asked_of(kind, country) for paper in PAPERS.get(item, ())}


def of(seller: Seller) -> list[Step]:
    """Every item that is asked of this seller, and how it stands: three questions to the database."""
    judged = {row.item: row for row in rows(_OF, seller=seller.id)}
    told = _told(seller)
    return [_step(item, told[item], judged.get(item)) for item in asked_of(seller.kind, seller.country)]


def missing(seller: Seller) -> list[Item]:
    """What has to be told before the application can be sent in, or was to be fixed and has not changed."""
    return [step.item for step in of(seller) if step.state in (State.MISSING, State.FIX)]


def _step(item: Item, is_told: bool, judged: Row[Any] | None) -> Step:
    if judged is None:
        return Step(item, State.GIVEN if is_told else State.MISSING, "", Words())
    return Step(item, State(judged.state) if is_told else State.MISSING, judged.reason, judged.words)


def _told(seller: Seller) -> dict[Item, bool]:
    """Is there an answer for each item? That it is right, somebody has to look at."""
    here = {paper.kind for paper in papers.of(seller.id)}
    sealed = rows(_SEALED, seller=seller.id)[0]
    return {
        Item.CONTACT: all((seller.legal_name, seller.street, seller.postcode, seller.city, seller.phone))
        and seller.email_confirmed_at is not None,
        Item.IDENTITY: {PaperKind.FRONT, PaperKind.BACK} <= here,
        Item.REGISTER: bool(seller.company_register and seller.company_number) and PaperKind.EXTRACT in here,
        Item.LICENCE: PaperKind.LICENCE in here,
        Item.VAT: bool(seller.vat_number) or seller.is_small_business,
        Item.REPRESENTATIVE: bool(seller.represented_by and seller.represented_as),
        Item.EU_RESPONSIBLE: bool(seller.eu_responsible.get("name") and seller.eu_responsible.get("address")),
        Item.PACKAGING: bool(seller.packaging.get(seller.country)),
        Item.MARK: PaperKind.MARK in here,
        Item.BANK: bool(sealed.bank),
        Item.TAX: bool(sealed.born if seller.kind == SellerKind.INDIVIDUAL else sealed.tax),
        Item.GOODS: bool(seller.sells_what),
        Item.RETURNS: bool(seller.returns_address),
        Item.PROMISE: seller.is_self_certified and seller.terms_accepted_at is not None,
    }


def judge(
    seller: Seller, item: Item, state: ItemState, *, by: Person, reason: str = "", words: Words | None = None
) -> None:
    """Write down what a moderator made of an item; the last word on it counts."""
    told = {"state": state, "reason": reason, "words": words or Words(), "by_id": by.id, "at": clock.now()}
    row = insert(items).values(seller_id=seller.id, item=item, **told)
    connection().execute(row.on_conflict_do_update(index_elements=["seller_id", "item"], set_=told))
    db.session.expire_all()


def changed(seller_id: int, *which: Item) -> None:
    """Forget what was made of these items: their owner has changed what they are about."""
    connection().execute(delete(items).where(items.c.seller_id == seller_id, items.c.item.in_(which)))
