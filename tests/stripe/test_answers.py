"""What the shop takes for Stripe's answer is one by Stripe's own types of 16.1, and it looks for nothing else in it.

That the answers and events of the sandbox's face are such is asked at each of them: `face`, and `test_gateway`.
"""

import pytest

from shop.gateways import payment_shape as shape
from shop.gateways import payment_shape_shares as shares
from tests.stripe import answers

MOVEMENT = {"object": "balance_transaction", "id": "txn_1", "amount": 2845, "fee": 68, "currency": "eur", "created": 1}
CHARGE = {"object": "charge", "id": "ch_1", "status": "succeeded", "amount": 2845, "amount_refunded": 800}
CHARGE |= {"currency": "eur", "payment_intent": "pi_1", "balance_transaction": MOVEMENT, "metadata": {"key": "co:1"}}
METHOD = {"object": "payment_method", "id": "pm_1", "customer": "cus_1", "card": {"brand": "visa", "last4": "4242"}}
ACTION = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example", "return_url": "https://x"}}
DECLINED = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}
INTENT = {"object": "payment_intent", "id": "pi_1", "status": "succeeded", "amount": 2845, "currency": "eur"}
INTENT |= {"latest_charge": CHARGE, "payment_method": METHOD, "next_action": None, "metadata": {"key": "co:1"}}
SESSION = {"object": "checkout.session", "id": "cs_1", "status": "complete", "payment_status": "paid"}
SESSION |= {"payment_intent": INTENT, "amount_total": 2845, "currency": "eur", "url": None, "metadata": {}}
REFUND = {"object": "refund", "id": "re_1", "status": "pending", "amount": 800, "currency": "eur"}
TRANSFER = {"object": "transfer", "id": "tr_1", "amount": 2000, "amount_reversed": 500, "currency": "eur"}
BACK = {"object": "transfer_reversal", "id": "trr_1", "amount": 500, "currency": "eur", "transfer": TRANSFER}
DISPUTE = {"object": "dispute", "id": "du_1", "status": "needs_response", "amount": 2845, "currency": "eur"}
STANDING = {"status": "restricted", "status_details": [{"code": "requirements_past_due", "resolution": "provide_info"}]}
ABLE = {"recipient": {"applied": True, "capabilities": {"stripe_balance": {"stripe_transfers": STANDING}}}}
ACCOUNT = {"object": "v2.core.account", "id": "acct_1", "configuration": ABLE}

READ = {
    "a payment": (shape.payment, INTENT),
    "a payment at its bank": (shape.payment, INTENT | {"status": "requires_action", "next_action": ACTION}),
    "a payment that was declined": (
        shape.payment,
        INTENT | {"status": "requires_payment_method", "last_payment_error": DECLINED, "latest_charge": None},
    ),
    "a payment that was given up": (
        shape.payment,
        INTENT | {"status": "canceled", "cancellation_reason": "abandoned", "latest_charge": "ch_1"},
    ),
    "a page": (shape.page, SESSION),
    "a charge": (shape._charge, CHARGE),
    "a refund": (shape.refund, REFUND | {"payment_intent": "pi_1", "metadata": {}}),
    "a dispute": (shape._dispute, DISPUTE | {"payment_intent": "pi_1", "reason": "fraudulent"}),
    "a transfer": (shares.transfer, TRANSFER | {"destination": "acct_1", "transfer_group": "co:1"}),
    "a reversal": (shares.reversal, BACK),
    "an account": (
        shares.account,
        ACCOUNT | {"requirements": {"entries": [{"description": "external_account"}]}},
    ),
    "a movement": (shares.movement, MOVEMENT | {"reporting_category": "charge", "source": CHARGE}),
    "a movement of a share": (shares.movement, MOVEMENT | {"reporting_category": "transfer", "source": TRANSFER}),
    "a movement back": (shares.movement, MOVEMENT | {"reporting_category": "transfer_reversal", "source": BACK}),
}


@pytest.mark.parametrize("name", READ)
def test_the_shop_looks_only_for_what_stripe_s_objects_have(name):
    read, thing = READ[name]
    assert answers.deviations(thing) == []
    assert read(answers.Watched(thing)) == read(thing)


def test_who_looks_for_something_else_is_told():
    with pytest.raises(AssertionError, match="BalanceTransaction has no cost"):
        answers.Watched(INTENT)["latest_charge"]["balance_transaction"].get("cost")


def test_what_is_no_answer_of_stripe_s_is_told():
    wrong = CHARGE | {"status": "done", "paid": 1, "colour": "red", "balance_transaction": MOVEMENT | {"fee": "68"}}
    wrong |= {
        "outcome": {"type": "blocked", "mood": "bad"},
        "refunds": {"object": "list", "data": [REFUND | {"amount": "1"}]},
    }
    assert answers.deviations(wrong) == [
        "charge.status cannot be 'done'",
        "charge.balance_transaction.fee cannot be '68'",
        "charge.paid cannot be 1",
        "charge.colour is unknown",
        "charge.outcome.mood is unknown",
        "charge.refunds.data[0].amount cannot be '1'",
    ]
