"""Sellers: who applies to sell, what became of it, and who may sell. Nobody sells before they are approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from shop import accounts, clock, jobs, notifications, papers, payees
from shop.accounts import Person
from shop.database import connection, db
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Event, Profile, Seller, Vetting
from shop.words import Words

# By whom a state may be left, and for which one. Each move happens once: the database decides who won.
MOVES: dict[str, tuple[str, ...]] = {
    Vetting.DRAFT: (Vetting.WAITING,),
    Vetting.WAITING: (Vetting.APPROVED, Vetting.NEEDS_FIXING, Vetting.REFUSED),
    Vetting.NEEDS_FIXING: (Vetting.WAITING, Vetting.REFUSED),
    Vetting.REFUSED: (Vetting.WAITING,),  # by an objection
    Vetting.APPROVED: (Vetting.SUSPENDED,),
    Vetting.SUSPENDED: (Vetting.APPROVED,),
}
TAKEN_BACK = (Vetting.WAITING, Vetting.DRAFT)  # by its owner, and by nobody else
OBJECTION, LIFTED, LEFT = "objection", "lifted", "left"  # steps of the story that are no states
# How long papers are kept from the moment of a move; None: as long as it stays like that.
KEEPS: dict[str, timedelta | None] = {
    Vetting.DRAFT: papers.UNDECIDED,
    Vetting.WAITING: papers.UNDECIDED,
    Vetting.NEEDS_FIXING: papers.REFUSED,
    Vetting.REFUSED: papers.REFUSED,
    Vetting.APPROVED: None,
    Vetting.SUSPENDED: None,  # a stop is not the end; after that (`ended_at`) there are six months
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
    """The application or shop behind a handle, for the moderators' desk. A draft is nobody's but its owner's."""
    sent_in = (Profile.handle == handle, Seller.vetting != Vetting.DRAFT)
    found = db.session.scalar(select(Seller).join(Profile).where(*sent_in))
    if found is None:
        raise NotFound(_("There is no such application."))
    return found


def apply(person: Person, *, handle: str, shop_name: str, is_told: bool = True, **facts: Any) -> Seller:
    """Ask to sell with everything at once: a new application, or a better one. It waits for a moderator.

    People do it step by step (`application`); this is for who knows it all already, such as the demo.
    """
    seller = of(person)
    if seller is None:
        seller = begin(person, handle, shop_name, {"vetting": Vetting.WAITING, **facts})
        first = noted(seller, "", Vetting.WAITING, person, "")
        if is_told:
            tell(seller, first)
        return seller
    move(seller, Vetting.WAITING, by=person, note="", applied_at=clock.now(), decided_at=None, **facts)
    return seller


def begin(person: Person, handle: str, shop_name: str, facts: dict[str, Any]) -> Seller:
    """Somebody's first and only application. Who has a window already sells under its handle and name."""
    profile = db.session.scalar(select(Profile).where(Profile.user_id == person.id))
    if profile is None:
        if not accounts.is_free(handle):
            raise Refused(_("This name is taken. Choose another one."), 422)
        profile = Profile(user_id=person.id, handle=handle, name=shop_name, created_at=clock.now())
    seller = Seller(applied_at=clock.now(), **facts)
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


def is_open(seller: Seller) -> bool:
    """May its owner change this application? Not while it is with the moderators, and not once it is decided."""
    return seller.vetting in (Vetting.DRAFT, Vetting.NEEDS_FIXING)


def leave(person: Person) -> None:
    """Stop selling because its owner closes the account: what they have for sale is gone from every page at once.

    What they told is kept for six months (DSA art. 30(5)); the papers of who never sold no longer than a refused one's.
    """
    seller = of(person)
    if seller is None:
        return
    if seller.vetting == Vetting.APPROVED:
        move(seller, Vetting.SUSPENDED, by=person, note="", step=LEFT, is_told=False, vetting_note=Words())
    elif seller.vetting != Vetting.SUSPENDED:
        papers.keep_at_most(seller.id, clock.now() + papers.REFUSED)
    ended = update(sellers).where(sellers.c.id == seller.id, sellers.c.ended_at.is_(None))
    connection().execute(ended.values(ended_at=clock.now()))
    payees.retire(seller.id)


def move(
    seller: Seller, to: str, *, by: Person | None, note: str, step: str = "", is_told: bool = True, **facts: Any
) -> None:
    """Move an application along, once, however many try at the same moment; and write to its owner.

    `by` is None for the shop itself.
    """
    was = seller.vetting
    if seller.banned_at is not None:
        raise Refused(_("This shop is closed for good."))
    if to not in MOVES[was] and (was, to) != TAKEN_BACK:
        raise Refused(_("This application has just changed. Please look again."))
    same = (
        sellers.c.id == seller.id,
        sellers.c.vetting == was,
        sellers.c.applied_at == seller.applied_at,
        sellers.c.banned_at.is_(None),
    )
    if connection().execute(update(sellers).where(*same).values(vetting=to, **facts)).rowcount != 1:
        raise Refused(_("This application has just changed. Please look again."))
    db.session.refresh(seller)
    span = KEEPS[to]
    papers.keep_until(seller.id, clock.now() + span if span else None)
    last = noted(seller, was, step or to, by, note)
    if is_told:
        tell(seller, last)


def noted(seller: Seller, was: str, became: str, by: Person | None, note: str) -> Event:
    """Write a step down in the story of an application."""
    step = Event(
        at=clock.now(),
        subject="seller",
        subject_id=seller.id,
        was=was,
        became=became,
        user_id=by.id if by else None,
        note=note[:1000],
    )
    db.session.add(step)
    db.session.flush()
    return step


def tell(seller: Seller, step: Event) -> None:
    """Mail the owner that it has come in, or that they are heard again; verdicts are mailed by their statements."""
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
        )
