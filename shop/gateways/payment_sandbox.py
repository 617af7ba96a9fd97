"""A payment company of our own: no account, no keys, and no money moves. It behaves like a real one.

What happens is chosen by name and never by a card number. Its memory is a table of its own, and its transactions are
its own: for the shop it is somebody else, who answers calls and tells by signed HTTP what happened to a payment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from shop.database import is_holding
from shop.gateways import payment_shape as shape
from shop.gateways import payment_shape_shares as shares_shape
from shop.gateways import sandbox_books as books
from shop.gateways import sandbox_disputes as disputes
from shop.gateways import sandbox_payments as payments
from shop.gateways import sandbox_shares as shares
from shop.gateways.payment_port import (
    AccountReport,
    AccountRequest,
    Movement,
    Notice,
    PaymentGateway,
    RefundReport,
    RejectedError,
    Report,
    Request,
    ReversalReport,
    TransferReport,
    TransferRequest,
    is_page,
)
from shop.gateways.sandbox_memory import Memory, Thing, named, things
from shop.gateways.sandbox_premises import Premises
from shop.money import Money


class SandboxGateway(Premises, PaymentGateway):
    """The `PaymentGateway` of a shop without keys."""

    name = "sandbox"
    publishable_key = ""

    def __init__(self, engine: Engine, secrets: Mapping[str, Sequence[str]]) -> None:
        self._engine = engine
        self._secrets = secrets

    def create_payment(self, request: Request) -> Report:
        """Start a payment whose course is named by its method, or by its token: "tok_" and a name."""
        return _report(self._once(request.key, asdict(request), lambda memory: _start(memory, request)))

    def get_payment(self, payment: str) -> Report:
        """How the payment stands now; one whose time has come moves on first."""
        with self.memory() as memory:
            return _report(current(memory, payment))

    def refund(self, payment: str, amount: Money, *, key: str) -> RefundReport:
        """Give back, once for each key; more than is left is refused."""
        asked = {"payment": payment, "minor": amount.minor, "currency": amount.currency}

        def give(memory: Memory) -> Thing:
            paid = memory.need(payment, "payment")
            return disputes.give_back(memory, paid, amount.minor, amount.currency.lower(), {"key": key})

        return shape.refund(self._once(key, asked, give))

    def open_customer(self, person: str, email: str, *, key: str) -> str:
        """Remember somebody; their address is not kept."""
        asked = {"person": person, "email": email}
        return str(self._once(key, asked, lambda memory: open_customer(memory, person))["id"])

    def forget_customer(self, customer: str) -> None:
        """Forget somebody, and their cards."""
        with self.memory() as memory:
            forget_customer(memory, customer)

    def forget_method(self, method: str) -> None:
        """Forget a kept card; nobody can pay with it again."""
        with self.memory() as memory:
            if found := memory.get(method, "method"):
                memory.change(method, body={**found, "customer": None})

    def transfer(self, request: TransferRequest) -> TransferReport:
        """Hand a share to a seller: at most what is left of the payment and was not given back."""
        amount = request.amount
        about = {"order": request.order, "payment": request.payment, "key": request.key}
        wish = shares.Share(request.account, amount.minor, amount.currency.lower(), request.group, about)

        def hand_over(memory: Memory) -> Thing:
            return shares.transfer(memory, memory.need(request.payment, "payment"), wish)

        return shares_shape.transfer(self._once(request.key, wish._asdict(), hand_over))

    def reverse_transfer(self, transfer: str, amount: Money, *, key: str) -> TransferReport:
        """Take back from the seller's balance, if it is still there; once for each key."""
        asked = {"transfer": transfer, "minor": amount.minor, "currency": amount.currency}

        def take(memory: Memory) -> Thing:
            return shares.reverse(memory, memory.need(transfer, "transfer"), amount.minor, {"key": key})

        return shares_shape.transfer(self._once(key, asked, take)["transfer"])

    def get_refund(self, refund: str) -> RefundReport:
        """How a refund stands now."""
        with self.memory() as memory:
            return shape.refund(disputes.ripe_refund(memory, memory.need(refund, "refund")))

    def get_transfer(self, transfer: str) -> TransferReport:
        """How a transfer stands now."""
        with self.memory() as memory:
            return shares_shape.transfer(memory.need(transfer, "transfer"))

    def get_reversal(self, transfer: str, reversal: str) -> ReversalReport:
        """What came back of a transfer under this name."""
        with self.memory() as memory:
            return shares_shape.reversal(shares.reversal_of(memory, transfer, reversal))

    def open_account(self, request: AccountRequest) -> AccountReport:
        """Open an account that waits for its seller."""
        account = self._once(request.key, asdict(request), lambda memory: shares.open_account(memory, request))
        return shares_shape.account(account)

    def get_account(self, account: str) -> AccountReport:
        """How a seller's account stands now."""
        with self.memory() as memory:
            return shares_shape.account(memory.need(account, "account"))

    def onboarding_link(self, account: str, *, again_path: str, return_path: str) -> str:
        """The sandbox's own page for it."""
        with self.memory() as memory:
            return f"/sandbox/account/{shares.open_link(memory, account, again_path, return_path)['id']}"

    def list_events(self, since: datetime) -> Sequence[dict[str, Any]]:
        """Everything that happened since then, oldest first."""
        with self.memory() as memory:
            told = memory.list("event", things.c.created_at >= since)
        return [one["event"] for one in told if one["door"] == "payments"]

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """All money that moved in that time."""
        with self.memory() as memory:
            found = books.movements(memory, int(since.timestamp()), int(until.timestamp()))
        return iter([shares_shape.movement(one) for one in found])

    def verify_webhook(self, raw: bytes, header: str | None, *, endpoint: str = "payments") -> Notice:
        """Read a call of ours, or raise `ForgedError`."""
        return shape.verify(raw, header, self._secrets[endpoint], endpoint=endpoint)

    def read_notice(self, body: str) -> Notice:
        """Read a call that was verified before."""
        return shape.notice(body)

    def _once(self, key: str, asked: Thing, do: Callable[[Memory], Thing]) -> Thing:
        """What is answered to this key, for ever the same; a refusal is remembered too."""
        with self.memory() as memory:
            answer = memory.once(key, asked, lambda: do(memory))
        if "rejected" in answer:
            raise RejectedError(str(answer["rejected"]))
        return answer

    @contextmanager
    def memory(self) -> Iterator[Memory]:
        """The sandbox's own transaction, for itself and for who plays with its things."""
        if is_holding():
            raise RuntimeError("a gateway is called inside a transaction: call database.let_go() first")
        with self._engine.begin() as connection:
            yield Memory(connection)


def open_customer(memory: Memory, person: str) -> Thing:
    """Somebody whose cards may be kept."""
    customer = {"id": named("cus"), "object": "customer", "metadata": {"person": person}, "livemode": False}
    memory.put(str(customer["id"]), "customer", customer)
    return customer


def forget_customer(memory: Memory, name: str) -> None:
    """Nobody is known by this name any more, and no card is kept for them."""
    if memory.get(name, "customer") is None:
        return
    memory.change(name, kind="forgotten")
    for method in memory.all("method"):
        if method["customer"] == name:
            memory.change(method["id"], body={**method, "customer": None})


def current(memory: Memory, name: str) -> Thing:
    """A payment or a page as it stands by now; a page that was paid is its payment."""
    if is_page(name):
        page = payments.ripe_page(memory, memory.need(name, "page"))
        return memory.need(page["payment_intent"], "payment") if page["payment_intent"] else page
    return payments.ripe(memory, memory.need(name, "payment"))


def _start(memory: Memory, request: Request) -> Thing:
    wish = payments.Wish(
        amount=request.amount_minor,
        currency=request.currency.lower(),
        course=request.token.removeprefix("tok_") or request.method,
        back=request.return_path,
        metadata={"key": request.key, "purchase": request.purchase},
        group=request.group,
        customer=request.customer,
        method=request.saved_method,
        keeps=request.wants_saving,
    )
    if not request.is_hosted:
        return payments.start(memory, wish)
    hosted = {**wish.metadata, "group": request.group, "hosted": "1"}
    return payments.open_page(memory, wish._replace(metadata=hosted))


def _report(thing: Thing) -> Report:
    return shape.page(thing) if thing["object"] == "checkout.session" else shape.payment(thing)
