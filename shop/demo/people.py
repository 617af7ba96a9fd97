"""The demo's people: who one may sign in as, whose windows there are, and what the vetting made of the sellers."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from shop import accounts, checklist, clock, gateways, look_ups, marks, payees, proofs, sellers, tax_facts, verdicts
from shop.accounts import Person
from shop.database import db
from shop.demo import catalogue, files
from shop.gateways.bank_port import Verdict
from shop.gateways.company_sandbox import SandboxRegister
from shop.models import Address, BankState, LookUpKind, LookUpResult, Profile, Role, Seller, SellerKind, User, Vetting
from shop.words import Words


class Account(NamedTuple):
    """Somebody to be, for trying the shop out."""

    role: str
    email: str
    name: str
    handle: str | None = None
    grants: tuple[Role, ...] = ()


BORN = date(1990, 5, 17)
LANGUAGE = "nl"  # what the demo's people read, and are written to in

ACCOUNTS = (
    Account("shopper", "noor@example.com", "Noor"),
    Account("creator", "kai@example.com", "Kai", "daan.drinkt.thee", (Role.CREATOR,)),
    Account("seller", "mina@example.com", "Mina", "huis.van.smaak", (Role.CREATOR, Role.SELLER)),
    Account("moderator", "rex@example.com", "Rex", None, (Role.MODERATOR,)),
    Account("admin", "admin@example.com", "Ada", None, (Role.ADMIN,)),
)


# Who applies to sell, besides those of the catalogue: their windows come with their applications (`applicants`).
APPLICANTS = (
    Account("applicant", "fenna@weeft.example", "Fenna weeft", "fenna.weeft"),
    Account("applicant", "jonas@lichtwerk.example", "Lichtwerk", "lichtwerk"),
    Account("applicant", "bonjour@atelierbrume.example", "Atelier Brume", "atelier.brume"),
    Account("applicant", "info@knaldeals.example", "Knaldeals", "knaldeals"),
)


def add(shop: catalogue.Entry, files: catalogue.Files, secret: str) -> None:
    """Open the accounts and windows that are not there yet; `secret` is what is kept of everybody's password."""
    owners = {account.handle: account for account in ACCOUNTS if account.handle}
    for account in (*ACCOUNTS, *APPLICANTS):
        _add_user(account, secret)
    films = {clip["creator"] for clip in shop["clips"]}
    for entry in shop["accounts"]:
        owner = owners.get(entry["handle"]) or _owner(entry, films)
        _add_profile(entry, _add_user(owner, secret), files)
    noor = db.session.scalars(select(User).where(User.email == ACCOUNTS[0].email)).one()
    if not catalogue.is_there(Address, Address.user_id == noor.id):
        home = {"street": "Oudegracht", "house_number": "145", "postcode": "3511 AJ", "city": "Utrecht"}
        db.session.add(Address(user_id=noor.id, name="Noor Fictief", country="NL", **home))


def _owner(entry: catalogue.Entry, films: set[str]) -> Account:
    """Who stands behind an account of the catalogue that is not one of the five."""
    trader, handle = entry["trader"] or {}, entry["handle"]
    grants = (Role.CREATOR,) if handle in films else ()
    return Account(entry["kind"], trader.get("email", f"{handle}@example.com"), entry["name"], handle, grants)


def _add_user(account: Account, secret: str) -> int:
    known = db.session.scalar(select(User.id).where(User.email == account.email))
    if known is not None:
        return known
    user = accounts.register(account.email, account.name, secret)
    user.language = LANGUAGE
    for role in account.grants:
        accounts.grant(user, role)
    if accounts.STAFF & set(account.grants):
        proofs.give_demo_app(user.id)
    return user.id


def _add_profile(entry: catalogue.Entry, user_id: int, files: catalogue.Files) -> None:
    if catalogue.is_there(Profile, Profile.handle == entry["handle"]):
        return
    facts = {key: entry[key] for key in ("handle", "name", "followers")}
    avatar, since = files[entry["avatar"]], catalogue.ago((entry["vetting"]["days_ago"] or 0) + 30)
    db.session.add(Profile(**facts, user_id=user_id, bio=Words.read(entry["bio"]), avatar=avatar, created_at=since))
    db.session.flush()


def profile_of(handle: str) -> Profile:
    """Whose window this is."""
    return db.session.scalars(select(Profile).where(Profile.handle == handle)).one()


def tax_number(country: str) -> str:
    """One that is well written, and that nobody was ever given."""
    return {"NL": "999999990", "DE": "36574261809"}.get(country, "00000000000")


def add_sellers(entries: list[catalogue.Entry]) -> None:
    """Let those who sell apply, and the moderator decide, when the catalogue says so. Nobody is mailed."""
    judge = accounts.called(ACCOUNTS[3].email)
    for entry in entries:
        profile = profile_of(entry["handle"])
        if entry["trader"] and judge and not catalogue.is_there(Seller, Seller.profile_id == profile.id):
            _apply(entry, profile)
            _be_known(entry, profile)
            files.fill(profile.handle, by=accounts.as_actor(judge), days_ago=entry["vetting"]["days_ago"] + 1)
            if entry["vetting"]["state"] != Vetting.WAITING:
                _decide(entry, accounts.as_actor(judge))


def _apply(entry: catalogue.Entry, profile: Profile) -> None:
    is_decided = entry["vetting"]["state"] != Vetting.WAITING
    owner = Person(profile.user_id or 0, profile.name, "")
    with clock.at(catalogue.ago(entry["vetting"]["days_ago"] + 2 * is_decided)):
        sellers.apply(
            owner,
            handle=profile.handle,
            shop_name=profile.name,
            is_told=False,
            **_identity(entry),
            **_ways(entry),
            **files.told(profile.handle),
        )


def _be_known(entry: catalogue.Entry, profile: Profile) -> None:
    """Their account, the marks by which they are seen twice, and the register's answer about who still waits."""
    seller, owner = sellers.called(profile.handle), Person(profile.user_id or 0, profile.name, "")
    marks.keep(seller)
    check, iban, holder = gateways.bank(), entry["trader"]["iban"], seller.legal_name
    verdict = check.check(iban, holder) if check else Verdict(LookUpResult.CANNOT_CHECK)
    account = payees.Checked(iban, holder, check.name if check else look_ups.NOBODY, verdict)
    with clock.at(seller.applied_at):
        payees.keep(seller.id, BankState.CURRENT, account, by=owner)
        tax_facts.give(seller, number=tax_number(seller.country), country=seller.country, born=BORN, by=owner)
        _look_up(seller)


def _look_up(seller: Seller) -> None:
    """What the sandbox says, which is asked of nobody: no job is left to do, and no real register hears of a demo."""
    asked = {LookUpKind.COMPANY: (seller.company_number, gateways.company(seller.company_register))}
    asked |= {LookUpKind.VAT: (seller.vat_number, gateways.vat(seller.vat_number))}
    for kind, (number, register) in asked.items():
        if number and isinstance(register, SandboxRegister):
            found = register.find(number)
            result, answer = look_ups.compare(found, seller.legal_name, seller.postcode, seller.city)
            look_ups.note(seller.id, kind, source=register.name, asked=number, result=result, answer=answer)


def _decide(entry: catalogue.Entry, judge: Person) -> None:
    vetting, seller = entry["vetting"], sellers.called(entry["handle"])
    with clock.at(catalogue.ago(vetting["days_ago"])):
        looked_at = checklist.asked_of(seller.kind, seller.country) if vetting["state"] == Vetting.APPROVED else ()
        why: dict[str, Any] = {"words": Words.read(vetting["reason"]), "looked_at": looked_at}
        verdicts.settle(seller, vetting["state"], by=judge, **why, is_told=False)
        if seller.vetting == Vetting.APPROVED:
            seller.established_at = clock.now()  # the made-up shop has been selling for a while


def _identity(entry: catalogue.Entry) -> dict[str, Any]:
    trader = entry["trader"]
    return {
        "kind": SellerKind(entry["kind"]),
        **{key: trader[key] for key in ("legal_name", "email")},
        **{key: trader[key] or "" for key in ("company_number", "vat_number")},
        "company_register": (trader["company_register"] or "").partition(" ")[0],
        **trader["address"],
        "sells_what": Words.read(entry["bio"]).said(LANGUAGE),
        "is_self_certified": True,
    }


def _ways(entry: catalogue.Entry) -> dict[str, Any]:
    """How this seller sends and takes back."""
    ways: dict[str, Any] = {"stock_kind": entry["ships"]["stock_kind"]} if entry["ships"] else {}
    if returns := entry["returns"]:
        address = "{street}, {postcode} {city}, {country}".format_map(returns["address"])
        ways |= {"returns_days": returns["days"], "returns_paid_by": returns["paid_by"], "returns_address": address}
        ways["returns_note"] = Words.read(returns["note"])
    return ways
