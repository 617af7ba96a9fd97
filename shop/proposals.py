"""Four eyes: what nobody does alone. One moderator proposes, a second one confirms or declines; nothing happens before.

What a confirmed proposal does, the capability knows that proposes it: it says so with `carries_out`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update

from shop import accounts, audit, clock, marks
from shop.accounts import Person
from shop.audit import Actor
from shop.database import connection, db, first, insert, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Action, Profile, Proposal, ProposalOutcome, Seller, User
from shop.reasons import Reason
from shop.words import Words

Deed = Callable[[Seller, Proposal, Person, Person], None]
_deeds: dict[str, Deed] = {}

proposals, sellers = Proposal.__table__, Seller.__table__
profiles, users = Profile.__table__, User.__table__
_OPEN = (
    select(proposals, profiles.c.handle, profiles.c.name.label("shop"), profiles.c.user_id, users.c.name.label("by"))
    .join(sellers, sellers.c.id == proposals.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .join(users, users.c.id == proposals.c.proposed_by_id)
    .where(proposals.c.outcome.is_(None))
)
_FOR = _OPEN.where(~marks.near(proposals.c.seller_id))  # nobody reads what is planned for them
_ALL = _FOR.order_by(proposals.c.at, proposals.c.id).limit(50)
_CALLED = _OPEN.where(proposals.c.code == bindparam("code"))
_OF = _FOR.where(proposals.c.seller_id == bindparam("seller")).order_by(proposals.c.id)
_WAITING = select(func.count()).select_from(_FOR.subquery())


def carries_out(action: Action) -> Callable[[Deed], Deed]:
    """Say what is done when this is confirmed; with who proposed it, and who confirmed."""

    def remember(function: Deed) -> Deed:
        _deeds[action] = function
        return function

    return remember


def propose(seller: Seller, action: Action, *, by: Actor, reason: Reason, words: Words, seen: str = "") -> None:
    """Ask a second person to confirm this; once at a time."""
    if marks.is_near(seller.id, by.id):
        raise Refused(_("This shop is for another moderator to decide on."), 403)
    told = {"reason": reason.code, "words": words, "seen": seen, "proposed_by_id": by.id, "at": clock.now()}
    new = insert(proposals).values(code=secrets.token_urlsafe(16), action=action, seller_id=seller.id, **told)
    kept = new.on_conflict_do_nothing().returning(proposals.c.id)
    if connection().execute(kept).first() is None:  # PostgreSQL tells no count of an INSERT that makes an id
        raise Refused(_("This has been proposed already, and waits for a second person."))
    _write_down("proposed", seller, action, by, words.said(""))


def waiting(to: Actor) -> list[Row[Any]]:
    """What waits for a second person, the oldest first, as this person may see it: nothing about their own shop,
    nor one that shares something with it."""
    return list(rows(_ALL, person=to.id))


def how_many(to: Actor) -> int:
    """How many proposals wait, as this person may see it."""
    return int(rows(_WAITING, person=to.id)[0][0])


def of(seller: Seller, to: Actor) -> list[Row[Any]]:
    """What is proposed about this seller, as this person may see it."""
    return list(rows(_OF, seller=seller.id, person=to.id))


def is_for(row: Row[Any], person: Actor) -> bool:
    """May this person be the second one? Never who proposed it, never the seller concerned."""
    return person.id not in (row.proposed_by_id, row.user_id)


def confirm(code: str, *, by: Person) -> None:
    """Do what was proposed, as its second person."""
    made = _close(code, ProposalOutcome.CONFIRMED, by)
    seller, proposer = db.session.get_one(Seller, made.seller_id), db.session.get_one(User, made.proposed_by_id)
    _deeds[made.action](seller, made, accounts.as_actor(proposer), by)
    _write_down("confirmed", seller, made.action, by, made.words.said(""))


def decline(code: str, *, by: Person, words: str) -> None:
    """Say no to what was proposed: nothing happens."""
    made = _close(code, ProposalOutcome.DECLINED, by)
    _write_down("declined", db.session.get_one(Seller, made.seller_id), made.action, by, words.strip())


def _close(code: str, outcome: ProposalOutcome, by: Actor) -> Proposal:
    row = first(_CALLED, code=code)
    if row is None:
        raise NotFound(_("Nothing waits for a second person here."))
    if not is_for(row, by) or marks.is_near(row.seller_id, by.id):
        raise Refused(_("This is for another person to confirm."), 403)
    ended = update(proposals).where(proposals.c.id == row.id, proposals.c.outcome.is_(None))
    told = {"outcome": outcome, "decided_by_id": by.id, "decided_at": clock.now()}
    if connection().execute(ended.values(told)).rowcount != 1:
        raise Refused(_("Somebody has decided on this just now. Please look again."))
    return db.session.get_one(Proposal, row.id, populate_existing=True)


def _write_down(what: str, seller: Seller, action: str, by: Actor, reason: str) -> None:
    audit.note(
        f"{action} {what}", f"seller:{seller.profile.handle}", by=by, reason=reason, after={"action": str(action)}
    )
