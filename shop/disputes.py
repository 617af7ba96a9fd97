"""Disputes: a buyer's bank takes the money of a payment back. While it decides, that money and only that is held.

The shop advances it from the first day. Lost, it comes out of everybody's shares as a refund does, and what nobody
has a share in any more is the shop's loss; won, it is back.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Row, bindparam, select, update

from shop import books, clock, gateways, history, inbox, ledger, reversals, shares
from shop.alerts import alert
from shop.database import connection, first, insert, rows
from shop.gateways.payment_port import DisputeReport, DisputeState
from shop.ledger import Entry, Journal
from shop.models import Account, Dispute, InboxState, Order, Payment, PaymentAttempt, Purchase
from shop.money import Money
from shop.paying import lock

log = structlog.get_logger()

disputes, attempts = Dispute.__table__, PaymentAttempt.__table__
payments, purchases, orders = Payment.__table__, Purchase.__table__, Order.__table__

_ATTEMPT = select(attempts).where(
    attempts.c.gateway == bindparam("gateway"), attempts.c.gateway_id == bindparam("payment")
)
_DISPUTE = select(disputes).where(disputes.c.gateway == bindparam("gateway"), disputes.c.gateway_id == bindparam("id"))
_ORDERS = (
    select(*orders.c["id", "seller_id"], orders.c.goods_currency.label("currency"))
    .join(payments, payments.c.purchase_id == orders.c.purchase_id)
    .where(payments.c.id == bindparam("payment"))
    .order_by(orders.c.id)
)
_STANDS = select(disputes.c.id).where(disputes.c.payment_id == bindparam("payment"), disputes.c.state != "won").limit(1)
_SOLD = (
    select(purchases.c.id)
    .join(payments, payments.c.purchase_id == purchases.c.id)
    .join(attempts, attempts.c.payment_id == payments.c.id)
    .where(attempts.c.id == bindparam("attempt"), ~attempts.c.is_surplus, purchases.c.settled_at.is_not(None))
)


def apply(report: DisputeReport) -> inbox.Verdict:
    """Believe what a gateway says of a dispute, as far as it is about a payment of ours; in any order, once each.

    Before the news of the payment itself nobody has a share of it yet that it could come out of: it has to wait.
    """
    gateway = gateways.payment().name
    attempt = first(_ATTEMPT, gateway=gateway, payment=report.payment)
    if attempt is None or attempt.state not in inbox.CAME_IN:
        return inbox.Verdict(InboxState.UNRESOLVED)
    payment = lock(attempt.payment_id)
    known = first(_DISPUTE, gateway=gateway, id=report.id)
    if wrong := _difference(report, payment, known):
        alert("misfit_call", payment=payment.id, dispute=report.id, wrong=wrong)
        return inbox.Verdict(InboxState.QUARANTINED, payment.id)
    if known is None:
        _open(attempt, report)
        known = connection().execute(_DISPUTE, {"gateway": gateway, "id": report.id}).one()
    if known.state == DisputeState.OPEN and report.state != DisputeState.OPEN:
        _close(known, report.state)
    _flag(payment)
    return inbox.Verdict(InboxState.APPLIED, payment.id)


def _difference(report: DisputeReport, payment: Row[Any], known: Row[Any] | None) -> str:
    """What a report says otherwise than our rows; empty when they agree."""
    wrong = []
    if report.amount.currency != payment.amount_currency or not 0 < report.amount.minor <= payment.amount_minor:
        wrong.append("amount")
    if known is not None and report.amount.minor != known.amount_minor:
        wrong.append("other_amount")
    if known is not None and DisputeState.OPEN not in (known.state, report.state) and known.state != report.state:
        wrong.append("state")
    return " ".join(wrong)


def _open(attempt: Row[Any], report: DisputeReport) -> None:
    books.book(attempt.payment_id)
    row = {
        "payment_id": attempt.payment_id,
        "attempt_id": attempt.id,
        "gateway": attempt.gateway,
        "gateway_id": report.id,
        "amount_minor": report.amount.minor,
        "amount_currency": report.amount.currency,
        "state": DisputeState.OPEN,
        "reason": report.reason[:60],
        "opened_at": clock.now(),
    }
    dispute = int(connection().execute(insert(disputes).values(row).returning(disputes.c.id)).scalar_one())
    _advance(dispute, report.amount, "opened", -report.amount.minor)
    history.note("dispute", dispute, "", DisputeState.OPEN, report.reason)
    log.error("a buyer's bank asks money back", payment=attempt.payment_id, dispute=report.id)


def _advance(dispute: int, amount: Money, what: str, minor: int) -> None:
    """The shop pays it for now (negative), or has it back."""
    lines = [Entry(Account.PLATFORM, minor, "dispute"), Entry(Account.GATEWAY, -minor, "dispute")]
    ledger.post(Journal(f"dispute:{dispute}:{what}", amount.currency, lines))


def _close(dispute: Row[Any], state: DisputeState) -> None:
    closed = update(disputes).where(disputes.c.id == dispute.id, disputes.c.state == DisputeState.OPEN)
    if connection().execute(closed.values(state=state, closed_at=clock.now())).rowcount != 1:
        return
    history.note("dispute", dispute.id, DisputeState.OPEN, state)
    amount = Money(dispute.amount_minor, dispute.amount_currency)
    if state == DisputeState.WON:
        _advance(dispute.id, amount, "won", amount.minor)
    else:
        _lose(dispute, amount)


def _lose(dispute: Row[Any], amount: Money) -> None:
    """It comes out of what is left of the purchase's orders; what is more than that is the shop's own loss."""
    sold = rows(_ORDERS, payment=dispute.payment_id) if first(_SOLD, attempt=dispute.attempt_id) else ()
    left = [books.left(order.id) for order in sold]
    totals = [sum(part.left.total for part in parts) for parts in left]
    minor = min(amount.minor, sum(totals))
    if minor and not inbox.claim_back(dispute.payment_id, minor):
        minor = 0  # nothing of the payment may go back any more: nobody has a share in this
    if minor:
        asked = Money(minor, amount.currency).split(*totals)
        for order, parts, share in zip(sold, left, asked, strict=True):
            _take_back(dispute.id, order, parts, share.minor)
    if loss := amount.minor - minor:
        lines = [Entry(Account.PLATFORM, loss, "dispute"), Entry(Account.PLATFORM, -loss, "dispute_loss")]
        ledger.post(Journal(f"dispute:{dispute.id}:lost", amount.currency, lines))


def _take_back(dispute: int, order: Row[Any], parts: list[shares.Part], minor: int) -> None:
    if not minor:
        return
    spread = zip(parts, shares.spread(minor, parts), strict=True)
    pieces = [(part, shares.taken(piece, part.left), 0) for part, piece in spread if piece]
    shop = Entry(Account.PLATFORM, minor, "dispute", order=order.id)
    books.take_back(f"dispute:{dispute}:lost:{order.id}", order, pieces, shop, "dispute_lost", dispute_id=dispute)
    reversals.take_back(order.id, f"dis:{dispute}")


def note_fee(gateway_id: str, fee: Money) -> bool:
    """Write down what the gateway charges for a dispute, once; False when we do not know of it."""
    known = first(_DISPUTE, gateway=gateways.payment().name, id=gateway_id)
    if known is None:
        return False
    lines = [Entry(Account.PROVIDER_FEE, -fee.minor, "dispute_fee"), Entry(Account.GATEWAY, fee.minor, "dispute_fee")]
    ledger.post(Journal(f"dispute:{known.id}:fee", fee.currency, lines))
    return True


def _flag(payment: Row[Any]) -> None:
    """A payment is disputed while its bank has not decided for the shop."""
    stands = first(_STANDS, payment=payment.id) is not None
    if stands != payment.is_disputed:
        flagged = update(payments).where(payments.c.id == payment.id)
        connection().execute(flagged.values(is_disputed=stands, changed_at=clock.now()))
