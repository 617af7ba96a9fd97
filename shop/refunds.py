"""Refunds: money goes back to the buyer, once, never more than came, and out of the shares of those who had it.

The books take it from the seller, the creator and the shop's commission at once, and owe it to the buyer; when the
gateway has it, the buyer has had it. What fails there is still owed, and staff are told.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, or_, select, update

from shop import (
    alerts,
    books,
    brushing,
    clock,
    gateways,
    history,
    inbox,
    jobs,
    ledger,
    notifications,
    orders,
    paying,
    reversals,
    shares,
    stock,
)
from shop.alerts import alert
from shop.database import connection, db, first, let_go, rows
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import KEYS_LAST, RefundReport, RefundStatus, RejectedError, Report
from shop.i18n import _, price
from shop.ledger import Entry, Journal
from shop.models import (
    Account,
    InboxState,
    Moment,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentAttempt,
    Purchase,
    Refund,
    RefundState,
)
from shop.money import Money
from shop.purchases import tell_of_refund
from shop.shares import Part, Shares

REASONS = ("returned", "not_received", "not_as_described", "cancelled", "goodwill")

log = structlog.get_logger()

refunds, attempts, payments = Refund.__table__, PaymentAttempt.__table__, Payment.__table__
sold, lines, purchases = Order.__table__, OrderLine.__table__, Purchase.__table__

_BOUGHT = (
    select(
        *sold.c["id", "seller_id", "status", "code", "purchase_id", "kin"],
        sold.c.goods_currency.label("currency"),
        payments.c.id.label("payment_id"),
        purchases.c.settled_at,
        attempts.c.id.label("attempt_id"),
    )
    .join(purchases, purchases.c.id == sold.c.purchase_id)
    .join(payments, payments.c.purchase_id == purchases.c.id)
    .join(attempts, attempts.c.payment_id == payments.c.id)
    .where(attempts.c.state.in_(inbox.CAME_IN), ~attempts.c.is_surplus)
)
_ORDER = _BOUGHT.where(sold.c.id == bindparam("order"))
ORDERS = _BOUGHT.where(payments.c.id == bindparam("payment")).order_by(sold.c.id)
is_stuck = or_(  # without a person nothing becomes of it
    refunds.c.state == RefundState.FAILED,
    and_(refunds.c.state == RefundState.WANTED, refunds.c.created_at < bindparam("stuck_since", type_=Moment())),
)
_REFUND = (
    select(
        refunds,
        refunds.c.idempotency_key.label("key"),
        attempts.c.gateway_id.label("paid_as"),
        payments.c.purchase_id,
    )
    .join(attempts, attempts.c.id == refunds.c.attempt_id)
    .join(payments, payments.c.id == refunds.c.payment_id)
    .where(refunds.c.id == bindparam("refund"))
)
_BY_GATEWAY_ID = select(refunds.c.id).where(refunds.c.gateway_id == bindparam("id"))
_BY_TOKEN = select(refunds.c.asked).where(
    refunds.c.order_id == bindparam("order"), refunds.c.token == bindparam("token")
)
_LINES = select(lines.c.variant_id, lines.c.quantity).where(lines.c.order_id == bindparam("order")).order_by(lines.c.id)


class Again(Refused):
    """This form was sent before, with the very same in it: it is done, and once is enough."""


def give(
    order: int,
    amount: int | None = None,
    *,
    of: Mapping[int, int] | None = None,
    reason: str = "goodwill",
    by: int | None = None,
    token: str = "",
) -> int:
    """Give back all that is left of an order; or an amount in minor units, spread over its lines and delivery; or so
    many of some lines (`of` is `{order line: quantity}`). Gives the refund's id; the caller commits, a job sends it.

    Raises `Refused` for an order that is not paid, that the bank is asking back, or that has less left than that; and
    `Again` when a form, known by its `token`, has wanted the very same before.
    """
    row = first(_ORDER, order=order)
    if row is None or row.settled_at is None:
        raise Refused(_("This order is not paid, so there is nothing to give back."))
    payment = paying.lock(row.payment_id)
    row = first(_ORDER, order=order) or row  # it may have moved while we waited
    asked = sha256(repr((amount, sorted((of or {}).items()), reason, by)).encode()).hexdigest()
    _look_whether_again(order, token, asked)
    left, pieces = claim(row, payment, amount, of)
    refund = take(row, pieces, reason=reason, by_id=by, token=token or None, asked=asked)
    if sum(share.total for _part, share, _quantity in pieces) == sum(part.left.total for part in left):
        stock.put_back(call_off(row, by), has_counted=brushing.counts(row.kin))
    jobs.later(send, refund=refund)
    return refund


def claim(
    order: Row[Any], payment: Row[Any], amount: int | None, of: Mapping[int, int] | None
) -> tuple[list[Part], list[tuple[Part, Shares, int]]]:
    """Set apart what goes back of an order, so that nobody else gives it back; with what was left. It is locked."""
    if payment.is_disputed:
        raise Refused(_("The buyer's bank is asking this money back. It decides; nothing can be given back now."))
    books.book(payment.id)  # an order of before the books has its page first
    left = books.left(order.id)
    pieces = _pieces(left, amount, of, order.currency)
    if not inbox.claim_back(payment.id, sum(share.total for _part, share, _quantity in pieces)):
        raise Refused(_("There is less left of this payment than that."))
    return left, pieces


def take(order: Row[Any], pieces: Sequence[tuple[Part, Shares, int]], **facts: Any) -> int:
    """Write down that these pieces of an order go back, and take them out of everybody's shares; gives its id."""
    total = sum(share.total for _part, share, _quantity in pieces)
    refund = _write(order, total, **facts)
    buyer = Entry(Account.BUYER, total, "refund", order.purchase_id, order.id)
    books.take_back(f"refund:{refund}", order, pieces, buyer, "refund", refund_id=refund)
    reversals.take_back(order.id, f"ret:{refund}")
    return refund


def _look_whether_again(order: int, token: str, asked: str) -> None:
    """The purchase is locked, so of two presses of one form the second sees what the first has written."""
    before = first(_BY_TOKEN, order=order, token=token) if token else None
    if before is None:
        return
    if before.asked == asked:
        raise Again(_("This has been given back already."))
    raise Refused(_("With this form money was given back already. Please look how much, before you give back more."))


def _pieces(
    left: Sequence[Part], amount: int | None, of: Mapping[int, int] | None, currency: str
) -> list[tuple[Part, Shares, int]]:
    """Which part of what goes back, out of whose share."""
    there = sum(part.left.total for part in left)
    if of:
        asked = [_worth(part, of.get(part.line or 0, 0)) for part in left]
        if set(of) - {part.line for part in left} or min(of.values()) < 1:
            raise Refused(_("Choose what goes back, and how many of it."), 422)
    else:
        amount = there if amount is None else amount
        if not 0 < amount <= there:
            words = _("There is %(left)s left of this order to give back.", left=price(Money(there, currency)))
            raise Refused(words, 422)
        asked = shares.spread(amount, left)
    quantities = of or {}
    return [
        (part, shares.taken(minor, part.left), quantities.get(part.line or 0, 0))
        for part, minor in zip(left, asked, strict=True)
        if minor
    ]


def _worth(part: Part, quantity: int) -> int:
    """What so many of a line cost; not more than is left of it."""
    worth = part.price * quantity
    if quantity > part.quantity or worth > part.left.total:
        raise Refused(_("There are not so many left of it to give back."), 422)
    return worth


def _write(order: Row[Any], minor: int, **facts: Any) -> int:
    refund = Refund(
        code=secrets.token_urlsafe(16),
        payment_id=order.payment_id,
        attempt_id=order.attempt_id,
        order_id=order.id,
        amount=Money(minor, order.currency),
        idempotency_key=secrets.token_urlsafe(16),
        created_at=clock.now(),
        **facts,
    )
    db.session.add(refund)
    db.session.flush()
    refund.idempotency_key = f"ret:{refund.id}:refund"
    db.session.flush()
    history.note("refund", refund.id, "", RefundState.WANTED, facts["reason"])
    return refund.id


def call_off(order: Row[Any], by: int | None) -> dict[int, int]:
    """All of it goes back. Before it was sent the order is off, and these goods go on the shelf again."""
    if order.status not in orders.BEFORE_IT_LEAVES:
        return {}
    orders.move(order.id, order.status, OrderStatus.CANCELLED, by=by)
    return {row.variant_id: row.quantity for row in rows(_LINES, order=order.id)}


def lock(order: int) -> Row[Any] | None:
    """An order that was paid, with its purchase locked as `give` does; before anything of it moves."""
    row = first(_ORDER, order=order)
    if row is not None:
        paying.lock(row.payment_id)
    return row


def call_off_if_empty(order: int, by: int | None) -> None:
    """What has not left after all, and was given back whole meanwhile, is off; it was locked before."""
    row = first(_ORDER, order=order)
    if row is not None and not any(part.left.total for part in books.left(order)):
        stock.put_back(call_off(row, by), has_counted=brushing.counts(row.kin))


# At the gateway


@jobs.handler
def send(refund: int) -> None:
    """Ask the gateway to give back, with the refund's own key, write down what it says, and tell the buyer."""
    wanted = first(_REFUND, refund=refund)
    if wanted is None or wanted.state != RefundState.WANTED:
        return
    if clock.now() - wanted.created_at > KEYS_LAST:
        alert("never_answered", refund=refund)
        return
    let_go()
    gateway = gateways.payment()
    try:
        done = gateway.refund(wanted.paid_as, Money(wanted.amount_minor, wanted.amount_currency), key=wanted.key)
    except RejectedError as error:
        log.error("the gateway rejects a refund", refund=refund, code=error.code)
        _fail(refund)
        return
    accepted(refund, done, gateway.get_payment(wanted.paid_as))


def accepted(refund: int, done: RefundReport, payment: Report) -> None:
    """The gateway has it: in the books once, and its payment stands as it says."""
    _end(refund, (RefundState.WANTED,), RefundState.SENT, done.id)
    inbox.apply(payment)
    _hear(refund, done)


def was_there(refund: int, found: RefundReport | None = None) -> None:
    """It went back at the gateway before we wrote it down; `found` is how it stands there, for who has looked.

    It is written down as of when it went, since the statement of that day has it.
    """
    if found:
        _end(refund, (RefundState.WANTED,), RefundState.SENT, found.id, at=found.made_at)
        _hear(refund, found)
        return
    _end(refund, (RefundState.WANTED,), RefundState.SENT)
    _end(refund, (RefundState.SENT,), RefundState.DONE)
    jobs.later(tell_of_refund, refund=refund)


def looked_up(refund: int) -> Row[Any] | None:
    """A refund with its payment."""
    return first(_REFUND, refund=refund)


def apply(report: RefundReport) -> inbox.Verdict:
    """What the gateway tells of a refund later: that it has arrived, or that it failed after all."""
    row = first(_BY_GATEWAY_ID, id=report.id)
    if row is None:
        return inbox.Verdict(InboxState.UNRESOLVED)
    _hear(row.id, report)
    return inbox.Verdict(InboxState.APPLIED, int(_row(row.id).payment_id))


def _hear(refund: int, report: RefundReport) -> None:
    if report.status == RefundStatus.FAILED:
        _fail(refund)
    elif report.status == RefundStatus.DONE and _end(refund, (RefundState.SENT,), RefundState.DONE):
        jobs.later(tell_of_refund, refund=refund)
    inbox.derive(paying.lock(_row(refund).payment_id))


def _row(refund: int) -> Row[Any]:
    return connection().execute(_REFUND, {"refund": refund}).one()


def _end(
    refund: int,
    was: Sequence[RefundState],
    state: RefundState,
    gateway_id: str | None = None,
    *,
    at: datetime | None = None,
) -> bool:
    """Move a refund along, once, and write in the books what it means; False when somebody has done so already."""
    before = _row(refund)
    moved = update(refunds).where(refunds.c.id == refund, refunds.c.state.in_(was))
    values = {"state": state} | ({"gateway_id": gateway_id} if gateway_id else {})
    if connection().execute(moved.values(**values)).rowcount != 1:
        return False
    history.note("refund", refund, before.state, state, at=at)
    if state == RefundState.SENT:
        _post(before, "returned", -before.amount_minor)
    if state == RefundState.FAILED and before.state != RefundState.WANTED:
        _post(before, "bounced", before.amount_minor)
    return True


def _post(refund: Row[Any], purpose: str, minor: int) -> None:
    """The buyer has had it (negative), or it came back and they still have it coming."""
    theirs = Entry(Account.BUYER, minor, purpose, refund.purchase_id, refund.order_id)
    there = Entry(Account.GATEWAY, -minor, purpose, order=refund.order_id)
    ledger.post(Journal(f"{purpose}:{refund.id}:{refund.tries}", refund.amount_currency, [theirs, there]))


def _fail(refund: int) -> None:
    """It did not arrive: the buyer still has the money coming, and staff have to find another way, or try again."""
    if not _end(refund, (RefundState.WANTED, RefundState.SENT, RefundState.DONE), RefundState.FAILED):
        return
    alert("refund_failed", refund=refund)
    tries = _row(refund).tries
    for to, language in alerts.operators():
        jobs.later(tell_staff, refund=refund, tries=tries, to=to, language=language)


@jobs.patient_handler
def tell_staff(refund: int, tries: int, to: str, language: str) -> None:
    """Mail one of those who run the shop that a refund failed, once for each try."""
    row, about = _row(refund), f"{refund}:{tries} {sha256(to.encode()).hexdigest()[:16]}"
    order = first(select(sold.c.code).where(sold.c.purchase_id == row.purchase_id).limit(1))
    notifications.mail(
        kind="refund_failed",
        about=about,
        to=to,
        template="refund_failed",
        language=language,
        order=order.code if order else "",
        amount=Money(row.amount_minor, row.amount_currency),
    )


def stuck_since() -> dict[str, datetime]:
    """What `is_stuck` has to know: when a refund was written down of which the key is forgotten by now."""
    return {"stuck_since": clock.now() - KEYS_LAST}


def send_again(refund: int) -> None:
    """Try a refund once more that failed, or that nobody answered while its key lasted; with a new key.

    Of the second kind somebody has to have looked at the gateway that it is not there. What it means for everybody's
    shares was booked the first time.
    """
    row = first(_REFUND, refund=refund)
    if row is None:
        raise NotFound(_("There is no such refund."))
    tries = row.tries + 1
    again = {"state": RefundState.WANTED, "tries": tries, "created_at": clock.now(), "gateway_id": None}
    moved = update(refunds).where(refunds.c.id == refund, is_stuck)
    key = f"ret:{refund}:refund:n{tries}"
    if connection().execute(moved.values(idempotency_key=key, **again), stuck_since()).rowcount != 1:
        raise Refused(_("This refund did not fail, or somebody has sent it again just now."))
    history.note("refund", refund, row.state, RefundState.WANTED)
    jobs.later(send, refund=refund)
