"""A shop with keys of Stripe's, opened as `python app.py` opens it, that asks for Stripe at another place.

`python -m tests.faults.stripe_shop http://127.0.0.1:1234`. The shop itself has no such setting: nobody is to lead a
shop's money elsewhere by one.
"""

from __future__ import annotations

import sys
from functools import partial

import app as front
from shop import gateways, serving, settings
from shop.gateways.payment_stripe import StripeGateway

KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_payments_0123456789abcdef",
    "STRIPE_ACCOUNTS_WEBHOOK_SECRET": "whsec_accounts_0123456789abcdef",
}

if __name__ == "__main__":
    gateways.StripeGateway = partial(StripeGateway, api=sys.argv[1])  # type: ignore[attr-defined,misc,assignment]
    sys.exit(serving.main(front.create_app, settings.read()))
