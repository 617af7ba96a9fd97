"""Payments: one for each purchase, in as many attempts as it takes, and what the gateway says about them.

What a gateway says goes through `inbox`, which knows how the attempts stand; money moves the orders in `settlement`.
"""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import structlog
from flask import current_app
from sqlalchemy import Row, bindparam, select, update

from shop import clock, gateways, history, inbox, jobs, prepared, turn, wallet
from shop.database import db, first, let_go, rows, run
from shop.errors import Refused
from shop.gateways.payment_port import (
    Declined,
    NeedsClientAction,
    NeedsRedirect,
    NotAskedError,
    Outcome,
    Paid,
    Processing,
    RejectedError,
    Report,
    Request,
    UnreachableError,
)
from shop.i18n import _
from shop.inbox import CAME_IN
from shop.models import Payment, PaymentAttempt, PaymentState, Purchase
from shop.money import Money
from shop.paying import Paying, Stand, lock
from shop.wallet import Means, methods

__all__ = [
    "Declined",
    "Means",
    "NeedsClientAction",
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

payments, attempts = Payment.__table__, PaymentAttempt.__table__
_OF_PURCHASE = select(payments.c.id).where(payments.c.purchase_id == bindparam("purchase"))
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("attempt"))
_ASKED = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == PaymentState.SUBMITTING)
    .values(changed_at=bindparam("now"))
)
_PAYMENT = prepared.insert(payments).on_conflict_do_nothing().returning(payments.c.id)
_OPEN = attempts.insert().returning(attempts.c.id)
_ATTEMPTS = select(attempts).where(attempts.c.payment_id == bindparam("payment")).order_by(attempts.c.number)


class Bought(NamedTuple):
    """What a payment has to know of its purchase."""

    id: int
    code: str
    user_id: int | None
    name: str
    email: str
    total: Money


class Begun(NamedTuple):
    """An attempt of which nobody outside has heard: what will be asked, under which id it is written down here."""

    id: int
    request: Request


def open(  # noqa: A001  `payments.open`
    purchase: Purchase | Bought, method: str, card: str = "", *, wants_saving: bool = False
) -> int:
    """As `begin`; gives the attempt's id."""
    return begin(purchase, method, card, wants_saving=wants_saving).id


def begin(purchase: Purchase | Bought, method: str, card: str = "", *, wants_saving: bool = False) -> Begun:
    """Write down a new attempt to pay for a purchase, before anybody outside hears of it.

    `card` is what the gateway's own fields in the page made of one: an id, good for one attempt.

    After the commit, `submit` it. While an attempt is under way a second one is refused, and so is paying twice.
    """
    if method not in {offered.code for offered in methods(purchase.user_id)}:
        raise Refused(_("Please choose how you want to pay."), 422)
    means = Means(method, card, wants_saving)
    if payment := _first_payment_of(purchase):
        begun = _write(payment, _request(purchase, means, 1), 1)
        history.note("payment", payment, PaymentState.CREATED, PaymentState.SUBMITTING)
        return begun
    known = first(_OF_PURCHASE, purchase=purchase.id)
    assert known  # noqa: S101  it is made, or it was there
    locked = lock(known.id)
    before = rows(_ATTEMPTS, payment=locked.id)
    if any(attempt.state in CAME_IN for attempt in before):
        raise Refused(_("This has been paid already."))
    if any(attempt.state in IN_OUR_HANDS for attempt in before):
        raise Refused(_("Your payment is on its way. Please wait a moment before you try again."))
    number = len(before) + 1
    begun = _write(locked.id, _request(purchase, means, number), number)
    inbox.derive(locked)
    return begun


def _first_payment_of(purchase: Purchase | Bought) -> int | None:
    """A new payment, as its first attempt makes it; None where there is one already.

    Nobody else sees it before we commit, and who wants to make it too waits for us: so there is nothing to lock.
    """
    if isinstance(purchase, Purchase):
        db.session.flush()  # where it is new
    made = first(
        _PAYMENT,
        purchase_id=purchase.id,
        state=PaymentState.SUBMITTING,
        amount_minor=purchase.total.minor,
        amount_currency=purchase.total.currency,
        refunded_minor=0,
        given_back_minor=0,
        is_disputed=False,
        changed_at=clock.now(),
    )
    return int(made.id) if made else None


def _write(payment: int, request: Request, number: int) -> Begun:
    asked = {name: getattr(request, name) for name in Request.__slots__}
    now = clock.now()
    written = first(
        _OPEN,
        payment_id=payment,
        number=number,
        gateway=gateways.payment().name,
        method=request.method,
        state=PaymentState.SUBMITTING,
        is_surplus=False,
        refunded_minor=0,
        idempotency_key=request.key,
        request=asked,
        request_hash=sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
        redirect_url="",
        failure="",
        created_at=now,
        changed_at=now,
    )
    assert written  # noqa: S101  one row goes in, or it raises
    return Begun(written.id, request)


def _request(purchase: Purchase | Bought, means: Means, number: int) -> Request:
    """What the gateway is asked. A card without its fields is asked for on the gateway's own page."""
    kind, _colon, code = means.method.partition(":")
    has_fields = bool(gateways.payment().publishable_key)
    card = means.card if has_fields and kind in wallet.BY_FIELDS else ""
    user = purchase.user_id
    kept = next((row for row in wallet.kept(user) if row.code == code), None) if code and user else None
    known_as = wallet.customer(user) if user and (kept or means.wants_saving) else ""
    return Request(
        key=f"co:{purchase.id}:pay:{number}",
        amount_minor=purchase.total.minor,
        currency=purchase.total.currency,
        method=kind,
        purchase=purchase.code,
        return_path=f"/purchases/{purchase.code}",
        group=f"co:{purchase.id}",
        customer=known_as,
        saved_method=kept.gateway_id if kept else "",
        token=card,
        is_hosted=kind == wallet.ON_ITS_PAGE or (has_fields and kind in wallet.BY_FIELDS and not card),
        wants_saving=means.wants_saving and kind == "card" and bool(known_as),
        payer_name=purchase.name,
        payer_email=purchase.email,
    )


def submit(attempt: int | Begun) -> Outcome:
    """Ask the gateway to do it, and write down what it says. Again with the same key, however often it is needed.

    It ends the present transaction before it calls. Without an answer the attempt stays as it is, and the page says
    "on its way": the money may have moved. The caller settles the payment, and commits. One that was just begun, and
    committed, need not be looked up.
    """
    return submitted(attempt).outcome


class Submitted(NamedTuple):
    """What came of it, and of which payment; how that one stands, where the gateway said so."""

    outcome: Outcome
    payment: int
    paying: Paying | None = None


def submitted(attempt: int | Begun) -> Submitted:
    """As `submit`; tells of the payment too, which nobody else changes until this transaction ends."""
    if isinstance(attempt, Begun):
        number, said = attempt.id, _ask(attempt, is_new=True)
    else:
        row, number, said = _attempt(attempt), attempt, None
        if row.state == PaymentState.SUBMITTING:
            begun = Begun(attempt, Request(**row.request))
            said = _ask(begun, is_new=row.changed_at == row.created_at)
    report, verdict = said or (None, None)
    if verdict and verdict.paying and verdict.attempt and verdict.attempt.id == number:
        return Submitted(_outcome(verdict.attempt, report), verdict.paying.id, verdict.paying)
    row = _attempt(number)
    return Submitted(_outcome(row, report), row.payment_id)


def _ask(attempt: Begun, *, is_new: bool) -> tuple[Report, inbox.Verdict] | None:
    """What the gateway answers, if it does, and what came of that; `is_new` where it cannot have heard of it before."""
    said = None
    let_go()
    try:
        with turn.aside():
            report = gateways.payment().create_payment(attempt.request)
    except UnreachableError as error:
        log.warning("no answer from the gateway", attempt=attempt.id, error=repr(error))
        if isinstance(error, NotAskedError) and is_new:
            inbox.fail(attempt.id, "unreachable")
        else:
            run(_ASKED, attempt=attempt.id, now=clock.now())
    except RejectedError as error:
        log.error("the gateway rejects a payment", attempt=attempt.id, code=error.code)
        inbox.fail(attempt.id, error.code)
    else:
        said = report, inbox.apply(report)
    expect_events()
    return said


def outcome(attempt: int, report: Report | None = None) -> Outcome:
    """How an attempt stands by our own rows, for the page that comes next.

    The secret with which the gateway's script goes on is in no row of ours: it is in the `report` that just came.
    """
    return _outcome(_attempt(attempt), report)


def _outcome(row: Row[Any] | Stand, report: Report | None) -> Outcome:
    if row.state in CAME_IN:
        return Paid()
    if row.state == PaymentState.REQUIRES_ACTION and row.redirect_url:
        return NeedsRedirect(row.redirect_url)
    if row.state == PaymentState.REQUIRES_ACTION and report and report.client_secret:
        return NeedsClientAction(report.client_secret)
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
        "expired_card": _("This card has expired. Nothing was paid; please try another one."),
        "incorrect_cvc": _("The security code of the card is not right. Nothing was paid; please try again."),
        "incorrect_number": _("The number of the card is not right. Nothing was paid; please try again."),
        "authentication_required": _(
            "Your bank wants you to confirm this payment. Nothing was paid; please try again."
        ),
        "payment_intent_authentication_failure": _(
            "You did not confirm the payment at your bank. Nothing was paid; please try again, or in another way."
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
    """The sandbox, where it is in use, has something to tell."""
    if gateways.sandbox():
        jobs.later(send_sandbox_events)


@jobs.regularly(timedelta(minutes=1))
def send_sandbox_events() -> None:
    """Let the sandbox tell what happened, by HTTP, as a payment company would; what is not received goes out again."""
    let_go()
    if sandbox := gateways.sandbox():
        sandbox.deliver(current_app.config["BASE_URL"])
