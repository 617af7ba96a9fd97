"""Sanctions: a moderator stops somebody's sales and lets them go on; two together close a shop, or hold its money.

A stop is immediate, since goods are being sold meanwhile. What cannot simply be undone takes a second person.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select, update

from shop import (
    accounts,
    appeals,
    audit,
    bystanders,
    clock,
    jobs,
    marks,
    proposals,
    reasons,
    sellers,
    statements,
    tax_asked,
)
from shop.accounts import Person
from shop.database import connection, db
from shop.errors import Refused
from shop.i18n import _
from shop.models import Action, AppealOutcome, Proposal, Role, Seller, Statement, Verdict, Vetting
from shop.reasons import Reason
from shop.sellers import LIFTED
from shop.verdicts import note_of, write_down
from shop.words import Words

NOTICE = timedelta(days=30, hours=1)  # until a shop is closed that was told so (P2B art. 4(2)); an hour is for the mail

table = Seller.__table__
_LAST_BAN = (
    select(Statement)
    .where(Statement.seller_id == bindparam("seller"), Statement.verdict == Verdict.BANNED)
    .order_by(Statement.id.desc())
    .limit(1)
)


def suspend(seller: Seller, *, by: Person, reason: str, words: Words) -> None:
    """Stop somebody's sales at once: whatever is for sale asks `may_sell`. With a reason, and undone by `lift`.

    The day on which they were checked stays what it was.
    """
    _not_oneself(seller, by)
    chosen = statements.told(reasons.SUSPENSIONS.get(reason), words)
    _stop(seller, by, note_of(chosen, words))
    statements.write(seller, Verdict.SUSPENDED, by=by, reason=chosen, words=words)
    write_down(seller, Vetting.APPROVED, by, words.said(""))


def stop_by_itself(seller: Seller, reason: Reason, words: Words) -> None:
    """The shop stops somebody's sales by a rule that nobody has to judge; its statement says so. Undone by `lift`."""
    _stop(seller, None, note_of(reason, words))
    statements.write(seller, Verdict.SUSPENDED, by=None, reason=reason, words=words)
    write_down(seller, Vetting.APPROVED, None, reason.said.said("en"))


def _stop(seller: Seller, by: Person | None, told: Words) -> None:
    sellers.move(seller, Vetting.SUSPENDED, by=by, note=told.said("en"), is_told=False, vetting_note=told)
    if seller.profile.user is not None:
        accounts.revoke(seller.profile.user, Role.SELLER, by=by, reason="sales stopped")
    bystanders.tell_creators(seller)


def lift(seller: Seller, *, by: Person, words: Words, reason: str = "put_right") -> None:
    """Let somebody sell again whose sales were stopped, and tell them why; at once, as with the stop.

    Where they have appealed, this grants it; so not by who stopped them.
    """
    _not_oneself(seller, by)
    if seller.vetting != Vetting.SUSPENDED:  # an application that waits is decided on item by item, and not here
        raise Refused(_("This application has just changed. Please look again."))
    chosen = statements.told(reasons.GOOD.get(reason), words)
    owner = seller.profile.user
    if owner is not None and not owner.is_active:
        raise Refused(_("The owner has closed this account. Nobody is there to sell."))
    _grant_open(seller, Verdict.SUSPENDED, by)
    was, told = seller.vetting, note_of(chosen, words)
    sellers.move(seller, Vetting.APPROVED, by=by, note=told.said("en"), step=LIFTED, is_told=False, vetting_note=told)
    statements.write(seller, Verdict.LIFTED, by=by, reason=chosen, words=words)
    if owner is not None:
        accounts.grant(owner, Role.SELLER, by=by, reason="sales go on")
    write_down(seller, was, by, words.said(""))


def _grant_open(seller: Seller, verdict: Verdict, by: Person) -> None:
    """Close the appeal against what is being undone, where there is one."""
    appeal = appeals.open_of(seller, verdict, but=tax_asked.REASON)  # that one is about another stop
    if appeal is not None:
        if not appeals.is_for(appeal, by):
            raise Refused(_("This appeal is for another moderator to decide."), 403)
        appeals.close(appeal.id, AppealOutcome.GRANTED, by=by)


def _not_oneself(seller: Seller, by: Person) -> None:
    if marks.is_near(seller.id, by.id):
        raise Refused(_("This shop is for another moderator to decide on."), 403)


# What takes two


def propose_ban(seller: Seller, *, by: Person, reason: str, words: Words) -> None:
    """Propose that somebody never sells here again. Nothing happens until a second person confirms it."""
    _not_oneself(seller, by)
    chosen = statements.told(reasons.BANS.get(reason), words)
    _can_be_banned(seller)
    proposals.propose(seller, Action.BAN, by=by, reason=chosen, words=words)


def _can_be_banned(seller: Seller) -> None:
    if seller.banned_at is not None or seller.closes_at is not None or seller.vetting == Vetting.DRAFT:
        raise Refused(_("This shop is closed for good already, or was never sent in."))
    if any(appeals.open_of(seller, verdict) for verdict in (Verdict.REFUSED, Verdict.SUSPENDED)):
        raise Refused(_("They have appealed. Decide on that first."))


@proposals.carries_out(Action.BAN)
def _ban(seller: Seller, made: Proposal, by: Person, second: Person) -> None:
    """Close a shop for good: who sells is stopped, who waits is refused, and no way leads back but an appeal.

    Where the law wants notice given to who sells, it is announced, and sales go on until then unless they are stopped.
    """
    _can_be_banned(seller)
    was, chosen = seller.vetting, reasons.BANS[made.reason]
    told = note_of(chosen, made.words)
    if made.reason in reasons.WITH_NOTICE and was in (Vetting.APPROVED, Vetting.SUSPENDED):
        _announce(seller, made, by, second)
        return
    if was == Vetting.APPROVED:
        _stop(seller, by, told)
    elif was in (Vetting.WAITING, Vetting.NEEDS_FIXING):
        sellers.move(seller, Vetting.REFUSED, by=by, note=told.said("en"), is_told=False, vetting_note=told)
    known = table.c.vetting == seller.vetting  # a stop that somebody lifts in this moment is not closed over
    over = {"banned_at": clock.now(), "ended_at": clock.now(), "claimed_by_id": None, "claimed_until": None}
    if not _set(seller, known, vetting_note=told, **over):
        raise Refused(_("This application has just changed. Please look again."))
    statements.write(seller, Verdict.BANNED, by=by, reason=chosen, words=made.words, second=second)
    write_down(seller, was, by, made.words.said(""))


def _announce(seller: Seller, made: Proposal, by: Person, second: Person) -> None:
    """Tell them, with the reasons, that their shop is closed in thirty days; they can appeal at once."""
    closes, chosen = clock.now() + NOTICE, reasons.BANS[made.reason]
    if not _set(seller, table.c.banned_at.is_(None), closes_at=closes):
        raise Refused(_("This application has just changed. Please look again."))
    statements.write(seller, Verdict.BANNED, by=by, reason=chosen, words=made.words, second=second, effective_at=closes)
    write_down(seller, seller.vetting, by, made.words.said(""))


@jobs.regularly(timedelta(hours=1))
def close_what_was_announced() -> None:
    """Close the shops whose notice is over, each once; one whose appeal was granted meanwhile has no date any more."""
    due = select(table.c.id).where(table.c.closes_at <= clock.now()).order_by(table.c.id).limit(100)
    for seller_id in connection().scalars(due).all():
        seller = db.session.get_one(Seller, seller_id, populate_existing=True)
        told = _announced(seller)
        if not _set(seller, table.c.closes_at.is_not(None), closes_at=None):
            continue  # an appeal was granted in this moment
        if seller.vetting == Vetting.APPROVED:
            _stop(seller, None, told)
        _set(seller, banned_at=clock.now(), ended_at=clock.now(), vetting_note=told)
        audit.note("shop closed", f"seller:{seller.profile.handle}", by=None, reason="its notice is over")


def _announced(seller: Seller) -> Words:
    """Why it was said to be closed, as they were told."""
    made = db.session.scalars(_LAST_BAN, {"seller": seller.id}).first()
    return note_of(Reason(made.reason, made.rule, made.template), made.words) if made else Words()


@appeals.undoes(Verdict.BANNED)
def _propose_unban(seller: Seller, _about: Statement, by: Person, words: Words) -> bool:
    """What two closed only two open again."""
    proposals.propose(seller, Action.UNBAN, by=by, reason=reasons.GOOD["we_were_wrong"], words=words)
    return False


@proposals.carries_out(Action.UNBAN)
def _unban(seller: Seller, made: Proposal, by: Person, second: Person) -> None:
    """Open a shop again that was closed for good: they sell again, or their application waits again."""
    if appeals.open_of(seller, Verdict.BANNED) is None:
        raise Refused(_("No appeal waits here any more."))
    if seller.profile.user is not None and not seller.profile.user.is_active:
        raise Refused(_("The owner has closed this account. Nobody is there to sell."))
    _grant_open(seller, Verdict.BANNED, by)
    was, chosen, owner = seller.vetting, reasons.GOOD[made.reason], seller.profile.user
    is_closed = seller.banned_at is not None
    as_seen = table.c.banned_at.is_not(None) if is_closed else table.c.closes_at.is_not(None)
    if not _set(seller, as_seen, banned_at=None, closes_at=None, ended_at=None):
        raise Refused(_("This application has just changed. Please look again."))
    told = note_of(chosen, made.words)
    if not is_closed:  # it was only announced: all stays as it is
        pass
    elif was == Vetting.SUSPENDED:
        sellers.move(
            seller, Vetting.APPROVED, by=by, note=told.said("en"), step=LIFTED, is_told=False, vetting_note=told
        )
        if owner is not None:
            accounts.grant(owner, Role.SELLER, by=by, reason="opened again")
    else:
        sellers.move(seller, Vetting.WAITING, by=by, note=told.said("en"), is_told=False, applied_at=clock.now())
    statements.write(seller, Verdict.UNBANNED, by=by, reason=chosen, words=made.words, second=second)
    write_down(seller, was, by, made.words.said(""))


def propose_payout_stop(seller: Seller, *, by: Person, reason: str, words: Words) -> None:
    """Propose that nothing more is paid out to somebody. Nothing happens until a second person confirms it."""
    _not_oneself(seller, by)
    chosen = statements.told(reasons.PAYOUTS.get(reason), words)
    if seller.payouts_stopped_at is not None:
        raise Refused(_("Their money waits already."))
    proposals.propose(seller, Action.STOP_PAYOUTS, by=by, reason=chosen, words=words)


@proposals.carries_out(Action.STOP_PAYOUTS)
def _stop_payouts(seller: Seller, made: Proposal, by: Person, second: Person) -> None:
    """Hold whatever somebody is owed, until it is released (`payouts.is_stopped`)."""
    if not _set(seller, table.c.payouts_stopped_at.is_(None), payouts_stopped_at=clock.now()):
        raise Refused(_("Their money waits already."))
    chosen = reasons.PAYOUTS[made.reason]
    statements.write(seller, Verdict.PAYOUTS_STOPPED, by=by, reason=chosen, words=made.words, second=second)


def release_payouts(seller: Seller, *, by: Person, words: Words, reason: str = "put_right") -> None:
    """Let what somebody is owed be paid out again. Where they have appealed, this grants it."""
    _not_oneself(seller, by)
    chosen = statements.told(reasons.GOOD.get(reason), words)
    _grant_open(seller, Verdict.PAYOUTS_STOPPED, by)
    if not _set(seller, table.c.payouts_stopped_at.is_not(None), payouts_stopped_at=None):
        raise Refused(_("Nothing of theirs waits."))
    statements.write(seller, Verdict.PAYOUTS_RELEASED, by=by, reason=chosen, words=words)
    audit.note("payouts released", f"seller:{seller.profile.handle}", by=by, reason=words.said(""))


def _set(seller: Seller, *only: object, **facts: object) -> bool:
    guarded = update(table).where(table.c.id == seller.id, *only)  # type: ignore[arg-type]
    is_done = connection().execute(guarded.values(facts)).rowcount == 1
    db.session.refresh(seller)
    return is_done


# What granting an appeal undoes


@appeals.undoes(Verdict.SUSPENDED)
def _lift_by_appeal(seller: Seller, _about: Statement, by: Person, words: Words) -> bool:
    """They sell again; `lift` closes the appeal."""
    lift(seller, by=by, words=words, reason="we_were_wrong")
    return False


@appeals.undoes(Verdict.PAYOUTS_STOPPED)
def _release_by_appeal(seller: Seller, about: Statement, by: Person, words: Words) -> bool:
    """Their money goes on; `release_payouts` closes the appeal. What waits for tax details is a stop of its own."""
    if about.reason == tax_asked.REASON:
        tax_asked.excuse(seller, by=by, words=words)
        return True
    release_payouts(seller, by=by, words=words, reason="we_were_wrong")
    return False
