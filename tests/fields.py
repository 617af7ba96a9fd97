"""A payment company with fields of its own in the page, for tests: the sandbox, which here takes what such fields make.

What the fields made of a card names how it goes on, as the sandbox's methods do. `STRIPE` stands in for the company's
script in a browser, and answers the calls that its documentation names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import PaymentState

KEY = "pk_test_etalage"
STRIPE = (Path(__file__).parent / "browser" / "stripe.js").read_text()
METHODS = {
    "ctoken_good": "card",
    "ctoken_declined": "card_declined",
    "ctoken_bank": "authentication_required",
    "ctoken_here": "authentication_required",
}


def install(monkeypatch: Any) -> list[Any]:
    """Give the sandbox fields; the list fills with the requests that it gets."""
    asked: list[Any] = []
    create, get = SandboxGateway.create_payment, SandboxGateway.get_payment

    def create_payment(self: SandboxGateway, request: Any) -> Any:
        asked.append(request)
        if not request.token:
            return create(self, request)
        return _here(request.token, create(self, replace(request, method=METHODS[request.token], token="")))

    def get_payment(self: SandboxGateway, payment: str) -> Any:
        mine = [one.token for one in asked if one.token]
        return _here(mine[-1] if mine else "", get(self, payment))

    monkeypatch.setattr(SandboxGateway, "publishable_key", KEY)
    monkeypatch.setattr(SandboxGateway, "create_payment", create_payment)
    monkeypatch.setattr(SandboxGateway, "get_payment", get_payment)
    return asked


def _here(token: str, report: Any) -> Any:
    """For one of them the bank asks within the page: there is a secret, and no other page."""
    if token != "ctoken_here" or report.state != PaymentState.REQUIRES_ACTION:
        return report
    return replace(report, redirect_url="", client_secret=f"{report.id}_secret_etalage")
