"""Real money, through Stripe: one payment for each purchase, and a transfer for each seller in it.

The shop is the merchant and hands the shares on ("separate charges and transfers"), since one cart has many sellers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import stripe

from shop import turn
from shop.database import is_holding
from shop.gateways import payment_shape as shape
from shop.gateways import payment_shape_shares as shares_shape
from shop.gateways import payment_stripe_words as words
from shop.gateways.payment_port import (
    AccountReport,
    AccountRequest,
    GatewayError,
    KeyConflictError,
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
    UnreachableError,
    is_page,
)
from shop.gateways.payment_stripe_line import Fuse, Line, within
from shop.money import Money

PATIENCE = 5.0  # seconds for an answer, all tries together
LISTS_TAKE = 60.0  # seconds for all pages of a list together
RETRIES = 2  # by the SDK, with the same key
SHOP = "Etalage"  # what the buyer reads on a hosted page


class StripeGateway(PaymentGateway):
    """The `PaymentGateway` of a shop with keys. It is made once for each process: the fuse and the line are in it."""

    name = "stripe"

    def __init__(
        self,
        secret_key: str,
        publishable_key: str,
        webhook_secrets: Mapping[str, Sequence[str]],
        base_url: str,
        *,
        patience: float = PATIENCE,
        api: str | None = None,
        http: stripe.HTTPClient | None = None,
    ) -> None:
        self.publishable_key = publishable_key
        self.is_live = secret_key.startswith(("sk_live_", "rk_live_"))
        self.fuse = Fuse()
        self._secrets = webhook_secrets
        self._base_url = base_url
        self._patience = patience
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api} if api else {},
            max_network_retries=RETRIES,
            http_client=http or Line(patience),
        )
        self._v1, self._v2 = client.v1, client.v2

    def create_payment(self, request: Request) -> Report:
        """Start and confirm a payment, or open a hosted page for it. A card that is declined is an answer."""
        with self._asking():
            try:
                return self._create(request)
            except stripe.CardError as error:
                return _declined(error)

    def _create(self, request: Request) -> Report:
        if request.is_hosted:
            wish = words.page(request, self._base_url, SHOP)
            return shape.page(self._v1.checkout.sessions.create(wish, _key(request.key)).to_dict())
        asked = words.payment(request, self._base_url)
        return shape.payment(self._v1.payment_intents.create(asked, _key(request.key)).to_dict())

    def get_payment(self, payment: str) -> Report:
        """How the payment stands now, with its fee and its method; a page that was paid is its payment."""
        with self._asking():
            if not is_page(payment):
                return shape.payment(self._v1.payment_intents.retrieve(payment, {"expand": words.MORE}).to_dict())
            page = self._v1.checkout.sessions.retrieve(payment, {"expand": words.MORE_OF_A_PAGE}).to_dict()
        return shape.payment(page["payment_intent"]) if page["payment_status"] == "paid" else shape.page(page)

    def refund(self, payment: str, amount: Money, *, key: str) -> RefundReport:
        """Give back to where it came from; the shares of the sellers do not come back by it."""
        with self._asking():
            given = self._v1.refunds.create(
                {"payment_intent": payment, "amount": amount.minor, "metadata": {"key": key}}, _key(key)
            )
        return shape.refund(given.to_dict())

    def open_customer(self, person: str, email: str, *, key: str) -> str:
        """Make a customer."""
        with self._asking():
            return self._v1.customers.create({"email": email, "metadata": {"person": person}}, _key(key)).id

    def forget_customer(self, customer: str) -> None:
        """Delete a customer, with the cards that are attached to it."""
        with self._asking():
            try:
                self._v1.customers.delete(customer)
            except stripe.InvalidRequestError as error:
                if error.http_status != 404:  # it is gone already
                    raise

    def forget_method(self, method: str) -> None:
        """Detach a card from its customer."""
        with self._asking():
            try:
                self._v1.payment_methods.detach(method)
            except stripe.InvalidRequestError as error:
                if error.http_status not in (400, 404):  # it belongs to nobody any more
                    raise

    def transfer(self, request: TransferRequest) -> TransferReport:
        """Hand on a share of the payment's charge."""
        with self._asking():
            charge = self._v1.payment_intents.retrieve(request.payment).latest_charge
            if charge is None:
                raise RejectedError("resource_missing")
            wish = words.transfer(request, charge if isinstance(charge, str) else charge.id)
            return shares_shape.transfer(self._v1.transfers.create(wish, _key(request.key)).to_dict())

    def reverse_transfer(self, transfer: str, amount: Money, *, key: str) -> TransferReport:
        """Take back from the seller's balance; what is told is the whole transfer."""
        with self._asking():
            taken = self._v1.transfers.reversals.create(
                transfer, {"amount": amount.minor, "metadata": {"key": key}, "expand": ["transfer"]}, _key(key)
            )
        return shares_shape.transfer(taken.to_dict()["transfer"])

    def get_refund(self, refund: str) -> RefundReport:
        """How a refund stands now."""
        with self._asking():
            return shape.refund(self._v1.refunds.retrieve(refund).to_dict())

    def get_transfer(self, transfer: str) -> TransferReport:
        """How a transfer stands now."""
        with self._asking():
            return shares_shape.transfer(self._v1.transfers.retrieve(transfer).to_dict())

    def get_reversal(self, transfer: str, reversal: str) -> ReversalReport:
        """What was taken back of a transfer under this id."""
        with self._asking():
            return shares_shape.reversal(self._v1.transfers.reversals.retrieve(transfer, reversal).to_dict())

    def open_account(self, request: AccountRequest) -> AccountReport:
        """Open an account that receives transfers."""
        with self._asking():
            return shares_shape.account(
                self._v2.core.accounts.create(words.account(request), _key(request.key)).to_dict()
            )

    def get_account(self, account: str) -> AccountReport:
        """How it stands, with what is still wanted."""
        with self._asking():
            found = self._v2.core.accounts.retrieve(account, {"include": ["configuration.recipient", "requirements"]})
        return shares_shape.account(found.to_dict())

    def onboarding_link(self, account: str, *, again_path: str, return_path: str) -> str:
        """A page of Stripe's, good for one visit."""
        wish = words.account_link(account, self._base_url + again_path, self._base_url + return_path)
        with self._asking():
            return self._v2.core.account_links.create(wish).url

    def list_events(self, since: datetime) -> Sequence[dict[str, Any]]:
        """Stripe's own list of them, which goes back for 30 days, turned round."""
        with self._asking(LISTS_TAKE):
            told = self._v1.events.list(
                {"created": {"gte": int(since.timestamp())}, "types": words.EVENTS, "limit": 100}
            )
            events = [event.to_dict() for event in told.auto_paging_iter()]
        return events[::-1]

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The balance transactions of that time, each with what it is about."""
        span = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        with self._asking(LISTS_TAKE):
            told = self._v1.balance_transactions.list(
                {"created": {"gte": span["gte"], "lt": span["lt"]}, "expand": ["data.source"], "limit": 100}
            )
            found = [shares_shape.movement(one.to_dict()) for one in told.auto_paging_iter()]
        return iter(found)

    def verify_webhook(self, raw: bytes, header: str | None, *, endpoint: str = "payments") -> Notice:
        """Read a call of Stripe's, or raise `ForgedError`."""
        return shape.verify(raw, header, self._secrets[endpoint], is_live=self.is_live, endpoint=endpoint)

    def read_notice(self, body: str) -> Notice:
        """Read a call that was verified before."""
        return shape.notice(body)

    @contextmanager
    def _asking(self, patience: float | None = None) -> Iterator[None]:
        """Speak with Stripe, aside, with all that goes wrong in the shop's own words."""
        if is_holding():
            raise RuntimeError("a gateway is called inside a transaction: call database.let_go() first")
        self.fuse.check()
        try:
            with turn.aside(), within(patience or self._patience):
                yield
        except stripe.StripeError as error:
            said = _in_our_words(error)
            is_down = isinstance(said, UnreachableError) and error.http_status not in (409, 429)  # busy is not broken
            (self.fuse.failed if is_down else self.fuse.worked)()
            raise said from error
        except (AttributeError, KeyError) as error:  # the answer is not one of Stripe's: something in between spoke
            self.fuse.failed()
            raise UnreachableError(f"an answer without sense: {error!r}") from error
        self.fuse.worked()


def _key(key: str) -> stripe.RequestOptions:
    return {"idempotency_key": key}


def _declined(error: stripe.CardError) -> Report:
    """The payment of which a bank said no; without one there is nothing to tell."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    intent = (body.get("error") or {}).get("payment_intent")
    if not intent:
        raise error
    return shape.payment(intent)


def _in_our_words(error: stripe.StripeError) -> GatewayError:
    """Did Stripe say no, or did it say nothing? Of what says nothing the shop assumes nothing, and asks again."""
    status = error.http_status or 0
    is_silent = isinstance(error, stripe.APIConnectionError | stripe.APIError | stripe.RateLimitError)
    if is_silent or status in (401, 409) or status >= 500:
        return UnreachableError(f"{type(error).__name__} {status}")
    if isinstance(error, stripe.IdempotencyError):
        return KeyConflictError()
    return RejectedError(str(error.code or (error.error and error.error.code) or type(error).__name__))
