"""After buying: the purchase, and each seller's order."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.exceptions import TooManyRequests
from wtforms import StringField
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from shop import books, checkout, packing, purchases, settlement, tries, wallet
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import GatewayError, NeedsClientAction, NeedsRedirect
from shop.hypermedia import Answer, Form, WholeNumber, leave, page, secret, wants_fragment
from shop.i18n import _
from shop.models import Purchase
from shop.purchases import Stage
from shop.routes.cart import cart_size, person
from shop.routes.checkout import CARD, pay, told_to_wait

bp = Blueprint("purchases", __name__)

QUICK, MOST = 15, 60  # looks: the first ones every two seconds, then every five, then the buyer presses the button


class PaymentForm(Form):
    """Another way to pay, and how many were tried when the page was made."""

    method = StringField(validators=[InputRequired(), Length(max=40)])
    card = StringField(validators=[Regexp(CARD)])
    tries = WholeNumber(default=0, validators=[NumberRange(0, 1000)])


@bp.get("/purchases/<code>")
def show(code: str) -> Answer:
    """What was bought and promised, and how its payment stands by our own rows."""
    return _page(purchases.find(code, person()))


@bp.post("/purchases/<code>/look")
def look(code: str) -> Answer:
    """See how the payment stands: the page asks this of itself while it waits."""
    purchase = purchases.find(code, person())
    go_on = ""
    attempt = purchases.newest(purchase).id
    if purchases.stage(purchase) is Stage.WAITING and tries.may_look(attempt):
        try:
            outcome = settlement.look(attempt)
            db.session.commit()
            go_on = outcome.secret if isinstance(outcome, NeedsClientAction) else ""
        except GatewayError:
            db.session.rollback()  # it does not answer; the clock asks again
    db.session.expire_all()
    if not wants_fragment():
        return redirect(f"/purchases/{code}", 303)
    return _page(purchases.find(code, person()), looks=_looks() + 1, go_on=go_on)


def _looks() -> int:
    """How often the page looked before, as far as it matters."""
    return max(0, min(request.args.get("looks", 0, type=int), MOST))


@bp.post("/purchases/<code>/payments")
def pay_again(code: str) -> Answer:
    """Another try, in another way, for what could not be paid."""
    purchase, form = purchases.find(code, person()), PaymentForm()
    if not form.validate():
        return _page(purchase, status=422, words=_("Choose how you want to pay."))
    try:
        placed = checkout.pay_again(purchase, form.method.data, form.tries.data, card=form.card.data or "")
        if placed.is_new:
            tries.begin(placed.number, person())
        db.session.commit()
    except Refused as no:
        db.session.rollback()
        return _page(purchases.find(code, person()), status=no.status, words=no.words)
    except TooManyRequests as no:
        db.session.rollback()
        words = _("That was too often. Please wait a moment.")
        return told_to_wait(_page(purchases.find(code, person()), status=429, words=words), no)
    outcome = pay(placed)
    return leave(outcome.url if isinstance(outcome, NeedsRedirect) else f"/purchases/{code}")


@bp.get("/orders/<code>")
def order(code: str) -> Answer:
    """One seller's part: where it is, when it comes, and whom to ask."""
    found = purchases.find_order(code, person())
    told = purchases.steps([found])[found.id]
    stage, vat = purchases.stage(found.purchase), purchases.vat(found)
    went = books.where_it_went(found.id)
    return secret(page("purchases/order.html", "order", order=found, steps=told, stage=stage, vat=vat, went=went))


@bp.post("/orders/<code>/receipt")
def receive(code: str) -> Answer:
    """Its buyer has it."""
    packing.receive(purchases.find_order(code, person()), by=person())
    db.session.commit()
    return leave(f"/orders/{code}")


def _page(purchase: Purchase, status: int = 200, looks: int = 0, **context: Any) -> Answer:
    stage = purchases.stage(purchase)
    is_open = stage in (Stage.FAILED, Stage.WAITING)
    context |= {
        "purchase": purchase,
        "stage": stage,
        "attempt": purchases.newest(purchase),
        "trouble": purchases.trouble(purchase) if stage is Stage.FAILED else "",
        "is_paid_twice": stage in (Stage.REFUNDING, Stage.REFUNDED) and purchases.is_paid_twice(purchase),
        "methods": wallet.methods(person()) if is_open else [],
        "steps": purchases.steps(purchase.orders),
        "vat": {order.id: purchases.vat(order) for order in purchase.orders},
        "looks": looks,
        "wait": None if looks >= MOST else 2 if looks < QUICK else 5,
    }
    if wants_fragment():
        context["size"] = cart_size()  # what is paid has left the cart
    return secret(page("purchases/show.html", "purchase", ("parts/badge.html",), status, **context))
