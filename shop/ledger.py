"""Ledger: the double-entry books, in minor units. Nothing in them is ever changed; what was wrong is written back.

One sign for everybody: a positive amount is what somebody has coming from the shop or has earned, a negative one what
they gave or have had. The gateway's account is the other side: the money that lies there is negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select

from shop import clock
from shop.database import connection, insert, rows
from shop.models import Account, LedgerEntry, Order

PAGE = 50

entries, orders = LedgerEntry.__table__, Order.__table__
_THEIRS = (entries.c.account == bindparam("account"), entries.c.holder_id == bindparam("holder"))
_SAID = ("journal", "account", "holder_id", "purpose", "amount_minor", "amount_currency")
_THERE = select(*entries.c[*_SAID]).where(entries.c.journal.in_(bindparam("names", expanding=True)))
_minor = func.coalesce(func.sum(entries.c.amount_minor), 0)
_BALANCE = select(_minor).where(*_THEIRS)
_BALANCE_OF_ORDER = _BALANCE.where(entries.c.order_id == bindparam("order"))
_OF_ORDER = (
    select(entries.c.account, entries.c.purpose, _minor.label("minor"))
    .where(entries.c.order_id == bindparam("order"))
    .group_by(entries.c.account, entries.c.purpose)
)
_running = (
    select(
        *entries.c["id", "posted_at", "journal", "purpose", "amount_minor", "amount_currency"],
        orders.c.code.label("order"),
        func.sum(entries.c.amount_minor)
        .over(partition_by=entries.c.amount_currency, order_by=entries.c.id)
        .label("balance_minor"),
    )
    .outerjoin(orders, orders.c.id == entries.c.order_id)
    .where(*_THEIRS)
    .subquery("running")
)
_STATEMENT = select(_running).order_by(_running.c.id.desc())
_LEAF = _STATEMENT.where(_running.c.id < bindparam("before")).limit(PAGE + 1)
_ODD = (
    select(entries.c.journal, entries.c.amount_currency, _minor.label("minor"))
    .group_by(entries.c.journal, entries.c.amount_currency)
    .having(_minor != 0)
)


class UnbalancedError(Exception):
    """Money would appear from nowhere, or vanish: nothing was written."""


class Entry(NamedTuple):
    """One line of a journal: so much for this account, and what for."""

    account: Account
    minor: int
    purpose: str
    holder: int = 0  # the purchase, seller or profile; 0 where there is only one
    order: int | None = None


class Journal(NamedTuple):
    """What happened once, and what it means for everybody; the lines sum to zero."""

    name: str
    currency: str
    lines: Sequence[Entry]


def post(*journals: Journal) -> frozenset[str]:
    """Write journals in the books, each once however often it is posted; gives the names of the new ones.

    The only door to the books. A journal that does not sum to zero raises `UnbalancedError`, and so does one that
    differs in its lines from what stands there under its name.
    """
    written = [row for journal in journals for row in _rows(journal)]
    if not written:
        return frozenset()
    statement = insert(entries).values(written).on_conflict_do_nothing().returning(entries.c.journal)
    new = Counter(row.journal for row in connection().execute(statement))
    asked = Counter(row["journal"] for row in written)
    torn = {name for name, count in new.items() if count != asked[name]}
    torn |= _differing([row for row in written if row["journal"] not in new])
    if torn:
        raise UnbalancedError(f"posted before with other lines: {', '.join(sorted(torn))}")
    return frozenset(new)


def _differing(again: Sequence[dict[str, Any]]) -> set[str]:
    """Those of the journals, all posted before, that stand in the books in another way."""
    asked = {tuple(row[name] for name in _SAID) for row in again}
    names = sorted({row["journal"] for row in again})
    there = {tuple(row) for row in rows(_THERE, names=names)} if names else set()
    return {str(row[0]) for row in asked ^ there}


def _rows(journal: Journal) -> list[dict[str, Any]]:
    if sum(line.minor for line in journal.lines) != 0:
        raise UnbalancedError(f"{journal.name} sums to {sum(line.minor for line in journal.lines)}")
    return [
        {
            "journal": journal.name,
            "account": line.account,
            "holder_id": line.holder,
            "purpose": line.purpose,
            "order_id": line.order,
            "amount_minor": line.minor,
            "amount_currency": journal.currency,
            "posted_at": clock.now(),
        }
        for line in journal.lines
        if line.minor
    ]


def balance(account: Account | str, holder: int = 0, order: int | None = None) -> int:
    """What somebody has coming, in minor units; of one order only, where one is named."""
    statement, which = (_BALANCE, {}) if order is None else (_BALANCE_OF_ORDER, {"order": order})
    return int(connection().execute(statement, {"account": account, "holder": holder, **which}).scalar_one())


def of_order(order: int) -> dict[tuple[str, str], int]:
    """What an order meant for each account and purpose, in minor units."""
    return {(row.account, row.purpose): int(row.minor) for row in rows(_OF_ORDER, order=order)}


def statement(account: Account, holder: int, before: int | None = None) -> tuple[Sequence[Row[Any]], int | None]:
    """Somebody's entries, newest first, each with the balance after it; and where the next leaf begins, if any."""
    found = rows(_LEAF, account=account, holder=holder, before=before if before is not None else 2**62)
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def whole(account: Account, holder: int) -> Iterable[Row[Any]]:
    """All of somebody's entries, newest first, each with the balance after it."""
    return rows(_STATEMENT, account=account, holder=holder)


def odd() -> Sequence[Row[Any]]:
    """Journals that do not sum to zero: there are none, and whoever finds one must find out why."""
    return rows(_ODD)
