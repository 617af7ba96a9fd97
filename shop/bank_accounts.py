"""Bank accounts: where a seller's money goes. Given with the application; changed later under four eyes.

Whoever changes it freezes the payouts for a week, and the mailboxes that we knew before hear of it: who has stolen a
seller's account gets no further than waiting. How the number is kept, `payees` knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Row, and_, bindparam, case, delete, func, select, update

from shop import audit, checklist, clock, jobs, marks, notifications, payees
from shop.accounts import Person
from shop.checklist import Item
from shop.database import connection, db, rows
from shop.errors import NotFound, Refused
from shop.gateways.bank_port import Verdict
from shop.i18n import _, long_day, speaking
from shop.models import BankAccount, BankState, LookUpResult, Profile, Seller, Vetting

FROZEN_FOR = timedelta(days=7)
SHORTEST_REASON = 10  # characters
PAGE = 50
_OPEN = (Vetting.DRAFT, Vetting.WAITING, Vetting.NEEDS_FIXING)  # as long as nobody has decided
_LIVE = (BankState.CURRENT, BankState.WAITING)

accounts, sellers, profiles = BankAccount.__table__, Seller.__table__, Profile.__table__
_SHOWN = accounts.c["id", "state", "last4", "country", "bank", "bic", "holder", "payee_check", "payee_name", "set_at"]
_OF = (
    select(*_SHOWN, accounts.c.set_by_id, accounts.c.frozen_until)
    .where(accounts.c.seller_id == bindparam("seller"), accounts.c.state.in_(_LIVE))
    .order_by(case((accounts.c.state == BankState.CURRENT, 0), else_=1))
)
_LOCK = select(sellers.c.vetting).where(sellers.c.id == bindparam("seller")).with_for_update()
_before = accounts.alias("before")
_WAITING = (
    select(
        *_SHOWN,
        accounts.c.set_by_id,
        *profiles.c["handle", "name", "user_id"],
        sellers.c.legal_name,
        _before.c.last4.label("old_last4"),
        _before.c.bank.label("old_bank"),
        _before.c.holder.label("old_holder"),
    )
    .join(sellers, sellers.c.id == accounts.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(_before, and_(_before.c.seller_id == sellers.c.id, _before.c.state == BankState.CURRENT))
    .where(accounts.c.state == BankState.WAITING)
    .order_by(accounts.c.set_at, accounts.c.id)
    .limit(PAGE)
)
how_many = select(func.count()).where(accounts.c.state == BankState.WAITING)  # changes that wait for a second look


# The first one, with the application


def give(seller: Seller, *, iban: str, holder: str, by: Person) -> Verdict:
    """Tell where the money will go; as long as nobody has decided, another one takes its place.

    It ends the present transaction, to ask the bank on whose name the account is; gives what the bank says.
    """
    seller_id = seller.id
    _see_to(seller.vetting in _OPEN)
    found = payees.checked(iban, holder, by=by)
    _see_to(_locked(seller_id) in _OPEN)
    connection().execute(delete(accounts).where(accounts.c.seller_id == seller_id))
    payees.keep(seller_id, BankState.CURRENT, found, by=by)
    checklist.changed(seller_id, Item.BANK)
    return found.verdict


def _see_to(is_open: bool) -> None:
    if not is_open:
        raise Refused(_("The account cannot be changed in this way now. Please look again."))


def _locked(seller_id: int) -> str:
    """How the seller stands; whoever else changes their account waits until we have ended."""
    return str(connection().execute(_LOCK, {"seller": seller_id}).scalar_one())


def take_name(seller: Seller) -> None:
    """The bank's own name for the holder is right: from now on the account is on that, and matches."""
    state = BankState.WAITING if seller.vetting == Vetting.APPROVED else BankState.CURRENT
    close = update(accounts).where(
        accounts.c.seller_id == seller.id,
        accounts.c.state == state,
        accounts.c.payee_check == LookUpResult.CLOSE,
    )
    agreed = {"holder": accounts.c.payee_name, "payee_check": LookUpResult.MATCH, "payee_name": ""}
    _see_to(seller.vetting in (*_OPEN, Vetting.APPROVED))
    if connection().execute(close.values(agreed)).rowcount != 1:
        raise Refused(_("This has just changed. Please look again."))
    checklist.changed(seller.id, Item.BANK)
    db.session.expire_all()


# Another one, of somebody who sells


def change(seller: Seller, *, iban: str, holder: str, by: Person) -> Verdict:
    """Ask to be paid elsewhere: it waits for a moderator, payouts wait a week, and the old mailboxes are told.

    Until it is confirmed the old account stays the one. It ends the present transaction, to ask the bank.
    """
    seller_id = seller.id
    _see_to(seller.vetting == Vetting.APPROVED)
    found = payees.checked(iban, holder, by=by)
    _see_to(_locked(seller_id) == Vetting.APPROVED)
    was = current(seller_id)
    if was is not None and (payees.opened(was.id), was.holder) == (found.iban, found.holder):
        raise Refused(_("You are paid on this account already."), 422)
    _end(seller_id, BankState.WAITING, BankState.REPLACED)
    payees.keep(seller_id, BankState.WAITING, found, by=by, frozen_for=FROZEN_FOR)
    last4, old = found.iban[-4:], was.last4 if was else ""
    after = {"last4": last4, "payee_check": str(found.verdict.result)}
    _write_down("bank account changed", seller, by, before={"last4": old}, after=after)
    _tell(seller, "bank_changed", last4=last4, old=old, until=clock.now() + FROZEN_FOR)
    return found.verdict


def withdraw(seller: Seller, *, by: Person) -> None:
    """Its owner takes a change back, or it was not theirs: the old account stays, and payouts go on."""
    _locked(seller.id)
    waits = _waiting_of(seller.id)
    _end(seller.id, BankState.WAITING, BankState.REFUSED, by=by)
    _mark_current(seller.id)
    _write_down("bank account withdrawn", seller, by, before={"last4": waits.last4})


def confirm(handle: str, *, seen: str, by: Person, reason: str) -> None:
    """The second pair of eyes: from now on this account is the one, as soon as the freeze is over."""
    seller, waits = _to_decide(handle, seen, by, reason)
    was = current(seller.id)
    _end(seller.id, BankState.CURRENT, BankState.REPLACED, by=by)
    _end(seller.id, BankState.WAITING, BankState.CURRENT, by=by)
    told = {"before": {"last4": was.last4 if was else ""}, "after": {"last4": waits.last4}}
    _write_down("bank account confirmed", seller, by, reason, **told)
    _tell(seller, "bank_decided", last4=waits.last4, is_confirmed=True, words="")


def refuse(handle: str, *, seen: str, by: Person, reason: str) -> None:
    """The new account is not taken: money goes to the old one as before. The reason is mailed."""
    seller, waits = _to_decide(handle, seen, by, reason)
    _end(seller.id, BankState.WAITING, BankState.REFUSED, by=by)
    _mark_current(seller.id)
    _write_down("bank account refused", seller, by, reason, before={"last4": waits.last4})
    _tell(seller, "bank_decided", last4=waits.last4, is_confirmed=False, words=reason.strip())


def _to_decide(handle: str, seen: str, by: Person, reason: str) -> tuple[Seller, Row[Any]]:
    """The change that this moderator saw on the page, if it is theirs to decide on."""
    seller = db.session.scalar(select(Seller).join(Profile).where(Profile.handle == handle))
    if seller is None:
        raise NotFound(_("There is no such shop."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused(_("Say more: a reason has at least %(n)s characters.", n=SHORTEST_REASON), 422)
    _locked(seller.id)
    waits = _waiting_of(seller.id)
    if stamp(waits) != seen:
        raise Refused(_("This has just changed. Please look again."))
    if by.id == waits.set_by_id or marks.is_near(seller.id, by.id):
        raise Refused(_("This account is for another moderator to decide on."), 403)
    return seller, waits


def stamp(account: Row[Any]) -> str:
    """Which change a moderator sees: another one, or another answer of the bank, has another stamp."""
    return f"{account.set_at:%Y%m%dT%H%M%S%f} {account.last4} {account.payee_check}"


def _waiting_of(seller_id: int) -> Row[Any]:
    waits = next((row for row in of(seller_id) if row.state == BankState.WAITING), None)
    if waits is None:
        raise Refused(_("This has just changed. Please look again."))
    return waits


def _end(seller_id: int, was: BankState, to: BankState, by: Person | None = None) -> None:
    """Move the account of this seller that is in this state; who does it has locked the seller."""
    mine = update(accounts).where(accounts.c.seller_id == seller_id, accounts.c.state == was)
    told = {"decided_by_id": by.id if by else None, "decided_at": clock.now()}
    connection().execute(mine.values(state=to, **told))
    db.session.expire_all()


def _mark_current(seller_id: int) -> None:
    if (was := current(seller_id)) is not None:
        marks.keep_iban(seller_id, payees.opened(was.id))


def _write_down(action: str, seller: Seller, by: Person, reason: str = "", **facts: Any) -> None:
    audit.note(action, f"seller:{seller.profile.handle}", by=by, reason=reason.strip(), **facts)


def _tell(seller: Seller, template: str, until: datetime | None = None, **facts: Any) -> None:
    """Write to the shop's mailbox and to its owner's: whoever took the one over does not have the other."""
    owner, shop = seller.profile.user, seller.profile.name
    who: dict[str, Any] = {"language": owner.language if owner else "", "name": owner.name if owner else shop}
    with speaking(who["language"]):
        who["until"] = long_day(until) if until else ""
    letter = {"kind": template, "template": template, "shop": shop, **who, **facts}
    letter["contact"] = current_app.config["OPERATOR_EMAIL"]
    for to in dict.fromkeys(filter(None, (seller.email.strip().lower(), owner.email if owner else ""))):
        jobs.later(notifications.mail, about=secrets.token_hex(8), to=to, **letter)


# What there is


def of(seller_id: int) -> Sequence[Row[Any]]:
    """The account in use, and the one that waits, without their numbers: one question."""
    return rows(_OF, seller=seller_id)


def current(seller_id: int) -> Row[Any] | None:
    """The account that is the one now."""
    return next((row for row in of(seller_id) if row.state == BankState.CURRENT), None)


def waiting() -> Sequence[Row[Any]]:
    """The changes that wait for a second pair of eyes, the oldest first, each with the account before it."""
    return rows(_WAITING)
