"""The moderators' desk: who waits and for how long, all the evidence on one page, item by item, and a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user

from shop import (
    appeals,
    brushing,
    checklist,
    claims,
    clock,
    desk_counts,
    evidence,
    i18n,
    marks,
    proposals,
    reasons,
    sanctions,
    seller_desk,
    sellers,
    statements,
    tax_asked,
    verdicts,
)
from shop.access import is_fresh
from shop.checklist import Item, State
from shop.database import db
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, fragment, leave, page
from shop.i18n import _
from shop.models import ItemState, Seller, SellerKind, Vetting
from shop.reasons import Reason
from shop.routes.moderation_forms import DONE, DecisionForm, ItemForm
from shop.routes.sell_words import KINDS, PAPERS, STOCKS
from shop.words import Words

bp = Blueprint("moderation", __name__, url_prefix="/moderation")


def done() -> str:
    """What was done on the page before, in words."""
    return str(DONE.get(request.args.get("done", ""), ""))


@bp.get("")
def index() -> Answer:
    """Who waits, the longest first; or whose name begins with what was typed."""
    kind, words = request.args.get("kind", ""), request.args.get("q", "").strip()
    kind, after = kind if kind in KINDS else "", request.args.get("after", "")
    return page(
        "moderation/index.html",
        "queue",
        leaf=seller_desk.found(words, after) if words else seller_desk.queue(after, kind),
        words=words,
        kind=kind,
        counts={} if words else seller_desk.counts(),
        kinds=KINDS,
        open_appeals=appeals.waiting(current_user),
        open_proposals=proposals.how_many(current_user),
        elsewhere=desk_counts.waiting(),
        now=clock.now(),
        due=seller_desk.due,
        done=done(),
    )


@bp.get("/sellers")
def selling() -> Answer:
    """Who sells, and whose sales are stopped."""
    found, more = seller_desk.selling(request.args.get("after", ""))
    return page("moderation/sellers.html", "selling", found=found, more=more, kinds=KINDS)


@bp.get("/sellers/<handle>")
def seller(handle: str) -> Answer:
    """One application: what they told, the evidence beside it, what happened, and what to decide."""
    return _shown(sellers.called(handle), done=done())


def _shown(applied: Seller, status: int = 200, **more: Any) -> Answer:
    return page("moderation/seller.html", "application", status=status, **{**_context(applied), **more})


def _context(applied: Seller) -> dict[str, Any]:
    is_own = marks.is_near(applied.id, current_user.id)
    steps, found = checklist.of(applied), evidence.of(applied)
    bought = [] if is_own else brushing.of(applied.id)
    may_decide = applied.vetting == Vetting.WAITING and verdicts.is_for(applied, current_user)
    return {
        "seller": applied,
        "steps": steps,
        "lacking": verdicts.lacking(applied, steps),
        "fixes": [step.item for step in steps if step.state == State.FIX],
        "evidence": found._replace(twins=[]) if is_own else found,  # nobody reads what they themselves are suspected of
        "own_orders": bought,
        "shared": [] if is_own else marks.shared(applied.id, current_user.id),
        "papers_of": checklist.PAPERS,
        "answers_of": evidence.ANSWERS,
        "dated": verdicts.DATED,
        "is_own": is_own,
        "asked": tax_asked.of(applied.id),
        "may_decide": may_decide,
        "has_it": may_decide and claims.has(applied, current_user),
        "holder": claims.holder(applied),
        "stamp": verdicts.as_it_stands(applied),
        **_forms(),
        **_history(applied),
    }


def _forms() -> dict[str, Any]:
    """Each form of the page, empty."""
    return {
        "refusal": DecisionForm(None),
        "stop": DecisionForm(None, among=reasons.SUSPENSIONS, prefix="stop-"),
        "lifting": DecisionForm(None, among=reasons.GOOD, prefix="lifting-"),
        "ban": DecisionForm(None, among=reasons.BANS, prefix="ban-"),
        "money": DecisionForm(None, among=reasons.PAYOUTS, prefix="money-"),
        "release": DecisionForm(None, among=reasons.GOOD, prefix="release-"),
        "item_reasons": reasons.ITEMS,
        "names": reasons.NAMES,
        "kinds": KINDS,
        "stocks": STOCKS,
        "paper_names": PAPERS,
        "individual": SellerKind.INDIVIDUAL,
    }


def _history(applied: Seller) -> dict[str, Any]:
    return {
        "story": seller_desk.story(applied),
        "statements": statements.of(applied),
        "proposals": proposals.of(applied, current_user),
        "due": seller_desk.due(applied.applied_at),
        "now": clock.now(),
        "is_stale": not is_fresh(current_user.vouched_at),
    }


@bp.post("/sellers/<handle>/claim")
def claim(handle: str) -> Answer:
    """Take an application, to decide on it within half an hour."""
    verdicts.take(sellers.called(handle), by=current_user)
    db.session.commit()
    return leave(url_for(".seller", handle=handle))


@bp.post("/sellers/<handle>/release")
def release(handle: str) -> Answer:
    """Let it go, so that somebody else may take it."""
    claims.release(sellers.called(handle), by=current_user)
    db.session.commit()
    return leave(url_for(".index", done="let_go"))


@bp.post("/sellers/<handle>/items/<item>")
def judge(handle: str, item: str) -> Answer:
    """Accept an item, or say what has to be put right about it."""
    applied, form = sellers.called(handle), ItemForm()
    if item not in set(Item):
        raise NotFound(_("There is no such item."))
    if not form.validate():
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _shown(applied, 422, wrong=item, wrong_at=form.state.data, wrong_words=words)
    try:
        _judge(applied, Item(item), form)
    except Refused as no:
        if no.status != 422:
            raise
        return _shown(applied, 422, wrong=item, wrong_at=form.state.data, wrong_words=no.words)
    db.session.commit()
    return _next(applied, Item(item))


def _judge(applied: Seller, item: Item, form: ItemForm) -> None:
    seen = form.seen.data or ""
    if form.state.data == ItemState.ACCEPTED:
        read = {"valid_until": form.valid_until.data, "document": form.document.data or ""}
        verdicts.accept(applied, item, by=current_user, seen=seen, **read)
    else:
        words = _own(form.words.data)
        verdicts.ask_to_fix(applied, item, by=current_user, seen=seen, reason=form.reason.data or "", words=words)


def _own(words: str | None) -> Words:
    """What a moderator wrote, in the language that they work in."""
    said = (words or "").strip()
    return Words({i18n.language(): said}) if said else Words()


def _next(applied: Seller, item: Item) -> Answer:
    """The page again, at the next item that nobody has looked at, else at the decision."""
    context = _context(applied)
    left = [step.item for step in context["steps"] if step.state == State.GIVEN]
    there = next((one for one in left if list(Item).index(one) > list(Item).index(item)), left[0] if left else "")
    address = url_for(".seller", handle=applied.profile.handle, _anchor=f"item-{there}" if there else "decide")
    return fragment(address, "moderation/application.html", focus=there or "decide", **context)


@bp.post("/sellers/<handle>/decision")
def decide(handle: str) -> Answer:
    """Decide; what is said goes to the applicant by mail."""
    applied, form = sellers.called(handle), DecisionForm()
    if not form.validate():
        return _shown(applied, 422, refusal=form)
    verdict, words = form.verdict.data or "", _own(form.words.data)
    seen, reason = form.seen.data or "", form.reason.data or ""
    try:
        is_done = verdicts.decide(applied, verdict, by=current_user, words=words, seen=seen, reason=reason)
    except Refused as no:
        if no.status != 422:
            raise
        return _refused(applied, form, no, "refusal", decision_wrong=verdict, decision_words=no.words)
    db.session.commit()
    return leave(url_for(".index", done=verdict if is_done else "proposed"))


def _refused(applied: Seller, form: DecisionForm, no: Refused, name: str, **more: Any) -> Answer:
    """The page again, with why not beside the words, or beside the reason where none was chosen."""
    (form.words if form.reason.data else form.reason).errors = [no.words]
    return _shown(applied, 422, **{name: form, **more})


@bp.post("/sellers/<handle>/suspension")
def suspend(handle: str) -> Answer:
    """Stop somebody's sales, at once, shortly after a proof of who does it (`access.FRESH`); the reason is mailed."""
    return _sanctioned(handle, sanctions.suspend, "stop", reasons.SUSPENSIONS, Vetting.SUSPENDED)


@bp.post("/sellers/<handle>/return")
def lift(handle: str) -> Answer:
    """Let them sell again; with a proof, as with the stop."""
    return _sanctioned(handle, sanctions.lift, "lifting", reasons.GOOD, sellers.LIFTED)


@bp.post("/sellers/<handle>/ban")
def ban(handle: str) -> Answer:
    """Propose that they never sell here again; a second person confirms."""
    return _sanctioned(handle, sanctions.propose_ban, "ban", reasons.BANS, "proposed")


@bp.post("/sellers/<handle>/payout-stop")
def stop_payouts(handle: str) -> Answer:
    """Propose that nothing more is paid out to them; a second person confirms."""
    return _sanctioned(handle, sanctions.propose_payout_stop, "money", reasons.PAYOUTS, "proposed")


@bp.post("/sellers/<handle>/payout-return")
def release_payouts(handle: str) -> Answer:
    """Let them be paid out again."""
    return _sanctioned(handle, sanctions.release_payouts, "release", reasons.GOOD, "released")


def _sanctioned(handle: str, act: Callable[..., None], name: str, among: dict[str, Reason], told: str) -> Answer:
    concerned, form = sellers.called(handle), DecisionForm(among=among, prefix=f"{name}-")
    if not form.validate():
        return _shown(concerned, 422, **{name: form})
    try:
        act(concerned, by=current_user, reason=form.reason.data or "", words=_own(form.words.data))
    except Refused as no:
        if no.status != 422:
            raise
        return _refused(concerned, form, no, name)
    db.session.commit()
    return leave(url_for(".seller", handle=handle, done=told))
