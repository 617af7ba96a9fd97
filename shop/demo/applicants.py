"""The demo's applicants: one in each state that a moderator or an applicant may meet, told by the rules, step by step.

Asking a bank ends a transaction, so it commits as it goes; who has begun already is left as they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shop import (
    accounts,
    application,
    bank_accounts,
    checklist,
    clock,
    contact_mail,
    papers,
    sellers,
    tax_facts,
    vault,
)
from shop.accounts import Person
from shop.checklist import Item
from shop.database import db
from shop.demo import catalogue
from shop.demo.files import PHONES
from shop.demo.people import ACCOUNTS, APPLICANTS, BORN, Account, tax_number
from shop.gateways import paper_reader
from shop.models import ItemState, Profile, Vetting
from shop.words import Words

KIRA, SILENT = "kira.keramiek", "NL69INGB0123456789"


class Applicant(NamedTuple):
    """Somebody who applies: how far they came, how many days ago, and what they tell."""

    account: Account
    kind: str
    country: str
    days_ago: float
    iban: str
    told: dict[Item, dict[str, Any]]


def _at(name: str, street: str, postcode: str, city: str, phone: str) -> dict[str, Any]:
    return {"legal_name": name, "street": street, "postcode": postcode, "city": city, "phone": phone}


FENNA = Applicant(
    APPLICANTS[0],
    "individual",
    "NL",
    1,
    "NL50TEST0123456705",
    {
        Item.CONTACT: _at("Fenna Fictief", "Spoelstraat 3", "9711 ZZ", "Groningen", "+31 50 000 00 00"),
        Item.GOODS: {
            "sells_what": "Sjaals en kussens die ik zelf weef, van wol uit Drenthe.",
            "stock_kind": "made_to_order",
        },
        Item.RETURNS: {"returns_address": "Spoelstraat 3, 9711 ZZ Groningen, NL", "returns_paid_by": "seller"},
    },
)
JONAS = Applicant(
    APPLICANTS[1],
    "business",
    "DE",
    4,
    "DE87000000000123456705",
    {
        Item.CONTACT: _at("Lichtwerk Fiktiv e.K.", "Lampenweg 5", "10115", "Berlin", "+49 30 0000000"),
        Item.REGISTER: {"company_register": "HRB", "company_number": "HRA 12345"},
        Item.VAT: {"is_small_business": True},
        Item.REPRESENTATIVE: {"represented_by": "Jonas Fiktiv", "represented_as": "Inhaber"},
        Item.PACKAGING: {"packaging": {"DE": "DE1234567890123"}},
        Item.GOODS: {"sells_what": "Lampen aus Eschenholz, in Berlin gebaut."},
        Item.RETURNS: {"returns_address": "Lampenweg 5, 10115 Berlin, DE"},
    },
)
BRUME = Applicant(
    APPLICANTS[2],
    "brand",
    "FR",
    0,
    "",
    {
        Item.CONTACT: _at("Atelier Brume Fictif SAS", "7 rue de la Brume", "75011", "Paris", "+33 1 00 00 00 00"),
        Item.GOODS: {"sells_what": "Des bougies et des savons, faits à Paris."},
    },
)
# To practise on: Flitsdeals, who was refused, comes back as somebody else with the same account, telephone and address.
KNALDEALS = Applicant(
    APPLICANTS[3],
    "business",
    "NL",
    0.5,
    "NL07TEST0123456703",
    {
        Item.CONTACT: _at("Knaldeals V.O.F. (fictief)", "Snelweg 1", "1101 ZZ", "Amsterdam", PHONES["flitsdeals"]),
        Item.REGISTER: {"company_register": "KVK", "company_number": "00000000"},  # no such number
        Item.VAT: {"is_small_business": True},
        Item.REPRESENTATIVE: {"represented_by": "Koen Fictief", "represented_as": "vennoot"},
        Item.GOODS: {"sells_what": "Elke dag een andere aanbieding."},
        Item.RETURNS: {"returns_address": "Snelweg 1, 1101 ZZ Amsterdam, NL"},
    },
)
ALL = (FENNA, JONAS, BRUME, KNALDEALS)
FIX = Words(
    nl="Dit uittreksel is van vorig jaar. Stuur er een dat hooguit drie maanden oud is.",
    en="This extract is from last year. Send one that is at most three months old.",
)
REST = {  # of kira, who told the rest at once
    Item.REPRESENTATIVE: {"represented_by": "Kira Fictief", "represented_as": "eigenaar"},
    Item.CONTACT: {"phone": PHONES[KIRA]},
}


def add() -> None:
    """Let them apply, as far as each of them comes. Nobody is mailed."""
    if catalogue.is_there(Profile, Profile.handle == FENNA.account.handle):
        return
    for applicant in ALL:
        _begin(applicant)
    for applicant in (FENNA, JONAS, KNALDEALS):
        _send_in(applicant)
    _complete_kira()
    _ask_to_fix(JONAS)
    db.session.commit()


def _person(email: str) -> Person:
    owner = accounts.called(email)
    if owner is None:
        raise LookupError(f"{email} is not in the demo")
    return accounts.as_actor(owner)


def _begin(applicant: Applicant) -> None:
    person = _person(applicant.account.email)
    named = {"handle": applicant.account.handle or "", "shop_name": applicant.account.name}
    with clock.at(catalogue.ago(applicant.days_ago)):
        application.begin(person, kind=applicant.kind, country=applicant.country, **named)
        for item, facts in applicant.told.items():
            if item == Item.CONTACT:
                contact_mail.tell(person, {**facts, "email": applicant.account.email})
            else:
                application.tell(person, item, facts)
        db.session.commit()


def _send_in(applicant: Applicant) -> None:
    with clock.at(catalogue.ago(applicant.days_ago)):
        _finish(_person(applicant.account.email), applicant.iban)


def _finish(person: Person, iban: str) -> None:
    """The papers, the account and the promise; then it is sent in."""
    seller = application.open_one(person)
    for kind in checklist.papers_of(seller.kind, seller.country):
        read = paper_reader.specimen(seller.legal_name, str(kind), seller.profile.handle)
        papers.keep(seller.id, kind, read, vault.mark(b"file" + read.pages[0]))
    application.promise(person)
    tax_facts.give(seller, number=tax_number(seller.country), country=seller.country, born=BORN, by=person)
    db.session.commit()
    bank_accounts.give(application.open_one(person), iban=iban, holder=seller.legal_name, by=person)
    application.submit(person, is_told=False)
    db.session.commit()


def _complete_kira() -> None:
    """She applied with everything at once, before there were steps: she takes it back and tells the rest."""
    seller = sellers.called(KIRA)
    person = _person(seller.email)
    with clock.at(seller.applied_at):
        application.take_back(person)
        facts = {name: getattr(seller, name) for name in ("legal_name", "street", "postcode", "city", "email")}
        contact_mail.tell(person, {**facts, **REST[Item.CONTACT]})
        application.tell(person, Item.REPRESENTATIVE, REST[Item.REPRESENTATIVE])
        _finish(person, SILENT)


def _ask_to_fix(applicant: Applicant) -> None:
    seller, rex = sellers.called(applicant.account.handle or ""), _person(ACCOUNTS[3].email)
    with clock.at(catalogue.ago(applicant.days_ago - 2)):
        for step in checklist.of(seller):
            checklist.judge(seller, step.item, ItemState.ACCEPTED, by=rex)
        checklist.judge(seller, Item.REGISTER, ItemState.FIX, by=rex, words=FIX)
        decided: dict[str, Any] = {"decided_at": clock.now(), "decided_by_id": rex.id}
        sellers.move(seller, Vetting.NEEDS_FIXING, by=rex, note="", is_told=False, **decided)
