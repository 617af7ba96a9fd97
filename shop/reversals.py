"""Reversals: shares that were sent come back when money went back to a buyer, or are owed.

What a seller does not have any more is kept from their later transfers. Every call has a key that was written down
before; after a refusal a new one, because the amount may be less by then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, func, select, update

from shop import clock, gateways, jobs, ledger
from shop.alerts import alert
from shop.database import connection, db, first, let_go, rows
from shop.gateways.payment_port import KEYS_LAST, RejectedError
from shop.ledger import Entry, Journal
from shop.models import Account, Order, Payment, Reversal, ReversalState, Transfer, TransferState
from shop.money import Money
from shop.paying import lock

AGAIN = timedelta(days=1)  # after a refusal

log = structlog.get_logger()

transfers, reversals = Transfer.__table__, Reversal.__table__
orders, payments = Order.__table__, Payment.__table__

_open = reversals.c.amount_minor - reversals.c.netted_minor
_UNFINISHED = (ReversalState.WANTED, ReversalState.OWED)
_SENT = (
    select(
        transfers,
        func.coalesce(
            select(func.sum(_open))
            .where(reversals.c.transfer_id == transfers.c.id, reversals.c.state.in_(_UNFINISHED))
            .scalar_subquery(),
            0,
        ).label("asked_back"),
        func.coalesce(
            select(func.sum(_open))
            .where(
                reversals.c.transfer_id == transfers.c.id,
                reversals.c.is_callable,
                reversals.c.state != ReversalState.DROPPED,
            )
            .scalar_subquery(),
            0,
        ).label("called_back"),
    )
    .where(transfers.c.order_id == bindparam("order"), transfers.c.state != TransferState.WAITING)
    .order_by(transfers.c.id)
)
_OWED = (
    select(reversals, transfers.c.order_id)
    .join(transfers, transfers.c.id == reversals.c.transfer_id)
    .where(
        transfers.c.account == bindparam("account"),
        transfers.c.holder_id == bindparam("holder"),
        reversals.c.state == ReversalState.OWED,
        reversals.c.amount_currency == bindparam("currency"),
    )
    .order_by(reversals.c.id)
)
_REVERSAL = (
    select(
        reversals,
        *transfers.c["account", "holder_id", "order_id", "gateway_id"],
        transfers.c.state.label("sent"),
        payments.c.id.label("payment_id"),
    )
    .join(transfers, transfers.c.id == reversals.c.transfer_id)
    .join(orders, orders.c.id == transfers.c.order_id)
    .join(payments, payments.c.purchase_id == orders.c.purchase_id)
    .where(reversals.c.id == bindparam("reversal"))
)
_BEGIN = (
    update(reversals)
    .where(reversals.c.transfer_id == bindparam("transfer"), reversals.c.state == ReversalState.WANTED)
    .values(due_at=bindparam("now"))
    .returning(reversals.c.id)
)
_CAME_BACK = select(func.coalesce(func.sum(_open), 0)).where(
    reversals.c.transfer_id == bindparam("transfer"), reversals.c.is_callable, reversals.c.state == ReversalState.DONE
)
_TO_CALL = select(*reversals.c["id", "state", "due_at"]).where(
    reversals.c.is_callable,
    reversals.c.state.in_(_UNFINISHED),
    reversals.c.due_at <= bindparam("now", type_=reversals.c.due_at.type),
)


def take_back(order: int, cause: str) -> None:
    """Ask back what was sent of an order's shares and is no longer theirs, by the books; the purchase is locked.

    `cause` begins the key: "ret:<refund>" or "dis:<dispute>". What is more than was sent can only be netted.
    """
    for row in rows(_SENT, order=order):
        short = -ledger.balance(row.account, row.holder_id, order) - int(row.asked_back)
        callable_ = max(0, min(short, row.amount_minor - int(row.called_back)))
        key = f"{cause}:reversal:{order}" + (f":{row.holder_id}" if row.account == Account.CREATOR else "")
        if callable_ > 0:
            reversal = _owe(row, cause, callable_, key, ReversalState.WANTED)
            jobs.later(reverse, reversal=reversal)
        if short > callable_:
            _owe(row, cause, short - callable_, f"{key}:rest", ReversalState.OWED)


def _owe(row: Row[Any], cause: str, minor: int, key: str, state: ReversalState) -> int:
    owed = Reversal(
        transfer_id=row.id,
        cause=cause,
        is_callable=state == ReversalState.WANTED,
        state=state,
        amount=Money(minor, row.amount_currency),
        netted_minor=0,
        tries=1,
        key=key,
        due_at=clock.now(),
    )
    db.session.add(owed)
    db.session.flush()
    return owed.id


@jobs.handler
def reverse(reversal: int) -> None:
    """Take back one part of a transfer, once, with its key; what the seller does not have, they owe."""
    row = first(_REVERSAL, reversal=reversal)
    if row is None or row.state != ReversalState.WANTED:
        return
    if clock.now() - row.due_at > KEYS_LAST:
        return  # only a person can find out what became of it
    if row.sent == TransferState.SENDING:
        return  # it has not been answered yet; the clock comes back to it
    amount = Money(row.amount_minor - row.netted_minor, row.amount_currency)
    let_go()
    try:
        gateways.payment().reverse_transfer(row.gateway_id, amount, key=row.key)
    except RejectedError as error:
        log.warning("a transfer cannot be taken back: it is owed", reversal=reversal, code=error.code)
        refused(reversal)
        return
    taken(reversal)


def taken(reversal: int) -> None:
    """It came back: once, and in the books."""
    row = connection().execute(_REVERSAL, {"reversal": reversal}).one()
    lock(row.payment_id)
    if _settle(reversal, ReversalState.DONE):
        post(row, f"reversal:{reversal}", "reversal", row.amount_minor - row.netted_minor)


def refused(reversal: int) -> None:
    """It did not come back: it is owed, and asked for again tomorrow, with another key."""
    _settle(reversal, ReversalState.OWED, due_at=clock.now() + AGAIN)


def looked_up(reversal: int) -> Row[Any] | None:
    """What has to come back, with the transfer that it comes out of."""
    return first(_REVERSAL, reversal=reversal)


def came_back(transfer: int) -> int:
    """How much of a transfer has come back, in minor units, as far as we know."""
    return int(connection().execute(_CAME_BACK, {"transfer": transfer}).scalar_one())


def begin(transfer: int) -> None:
    """A transfer was answered: what waited for that is asked for now. Nobody asked before, however old it is."""
    for row in rows(_BEGIN, transfer=transfer, now=clock.now()):
        jobs.later(reverse, reversal=row.id)


def _settle(reversal: int, state: ReversalState, due_at: datetime | None = None) -> bool:
    moved = update(reversals).where(reversals.c.id == reversal, reversals.c.state == ReversalState.WANTED)
    values = {"state": state} | ({"due_at": due_at} if due_at else {})
    return connection().execute(moved.values(**values)).rowcount == 1


@jobs.regularly(timedelta(minutes=5))
def call_due() -> None:
    """Ask again for what was not answered, and anew for what is owed."""
    now = clock.now()
    for row in rows(_TO_CALL, now=now):
        if row.state == ReversalState.WANTED and now - row.due_at > KEYS_LAST:
            alert("never_answered", reversal=row.id)
        elif row.state == ReversalState.WANTED or _call_again(row.id):
            jobs.later(reverse, reversal=row.id)


def _call_again(reversal: int) -> bool:
    """Ask anew for what is owed: another amount perhaps, so with another key."""
    row = connection().execute(_REVERSAL, {"reversal": reversal}).one()
    base = row.key.partition(":n")[0]
    again = {"state": ReversalState.WANTED, "tries": row.tries + 1, "key": f"{base}:n{row.tries + 1}"}
    again["due_at"] = clock.now()
    same = (reversals.c.id == reversal, reversals.c.state == row.state, reversals.c.netted_minor == row.netted_minor)
    return connection().execute(update(reversals).where(*same).values(**again)).rowcount == 1


# What is owed


def keep_back(row: Row[Any], coming: int) -> int:
    """Keep back what its owner owes from earlier orders, as far as this share goes; gives how much that was."""
    kept = 0
    for debt in rows(_OWED, account=row.account, holder=row.holder_id, currency=row.amount_currency):
        part = min(debt.amount_minor - debt.netted_minor, coming - kept)
        if part > 0 and _net(debt, part):
            _post_netting(row, debt, part)
            kept += part
    return kept


def _net(debt: Row[Any], part: int) -> bool:
    """Write off part of a debt, unless somebody else has just done so."""
    netted = debt.netted_minor + part
    state = ReversalState.DONE if netted == debt.amount_minor else ReversalState.OWED
    same = (reversals.c.id == debt.id, reversals.c.state == debt.state, reversals.c.netted_minor == debt.netted_minor)
    moved = update(reversals).where(*same).values(netted_minor=netted, state=state)
    return connection().execute(moved).rowcount == 1


def _post_netting(row: Row[Any], debt: Row[Any], part: int) -> None:
    account, holder = Account(row.account), row.holder_id
    moved = [
        Entry(account, -part, "netted", holder, row.order_id),
        Entry(account, part, "netted_off", holder, debt.order_id),
    ]
    ledger.post(Journal(f"netted:{debt.id}:{debt.netted_minor}", row.amount_currency, moved))


def drop(transfer: int) -> None:
    """A transfer did not happen after all: nothing has to come back of it. What could only be netted stays owed."""
    of_it = (reversals.c.transfer_id == transfer, reversals.c.is_callable, reversals.c.state.in_(_UNFINISHED))
    connection().execute(update(reversals).where(*of_it).values(state=ReversalState.DROPPED))


def post(row: Row[Any], name: str, purpose: str, minor: int) -> None:
    """Write down that money went to (negative) or came back from the owner of a share; once for each name."""
    theirs = Entry(Account(row.account), minor, purpose, row.holder_id, row.order_id)
    ledger.post(
        Journal(name, row.amount_currency, [theirs, Entry(Account.GATEWAY, -minor, purpose, order=row.order_id)])
    )
