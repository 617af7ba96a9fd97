"""What a gateway says about payments: kept as it came, checked against our own rows, and believed by rank.

Answers to our calls and the gateway's own calls come through one door, `apply`. An attempt only moves up in `RANKS`,
so reports may come twice, late and in any order, and the end is the same.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select, text, update

from shop import clock, gateways
from shop.alerts import alert
from shop.database import db, first, rows, run
from shop.gateways.payment_port import Notice, Report, is_page
from shop.history import Step, note, note_each
from shop.models import (
    InboxState,
    Moment,
    Payment,
    PaymentAttempt,
    PaymentState,
    Refund,
    RefundState,
)
from shop.money import Money
from shop.paying import Paying, Stand, heard, lock

RANKS = {
    PaymentState.CREATED: 0,
    PaymentState.SUBMITTING: 1,
    PaymentState.REQUIRES_ACTION: 2,
    PaymentState.PROCESSING: 3,
    PaymentState.FAILED: 4,
    PaymentState.CANCELLED: 5,
    PaymentState.PAID: 6,  # above failed: money that came after all has come
    PaymentState.PART_REFUNDED: 7,
    PaymentState.REFUNDED: 8,
}
LONGEST = 80  # signs of the name of an event
CAME_IN = (PaymentState.PAID, PaymentState.PART_REFUNDED, PaymentState.REFUNDED)

payments, attempts, refunds = Payment.__table__, PaymentAttempt.__table__, Refund.__table__
_AGAIN = select(attempts).where(attempts.c.id == bindparam("attempt"))
_ALL = select(attempts).where(attempts.c.payment_id == bindparam("payment")).order_by(attempts.c.number)
_MAY_CHANGE = (
    *("state", "gateway_id", "redirect_url", "failure", "refunded_minor", "fee_minor", "fee_currency", "is_surplus"),
    "changed_at",
)
_ADVANCE = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == bindparam("was"))
    .values({attempts.c[name]: bindparam(f"new_{name}") for name in _MAY_CHANGE})
)
_FAIL = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == PaymentState.SUBMITTING)
    .values(state=PaymentState.FAILED, failure=bindparam("code"), changed_at=bindparam("now"))
)
_DERIVE = (
    update(payments)
    .where(payments.c.id == bindparam("payment"), payments.c.state == bindparam("was"))
    .values(state=bindparam("became"), refunded_minor=bindparam("returned"), changed_at=bindparam("now"))
)
_REFUNDED = (
    select(refunds.c.state, func.sum(refunds.c.amount_minor).label("minor"))
    .where(refunds.c.attempt_id == bindparam("attempt"))
    .group_by(refunds.c.state)
)
# The one statement that decides: two who give back at once cannot give more than came.
_CLAIM = (
    update(payments)
    .where(
        payments.c.id == bindparam("payment"),
        payments.c.given_back_minor + bindparam("minor") <= payments.c.amount_minor,
    )
    .values(given_back_minor=payments.c.given_back_minor + bindparam("minor"))
)
_KEEP = text(
    """
    INSERT INTO webhook_inbox (gateway, event_id, kind, body, state, tries, last_error, received_at)
    VALUES (:gateway, :event, :kind, :body, 'waiting', 0, '', :now)
    ON CONFLICT (gateway, event_id) DO NOTHING RETURNING id
    """
).bindparams(bindparam("now", type_=Moment))
_SAVE = text(
    """
    INSERT INTO saved_methods (code, user_id, gateway, gateway_id, name, created_at)
    SELECT :code, users.id, :gateway, :id, :name, :now FROM users WHERE users.id = :user AND users.is_active
    ON CONFLICT (gateway_id) DO NOTHING
    """
).bindparams(bindparam("now", type_=Moment))


_CLIENT_SECRET = re.compile(r'("client_secret"\s*:\s*)"[^"]*"')


class Verdict(NamedTuple):
    """What came of a report: the state for the inbox, and the payment that it was about, if it is one of ours.

    And how that payment and the attempt stand from now on: until this transaction ends nobody else changes them.
    """

    state: InboxState
    payment: int | None = None
    paying: Paying | None = None
    attempt: Stand | None = None


def keep(notice: Notice, raw: bytes) -> int | None:
    """Keep a verified call of the gateway; gives the id of its row, None for one that we have already.

    As it came, but for the secrets with which a browser could go on with a payment: nobody here needs them.
    """
    row = first(
        _KEEP,
        gateway=gateways.payment().name,
        event=_as_kept(notice.id),
        kind=_as_kept(notice.kind),
        body=_CLIENT_SECRET.sub(r"\1null", raw.decode()),
        now=clock.now(),
    )
    return int(row.id) if row else None


def _as_kept(name: str) -> str:
    """A name that is no name (a NUL, half a sign, no end) is kept as one, and stays another than all others."""
    plain = name.replace("\0", "?").encode(errors="replace").decode()
    if plain == name and len(name) <= LONGEST:
        return name
    return f"{plain[:60]}:{sha256(repr(name).encode()).hexdigest()[:16]}"


def apply(report: Report) -> Verdict:
    """Believe what a gateway says, as far as it is about a payment of ours, in the amount that we asked for."""
    tried = heard(gateways.payment().name, report)  # from here on they are as they are
    if not tried:
        return Verdict(InboxState.UNRESOLVED if report.key else InboxState.FOREIGN)
    attempt = next(one for one in tried if one.id == one.found)
    payment = Paying._make(attempt[-len(Paying._fields) :])
    if wrong := _difference(report, attempt, payment):
        alert("misfit_call", attempt=attempt.id, gateway_id=report.id, wrong=wrong)
        return Verdict(InboxState.QUARANTINED, payment.id)
    stands = _advance(attempt, report, tried)
    if report.saved and payment.user_id and report.state in CAME_IN:
        kept = {"code": secrets.token_urlsafe(16), "user": payment.user_id, "gateway": attempt.gateway}
        run(_SAVE, **kept, id=report.saved.id, name=report.saved.name, now=clock.now())
    steps = [Step("attempt", attempt.id, attempt.state, stands.state)] if stands.state != attempt.state else []
    state = derive(payment, [stands if one.id == stands.id else Stand.of(one) for one in tried], steps)
    return Verdict(InboxState.APPLIED, payment.id, payment._replace(state=state), stands)


def _difference(report: Report, attempt: Row[Any], payment: Paying) -> str:
    """What a report says otherwise than our rows; empty when they agree."""
    ours = {
        "id": report.id if _is_called(attempt.gateway_id, report.id) else attempt.gateway_id,
        "key": attempt.idempotency_key,
        "purchase": payment.code,
        "group": attempt.request.get("group", ""),
        "amount": Money(payment.amount_minor, payment.amount_currency),
    }
    return " ".join(name for name, value in ours.items() if getattr(report, name) != value)


def _is_called(known: str | None, told: str) -> bool:
    """Is this how the gateway may call the attempt? A hosted page gives way to the payment that is made there."""
    return known in (None, told) or is_page(str(known)) != is_page(told)


def _takes_its_place(attempt: Row[Any], report: Report) -> bool:
    """Is the attempt called so from now on? On a hosted page each try has an id, and only one that leads on counts."""
    if is_page(report.id):
        return attempt.gateway_id is None
    is_made = report.state == PaymentState.PROCESSING or report.state in CAME_IN
    return is_made or not attempt.request.get("is_hosted")


def _advance(attempt: Row[Any], report: Report, tried: Sequence[Row[Any]]) -> Stand:
    """Move an attempt up, never down; the second one that is paid for the same purchase goes back whole."""
    values: dict[str, Any] = {"gateway_id": report.id} if _takes_its_place(attempt, report) else {}
    if report.refunded_minor > attempt.refunded_minor:
        values["refunded_minor"] = report.refunded_minor
    if report.fee and attempt.fee_minor is None:
        values |= {"fee_minor": report.fee.minor, "fee_currency": report.fee.currency}
    if RANKS[report.state] > RANKS[attempt.state]:
        values |= {"state": report.state, "failure": report.failure, "redirect_url": report.redirect_url}
        if report.state in CAME_IN and attempt.state not in CAME_IN:
            values["is_surplus"] = _paid(tried) is not None
    became = {**attempt._mapping, **values} | {"changed_at": clock.now()}
    run(_ADVANCE, attempt=attempt.id, was=attempt.state, **{f"new_{name}": became[name] for name in _MAY_CHANGE})
    if values.get("is_surplus"):
        alert("paid_twice", attempt=attempt.id)
        give_back(attempt.id, "paid_twice")
    return Stand._make([became[name] for name in Stand._fields])


def fail(attempt: int, code: str) -> None:
    """The gateway will not try this one at all: nothing was paid."""
    row = first(_AGAIN, attempt=attempt)
    assert row  # noqa: S101  rows of attempts are never deleted
    payment = lock(row.payment_id)
    has_failed = run(_FAIL, attempt=attempt, code=code[:60], now=clock.now())
    derive(payment, steps=[Step("attempt", attempt, PaymentState.SUBMITTING, PaymentState.FAILED)] * has_failed)


def _paid(tried: Sequence[Row[Any]] | Sequence[Stand]) -> Any:
    """The attempt that paid for the purchase, if one did."""
    return next((one for one in tried if one.state in CAME_IN and not one.is_surplus), None)


def derive(payment: Row[Any] | Paying, tried: Sequence[Stand] | None = None, steps: Sequence[Step] = ()) -> str:
    """The state of a payment is that of the attempt that paid, else of the newest one; it is never set by hand.

    Only a refund that failed after all takes it down again: the money is not with the buyer. `tried` are its attempts,
    for who has just read them; `steps` is what happened to these, for the history. Gives the state.
    """
    tried = tried or [Stand.of(row) for row in rows(_ALL, payment=payment.id)]
    speaks: Stand = _paid(tried) or tried[-1]
    returned = 0 if speaks.is_surplus else _returned(speaks)
    state = _after(returned, payment.amount_minor) if speaks.state in CAME_IN else speaks.state
    if (state, returned) != (payment.state, payment.refunded_minor):
        run(_DERIVE, payment=payment.id, was=payment.state, became=state, returned=returned, now=clock.now())
    if state != payment.state:
        steps = [*steps, Step("payment", payment.id, payment.state, state)]
    note_each(steps)
    return state


def _returned(attempt: Stand) -> int:
    """What has gone back of an attempt: our refunds that did not fail, and what the gateway knows of beyond those."""
    if not attempt.refunded_minor:
        return 0
    tried = {row.state: int(row.minor) for row in rows(_REFUNDED, attempt=attempt.id)}
    arrived = tried.get(RefundState.SENT, 0) + tried.get(RefundState.DONE, 0)
    beyond = int(attempt.refunded_minor) - arrived - tried.get(RefundState.FAILED, 0)
    return arrived + max(0, beyond)


def _after(returned: int, amount: int) -> PaymentState:
    if returned == 0:
        return PaymentState.PAID
    return PaymentState.REFUNDED if returned >= amount else PaymentState.PART_REFUNDED


# Giving back


def give_back(attempt: int, reason: str, *, is_back: bool = False) -> int | None:
    """Write down that the whole amount of an attempt goes back, once; `settlement` sends it. Gives the refund's id.

    What is back with the buyer already, because somebody gave it back at the gateway, is not sent once more; `is_back`
    is for when that is all of it, and has to be written down.
    """
    row = first(_AGAIN, attempt=attempt)
    assert row  # noqa: S101  rows of attempts are never deleted
    mine = select(refunds.c.id).where(refunds.c.attempt_id == attempt)
    if first(mine) is not None:
        return None
    payment = lock(row.payment_id)
    minor = payment.amount_minor - (0 if is_back else row.refunded_minor)
    if minor < 1 or not (row.is_surplus or claim_back(payment.id, minor)):
        return None
    refund = Refund(
        code=secrets.token_urlsafe(16),
        payment_id=row.payment_id,
        attempt_id=attempt,
        amount=Money(minor, payment.amount_currency),
        reason=reason,
        idempotency_key=f"ret:{row.idempotency_key}",
        created_at=clock.now(),
    )
    db.session.add(refund)
    db.session.flush()
    refund.idempotency_key = f"ret:{refund.id}:refund"
    note("refund", refund.id, "", RefundState.WANTED, reason)
    return refund.id


def claim_back(payment: int, minor: int) -> bool:
    """Set this much of a payment apart to go back; False, and nothing happens, when there is not so much left of it."""
    return run(_CLAIM, payment=payment, minor=minor) == 1
