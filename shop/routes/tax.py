"""A seller's tax page: what the tax office is told of a year, and the details that it asks for."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_login import current_user

from shop import i18n, limits, packing, plots, sellers, tax_asked, tax_facts, tax_reminders, tax_year
from shop.database import db
from shop.errors import NotFound
from shop.hypermedia import Answer, leave, page
from shop.i18n import _
from shop.models import Seller
from shop.money import Money
from shop.routes.sell_trade_forms import TaxForm
from shop.tax_year import Year

bp = Blueprint("tax", __name__, url_prefix="/seller")

TELLS = "20 per hour"  # by one person


@bp.get("/tax")
def show() -> Answer:
    """A year by quarters, whether the tax office is told of it, and what we have of the details."""
    seller = _mine()
    return _shown(seller, TaxForm(None, seller=seller, data=TaxForm.known(seller)))


def _mine() -> Seller:
    packing.shop_of(current_user.id)  # who sells, or whose sales were stopped
    seller = sellers.of(current_user)
    if seller is None:
        raise NotFound(_("There is nothing here: you do not sell at Etalage."))
    return seller


def _year() -> int:
    return request.args.get("year", tax_year.present(), type=int)


def _shown(seller: Seller, form: TaxForm, status: int = 200) -> Answer:
    year = _year()
    found = tax_year.of(seller.id, year)
    facts: dict[str, Any] = {"year": year, "told_by": tax_year.told_by(year), "asked_by": tax_year.asked_by()}
    facts |= {"years": range(tax_year.present(), tax_year.FIRST - 1, -1), "tax": tax_facts.of(seller.id)}
    asked = tax_asked.of(seller.id)
    facts |= {"asked": asked, "stopped": seller.tax_stopped_at, "stops": asked and tax_reminders.stops_at(asked)}
    facts["drawn"] = [(each, _plot(each)) for each in found]
    return page("seller/tax.html", "tax", status=status, form=form, money=Money, **facts)


def _plot(year: Year) -> plots.Plot:
    def say(minor: int) -> str:
        return i18n.price(Money(minor, year.currency))

    names = [_("Quarter %(n)s", n=n) for n in range(1, 5)]
    minors = [max(0, each.credited) for each in year.quarters]
    return plots.bars(
        [plots.Point(name, name, minor, say(minor)) for name, minor in zip(names, minors, strict=True)], say
    )


@bp.post("/tax")
def tell() -> Answer:
    """Keep the details; they take the place of those before."""
    seller = _mine()
    form = TaxForm(seller=seller)
    if not form.validate():
        return _shown(seller, form, 422)
    limits.spend(TELLS, "tax details", str(current_user.id))
    tax_facts.give(seller, **form.facts(), by=current_user)
    db.session.commit()
    return leave(url_for(".show"))


@bp.get("/tax.csv")
def table() -> Answer:
    """The quarters of a year, for a spreadsheet or who keeps one's books."""
    limits.spend(limits.EXPORTS, "exports", str(current_user.id))
    out, year = StringIO(), _year()
    sheet = csv.writer(out)
    sheet.writerow([_("Year"), _("Quarter"), _("Credited"), _("Sales"), _("Fees"), _("Paid out"), _("Currency")])
    for each in tax_year.of(_mine().id, year):
        for n, one in enumerate(each.quarters, 1):
            sums = [f"{one.credited / 100:.2f}", one.sales, f"{one.fees / 100:.2f}", f"{one.paid_out / 100:.2f}"]
            sheet.writerow([each.year, n, *sums, each.currency])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="etalage-tax-{year}.csv"'
    return answer
