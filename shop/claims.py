"""Claims: one moderator works on an application at a time. Who opens it to decide has it for half an hour."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, update

from shop import clock, marks
from shop.audit import Actor
from shop.database import connection, db
from shop.errors import Refused
from shop.i18n import _
from shop.models import Seller, User

LASTS = timedelta(minutes=30)

sellers = Seller.__table__


def take(seller: Seller, *, by: Actor) -> None:
    """Take an application to decide on, or keep it for longer; not while somebody else has it, nor one's own."""
    if marks.is_near(seller.id, by.id):
        raise Refused(_("This application is for another moderator to decide."), 403)
    now = clock.now()
    free = or_(sellers.c.claimed_until.is_(None), sellers.c.claimed_until <= now, sellers.c.claimed_by_id == by.id)
    taken = update(sellers).where(sellers.c.id == seller.id, free)
    if connection().execute(taken.values(claimed_by_id=by.id, claimed_until=now + LASTS)).rowcount != 1:
        db.session.refresh(seller)
        raise Refused(_("%(name)s is working on this at the moment.", name=holder(seller) or "?"))
    db.session.refresh(seller)


def release(seller: Seller, *, by: Actor) -> None:
    """Let it go, so that somebody else may take it."""
    mine = update(sellers).where(sellers.c.id == seller.id, sellers.c.claimed_by_id == by.id)
    connection().execute(mine.values(claimed_by_id=None, claimed_until=None))
    db.session.refresh(seller)


def has(seller: Seller, person: Actor) -> bool:
    """Is this person working on it at this moment?"""
    return seller.claimed_by_id == person.id and is_taken(seller)


def is_taken(seller: Seller) -> bool:
    """Is anybody working on it?"""
    return seller.claimed_until is not None and seller.claimed_until > clock.now()


def holder(seller: Seller) -> str:
    """The name of who is working on it; empty where nobody is."""
    someone = db.session.get(User, seller.claimed_by_id) if is_taken(seller) and seller.claimed_by_id else None
    return someone.name if someone else ""


def must_have(seller: Seller, person: Actor) -> None:
    """Refuse whoever decides on what they have not taken."""
    if not has(seller, person):
        if name := holder(seller):
            raise Refused(_("%(name)s is working on this at the moment.", name=name))
        raise Refused(_("Take this application first: your half hour is over."))
