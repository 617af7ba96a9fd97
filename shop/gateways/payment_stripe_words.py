"""What the shop asks, in Stripe's words: the parameters of each request, by its own types.

With one key a request is sent the same however often, so nothing here looks at a clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.gateways.payment_port import AccountRequest, RejectedError, Request, TransferRequest

if TYPE_CHECKING:  # only types, and many
    from stripe.params import (
        PaymentIntentCreateParams,
        PaymentIntentCreateParamsPaymentMethodDataBillingDetails,
        TransferCreateParams,
    )
    from stripe.params.checkout import SessionCreateParams
    from stripe.params.v2.core import AccountCreateParams, AccountLinkCreateParams

BY_REDIRECT = ("ideal", "bancontact")  # no more than a button of ours and a page of the bank's
MORE = ["latest_charge.balance_transaction", "payment_method"]  # what is told of a payment, and only when asked for
EVENTS = [  # what the shop reads: the README has them sent, and the clock asks for these only (Stripe: at most 20)
    *(
        f"payment_intent.{what}"
        for what in ("succeeded", "processing", "requires_action", "payment_failed", "canceled")
    ),
    *("charge.refunded", "charge.refund.updated", "refund.failed", "charge.dispute.created", "charge.dispute.closed"),
    *("checkout.session.completed", "checkout.session.expired"),
]
MORE_OF_A_PAGE = [f"payment_intent.{name}" for name in MORE]


def payment(request: Request, base_url: str) -> PaymentIntentCreateParams:
    """A payment that is confirmed at once: nothing is left behind when the buyer does not pay."""
    wish: PaymentIntentCreateParams = {
        "amount": request.amount_minor,
        "currency": request.currency.lower(),
        "confirm": True,
        "return_url": base_url + request.return_path,
        "metadata": _about(request),
        "expand": MORE,
    }
    if request.group:
        wish["transfer_group"] = request.group
    if request.saved_method:  # the buyer is here and can be asked for more, so it is not off session
        return {**wish, "customer": request.customer, "payment_method": request.saved_method}
    if request.token:
        return _by_token(request, wish)
    if request.method in BY_REDIRECT:
        return _by_redirect(request, wish)
    raise RejectedError("payment_method_unknown")


def _about(request: Request) -> dict[str, str]:
    return {"key": request.key, "purchase": request.purchase}


def _by_token(request: Request, wish: PaymentIntentCreateParams) -> PaymentIntentCreateParams:
    wish["confirmation_token"] = request.token
    if request.customer:
        wish["customer"] = request.customer
        if request.wants_saving:  # of a card, and not on top: else iDEAL would become a mandate to collect
            wish["payment_method_options"] = {"card": {"setup_future_usage": "on_session"}}
    return wish


def _by_redirect(request: Request, wish: PaymentIntentCreateParams) -> PaymentIntentCreateParams:
    payer: PaymentIntentCreateParamsPaymentMethodDataBillingDetails = {}
    if request.payer_name:
        payer["name"] = request.payer_name
    if request.payer_email:
        payer["email"] = request.payer_email
    wish["allowed_payment_method_types"] = [request.method]
    wish["payment_method_data"] = {"type": request.method}
    if payer:
        wish["payment_method_data"]["billing_details"] = payer
    return wish


def page(request: Request, base_url: str, name: str) -> SessionCreateParams:
    """A hosted page for one payment. `name` is what it says is paid for."""
    back = base_url + request.return_path
    about = {**_about(request), "group": request.group, "hosted": "1"}
    price = request.amount_minor
    wish: SessionCreateParams = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.currency.lower(),
                    "unit_amount": price,
                    "product_data": {"name": name},
                },
            }
        ],
        "success_url": back,
        "cancel_url": back,
        "metadata": about,
        "payment_intent_data": {"metadata": about},
    }
    if request.group:
        wish["payment_intent_data"]["transfer_group"] = request.group
    if request.expires_at:
        wish["expires_at"] = request.expires_at
    return _with_payer(request, wish)


def _with_payer(request: Request, wish: SessionCreateParams) -> SessionCreateParams:
    if not request.customer:
        if request.payer_email:
            wish["customer_email"] = request.payer_email
        return wish
    wish["customer"] = request.customer
    if request.wants_saving:
        wish["payment_method_options"] = {"card": {"setup_future_usage": "on_session"}}
    return wish


def transfer(request: TransferRequest, charge: str) -> TransferCreateParams:
    """A share of what a charge brought: it waits until that money is there."""
    return {
        "amount": request.amount.minor,
        "currency": request.amount.currency.lower(),
        "destination": request.account,
        "source_transaction": charge,
        "transfer_group": request.group,
        "metadata": {"order": request.order, "payment": request.payment, "key": request.key},
    }


def account(request: AccountRequest) -> AccountCreateParams:
    """An account that can receive transfers, with a desk at Stripe; for its losses the shop answers."""
    return {
        "display_name": request.name,
        "contact_email": request.email,
        "dashboard": "express",
        "identity": {
            "country": request.country.lower(),
            "entity_type": "company" if request.is_business else "individual",
        },
        "configuration": {
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
        },
        "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        "metadata": {"seller": request.seller},
        "include": ["configuration.recipient", "requirements"],
    }


def account_link(account: str, again: str, back: str) -> AccountLinkCreateParams:
    """A way to Stripe's page that asks for everything at once, also what is only needed later."""
    return {
        "account": account,
        "use_case": {
            "type": "account_onboarding",
            "account_onboarding": {
                "collection_options": {"fields": "eventually_due"},
                "refresh_url": again,
                "return_url": back,
            },
        },
    }
