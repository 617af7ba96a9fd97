"""Transfers: shares leave for their owners when the time to return things is over.

Each call is written down with its amount and key before it is made, and stands in the books from then on: whoever
dies between the two asks again for the very same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, select, update

from shop import clock, gateways, inbox, jobs, ledger, reversals
from shop.alerts import alert
from shop.database import connection, db, first, rows, run
from shop.gateways.payment_port import KEYS_LAST, AccountState, RejectedError, TransferReport, TransferRequest
from shop.models import (
    Account,
    Order,
    Payment,
    PaymentAttempt,
    PayoutAccount,
    Profile,
    Transfer,
    TransferState,
)
from shop.money import Money
from shop.newcomers import is_too_early
from shop.paying import lock
from shop.payouts import is_disputed, is_frozen, is_gone, is_stopped

AT_ONCE = 200
AGAIN = timedelta(
    days=1
)  # after a refusal: the money of a fresh payment is not there yet, or the seller has too little
QUIET = timedelta(minutes=10)  # so long the job has; then the clock asks again

transfers, accounts = Transfer.__table__, PayoutAccount.__table__
orders, profiles = Order.__table__, Profile.__table__
payments, attempts = Payment.__table__, PaymentAttempt.__table__

_TRANSFER = (
    select(
        transfers,
        orders.c.code,
        orders.c.purchase_id,
        payments.c.id.label("payment_id"),
        attempts.c.gateway_id.label("paid_as"),
        attempts.c.request.label("paid_by"),
    )
    .join(orders, orders.c.id == transfers.c.order_id)
    .join(payments, payments.c.purchase_id == orders.c.purchase_id)
    .join(attempts, and_(attempts.c.payment_id == payments.c.id, attempts.c.state.in_(inbox.CAME_IN)))
    .where(transfers.c.id == bindparam("transfer"), ~attempts.c.is_surplus)
)
_DUE = (
    select(transfers.c.id, accounts.c.gateway_id.label("account_id"))
    .join(orders, orders.c.id == transfers.c.order_id)
    .join(accounts, accounts.c.profile_id == transfers.c.profile_id)
    .where(
        transfers.c.state == TransferState.WAITING,
        transfers.c.due_at <= bindparam("now", type_=transfers.c.due_at.type),
        accounts.c.gateway == bindparam("gateway"),
        accounts.c.state == AccountState.ACTIVE,
        ~is_stopped,
        ~is_gone,
        ~is_frozen,
        ~is_disputed,
        ~is_too_early,
    )
    .order_by(transfers.c.due_at, transfers.c.id)
    .limit(AT_ONCE)
)
_IS_DUE = _DUE.where(transfers.c.id == bindparam("transfer"))
_OF_ORDER = (
    select(
        *transfers.c["account", "state", "due_at", "amount_minor", "amount_currency", "last_error"],
        profiles.c.name,
        profiles.c.handle,
    )
    .join(profiles, profiles.c.id == transfers.c.profile_id)
    .where(transfers.c.order_id == bindparam("order"))
    .order_by(transfers.c.id)
)
_UNANSWERED = select(transfers.c.id, transfers.c.changed_at).where(
    transfers.c.state == TransferState.SENDING,
    transfers.c.changed_at < bindparam("before", type_=transfers.c.changed_at.type),
)


_LATER = (
    update(transfers)
    .where(
        transfers.c.order_id == bindparam("order"),
        transfers.c.state == TransferState.WAITING,
        transfers.c.due_at < bindparam("moment", type_=transfers.c.due_at.type),
    )
    .values(due_at=bindparam("moment", type_=transfers.c.due_at.type))
)


# Shares that leave


@jobs.regularly(timedelta(minutes=5))
def send_due() -> None:
    """Send what is due to whoever may be paid, and ask again for what was not answered."""
    now = clock.now()
    for row in rows(_DUE, now=now, gateway=gateways.payment().name):
        jobs.later(send, transfer=row.id)
    for row in rows(_UNANSWERED, before=now - QUIET):
        if now - row.changed_at > KEYS_LAST:
            alert("never_answered", transfer=row.id)
        else:
            jobs.later(send, transfer=row.id)


@jobs.handler
def send(transfer: int) -> None:
    """Send one share, once, with the key that was written down for it. It ends the present transaction."""
    request = _prepared(transfer)
    db.session.commit()
    if request is None:
        return
    try:
        report = gateways.payment().transfer(request)
    except RejectedError as error:
        alert("transfer_failed", transfer=transfer, code=error.code)
        turned_down(transfer, error.code)
    else:
        arrived(transfer, report)


def _prepared(transfer: int) -> TransferRequest | None:
    """The request for a share: as it was written down before, while its key lasts, else as it is due now; or None."""
    row = first(_TRANSFER, transfer=transfer)
    if row is None:
        return None
    lock(row.payment_id)
    row = connection().execute(_TRANSFER, {"transfer": transfer}).one()
    if row.state == TransferState.SENDING:
        return _written(row.request) if clock.now() - row.changed_at <= KEYS_LAST else None
    due = first(_IS_DUE, transfer=transfer, now=clock.now(), gateway=gateways.payment().name)
    return _freeze(row, due.account_id) if due else None


def _written(kept: dict[str, Any]) -> TransferRequest:
    return TransferRequest(**{**kept, "amount": Money(**kept["amount"])})


def _freeze(row: Row[Any], account: str) -> TransferRequest | None:
    """Fix the amount and the key. From here on the money counts as sent, whatever else happens."""
    coming = ledger.balance(row.account, row.holder_id, row.order_id)
    amount = coming - reversals.keep_back(row, coming)
    if amount <= 0:
        _move(row.id, TransferState.WAITING, state=TransferState.DONE)
        return None
    tries = row.tries + 1
    request = TransferRequest(
        key=_key(row, tries),
        payment=row.paid_as,
        account=account,
        amount=Money(amount, row.amount_currency),
        group=row.paid_by.get("group", ""),
        order=row.code,
    )
    written = {"request": asdict(request), "amount_minor": amount, "tries": tries}
    _move(row.id, TransferState.WAITING, state=TransferState.SENDING, **written)
    reversals.post(row, f"transfer:{row.id}:{tries}", "transfer", -amount)
    return request


def _key(row: Row[Any], tries: int) -> str:
    """One key for each order and receiver; another one after each refusal, because the amount may differ then."""
    whose = f":{row.holder_id}" if row.account == Account.CREATOR else ""
    again = f":n{tries}" if tries > 1 else ""
    return f"co:{row.purchase_id}:transfer:{row.order_id}{whose}{again}"


def arrived(transfer: int, report: TransferReport) -> None:
    """The gateway has it; what was to come back of it meanwhile can be asked back from now on."""
    if _move(transfer, TransferState.SENDING, state=TransferState.DONE, gateway_id=report.id, last_error=""):
        reversals.begin(transfer)


def looked_up(transfer: int) -> Row[Any] | None:
    """A share with its order and payment."""
    return first(_TRANSFER, transfer=transfer)


def turned_down(transfer: int, code: str) -> None:
    """The share is payable again, tomorrow; what was to come back of it need not."""
    row = connection().execute(_TRANSFER, {"transfer": transfer}).one()
    lock(row.payment_id)
    again = {"state": TransferState.WAITING, "due_at": clock.now() + AGAIN, "last_error": code[:80]}
    if _move(transfer, TransferState.SENDING, amount_minor=0, **again):
        reversals.post(row, f"untransfer:{transfer}:{row.tries}", "untransfer", row.amount_minor)
        reversals.drop(transfer)


def _move(transfer: int, was: TransferState, **values: Any) -> bool:
    moved = update(transfers).where(transfers.c.id == transfer, transfers.c.state == was)
    return connection().execute(moved.values(changed_at=clock.now(), **values)).rowcount == 1


def not_before(order: int, moment: datetime) -> None:
    """The shares of an order that wait leave no earlier than this: it arrived later than was promised."""
    run(_LATER, order=order, moment=moment)


def of_order(order: int) -> Sequence[Row[Any]]:
    """The shares of an order that are sent or wait to be: whose, how much, when, and what stands in the way."""
    return rows(_OF_ORDER, order=order)
