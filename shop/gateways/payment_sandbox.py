"""A payment company of our own: no account, no keys, and no money moves. It behaves like a real one.

What happens is chosen by name and never by a card number. Its memory is a table of its own, and its transactions are
its own: for the shop it is somebody else, who answers calls and tells by signed HTTP what happened to a payment.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, select, update

from shop import clock
from shop.database import insert, is_holding
from shop.gateways import payment_shape as shape
from shop.gateways.payment_port import (
    KeyConflictError,
    Notice,
    PaymentGateway,
    RefundReport,
    RejectedError,
    Report,
    Request,
)
from shop.models import SandboxObject
from shop.money import Money

KEYS_LAST = timedelta(hours=24)
BANK_WAITS = timedelta(minutes=15)  # for an answer on its page
SLOW = timedelta(seconds=20)  # from "processing" to the result
PATIENCE = 10  # seconds for the shop to take an event in
EVENTS_LAST = timedelta(days=3)  # so long they are sent again

things = SandboxObject.__table__


class Course(NamedTuple):
    """What becomes of a payment: its first status, why it failed, and what it turns into by itself after a while."""

    status: str
    failure: str = ""
    later: str = ""
    after: timedelta = timedelta()


_AT_THE_BANK = Course("requires_action", later="expired", after=BANK_WAITS)
COURSES = {
    "ideal": _AT_THE_BANK,
    "bancontact": _AT_THE_BANK,
    "card": Course("succeeded"),
    "saved": Course("succeeded"),
    "card_declined": Course("requires_payment_method", failure="card_declined"),
    "insufficient_funds": Course("requires_payment_method", failure="insufficient_funds"),
    "authentication_required": _AT_THE_BANK,
    "slow_success": Course("processing", later="approved", after=SLOW),
    "slow_failure": Course("processing", later="failed", after=SLOW),
}
# How a payment ends that was waiting: its status, and the reason when it did not work.
ENDS = {
    "approved": ("succeeded", ""),
    "failed": ("requires_payment_method", "card_declined"),
    "cancelled": ("canceled", "abandoned"),
    "expired": ("requires_payment_method", "payment_intent_payment_attempt_expired"),
}
KINDS = {
    "succeeded": "payment_intent.succeeded",
    "processing": "payment_intent.processing",
    "requires_action": "payment_intent.requires_action",
    "requires_payment_method": "payment_intent.payment_failed",
    "canceled": "payment_intent.canceled",
}


class SandboxGateway(PaymentGateway):
    """The `PaymentGateway` of a shop without keys."""

    name = "sandbox"
    publishable_key = ""

    def __init__(self, engine: Engine, webhook_secrets: Sequence[str]) -> None:
        self._engine = engine
        self._secrets = webhook_secrets

    def create_payment(self, request: Request) -> Report:
        """Start a payment whose course its method names."""
        asked = asdict(request)
        with self._memory() as memory:
            answer = memory.answered(request.key, asked)
            if answer is None:
                answer = _start(memory, request)
                memory.answer(request.key, asked, answer)
        return shape.payment(answer)

    def get_payment(self, payment: str) -> Report:
        """How the payment stands now; one whose time has come moves on first."""
        with self._memory() as memory:
            return shape.payment(_ripe(memory, _known(memory, payment)))

    def refund(self, payment: str, amount: Money, *, key: str) -> RefundReport:
        """Give back, once for each key; more than is left is refused."""
        asked = {"payment": payment, "minor": amount.minor, "currency": amount.currency}
        with self._memory() as memory:
            refund = memory.answered(key, asked)
            if refund is None:
                refund = _give_back(memory, _known(memory, payment), amount)
                memory.answer(key, asked, refund)
        return RefundReport(str(refund["id"]), Money(refund["amount"], amount.currency))

    def list_events(self, since: datetime) -> Sequence[dict[str, Any]]:
        """Everything that happened since then, oldest first."""
        with self._memory() as memory:
            return memory.events(things.c.created_at >= since)

    def verify_webhook(self, raw: bytes, header: str | None) -> Notice:
        """Read a call of ours, or raise `ForgedError`."""
        return shape.verify(raw, header, self._secrets)

    def read_notice(self, body: str) -> Notice:
        """Read a call that was verified before."""
        return shape.notice(body)

    # What a real one does on its own premises: its bank page, and sending events

    def at_the_bank(self, payment: str) -> tuple[dict[str, Any], bool] | None:
        """A payment for the bank's own page, and whether it waits for an answer there; None if there is none such."""
        with self._engine.execution_options(begin="read").connect() as connection:
            memory = _Memory(connection)
            found = memory.look(payment, "payment")
            return (found, found["status"] == "requires_action" and not memory.is_due(payment)) if found else None

    def answer_at_the_bank(self, payment: str, end: str) -> dict[str, Any]:
        """What the buyer pressed there; a payment that is not waiting stays as it is."""
        with self._memory() as memory:
            intent = _ripe(memory, _known(memory, payment))
            return _finish(memory, intent, end) if intent["status"] == "requires_action" else intent

    def due_events(self) -> list[tuple[str, str, str]]:
        """Events that have to be sent now, oldest first: id, body and signature."""
        now = clock.now()
        with self._memory() as memory:
            for intent in memory.all("payment", things.c.due_at <= now):
                _ripe(memory, intent)
            due = memory.events(things.c.due_at <= now)
        bodies = [(str(event["id"]), json.dumps(event, separators=(",", ":"))) for event in due]
        return [(event, body, shape.sign(body, self._secrets)) for event, body in bodies]

    def note_delivery(self, event: str, *, is_received: bool) -> None:
        """Remember that an event arrived, else when to send it again: later and later, for three days."""
        with self._memory() as memory:
            made = memory.created(event)
            waited = clock.now() - made
            again = clock.now() + max(timedelta(seconds=5), waited)
            memory.change(event, due_at=None if is_received or waited > EVENTS_LAST else again)

    def post(self, address: str, body: str, signature: str) -> bool:
        """Bring one event to the shop's door; says whether it was taken in."""
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        call = urllib.request.Request(address, body.encode(), headers)  # noqa: S310  the shop's own address
        try:
            with urllib.request.urlopen(call, timeout=PATIENCE) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    @contextmanager
    def _memory(self) -> Iterator[_Memory]:
        if is_holding():
            raise RuntimeError("a gateway is called inside a transaction: call database.let_go() first")
        with self._engine.begin() as connection:
            yield _Memory(connection)


class _Memory:
    """The sandbox's table, within one of its short transactions."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute
        self._connection = connection

    def put(self, name: str, kind: str, body: dict[str, Any], due_at: datetime | None = None) -> None:
        self._run(things.insert().values(name=name, kind=kind, body=body, created_at=clock.now(), due_at=due_at))

    def look(self, name: str, kind: str) -> dict[str, Any] | None:
        row = self._run(select(things.c.body).where(things.c.name == name, things.c.kind == kind)).first()
        return dict(row.body) if row else None

    def get(self, name: str, kind: str) -> dict[str, Any] | None:
        """One thing; whoever else wants to change it waits for us."""
        query = select(things.c.body).where(things.c.name == name, things.c.kind == kind)
        row = self._run(query.with_for_update()).first()
        return dict(row.body) if row else None

    def all(self, kind: str, *which: Any) -> list[dict[str, Any]]:
        query = select(things.c.body).where(things.c.kind == kind, *which).order_by(things.c.name).with_for_update()
        return [dict(row.body) for row in self._run(query)]

    def events(self, *which: Any) -> list[dict[str, Any]]:
        query = select(things.c.body).where(things.c.kind == "event", *which)
        return [dict(row.body) for row in self._run(query.order_by(things.c.created_at, things.c.name))]

    def change(self, name: str, **values: Any) -> None:
        self._run(update(things).where(things.c.name == name).values(**values))

    def created(self, name: str) -> datetime:
        made: datetime = self._run(select(things.c.created_at).where(things.c.name == name)).scalar_one()
        return made

    def is_due(self, name: str) -> bool:
        due = select(things.c.name).where(things.c.name == name, things.c.due_at <= clock.now())
        return self._run(due).first() is not None

    def answered(self, key: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What was answered to this key in the last 24 hours; None makes the key ours. Who comes second waits."""
        name, print_of_it = f"key:{key}", _fingerprint(asked)
        self._run(delete(things).where(things.c.name == name, things.c.created_at < clock.now() - KEYS_LAST))
        row = {"name": name, "kind": "key", "body": {"asked": print_of_it}, "created_at": clock.now(), "due_at": None}
        mine = insert(things, self._connection).values(row).on_conflict_do_nothing().returning(things.c.name)
        if self._run(mine).first():
            return None
        known = self._run(select(things.c.body).where(things.c.name == name)).scalar_one()
        if known["asked"] != print_of_it:
            raise KeyConflictError
        return dict(known["answer"])

    def answer(self, key: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        self.change(f"key:{key}", body={"asked": _fingerprint(asked), "answer": answer})


def _start(memory: _Memory, request: Request) -> dict[str, Any]:
    course = COURSES.get(request.method)
    if course is None:
        raise RejectedError("payment_method_unknown")
    code = _name("pi")
    intent: dict[str, Any] = {
        "id": code,
        "object": "payment_intent",
        "amount": request.amount_minor,
        "currency": request.currency.lower(),
        "status": "requires_confirmation",
        "metadata": {"key": request.key, "purchase": request.purchase},
        "payment_method": _method(memory, request),
        "next_action": None,
        "last_payment_error": None,
        "latest_charge": None,
        "return_path": request.return_path,
        "becomes": course.later,
    }
    if course.status == "requires_action":
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": f"/sandbox/bank/{code}"}}
    memory.put(code, "payment", intent, clock.now() + course.after if course.later else None)
    return _become(memory, intent, course.status, course.failure)


def _method(memory: _Memory, request: Request) -> dict[str, Any] | None:
    """The saved method that is used, or the one that will be kept; None for what cannot be used again."""
    if request.method == "saved":
        found = memory.get(request.saved_method, "method")
        if found is None or found["customer"] != request.customer:
            raise RejectedError("resource_missing")
        return found
    if request.method != "card" or not (request.wants_saving and request.customer):
        return None
    card = {"brand": "visa", "last4": "4242"}
    method = {"id": _name("pm"), "object": "payment_method", "customer": request.customer, "card": card}
    memory.put(str(method["id"]), "method", method)
    return method


def _become(memory: _Memory, intent: dict[str, Any], status: str, failure: str = "") -> dict[str, Any]:
    """Move a payment to a status, and let an event tell of it."""
    intent = {**intent, "status": status}
    if failure:
        intent["last_payment_error"] = {"code": failure}
    if status == "succeeded":
        intent["latest_charge"] = _charge(intent, 0)
    if status != "requires_action":
        intent["next_action"] = None
    memory.change(intent["id"], body=intent)
    _tell(memory, KINDS[status], intent)
    return intent


def _finish(memory: _Memory, intent: dict[str, Any], end: str) -> dict[str, Any]:
    status, failure = ENDS[end]
    memory.change(intent["id"], due_at=None)
    return _become(memory, intent, status, failure)


def _ripe(memory: _Memory, intent: dict[str, Any]) -> dict[str, Any]:
    """The payment, after what had to happen to it by now."""
    is_waiting = intent["status"] in ("requires_action", "processing")
    if not is_waiting or not intent["becomes"] or not memory.is_due(intent["id"]):
        return intent
    return _finish(memory, intent, intent["becomes"])


def _known(memory: _Memory, payment: str) -> dict[str, Any]:
    found = memory.get(payment, "payment")
    if found is None:
        raise RejectedError("resource_missing")
    return found


def _give_back(memory: _Memory, intent: dict[str, Any], amount: Money) -> dict[str, Any]:
    charge = intent["latest_charge"]
    if charge is None or amount.currency.lower() != intent["currency"]:
        raise RejectedError("charge_not_refundable")
    returned = charge["amount_refunded"] + amount.minor
    if amount.minor <= 0 or returned > intent["amount"]:
        raise RejectedError("refund_greater_than_charge")
    refund = {"id": _name("re"), "object": "refund", "payment_intent": intent["id"], "amount": amount.minor}
    memory.put(str(refund["id"]), "refund", refund)
    intent = {**intent, "latest_charge": _charge(intent, returned)}
    memory.change(intent["id"], body=intent)
    _tell(memory, "charge.refunded", intent["latest_charge"])
    return refund


def _charge(intent: dict[str, Any], returned: int) -> dict[str, Any]:
    return {
        "id": intent["id"].replace("_pi_", "_ch_"),
        "object": "charge",
        "payment_intent": intent["id"],
        "status": "succeeded",
        "amount": intent["amount"],
        "amount_refunded": returned,
        "currency": intent["currency"],
        "metadata": intent["metadata"],
    }


def _tell(memory: _Memory, kind: str, thing: dict[str, Any]) -> None:
    """Write an event down; it goes out by HTTP, with the others, when a job comes for them."""
    code = f"sbx_evt_{time.time_ns():x}{secrets.token_hex(4)}"  # in the order of what happened
    made = int(clock.now().timestamp())
    event = {"id": code, "object": "event", "type": kind, "created": made, "livemode": False, "data": {"object": thing}}
    memory.put(code, "event", event, clock.now())


def _name(kind: str) -> str:
    return f"sbx_{kind}_{secrets.token_hex(12)}"


def _fingerprint(asked: dict[str, Any]) -> str:
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
