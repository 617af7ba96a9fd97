"""The premises of the sandbox: the page of a bank for buyers, and a desk for sellers, when no money moves."""

from __future__ import annotations

from flask import Blueprint, redirect
from wtforms import StringField
from wtforms.validators import AnyOf

from shop import gateways, payments
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import RejectedError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.hypermedia import Answer, Form, leave, page
from shop.i18n import _
from shop.money import Money

bp = Blueprint("sandbox", __name__, url_prefix="/sandbox")


class AnswerForm(Form):
    """What one may do at a bank."""

    answer = StringField(validators=[AnyOf(("approved", "failed", "cancelled", "expired"))])


class DeskForm(Form):
    """What a seller may do at the desk."""

    answer = StringField(validators=[AnyOf(("complete", "leave"))])


@bp.get("/bank/<code>")
def bank(code: str) -> Answer:
    """What is asked of the buyer, and what they may answer."""
    found = _sandbox().at_the_bank(code)
    if found is None:
        raise _not_here()
    payment, is_open = found
    amount = Money(payment.get("amount") or payment["amount_total"], payment["currency"].upper())
    return page("sandbox/bank.html", "bank", code=code, amount=amount, is_open=is_open, back=payment["return_path"])


@bp.post("/bank/<code>/answer")
def answer(code: str) -> Answer:
    """The buyer's answer; then back to the shop, which hears of it by the bank's own call."""
    form = AnswerForm()
    if not form.validate():
        raise Refused(_("We cannot do this."), 422)
    let_go()
    try:
        payment = _sandbox().answer_at_the_bank(code, form.answer.data)
    except RejectedError:
        raise _not_here() from None
    payments.expect_events()
    db.session.commit()
    return leave(payment["return_path"])


@bp.get("/account/<code>")
def account(code: str) -> Answer:
    """What a seller is asked before money may go to them. An old link leads back for a new one."""
    found = _sandbox().at_the_desk(code)
    if found is None:
        raise _not_here()
    link, is_good = found
    if not is_good:
        return redirect(link["again"], 303)
    return page("sandbox/account.html", "account", code=code)


@bp.post("/account/<code>/answer")
def complete(code: str) -> Answer:
    """The seller's answer; then back to the shop."""
    form = DeskForm()
    if not form.validate():
        raise Refused(_("We cannot do this."), 422)
    let_go()
    try:
        path = _sandbox().answer_at_the_desk(code, is_complete=form.answer.data == "complete")
    except RejectedError:
        raise _not_here() from None
    payments.expect_events()
    db.session.commit()
    return leave(path)


def _sandbox() -> SandboxGateway:
    sandbox = gateways.sandbox()
    if sandbox is None:
        raise _not_here()
    return sandbox


def _not_here() -> NotFound:
    return NotFound(_("We cannot find this page."))
