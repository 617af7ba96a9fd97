"""Verdicts on applications: item by item, then approved, asked to put something right, or refused.

By one moderator who has taken it, on what that moderator saw, with a reason; and never about themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select, update

from shop import (
    accounts,
    appeals,
    audit,
    checklist,
    claims,
    clock,
    marks,
    papers,
    proposals,
    reasons,
    registers,
    sellers,
    statements,
)
from shop.accounts import Person
from shop.checklist import Item, State
from shop.database import connection, rows
from shop.errors import Refused
from shop.i18n import _, ngettext
from shop.models import (
    Action,
    AppealOutcome,
    BankAccount,
    ItemState,
    Paper,
    PaperState,
    Proposal,
    Role,
    Seller,
    Verdict,
    Vetting,
)
from shop.reasons import Reason
from shop.sellers import OBJECTION
from shop.words import Words

CALLED = {
    Vetting.APPROVED: Verdict.APPROVED,
    Vetting.NEEDS_FIXING: Verdict.ASKED,
    Vetting.REFUSED: Verdict.REFUSED,
}
LONGEST_NUMBER = 20
DATED = checklist.PAPERS  # of these papers a moderator reads until when they are valid

accounts_of, sheets = BankAccount.__table__, Paper.__table__
_BANK = select(accounts_of.c.id, accounts_of.c.state).where(accounts_of.c.seller_id == bindparam("seller"))
_VALID = select(sheets.c.kind, sheets.c.valid_until).where(
    sheets.c.seller_id == bindparam("seller"), sheets.c.state == PaperState.SEALED, sheets.c.valid_until.is_not(None)
)


def as_it_stands(seller: Seller) -> str:
    """A stamp of what a moderator sees: another application, other papers or another account have another one."""
    sent = "".join(paper.code for paper in papers.of(seller.id))
    sent += "".join(f"{row.id}{row.state}" for row in rows(_BANK, seller=seller.id))
    return seller.applied_at.isoformat() + (f" {sha256(sent.encode()).hexdigest()[:16]}" if sent else "")


def is_for(seller: Seller, person: Person) -> bool:
    """May this moderator decide on it? Not on their own nor on one that shares something with it; nor on an appeal
    against what they decided."""
    if marks.is_near(seller.id, person.id):
        return False
    appeal = appeals.open_of(seller, Verdict.REFUSED)
    return appeal is None or appeals.is_for(appeal, person)


def take(seller: Seller, *, by: Person) -> None:
    """Take an application, to decide on it within half an hour; not one that is for somebody else to decide."""
    if not is_for(seller, by):
        raise Refused(_("This application is for another moderator to decide."), 403)
    claims.take(seller, by=by)


def _see_to(seller: Seller, by: Person, seen: str) -> None:
    """Refuse who may not decide on it now, or who saw something else."""
    if not is_for(seller, by):
        raise Refused(_("This application is for another moderator to decide."), 403)
    claims.must_have(seller, by)
    if seller.vetting != Vetting.WAITING or as_it_stands(seller) != seen:
        raise Refused(_("This application has just changed. Please look again."))


# Item by item


def accept(
    seller: Seller, item: Item, *, by: Person, seen: str, valid_until: date | None = None, document: str = ""
) -> None:
    """Accept one item of the checklist; of an identity paper with the date until which it is valid.

    And with its number, where that can be read: by its mark the same paper is known on another photograph.
    """
    _see_to(seller, by, seen)
    if _step(seller, item).state == State.MISSING:
        raise Refused(_("There is nothing here that could be accepted."), 422)
    if item == Item.IDENTITY and valid_until is None:
        raise Refused(_("Fill in until when the paper is valid."), 422)
    if valid_until is not None:
        if item not in DATED:
            raise Refused(_("This has no paper with a date."), 422)
        if valid_until < clock.now().date():
            raise Refused(_("This paper has run out, so it cannot be accepted."), 422)
        mine = update(sheets).where(sheets.c.seller_id == seller.id, sheets.c.state == PaperState.SEALED)
        connection().execute(mine.where(sheets.c.kind.in_(DATED[item])).values(valid_until=valid_until))
    if item == Item.IDENTITY and document.strip():
        _keep_number(seller, document)
    checklist.judge(seller, item, ItemState.ACCEPTED, by=by)


def _keep_number(seller: Seller, document: str) -> None:
    """As a mark only; never the number by which a Dutch citizen is known, which nobody here may have."""
    number = marks.document(document)
    if not 5 <= len(number) <= LONGEST_NUMBER:
        raise Refused(_("This is no number of a paper. Leave it empty where you cannot read it."), 422)
    if seller.country == "NL" and registers.is_citizen_number(number):
        raise Refused(
            _("This looks like the citizen service number (BSN). We may not have it: take the other one."), 422
        )
    marks.keep_document(seller.id, document)


def ask_to_fix(seller: Seller, item: Item, *, by: Person, seen: str, reason: str, words: Words) -> None:
    """Say what has to be put right about one item: a reason of the list, and words of one's own where they help."""
    _see_to(seller, by, seen)
    _step(seller, item)
    if reason not in reasons.ITEMS:
        raise Refused(_("Choose what is wrong with it."), 422)
    checklist.judge(seller, item, ItemState.FIX, by=by, reason=reason, words=words)


def _step(seller: Seller, item: Item) -> checklist.Step:
    found = next((step for step in checklist.of(seller) if step.item == item), None)
    if found is None:
        raise Refused(_("This is not asked of this seller."), 422)
    return found


def lacking(seller: Seller, steps: list[checklist.Step]) -> list[Item]:
    """What is not accepted yet, or was accepted with a paper that has run out since."""
    gone = {row.kind for row in rows(_VALID, seller=seller.id) if row.valid_until < clock.now().date()}
    return [step.item for step in steps if step.state != State.ACCEPTED or gone.intersection(DATED.get(step.item, ()))]


# All of it


def decide(seller: Seller, verdict: str, *, by: Person, words: Words, seen: str, reason: str = "") -> bool:
    """Approve, ask or refuse: once, by who has taken it, on what they saw. False: it waits for a second person.

    Approved is who has every item accepted; asked, who has one to fix at least. A refusal after an appeal takes two.
    """
    _see_to(seller, by, seen)
    if verdict == Vetting.APPROVED:
        _see_to_items(seller)
        settle(seller, verdict, by=by, looked_at=checklist.asked_of(seller.kind, seller.country))
    elif verdict == Vetting.NEEDS_FIXING:
        fixes = [(step.item, step.reason, step.words) for step in checklist.of(seller) if step.state == State.FIX]
        if not fixes:
            raise Refused(_("Say first, at an item, what has to be put right."), 422)
        settle(seller, verdict, by=by, words=_with(reasons.listed(fixes), words))
    elif verdict == Vetting.REFUSED:
        chosen = statements.told(reasons.REFUSALS.get(reason), words)
        if appeals.open_of(seller, Verdict.REFUSED) is not None:
            proposals.propose(seller, Action.REFUSE, by=by, reason=chosen, words=words, seen=seen)
            claims.release(seller, by=by)
            return False
        settle(seller, verdict, by=by, reason=chosen, words=words)
    else:
        raise Refused(_("Choose what to do with this application."), 422)
    return True


def _see_to_items(seller: Seller) -> None:
    if n := len(lacking(seller, checklist.of(seller))):
        words: str = ngettext(
            "Approve only what was looked at: %(num)s item is not accepted.",
            "Approve only what was looked at: %(num)s items are not accepted.",
            n,
        )
        raise Refused(words, 422)


def _with(listed: Words, words: Words) -> Words:
    """The list in each language, and under it what the moderator adds."""
    more = words.said("").strip()
    return Words({code: f"{text}\n{words.said(code).strip()}" if more else text for code, text in listed.items()})


def settle(
    seller: Seller,
    verdict: str,
    *,
    by: Person,
    reason: Reason | None = None,
    words: Words | None = None,
    second: Person | None = None,
    looked_at: Collection[str] = (),
    is_told: bool = True,
) -> None:
    """Write down a verdict of which somebody has seen to the grounds: `decide` does, and the demo brings them along."""
    owner = seller.profile.user
    if verdict == Vetting.APPROVED and owner is not None and not owner.is_active:
        raise Refused(_("The owner has closed this account. Nobody is there to sell."))
    sent_in, told, was = seller.applied_at, note_of(reason, words or Words()), seller.vetting
    facts: dict[str, Any] = {"vetting_note": told, "decided_at": clock.now(), "decided_by_id": by.id}
    facts |= {"claimed_by_id": None, "claimed_until": None}
    sellers.move(seller, verdict, by=by, note=told.said("en"), is_told=False, **facts)
    ends: dict[str, Any] = {"sent_in": sent_in, "is_last": _end_appeal(seller, verdict, by), "is_told": is_told}
    statements.write(seller, CALLED[Vetting(verdict)], by=by, reason=reason, words=words, second=second, **ends)
    if verdict == Vetting.APPROVED and owner is not None:
        accounts.grant(owner, Role.SELLER, by=by, reason="approved as a seller")
    write_down(seller, was, by, told.said("en"), looked_at)


def _end_appeal(seller: Seller, verdict: str, by: Person) -> bool:
    """A verdict on an application ends the appeal against its refusal. Was there one?"""
    appeal = appeals.open_of(seller, Verdict.REFUSED)
    if appeal is not None:
        ended = AppealOutcome.DISMISSED if verdict == Vetting.REFUSED else AppealOutcome.GRANTED
        appeals.close(appeal.id, ended, by=by)
    return appeal is not None


def note_of(reason: Reason | None, words: Words) -> Words:
    """A reason and the words with it, as one text in each language."""
    codes = {*words, *(reason.said if reason else ())}
    both = {code: (reason.said.said(code) if reason else "", words.said(code)) for code in sorted(codes)}
    return Words({code: "\n".join(filter(None, said)) for code, said in both.items()})


def write_down(seller: Seller, was: str, by: Person | None, reason: str, looked_at: Collection[str] = ()) -> None:
    """Note in the audit what became of a seller, and what of it is as of the shop of who decided; last of all."""
    after: dict[str, Any] = {"vetting": str(seller.vetting)}
    before, after = {"vetting": str(was)}, after | ({"checks": sorted(looked_at)} if looked_at else {})
    if by and (shared := marks.shared(seller.id, by.id)):
        after["same as of their own shop"] = shared
    audit.note("seller decided", f"seller:{seller.profile.handle}", by=by, reason=reason, before=before, after=after)


@proposals.carries_out(Action.REFUSE)
def _refuse(seller: Seller, made: Proposal, by: Person, second: Person) -> None:
    """Refuse after an appeal, because two people say so, on what the first one saw."""
    if seller.vetting != Vetting.WAITING or as_it_stands(seller) != made.seen:
        raise Refused(_("This application has just changed. Please look again."))
    reason = reasons.REFUSALS[made.reason]
    settle(seller, Vetting.REFUSED, by=by, reason=reason, words=made.words, second=second)


# The applicant does not agree


@appeals.follows(Verdict.REFUSED)
def _wait_again(seller: Seller, person: Person, words: str) -> None:
    """An application whose refusal is appealed waits again, for a moderator who has not judged it."""
    again: dict[str, Any] = {"applied_at": clock.now(), "decided_at": None}
    sellers.move(seller, Vetting.WAITING, by=person, note=words, step=OBJECTION, **again)


def object_to(person: Person, words: str) -> None:
    """Say why one's refusal is wrong: an appeal against its statement. Once."""
    seller = sellers.of(person)
    if seller is None or seller.vetting != Vetting.REFUSED:
        raise Refused(_("There is no refusal to object to."))
    code = _appealable(seller)
    if code is None:
        raise Refused(_("Your objection has been decided on; that was the last word from us."))
    appeals.lodge(code, by=person, words=words)


def can_object(seller: Seller) -> bool:
    """Is there a refusal that can still be appealed?"""
    return seller.vetting == Vetting.REFUSED and _appealable(seller) is not None


def _appealable(seller: Seller) -> str | None:
    """The statement of the last refusal, where it can be appealed."""
    last = next((row for row in statements.of(seller) if row.verdict in (Verdict.REFUSED, Verdict.BANNED)), None)
    return last.code if last is not None and appeals.may_be_lodged(last, last.appeal is not None) else None
