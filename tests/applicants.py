"""Who applies and who decides, for tests of the moderators' desk: somebody who has told all that is asked of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from shop import accounts, checklist, claims, clock, papers, tax_facts, verdicts
from shop.accounts import Person
from shop.checklist import Item
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import BankAccount, BankState, ItemState, LookUpResult, PaperKind, Profile, RoleGrant, Seller, Vetting
from tests.cast import a_profile, a_seller


def a_person(name: str, *roles: str, language: str = "en") -> Person:
    """Somebody with an account, who has just given a second proof."""
    user = accounts.called(f"{name}@example.com") or accounts.register(f"{name}@example.com", name.title(), "none")
    user.language = language
    user.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
    db.session.flush()
    return replace(accounts.as_actor(user), proven_at=clock.now())


def an_applicant(handle: str = "mina", name: str = "Atelier Mina", language: str = "en", **given: Any) -> Seller:
    """A private person who has told everything and waits since an hour ago."""
    owner = a_person(handle, language=language)
    facts = {
        "kind": "individual",
        "vetting": Vetting.WAITING,
        "legal_name": "Mina de Vries",
        "company_register": "",
        "company_number": "",
        "vat_number": "",
        "phone": "+31 30 123 45 67",
        "email_confirmed_at": clock.now(),
        "sells_what": "Mugs and bowls that I turn myself.",
        "terms_accepted_at": clock.now(),
        "applied_at": clock.now() - timedelta(hours=1),
        "decided_at": None,
    }
    profile: Profile = a_profile(handle, name, user_id=owner.id)
    seller = a_seller(handle, name, profile=profile, **{**facts, **given})
    db.session.add(seller)
    db.session.flush()
    for kind in (PaperKind.FRONT, PaperKind.BACK):
        papers.keep(
            seller.id,
            kind,
            Read("jpeg", (b"a page",), f"{handle[:4]:4}{kind[:4]}".encode()),
            f"{handle} {kind}".encode(),
        )
    db.session.add(account_of(seller))
    tax_facts.give(seller, number="999999990", country="NL", born=date(1990, 5, 17), by=owner)
    db.session.commit()
    return seller


def account_of(seller: Seller) -> BankAccount:
    """The account to which this seller is paid, as it is kept; not added yet."""
    return BankAccount(
        seller_id=seller.id,
        state=BankState.CURRENT,
        sealed_iban=b"sealed",
        wrapped_key=b"wrapped",
        key_id="1",
        last4="4300",
        country="NL",
        holder=seller.legal_name,
        payee_check=LookUpResult.MATCH,
        set_at=clock.now(),
    )


def taken(seller: Seller, by: Person) -> str:
    """Take an application; gives the stamp of what one sees."""
    claims.take(seller, by=by)
    return verdicts.as_it_stands(seller)


def accept_all(seller: Seller, by: Person) -> str:
    """Take it and accept every item; gives the stamp of what one sees."""
    seen = taken(seller, by)
    for item in checklist.asked_of(seller.kind, seller.country):
        until = clock.now().date() + timedelta(days=900) if item == Item.IDENTITY else None
        verdicts.accept(seller, item, by=by, seen=seen, valid_until=until)
    return seen


def fix(seller: Seller, by: Person, item: Item = Item.GOODS) -> None:
    """Mark one item as to be fixed, without a word of one's own."""
    checklist.judge(seller, item, ItemState.FIX, by=by, reason="vague")


def fill_the_queue(many: int) -> None:
    """So many businesses wait, one minute after another; commits as it goes."""
    start = clock.now() - timedelta(minutes=many)
    for n in range(many):
        at = start + timedelta(minutes=n)
        profile = a_profile(f"shop{n:05}", f"Shop {n:05}")
        db.session.add(a_seller("", "", profile=profile, vetting=Vetting.WAITING, applied_at=at, decided_at=None))
        if n % 1000 == 999:
            db.session.commit()
    db.session.commit()
