"""What the shop asks of whoever moves the money, in the shop's own words. Each gateway speaks it in its own file.

A gateway is never called while a transaction is open: it may take seconds, and others would wait for our rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shop.models import PaymentState
from shop.money import Money


class GatewayError(Exception):
    """The gateway did not do it."""


class UnreachableError(GatewayError):
    """No answer, or one that says nothing: it may have happened or not. Asking again with the same key is safe."""


class RejectedError(GatewayError):
    """The gateway understood, and will not: asking the same again gives the same. `code` is its own word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class KeyConflictError(RejectedError):
    """This idempotency key was used before, for another request."""

    def __init__(self) -> None:
        super().__init__("idempotency_error")


class ForgedError(GatewayError):
    """This call does not come from the gateway, or it was made too long ago."""


@dataclass(frozen=True, slots=True)
class Request:
    """A payment as it is asked for, frozen: with one key it is sent the same however often it has to be sent."""

    key: str
    amount_minor: int
    currency: str
    method: str
    purchase: str  # its code; it comes back in what the gateway tells
    return_path: str  # where the buyer comes back to after another page, within the shop
    customer: str = ""
    saved_method: str = ""  # the gateway's own id of it
    wants_saving: bool = False


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A way to pay that the gateway keeps for next time."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the gateway says about one payment at one moment. Later ones may arrive earlier."""

    id: str
    key: str  # ours, as it came with the request; empty when the payment is not the shop's
    purchase: str
    state: PaymentState
    amount: Money
    refunded_minor: int = 0  # all refunds so far together
    failure: str = ""
    redirect_url: str = ""
    client_secret: str = ""
    saved: SavedCard | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A signed call of the gateway: something happened. `report` is None for what the shop has no use for."""

    id: str
    kind: str
    report: Report | None


@dataclass(frozen=True, slots=True)
class RefundReport:
    """A refund that the gateway accepted."""

    id: str
    amount: Money


class PaymentGateway(Protocol):
    """Create, look at and refund payments; and tell what happened to them."""

    name: str

    def create_payment(self, request: Request) -> Report:
        """Start a payment. The same request again gets the same answer; its key with another: `KeyConflictError`."""

    def get_payment(self, payment: str) -> Report:
        """How the payment stands now."""

    def refund(self, payment: str, amount: Money, *, key: str) -> RefundReport:
        """Give back, at most what is left of the payment; once for each key."""

    def list_events(self, since: datetime) -> Sequence[dict[str, Any]]:
        """Everything that happened since then, oldest first, as it is also sent."""

    def verify_webhook(self, raw: bytes, header: str | None) -> Notice:
        """Read a call that claims to come from the gateway, or raise `ForgedError`."""

    def read_notice(self, body: str) -> Notice:
        """Read a call that was verified before."""


# How an attempt to pay ended, for the page that comes next


@dataclass(frozen=True, slots=True)
class Paid:
    """The money is there."""


@dataclass(frozen=True, slots=True)
class Processing:
    """It is on its way, or we do not know yet; the page looks again."""


@dataclass(frozen=True, slots=True)
class NeedsRedirect:
    """The buyer goes on at `url`, a page of their bank."""

    url: str


@dataclass(frozen=True, slots=True)
class NeedsClientAction:
    """The gateway's own script goes on in the page, with this secret."""

    secret: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It did not work, and nothing was paid; `code` is a word that `payments.explain` puts in words."""

    code: str


Outcome = Paid | Processing | NeedsRedirect | NeedsClientAction | Declined
