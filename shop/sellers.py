"""Sellers: who applies to sell, what became of it, and who may sell. Nobody sells before they are approved."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from shop import accounts, clock, jobs, notifications
from shop.accounts import Person
from shop.database import connection, db, first, rows
from shop.errors import NotFound, Refused
from shop.i18n import _, ngettext
from shop.models import Event, Profile, Role, Seller, SellerKind, User, Vetting
from shop.words import Words

# By whom a state may be left, and for which one. Each move happens once: the database decides who won.
MOVES: dict[str, tuple[str, ...]] = {
    Vetting.WAITING: (Vetting.APPROVED, Vetting.NEEDS_FIXING, Vetting.REFUSED),
    Vetting.NEEDS_FIXING: (Vetting.WAITING,),
    Vetting.REFUSED: (Vetting.WAITING,),  # by an objection
    Vetting.APPROVED: (Vetting.SUSPENDED,),
    Vetting.SUSPENDED: (Vetting.APPROVED,),
}
OBJECTION, LIFTED, LEFT = "objection", "lifted", "left"  # steps of the story that are no states
PAGE = 20
SHORTEST_REASON = 10  # characters: less is no reason that a seller can do something with

# What a number must look like. That says that it was typed well, and never that it is somebody's.
REGISTERS = {
    "KVK": r"\d{8}",
    "KBO": r"[01]\d{9}",
    "HRB": r"HR[AB] ?\d{1,6}[A-Z]?",
    "RCS": r"\d{9}",
    "RCSL": r"[A-Z]\d{1,6}",
}
VAT_NUMBERS = {
    "NL": r"\d{9}B\d{2}",
    "BE": r"[01]\d{9}",
    "DE": r"\d{9}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "LU": r"\d{8}",
}

sellers, profiles, events, users = Seller.__table__, Profile.__table__, Event.__table__, User.__table__
may_sell = sellers.c.vetting == Vetting.APPROVED  # the one gate, for every query that has something for sale

_QUEUE = (
    select(profiles.c.handle, profiles.c.name, sellers.c.kind, sellers.c.country, sellers.c.applied_at)
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .outerjoin(users, users.c.id == profiles.c.user_id)
    .where(sellers.c.vetting == Vetting.WAITING, or_(users.c.id.is_(None), users.c.is_active))
    .order_by(sellers.c.applied_at, sellers.c.id)
    .limit(PAGE + 1)
)
_SELLING = (
    select(*profiles.c["handle", "name"], *sellers.c["kind", "country", "vetting", "decided_at"])
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .where(sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)), profiles.c.handle > bindparam("after"))
    .order_by(profiles.c.handle)
    .limit(PAGE + 1)
)
_AFTER = (
    select(sellers.c.applied_at, sellers.c.id)
    .join_from(sellers, profiles, sellers.c.profile_id == profiles.c.id)
    .where(profiles.c.handle == bindparam("handle"))
)
_BEFORE = select(func.count()).where(
    sellers.c.vetting == Vetting.WAITING, sellers.c.applied_at < bindparam("applied_at")
)
_STORY = (
    select(events.c.at, events.c.was, events.c.became, events.c.note, users.c.name)
    .join_from(events, users, events.c.user_id == users.c.id, isouter=True)
    .where(events.c.subject == "seller", events.c.subject_id == bindparam("id"))
    .order_by(events.c.id)
)


def of(person: Person) -> Seller | None:
    """This person's application or shop."""
    mine = select(Seller).join(Profile).where(Profile.user_id == person.id)
    return db.session.scalar(mine)


def called(handle: str) -> Seller:
    """The application or shop behind a handle, for the moderators' desk."""
    found = db.session.scalar(select(Seller).join(Profile).where(Profile.handle == handle))
    if found is None:
        raise NotFound(_("There is no such application."))
    return found


def apply(person: Person, *, handle: str, shop_name: str, is_told: bool = True, **facts: Any) -> Seller:
    """Ask to sell: a new application, or a better one where something had to be fixed. It waits for a moderator.

    Who has a window already sells under its handle and name.
    """
    seller = of(person)
    if seller is None:
        seller = _first(person, handle, shop_name, facts)
        noted = _note(seller, "", Vetting.WAITING, person, "")
        if is_told:
            _tell(seller, noted)
        return seller
    _move(seller, Vetting.WAITING, by=person, note="", applied_at=clock.now(), decided_at=None, **facts)
    return seller


def _first(person: Person, handle: str, shop_name: str, facts: dict[str, Any]) -> Seller:
    profile = db.session.scalar(select(Profile).where(Profile.user_id == person.id))
    if profile is None:
        if not accounts.is_free(handle):
            raise Refused(_("This name is taken. Choose another one."), 422)
        profile = Profile(user_id=person.id, handle=handle, name=shop_name, created_at=clock.now())
    seller = Seller(vetting=Vetting.WAITING, applied_at=clock.now(), **facts)
    try:
        with db.session.begin_nested():
            db.session.add(profile)
            db.session.flush()
            seller.profile_id = profile.id
            db.session.add(seller)
    except IntegrityError as clash:
        raise Refused(_("You have applied already, or this name was taken just now. Please look again.")) from clash
    return seller


def waiting_before(seller: Seller) -> int:
    """How many applications are looked at before this one."""
    return int(connection().execute(_BEFORE, {"applied_at": seller.applied_at}).scalar_one())


# The moderators' desk


def queue(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Waiting applications, the oldest first, and the handle after which the next page begins."""
    asked, place = _QUEUE, first(_AFTER, handle=after) if after else None
    if place is not None:
        older = (sellers.c.applied_at == place.applied_at) & (sellers.c.id > place.id)
        asked = asked.where((sellers.c.applied_at > place.applied_at) | older)
    found = list(rows(asked))
    return found[:PAGE], found[PAGE - 1].handle if len(found) > PAGE else None


def selling(after: str = "") -> tuple[list[Row[Any]], str | None]:
    """Who sells, or did until their sales were stopped, by handle; and the handle after which the next page begins."""
    found = list(rows(_SELLING, after=after))
    return found[:PAGE], found[PAGE - 1].handle if len(found) > PAGE else None


def story(seller: Seller) -> list[Row[Any]]:
    """Everything that happened to an application, in its order: who, when, what, and why."""
    return list(rows(_STORY, id=seller.id))


def checks_for(seller: Seller) -> tuple[str, ...]:
    """What has to be looked at before this one may be approved."""
    asked = ["identity", "contact", "goods"]
    if seller.kind != SellerKind.INDIVIDUAL:
        asked.insert(1, "register")
    if seller.vat_number:
        asked.insert(2, "vat")
    if seller.kind == SellerKind.BRAND:
        asked.append("brand")
    return tuple(asked)


def is_for(seller: Seller, person: Person) -> bool:
    """May this moderator decide on it? Not on their own, and not on an objection against what they decided."""
    if seller.profile.user_id == person.id:
        return False
    last = next((step for step in reversed(_steps(seller)) if step.became == Vetting.REFUSED), None)
    return not (_has_objected(seller) and last is not None and last.user_id == person.id)


def decide(
    seller: Seller,
    verdict: str,
    *,
    by: Person,
    checks: Collection[str],
    words: Words,
    seen: str,
    is_told: bool = True,
) -> None:
    """Approve, ask to fix, or refuse: once, by one moderator, with a reason, on what that moderator saw.

    `seen` is the application as it stood on the page; where it has changed since, nobody decides on the old one.
    """
    if not is_for(seller, by):
        raise Refused(_("This application is for another moderator to decide."), 403)
    if verdict not in MOVES[Vetting.WAITING]:
        raise Refused(_("Choose what to do with this application."), 422)
    if verdict == Vetting.APPROVED and (missing := set(checks_for(seller)) - set(checks)):
        raise Refused(_unticked(len(missing)), 422)
    if verdict != Vetting.APPROVED and len(words.said("").strip()) < 10:
        raise Refused(_("Give the reason, in words that the applicant can do something with."), 422)
    if seller.applied_at.isoformat() != seen:
        raise Refused(_("This application has just changed. Please look again."))
    note = f"{', '.join(sorted(checks))}\n{words.said('')}".strip()
    told = Words() if verdict == Vetting.APPROVED else words
    facts: dict[str, Any] = {"vetting_note": told, "decided_at": clock.now(), "decided_by_id": by.id}
    _move(seller, verdict, by=by, note=note, is_told=is_told, **facts)
    if verdict == Vetting.APPROVED and seller.profile.user is not None:
        accounts.grant(seller.profile.user, Role.SELLER)


def _unticked(n: int) -> str:
    words: str = ngettext(
        "Approve only what was looked at: %(num)s check is not ticked.",
        "Approve only what was looked at: %(num)s checks are not ticked.",
        n,
    )
    return words


def object_to(person: Person, words: str) -> None:
    """Say why a refusal is wrong: the application waits again, for a moderator who has not judged it. Once."""
    seller = of(person)
    if seller is None or seller.vetting != Vetting.REFUSED:
        raise Refused(_("There is no refusal to object to."))
    if _has_objected(seller):
        raise Refused(_("Your objection has been decided on; that was the last word from us."))
    _move(seller, Vetting.WAITING, by=person, note=words, step=OBJECTION, applied_at=clock.now(), decided_at=None)


def can_object(seller: Seller) -> bool:
    """Is there a refusal that was not objected to yet?"""
    return seller.vetting == Vetting.REFUSED and not _has_objected(seller)


def suspend(seller: Seller, *, by: Person, words: Words) -> None:
    """Stop somebody's sales at once: whatever is for sale asks `may_sell`. With a reason, and undone by `lift`.

    The day on which they were checked stays what it was.
    """
    _see_to_reason(seller, by, words)
    _move(seller, Vetting.SUSPENDED, by=by, note=words.said(""), vetting_note=words)
    if seller.profile.user is not None:
        accounts.revoke(seller.profile.user, Role.SELLER)


def lift(seller: Seller, *, by: Person, words: Words) -> None:
    """Let somebody sell again whose sales were stopped, and tell them why; at once, as with the stop."""
    _see_to_reason(seller, by, words)
    owner = seller.profile.user
    if owner is not None and not owner.is_active:
        raise Refused(_("The owner has closed this account. Nobody is there to sell."))
    _move(seller, Vetting.APPROVED, by=by, note=words.said(""), step=LIFTED, vetting_note=words)
    if owner is not None:
        accounts.grant(owner, Role.SELLER)


def _see_to_reason(seller: Seller, by: Person, words: Words) -> None:
    if seller.profile.user_id == by.id:
        raise Refused(_("This shop is for another moderator to decide on."), 403)
    if not (said := words.said("").strip()):
        raise Refused(_("Give the reason, in words that the seller can do something with."), 422)
    if len(said) < SHORTEST_REASON:
        raise Refused(_("Say more: a reason has at least %(n)s characters.", n=SHORTEST_REASON), 422)


def leave(person: Person) -> None:
    """Stop selling because its owner closes the account: what they have for sale is gone from every page at once."""
    seller = of(person)
    if seller is not None and seller.vetting == Vetting.APPROVED:
        _move(seller, Vetting.SUSPENDED, by=person, note="", step=LEFT, is_told=False, vetting_note=Words())


def _move(
    seller: Seller, to: str, *, by: Person, note: str, step: str = "", is_told: bool = True, **facts: Any
) -> None:
    """Move an application along, once, however many try at the same moment; and write to its owner."""
    was = seller.vetting
    if to not in MOVES[was]:
        raise Refused(_("This application has just changed. Please look again."))
    same = (sellers.c.id == seller.id, sellers.c.vetting == was, sellers.c.applied_at == seller.applied_at)
    if connection().execute(update(sellers).where(*same).values(vetting=to, **facts)).rowcount != 1:
        raise Refused(_("This application has just changed. Please look again."))
    db.session.refresh(seller)
    noted = _note(seller, was, step or to, by, note)
    if is_told:
        _tell(seller, noted)


def _note(seller: Seller, was: str, became: str, by: Person, note: str) -> Event:
    step = Event(
        at=clock.now(), subject="seller", subject_id=seller.id, was=was, became=became, user_id=by.id, note=note[:1000]
    )
    db.session.add(step)
    db.session.flush()
    return step


def _tell(seller: Seller, step: Event) -> None:
    owner = seller.profile.user
    if owner is not None:
        jobs.later(
            notifications.mail,
            kind="vetting",
            about=str(step.id),
            to=owner.email,
            template="vetting",
            language=owner.language,
            name=owner.name,
            shop=seller.profile.name,
            became=str(step.became),
            words=seller.vetting_note.said(owner.language),
        )


def _steps(seller: Seller) -> list[Event]:
    asked = select(Event).where(Event.subject == "seller", Event.subject_id == seller.id).order_by(Event.id)
    return list(db.session.scalars(asked))


def _has_objected(seller: Seller) -> bool:
    return any(step.became == OBJECTION for step in _steps(seller))


def has_shape(shape: str, text: str) -> bool:
    """Was it typed as such a number is written?"""
    return re.fullmatch(shape, text.strip().upper()) is not None
