"""The sandbox, spoken to as one speaks to Stripe: for tests and development, and no part of the shop.

A small WSGI app over the same rules. It reads forms for the first version and JSON for the second, keeps
Idempotency-Keys, shows only the names of what was not asked for in full, and says no in Stripe's way.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from shop.gateways import sandbox_disputes as disputes
from shop.gateways import sandbox_payments as payments
from shop.gateways import sandbox_shares as shares
from shop.gateways.payment_port import AccountRequest, KeyConflictError, RejectedError
from shop.gateways.payment_sandbox import SandboxGateway, forget_customer, open_customer
from shop.gateways.sandbox_memory import OURS, Memory, Thing, named
from tests.stripe import answers, wire

Asked = dict[str, Any]
Answer = Callable[[Memory, Asked, str], Thing]
ROUTES: list[tuple[str, re.Pattern[str], Answer]] = []

# Stripe's own names of test cards, and what becomes of a payment with them.
TEST_CARDS = {
    "pm_card_visa": "card",
    "tok_visa": "card",
    "pm_card_visa_chargeDeclined": "card_declined",
    "pm_card_chargeDeclined": "card_declined",
    "pm_card_authenticationRequired": "authentication_required",
    "pm_card_threeDSecure2Required": "authentication_required",
    "pm_card_threeDSecureRequired": "authentication_required",
    "pm_card_createDispute": "disputed",
    "pm_card_createDisputeInquiry": "disputed",
    "tok_createDispute": "disputed",
    "tok_bypassPending": "card",
    "pm_card_bypassPending": "card",
}


class Wrong(Exception):
    """An answer that says no."""

    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.body = status, {"type": kind, "code": code, "message": code, **more}


def route(method: str, path: str) -> Callable[[Answer], Answer]:
    """`path` may hold one `<id>`."""
    pattern = re.compile(path.replace("<id>", "([^/]+)"))

    def add(answer: Answer) -> Answer:
        ROUTES.append((method, pattern, answer))
        return answer

    return add


class Face:
    """The WSGI app. `calls` is what was asked: (method, path, status)."""

    def __init__(self, app: Flask, sandbox: SandboxGateway) -> None:
        self.app, self.sandbox = app, sandbox
        self.calls: list[tuple[str, str, int]] = []

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        with self.app.app_context():
            try:
                status, body = 200, self._answer(request)
            except Wrong as wrong:
                status, body = wrong.status, {"error": wrong.body}
        self.calls.append((request.method, request.path, status))
        return Response(json.dumps(body), status, content_type="application/json")(environ, start_response)

    def _answer(self, request: Request) -> Thing:
        if not re.fullmatch(r"Bearer [sr]k_test_\w{8,}", request.headers.get("Authorization", "")):
            raise Wrong(401, "invalid_request_error", "api_key_invalid")
        answer, name = _found(request)
        is_json = request.path.startswith("/v2/") and request.method == "POST"
        asked = wire.read(request.get_data() if request.method == "POST" else request.query_string, is_json=is_json)
        wanted = asked.pop("expand", [])
        with self.sandbox.memory() as memory:
            thing = self._once(memory, request, asked, lambda: answer(memory, asked, name))
            if "rejected" not in thing:
                thing = shown(memory, thing, wanted)
                assert not (found := answers.deviations(thing)), found
        if "rejected" in thing:
            code = str(thing["rejected"])
            raise Wrong(404 if code == "resource_missing" else 400, "invalid_request_error", code)
        _refuse_if_declined(request, thing)
        return thing

    def _once(self, memory: Memory, request: Request, asked: Asked, do: Callable[[], Thing]) -> Thing:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        try:
            if key:
                return memory.once(f"face:{key}", {"path": request.path, **asked}, do)
            return do()
        except KeyConflictError as error:
            raise Wrong(400, "idempotency_error", "idempotency_error") from error
        except RejectedError as error:
            return {"rejected": error.code}


def _found(request: Request) -> tuple[Answer, str]:
    for method, pattern, answer in ROUTES:
        if method == request.method and (match := pattern.fullmatch(request.path)):
            return answer, (match.groups() or ("",))[0]
    raise Wrong(404, "invalid_request_error", "url_invalid")


def _refuse_if_declined(request: Request, thing: Thing) -> None:
    """A card that is declined while it is confirmed is said as an error, with the payment in it."""
    error = thing.get("last_payment_error") or {}
    if request.method == "POST" and thing.get("object") == "payment_intent" and error.get("type") == "card_error":
        raise Wrong(402, "card_error", error["code"], decline_code=error.get("decline_code"), payment_intent=thing)


def shown(memory: Memory, thing: Thing, wanted: list[str]) -> Thing:
    """A thing as it is told: what belongs to it by its name only, unless it was asked for in full."""
    if thing.get("object") == "list":
        inner = [name.removeprefix("data.") for name in wanted if name.startswith("data.")]
        return {**thing, "data": [shown(memory, one, inner) for one in thing["data"]]}
    seen = {name: value for name, value in thing.items() if name not in OURS}
    if thing.get("object") == "checkout.session" and thing.get("payment_intent") and _wants(wanted, "payment_intent"):
        seen["payment_intent"] = memory.need(thing["payment_intent"], "payment")
    for name in ("latest_charge", "payment_method", "balance_transaction", "transfer", "source", "payment_intent"):
        if isinstance(seen.get(name), dict):
            more = [path.partition(".")[2] for path in wanted if path.startswith(f"{name}.")]
            seen[name] = shown(memory, seen[name], more) if _wants(wanted, name) else seen[name]["id"]
    return seen


def _wants(wanted: list[str], name: str) -> bool:
    return any(path == name or path.startswith(f"{name}.") for path in wanted)


# Payments


@route("POST", "/v1/payment_intents")
def create_intent(memory: Memory, asked: Asked, _name: str) -> Thing:
    wish = _wish(memory, asked)
    if asked.get("confirm"):
        return payments.start(memory, wish)
    intent = {"id": named("pi"), "object": "payment_intent", "status": "requires_payment_method", "asked": asked}
    intent |= {"amount": wish.amount, "currency": wish.currency, "metadata": wish.metadata, "livemode": False}
    memory.put(str(intent["id"]), "draft", intent)
    memory.tell("payment_intent.created", intent)
    return intent


def _wish(memory: Memory, asked: Asked) -> payments.Wish:
    method = str(asked.get("payment_method", ""))
    return payments.Wish(
        amount=asked["amount"],
        currency=asked["currency"],
        course=_course(asked, method),
        back=asked.get("return_url", "https://shop.example/"),
        metadata=asked.get("metadata", {}),
        group=asked.get("transfer_group", ""),
        customer=asked.get("customer", "") if _is_known(memory, asked.get("customer", "")) else "",
        method=method if method.startswith("sbx_") and memory.look(method, "method") else _missing(method),
        keeps=_keeps(asked),
    )


def _missing(method: str) -> str:
    """A card that was kept has to be there; the names of test cards are courses."""
    if method.startswith("sbx_"):
        raise RejectedError("resource_missing")
    return ""


def _is_known(memory: Memory, customer: str) -> bool:
    if customer and memory.look(customer, "customer") is None:
        raise RejectedError("resource_missing")
    return bool(customer)


def _course(asked: Asked, method: str) -> str:
    if token := asked.get("confirmation_token"):
        return str(token).removeprefix("tok_")
    details = asked.get("payment_method_data", {})
    if details.get("type") == "bancontact" and not details.get("billing_details", {}).get("name"):
        raise RejectedError("parameter_missing")
    return str(details.get("type") or TEST_CARDS.get(method, "card"))


def _keeps(asked: Asked) -> bool:
    options = asked.get("payment_method_options", {}).get("card", {})
    return bool(options.get("setup_future_usage") or asked.get("setup_future_usage"))


@route("GET", "/v1/payment_intents/<id>")
def get_intent(memory: Memory, _asked: Asked, name: str) -> Thing:
    return payments.ripe(memory, memory.need(name, "payment"))


@route("POST", "/v1/refunds")
def create_refund(memory: Memory, asked: Asked, _name: str) -> Thing:
    name = asked.get("payment_intent") or str(asked["charge"]).replace("_ch_", "_pi_")
    intent = memory.need(name, "payment")
    about = asked.get("metadata", {})
    return disputes.give_back(memory, intent, asked.get("amount", intent["amount"]), intent["currency"], about)


@route("GET", "/v1/refunds/<id>")
def get_refund(memory: Memory, _asked: Asked, name: str) -> Thing:
    return disputes.ripe_refund(memory, memory.need(name, "refund"))


@route("POST", "/v1/checkout/sessions")
def create_page(memory: Memory, asked: Asked, _name: str) -> Thing:
    [line] = asked["line_items"]
    price = line.get("price_data") or memory.need(line["price"], "price")
    inner = asked.get("payment_intent_data", {})
    wish = payments.Wish(
        amount=price["unit_amount"] * line["quantity"],
        currency=price["currency"],
        course="card",
        back=asked["success_url"],
        metadata=inner.get("metadata", {}),
        group=inner.get("transfer_group", ""),
        customer=asked.get("customer", ""),
        keeps=_keeps(asked),
    )
    return payments.open_page(memory, wish)


@route("GET", "/v1/checkout/sessions/<id>")
def get_page(memory: Memory, _asked: Asked, name: str) -> Thing:
    return payments.ripe_page(memory, memory.need(name, "page"))


# People


@route("POST", "/v1/customers")
def create_customer(memory: Memory, asked: Asked, _name: str) -> Thing:
    return open_customer(memory, asked.get("metadata", {}).get("person", ""))


@route("DELETE", "/v1/customers/<id>")
def delete_customer(memory: Memory, _asked: Asked, name: str) -> Thing:
    memory.need(name, "customer")
    forget_customer(memory, name)
    return {"id": name, "object": "customer", "deleted": True}


@route("POST", "/v1/payment_methods/<id>/detach")
def detach(memory: Memory, _asked: Asked, name: str) -> Thing:
    method = memory.need(name, "method")
    if not method["customer"]:
        raise RejectedError("payment_method_not_attached")
    method["customer"] = None
    memory.change(name, body=method)
    return method


# Sellers


@route("POST", "/v2/core/accounts")
def create_account(memory: Memory, asked: Asked, _name: str) -> Thing:
    identity = asked["identity"]
    is_business = identity["entity_type"] == "company"
    about = (asked["metadata"]["seller"], asked["display_name"], asked["contact_email"], identity["country"].upper())
    return shares.open_account(memory, AccountRequest("", *about, is_business))


@route("GET", "/v2/core/accounts/<id>")
def get_account(memory: Memory, _asked: Asked, name: str) -> Thing:
    return memory.need(name, "account")


@route("POST", "/v2/core/account_links")
def create_account_link(memory: Memory, asked: Asked, _name: str) -> Thing:
    use = asked["use_case"]["account_onboarding"]
    link = shares.open_link(memory, asked["account"], use["refresh_url"], use["return_url"])
    return {"object": "v2.core.account_link", "account": asked["account"], "url": f"/sandbox/account/{link['id']}"}


@route("POST", "/v1/transfers")
def create_transfer(memory: Memory, asked: Asked, _name: str) -> Thing:
    source = asked.get("source_transaction") or _newest_charge(memory)
    intent = memory.need(source.replace("_ch_", "_pi_"), "payment")
    about = asked.get("metadata", {})
    group = asked.get("transfer_group", "")
    wish = shares.Share(asked["destination"], asked["amount"], asked["currency"], group, about)
    return shares.transfer(memory, intent, wish)


def _newest_charge(memory: Memory) -> str:
    """The shop always says out of which charge; who does not takes it out of the newest one."""
    return str(memory.list("payment")[-1]["latest_charge"]["id"])


@route("GET", "/v1/transfers/<id>")
def get_transfer(memory: Memory, _asked: Asked, name: str) -> Thing:
    return memory.need(name, "transfer")


@route("GET", "/v1/transfers/[^/]+/reversals/<id>")
def get_reversal(memory: Memory, _asked: Asked, name: str) -> Thing:
    return memory.need(name, "reversal")


@route("POST", "/v1/transfers/<id>/reversals")
def create_reversal(memory: Memory, asked: Asked, name: str) -> Thing:
    share = memory.need(name, "transfer")
    return shares.reverse(memory, share, asked.get("amount", share["amount"]), asked.get("metadata", {}))


@route("POST", "/v1/test_helpers/confirmation_tokens")
def create_token(_memory: Memory, asked: Asked, _name: str) -> Thing:
    return {"id": f"tok_{TEST_CARDS[asked['payment_method']]}", "object": "confirmation_token", "livemode": False}


# Lists, the newest first


@route("GET", "/v1/events")
def list_events(memory: Memory, asked: Asked, _name: str) -> Thing:
    told = [one["event"] for one in memory.list("event") if one["door"] == "payments"]
    wanted = asked.get("types") or {event["type"] for event in told}
    return _page([event for event in told if event["type"] in wanted], asked, "/v1/events")


@route("GET", "/v1/balance_transactions")
def list_movements(memory: Memory, asked: Asked, _name: str) -> Thing:
    return _page(memory.list("movement"), asked, "/v1/balance_transactions")


def _page(things: list[Thing], asked: Asked, url: str) -> Thing:
    since, until = asked.get("created", {}).get("gte", 0), asked.get("created", {}).get("lt", 2**60)
    found = [thing for thing in reversed(things) if since <= thing["created"] < until]
    if after := asked.get("starting_after"):
        found = found[[thing["id"] for thing in found].index(after) + 1 :]
    limit = asked.get("limit", 10)
    return {"object": "list", "url": url, "data": found[:limit], "has_more": len(found) > limit}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_given: Any) -> None:
        pass


@contextmanager
def served(app: Any) -> Iterator[str]:
    """`app` behind a port of this computer; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
