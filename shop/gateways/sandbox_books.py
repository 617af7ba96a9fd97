"""The sandbox's own books: what it keeps for itself, and each movement of money, as a statement of account shows it."""

from __future__ import annotations

from shop.gateways.sandbox_memory import Memory, Thing, collapsed, ordered, stamp
from shop.models import SandboxObject

DISPUTE_FEE = 1500  # cents
# Stripe's `type` where it is another word than the `reporting_category`.
TYPES = {"dispute": "adjustment", "dispute_reversal": "adjustment", "transfer_reversal": "transfer_refund"}

_named = SandboxObject.__table__.c.name


def fee_of(amount: int) -> int:
    """What the sandbox keeps of a payment, in cents: 1.5 % and 25 cents, half a cent rounded up."""
    return (amount * 15 + 500) // 1000 + 25


def moved(memory: Memory, kind: str, source: Thing, amount: int, fee: int = 0) -> Thing:
    """Write down that `amount` cents came (or, below zero, went), and what it cost."""
    movement = {
        "id": ordered("txn"),
        "object": "balance_transaction",
        "type": TYPES.get(kind, kind),
        "reporting_category": kind,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": source["currency"],
        "created": stamp(),
        "source": collapsed(source),
    }
    memory.put(str(movement["id"]), "movement", movement)
    return {**movement, "source": source["id"]}


def movements(memory: Memory, since: int, until: int) -> list[Thing]:
    """All movements in that time (seconds, the end left out), oldest first."""
    return [one for one in memory.list("movement") if since <= one["created"] < until]
