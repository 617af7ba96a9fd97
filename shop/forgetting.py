"""Forgetting: drafts that nobody touched for half a year; and what those had told who were refused, did not answer
when something was to be fixed, were banned or left. Not while an appeal or a dispute about them is open.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from shop import audit, checklist, clock, jobs, papers
from shop.application import COLUMNS
from shop.checklist import Item
from shop.contested import is_contested
from shop.database import connection, db, rows
from shop.models import BankAccount, Clip, Event, LookUp, PayoutAccount, Profile, RoleGrant, Seller, Vetting

AFTER = papers.UNDECIDED
MOST = 200  # at a time

sellers, profiles, events = Seller.__table__, Profile.__table__, Event.__table__
_is_free = ~is_contested(sellers.c.id)
_OLD = (
    select(sellers.c.id, sellers.c.profile_id)
    .where(sellers.c.vetting == Vetting.DRAFT, sellers.c.applied_at < bindparam("before"), _is_free)
    .limit(MOST)
)
_is_settled = and_(
    sellers.c.vetting.in_((Vetting.REFUSED, Vetting.NEEDS_FIXING)), sellers.c.decided_at < bindparam("before")
)
_TOLD = (
    select(sellers.c.id, sellers.c.vetting)
    .where(sellers.c.legal_name != "", or_(_is_settled, sellers.c.ended_at < bindparam("ended")), _is_free)
    .limit(MOST)
)


@jobs.regularly(timedelta(days=1))
def forget_what_was_left() -> None:
    """Delete drafts that nobody touched for half a year, with their papers; and what others had told."""
    before, ended = clock.now() - AFTER, clock.now() - papers.ENDED
    drafts, told = rows(_OLD, before=before), rows(_TOLD, before=before, ended=ended)
    for draft in drafts:
        _forget(draft.id)
        _delete(draft.id, draft.profile_id)
    for seller in told:
        _forget(seller.id)
    if drafts or told:
        after = {"drafts": len(drafts), **Counter(str(seller.vetting) for seller in told)}
        audit.note("applications forgotten", "sellers", by=None, reason="their time is over", after=after)


def _forget(seller: int) -> None:
    """Forget what an application told. That there was one, what became of it, and its marks stay."""
    papers.keep_only(seller, ())
    checklist.changed(seller, *Item)  # what was made of it says what it was, and who comes back tells it anew
    blank = {name: none for held in COLUMNS.values() for name, none in held.items()}
    connection().execute(update(sellers).where(sellers.c.id == seller).values(blank))
    for told in (BankAccount.__table__, LookUp.__table__):
        connection().execute(delete(told).where(told.c.seller_id == seller))


def _delete(seller: int, profile: int) -> None:
    """Delete a draft that no moderator ever saw, and its window where that is empty; another one stays, blank."""
    seen = select(events.c.id).where(events.c.subject == "seller", events.c.subject_id == seller)
    if connection().execute(seen.limit(1)).first() is not None:
        connection().execute(update(sellers).where(sellers.c.id == seller).values(applied_at=clock.now()))
        return
    papers.forget_all(seller)
    connection().execute(delete(sellers).where(sellers.c.id == seller))
    with suppress(IntegrityError), db.session.begin_nested():  # something else holds on to the window
        connection().execute(delete(profiles).where(profiles.c.id == profile, ~_IN_USE))


_IN_USE = (
    select(Clip.id).where(Clip.profile_id == profiles.c.id).exists()
    | select(PayoutAccount.id).where(PayoutAccount.profile_id == profiles.c.id).exists()
    | select(RoleGrant.role).where(RoleGrant.user_id == profiles.c.user_id).exists()
)
