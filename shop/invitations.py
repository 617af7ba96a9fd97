"""Invitations: the link with which somebody new among the staff sets up their first proof.

Until they have one, their password would be all that stands before a desk. So the operator hands them a link: it and
the password together set the first proof up, once, within a day.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import bindparam, delete, select, update

from shop import clock
from shop.database import connection, db, first
from shop.errors import Refused
from shop.i18n import _
from shop.models import Invitation

OPENS_FOR = timedelta(hours=24)

invitations = Invitation.__table__
_OPEN = select(invitations.c.id, invitations.c.user_id).where(
    invitations.c.token_hash == bindparam("token_hash"),
    invitations.c.used_at.is_(None),
    invitations.c.expires_at > bindparam("now"),
)


def invite(user_id: int) -> str:
    """Make a link's token; links from before open nothing any more. Only its hash is kept."""
    token, now = secrets.token_urlsafe(32), clock.now()
    db.session.execute(delete(Invitation).where(Invitation.user_id == user_id, Invitation.used_at.is_(None)))
    facts = {"user_id": user_id, "created_at": now, "expires_at": now + OPENS_FOR}
    db.session.add(Invitation(token_hash=_hash(token), **facts))
    return token


def is_open(token: str, user_id: int | None = None) -> bool:
    """Can a first proof be set up with this link, by this person if one is named?"""
    found = first(_OPEN, token_hash=_hash(token), now=clock.now())
    return found is not None and user_id in (None, found.user_id)


def use(token: str, user_id: int) -> None:
    """Use it up: the first proof is there."""
    mine = (invitations.c.token_hash == _hash(token), invitations.c.user_id == user_id)
    open_one = update(invitations).where(*mine, invitations.c.used_at.is_(None), invitations.c.expires_at > clock.now())
    if connection().execute(open_one.values(used_at=clock.now())).rowcount != 1:
        raise Refused(no_longer(), 410)


def no_longer() -> str:
    """What is said of a link that opens nothing."""
    return _("This link has been used, or it is older than a day. Ask who runs this shop for a new one.")


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
