"""Where a seller's money goes: the account, another one, and the moderators' second look at that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired

from shop import bank_accounts, clock, limits, look_ups, payouts, sellers
from shop.access import is_fresh
from shop.database import db
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, at_most, leave, page
from shop.i18n import _, _l
from shop.models import BankState, LookUpResult, Seller

bp = Blueprint("bank", __name__)

CHECKS = {
    LookUpResult.MATCH: _l("The bank says that it is on this name."),
    LookUpResult.CLOSE: _l("The bank has nearly this name."),
    LookUpResult.NO_MATCH: _l("The bank says that it is not on this name."),
    LookUpResult.CANNOT_CHECK: _l("The bank could not be asked whose it is."),
}
DONE = {
    "changed": _l("We have it. A moderator looks at it, and we have written to you."),
    "name": _l("Thank you: it is on the name that the bank has."),
    "withdrawn": _l("Taken back. You are paid on the old account as before."),
    "confirmed": _l("Confirmed. They are told by mail."),
    "refused": _l("Not taken. They are told by mail why."),
}


class AccountForm(Form):
    """Another account."""

    iban = StringField(_l("IBAN"), [DataRequired(_l("Fill in the IBAN of the account.")), at_most(50)])
    holder = StringField(
        _l("On whose name is it?"), [DataRequired(_l("Fill in the name that the bank has.")), at_most(120)]
    )


class VerdictForm(Form):
    """Why an account is taken or not; `seen` says which one was on the page."""

    reason = TextAreaField(_l("Reason"), [at_most(900)])
    seen = HiddenField()


def _done() -> str:
    return str(DONE.get(request.args.get("done", ""), ""))


# The seller's page


@bp.get("/seller/bank")
def show() -> Answer:
    """The account by its last four, on whose name, what the bank says of it, and until when nothing is paid."""
    return _shown(_mine(), AccountForm(None), done=_done())


def _mine() -> Seller:
    seller = sellers.of(current_user)
    if seller is None:
        raise NotFound(_("There is nothing here to be paid for."))
    return seller


def _shown(seller: Seller, form: Form, status: int = 200, done: str = "") -> Answer:
    there = {row.state: row for row in bank_accounts.of(seller.id)}
    return page(
        "bank/show.html",
        "bank",
        status=status,
        current=there.get(BankState.CURRENT),
        waits=there.get(BankState.WAITING),
        frozen_until=payouts.payee(current_user.id).frozen_until,
        form=form,
        checks=CHECKS,
        done=done,
        is_stale=not is_fresh(current_user.vouched_at),
    )


@bp.post("/seller/bank")
def change() -> Answer:
    """Ask to be paid elsewhere, shortly after a proof of who asks (`access.FRESH`)."""
    seller, form = _mine(), AccountForm()
    if not form.validate():
        return _shown(seller, form, 422)
    try:
        bank_accounts.change(seller, iban=form.iban.data, holder=form.holder.data, by=current_user)
    except Refused as no:
        if no.status != 422:
            raise
        form.iban.errors = [no.words]
        return _shown(_mine(), form, 422)
    db.session.commit()
    return leave(url_for(".show", done="changed"))


@bp.post("/seller/bank/name")
def take_name() -> Answer:
    """The name that the bank has is right; it alters what a moderator sees, so it takes a proof (`access.FRESH`)."""
    bank_accounts.take_name(_mine())
    db.session.commit()
    return leave(url_for(".show", done="name"))


@bp.post("/seller/bank/withdrawal")
def withdraw() -> Answer:
    """Take a change back: it needs no proof, because money then goes to the old account; an owner has to be quick."""
    bank_accounts.withdraw(_mine(), by=current_user)
    db.session.commit()
    return leave(url_for(".show", done="withdrawn"))


# The moderators' second look


@bp.get("/moderation/bank-accounts")
def waiting() -> Answer:
    """Which accounts are to change: old and new, what the bank says, and how long they wait."""
    return _desk(done=_done())


def _desk(status: int = 200, **context: Any) -> Answer:
    return page(
        "bank/waiting.html",
        "waiting",
        status=status,
        waiting=[(row, bank_accounts.stamp(row)) for row in bank_accounts.waiting()],
        now=clock.now(),
        checks=CHECKS,
        is_stale=not is_fresh(current_user.vouched_at),
        **context,
    )


@bp.post("/moderation/bank-accounts/<handle>/confirmation")
def confirm(handle: str) -> Answer:
    """It is theirs: money goes there when the week is over. With a fresh proof, and a reason for the audit."""
    return _decided(handle, bank_accounts.confirm, "confirmed")


@bp.post("/moderation/bank-accounts/<handle>/refusal")
def refuse(handle: str) -> Answer:
    """It is not taken; the reason is mailed."""
    return _decided(handle, bank_accounts.refuse, "refused")


def _decided(handle: str, decide: Callable[..., None], done: str) -> Answer:
    form = VerdictForm()
    typed = form.reason.data or ""
    if not form.validate():
        return _desk(422, wrong=handle, typed=typed, words=" ".join(form.reason.errors))
    try:
        decide(handle, seen=form.seen.data or "", by=current_user, reason=typed)
    except Refused as no:
        if no.status != 422:
            raise
        return _desk(422, wrong=handle, typed=typed, words=no.words)
    db.session.commit()
    return leave(url_for(".waiting", done=done))


@bp.post("/moderation/sellers/<handle>/look-ups")
def look_up(handle: str) -> Answer:
    """Let the registers be asked again about one seller."""
    limits.spend("60 per hour", "look-ups", str(current_user.id))
    look_ups.ask(sellers.called(handle))
    db.session.commit()
    return leave(f"/moderation/sellers/{handle}")
