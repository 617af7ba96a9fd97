"""Which gateway a shop has: Stripe where it has keys, one for each process; else the sandbox. Never both."""

import pytest

from app import create_app
from shop import gateways, payments, settings
from shop.gateways import payment_shape as shape
from shop.gateways.payment_port import ForgedError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.gateways.payment_stripe import StripeGateway

KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_new_0123456789abcdef,whsec_old_0123456789abcdef",
    "STRIPE_ACCOUNTS_WEBHOOK_SECRET": "whsec_accounts_0123456789abcdef",
}
LIVE = {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_PUBLISHABLE_KEY": "pk_live_1"}
OPERATOR = {"OPERATOR_NAME": "E", "OPERATOR_ADDRESS": "Utrecht", "OPERATOR_CONTACT": "shop@shop.example"}
PRODUCTION = {"APP_ENV": "production", "BASE_URL": "https://shop.example", **OPERATOR}
EVENT = '{"id": "evt_1", "object": "event", "type": "x", "livemode": false, "data": {"object": {"object": "customer"}}}'

THIN = (
    '{"id": "evt_2", "object": "v2.core.event", "type": "x", "livemode": false,'
    ' "related_object": {"id": "acct_1", "type": "v2.core.account"}}'
)


@pytest.fixture
def shop(tmp_path):
    return lambda **given: create_app(settings.read({"INSTANCE_PATH": str(tmp_path), **given}))


def test_with_keys_it_is_stripe_and_there_is_one(shop):
    with shop(**KEYS).app_context():
        gateway = gateways.payment()
        assert isinstance(gateway, StripeGateway)
        assert gateways.payment() is gateway
        assert (gateway.name, gateway.publishable_key, gateway.is_live) == ("stripe", "pk_test_1", False)
        assert gateways.sandbox() is None


def test_its_doors_open_with_the_secrets_of_the_settings(shop):
    with shop(**KEYS).app_context():
        for secret in ("whsec_new_0123456789abcdef", "whsec_old_0123456789abcdef"):
            assert gateways.payment().verify_webhook(EVENT.encode(), shape.sign(EVENT, [secret])).id == "evt_1"
        signed = shape.sign(EVENT, ["whsec_accounts_0123456789abcdef"])
        thin = shape.sign(THIN, ["whsec_accounts_0123456789abcdef"])
        assert gateways.payment().verify_webhook(THIN.encode(), thin, endpoint="accounts").id == "evt_2"
        with pytest.raises(ForgedError):
            gateways.payment().verify_webhook(EVENT.encode(), signed)


def test_without_keys_it_is_the_sandbox(shop):
    with shop().app_context():
        assert isinstance(gateways.payment(), SandboxGateway)
        assert isinstance(gateways.sandbox(), SandboxGateway)


def test_where_money_is_played_with_the_pages_say_so(shop):
    assert [shop(**given).config["TEST_MODE"] for given in ({}, KEYS, {**KEYS, **LIVE, **PRODUCTION})] == [
        True,
        True,
        False,
    ]


def test_with_keys_there_is_nothing_to_deliver_and_nothing_to_play_with(shop):
    app = shop(**KEYS)
    with app.test_request_context(method="POST"):
        assert not any(method.is_test for method in payments.methods())
        payments.send_sandbox_events()
    assert app.test_client().get("/sandbox/bank/sbx_pi_1").status_code == 404
