"""Applying to sell: a draft that is filled in step by step, sent in, taken back, put right; forgotten when left alone.

Only the applicant changes it, and only while it is open; each change is one guarded statement. What a moderator made of
an item is forgotten when that item changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select, update

from shop import checklist, clock, delivery, look_ups, marks, papers, sellers
from shop.accounts import Person
from shop.checklist import Item, State, Step
from shop.countries import ORIGINS
from shop.database import connection, db
from shop.errors import NotFound, Refused
from shop.i18n import _, ngettext
from shop.models import Event, PaperKind, Seller, SellerKind, Vetting
from shop.sellers import OBJECTION

TERMS = "2026-11"  # which version of the terms for sellers one agrees to
DECIDED_WITHIN = 3  # working days: what we aim at

table, events = Seller.__table__, Event.__table__

# How long it takes to tell, in minutes, for who has it at hand.
MINUTES: dict[Item, int] = {
    Item.CONTACT: 2,
    Item.IDENTITY: 2,
    Item.REGISTER: 2,
}
# What an item is kept in; what is not asked any more when it is sent in goes back to nothing.
COLUMNS: dict[Item, dict[str, Any]] = {
    Item.CONTACT: {
        **dict.fromkeys(("legal_name", "street", "postcode", "city", "phone", "email"), ""),
        "email_confirmed_at": None,
    },
    Item.REGISTER: {"company_register": "", "company_number": ""},
    Item.VAT: {"vat_number": "", "is_small_business": False},
    Item.REPRESENTATIVE: {"represented_by": "", "represented_as": ""},
    Item.EU_RESPONSIBLE: {"eu_responsible": {}},
    Item.PACKAGING: {"packaging": {}},
    Item.GOODS: {"sells_what": ""},
    Item.RETURNS: {"returns_address": ""},
    Item.PROMISE: {"is_self_certified": False, "terms_accepted_at": None, "terms_version": ""},
}


# How it stands


def minutes(items: Iterable[Item]) -> int:
    """About how long it takes to tell these."""
    return sum(MINUTES.get(item, 1) for item in items)


def is_to_do(step: Step) -> bool:
    """Does its owner have to do something about it?"""
    return step.state in (State.MISSING, State.FIX)


def next_step(steps: list[Step], after: Item | None = None) -> Item | None:
    """What to ask now: what has to be fixed first, then what is missing, from where one is; None when all is told."""
    fix = [step.item for step in steps if step.state == State.FIX]
    open_ones = fix or [step.item for step in steps if step.state == State.MISSING]
    order = list(Item)
    later = [item for item in open_ones if after is not None and order.index(item) > order.index(after)]
    return next(iter(later or open_ones), None)


def decided_by(seller: Seller) -> date:
    """The day on which a moderator should have decided, as far as it goes as we aim."""
    return delivery.delivery_dates(0, DECIDED_WITHIN, DECIDED_WITHIN, delivery.ordering_day(seller.applied_at)).last


def has_objected(seller: Seller) -> bool:
    """Is it looked at for the second time, after an objection?"""
    asked = (events.c.subject == "seller", events.c.subject_id == seller.id, events.c.became == OBJECTION)
    return bool(connection().execute(select(events.c.id).where(*asked).limit(1)).first())


def can_take_back(seller: Seller) -> bool:
    """May it be taken back? While it waits for the first time; an objection is the last word from both sides."""
    return seller.vetting == Vetting.WAITING and not has_objected(seller)


# What its owner does


def begin(person: Person, *, kind: str, country: str, handle: str, shop_name: str) -> Seller:
    """Begin an application: a draft of this kind from this country, with a window of its own if there is none yet."""
    _see_to_kind(kind, country)
    if sellers.of(person) is not None:
        raise Refused(_("You have begun already. Please look again."))
    told = {"vetting": Vetting.DRAFT, "kind": kind, "country": country}
    return sellers.begin(person, handle, shop_name, told)


def change_kind(person: Person, *, kind: str, country: str) -> None:
    """Another kind of seller, or another country: other things are asked, and nothing that was told is lost."""
    _see_to_kind(kind, country)
    seller = open_one(person)
    if seller.vetting != Vetting.DRAFT:
        raise Refused(_("Kind and country can only be changed before it is sent in."))
    checklist.changed(seller.id, *Item)
    _write(seller, {"kind": kind, "country": country})


def open_one(person: Person) -> Seller:
    """This person's application, where it may be changed at this moment."""
    seller = sellers.of(person)
    if seller is None:
        raise NotFound(_("You have not begun yet."))
    if not sellers.is_open(seller):
        raise Refused(_("This application is not open at the moment. Please look again."))
    return seller


def asked(person: Person, item: Item) -> Seller:
    """As `open_one`, where this item is asked of it; another one is not there."""
    seller = open_one(person)
    if item not in checklist.asked_of(seller.kind, seller.country):
        raise NotFound(_("This is not asked of you."))
    return seller


def tell(person: Person, item: Item, facts: dict[str, Any]) -> Seller:
    """Keep what was told about an item; what a moderator made of it before is forgotten."""
    seller = asked(person, item)
    if unknown := set(facts) - set(COLUMNS[item]) - _BESIDE.get(item, set()):
        raise ValueError(f"{item} does not keep {unknown}")
    _write(seller, facts)
    checklist.changed(seller.id, item)
    return seller


_BESIDE = {Item.GOODS: {"stock_kind"}, Item.RETURNS: {"returns_days", "returns_paid_by"}}


def promise(person: Person) -> None:
    """Promise what the law wants promised, and agree to the terms as they are today."""
    now = {"is_self_certified": True, "terms_accepted_at": clock.now(), "terms_version": TERMS}
    tell(person, Item.PROMISE, now)


def asked_paper(person: Person, kind: str) -> tuple[Seller, Item]:
    """The application that may be sent this kind of paper now, and the item that it belongs to."""
    seller = sellers.of(person)
    wanted = checklist.papers_of(seller.kind, seller.country) if seller is not None else {}
    if seller is None or not sellers.is_open(seller) or kind not in wanted:
        raise Refused(_("This paper is not asked for at the moment."))
    return seller, wanted[PaperKind(kind)]


def withdraw(seller: Seller, code: str) -> Item | None:
    """Shred a paper that its owner wants back, and say to which item it belonged, if that is still asked."""
    kind = next((paper.kind for paper in papers.of(seller.id) if paper.code == code), "")
    papers.withdraw(seller.id, code)
    item = next((item for item, kinds in checklist.PAPERS.items() if kind in kinds), None)
    if item is not None:
        touch(seller, item)
    return item if item in checklist.asked_of(seller.kind, seller.country) else None


def touch(seller: Seller, item: Item) -> None:
    """Something of this item has changed elsewhere: a paper came or went, another bank account."""
    _write(seller, {})
    checklist.changed(seller.id, item)


def submit(person: Person, *, is_told: bool = True) -> Seller:
    """Send it in: it waits for a moderator. What is not asked of this kind of seller is forgotten."""
    seller = open_one(person)
    if left := checklist.missing(seller):
        raise Refused(_still(len(left)), 422)
    is_asked = checklist.asked_of(seller.kind, seller.country)
    others = [held for item, held in COLUMNS.items() if item not in is_asked]
    rest: dict[str, Any] = {name: none for held in others for name, none in held.items()}
    papers.keep_only(seller.id, checklist.papers_of(seller.kind, seller.country))
    rest |= {"applied_at": clock.now(), "decided_at": None}
    sellers.move(seller, Vetting.WAITING, by=person, note="", is_told=is_told, **rest)
    marks.keep(seller)
    look_ups.ask(seller)
    return seller


def _still(n: int) -> str:
    words: str = ngettext("%(num)s thing is still missing.", "%(num)s things are still missing.", n)
    return words


def take_back(person: Person) -> None:
    """Take it back from the moderators: it is a draft again, and loses its place in the row."""
    seller = sellers.of(person)
    if seller is None or not can_take_back(seller):
        raise Refused(_("This application has just changed. Please look again."))
    anew: dict[str, Any] = {"applied_at": clock.now(), "claimed_by_id": None, "claimed_until": None}
    sellers.move(seller, Vetting.DRAFT, by=person, note="", is_told=False, **anew)


def _see_to_kind(kind: str, country: str) -> None:
    if kind not in list(SellerKind) or country not in ORIGINS:
        raise Refused(_("Choose what you are, and from where you sell."), 422)


def _write(seller: Seller, facts: dict[str, Any]) -> None:
    """Once, while it is open, by whoever is first; a draft that is touched is kept for another half year."""
    now = clock.now()
    if seller.vetting == Vetting.DRAFT:
        facts = {**facts, "applied_at": now}
        papers.keep_until(seller.id, now + papers.UNDECIDED)
    is_open = (table.c.id == seller.id, table.c.vetting == seller.vetting)
    if facts and connection().execute(update(table).where(*is_open).values(facts)).rowcount != 1:
        raise Refused(_("This application has just changed. Please look again."))
    db.session.refresh(seller)
