"""Money that the sandbox gives back: because the shop wants it to, or because the buyer's bank takes it."""

from __future__ import annotations

from datetime import timedelta

from shop import clock
from shop.gateways.payment_port import RejectedError
from shop.gateways.sandbox_books import DISPUTE_FEE, moved
from shop.gateways.sandbox_memory import Memory, Thing, named, stamp

REFUND_TAKES = timedelta(seconds=20)  # one that does not arrive at once
_LATER = {"refund_fails": "failed", "refund_slow": "succeeded"}


def give_back(memory: Memory, intent: Thing, minor: int, currency: str, metadata: Thing | None = None) -> Thing:
    """Give back a part of a payment; together they are never more than it."""
    charge = intent["latest_charge"]
    if charge is None or currency != intent["currency"]:
        raise RejectedError("charge_not_refundable")
    returned = charge["amount_refunded"] + minor
    if minor <= 0 or returned > intent["amount"]:
        raise RejectedError("refund_greater_than_charge")
    becomes = _LATER.get(intent["payment_method"]["course"], "")
    refund: Thing = {
        "id": named("re"),
        "object": "refund",
        "payment_intent": intent["id"],
        "charge": charge["id"],
        "amount": minor,
        "currency": currency,
        "created": stamp(),
        "status": "pending" if becomes else "succeeded",
        "becomes": becomes,
        "metadata": metadata or {},
    }
    memory.put(refund["id"], "refund", refund, clock.now() + REFUND_TAKES if becomes else None)
    moved(memory, "refund", refund, -minor)
    memory.tell("charge.refunded", with_charge(memory, intent, amount_refunded=returned)["latest_charge"])
    return refund


def ripe_refund(memory: Memory, refund: Thing) -> Thing:
    """The refund, after what had to happen to it by now."""
    if refund["status"] != "pending" or not memory.is_due(refund["id"]):
        return refund
    return end_refund(memory, refund, refund["becomes"])


def end_refund(memory: Memory, refund: Thing, status: str) -> Thing:
    """A refund arrives, or comes back: "failed" may also follow on one that had succeeded."""
    if refund["status"] == "failed":
        return refund
    refund = {**refund, "status": status}
    memory.change(refund["id"], body=refund, due_at=None)
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
        moved(memory, "refund_failure", refund, refund["amount"])
        intent = memory.need(refund["payment_intent"], "payment")
        with_charge(memory, intent, amount_refunded=intent["latest_charge"]["amount_refunded"] - refund["amount"])
        memory.tell("refund.failed", refund)
    memory.tell("charge.refund.updated", refund)
    return refund


def with_charge(memory: Memory, intent: Thing, **changes: object) -> Thing:
    """A payment whose charge has changed."""
    charge = {**intent["latest_charge"], **changes}
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    intent = {**intent, "latest_charge": charge}
    memory.change(intent["id"], body=intent)
    return intent


# A bank that takes money back


def open_dispute(memory: Memory, intent: Thing, reason: str = "fraudulent") -> Thing:
    """The buyer's bank takes all of a payment back, once, and the sandbox wants something for the trouble."""
    charge = intent["latest_charge"]
    if charge is None or charge["disputed"]:
        raise RejectedError("charge_not_disputable")
    dispute = {
        "id": named("du"),
        "object": "dispute",
        "payment_intent": intent["id"],
        "charge": charge["id"],
        "amount": charge["amount"] - charge["amount_refunded"],
        "currency": charge["currency"],
        "created": stamp(),
        "status": "needs_response",
        "reason": reason,
    }
    memory.put(str(dispute["id"]), "dispute", dispute)
    moved(memory, "dispute", dispute, -dispute["amount"], DISPUTE_FEE)
    memory.tell("charge.dispute.created", dispute)
    return with_charge(memory, intent, disputed=True, dispute=dispute["id"])


def end_dispute(memory: Memory, dispute: Thing, status: str) -> Thing:
    """It is "won", and the money is back, or "lost"; once."""
    if dispute["status"] != "needs_response":
        return dispute
    dispute = {**dispute, "status": status}
    memory.change(dispute["id"], body=dispute)
    if status == "won":
        moved(memory, "dispute_reversal", dispute, dispute["amount"])
    memory.tell("charge.dispute.closed", dispute)
    return dispute
