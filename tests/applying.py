"""Applications to sell, for tests that are about what comes after: sent in whole, or begun, by the rules."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.testing import FlaskClient

from shop import accounts, application, checklist, clock, papers, sellers, tax_facts, vault
from shop.accounts import Person
from shop.checklist import Item
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import BankAccount, BankState, LookUpResult, Seller

NAMED = ("kind", "country", "handle", "shop_name")
PERSON = {
    "kind": "individual",
    "handle": "mina",
    "shop_name": "Atelier Mina",
    "legal_name": "Mina de Vries",
    "email": "shop@mina.example",
    "phone": "+31 30 123 45 67",
    "street": "Oudegracht 1",
    "postcode": "3511 AA",
    "city": "Utrecht",
    "country": "NL",
    "returns_address": "Oudegracht 1, 3511 AA Utrecht, NL",
    "stock_kind": "made_to_order",
    "sells_what": "Mugs and bowls that I turn myself.",
}
BUSINESS = PERSON | {
    "kind": "business",
    "legal_name": "Atelier Mina B.V.",
    "company_register": "KVK",
    "company_number": "68750110",
    "vat_number": "NL123456789B01",
}


def who(browser: FlaskClient) -> Person:
    """Who is signed in in this browser; inside a context of the app."""
    with browser.session_transaction() as cookie:
        token = cookie["_user_id"]
    person = accounts.visitor(token)
    assert person is not None
    return person


def sent_in(browser: FlaskClient, facts: dict[str, str] = PERSON) -> None:
    """All of it at once, as the demo does: it waits for a moderator."""
    person = _asked(browser, who)
    with browser.application.test_request_context(method="POST"):
        sellers.apply(person, is_self_certified=True, **{k: v for k, v in facts.items() if k != "is_self_certified"})
        db.session.commit()


def begun(browser: FlaskClient, facts: dict[str, str] = PERSON) -> None:
    """A draft, in which nothing is told."""
    person = _asked(browser, who)
    with browser.application.test_request_context(method="POST"):
        application.begin(person, **{name: facts[name] for name in NAMED})
        db.session.commit()


def _asked(browser: FlaskClient, ask: Any) -> Any:
    with browser.application.test_request_context():
        return ask(browser)


TOLD: dict[Item, dict[str, Any]] = {
    Item.CONTACT: {name: PERSON[name] for name in ("legal_name", "email", "phone", "street", "postcode", "city")},
    Item.REGISTER: {"company_register": "KVK", "company_number": "68750110"},
    Item.VAT: {"is_small_business": True},
    Item.REPRESENTATIVE: {"represented_by": "Mina de Vries", "represented_as": "owner"},
    Item.EU_RESPONSIBLE: {
        "eu_responsible": {"name": "Europa", "address": "Kade 1, 1011 AA Amsterdam", "email": "e@e.eu"}
    },
    Item.PACKAGING: {"packaging": {"DE": "DE1234567890123", "FR": "FR123456_01ABCD"}},
    Item.GOODS: {"sells_what": PERSON["sells_what"], "stock_kind": "own_stock"},
    Item.RETURNS: {"returns_address": PERSON["returns_address"], "returns_days": 30, "returns_paid_by": "seller"},
}


def tell(person: Person, item: Item) -> None:
    """Tell an item of one's application, right; inside a request that writes."""
    seller = application.asked(person, item)
    for kind in checklist.PAPERS.get(item, ()):
        papers.keep(seller.id, kind, Read("jpeg", (b"a page",), bytes(8)), vault.mark(f"{seller.id} {kind}".encode()))
        application.touch(seller, item)
    if item == Item.PROMISE:
        application.promise(person)
    elif item == Item.BANK:
        _give_bank(seller)
        application.touch(seller, item)
    elif item == Item.TAX:
        tax_facts.give(
            seller, number="999999990", country="NL", born=date(1990, 5, 17), by=person
        )  # a business tells no birth
        application.touch(seller, item)
    elif item in TOLD:
        confirmed = {"email_confirmed_at": clock.now()} if item == Item.CONTACT else {}
        application.tell(person, item, TOLD[item] | confirmed)
    db.session.flush()


def tell_all(person: Person, *, but: tuple[Item, ...] = ()) -> None:
    """Tell all that is asked, but for these."""
    seller = application.open_one(person)
    for item in checklist.asked_of(seller.kind, seller.country):
        if item not in but:
            tell(person, item)


def _give_bank(seller: Seller) -> None:
    facts = {"sealed_iban": b"x", "wrapped_key": None, "key_id": "", "last4": "4300", "country": "NL"}
    checked = {"holder": seller.legal_name or "Mina", "payee_check": LookUpResult.MATCH}
    db.session.add(BankAccount(seller_id=seller.id, state=BankState.CURRENT, set_at=clock.now(), **facts, **checked))
    db.session.flush()
