"""What is written down of who keeps a card, column by column; and what is said and told."""

from datetime import timedelta

import pytest
from flask import current_app

from shop import (
    gateways,
    wallet,
)
from shop.database import db
from shop.errors import NotFound
from shop.gateways.payment_port import (
    UnreachableError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    GatewayCustomer,
    Job,
    SavedMethod,
)
from tests.listening import listen
from tests.till import states
from tests.written_down import (  # noqa: F401
    TUESDAY,
    _a_cheap_tuesday,
    jobs_for,
    only,
    raising,
    rows,
)

pytestmark = pytest.mark.usefixtures("at_the_desk")


def test_what_can_be_paid_with_is_offered_by_its_name(mug, noor, monkeypatch):
    ways = ("ideal", "bancontact", "wallet", "card", "other", "klarna", "sepa")
    names = {"sepa": "SEPA"}
    monkeypatch.setitem(current_app.config, "PAYMENT_METHODS", tuple((way, names.get(way, "")) for way in ways))
    plain = [
        wallet.Method("ideal", "iDEAL | Wero"),
        wallet.Method("bancontact", "Bancontact"),
        wallet.Method("card", "Card"),
        wallet.Method("other", "Other ways to pay"),
        wallet.Method("klarna", "klarna"),
        wallet.Method("sepa", "SEPA"),
    ]
    tests = [
        wallet.Method("card_declined", "Test: the bank declines the card", is_test=True),
        wallet.Method("insufficient_funds", "Test: not enough money on the card", is_test=True),
        wallet.Method("authentication_required", "Test: the bank asks for a confirmation", is_test=True),
        wallet.Method("slow_success", "Test: takes a while, then works", is_test=True),
        wallet.Method("slow_failure", "Test: takes a while, then fails", is_test=True),
    ]
    assert wallet.methods() == plain + tests
    plain[2] = wallet.Method("card", "Card", can_be_saved=True)
    assert wallet.methods(noor.id) == plain + tests
    row = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=TUESDAY, **row))
    db.session.flush()
    hers = wallet.methods(noor.id)
    assert (hers[0], hers[0].is_kept, hers[1:]) == (wallet.Method("saved:hers", "Visa 4242"), True, plain + tests)
    monkeypatch.setattr(SandboxGateway, "publishable_key", "pk_test_1")
    plain[2] = wallet.Method("card", "Card", fields="card")
    plain.insert(2, wallet.Method("wallet", "Apple Pay, Google Pay", fields="wallet"))
    assert wallet.methods() == plain + tests
    monkeypatch.setattr(gateways, "sandbox", lambda: None)
    assert wallet.methods() == plain


def test_who_is_introduced_is_written_whole_and_who_cannot_be_is_told_of(noor, monkeypatch):
    asked = []
    with monkeypatch.context() as deaf:
        deaf.setattr(SandboxGateway, "open_customer", raising(UnreachableError("away")))
        told = listen(deaf, wallet)
        wallet.introduce(noor.id)
    assert told == [
        {
            "event": "the gateway does not take somebody in",
            "error": repr(UnreachableError("away")),
            "log_level": "warning",
        }
    ]
    monkeypatch.setattr(
        SandboxGateway,
        "open_customer",
        lambda _self, name, email, *, key: asked.append((name, email, key)) or "cus_1",
    )
    for who in (noor.id, noor.id, 404):
        wallet.introduce(who)
    assert asked == [(f"user:{noor.id}", "noor@example.com", f"user:{noor.id}:customer")]
    assert rows(GatewayCustomer) == [
        {"user_id": noor.id, "gateway": "sandbox", "gateway_id": "cus_1", "created_at": TUESDAY}
    ]


def test_what_is_forgotten_is_asked_for_until_the_gateway_answers(noor, monkeypatch):
    row = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=TUESDAY, **row))
    db.session.flush()
    with pytest.raises(NotFound, match=r"^This is not kept any more\.$"):
        wallet.forget(noor.id, "his")
    wallet.forget(noor.id, "hers")
    kept = only(SavedMethod)
    assert (kept.name, kept.forgotten_at) == ("", TUESDAY)
    card, person = {"gateway": "sandbox", "method": "pm_hers"}, {"gateway": "sandbox", "customer": "cus_1"}
    assert jobs_for(wallet.forget_at_gateway) == [card]
    monkeypatch.setattr(SandboxGateway, "forget_method", raising(UnreachableError("away")))
    monkeypatch.setattr(SandboxGateway, "forget_customer", raising(UnreachableError("away")))
    told = listen(monkeypatch, wallet)
    db.session.commit()
    wallet.forget_at_gateway(**card)
    db.session.commit()
    wallet.forget_customer_at_gateway(**person)
    away = {
        "event": "the gateway does not forget yet",
        "error": repr(UnreachableError("away")),
        "log_level": "warning",
    }
    assert told == [{**away, "what": "forget_method"}, {**away, "what": "forget_customer"}]
    assert jobs_for(wallet.forget_at_gateway) == [card, card]
    assert jobs_for(wallet.forget_customer_at_gateway) == [person]
    assert states(Job.run_at) == [TUESDAY, TUESDAY + timedelta(hours=1), TUESDAY + timedelta(hours=1)]
