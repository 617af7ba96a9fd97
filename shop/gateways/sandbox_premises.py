"""What the sandbox does on its own premises: its pages for buyers and sellers, a bad day, and bringing events."""

from __future__ import annotations

import json
import urllib.request
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Engine

from shop import clock
from shop.gateways import payment_shape as shape
from shop.gateways import sandbox_disputes as disputes
from shop.gateways import sandbox_payments as payments
from shop.gateways import sandbox_shares as shares
from shop.gateways.payment_port import is_page
from shop.gateways.sandbox_memory import Memory, Thing, things
from shop.gateways.sandbox_weather import Weather

PATIENCE = 10  # seconds for the shop to take an event in
EVENTS_LAST = timedelta(days=3)  # so long they are sent again
DOORS = {"payments": "/webhooks/sandbox", "accounts": "/webhooks/sandbox/accounts"}  # of the shop


class Call(NamedTuple):
    """An event on its way to the shop."""

    event: str
    door: str
    body: str
    tries: int


class Premises:
    """The part of the sandbox that a real gateway keeps to itself."""

    _engine: Engine
    _secrets: Mapping[str, Sequence[str]]

    @abstractmethod
    def memory(self) -> AbstractContextManager[Memory]:
        """The sandbox's own transaction."""

    def at_the_bank(self, payment: str) -> tuple[Thing, bool] | None:
        """A payment, or a page, that the bank shows, and whether it waits for an answer; None if there is none such."""
        with self._engine.execution_options(begin="read").connect() as connection:
            memory = Memory(connection)
            found = memory.look(payment, "page" if is_page(payment) else "payment")
            is_open = found is not None and found["status"] in ("requires_action", "open")
            return (found, is_open and not memory.is_due(payment)) if found else None

    def answer_at_the_bank(self, payment: str, end: str) -> Thing:
        """What the buyer pressed there; what is not waiting stays as it is."""
        with self.memory() as memory:
            if is_page(payment):
                page = payments.ripe_page(memory, memory.need(payment, "page"))
                return payments.answer_page(memory, page, end) if page["status"] == "open" else page
            intent = payments.ripe(memory, memory.need(payment, "payment"))
            return payments.finish(memory, intent, end) if intent["status"] == "requires_action" else intent

    def at_the_desk(self, link: str) -> tuple[Thing, bool] | None:
        """A link to a seller's account, and whether it is still good; None if there is none such."""
        with self._engine.execution_options(begin="read").connect() as connection:
            memory = Memory(connection)
            found = memory.look(link, "link")
            return (found, not found["is_used"] and not memory.is_due(link)) if found else None

    def answer_at_the_desk(self, link: str, *, is_complete: bool) -> str:
        """What the seller pressed there; gives the path where they go on."""
        with self.memory() as memory:
            found = memory.need(link, "link")
            if found["is_used"] or memory.is_due(link):
                return str(found["again"])
            memory.change(link, body={**found, "is_used": True})
            if is_complete:
                shares.become(memory, found["account"], "active")
            return str(found["back"])

    def restrict(self, account: str) -> None:
        """The seller may not receive money any more, until they complete their account again."""
        with self.memory() as memory:
            shares.become(memory, account, "restricted")

    def activate(self, account: str) -> None:
        """As if the seller had completed their account."""
        with self.memory() as memory:
            shares.become(memory, account, "active")

    def pay_out(self, account: str) -> int:
        """The seller takes everything to their own bank, so that what is reversed finds nothing; gives the cents."""
        with self.memory() as memory:
            return shares.pay_out(memory, account)

    def dispute(self, payment: str, reason: str = "fraudulent") -> str:
        """The buyer's bank takes a payment back; gives the dispute's id."""
        with self.memory() as memory:
            paid = disputes.open_dispute(memory, memory.need(payment, "payment"), reason)
            return str(paid["latest_charge"]["dispute"])

    def end_dispute(self, dispute: str, *, is_won: bool) -> None:
        """The bank gives the money back after all, or keeps it."""
        with self.memory() as memory:
            disputes.end_dispute(memory, memory.need(dispute, "dispute"), "won" if is_won else "lost")

    def fail_refund(self, refund: str) -> None:
        """A refund comes back: the buyer's bank does not take it."""
        with self.memory() as memory:
            disputes.end_refund(memory, memory.need(refund, "refund"), "failed")

    def weather(self) -> Weather:
        """How events travel at present."""
        with self.memory() as memory:
            return memory.weather()

    def set_weather(self, weather: Weather) -> None:
        """From now on events travel so; the delay is that of events still to come."""
        with self.memory() as memory:
            memory.set_weather(weather)

    # Events

    def deliver(self, base_url: str) -> None:
        """Bring the shop every event that is due, as the weather allows."""
        weather = self.weather()
        for call in weather.order(self.due_calls()):
            is_received = False
            if not weather.is_lost(call.tries):
                signature = shape.sign(call.body, self._secrets[call.door])
                is_received = self.post(f"{base_url}{DOORS[call.door]}", call.body, signature)
            self._note_delivery(call, is_received=is_received and not weather.is_unheard(call.tries))

    def due_calls(self) -> list[Call]:
        """Events that have to be sent now, oldest first; what had to happen by now happens before."""
        now = clock.now()
        with self.memory() as memory:
            for intent in memory.all("payment", things.c.due_at <= now):
                payments.ripe(memory, intent)
            for page in memory.all("page", things.c.due_at <= now):
                payments.ripe_page(memory, page)
            for refund in memory.all("refund", things.c.due_at <= now):
                disputes.ripe_refund(memory, refund)
            due = memory.list("event", things.c.due_at <= now)
        return [Call(one["event"]["id"], one["door"], _written(one["event"]), one["tries"]) for one in due]

    def _note_delivery(self, call: Call, *, is_received: bool) -> None:
        """Remember that an event arrived, else when to send it again: later and later, for three days."""
        with self.memory() as memory:
            known = memory.need(call.event, "event")
            waited = clock.now() - memory.created(call.event)
            again = clock.now() + max(timedelta(seconds=5), waited)
            is_over = is_received or waited > EVENTS_LAST
            body = {**known, "tries": call.tries + 1}
            memory.change(call.event, body=body, due_at=None if is_over else again)

    def post(self, address: str, body: str, signature: str) -> bool:
        """Bring one event to the shop's door; says whether it was taken in."""
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        call = urllib.request.Request(address, body.encode(), headers)  # noqa: S310  the shop's own address
        try:
            with urllib.request.urlopen(call, timeout=PATIENCE) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


def _written(event: Thing) -> str:
    return json.dumps(event, separators=(",", ":"))
