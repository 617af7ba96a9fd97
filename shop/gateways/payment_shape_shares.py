"""The shape of Stripe's transfers, accounts and statements of account, which the sandbox speaks too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shop.gateways.payment_port import AccountReport, AccountState, Movement, ReversalReport, TransferReport
from shop.money import Money

# By Stripe's `reporting_category`; what is not listed is "other".
MOVEMENTS = {
    "charge": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "transfer": "transfer",
    "transfer_reversal": "reversal",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
}
LOOKED_AT = ("determining_status", "requirements_pending_verification")


def transfer(thing: dict[str, Any]) -> TransferReport:
    """A transfer, and how much of it came back."""
    return TransferReport(
        str(thing["id"]),
        _money(thing),
        int(thing["amount_reversed"]),
        account=str(thing.get("destination") or ""),
        group=str(thing.get("transfer_group") or ""),
        key=_key(thing),
    )


def reversal(thing: dict[str, Any]) -> ReversalReport:
    """A part of a transfer that came back."""
    whose = thing["transfer"]
    named = whose["id"] if isinstance(whose, dict) else whose
    return ReversalReport(str(thing["id"]), str(named), _money(thing), _key(thing))


def _money(thing: dict[str, Any]) -> Money:
    return Money(int(thing["amount"]), str(thing["currency"]).upper())


def _key(thing: dict[str, Any]) -> str:
    return str((thing.get("metadata") or {}).get("key") or "")


def account(thing: dict[str, Any]) -> AccountReport:
    """A seller's account: its one capability that matters here, and what the gateway still wants to know."""
    recipient = (thing.get("configuration") or {}).get("recipient") or {}
    balance = (recipient.get("capabilities") or {}).get("stripe_balance") or {}
    entries = (thing.get("requirements") or {}).get("entries") or []
    wanted = tuple(str(entry.get("description") or "") for entry in entries)
    return AccountReport(str(thing["id"]), _standing(balance.get("stripe_transfers") or {}), wanted)


def _standing(transfers: dict[str, Any]) -> AccountState:
    status = transfers.get("status", "pending")
    codes = {detail.get("code") for detail in transfers.get("status_details") or []}
    if status == "active":
        return AccountState.ACTIVE
    return AccountState.PENDING if status == "pending" or codes & set(LOOKED_AT) else AccountState.RESTRICTED


def movement(thing: dict[str, Any]) -> Movement:
    """A line of the statement of account, with what it is about."""
    source = thing.get("source")
    source = source if isinstance(source, dict) else {"id": source}
    of, itself = _about(source)
    currency = str(thing["currency"]).upper()
    return Movement(
        id=str(thing["id"]),
        kind=MOVEMENTS.get(str(thing.get("reporting_category")), "other"),
        of=of,
        source=itself,
        amount=Money(int(thing["amount"]), currency),
        fee=Money(int(thing["fee"]), currency),
        at=datetime.fromtimestamp(int(thing["created"]), UTC),
    )


def _about(source: dict[str, Any]) -> tuple[str, str]:
    """The payment that a movement belongs to, and what moved."""
    itself, kind = str(source.get("id") or ""), source.get("object")
    if kind == "transfer":
        return str((source.get("metadata") or {}).get("payment", "")), itself
    if kind == "transfer_reversal":
        return "", str(source.get("transfer") or "")
    payment = str(source.get("payment_intent") or "")
    return payment, payment or itself if kind == "charge" else itself
