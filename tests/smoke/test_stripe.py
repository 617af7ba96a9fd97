"""What the shop does with Stripe, done with Stripe: play money, a real server. Who runs it tells us what is not so.

`STRIPE_TEST_API` names another server than Stripe's, to try these sentences themselves.
"""

import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from shop.gateways.payment_port import AccountRequest, AccountState, RejectedError, Request, is_page
from shop.gateways.payment_stripe import StripeGateway
from shop.models import PaymentState
from shop.money import Money

KEY, API = os.environ["STRIPE_TEST_KEY"], os.environ.get("STRIPE_TEST_API")
RUN = secrets.token_hex(6)  # keys of this run are no other's
START = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture(autouse=True)
def nothing_is_held(monkeypatch):
    assert KEY.startswith(("sk_test_", "rk_test_")), "this moves money: only with a test key"
    monkeypatch.setattr("shop.gateways.payment_stripe.is_holding", lambda: False)


@pytest.fixture(scope="module")
def gateway():
    return StripeGateway(KEY, "pk_test", {}, "https://shop.example", patience=20, api=API)


def asked(name, card=None, **changes):
    """A payment of EUR 28.45; `card` is one of Stripe's test cards."""
    key = f"smoke:{RUN}:{name}"
    request = Request(key, 2845, "EUR", "card", "purchase", "/purchases/code", group=key, **changes)
    if card is None:
        return request
    client = stripe.StripeClient(KEY, base_addresses={"api": API} if API else {})
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": card}).id
    return replace(request, token=token)


def test_a_card_pays_once_with_its_fee_and_goes_back_in_parts(gateway):
    request = asked("card", "pm_card_bypassPending")
    paid = gateway.create_payment(request)
    assert (paid.state, paid.amount, paid.purchase) == (PaymentState.PAID, Money(2845, "EUR"), "purchase")
    assert gateway.create_payment(request).id == paid.id
    assert gateway.get_payment(paid.id).fee is not None
    gateway.refund(paid.id, Money(845, "EUR"), key=f"{request.key}:refund:1")
    assert gateway.get_payment(paid.id).refunded_minor == 845
    with pytest.raises(RejectedError):
        gateway.refund(paid.id, Money(2001, "EUR"), key=f"{request.key}:refund:2")


def test_a_card_that_is_declined_is_an_answer(gateway):
    declined = gateway.create_payment(asked("declined", "pm_card_visa_chargeDeclined"))
    assert (declined.state, declined.failure) == (PaymentState.FAILED, "card_declined")


def test_a_bank_that_asks_sends_the_buyer_to_a_page(gateway):
    waiting = gateway.create_payment(asked("asked", "pm_card_authenticationRequired"))
    assert waiting.state == PaymentState.REQUIRES_ACTION
    assert waiting.redirect_url or waiting.client_secret


@pytest.mark.parametrize("method", ["ideal", "bancontact"])
def test_a_bank_of_the_low_countries_has_a_page_of_its_own(gateway, method):
    payer = {"payer_name": "Noor", "payer_email": "noor@example.com"}
    waiting = gateway.create_payment(replace(asked(method), method=method, **payer))
    assert (waiting.state, bool(waiting.redirect_url)) == (PaymentState.REQUIRES_ACTION, True)


def test_a_hosted_page_waits_for_a_buyer(gateway):
    until = int((datetime.now(UTC) + timedelta(minutes=31)).timestamp())
    page = gateway.create_payment(asked("page", is_hosted=True, expires_at=until))
    assert (is_page(page.id), page.state, bool(page.redirect_url)) == (True, PaymentState.REQUIRES_ACTION, True)
    assert gateway.get_payment(page.id).state == PaymentState.REQUIRES_ACTION


def test_a_card_is_kept_pays_again_and_is_forgotten(gateway):
    noor = gateway.open_customer("7", "noor@example.com", key=f"smoke:{RUN}:customer")
    paid = gateway.create_payment(asked("keep", "pm_card_visa", customer=noor, wants_saving=True))
    kept = gateway.get_payment(paid.id).saved
    assert kept.name == "Visa 4242"
    again = asked("again", customer=noor, saved_method=kept.id)
    assert gateway.create_payment(again).state == PaymentState.PAID
    gateway.forget_method(kept.id)
    gateway.forget_method(kept.id)


def test_a_seller_gets_an_account_and_a_way_to_complete_it(gateway):
    asked_for = AccountRequest(f"smoke:{RUN}:seller", "mina", "Atelier Mina", "mina@example.com", "NL", True)
    account = gateway.open_account(asked_for)
    assert account.state != AccountState.ACTIVE
    assert gateway.get_account(account.id).id == account.id
    assert gateway.onboarding_link(account.id, again_path="/seller/again", return_path="/seller")


def test_what_happened_is_listed(gateway):
    paid = gateway.create_payment(asked("listed", "pm_card_bypassPending"))
    events = [event for event in gateway.list_events(START) if event["type"] == "payment_intent.succeeded"]
    assert paid.id in {event["data"]["object"]["id"] for event in events}
    until = datetime.now(UTC) + timedelta(minutes=5)
    assert ("payment", paid.id) in {(one.kind, one.of) for one in gateway.list_movements(START, until)}
