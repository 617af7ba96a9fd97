"""The tax year: what each seller was credited with, sold and was charged, quarter by quarter, out of the books (DAC7).

A quarter begins and ends at midnight in Amsterdam. What is credited is a seller's share of what was sold in it, less
what went back in it; fees are what was kept of the same sales: the commission, the VAT on it, and a creator's share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, case, func, select

from shop import audit, clock, payees, tax_facts
from shop.database import rows
from shop.delivery import AMSTERDAM, begin_of
from shop.errors import Refused
from shop.i18n import _
from shop.models import Account, BankAccount, BankState, LedgerEntry, Moment, Order, Seller
from shop.tax_facts import TaxFacts

FIRST = 2026  # before that there was no shop
FEW, LITTLE, IN = 30, 200_000, "EUR"  # fewer sales and at most so many cents in a year: the tax office is not told
QUARTERS = 4
_SHARED = ("sale", "refund", "dispute_lost")
_SENT = ("transfer", "untransfer", "reversal")
_FEES = (Account.PLATFORM, Account.TAX, Account.CREATOR)

entries, orders, sellers, banks = LedgerEntry.__table__, Order.__table__, Seller.__table__, BankAccount.__table__
_quarter = case(*[(entries.c.posted_at < bindparam(f"end{n}", type_=Moment()), n) for n in range(QUARTERS)])


def _minor(*of: Any) -> Any:
    return func.coalesce(func.sum(case((and_(*of), entries.c.amount_minor), else_=0)), 0)


_is_theirs = entries.c.account == Account.SELLER
_FIGURES = (
    select(
        orders.c.seller_id,
        entries.c.amount_currency.label("currency"),
        _quarter.label("quarter"),
        _minor(_is_theirs, entries.c.purpose.in_(_SHARED)).label("credited"),
        _minor(_is_theirs, entries.c.purpose.in_(_SENT)).label("sent"),
        _minor(entries.c.account.in_(_FEES), entries.c.purpose.in_(_SHARED)).label("fees"),
        func.count(case((and_(_is_theirs, entries.c.purpose == "sale"), 1))).label("sales"),
    )
    .join(orders, orders.c.id == entries.c.order_id)
    .where(
        entries.c.posted_at >= bindparam("begin", type_=Moment()),
        entries.c.posted_at < bindparam(f"end{QUARTERS - 1}", type_=Moment()),
    )
    .group_by(orders.c.seller_id, entries.c.amount_currency, "quarter")
)
_OF_ONE = _FIGURES.where(orders.c.seller_id == bindparam("seller"))
_TOLD = (
    select(sellers, banks.c.id.label("account"), banks.c.holder)
    .outerjoin(banks, and_(banks.c.seller_id == sellers.c.id, banks.c.state == BankState.CURRENT))
    .where(sellers.c.id.in_(bindparam("sellers", expanding=True)))
    .order_by(sellers.c.id)
)
# Who left is forgotten after six months, perhaps before the file is made; as whom they sold stays with the order.
_SOLD_AS = select(orders.c.seller_id, orders.c.seller_snapshot).where(
    orders.c.id.in_(
        select(func.max(orders.c.id))
        .where(orders.c.seller_id.in_(bindparam("sellers", expanding=True)))
        .group_by(orders.c.seller_id)
    )
)


class Quarter(NamedTuple):
    """A quarter of one seller, in minor units."""

    credited: int = 0
    sales: int = 0
    fees: int = 0
    paid_out: int = 0


class Year(NamedTuple):
    """A year of one seller, in one currency."""

    seller: int
    year: int
    currency: str
    quarters: tuple[Quarter, ...]

    @property
    def total(self) -> Quarter:
        """The four of them together."""
        return Quarter(*map(sum, zip(*self.quarters, strict=True)))

    @property
    def is_told(self) -> bool:
        """Is the tax office told of it? Not of who sold less than thirty times, and for EUR 2,000 at the most."""
        whole = self.total
        is_small = whole.sales < FEW and max(whole.credited, whole.paid_out) <= LITTLE and self.currency == IN
        return any(whole) and not is_small


class Told(NamedTuple):
    """What the tax office is told of one seller: who they are, where they were paid, and the year."""

    seller: Row[Any]
    sold_as: dict[str, Any]  # who they were in their last order, for who is forgotten by now
    tax: TaxFacts | None
    iban: str
    year: Year


def present() -> int:
    """The year that it is in Amsterdam."""
    return clock.now().astimezone(AMSTERDAM).year


def told_by(year: int) -> date:
    """The day by which the tax office and the seller are told about a year."""
    return date(year + 1, 1, 31)


def asked_by() -> date:
    """Until when the tax details of who sells have to be here: those of a year before it ends."""
    return date(present(), 12, 31)


def of(seller: int, year: int) -> list[Year]:
    """A seller's year; empty where nothing was sold, given back or paid out in it."""
    return _years(year, rows(_OF_ONE, seller=seller, **_bounds(year)))


def all_of(year: int, ask: Callable[..., Sequence[Row[Any]]] = rows) -> list[Year]:
    """The year of everybody for whom something moved, told or not; by seller."""
    return _years(year, ask(_FIGURES, **_bounds(year)))


def _bounds(year: int) -> dict[str, datetime]:
    if not FIRST <= year <= present():
        raise Refused(_("There are no figures of that year."), 404)
    days = [date(year, 1 + 3 * n, 1) for n in range(QUARTERS)] + [date(year + 1, 1, 1)]
    begins = [begin_of(day) for day in days]
    return {"begin": begins[0], **{f"end{n}": end for n, end in enumerate(begins[1:])}}


def _years(year: int, found: Sequence[Row[Any]]) -> list[Year]:
    held: dict[tuple[int, str], list[Quarter]] = {}
    for row in sorted(found, key=lambda row: (row.seller_id, row.currency)):
        quarters = held.setdefault((row.seller_id, row.currency), [Quarter()] * QUARTERS)
        quarters[row.quarter] = Quarter(int(row.credited), row.sales, int(row.fees), -int(row.sent))
    return [Year(seller, year, currency, tuple(each)) for (seller, currency), each in held.items()]


def report(year: int) -> tuple[list[Told], int]:
    """What the tax office is told about a year, and of how many it is not; that it was made stands in the audit.

    It opens the seals of those, and of nobody else.
    """
    years = all_of(year)
    told = [each for each in years if each.is_told]
    who = {row.id: row for row in rows(_TOLD, sellers=[each.seller for each in told])} if told else {}
    gone = [row.id for row in who.values() if not row.legal_name]
    sold_as = {row.seller_id: row.seller_snapshot for row in rows(_SOLD_AS, sellers=gone)} if gone else {}
    found = [_told(who[each.seller], sold_as.get(each.seller, {}), each) for each in told]
    left_out = len(years) - len(told)
    audit.note("tax report made", f"year:{year}", by=None, after={"sellers": len(told), "left out": left_out})
    return found, left_out


def _told(seller: Row[Any], sold_as: dict[str, Any], year: Year) -> Told:
    iban = payees.opened(seller.account) if seller.account else ""
    return Told(seller, sold_as, tax_facts.opened(seller.id), iban, year)
