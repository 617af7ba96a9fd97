"""Payments: one for each purchase, in as many attempts as it takes, and what the gateway says about them.

What a gateway says goes through `inbox`, which knows how the attempts stand; money moves the orders in `settlement`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import structlog
from flask import current_app
from sqlalchemy import Row, bindparam, select, update

from shop import clock, gateways, inbox, jobs, turn
from shop.database import connection, db, first, insert, let_go, rows
from shop.errors import Refused
from shop.gateways.payment_port import (
    Declined,
    NeedsRedirect,
    NotAskedError,
    Outcome,
    Paid,
    Processing,
    RejectedError,
    Request,
    UnreachableError,
)
from shop.i18n import _
from shop.inbox import CAME_IN
from shop.models import Payment, PaymentAttempt, PaymentState, Purchase, SavedMethod

__all__ = [
    "Declined",
    "Method",
    "NeedsRedirect",
    "Outcome",
    "Paid",
    "Processing",
    "explain",
    "methods",
    "open",
    "outcome",
    "submit",
]

IN_OUR_HANDS = (PaymentState.SUBMITTING, PaymentState.PROCESSING)

log = structlog.get_logger()

payments, attempts, saved = Payment.__table__, PaymentAttempt.__table__, SavedMethod.__table__
_OF_PURCHASE = select(payments.c.id).where(payments.c.purchase_id == bindparam("purchase"))
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("attempt"))
_ASKED = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == PaymentState.SUBMITTING)
    .values(changed_at=bindparam("now"))
)
_ATTEMPTS = select(attempts).where(attempts.c.payment_id == bindparam("payment")).order_by(attempts.c.number)
_SAVED = select(saved).where(saved.c.user_id == bindparam("user")).order_by(saved.c.id.desc())


class Method(NamedTuple):
    """A way to pay, as the page offers it."""

    code: str
    name: str
    can_be_saved: bool = False
    is_test: bool = False  # an outcome that only the sandbox knows


def methods(user: int | None = None) -> list[Method]:
    """What the page offers, in its order: what this person saved, then what the shop takes."""
    kept = [Method(f"saved:{row.code}", row.name) for row in rows(_SAVED, user=user)] if user else []
    names = {"ideal": "iDEAL | Wero", "bancontact": "Bancontact", "card": _("Card")}
    offered = [
        Method(code, name or names.get(code, code), can_be_saved=code == "card" and user is not None)
        for code, name in current_app.config["PAYMENT_METHODS"]
    ]
    return kept + offered + (_tests() if gateways.sandbox() else [])


def _tests() -> list[Method]:
    words = {
        "card_declined": _("Test: the bank declines the card"),
        "insufficient_funds": _("Test: not enough money on the card"),
        "authentication_required": _("Test: the bank asks for a confirmation"),
        "slow_success": _("Test: takes a while, then works"),
        "slow_failure": _("Test: takes a while, then fails"),
    }
    return [Method(code, name, is_test=True) for code, name in words.items()]


def open(purchase: Purchase, method: str, *, wants_saving: bool = False) -> int:  # noqa: A001  `payments.open`
    """Write down a new attempt to pay for a purchase, before anybody outside hears of it; gives its id.

    After the commit, `submit` it. While an attempt is under way a second one is refused, and so is paying twice.
    """
    if method not in {offered.code for offered in methods(purchase.user_id)}:
        raise Refused(_("Please choose how you want to pay."), 422)
    payment = _payment_of(purchase)
    before = rows(_ATTEMPTS, payment=payment.id)
    if any(attempt.state in CAME_IN for attempt in before):
        raise Refused(_("This has been paid already."))
    if any(attempt.state in IN_OUR_HANDS for attempt in before):
        raise Refused(_("Your payment is on its way. Please wait a moment before you try again."))
    number = len(before) + 1
    request = _request(purchase, method, number, wants_saving)
    attempt = PaymentAttempt(
        payment_id=payment.id,
        number=number,
        gateway=gateways.payment().name,
        method=method.partition(":")[0],
        state=PaymentState.SUBMITTING,
        idempotency_key=request.key,
        request=asdict(request),
        request_hash=sha256(json.dumps(asdict(request), sort_keys=True).encode()).hexdigest(),
        created_at=(now := clock.now()),
        changed_at=now,
    )
    db.session.add(attempt)
    db.session.flush()
    inbox.derive(payment)
    return attempt.id


def _payment_of(purchase: Purchase) -> Row[Any]:
    """The one payment of a purchase, made if need be; others who want it wait for us."""
    row = {
        "purchase_id": purchase.id,
        "state": PaymentState.CREATED,
        "amount_minor": purchase.total.minor,
        "amount_currency": purchase.total.currency,
        "refunded_minor": 0,
        "is_disputed": False,
        "changed_at": clock.now(),
    }
    db.session.flush()
    made = connection().execute(insert(payments).values(row).on_conflict_do_nothing().returning(payments.c.id)).first()
    return inbox.lock((made or connection().execute(_OF_PURCHASE, {"purchase": purchase.id}).one()).id)


def _request(purchase: Purchase, method: str, number: int, wants_saving: bool) -> Request:
    kind, _colon, code = method.partition(":")
    kept = next((row for row in rows(_SAVED, user=purchase.user_id) if row.code == code), None) if code else None
    return Request(
        key=f"co:{purchase.id}:pay:{number}",
        amount_minor=purchase.total.minor,
        currency=purchase.total.currency,
        method=kind,
        purchase=purchase.code,
        return_path=f"/purchases/{purchase.code}",
        group=f"co:{purchase.id}",
        customer=f"user:{purchase.user_id}" if purchase.user_id else "",
        saved_method=kept.gateway_id if kept else "",
        wants_saving=wants_saving and purchase.user_id is not None,
    )


def submit(attempt: int) -> Outcome:
    """Ask the gateway to do it, and write down what it says. Again with the same key, however often it is needed.

    It ends the present transaction before it calls. Without an answer the attempt stays as it is, and the page says
    "on its way": the money may have moved. The caller settles the payment, and commits.
    """
    row = _attempt(attempt)
    if row.state == PaymentState.SUBMITTING:
        let_go()
        _ask(row)
        expect_events()
    return outcome(attempt)


def _ask(attempt: Row[Any]) -> None:
    try:
        with turn.aside():
            report = gateways.payment().create_payment(Request(**attempt.request))
    except UnreachableError as error:
        log.warning("no answer from the gateway", attempt=attempt.id, error=repr(error))
        if isinstance(error, NotAskedError) and attempt.changed_at == attempt.created_at:  # nobody has heard of it yet
            inbox.fail(attempt.id, "unreachable")
        else:
            connection().execute(_ASKED, {"attempt": attempt.id, "now": clock.now()})
    except RejectedError as error:
        log.error("the gateway rejects a payment", attempt=attempt.id, code=error.code)
        inbox.fail(attempt.id, error.code)
    else:
        inbox.apply(report)


def outcome(attempt: int) -> Outcome:
    """How an attempt stands by our own rows, for the page that comes next."""
    row = _attempt(attempt)
    if row.state in CAME_IN:
        return Paid()
    if row.state == PaymentState.REQUIRES_ACTION:
        return NeedsRedirect(row.redirect_url)
    if row.state in (PaymentState.FAILED, PaymentState.CANCELLED):
        return Declined(row.failure)
    return Processing()


def explain(code: str) -> str:
    """Why it did not work, and what to do now, for the buyer."""
    words = {
        "card_declined": _("Your bank declined the card. Nothing was paid; please try another way to pay."),
        "insufficient_funds": _("There is not enough money on the card. Nothing was paid; please try another one."),
        "unreachable": _(
            "We cannot reach the payment company at this moment. Nothing was paid, and your cart is as it was; "
            "please try again in a minute."
        ),
        "abandoned": _("You cancelled the payment. Nothing was paid."),
        "payment_intent_payment_attempt_expired": _(
            "The bank's page was open for too long. Nothing was paid; please try again."
        ),
    }
    return words.get(code) or str(_("The payment did not work. Nothing was paid; please try again."))


def _attempt(attempt: int) -> Row[Any]:
    row = first(_ATTEMPT, attempt=attempt)
    if row is None:
        raise LookupError(f"there is no attempt {attempt}")
    return row


def expect_events() -> None:
    """The sandbox has something to tell."""
    jobs.later(send_sandbox_events)


@jobs.regularly(timedelta(minutes=1))
def send_sandbox_events() -> None:
    """Let the sandbox tell what happened, by HTTP, as a payment company would; what is not received goes out again."""
    let_go()
    if sandbox := gateways.sandbox():
        sandbox.deliver(current_app.config["BASE_URL"])
