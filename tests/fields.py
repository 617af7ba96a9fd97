"""A payment company with fields of its own in the page, for tests: the sandbox, which takes what such fields make.

What they make of a card is called "tok_" and how it goes on. `STRIPE` stands in for the company's script in a browser,
and answers the calls that its documentation names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import PaymentState

KEY = "pk_test_etalage"
STRIPE = (Path(__file__).parent / "browser" / "stripe.js").read_text()


def install(monkeypatch: Any) -> list[Any]:
    """Give the sandbox fields; the list fills with the requests that it gets."""
    asked: list[Any] = []
    create = SandboxGateway.create_payment

    def create_payment(self: SandboxGateway, request: Any) -> Any:
        asked.append(request)
        return create(self, request)

    monkeypatch.setattr(SandboxGateway, "publishable_key", KEY)
    monkeypatch.setattr(SandboxGateway, "create_payment", create_payment)
    return asked


def ask_in_the_page(monkeypatch: Any) -> None:
    """From now on the bank asks within the page: there is a secret, and no other page."""
    create, get = SandboxGateway.create_payment, SandboxGateway.get_payment

    def here(report: Any) -> Any:
        if report.state != PaymentState.REQUIRES_ACTION:
            return report
        return replace(report, redirect_url="", client_secret=f"{report.id}_secret_etalage")

    monkeypatch.setattr(SandboxGateway, "create_payment", lambda self, request: here(create(self, request)))
    monkeypatch.setattr(SandboxGateway, "get_payment", lambda self, payment: here(get(self, payment)))
