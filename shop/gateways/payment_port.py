"""What the shop asks of whoever moves the money, in the shop's own words. Each gateway speaks it in its own file.

A gateway is never called while a transaction is open: it may take seconds, and others would wait for our rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from shop.models import PaymentState
from shop.money import Money

# A gateway forgets a key after a day: the same request would then be a new one, and money would move twice.
KEYS_LAST = timedelta(hours=23)


class GatewayError(Exception):
    """The gateway did not do it."""


class UnreachableError(GatewayError):
    """No answer, or one that says nothing: it may have happened or not. Asking again with the same key is safe."""


class NotAskedError(UnreachableError):
    """It did not answer lately, so this was not even sent: nothing has happened."""


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
    group: str = ""  # ties the payment to the transfers that share it out; it comes back in what the gateway tells
    customer: str = ""  # the gateway's own id of who pays, if it knows them
    saved_method: str = ""  # the gateway's own id of it
    token: str = ""  # what the gateway's own fields in the page made of a card or a wallet: good for one payment
    is_hosted: bool = False  # the buyer chooses and pays on a page of the gateway's
    wants_saving: bool = False
    payer_name: str = ""  # some methods want to know who pays (Bancontact)
    payer_email: str = ""
    expires_at: int = 0  # seconds since 1970: when a hosted page closes, at least 30 minutes from now; 0: after a day


def is_page(gateway_id: str) -> bool:
    """Is this the id of a hosted page? The id of the payment takes its place once there is one."""
    return gateway_id.removeprefix("sbx_").startswith("cs_")


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A way to pay that the gateway keeps for next time."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the gateway says about one payment at one moment. Later ones may arrive earlier.

    Of a hosted page `id` is the page's own (see `is_page`) until somebody pays there; from then on it is the payment's.
    The events of a gateway leave `saved` and `fee` out: `get_payment` tells them.
    """

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
    group: str = ""
    fee: Money | None = None  # what the gateway kept for itself, once it says so


class DisputeState(StrEnum):
    """How far a bank is that takes money back for its customer."""

    OPEN = "open"
    WON = "won"  # the money is back with us
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """A buyer's bank takes the money back, or gives it back after all. Later ones may arrive earlier."""

    id: str
    payment: str
    amount: Money
    state: DisputeState
    reason: str


class RefundStatus(StrEnum):
    """How a refund stands at the gateway."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # the money is back with us: the buyer has to be paid in another way


@dataclass(frozen=True, slots=True)
class RefundReport:
    """A refund that the gateway accepted, or what became of it."""

    id: str
    amount: Money
    status: RefundStatus = RefundStatus.DONE
    payment: str = ""
    key: str = ""  # ours, as it came with the request; empty when the refund is not the shop's
    made_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """One seller's share of a payment, on its way to them."""

    key: str
    payment: str  # the gateway's id of the payment that it comes out of
    account: str  # the gateway's id of the account that it goes to
    amount: Money
    group: str
    order: str  # its code


@dataclass(frozen=True, slots=True)
class TransferReport:
    """A transfer, and how much of it was taken back so far."""

    id: str
    amount: Money
    reversed_minor: int = 0
    account: str = ""
    group: str = ""
    key: str = ""  # ours, as it came with the request


@dataclass(frozen=True, slots=True)
class ReversalReport:
    """A part of a transfer that was taken back."""

    id: str
    transfer: str
    amount: Money
    key: str = ""  # ours, as it came with the request


class AccountState(StrEnum):
    """May money be transferred to a seller's account? Only `ACTIVE` says yes."""

    PENDING = "pending"  # the gateway still wants to know something, or is looking at it
    ACTIVE = "active"
    RESTRICTED = "restricted"  # it may not; a seller who never was active may only have to tell more: see `wanted`


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """A seller who wants to be paid. The gateway asks them for the rest on its own page."""

    key: str
    seller: str  # our handle of the seller; it comes back
    name: str
    email: str
    country: str
    is_business: bool


@dataclass(frozen=True, slots=True)
class AccountReport:
    """A seller's account with the gateway; `wanted` are the gateway's own words for what is still missing."""

    id: str
    state: AccountState
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved at the gateway, for the books to be held against."""

    id: str
    kind: str  # payment | refund | transfer | reversal | dispute | other
    of: str  # the payment that it belongs to; empty where the gateway does not say so (a reversal, a fee)
    source: str  # the gateway's id of what moved: the payment, refund, transfer (also of a reversal) or dispute itself
    amount: Money  # as it moved our balance, before the fee: a refund is negative, one that failed is positive
    fee: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A signed call of the gateway: what happened is in one of the fields, or of no use to the shop."""

    id: str
    kind: str
    report: Report | None
    dispute: DisputeReport | None = None
    refund: RefundReport | None = None
    account: str = ""  # a seller's account that changed: read it again
    is_live: bool = False  # real money


class PaymentGateway(Protocol):
    """Create, look at and refund payments, share them out to sellers; and tell what happened.

    Every method may raise `UnreachableError` (it may have happened: ask again with the same key) or `RejectedError`,
    which is an answer like others: the same key gets it again for a day, so who wants to try again later (a seller had
    too little) does so with a new key.
    """

    name: str
    publishable_key: str  # for the gateway's own fields in the page; empty where there are none

    def create_payment(self, request: Request) -> Report:
        """Start a payment. The same request again gets the same answer; its key with another: `KeyConflictError`."""

    def get_payment(self, payment: str) -> Report:
        """How the payment stands now; `payment` may also be the id of a hosted page that `create_payment` gave."""

    def refund(self, payment: str, amount: Money, *, key: str) -> RefundReport:
        """Give back, at most what is left of the payment; once for each key."""

    def open_customer(self, person: str, email: str, *, key: str) -> str:
        """Make the gateway know somebody, so that it can keep their card; gives its id of them."""

    def forget_customer(self, customer: str) -> None:
        """Forget somebody with all that was kept for them. Who is forgotten already is no error."""

    def forget_method(self, method: str) -> None:
        """Forget a kept card. One that is forgotten already is no error."""

    def transfer(self, request: TransferRequest) -> TransferReport:
        """Hand a share of a payment to a seller's account, once for each key; `RejectedError` if it cannot be."""

    def reverse_transfer(self, transfer: str, amount: Money, *, key: str) -> TransferReport:
        """Take back part of a transfer. `RejectedError("balance_insufficient")` when the seller has too little."""

    def get_refund(self, refund: str) -> RefundReport:
        """How a refund stands now."""

    def get_transfer(self, transfer: str) -> TransferReport:
        """How a transfer stands now."""

    def get_reversal(self, transfer: str, reversal: str) -> ReversalReport:
        """What was taken back of a transfer under this id."""

    def open_account(self, request: AccountRequest) -> AccountReport:
        """Open a seller's account, which the seller then completes at `onboarding_link`."""

    def get_account(self, account: str) -> AccountReport:
        """How a seller's account stands now."""

    def onboarding_link(self, account: str, *, again_path: str, return_path: str) -> str:
        """A page of the gateway's where the seller tells what is missing; good for one visit, within minutes.

        From an outdated one they come to `again_path`, from a finished one to `return_path`, within the shop.
        """

    def list_events(self, since: datetime) -> Sequence[dict[str, Any]]:
        """What the shop reads of all that was sent to the endpoint "payments" since then, oldest first, as it was."""

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """All money that moved in that time (the end left out), in no promised order."""

    def verify_webhook(self, raw: bytes, header: str | None, *, endpoint: str = "payments") -> Notice:
        """Read a call that claims to come from the gateway, or raise `ForgedError`.

        Each endpoint ("payments", "accounts") has secrets of its own, more than one while they are being changed. A
        call of the other mode (play money in a shop of real money, or the reverse) is forged, whoever signed it.
        """

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
