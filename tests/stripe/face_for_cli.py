"""What Stripe's command line asks for beyond what the shop does: older ways to the same rules, for the face."""

from __future__ import annotations

from shop.gateways import sandbox_payments as payments
from shop.gateways import sandbox_shares as shares
from shop.gateways.payment_port import AccountRequest, RejectedError
from shop.gateways.sandbox_memory import Memory, Thing, named
from tests.stripe.face import TEST_CARDS, Asked, route

NOBODY = AccountRequest("", "cli", "Made by the command line", "", "US", False)


@route("POST", "/v1/accounts")
def create_old_account(memory: Memory, _asked: Asked, _name: str) -> Thing:
    """Accounts of the first version are not the shop's way; for who plays a script with one it can receive money."""
    return {**shares.become(memory, shares.open_account(memory, NOBODY)["id"], "active"), "object": "account"}


@route("POST", "/v1/accounts/<id>")
def change_old_account(memory: Memory, asked: Asked, name: str) -> Thing:
    account = memory.need(name, "account")
    account["metadata"] = {**account["metadata"], **asked.get("metadata", {})}
    memory.change(name, body=account)
    memory.tell_of_account(name)
    return {**account, "object": "account"}


@route("POST", "/v1/products")
def create_product(memory: Memory, asked: Asked, _name: str) -> Thing:
    return _kept(memory, "product", {"object": "product", "name": asked["name"]})


@route("POST", "/v1/prices")
def create_price(memory: Memory, asked: Asked, _name: str) -> Thing:
    memory.need(asked["product"], "product")
    amount = {"unit_amount": asked["unit_amount"], "currency": asked["currency"]}
    return _kept(memory, "price", {"object": "price", "product": asked["product"], **amount})


@route("GET", "/v1/payment_pages/<id>")
def get_payment_page(memory: Memory, _asked: Asked, name: str) -> Thing:
    return memory.need(name, "page")


@route("POST", "/v1/payment_pages/<id>")
def change_payment_page(memory: Memory, _asked: Asked, name: str) -> Thing:
    return memory.need(name, "page")


@route("POST", "/v1/payment_methods")
def create_method(memory: Memory, asked: Asked, _name: str) -> Thing:
    return _kept(memory, "draft", {"object": "payment_method", "type": asked["type"]}, prefix="pm")


@route("POST", "/v1/payment_pages/<id>/confirm")
def confirm_payment_page(memory: Memory, asked: Asked, name: str) -> Thing:
    memory.need(asked["payment_method"], "draft")
    page = memory.need(name, "page")
    if page["status"] != "open" or asked["expected_amount"] != page["amount"]:
        raise RejectedError("payment_page_not_open")
    return payments.answer_page(memory, page, "approved")


@route("POST", "/v1/setup_intents")
def create_setup(memory: Memory, asked: Asked, _name: str) -> Thing:
    """A card that is kept without paying: the shop does not do that, so it goes no further than this answer."""
    if asked.get("payment_method") not in TEST_CARDS:
        raise RejectedError("resource_missing")
    setup: Thing = {"id": named("seti"), "object": "setup_intent", "status": "succeeded", "livemode": False}
    memory.tell("setup_intent.succeeded", setup)
    return setup


def _kept(memory: Memory, kind: str, thing: Thing, prefix: str = "") -> Thing:
    thing = {"id": named(prefix or kind[:4]), "livemode": False, **thing}
    memory.put(thing["id"], kind, thing)
    return thing
