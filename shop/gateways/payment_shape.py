"""The shape of Stripe's payments, events and signatures, which the sandbox speaks too: one inbox reads both."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from shop import clock
from shop.gateways.payment_port import (
    DisputeReport,
    DisputeState,
    ForgedError,
    Notice,
    RefundReport,
    RefundStatus,
    Report,
    SavedCard,
)
from shop.models import PaymentState
from shop.money import Money

TOLERANCE = 300  # seconds that a stamp may differ from our clock, in both directions

STATES = {
    "requires_payment_method": PaymentState.SUBMITTING,
    "requires_confirmation": PaymentState.SUBMITTING,
    "requires_action": PaymentState.REQUIRES_ACTION,
    "processing": PaymentState.PROCESSING,
    "canceled": PaymentState.CANCELLED,
    "succeeded": PaymentState.PAID,
}
PAGES = {
    "open": PaymentState.REQUIRES_ACTION,
    "complete": PaymentState.PROCESSING,
    "expired": PaymentState.CANCELLED,
}
CHARGES = {
    "succeeded": PaymentState.PAID,
    "pending": PaymentState.PROCESSING,
    "failed": PaymentState.FAILED,
}
DISPUTES = {  # an inquiry ("warning_...") moves no money, so it is none
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
REFUNDS = {
    "succeeded": RefundStatus.DONE,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it
SAID_AS_IT_IS = ("insufficient_funds", "expired_card")  # reasons of a bank that the buyer can do something about


def sign(body: str, secrets: Sequence[str], at: int | None = None) -> str:
    """The signature header for a body; more than one secret while they are being changed."""
    at = int(clock.now().timestamp()) if at is None else at
    signed = [WebhookSignature.generate_signature_header(body, secret, at).partition(",")[2] for secret in secrets]
    return ",".join([f"t={at}", *signed])


def verify(
    raw: bytes, header: str | None, secrets: Sequence[str], *, is_live: bool = False, endpoint: str = "payments"
) -> Notice:
    """Check with Stripe's own code that one of our secrets signed these very bytes, and lately; else `ForgedError`."""
    stamp = _stamp(header or "")
    if not any(_is_signed(raw, header, secret) for secret in secrets):
        raise ForgedError("signature")
    if abs(clock.now().timestamp() - stamp) > TOLERANCE:  # Stripe's own check lets the future pass
        raise ForgedError("stamp")
    try:
        read = _noticed(raw.decode())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ForgedError("shape") from error
    if read.is_live != is_live:
        raise ForgedError("mode")
    if bool(read.account) != (endpoint == "accounts"):  # each door takes its own kind of call
        raise ForgedError("door")
    return read


def _stamp(header: str) -> int:
    """When it was signed: the one that the signature is about, so there may not be a second one to choose from."""
    stamps = [text for name, _is, text in (item.partition("=") for item in header.split(",")) if name.strip() == "t"]
    if len(stamps) != 1 or not header.isascii() or not stamps[0].isdecimal() or len(stamps[0]) > 12:
        raise ForgedError("signature")
    return int(stamps[0])


def _noticed(body: str) -> Notice:
    """An event. One whose content is new to us is one too: it has to be kept, and a person has to look at it."""
    try:
        return notice(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        event = json.loads(body)
        return Notice(str(event["id"]), str(event["type"]), None, is_live=event.get("livemode") is True)


def _is_signed(raw: bytes, header: str | None, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(raw, header, secret))
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


def notice(body: str) -> Notice:
    """An event as it was sent. One that is about nothing of ours, or about another account, has nothing to say.

    Who writes a NUL in one is not understood: no database keeps it, so it can be nothing of ours.
    """
    event = json.loads(body)
    if _NUL.search(body):
        raise ValueError("NUL")
    bare = Notice(str(event["id"]), str(event["type"]), None, is_live=event.get("livemode") is True)
    if event.get("object") == "v2.core.event":
        return replace(bare, account=_account(event))
    thing = event["data"]["object"]
    kind = thing.get("object")
    if event.get("account"):  # it happened in the account of somebody else, whose payments are not ours
        return bare
    if kind == "dispute":
        return replace(bare, dispute=_dispute(thing))
    if kind == "refund":
        return replace(bare, refund=refund(thing))
    reader = {"payment_intent": payment, "charge": _charge, "checkout.session": page}.get(kind)
    return replace(bare, report=reader(thing) if reader else None)


def _account(event: dict[str, Any]) -> str:
    related = event.get("related_object") or {}
    return str(related["id"]) if related.get("type") == "v2.core.account" else ""


def payment(intent: dict[str, Any]) -> Report:
    """A PaymentIntent; with its latest charge and its method, where they were asked for too."""
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {}
    returned = int(charge.get("amount_refunded", 0))
    action = (intent.get("next_action") or {}).get("redirect_to_url") or {}
    meta = intent.get("metadata") or {}
    return Report(
        id=str(intent["id"]),
        key=str(meta.get("key", "")),
        purchase=str(meta.get("purchase", "")),
        state=_after(_state(intent), returned, int(intent["amount"])),
        amount=_money(intent),
        refunded_minor=returned,
        failure=_failure(intent),
        redirect_url=str(action.get("url", "")),
        client_secret="" if action else str(intent.get("client_secret") or ""),
        saved=_saved(intent.get("payment_method")),
        group=str(intent.get("transfer_group") or ""),
        fee=_fee(charge),
    )


def _state(intent: dict[str, Any]) -> PaymentState:
    """A payment that was only made waits for its method. With an error it had one, and an attempt is one try.

    On a hosted page, though, the buyer may try another method for as long as the page is open.
    """
    if intent["status"] == "requires_payment_method" and intent.get("last_payment_error"):
        is_hosted = (intent.get("metadata") or {}).get("hosted")
        return PaymentState.REQUIRES_ACTION if is_hosted else PaymentState.FAILED
    return STATES[intent["status"]]


def _failure(intent: dict[str, Any]) -> str:
    error = intent.get("last_payment_error") or {}
    if error.get("decline_code") in SAID_AS_IT_IS:
        return str(error["decline_code"])
    return str(error.get("code") or intent.get("cancellation_reason") or "")


def page(session: dict[str, Any]) -> Report:
    """A hosted page: it stands for its payment until there is one."""
    inner = session.get("payment_intent")
    meta = session.get("metadata") or {}
    is_paid = session.get("payment_status") == "paid"
    return Report(
        id=str((inner.get("id") if isinstance(inner, dict) else inner) or session["id"]),
        key=str(meta.get("key", "")),
        purchase=str(meta.get("purchase", "")),
        state=PaymentState.PAID if is_paid else PAGES[session["status"]],
        amount=Money(int(session["amount_total"]), str(session["currency"]).upper()),
        failure="abandoned" if session["status"] == "expired" else "",
        redirect_url=str(session.get("url") or ""),
        group=str(meta.get("group", "")),
    )


def _charge(charge: dict[str, Any]) -> Report | None:
    if not charge.get("payment_intent"):  # made outside of this shop
        return None
    meta = charge.get("metadata") or {}
    returned = int(charge["amount_refunded"])
    state = CHARGES[charge["status"]]
    if state == PaymentState.FAILED and meta.get("hosted"):  # a try: the page is open, as in `_state`
        state = PaymentState.REQUIRES_ACTION
    return Report(
        id=str(charge["payment_intent"]),
        key=str(meta.get("key", "")),
        purchase=str(meta.get("purchase", "")),
        state=_after(state, returned, int(charge["amount"])),
        amount=_money(charge),
        refunded_minor=returned,
        failure=str(charge.get("failure_code") or ""),
        group=str(charge.get("transfer_group") or ""),
        fee=_fee(charge),
    )


def _after(state: PaymentState, returned: int, amount: int) -> PaymentState:
    if returned == 0:
        return state
    return PaymentState.REFUNDED if returned >= amount else PaymentState.PART_REFUNDED


def _money(thing: dict[str, Any]) -> Money:
    return Money(int(thing["amount"]), str(thing["currency"]).upper())


def _fee(charge: dict[str, Any]) -> Money | None:
    """What the gateway kept, where the movement that says so was asked for too."""
    movement = charge.get("balance_transaction")
    if not isinstance(movement, dict):
        return None
    return Money(int(movement["fee"]), str(movement["currency"]).upper())


def _saved(method: Any) -> SavedCard | None:
    """A method that may be used again; one that is only an id was not asked for in full."""
    if not isinstance(method, dict) or not method.get("customer"):
        return None
    card = method.get("card") or {}
    return SavedCard(str(method["id"]), f"{str(card.get('brand', '')).title()} {card.get('last4', '')}".strip())


def refund(thing: dict[str, Any]) -> RefundReport:
    """A refund; without a status it is an old one, which was done at once."""
    status = REFUNDS.get(thing.get("status") or "succeeded", RefundStatus.PENDING)
    key = str((thing.get("metadata") or {}).get("key") or "")
    made_at = datetime.fromtimestamp(int(thing["created"]), UTC) if "created" in thing else None
    return RefundReport(str(thing["id"]), _money(thing), status, str(thing.get("payment_intent") or ""), key, made_at)


def _dispute(thing: dict[str, Any]) -> DisputeReport | None:
    state = DISPUTES.get(thing["status"])
    if state is None or not thing.get("payment_intent"):
        return None
    return DisputeReport(
        str(thing["id"]), str(thing["payment_intent"]), _money(thing), state, str(thing.get("reason") or "")
    )
