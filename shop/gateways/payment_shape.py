"""The shape of Stripe's payments, events and signatures, which the sandbox speaks too: one inbox reads both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from shop import clock
from shop.gateways.payment_port import ForgedError, Notice, Report, SavedCard
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


def sign(body: str, secrets: Sequence[str], at: int | None = None) -> str:
    """The signature header for a body; more than one secret while they are being changed."""
    at = int(clock.now().timestamp()) if at is None else at
    signed = [WebhookSignature.generate_signature_header(body, secret, at).partition(",")[2] for secret in secrets]
    return ",".join([f"t={at}", *signed])


def verify(raw: bytes, header: str | None, secrets: Sequence[str]) -> Notice:
    """Check with Stripe's own code that one of our secrets signed these very bytes, and lately; else `ForgedError`."""
    if not any(_is_signed(raw, header, secret) for secret in secrets):
        raise ForgedError("signature")
    stamp = int(str(header).partition("t=")[2].partition(",")[0])
    if abs(clock.now().timestamp() - stamp) > TOLERANCE:  # Stripe's own check lets the future pass
        raise ForgedError("stamp")
    try:
        return notice(raw.decode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ForgedError("shape") from error


def _is_signed(raw: bytes, header: str | None, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(raw, header, secret))
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


def notice(body: str) -> Notice:
    """An event as it was sent; those about anything but a payment have no report."""
    event = json.loads(body)
    thing = event["data"]["object"]
    readers = {"payment_intent": payment, "charge": _charge}
    reader = readers.get(thing.get("object"))
    return Notice(str(event["id"]), str(event["type"]), reader(thing) if reader else None)


def payment(intent: dict[str, Any]) -> Report:
    """A PaymentIntent, with its latest charge where that was asked for too."""
    charge = intent.get("latest_charge")
    returned = int(charge.get("amount_refunded", 0)) if isinstance(charge, dict) else 0
    error = intent.get("last_payment_error") or {}
    action = (intent.get("next_action") or {}).get("redirect_to_url") or {}
    meta = intent.get("metadata") or {}
    # A payment that was only made waits for its method. With an error it had one, and an attempt is one try.
    state = PaymentState.FAILED if error and intent["status"] == "requires_payment_method" else STATES[intent["status"]]
    return Report(
        id=str(intent["id"]),
        key=str(meta.get("key", "")),
        purchase=str(meta.get("purchase", "")),
        state=_after(state, returned, int(intent["amount"])),
        amount=Money(int(intent["amount"]), str(intent["currency"]).upper()),
        refunded_minor=returned,
        failure=str(error.get("code") or intent.get("cancellation_reason") or ""),
        redirect_url=str(action.get("url", "")),
        client_secret="" if action else str(intent.get("client_secret") or ""),
        saved=_saved(intent.get("payment_method")),
    )


def _charge(charge: dict[str, Any]) -> Report:
    meta = charge.get("metadata") or {}
    returned, amount = int(charge["amount_refunded"]), int(charge["amount"])
    state = {"succeeded": PaymentState.PAID, "pending": PaymentState.PROCESSING, "failed": PaymentState.FAILED}
    return Report(
        id=str(charge["payment_intent"]),
        key=str(meta.get("key", "")),
        purchase=str(meta.get("purchase", "")),
        state=_after(state[charge["status"]], returned, amount),
        amount=Money(amount, str(charge["currency"]).upper()),
        refunded_minor=returned,
        failure=str(charge.get("failure_code") or ""),
    )


def _after(state: PaymentState, returned: int, amount: int) -> PaymentState:
    if returned == 0:
        return state
    return PaymentState.REFUNDED if returned >= amount else PaymentState.PART_REFUNDED


def _saved(method: Any) -> SavedCard | None:
    """A method that may be used again; one that is only an id was not asked for in full."""
    if not isinstance(method, dict) or not method.get("customer"):
        return None
    card = method.get("card") or {}
    return SavedCard(str(method["id"]), f"{str(card.get('brand', '')).title()} {card.get('last4', '')}".strip())
