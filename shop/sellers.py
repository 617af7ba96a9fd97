"""Sellers: who applies to sell, what became of it, and who may sell. Nobody sells before they are approved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from shop import accounts, audit, clock, jobs, notifications, papers
from shop.accounts import Person
from shop.database import connection, db
from shop.errors import NotFound, Refused
from shop.i18n import _, ngettext
from shop.models import Event, Profile, Role, Seller, SellerKind, Vetting
from shop.words import Words

# By whom a state may be left, and for which one. Each move happens once: the database decides who won.
MOVES: dict[str, tuple[str, ...]] = {
    Vetting.DRAFT: (Vetting.WAITING,),
    Vetting.WAITING: (Vetting.APPROVED, Vetting.NEEDS_FIXING, Vetting.REFUSED),
    Vetting.NEEDS_FIXING: (Vetting.WAITING,),
    Vetting.REFUSED: (Vetting.WAITING,),  # by an objection
    Vetting.APPROVED: (Vetting.SUSPENDED,),
    Vetting.SUSPENDED: (Vetting.APPROVED,),
}
OBJECTION, LIFTED, LEFT = "objection", "lifted", "left"  # steps of the story that are no states
SHORTEST_REASON = 10  # characters: less is no reason that a seller can do something with
# How long papers are kept from the moment of a move; None: as long as it stays like that.
KEEPS: dict[str, timedelta | None] = {
    Vetting.DRAFT: papers.UNDECIDED,
    Vetting.WAITING: papers.UNDECIDED,
    Vetting.NEEDS_FIXING: papers.REFUSED,
    Vetting.REFUSED: papers.REFUSED,
    Vetting.APPROVED: None,
    Vetting.SUSPENDED: None,
}

sellers = Seller.__table__
may_sell = sellers.c.vetting == Vetting.APPROVED  # the one gate, for every query that has something for sale

_BEFORE = select(func.count()).where(
    sellers.c.vetting == Vetting.WAITING, sellers.c.applied_at < bindparam("applied_at")
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


def as_it_stands(seller: Seller) -> str:
    """A stamp of what a moderator sees: another application or other papers have another one."""
    sent = "".join(paper.code for paper in papers.of(seller.id))
    return seller.applied_at.isoformat() + (f" {sha256(sent.encode()).hexdigest()[:16]}" if sent else "")


def is_open_for_papers(seller: Seller) -> bool:
    """May papers be sent with this application? Only before it is decided."""
    return seller.vetting in (Vetting.WAITING, Vetting.NEEDS_FIXING)


def asked_for(person: Person, kind: str) -> int:
    """The number of this person's application, where it may still be sent this kind of paper."""
    seller = of(person)
    if seller is None or not is_open_for_papers(seller) or kind not in papers.wanted(seller.kind):
        raise Refused(_("This paper is not asked for at the moment."))
    return seller.id


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
    if as_it_stands(seller) != seen:
        raise Refused(_("This application has just changed. Please look again."))
    note = f"{', '.join(sorted(checks))}\n{words.said('')}".strip()
    told = Words() if verdict == Vetting.APPROVED else words
    facts: dict[str, Any] = {"vetting_note": told, "decided_at": clock.now(), "decided_by_id": by.id}
    _move(seller, verdict, by=by, note=note, is_told=is_told, **facts)
    if verdict == Vetting.APPROVED and seller.profile.user is not None:
        accounts.grant(seller.profile.user, Role.SELLER, by=by, reason="approved as a seller")
    _write_down(seller, Vetting.WAITING, by, words.said(""), checks)


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
    was = seller.vetting
    _move(seller, Vetting.SUSPENDED, by=by, note=words.said(""), vetting_note=words)
    if seller.profile.user is not None:
        accounts.revoke(seller.profile.user, Role.SELLER, by=by, reason="sales stopped")
    _write_down(seller, was, by, words.said(""))


def _write_down(seller: Seller, was: str, by: Person, reason: str, checks: Collection[str] = ()) -> None:
    after = {"vetting": str(seller.vetting), **({"checks": sorted(checks)} if checks else {})}
    before = {"vetting": str(was)}
    audit.note("seller decided", f"seller:{seller.profile.handle}", by=by, reason=reason, before=before, after=after)


def lift(seller: Seller, *, by: Person, words: Words) -> None:
    """Let somebody sell again whose sales were stopped, and tell them why; at once, as with the stop."""
    _see_to_reason(seller, by, words)
    owner = seller.profile.user
    if owner is not None and not owner.is_active:
        raise Refused(_("The owner has closed this account. Nobody is there to sell."))
    was = seller.vetting
    _move(seller, Vetting.APPROVED, by=by, note=words.said(""), step=LIFTED, vetting_note=words)
    if owner is not None:
        accounts.grant(owner, Role.SELLER, by=by, reason="sales go on")
    _write_down(seller, was, by, words.said(""))


def _see_to_reason(seller: Seller, by: Person, words: Words) -> None:
    if seller.profile.user_id == by.id:
        raise Refused(_("This shop is for another moderator to decide on."), 403)
    if not (said := words.said("").strip()):
        raise Refused(_("Give the reason, in words that the seller can do something with."), 422)
    if len(said) < SHORTEST_REASON:
        raise Refused(_("Say more: a reason has at least %(n)s characters.", n=SHORTEST_REASON), 422)


def leave(person: Person) -> None:
    """Stop selling because its owner closes the account: what they have for sale is gone from every page at once.

    Their papers are kept no longer than those of who was refused.
    """
    seller = of(person)
    if seller is not None and seller.vetting == Vetting.APPROVED:
        _move(seller, Vetting.SUSPENDED, by=person, note="", step=LEFT, is_told=False, vetting_note=Words())
        papers.keep_until(seller.id, clock.now() + papers.REFUSED)


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
    span = KEEPS[to]
    papers.keep_until(seller.id, clock.now() + span if span else None)
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
