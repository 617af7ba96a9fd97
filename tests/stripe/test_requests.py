"""Every request that the shop can send to Stripe is one that Stripe's own types of 16.1 allow, as it is on the wire."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import stripe
from pydantic import ValidationError

from shop.gateways import payment_stripe_words as words
from shop.gateways.payment_port import AccountRequest, PaymentGateway, RejectedError, Request, TransferRequest
from shop.gateways.payment_stripe import StripeGateway
from shop.money import Money
from tests.stripe import strict, wire

TOKEN = Request("co:1:pay:1", 2845, "EUR", "card", "code", "/purchases/code", group="co:1", token="ctoken_1")
IDEAL = replace(TOKEN, method="ideal", token="", payer_name="Noor", payer_email="noor@example.com")
SAVED = replace(TOKEN, method="saved", token="", saved_method="pm_1", customer="cus_1")
PAGE = replace(TOKEN, token="", is_hosted=True, expires_at=1_800_000_000)
SHARE = TransferRequest("co:1:transfer:2", "pi_1", "acct_1", Money(2000, "EUR"), "co:1", "order")
SELLER = AccountRequest("seller:1:account", "mina", "Atelier Mina", "mina@example.com", "NL", True)
THEN = datetime(2026, 11, 1, tzinfo=UTC)
EUR = Money(845, "EUR")

INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 2845, "currency": "eur", "status": "succeeded"}
INTENT |= {"metadata": {"key": "co:1:pay:1", "purchase": "code"}, "latest_charge": "ch_1"}
SESSION = {"id": "cs_1", "object": "checkout.session", "status": "open", "payment_status": "unpaid"}
SESSION |= {"amount_total": 2845, "currency": "eur", "metadata": {}, "payment_intent": None, "url": "https://x"}
TRANSFER = {"id": "tr_1", "object": "transfer", "amount": 2000, "amount_reversed": 0, "currency": "eur"}
REVERSAL = {"id": "trr_1", "object": "transfer_reversal", "amount": 845, "currency": "eur", "transfer": "tr_1"}
LIST = {"object": "list", "data": [], "has_more": False, "url": "/v1/events"}
V2 = "v2.core."

# What may be asked: the way there, the type of its parameters, and an answer.
DOORS = {
    "POST /v1/payment_intents": ("PaymentIntentCreateParams", INTENT),
    "GET /v1/payment_intents/[^/]+": ("PaymentIntentRetrieveParams", INTENT),
    "POST /v1/checkout/sessions": ("checkout.SessionCreateParams", SESSION),
    "GET /v1/checkout/sessions/[^/]+": ("checkout.SessionRetrieveParams", SESSION),
    "POST /v1/refunds": ("RefundCreateParams", {"id": "re_1", "object": "refund", "amount": 845, "currency": "eur"}),
    "GET /v1/refunds/[^/]+": ("RefundRetrieveParams", {"id": "re_1", "amount": 845, "currency": "eur"}),
    "DELETE /v1/customers/[^/]+": ("CustomerDeleteParams", {"id": "cus_1", "object": "customer", "deleted": True}),
    "POST /v1/customers": ("CustomerCreateParams", {"id": "cus_1", "object": "customer"}),
    "POST /v1/payment_methods/[^/]+/detach": ("PaymentMethodDetachParams", {"id": "pm_1", "object": "payment_method"}),
    "POST /v1/transfers": ("TransferCreateParams", TRANSFER),
    "POST /v1/transfers/[^/]+/reversals": ("TransferReversalCreateParams", {"id": "trr_1", "transfer": TRANSFER}),
    "GET /v1/transfers/[^/]+": ("TransferRetrieveParams", TRANSFER),
    "GET /v1/transfers/[^/]+/reversals/[^/]+": ("TransferReversalRetrieveParams", REVERSAL),
    "GET /v1/events": ("EventListParams", LIST),
    "GET /v1/balance_transactions": ("BalanceTransactionListParams", LIST),
    "POST /v2/core/accounts": (f"{V2}AccountCreateParams", {"id": "acct_1", "object": "v2.core.account"}),
    "GET /v2/core/accounts/[^/]+": (f"{V2}AccountRetrieveParams", {"id": "acct_1", "object": "v2.core.account"}),
    "POST /v2/core/account_links": (f"{V2}AccountLinkCreateParams", {"url": "https://x"}),
}

# Each method of the port, in each way that makes another request: what it sends, in order.
KINDS = {
    "create_payment token": (lambda g: g.create_payment(TOKEN), ["POST /v1/payment_intents"]),
    "create_payment token of somebody": (
        lambda g: g.create_payment(replace(TOKEN, customer="cus_1")),
        ["POST /v1/payment_intents"],
    ),
    "create_payment token, kept": (
        lambda g: g.create_payment(replace(TOKEN, customer="cus_1", wants_saving=True)),
        ["POST /v1/payment_intents"],
    ),
    "create_payment ideal": (lambda g: g.create_payment(IDEAL), ["POST /v1/payment_intents"]),
    "create_payment bancontact": (
        lambda g: g.create_payment(replace(IDEAL, method="bancontact")),
        ["POST /v1/payment_intents"],
    ),
    "create_payment nameless": (
        lambda g: g.create_payment(replace(IDEAL, payer_name="", payer_email="", group="")),
        ["POST /v1/payment_intents"],
    ),
    "create_payment saved": (lambda g: g.create_payment(SAVED), ["POST /v1/payment_intents"]),
    "create_payment page": (lambda g: g.create_payment(PAGE), ["POST /v1/checkout/sessions"]),
    "create_payment page of a guest": (
        lambda g: g.create_payment(replace(PAGE, payer_email="noor@example.com", expires_at=0, group="")),
        ["POST /v1/checkout/sessions"],
    ),
    "create_payment page, kept": (
        lambda g: g.create_payment(replace(PAGE, customer="cus_1", wants_saving=True)),
        ["POST /v1/checkout/sessions"],
    ),
    "get_payment": (lambda g: g.get_payment("pi_1"), ["GET /v1/payment_intents/[^/]+"]),
    "get_payment page": (lambda g: g.get_payment("cs_test_1"), ["GET /v1/checkout/sessions/[^/]+"]),
    "refund": (lambda g: g.refund("pi_1", EUR, key="ret:1:refund"), ["POST /v1/refunds"]),
    "open_customer": (
        lambda g: g.open_customer("7", "noor@example.com", key="user:7:customer"),
        ["POST /v1/customers"],
    ),
    "get_refund": (lambda g: g.get_refund("re_1"), ["GET /v1/refunds/[^/]+"]),
    "get_transfer": (lambda g: g.get_transfer("tr_1"), ["GET /v1/transfers/[^/]+"]),
    "get_reversal": (
        lambda g: g.get_reversal("tr_1", "trr_1"),
        ["GET /v1/transfers/[^/]+/reversals/[^/]+"],
    ),
    "forget_customer": (lambda g: g.forget_customer("cus_1"), ["DELETE /v1/customers/[^/]+"]),
    "forget_method": (lambda g: g.forget_method("pm_1"), ["POST /v1/payment_methods/[^/]+/detach"]),
    "transfer": (lambda g: g.transfer(SHARE), ["GET /v1/payment_intents/[^/]+", "POST /v1/transfers"]),
    "reverse_transfer": (
        lambda g: g.reverse_transfer("tr_1", EUR, key="ret:1:reversal:2"),
        ["POST /v1/transfers/[^/]+/reversals"],
    ),
    "open_account business": (lambda g: g.open_account(SELLER), ["POST /v2/core/accounts"]),
    "open_account person": (
        lambda g: g.open_account(replace(SELLER, is_business=False)),
        ["POST /v2/core/accounts"],
    ),
    "get_account": (lambda g: g.get_account("acct_1"), ["GET /v2/core/accounts/[^/]+"]),
    "onboarding_link": (
        lambda g: g.onboarding_link("acct_1", again_path="/a", return_path="/b"),
        ["POST /v2/core/account_links"],
    ),
    "list_events": (lambda g: g.list_events(THEN), ["GET /v1/events"]),
    "list_movements": (lambda g: list(g.list_movements(THEN, THEN)), ["GET /v1/balance_transactions"]),
}
WITH_A_KEY = ("create_payment", "refund", "open_customer", "transfer", "reverse_transfer", "open_account")


class Recorder(stripe.HTTPClient):
    """Answers each request, and remembers it as it would have left."""

    name = "recorder"

    def __init__(self):
        super().__init__()
        self.sent = []

    def request(self, method, url, headers, post_data=None, *, _usage=None):
        path, query = urlsplit(url).path, urlsplit(url).query
        is_json = path.startswith("/v2") and method == "post"
        asked = wire.read(post_data if method == "post" else query, is_json=is_json)
        door = next(door for door in DOORS if re.fullmatch(door, f"{method.upper()} {path}"))
        self.sent.append((door, asked, headers))
        return json.dumps(DOORS[door][1]), 200, {}

    def close(self):
        pass


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def gateway(recorder):
    return StripeGateway("sk_test_1", "pk_test_1", {}, "https://shop.example", http=recorder)


@pytest.fixture(autouse=True)
def nothing_is_held(monkeypatch):
    monkeypatch.setattr("shop.gateways.payment_stripe.is_holding", lambda: False)


@pytest.mark.parametrize("kind", KINDS)
def test_each_request_is_one_that_stripe_knows(gateway, recorder, kind):
    ask, doors = KINDS[kind]
    ask(gateway)
    assert [door for door, _asked, _headers in recorder.sent] == doors
    for door, asked, headers in recorder.sent:
        strict.check(DOORS[door][0], asked)
        assert headers["Stripe-Version"] == "2026-10-28.endive"
    key = recorder.sent[-1][2].get("Idempotency-Key", "")
    assert key.startswith(("co:", "ret:", "user:", "seller:")) == kind.startswith(WITH_A_KEY)


def test_each_method_of_the_port_is_in_the_list():
    asks = {name for name, value in vars(PaymentGateway).items() if callable(value) and not name.startswith("_")}
    assert {kind.partition(" ")[0] for kind in KINDS} == asks - {"verify_webhook", "read_notice"}
    assert {door for _ask, doors in KINDS.values() for door in doors} == set(DOORS)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("PaymentIntentCreateParams", {"amount": "28.45"}),
        ("PaymentIntentCreateParams", {"payment_method_types": ["ideal"]}),
        ("PaymentIntentCreateParams", {"allowed_payment_method_types": ["idael"]}),
        ("PaymentIntentCreateParams", {"payment_method_data": {"type": "ideal", "billing": {}}}),
        ("PaymentIntentCreateParams", {"payment_method_options": {"card": {"setup_future_usage": "onsession"}}}),
        ("checkout.SessionCreateParams", {"ui_mode": "hosted"}),
        ("checkout.SessionCreateParams", {"line_items": [{"qty": 1}]}),
        ("v2.core.AccountCreateParams", {"dashboard": "none of these"}),
        ("v2.core.AccountLinkCreateParams", {"use_case": {"type": "account_onboarding", "configurations": []}}),
        ("TransferCreateParams", {"currency": "eur"}),
    ],
)
def test_the_check_sees_what_stripe_would_refuse(kind, change):
    base = {"amount": 1, "currency": "eur"} if kind.startswith("PaymentIntent") else {}
    with pytest.raises(ValidationError):
        strict.check(kind, {**base, **change})


def test_a_kept_card_is_charged_with_its_owner_there(gateway, recorder):
    gateway.create_payment(SAVED)
    [(_door, asked, headers)] = recorder.sent
    assert asked == {
        "amount": 2845,
        "currency": "eur",
        "confirm": True,
        "customer": "cus_1",
        "payment_method": "pm_1",
        "return_url": "https://shop.example/purchases/code",
        "transfer_group": "co:1",
        "metadata": {"key": "co:1:pay:1", "purchase": "code"},
        "expand": ["latest_charge.balance_transaction", "payment_method"],
    }
    assert headers["Idempotency-Key"] == "co:1:pay:1"


def test_only_a_card_is_kept_and_only_for_when_its_owner_is_there(gateway, recorder):
    for request in (TOKEN, replace(TOKEN, wants_saving=True), replace(IDEAL, customer="cus_1", wants_saving=True)):
        gateway.create_payment(request)
    gateway.create_payment(replace(TOKEN, customer="cus_1", wants_saving=True))
    kept = [asked.get("payment_method_options") for _door, asked, _headers in recorder.sent]
    assert kept == [None, None, None, {"card": {"setup_future_usage": "on_session"}}]
    assert all("setup_future_usage" not in asked for _door, asked, _headers in recorder.sent)


def test_ideal_goes_to_the_bank_with_no_script_in_between(gateway, recorder):
    gateway.create_payment(IDEAL)
    [(_door, asked, _headers)] = recorder.sent
    assert asked["allowed_payment_method_types"] == ["ideal"]
    payer = {"name": "Noor", "email": "noor@example.com"}
    assert asked["payment_method_data"] == {"type": "ideal", "billing_details": payer}


def test_a_hosted_page_makes_a_payment_that_is_ours(gateway, recorder):
    gateway.create_payment(PAGE)
    [(_door, asked, _headers)] = recorder.sent
    about = {"key": "co:1:pay:1", "purchase": "code", "group": "co:1", "hosted": "1"}
    assert asked["payment_intent_data"] == {"metadata": about, "transfer_group": "co:1"}
    assert (asked["expires_at"], asked["metadata"]) == (1_800_000_000, about)
    assert asked["success_url"] == asked["cancel_url"] == "https://shop.example/purchases/code"
    assert asked["line_items"][0]["price_data"]["unit_amount"] == 2845


def test_only_those_events_are_asked_for_that_the_shop_reads(gateway, recorder):
    gateway.list_events(THEN)
    [(_door, asked, _headers)] = recorder.sent
    assert asked["types"] == words.EVENTS
    assert asked["created"] == {"gte": int(THEN.timestamp())}


def test_a_share_comes_out_of_the_charge_of_its_payment(gateway, recorder):
    gateway.transfer(SHARE)
    _door, asked, headers = recorder.sent[-1]
    assert (asked["source_transaction"], asked["transfer_group"], asked["amount"]) == ("ch_1", "co:1", 2000)
    assert headers["Idempotency-Key"] == "co:1:transfer:2"


def test_a_payment_that_brought_nothing_has_nothing_to_share(gateway, recorder, monkeypatch):
    monkeypatch.setitem(
        DOORS, "GET /v1/payment_intents/[^/]+", ("PaymentIntentRetrieveParams", {**INTENT, "latest_charge": None})
    )
    with pytest.raises(RejectedError, match="resource_missing"):
        gateway.transfer(SHARE)
    assert len(recorder.sent) == 1


def test_a_card_without_a_token_or_a_page_is_not_asked_for(gateway, recorder):
    with pytest.raises(RejectedError, match="payment_method_unknown"):
        gateway.create_payment(replace(TOKEN, token=""))
    assert recorder.sent == []


def test_with_a_transaction_open_nothing_is_sent(gateway, recorder, monkeypatch):
    monkeypatch.setattr("shop.gateways.payment_stripe.is_holding", lambda: True)
    for ask, _doors in KINDS.values():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            ask(gateway)
    assert recorder.sent == []
