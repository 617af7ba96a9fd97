"""Sellers' accounts with the sandbox, and the shares of payments that go to them and come back."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from shop import clock
from shop.gateways.payment_port import AccountRequest, RejectedError
from shop.gateways.sandbox_books import moved
from shop.gateways.sandbox_memory import Memory, Thing, named, stamp

LINKS_LAST = timedelta(minutes=5)
WANTED = ("identity.individual.verification", "external_account", "terms_of_service")


def open_account(memory: Memory, request: AccountRequest) -> Thing:
    """An account of which nothing is known yet but a name."""
    account: Thing = {
        "id": named("acct"),
        "object": "v2.core.account",
        "created": clock.now().isoformat(),
        "livemode": False,
        "display_name": request.name,
        "contact_email": request.email,
        "identity": {"country": request.country.lower()},
        "metadata": {"seller": request.seller, "key": request.key},
        "dashboard": "express",
        "balance": 0,
    }
    account |= _standing("pending", WANTED)
    memory.put(account["id"], "account", account)
    return account


def _standing(status: str, wanted: tuple[str, ...]) -> Thing:
    code, resolution = "requirements_past_due", "provide_info"
    details = [] if status == "active" else [{"code": code, "resolution": resolution}]
    transfers = {"status": status, "status_details": details}
    capabilities = {"stripe_balance": {"stripe_transfers": transfers}}
    return {
        "configuration": {"recipient": {"applied": True, "capabilities": capabilities}},
        "requirements": {"entries": [{"description": word} for word in wanted]},
    }


def become(memory: Memory, account: str, status: str) -> Thing:
    """An account may receive money from now on ("active"), or may not any more ("restricted")."""
    known = memory.need(account, "account")
    known |= _standing(status, () if status == "active" else WANTED[:1])
    memory.change(account, body=known)
    memory.tell_of_account(account)
    return known


def is_active(account: Thing) -> bool:
    """May money go there?"""
    balance = account["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    return bool(balance["stripe_transfers"]["status"] == "active")


def open_link(memory: Memory, account: str, again: str, back: str) -> Thing:
    """The way to a page where the seller completes their account: for once, and for minutes."""
    memory.need(account, "account")
    code = named("link")
    link = {"id": code, "account": account, "again": again, "back": back, "is_used": False}
    memory.put(code, "link", link, clock.now() + LINKS_LAST)
    return link


class Share(NamedTuple):
    """What a seller gets out of a payment."""

    destination: str
    amount: int
    currency: str
    group: str
    metadata: Thing


def transfer(memory: Memory, intent: Thing, wish: Share) -> Thing:
    """Hand a share of a payment to a seller: at most what is left of it, and what was not given back."""
    charge = intent["latest_charge"]
    if charge is None:
        raise RejectedError("resource_missing")
    shared = sum(one["amount"] - one["amount_reversed"] for one in shares_of(memory, intent))
    account = memory.need(wish.destination, "account")  # the account comes last, everywhere: nobody waits in a circle
    if not is_active(account):
        raise RejectedError("insufficient_capabilities_for_transfer")
    left = intent["amount"] - charge["amount_refunded"] - shared
    if wish.currency != intent["currency"] or not 0 < wish.amount <= left:
        raise RejectedError("amount_too_large")
    share: Thing = {
        "id": named("tr"),
        "object": "transfer",
        **{name: getattr(wish, name) for name in ("amount", "currency", "destination", "metadata")},
        "amount_reversed": 0,
        "reversed": False,
        "created": stamp(),
        "livemode": False,
        "source_transaction": charge["id"],
        "transfer_group": wish.group,
        "reversals": {"object": "list", "data": [], "has_more": False},
    }
    memory.put(share["id"], "transfer", share)
    memory.change(intent["id"], body={**intent, "shares": [*intent.get("shares", ()), share["id"]]})
    _pay(memory, account, wish.amount)
    moved(memory, "transfer", share, -wish.amount)
    memory.tell("transfer.created", share)
    return share


def shares_of(memory: Memory, intent: Thing) -> list[Thing]:
    """The transfers that came out of a payment so far."""
    return [memory.need(name, "transfer") for name in intent.get("shares", ())]


def _pay(memory: Memory, account: Thing, amount: int) -> None:
    memory.change(account["id"], body={**account, "balance": account["balance"] + amount})


def reverse(memory: Memory, share: Thing, amount: int, metadata: Thing) -> Thing:
    """Take back a part of a transfer, if the seller still has that much; gives the reversal, the transfer in it."""
    account = memory.need(share["destination"], "account")
    taken = share["amount_reversed"] + amount
    if amount <= 0 or taken > share["amount"]:
        raise RejectedError("amount_too_large")
    if amount > account["balance"]:
        raise RejectedError("balance_insufficient")
    share = {**share, "amount_reversed": taken, "reversed": taken == share["amount"]}
    reversal: Thing = {
        "id": named("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "currency": share["currency"],
        "created": stamp(),
        "transfer": share["id"],
        "metadata": metadata,
    }
    memory.put(str(reversal["id"]), "reversal", reversal)
    memory.change(share["id"], body=share)
    _pay(memory, account, -amount)
    moved(memory, "transfer_reversal", reversal, amount)
    memory.tell("transfer.reversed", share)
    return {**reversal, "transfer": share}


def reversal_of(memory: Memory, share: str, name: str) -> Thing:
    """What was taken back under this name, of this transfer."""
    found = memory.need(name, "reversal")
    if found["transfer"] != share:
        raise RejectedError("resource_missing")
    return found


def pay_out(memory: Memory, account: str) -> int:
    """The seller takes everything to their own bank: what is reversed later finds nothing. Gives how much it was."""
    known = memory.need(account, "account")
    balance = int(known["balance"])
    _pay(memory, known, -balance)
    return balance
