"""The seller centre: what has to be done, how the shop is doing, and orders that are packed and sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_login import current_user
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from shop import carriers, i18n, limits, newcomers, packing, plots, purchases, seller_home, shipping, tax_year
from shop.database import db, let_go
from shop.delivery import AMSTERDAM
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, at_most, leave, page, secret
from shop.i18n import _, _l, ngettext
from shop.models import Order, ProductStatus
from shop.money import Money
from shop.routes.cart import ask_size_along
from shop.seller_home import Home

bp = Blueprint("seller", __name__, url_prefix="/seller")

CURRENCY = "EUR"
SHOWS = {
    "to-pack": _l("To pack"),
    "sent": _l("On their way"),
    "delivered": _l("Delivered"),
    "cancelled": _l("Cancelled"),
}
STOCKS = {"running-out": _l("What runs out"), "sold-out": _l("What is sold out")}
DONE = {
    "packed": _l("Packed. It lies ready for who brings it."),
    "shipped": _l("On its way. The buyer is told by mail in a quarter of an hour; until then you can take it back."),
    "corrected": _l("The number is kept. A buyer who was told another one gets a mail."),
    "back": _l("It lies packed again. The buyer has not been told anything."),
    "delivered": _l("Delivered."),
}
LONGEST = 80
OPENINGS = "400 per hour"  # of orders, which show where buyers live: more than anybody packs
LISTS_SEEN = "120 per hour"  # of lists with names
CORRECTIONS = "5 per day"  # of one parcel's number: each is a mail to its buyer
# What a listing of this status asks of its seller; other statuses ask nothing. A new one needs a line here.
LISTINGS = {
    ProductStatus.DOWN: lambda n: ngettext("product was taken down: see why", "products were taken down: see why", n),
    "lacks": lambda n: ngettext(
        "product lacks something that the law or its category asks for",
        "products lack something that the law or their category asks for",
        n,
    ),
    ProductStatus.DRAFT: lambda n: ngettext("product is a draft", "products are drafts", n),
    ProductStatus.REVIEW: lambda n: ngettext("product is being looked at", "products are being looked at", n),
}


class ShipmentForm(Form):
    """Who brings it, and the parcel's number there."""

    carrier = SelectField(
        _l("Who brings it?"),
        [InputRequired(_l("Choose who brings it."))],
        choices=[
            SelectChoice("", _l("Choose one")),
            *(SelectChoice(code, one.name or _l("Somebody else")) for code, one in carriers.CARRIERS.items()),
        ],
        invalid_choice_message=_l("Choose who brings it."),
    )
    tracking = StringField(_l("Number of the parcel"), [at_most(60)])
    is_letter = BooleanField(_l("It has no number: it cannot be followed"))


@bp.get("")
def index() -> Answer:
    """The home: what has to be done, then figures."""
    ask_size_along()
    home = seller_home.of(current_user.id)
    coming = {"payable": Money(home.payable, CURRENCY), "on_hold": Money(home.on_hold, CURRENCY)}
    facts: dict[str, Any] = {**coming, "listings": LISTINGS, "limit": newcomers.limit, **_plots(home)}
    facts["tax_by"] = tax_year.asked_by()
    return page("seller/index.html", "home", home=home, most=Money(newcomers.limit("OPEN"), CURRENCY), **facts)


def _plots(home: Home) -> dict[str, Any]:
    """Thirty days as two drawings: what came in, and how many orders."""
    sales = [_point(day, day.minor, i18n.price(Money(day.minor, CURRENCY))) for day in home.days]
    orders = [_point(day, day.orders, str(day.orders)) for day in home.days]
    return {
        "sales": plots.bars(sales, lambda minor: i18n.price(Money(minor, CURRENCY))),
        "orders": plots.bars(orders),
        "sold": Money(sum(day.minor for day in home.days), CURRENCY),
        "bought": sum(day.orders for day in home.days),
    }


def _point(day: seller_home.Day, number: int, said: str) -> plots.Point:
    return plots.Point(i18n.day(day.day), str(day.day.day), number, said)


@bp.get("/stock")
def stock() -> Answer:
    """What sold before and is sold out, or runs out: each thing with what is left of which kind."""
    which = request.args.get("which", "running-out")
    if which not in STOCKS:
        raise NotFound(_("We cannot find this page."))
    shop, after = packing.shop_of(current_user.id), request.args.get("after", "")
    found, more = seller_home.short(shop.id, is_out=which == "sold-out", after=after)
    return page("seller/stock.html", "stock", found=found, more=more, which=which, title=STOCKS[which])


@bp.get("/orders")
def orders() -> Answer:
    """The orders of a shop, by how far they are; or those that somebody looks for by number or name."""
    limits.spend(LISTS_SEEN, "buyers listed", str(current_user.id))
    shop, asked = packing.shop_of(current_user.id), request.args.get("q", "").strip()[:LONGEST]
    show = request.args.get("show", "to-pack")
    if show not in packing.LISTS:
        raise NotFound(_("We cannot find this page."))
    if len(asked) == packing.NUMBER and (number := _number(asked, shop.id)):
        return redirect(url_for(".order", number=number))
    found = packing.named(shop.id, asked) if asked else packing.listed(shop.id, show, request.args.get("after", ""))
    facts: dict[str, Any] = {"shows": SHOWS, "show": "" if asked else show, "asked": asked}
    return secret(page("seller/orders.html", "orders", leaf=found, **facts))


def _number(asked: str, shop: int) -> str:
    try:
        return packing.own(asked, shop).code[: packing.NUMBER]
    except NotFound:
        return ""


@bp.get("/orders/<number>")
def order(number: str) -> Answer:
    """What has to be packed, where it goes, and where it is."""
    limits.spend(OPENINGS, "buyers opened", str(current_user.id))
    return _shown(number, done=str(DONE.get(request.args.get("done", ""), "")))


@bp.get("/orders/<number>/slip")
def slip(number: str) -> Answer:
    """A packing slip, to be printed and laid in the parcel."""
    limits.spend(OPENINGS, "buyers opened", str(current_user.id))
    found = packing.own(number, packing.shop_of(current_user.id).id)
    if not packing.shows_address(found):
        raise NotFound(_("Where this order went is no longer shown."))
    return secret(page("seller/slip.html", "slip", order=found, number=number))


@bp.post("/orders/<number>/packing")
def pack(number: str) -> Answer:
    """It lies ready."""
    shop = packing.shop_of(current_user.id)
    packing.pack(packing.own(number, shop.id), by=current_user.id)
    db.session.commit()
    return leave(url_for(".order", number=number, done="packed"))


@bp.post("/orders/<number>/shipment")
def ship(number: str) -> Answer:
    """It is on its way; the buyer is told when the way back is over."""

    def go(found: Order, form: ShipmentForm) -> None:
        told = {"by": current_user.id, "is_followed": not form.is_letter.data}
        packing.ship(found, form.carrier.data, form.tracking.data or "", **told)

    return _done_with(number, go, "shipped")


@bp.post("/orders/<number>/tracking")
def correct(number: str) -> Answer:
    """It goes with another carrier, or has another number; the buyer is told."""

    def put_right(found: Order, form: ShipmentForm) -> None:
        limits.spend(CORRECTIONS, "parcel corrected", found.code)
        shipping.correct(found, form.carrier.data, form.tracking.data or "", by=current_user.id)

    return _done_with(number, put_right, "corrected")


def _done_with(number: str, do: Callable[[Order, ShipmentForm], None], done: str) -> Answer:
    """Do something with a parcel; what is wrong with it stands beside its number."""
    found, form = packing.own(number, packing.shop_of(current_user.id).id), ShipmentForm()
    if not form.validate():
        return _shown(number, form, 422)
    try:
        do(found, form)
    except Refused as no:
        if no.status != 422:
            raise
        let_go()
        form.tracking.errors = [no.words]
        return _shown(number, form, 422)
    db.session.commit()
    return leave(url_for(".order", number=number, done=done))


@bp.post("/orders/<number>/return-to-packing")
def take_back(number: str) -> Answer:
    """It has not left after all."""
    shop = packing.shop_of(current_user.id)
    shipping.take_back(packing.own(number, shop.id), by=current_user.id)
    db.session.commit()
    return leave(url_for(".order", number=number, done="back"))


@bp.post("/orders/<number>/delivery")
def deliver(number: str) -> Answer:
    """Its seller says that it has arrived, where no carrier can."""
    shop = packing.shop_of(current_user.id)
    packing.hand_over(packing.own(number, shop.id), shop, by=current_user.id)
    db.session.commit()
    return leave(url_for(".order", number=number, done="delivered"))


def _shown(number: str, form: ShipmentForm | None = None, status: int = 200, done: str = "") -> Answer:
    shop = packing.shop_of(current_user.id)
    found = packing.own(number, shop.id)
    form = form or ShipmentForm(None, data={"carrier": found.carrier, "tracking": found.tracking})
    facts: dict[str, Any] = {
        "order": found,
        "number": number,
        "form": form,
        "done": done,
        "steps": purchases.steps([found])[found.id],
        "is_late": is_late(found),
        "shows_address": packing.shows_address(found),
        "back_until": shipping.back_until(found),
        "is_sellers_word": packing.is_sellers_word(found, shop),
        "shown_for": packing.SHOWN_FOR.days,
    }
    return secret(page("seller/order.html", "order", status=status, **facts))


@bp.app_template_test("late")
def is_late(order: Order) -> bool:
    """Should it have left before today?"""
    return order.status in packing.TO_PACK and order.send_until < packing.today()


@bp.app_template_filter("followed")
def followed(order: Order) -> str:
    """Where the parcel of an order can be followed; empty where it cannot."""
    return packing.page_of(order)


@bp.app_template_filter("carrier")
def carrier(code: str) -> str:
    """Who brings it; empty for a carrier that we do not know."""
    return carriers.CARRIERS[code].name if code in carriers.CARRIERS else ""


@bp.app_template_filter("near_day")
def near_day(moment: datetime) -> str:
    """The day of a moment, as one says it when it is near: "Thu 26 Nov"."""
    return i18n.day(moment.astimezone(AMSTERDAM).date())
