"""Verdicts: a moderator approves, asks, refuses, stops or lifts; once, with a reason, and never about themselves."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from shop import accounts, audit, clock, papers, sellers
from shop.accounts import Person
from shop.database import db
from shop.errors import Refused
from shop.i18n import _, ngettext
from shop.models import Event, Role, Seller, SellerKind, Vetting
from shop.sellers import LIFTED, MOVES, OBJECTION
from shop.words import Words

SHORTEST_REASON = 10  # characters: less is no reason that a seller can do something with


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
    sellers.move(seller, verdict, by=by, note=note, is_told=is_told, **facts)
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
    seller = sellers.of(person)
    if seller is None or seller.vetting != Vetting.REFUSED:
        raise Refused(_("There is no refusal to object to."))
    if _has_objected(seller):
        raise Refused(_("Your objection has been decided on; that was the last word from us."))
    sellers.move(
        seller, Vetting.WAITING, by=person, note=words, step=OBJECTION, applied_at=clock.now(), decided_at=None
    )


def can_object(seller: Seller) -> bool:
    """Is there a refusal that was not objected to yet?"""
    return seller.vetting == Vetting.REFUSED and not _has_objected(seller)


def suspend(seller: Seller, *, by: Person, words: Words) -> None:
    """Stop somebody's sales at once: whatever is for sale asks `may_sell`. With a reason, and undone by `lift`.

    The day on which they were checked stays what it was.
    """
    _see_to_reason(seller, by, words)
    was = seller.vetting
    sellers.move(seller, Vetting.SUSPENDED, by=by, note=words.said(""), vetting_note=words)
    if seller.profile.user is not None:
        accounts.revoke(seller.profile.user, Role.SELLER, by=by, reason="sales stopped")
    _write_down(seller, was, by, words.said(""))


def stop_by_itself(seller: Seller, step: str, words: Words) -> None:
    """The shop stops somebody's sales by a rule that nobody has to judge; undone by `lift`. They are told that it did.

    `step` is what stands in the story and decides about the words of the mail.
    """
    was = seller.vetting
    sellers.move(seller, Vetting.SUSPENDED, by=None, note=words.said(""), step=step, vetting_note=words)
    if seller.profile.user is not None:
        accounts.revoke(seller.profile.user, Role.SELLER, reason="sales stopped by the shop itself")
    _write_down(seller, was, None, words.said(""))


def _write_down(seller: Seller, was: str, by: Person | None, reason: str, checks: Collection[str] = ()) -> None:
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
    sellers.move(seller, Vetting.APPROVED, by=by, note=words.said(""), step=LIFTED, vetting_note=words)
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


def _steps(seller: Seller) -> list[Event]:
    asked = select(Event).where(Event.subject == "seller", Event.subject_id == seller.id).order_by(Event.id)
    return list(db.session.scalars(asked))


def _has_objected(seller: Seller) -> bool:
    return any(step.became == OBJECTION for step in _steps(seller))
