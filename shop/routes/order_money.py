"""An order's money: where it is, and giving it back, by staff or by the seller whose order it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request
from flask_login import current_user
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp

from shop import refund_desk
from shop.access import is_fresh
from shop.database import db
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, leave, page, secret
from shop.i18n import _l
from shop.models import Order
from shop.money import Money
from shop.refund_desk import Desk
from shop.refunds import Again

bp = Blueprint("order_money", __name__)

WHY = {
    "returned": _l("It came back"),
    "not_received": _l("It did not arrive"),
    "not_as_described": _l("It is not as described"),
    "cancelled": _l("It was cancelled"),
    "goodwill": _l("As a courtesy"),
}
HOW = {
    "all": _l("All that is left of it"),
    "amount": _l("An amount"),
    "lines": _l("So many of these things"),
}


class RefundForm(Form):
    """What goes back, and why."""

    how = RadioField(
        _l("What goes back?"),
        [InputRequired(_l("Choose what goes back, and how many of it."))],
        choices=[SelectChoice(code, name) for code, name in HOW.items()],
    )
    amount = StringField(_l("Amount"), [Length(max=12)])
    reason = SelectField(_l("Why?"), choices=[SelectChoice(code, name) for code, name in WHY.items()])
    token = StringField(validators=[Regexp(r"^([\w-]{22})?$")])  # this form is one refund, however often it is sent


@bp.app_template_filter("money_of")
def money_of(row: Any) -> Money:
    """The amount of a row of the books, a refund or a transfer."""
    return Money(row.amount_minor, row.amount_currency)


@bp.app_template_filter("of_order")
def of_order(minor: int, order: Order) -> Money:
    """So many minor units of the currency in which an order was paid."""
    return Money(minor, order.goods.currency)


@bp.get("/moderation/orders")
def index() -> Answer:
    """Find an order by what one knows of it; and the refunds that did not arrive."""
    code, words = request.args.get("code", "").strip(), ""
    try:
        if code:
            return redirect(f"/moderation/orders/{refund_desk.meant(code)}")
    except NotFound as no:
        words = no.words
    status, failed = 404 if words else 200, refund_desk.failed()
    return page("order_money/index.html", "failed", status=status, failed=failed, typed=code, words=words)


@bp.get("/moderation/orders/<code>")
def show(code: str) -> Answer:
    """Where the money of an order is, for staff."""
    return _page(refund_desk.look(code), RefundForm(None), f"/moderation/orders/{code}")


@bp.post("/moderation/orders/<code>/refunds")
def refund(code: str) -> Answer:
    """Staff give money of an order back, shortly after a proof of who does it (`access.FRESH`)."""
    return _give(lambda: refund_desk.look(code), f"/moderation/orders/{code}", refund_desk.give_as_staff)


@bp.post("/moderation/refunds/<code>/again")
def again(code: str) -> Answer:
    """Try a refund that failed once more."""
    refund_desk.send_again(code, by=current_user)
    db.session.commit()
    return leave("/moderation/orders")


@bp.get("/seller/orders/<number>/money")
def show_own(number: str) -> Answer:
    """Where the money of an order is, for its seller."""
    return _page(refund_desk.look_own(number, current_user.id), RefundForm(None), f"/seller/orders/{number}/money")


@bp.post("/seller/orders/<number>/money/refunds")
def refund_own(number: str) -> Answer:
    """A seller gives money of their own order back, shortly after a proof of who does it, as staff do."""
    home = f"/seller/orders/{number}/money"
    return _give(lambda: refund_desk.look_own(number, current_user.id), home, refund_desk.give)


def _give(look: Callable[[], Desk], home: str, give: Callable[..., int]) -> Answer:
    desk, form = look(), RefundForm()
    if not form.validate():
        return _page(desk, form, home, 422)
    try:
        given = {"reason": form.reason.data, "by": current_user, "token": form.token.data or ""}
        give(desk, **_wanted(form, desk), **given)
    except Again:
        db.session.rollback()
        return leave(home)
    except Refused as no:
        db.session.rollback()
        form.token.data = ""
        wrong = form.amount if form.how.data == "amount" else form.how
        wrong.errors = [no.words]
        return _page(look(), form, home, no.status, no.words)
    db.session.commit()
    return leave(home)


def _wanted(form: RefundForm, desk: Desk) -> dict[str, Any]:
    if form.how.data == "amount":
        return {"amount": form.amount.data or "0"}
    if form.how.data == "lines":
        return {"quantities": [request.form.get(f"quantity-{n}", 0, int) for n, _one in enumerate(desk.order.lines)]}
    return {}


def _page(desk: Desk, form: RefundForm, home: str, status: int = 200, words: str = "") -> Answer:
    if form.token.errors or not form.token.data:
        form.token.data = secrets.token_urlsafe(16)
    is_stale = not is_fresh(current_user.vouched_at)
    facts: dict[str, Any] = {"form": form, "home": home, "words": words, "why": WHY, "is_stale": is_stale}
    return secret(page("order_money/show.html", "order", status=status, desk=desk, **facts))
