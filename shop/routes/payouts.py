"""Earnings: what a seller and a creator have coming, line by line, and where it is sent to."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from flask_login import current_user
from sqlalchemy import Row

from shop import ledger, limits, payouts
from shop.access import is_fresh
from shop.database import db, let_go
from shop.delivery import AMSTERDAM
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import GatewayError, RejectedError
from shop.hypermedia import Answer, leave, page
from shop.i18n import _, _l, pgettext
from shop.models import Account, Role
from shop.money import Money
from shop.payouts import Payee
from shop.spreadsheets import tame

bp = Blueprint("payouts", __name__)

WHAT = {
    "sale": _l("Sold"),
    "refund": _l("Given back to the buyer"),
    "dispute_lost": _l("Taken back by the buyer's bank"),
    "transfer": _l("Paid out"),
    "untransfer": _l("Payout that did not go through"),
    "reversal": _l("Taken back from an earlier payout"),
    "netted": _l("Kept for an order that was given back"),
    "netted_off": _l("Made up for by a later order"),
}
ASKED = "30 per hour"  # questions to the gateway, by one person
CURRENCY = "EUR"  # of a shop that has sold nothing yet


class Desk(NamedTuple):
    """A page of earnings, and whose."""

    account: Account
    holder: int
    address: str


def _seller(payee: Payee) -> Desk:
    if payee.seller is None or not payee.has_sold:
        raise NotFound(_("There is nothing here to be paid for."))
    return Desk(Account.SELLER, payee.seller, "/seller/payouts")


def _creator(payee: Payee) -> Desk:
    return Desk(Account.CREATOR, payee.profile, "/studio/earnings")


@bp.get("/seller/payouts")
def seller() -> Answer:
    """How a seller stands with the shop, and every line of it."""
    payee = payouts.payee(current_user.id)
    return _page(payee, _seller(payee))


@bp.get("/studio/earnings")
def creator() -> Answer:
    """How a creator stands with the shop, and every line of it."""
    payee = payouts.payee(current_user.id)
    return _page(payee, _creator(payee))


def _page(payee: Payee, desk: Desk) -> Answer:
    before = request.args.get("before", -1, type=int)
    lines, more = ledger.statement(desk.account, desk.holder, before if 0 <= before < 2**62 else None)
    currency = lines[0].amount_currency if lines else CURRENCY
    standing = payouts.standing(desk.account, desk.holder)
    return page(
        "payouts/show.html",
        "earnings",
        payee=payee,
        desk=desk,
        lines=[(row, Money(row.amount_minor, currency), Money(int(row.balance_minor), currency)) for row in lines],
        more=more,
        what=WHAT,
        sums={name: Money(minor, currency) for name, minor in standing._asdict().items()},
        is_back="back" in request.args,
        is_stale=not is_fresh(current_user.vouched_at),
    )


@bp.get("/seller/payouts.csv")
def seller_csv() -> Answer:
    """All of a seller's lines, for a spreadsheet."""
    return _csv(_seller(payouts.payee(current_user.id)))


@bp.get("/studio/earnings.csv")
def creator_csv() -> Answer:
    """All of a creator's lines, for a spreadsheet."""
    return _csv(_creator(payouts.payee(current_user.id)))


def _csv(desk: Desk) -> Response:
    limits.spend(limits.EXPORTS, "exports", str(current_user.id))
    answer = Response(written(ledger.whole(desk.account, desk.holder)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="etalage-{desk.account}.csv"'
    return answer


def written(lines: Iterable[Row[Any]]) -> str:
    """Lines of the books as CSV (RFC 4180); amounts are numbers with a point, and no text in it can act as a formula.

    It begins with the mark by which a spreadsheet knows that these are letters of all languages. A moment is that of
    the shop's own clock, to the second.
    """
    out = StringIO()
    sheet = csv.writer(out)
    sheet.writerow([_("Date"), _("What"), pgettext("bought", "Order"), _("Amount"), _("Balance"), _("Currency")])
    for row in lines:
        moment = f"{row.posted_at.astimezone(AMSTERDAM):%Y-%m-%d %H:%M:%S}"
        texts = (moment, str(WHAT.get(row.purpose, row.purpose)), (row.order or "")[:8])
        amounts = (f"{row.amount_minor / 100:.2f}", f"{int(row.balance_minor) / 100:.2f}")
        sheet.writerow([*map(tame, texts), *amounts, tame(row.amount_currency)])
    return "\ufeff" + out.getvalue()


# The account with the gateway


@bp.post("/payouts/account")
def open_account() -> Answer:
    """Ask for an account with the gateway, shortly after a proof of who asks; the page then shows the way there."""
    _spend()
    account = payouts.open_account(current_user.id)
    db.session.commit()
    try:
        payouts.introduce(account)
        db.session.commit()
    except RejectedError as error:
        db.session.commit()
        told = _("The payment company turned this down (%(code)s).", code=error.code)
        raise Refused(f"{told} {_('Please look at your address, and try again.')}", 422) from None
    except GatewayError:
        raise Refused(_("The payment company does not answer. Please try again in a moment."), 503) from None
    return leave(_home())


@bp.post("/payouts/onboarding")
def onboarding() -> Answer:
    """To the gateway's own page, on which one tells what it still wants to know, such as where money goes."""
    payee = payouts.payee(current_user.id)
    if payee.account is None or payee.gateway_id is None:
        return leave(_home())
    _spend()
    try:
        url = payouts.onboarding_link(payee.account, again=_home(), back=f"{_home()}?back=1")
    except GatewayError:
        raise Refused(_("The payment company does not answer. Please try again in a moment."), 503) from None
    return leave(url)


@bp.post("/payouts/look")
def look() -> Answer:
    """Ask the gateway how the account stands now."""
    payee = payouts.payee(current_user.id)
    if payee.gateway_id:
        _spend()
        try:
            payouts.look_at_account(payee.gateway_id)
            db.session.commit()
        except GatewayError:
            let_go()  # it does not answer; the clock asks again
    return leave(_home())


def _spend() -> None:
    limits.spend(ASKED, "payout account", str(current_user.id))


def _home() -> str:
    if request.form.get("from") == "sell":
        return "/sell/bank"  # who applies does it on the way
    return "/seller/payouts" if Role.SELLER in current_user.roles else "/studio/earnings"
