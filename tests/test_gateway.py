"""A payment company keeps its word: one suite for each gateway that the shop can have.

What happens at a bank or to an account is played on the premises of the sandbox, which stands behind both.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shop import clock, gateways
from shop.gateways.payment_port import (
    AccountRequest,
    AccountState,
    DisputeState,
    KeyConflictError,
    RefundReport,
    RefundStatus,
    RejectedError,
    Request,
    ReversalReport,
    TransferRequest,
    is_page,
)
from shop.gateways.payment_stripe import StripeGateway
from shop.models import PaymentState
from shop.money import Money
from tests.stripe import answers, face

pytestmark = pytest.mark.usefixtures("at_the_desk")

ASKED = Request("co:1:pay:1", 2845, "EUR", "card", "purchase", "/purchases/purchase", group="co:1", token="tok_card")
IDEAL = {"method": "ideal", "token": ""}
BANCONTACT = {"method": "bancontact", "token": "", "payer_name": "Noor", "payer_email": "noor@example.com"}


def euros(minor):
    return Money(minor, "EUR")


@pytest.fixture
def premises(app, at_the_desk):
    return gateways.sandbox()


@pytest.fixture(params=["sandbox", "stripe"])
def gateway(request, app, premises):
    """The sandbox itself; and `StripeGateway`, with Stripe's SDK and real HTTP between it and the same rules.

    Whatever was told in between is, to the letter, something that Stripe may tell.
    """
    if request.param == "sandbox":
        yield premises
    else:
        with face.served(face.Face(app, premises)) as address:
            yield StripeGateway("sk_test_12345678", "pk_test_1", {}, "https://shop.example", api=address)
    assert [wrong for call in of_the_sandbox(premises, "event") for wrong in answers.deviations(call["event"])] == []


@pytest.fixture
def noor_there(gateway):
    """What the gateway calls Noor."""
    return gateway.open_customer("7", "noor@example.com", key="user:7:customer")


@pytest.fixture
def mina_there(gateway, premises):
    """Mina's account, which may receive money."""
    account = gateway.open_account(seller()).id
    premises.activate(account)
    return account


def seller(**changes):
    asked = AccountRequest("seller:1:account", "mina", "Atelier Mina", "mina@example.com", "NL", True)
    return replace(asked, **changes)


def told(gateway, kind):
    events = gateway.list_events(clock.now() - timedelta(days=1))
    return [gateway.read_notice(json.dumps(event)) for event in events if event["type"] == kind]


def moved(gateway, kind):
    """What the gateway's statement of these minutes says of one kind."""
    lines = gateway.list_movements(clock.now() - timedelta(minutes=1), clock.now() + timedelta(minutes=1))
    return sorted(line.amount.minor for line in lines if line.kind == kind)


# Paying


def test_a_card_pays_and_the_gateway_keeps_its_fee(gateway):
    paid = gateway.create_payment(ASKED)
    assert (paid.state, paid.amount, paid.key, paid.purchase) == (
        PaymentState.PAID,
        euros(2845),
        "co:1:pay:1",
        "purchase",
    )
    again = gateway.get_payment(paid.id)
    assert (again.state, again.amount, again.group, again.fee) == (PaymentState.PAID, euros(2845), "co:1", euros(68))
    [event] = told(gateway, "payment_intent.succeeded")
    assert (event.report.id, event.report.key, event.report.group) == (paid.id, "co:1:pay:1", "co:1")


@pytest.mark.parametrize(
    ("minor", "fee"), [(100, 27), (1000, 40), (2845, 68), (33, 25), (34, 26), (100000, 1525), (1033, 40), (1034, 41)]
)
def test_the_fee_is_one_and_a_half_per_cent_and_a_quarter(gateway, minor, fee):
    paid = gateway.create_payment(replace(ASKED, amount_minor=minor))
    assert gateway.get_payment(paid.id).fee == euros(fee)


def test_the_same_request_with_the_same_key_is_the_same_payment(gateway):
    first = gateway.create_payment(ASKED)
    assert gateway.create_payment(ASKED) == first
    assert len(told(gateway, "payment_intent.succeeded")) == 1


@pytest.mark.parametrize(
    "change", [{"amount_minor": 2846}, {"currency": "USD"}, {"token": "tok_card_declined"}, {"group": "co:2"}]
)
def test_another_request_with_that_key_is_refused(gateway, change):
    first = gateway.create_payment(ASKED)
    with pytest.raises(KeyConflictError):
        gateway.create_payment(replace(ASKED, **change))
    assert gateway.get_payment(first.id).state == PaymentState.PAID
    assert len(told(gateway, "payment_intent.succeeded")) == 1


@pytest.mark.parametrize("failure", ["card_declined", "insufficient_funds"])
def test_a_declined_card_is_an_answer_and_says_why(gateway, failure):
    request = replace(ASKED, token=f"tok_{failure}")
    declined = gateway.create_payment(request)
    assert (declined.state, declined.failure, declined.key) == (PaymentState.FAILED, failure, "co:1:pay:1")
    assert gateway.get_payment(declined.id).failure == failure
    assert gateway.create_payment(request) == declined
    assert [event.report.state for event in told(gateway, "payment_intent.payment_failed")] == [PaymentState.FAILED]


@pytest.mark.parametrize(
    "how", [{"method": "ideal", "token": ""}, BANCONTACT, {"token": "tok_authentication_required"}]
)
@pytest.mark.parametrize(
    ("end", "state", "failure"),
    [
        ("approved", PaymentState.PAID, ""),
        ("cancelled", PaymentState.CANCELLED, "abandoned"),
        ("failed", PaymentState.FAILED, "card_declined"),
    ],
)
def test_the_buyer_answers_on_another_page(gateway, premises, how, end, state, failure):
    waiting = gateway.create_payment(replace(ASKED, **how))
    assert (waiting.state, waiting.redirect_url) == (PaymentState.REQUIRES_ACTION, f"/sandbox/bank/{waiting.id}")
    premises.answer_at_the_bank(waiting.id, end)
    ended = gateway.get_payment(waiting.id)
    assert (ended.state, ended.failure, ended.redirect_url) == (state, failure, "")


@pytest.mark.parametrize(("course", "state"), [("slow_success", "paid"), ("slow_failure", "failed")])
def test_some_payments_take_a_while(gateway, pass_time, course, state):
    slow = gateway.create_payment(replace(ASKED, token=f"tok_{course}"))
    assert slow.state == PaymentState.PROCESSING
    pass_time(seconds=21)
    assert gateway.get_payment(slow.id).state == state


def test_what_is_not_there_is_said_to_be_missing(gateway):
    for ask in (
        lambda: gateway.get_payment("sbx_pi_none"),
        lambda: gateway.get_payment("sbx_cs_none"),
        lambda: gateway.refund("sbx_pi_none", euros(1), key="ret:1:refund"),
        lambda: gateway.get_account("sbx_acct_none"),
        lambda: gateway.reverse_transfer("sbx_tr_none", euros(1), key="ret:1:reversal"),
    ):
        with pytest.raises(RejectedError, match="resource_missing"):
            ask()


def test_a_token_that_is_none_is_refused(gateway):
    with pytest.raises(RejectedError):
        gateway.create_payment(replace(ASKED, token="tok_of_somebody"))
    assert gateway.list_events(clock.now() - timedelta(days=1)) == []


# A page of the gateway's own


def test_on_a_hosted_page_the_buyer_chooses_how_to_pay(gateway, premises):
    page = gateway.create_payment(replace(ASKED, token="", is_hosted=True))
    assert is_page(page.id)
    assert (page.state, page.key, page.amount) == (PaymentState.REQUIRES_ACTION, "co:1:pay:1", euros(2845))
    assert page.redirect_url == f"/sandbox/bank/{page.id}"
    assert gateway.get_payment(page.id).state == PaymentState.REQUIRES_ACTION
    premises.answer_at_the_bank(page.id, "approved")
    paid = gateway.get_payment(page.id)
    assert not is_page(paid.id)
    assert (paid.state, paid.key, paid.purchase, paid.group) == (PaymentState.PAID, "co:1:pay:1", "purchase", "co:1")
    assert gateway.get_payment(paid.id) == paid
    for kind in ("payment_intent.succeeded", "checkout.session.completed"):
        [event] = told(gateway, kind)
        assert (event.report.id, event.report.state, event.report.key) == (paid.id, PaymentState.PAID, "co:1:pay:1")


def test_a_card_that_is_declined_on_a_hosted_page_is_not_the_end(gateway, premises):
    page = gateway.create_payment(replace(ASKED, token="", is_hosted=True))
    premises.answer_at_the_bank(page.id, "failed")
    [event] = told(gateway, "payment_intent.payment_failed")
    assert event.report.state == PaymentState.REQUIRES_ACTION
    premises.answer_at_the_bank(page.id, "approved")
    assert gateway.get_payment(page.id).state == PaymentState.PAID


def test_a_hosted_page_closes_after_half_an_hour(gateway, premises, pass_time):
    page = gateway.create_payment(replace(ASKED, token="", is_hosted=True))
    premises.answer_at_the_bank(page.id, "cancelled")
    assert gateway.get_payment(page.id).state == PaymentState.REQUIRES_ACTION
    pass_time(minutes=30, seconds=1)
    closed = gateway.get_payment(page.id)
    assert (closed.id, closed.state, closed.failure) == (page.id, PaymentState.CANCELLED, "abandoned")
    premises.answer_at_the_bank(page.id, "approved")
    assert gateway.get_payment(page.id).state == PaymentState.CANCELLED


# Cards that are kept


def test_a_card_is_kept_for_who_wants_it_and_pays_once_it_did(gateway, noor_there):
    asked = replace(ASKED, customer=noor_there, wants_saving=True)
    paid = gateway.create_payment(asked)
    kept = gateway.get_payment(paid.id).saved
    assert kept.name == "Visa 4242"
    again = replace(ASKED, key="co:2:pay:1", method="saved", token="", customer=noor_there, saved_method=kept.id)
    assert gateway.create_payment(again).state == PaymentState.PAID
    kai = gateway.open_customer("8", "kai@example.com", key="user:8:customer")
    with pytest.raises(RejectedError, match="resource_missing"):
        gateway.create_payment(replace(again, key="co:3:pay:1", customer=kai))


def test_nothing_is_kept_of_who_did_not_ask_or_whose_card_was_declined(gateway, noor_there):
    paid = gateway.create_payment(replace(ASKED, customer=noor_there))
    assert gateway.get_payment(paid.id).saved is None
    declined = replace(ASKED, key="co:2:pay:1", token="tok_card_declined", customer=noor_there, wants_saving=True)
    assert gateway.get_payment(gateway.create_payment(declined).id).saved is None


def test_a_kept_card_may_be_declined_or_asked_about_later(gateway, noor_there):
    for course, state in (("then_declined", PaymentState.FAILED), ("then_asked", PaymentState.REQUIRES_ACTION)):
        asked = replace(ASKED, key=course, token=f"tok_{course}", customer=noor_there, wants_saving=True)
        kept = gateway.get_payment(gateway.create_payment(asked).id).saved.id
        again = replace(ASKED, key=f"{course}:2", method="saved", token="", customer=noor_there, saved_method=kept)
        assert gateway.create_payment(again).state == state


def test_a_card_that_is_forgotten_pays_no_more(gateway, noor_there):
    paid = gateway.create_payment(replace(ASKED, customer=noor_there, wants_saving=True))
    kept = gateway.get_payment(paid.id).saved.id
    gateway.forget_method(kept)
    gateway.forget_method(kept)
    again = replace(ASKED, key="co:2:pay:1", method="saved", token="", customer=noor_there, saved_method=kept)
    with pytest.raises(RejectedError, match="resource_missing"):
        gateway.create_payment(again)


def test_who_is_forgotten_pays_no_more_with_a_kept_card(gateway, noor_there):
    paid = gateway.create_payment(replace(ASKED, customer=noor_there, wants_saving=True))
    kept = gateway.get_payment(paid.id).saved.id
    for _time in range(2):
        gateway.forget_customer(noor_there)
    again = replace(ASKED, key="co:2:pay:1", method="saved", token="", customer=noor_there, saved_method=kept)
    with pytest.raises(RejectedError, match="resource_missing"):
        gateway.create_payment(again)
    assert gateway.get_payment(paid.id).state == PaymentState.PAID


def test_a_customer_is_opened_once_for_each_key(gateway, noor_there):
    assert gateway.open_customer("7", "noor@example.com", key="user:7:customer") == noor_there
    with pytest.raises(KeyConflictError):
        gateway.open_customer("8", "noor@example.com", key="user:7:customer")


# Giving back


def test_refunds_add_up_and_never_exceed_the_payment(gateway):
    paid = gateway.create_payment(ASKED).id
    first = gateway.refund(paid, euros(845), key="ret:1:refund")
    assert (first.amount, first.status, first.payment) == (euros(845), RefundStatus.DONE, paid)
    assert gateway.get_payment(paid).state == PaymentState.PART_REFUNDED
    with pytest.raises(RejectedError, match="refund_greater_than_charge"):
        gateway.refund(paid, euros(2001), key="ret:2:refund")
    gateway.refund(paid, euros(2000), key="ret:3:refund")
    report = gateway.get_payment(paid)
    assert (report.state, report.refunded_minor) == (PaymentState.REFUNDED, 2845)
    assert [event.report.refunded_minor for event in told(gateway, "charge.refunded")] == [845, 2845]


def test_a_refund_with_the_same_key_is_given_once(gateway):
    paid = gateway.create_payment(ASKED).id
    first = gateway.refund(paid, euros(845), key="ret:1:refund")
    assert gateway.refund(paid, euros(845), key="ret:1:refund") == first
    with pytest.raises(KeyConflictError):
        gateway.refund(paid, euros(846), key="ret:1:refund")
    assert gateway.get_payment(paid).refunded_minor == 845


def test_a_refund_may_come_back_later(gateway, premises, pass_time):
    paid = gateway.create_payment(replace(ASKED, token="tok_refund_fails")).id
    refund = gateway.refund(paid, euros(845), key="ret:1:refund")
    assert refund.status == RefundStatus.PENDING
    pass_time(seconds=21)
    premises.due_calls()
    for kind in ("refund.failed", "charge.refund.updated"):
        [event] = told(gateway, kind)
        assert (event.refund.id, event.refund.status, event.refund.payment) == (refund.id, RefundStatus.FAILED, paid)
    assert gateway.get_payment(paid).refunded_minor == 0


def test_a_refund_that_takes_a_while_arrives(gateway, premises, pass_time):
    paid = gateway.create_payment(replace(ASKED, token="tok_refund_slow")).id
    assert gateway.refund(paid, euros(845), key="ret:1:refund").status == RefundStatus.PENDING
    pass_time(seconds=21)
    premises.due_calls()
    [event] = told(gateway, "charge.refund.updated")
    assert event.refund.status == RefundStatus.DONE
    assert gateway.get_payment(paid).refunded_minor == 845


def test_what_was_not_paid_cannot_be_given_back(gateway):
    waiting = gateway.create_payment(replace(ASKED, method="ideal", token="")).id
    with pytest.raises(RejectedError):
        gateway.refund(waiting, euros(1), key="ret:1:refund")


@pytest.mark.parametrize(("is_won", "state"), [(True, DisputeState.WON), (False, DisputeState.LOST)])
def test_a_bank_may_take_money_back_and_its_end_is_told(gateway, premises, is_won, state):
    paid = gateway.create_payment(ASKED).id
    dispute = premises.dispute(paid)
    [opened] = told(gateway, "charge.dispute.created")
    assert (opened.dispute.id, opened.dispute.payment, opened.dispute.amount) == (dispute, paid, euros(2845))
    assert (opened.dispute.state, opened.dispute.reason, opened.report) == (DisputeState.OPEN, "fraudulent", None)
    premises.end_dispute(dispute, is_won=is_won)
    premises.end_dispute(dispute, is_won=not is_won)
    [closed] = told(gateway, "charge.dispute.closed")
    assert (closed.dispute.id, closed.dispute.state) == (dispute, state)


def test_a_payment_is_disputed_once(gateway, premises):
    paid = gateway.create_payment(replace(ASKED, token="tok_disputed")).id
    assert len(told(gateway, "charge.dispute.created")) == 1
    with pytest.raises(RejectedError, match="charge_not_disputable"):
        premises.dispute(paid)


# Sellers


def test_a_seller_completes_an_account_and_may_lose_it_again(gateway, premises):
    opened = gateway.open_account(seller())
    assert (opened.state, bool(opened.wanted)) == (AccountState.PENDING, True)
    assert gateway.open_account(seller()) == opened
    with pytest.raises(KeyConflictError):
        gateway.open_account(seller(country="BE"))
    link = gateway.onboarding_link(opened.id, again_path="/seller/account", return_path="/seller")
    back = premises.answer_at_the_desk(link.rpartition("/")[2], is_complete=True)
    assert back.endswith("/seller")
    assert (gateway.get_account(opened.id).state, gateway.get_account(opened.id).wanted) == (AccountState.ACTIVE, ())
    premises.restrict(opened.id)
    assert gateway.get_account(opened.id).state == AccountState.RESTRICTED


def test_a_link_to_the_account_is_good_once_and_for_minutes(gateway, premises, pass_time):
    account = gateway.open_account(seller()).id
    used, old = (
        gateway.onboarding_link(account, again_path="/seller/account", return_path="/seller").rpartition("/")[2]
        for _time in range(2)
    )
    assert premises.answer_at_the_desk(used, is_complete=False).endswith("/seller")
    assert premises.answer_at_the_desk(used, is_complete=True).endswith("/seller/account")
    pass_time(minutes=6)
    assert premises.answer_at_the_desk(old, is_complete=True).endswith("/seller/account")
    assert gateway.get_account(account).state == AccountState.PENDING


def share(payment, account, minor, **changes):
    asked = TransferRequest("co:1:transfer:1", payment, account, euros(minor), "co:1", "order")
    return replace(asked, **changes)


def test_a_share_of_a_payment_goes_to_its_seller_once(gateway, mina_there):
    paid = gateway.create_payment(ASKED).id
    first = gateway.transfer(share(paid, mina_there, 2000))
    assert (first.amount, first.reversed_minor) == (euros(2000), 0)
    assert gateway.transfer(share(paid, mina_there, 2000)) == first
    with pytest.raises(KeyConflictError):
        gateway.transfer(share(paid, mina_there, 2001))
    assert moved(gateway, "transfer") == [-2000]


def test_no_more_is_shared_out_than_is_left_of_the_payment(gateway, mina_there):
    paid = gateway.create_payment(ASKED).id
    gateway.transfer(share(paid, mina_there, 2000))
    gateway.refund(paid, euros(500), key="ret:1:refund")
    with pytest.raises(RejectedError, match="amount_too_large"):
        gateway.transfer(share(paid, mina_there, 346, key="co:1:transfer:2"))
    gateway.transfer(share(paid, mina_there, 345, key="co:1:transfer:3"))
    with pytest.raises(RejectedError, match="amount_too_large"):
        gateway.transfer(share(paid, mina_there, 1, key="co:1:transfer:4"))


def test_nothing_goes_to_an_account_that_may_not_receive_it(gateway, premises):
    paid = gateway.create_payment(ASKED).id
    account = gateway.open_account(seller()).id
    with pytest.raises(RejectedError, match="insufficient_capabilities_for_transfer"):
        gateway.transfer(share(paid, account, 2000))
    premises.activate(account)
    with pytest.raises(RejectedError, match="insufficient_capabilities_for_transfer"):
        gateway.transfer(share(paid, account, 2000))  # a refusal is remembered with its key, as Stripe does
    assert gateway.transfer(share(paid, account, 2000, key="co:1:transfer:1:2")).amount == euros(2000)


def test_shares_come_back_in_parts_and_never_more_than_went(gateway, mina_there):
    paid = gateway.create_payment(ASKED).id
    went = gateway.transfer(share(paid, mina_there, 2000)).id
    first = gateway.reverse_transfer(went, euros(500), key="ret:1:reversal:1")
    assert (first.id, first.amount, first.reversed_minor) == (went, euros(2000), 500)
    assert gateway.reverse_transfer(went, euros(500), key="ret:1:reversal:1") == first
    with pytest.raises(KeyConflictError):
        gateway.reverse_transfer(went, euros(501), key="ret:1:reversal:1")
    with pytest.raises(RejectedError, match="amount_too_large"):
        gateway.reverse_transfer(went, euros(1501), key="ret:2:reversal:1")
    assert gateway.reverse_transfer(went, euros(1500), key="ret:3:reversal:1").reversed_minor == 2000
    assert moved(gateway, "reversal") == [500, 1500]


def test_what_was_made_can_be_looked_up_with_the_key_that_it_was_made_with(gateway, premises, mina_there):
    paid = gateway.create_payment(ASKED).id
    refund = gateway.refund(paid, euros(800), key="ret:1:refund")
    wish = share(paid, mina_there, 2000)
    went = gateway.transfer(wish)
    gateway.reverse_transfer(went.id, euros(500), key="ret:1:reversal:1")
    [back] = [one["id"] for one in of_the_sandbox(premises, "reversal")]
    assert gateway.get_refund(refund.id) == RefundReport(refund.id, euros(800), RefundStatus.DONE, paid, "ret:1:refund")
    there = gateway.get_transfer(went.id)
    assert (there.amount, there.reversed_minor, there.account, there.group, there.key) == (
        *(euros(2000), 500, mina_there),
        *(wish.group, wish.key),
    )
    assert gateway.get_reversal(went.id, back) == ReversalReport(back, went.id, euros(500), "ret:1:reversal:1")
    for look in (
        lambda: gateway.get_refund("sbx_re_none"),
        lambda: gateway.get_transfer("sbx_tr_none"),
        lambda: gateway.get_reversal(went.id, "sbx_trr_none"),
    ):
        with pytest.raises(RejectedError, match="resource_missing"):
            look()


def of_the_sandbox(premises, kind):
    with premises.memory() as memory:
        return memory.list(kind)


def test_what_a_seller_has_paid_out_cannot_be_taken_back(gateway, premises, mina_there):
    paid = gateway.create_payment(ASKED).id
    went = gateway.transfer(share(paid, mina_there, 2000)).id
    assert premises.pay_out(mina_there) == 2000
    with pytest.raises(RejectedError, match="balance_insufficient"):
        gateway.reverse_transfer(went, euros(500), key="ret:1:reversal:1")
    gateway.transfer(share(paid, mina_there, 700, key="co:1:transfer:2"))
    assert gateway.reverse_transfer(went, euros(500), key="ret:1:reversal:1:2").reversed_minor == 500


# The books


def test_every_movement_of_money_is_on_the_statement(gateway, premises, mina_there):
    start = clock.now() - timedelta(minutes=1)
    paid = gateway.create_payment(replace(ASKED, token="tok_refund_fails")).id
    went = gateway.transfer(share(paid, mina_there, 2000)).id
    gateway.reverse_transfer(went, euros(500), key="ret:1:reversal:1")
    refund = gateway.refund(paid, euros(800), key="ret:1:refund").id
    premises.fail_refund(refund)
    dispute = premises.dispute(paid)
    premises.end_dispute(dispute, is_won=True)
    found = gateway.list_movements(start, clock.now() + timedelta(minutes=1))
    lines = sorted((one.kind, one.amount.minor, one.fee.minor, one.of, one.source) for one in found)
    assert lines == sorted(
        [
            ("payment", 2845, 68, paid, paid),
            ("transfer", -2000, 0, paid, went),
            ("reversal", 500, 0, "", went),
            ("refund", -800, 0, paid, refund),
            ("refund", 800, 0, paid, refund),
            ("dispute", -2845, 1500, paid, dispute),
            ("dispute", 2845, 0, paid, dispute),
        ]
    )
    assert list(gateway.list_movements(start - timedelta(days=1), start)) == []


def test_a_statement_is_read_to_its_end(gateway):
    for number in range(103):
        gateway.create_payment(replace(ASKED, key=f"co:{number}:pay:1", amount_minor=100 + number))
    start, end = clock.now() - timedelta(minutes=1), clock.now() + timedelta(minutes=1)
    assert sorted(one.amount.minor for one in gateway.list_movements(start, end)) == list(range(100, 203))
    events = [event["data"]["object"]["amount"] for event in gateway.list_events(start)]
    assert events == list(range(100, 203))
