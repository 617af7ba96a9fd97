"""A seller's own products: the list, and the page of one, in sections that each are saved on their own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from shop import assortment, clock, i18n, limits, listing_facts, listings, products, sellers
from shop.countries import COUNTRIES
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, leave, page, wants_fragment
from shop.i18n import _, _l
from shop.listing_checks import lacking
from shop.models import Product, ProductStatus, Role
from shop.routes.listing_forms import FactsForm, OriginForm, SafetyForm, TermsForm, WhatForm, facts_form
from shop.routes.listing_rows import Grid, Stretches, said_both

bp = Blueprint("listings", __name__, url_prefix="/seller/products")

BEGUN = "200 per hour"  # products, by one person; a file begins as many as it likes

bp.add_app_template_filter(said_both, "typed_color")

STATES = {
    ProductStatus.DRAFT: _l("Drafts"),
    ProductStatus.LIVE: _l("For sale"),
    ProductStatus.PAUSED: _l("Paused"),
    ProductStatus.REVIEW: _l("In review"),
    ProductStatus.DOWN: _l("Taken down"),
    assortment.LACKS: _l("Lacks something"),
    assortment.SOLD_OUT: _l("Sold out, or one kind of it"),
    assortment.RUNNING_OUT: _l("Runs out"),
}
FORMS: dict[str, type[Form]] = {
    "what": WhatForm,
    "facts": FactsForm,
    "safety": SafetyForm,
    "origin": OriginForm,
    "terms": TermsForm,
}
# What else of the page is another one after a section was saved.
ALONG = {"what": ("facts",), "origin": ("delivery",), "variants": ("pictures", "history")}


@bp.get("")
def index() -> Answer:
    """The list, the newest first."""
    asked: dict[str, Any] = {name: request.args.get(name, "")[: assortment.LONGEST] for name in ("q", "show", "after")}
    found = assortment.page_of(current_user, words=asked["q"], state=asked["show"], after=asked["after"])
    return page("listings/index.html", "found", found=found, states=STATES, **asked)


@bp.get("/new")
def new() -> Answer:
    """What has to be known to begin: a title, and what kind of thing it is."""
    return _new()


def _new(status: int = 200, form: WhatForm | None = None, error: str = "") -> Answer:
    form = form or WhatForm(formdata=None)
    form.category.choices = _categories(has_none=True)
    return page("listings/new.html", "form", status=status, form=form, error=error)


@bp.post("")
def create() -> Answer:
    """Begin a draft."""
    form, seller = WhatForm(), sellers.of(current_user)
    form.category.choices = _categories()
    if seller is None:
        abort(404)
    if not form.validate():
        return _new(422, form)
    limits.spend(BEGUN, "products begun", str(current_user.id))
    try:
        product = listings.draft(seller, by=current_user, **form.facts())
    except Refused as no:
        let_go()
        return _new(no.status, form, no.words)
    db.session.commit()
    return leave(url_for(".show", code=product.code))


@bp.get("/<code>")
def show(code: str) -> Answer:
    """One product, with all its sections."""
    return shown(mine(code))


def mine(code: str) -> Product:
    """The product of who is signed in; 404 for another's."""
    return listings.find(current_user, code)


def shown(product: Product, section: str = "what", status: int = 200, words: str = "", **more: Any) -> Answer:
    """The page as it stands; for htmx one section of it, the state, and what changes along with it."""
    at = section if wants_fragment() or more.get("errors") else ""
    parts = dict.fromkeys(("state", *ALONG.get(section, ()))) if status == 200 else {}
    also = [f"listings/{part}.html" for part in parts if part != section]
    if words and wants_fragment():
        also.append("parts/message.html")
    return page(
        "listings/show.html", section, also=also, status=status, words=words, **{**_facts(product), "at": at, **more}
    )


def _facts(product: Product) -> dict[str, Any]:
    """What the page shows."""
    grid, history = Grid.of(product), assortment.history_of(product)
    return {
        "product": product,
        "forms": {name: form_of(product, name) for name in FORMS},
        "grid": grid,
        "colors": grid.colors,
        "offered": listings.offered(product),
        "stretches": Stretches.of_product(product),
        "delivered": COUNTRIES,
        "lacks": lacking(product),
        "history": history,
        "line": _line(product, history),
        "errors": {},
    }


def form_of(product: Product, name: str, *, is_sent: bool = False) -> Form:
    """A section's form: as it was sent, or as it stands."""
    kind = facts_form(product) if name == "facts" else FORMS[name]
    form = kind() if is_sent else kind(formdata=None, data=kind.told(product))
    if name == "what":
        form.category.choices = _categories()
    if name == "terms":
        rates = listing_facts.vat_rates(product.seller.country)
        form.vat_rate.choices = [SelectChoice(str(rate), f"{i18n.percent(rate)} %") for rate in rates]
    return form


def _categories(*, has_none: bool = False) -> list[SelectChoice]:
    none = [SelectChoice("", _("Choose one"))] if has_none else []
    return [*none, *(SelectChoice(row.slug, i18n.said(row.name)) for row in listings.categories_known())]


def _line(product: Product, history: list[assortment.Change]) -> list[tuple[float, float]]:
    """The price of its first size or colour as steps of a line, 350 wide and 100 high, until now."""
    first = next(iter(listings.offered(product)), None)
    steps = [change for change in reversed(history) if first is not None and change.variant == first.id]
    if not steps:
        return []
    began, most = steps[0].at, max(change.price.minor for change in steps)
    whole = max((clock.now() - began).total_seconds(), 1)
    points: list[tuple[float, float]] = []
    for change in steps:
        part, height = (change.at - began).total_seconds() / whole, change.price.minor / most
        x, y = round(350 * part, 1), round(100 - 86 * height, 1)
        points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
    return [*points, (350.0, points[-1][1])]


def saved(product: Product, section: str, words: str = "") -> Answer:
    """Keep what was done, and show it where it was done."""
    db.session.commit()
    if not wants_fragment():
        return leave(url_for("listings.show", code=product.code, _anchor=f"s-{section}"))
    return shown(product, section, words=words or _("Saved."))


def refused_in(section: str, code: str, no: Refused, **more: Any) -> Answer:
    """What a rule said, beside what it was said of; what was typed stays."""
    let_go()
    return shown(mine(code), section, no.status, errors={section: no.words}, **more)


@bp.post("/<code>/<section>")
def change(code: str, section: str) -> Answer:
    """Save one section."""
    if section not in FORMS:
        abort(404)
    product = mine(code)
    form = form_of(product, section, is_sent=True)
    if not form.validate():
        return shown(product, section, 422, forms=_with(product, section, form), at="")
    try:
        listings.change(product, form.facts(), by=current_user)
    except Refused as no:
        let_go()
        return refused_in(section, code, no, forms=_with(mine(code), section, form))
    return saved(product, section)


def _with(product: Product, section: str, form: Form) -> dict[str, Form]:
    return {**{name: form_of(product, name) for name in FORMS}, section: form}


@bp.post("/<code>/publication")
def publish(code: str) -> Answer:
    """Put it up for sale."""
    return _moved(code, listings.publish, _("It is for sale."))


@bp.post("/<code>/pause")
def pause(code: str) -> Answer:
    """Take it off every page for a while."""
    return _moved(code, listings.pause, _("It is paused: nobody can buy it now."))


@bp.post("/<code>/resumption")
def resume(code: str) -> Answer:
    """Put it up for sale again."""
    return _moved(code, listings.resume, _("It is for sale."))


def _moved(code: str, move: Any, words: str) -> Answer:
    product = mine(code)
    try:
        move(product, by=current_user)
    except Refused as no:
        return refused_in("state", code, no)
    in_review = _("A moderator looks at it first. You hear from us.")
    return saved(product, "state", in_review if product.status == ProductStatus.REVIEW else words)


@bp.post("/<code>/copy")
def duplicate(code: str) -> Answer:
    """Begin a draft that is the same, without stock."""
    limits.spend(BEGUN, "products begun", str(current_user.id))
    copy = listings.duplicate(mine(code), by=current_user)
    db.session.commit()
    return leave(url_for(".show", code=copy.code))


@bp.get("/<code>/preview")
def preview(code: str) -> Answer:
    """As a shopper sees it, for its owner and for moderators: nobody else is told that it is there."""
    is_staff = bool(current_user.roles & {Role.MODERATOR, Role.ADMIN})
    if not is_staff and not listings.is_of(current_user, code):
        raise NotFound(_("We cannot find this product."))
    found = products.find(code, is_preview=True)
    if not found.variants:
        raise Refused(_("There is nothing to see yet: give it a price first."))
    return page("listings/preview.html", "product", page=found.read(), is_sheet=False, clip="", is_preview=True)
