"""The bank of the sandbox: the page that a buyer is sent to by a method such as iDEAL, when no money moves."""

from __future__ import annotations

from flask import Blueprint
from wtforms import StringField
from wtforms.validators import AnyOf

from shop import gateways, payments
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import RejectedError
from shop.hypermedia import Answer, Form, leave, page
from shop.i18n import _
from shop.money import Money

bp = Blueprint("sandbox", __name__, url_prefix="/sandbox")


class AnswerForm(Form):
    """What one may do at a bank."""

    answer = StringField(validators=[AnyOf(("approved", "cancelled", "expired"))])


@bp.get("/bank/<code>")
def bank(code: str) -> Answer:
    """What is asked of the buyer, and what they may answer."""
    found = gateways.payment().at_the_bank(code)
    if found is None:
        raise NotFound(_("We cannot find this page."))
    payment, is_open = found
    amount = Money(payment["amount"], payment["currency"].upper())
    return page("sandbox/bank.html", "bank", code=code, amount=amount, is_open=is_open, back=payment["return_path"])


@bp.post("/bank/<code>/answer")
def answer(code: str) -> Answer:
    """The buyer's answer; then back to the shop, which hears of it by the bank's own call."""
    form = AnswerForm()
    if not form.validate():
        raise Refused(_("We cannot do this."), 422)
    let_go()
    try:
        payment = gateways.payment().answer_at_the_bank(code, form.answer.data)
    except RejectedError:
        raise NotFound(_("We cannot find this page.")) from None
    payments.expect_events()
    db.session.commit()
    return leave(payment["return_path"])
