"""Who may call: what Stripe's code signed with one of our secrets, lately, in our mode. Each forgery has a row."""

import json
import time

import pytest
import stripe

from shop.gateways import payment_shape as shape
from shop.gateways.payment_port import ForgedError
from shop.gateways.payment_stripe import StripeGateway
from shop.models import PaymentState

SECRETS = {"payments": ["whsec_new", "whsec_old"], "accounts": ["whsec_accounts_new", "whsec_accounts_old"]}
OTHER = {"payments": "accounts", "accounts": "payments"}
INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 2845, "currency": "eur", "status": "succeeded"}
EVENTS = {
    "payments": {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "livemode": False,
        "data": {"object": {**INTENT, "metadata": {"key": "co:1:pay:1", "purchase": "code"}}},
    },
    "accounts": {
        "id": "evt_2",
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "created": "2026-11-28T10:00:00Z",
        "livemode": False,
        "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
    },
}
DOORS = pytest.mark.parametrize("door", EVENTS)


def now():
    return int(time.time())


def body(door, **changes):
    return json.dumps({**EVENTS[door], **changes})


def header(text, secret, at=None):
    """As Stripe's own library writes it."""
    return stripe.WebhookSignature.generate_signature_header(text, secret, at or now())


def gateway(key="sk_test_1"):
    return StripeGateway(key, "pk", SECRETS, "https://shop.example")


def own(door):
    return SECRETS[door][0]


FORGERIES = {
    "another secret": (lambda d: (body(d), header(body(d), "whsec_of_somebody")), "signature"),
    "the other door's secret": (lambda d: (body(d), header(body(d), own(OTHER[d]))), "signature"),
    "no header": (lambda d: (body(d), None), "signature"),
    "an empty header": (lambda d: (body(d), ""), "signature"),
    "only the old scheme": (lambda d: (body(d), header(body(d), own(d)).replace("v1=", "v0=")), "signature"),
    "one byte changed": (lambda d: (body(d).replace("evt", "evu"), header(body(d), own(d))), "signature"),
    "written otherwise": (lambda d: (json.dumps(EVENTS[d], indent=1), header(body(d), own(d))), "signature"),
    "of yesterday, with another stamp before it": (
        lambda d: (body(d), f"xt={now()}," + header(body(d), own(d), now() - 86400)),
        "stamp",
    ),
    "of yesterday, with a second stamp": (
        lambda d: (body(d), f"t={now()}," + header(body(d), own(d), now() - 86400)),
        "signature",
    ),
    "a stamp that is no number": (lambda d: (body(d), "t=abc,v1=" + "a" * 64), "signature"),
    "a stamp of thousands of digits": (lambda d: (body(d), f"t={'9' * 6000},v1=aa"), "signature"),
    "letters of another script": (lambda d: (body(d), f"t={now()},v1={'é' * 64}"), "signature"),
    "brackets without an end": (lambda d: ("[" * 100_000, header("[" * 100_000, own(d))), "shape"),
    "of the other door": (lambda d: (body(OTHER[d]), header(body(OTHER[d]), own(d))), "door"),
    "301 seconds old": (lambda d: (body(d), header(body(d), own(d), now() - 301)), "stamp"),
    "an hour ahead": (lambda d: (body(d), header(body(d), own(d), now() + 3600)), "stamp"),
    "of real money, in a shop of play money": (
        lambda d: (body(d, livemode=True), header(body(d, livemode=True), own(d))),
        "mode",
    ),
    "signed, but no event": (lambda d: ("[]", header("[]", own(d))), "shape"),
}


@DOORS
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_call_is_refused_for_its_reason(door, forgery):
    make, why = FORGERIES[forgery]
    text, signature = make(door)
    with pytest.raises(ForgedError, match=rf"^{why}$"):
        gateway().verify_webhook(text.encode(), signature, endpoint=door)


@DOORS
@pytest.mark.parametrize("which", [0, 1])
def test_while_a_secret_is_changed_both_are_good(door, which):
    text = body(door)
    notice = gateway().verify_webhook(text.encode(), header(text, SECRETS[door][which]), endpoint=door)
    assert (notice.id, notice.kind, notice.is_live) == (EVENTS[door]["id"], EVENTS[door]["type"], False)


@DOORS
def test_two_signatures_of_which_one_is_ours_are_good(door):
    text = body(door)
    signature = shape.sign(text, ["whsec_of_somebody", own(door)])
    assert gateway().verify_webhook(text.encode(), signature, endpoint=door).id == EVENTS[door]["id"]


@DOORS
@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_a_shop_of_real_money_believes_only_calls_of_real_money(door, key):
    play, real = body(door), body(door, livemode=True)
    assert gateway(key).verify_webhook(real.encode(), header(real, own(door)), endpoint=door).is_live
    with pytest.raises(ForgedError, match=r"^mode$"):
        gateway(key).verify_webhook(play.encode(), header(play, own(door)), endpoint=door)


def test_a_payment_in_the_account_of_somebody_else_says_nothing_about_ours():
    text = body("payments", account="acct_of_somebody")
    notice = gateway().verify_webhook(text.encode(), header(text, own("payments")))
    assert (notice.report, notice.dispute, notice.refund, notice.account) == (None, None, None, "")


def test_stripes_own_code_reads_the_same_out_of_both_kinds_of_calls():
    client = stripe.StripeClient("sk_test_1")
    text = body("payments")
    event = client.construct_event(text, header(text, own("payments")), own("payments"))
    notice = gateway().read_notice(text)
    assert (notice.id, notice.kind, notice.report.id) == (event.id, event.type, event.data.object.id)
    assert notice.report.state == PaymentState.PAID
    thin = body("accounts")
    told = client.parse_event_notification(thin, header(thin, own("accounts")), own("accounts"))
    notice = gateway().read_notice(thin)
    assert (notice.id, notice.kind, notice.account) == (told.id, told.type, told.related_object.id)


def test_an_inquiry_of_a_bank_moves_no_money_and_is_no_dispute():
    dispute = {"id": "du_1", "object": "dispute", "payment_intent": "pi_1", "amount": 2845, "currency": "eur"}
    for status, state in (("warning_needs_response", None), ("under_review", "open"), ("lost", "lost")):
        told = body("payments", data={"object": {**dispute, "status": status, "reason": "general"}})
        found = gateway().read_notice(told).dispute
        assert (found and found.state) == state


def test_what_was_charged_outside_of_the_shop_is_not_ours():
    charge = {"id": "ch_1", "object": "charge", "payment_intent": None, "amount": 1, "amount_refunded": 0}
    told = body("payments", data={"object": {**charge, "currency": "eur", "status": "succeeded"}})
    assert gateway().read_notice(told).report is None


def test_a_try_that_failed_on_a_page_that_is_open_is_not_the_end():
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount": 2845, "amount_refunded": 0}
    for meta, state in (({}, PaymentState.FAILED), ({"hosted": "1"}, PaymentState.REQUIRES_ACTION)):
        told = body("payments", data={"object": {**charge, "currency": "eur", "status": "failed", "metadata": meta}})
        assert gateway().read_notice(told).report.state == state
