"""Promise 4: on a bad line Stripe's SDK tries again with one key, gives up in time, and tells what was said."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from shop.gateways.payment_port import KeyConflictError, RejectedError, Request, UnreachableError
from shop.gateways.payment_stripe import PATIENCE, StripeGateway
from shop.gateways.payment_stripe_line import Fuse
from shop.models import PaymentState

ASKED = Request("co:1:pay:1", 2845, "EUR", "card", "code", "/purchases/code", group="co:1", token="ctoken_1")
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 2845,
    "currency": "eur",
    "status": "succeeded",
    "metadata": {"key": "co:1:pay:1", "purchase": "code"},
}
DROP, HANG = "drop", "hang"


class Line:
    """A server that does what it is told with each call, and then answers 200."""

    def __init__(self):
        self.script, self.keys, self.hold = [], [], threading.Event()

    def will(self, *script):
        self.script = list(script)

    def answer(self, handler):
        self.keys.append(handler.headers.get("Idempotency-Key"))
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        step = self.script.pop(0) if self.script else 200
        if step == HANG:
            self.hold.wait(30)
        if step in (DROP, HANG):
            handler.close_connection = True
            handler.connection.close()
            return
        status, body = step if isinstance(step, tuple) else (step, said("api_error") if step != 200 else INTENT)
        out = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(out)))
        handler.end_headers()
        handler.wfile.write(out)


def said(kind, code=None, **more):
    return {"error": {"type": kind, "message": "no", **({"code": code} if code else {}), **more}}


@contextmanager
def listening(line):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            line.answer(self)

        do_GET = do_POST

        def log_message(self, *_given):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        line.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)
    monkeypatch.setattr("shop.gateways.payment_stripe.is_holding", lambda: False)


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def call(line):
    """`call(patience)` gives the gateway at the end of the line."""
    with listening(line) as address:
        yield lambda patience=PATIENCE: StripeGateway(
            "sk_test_1", "pk", {}, "https://x", patience=patience, api=address
        )


@pytest.mark.parametrize(
    "script", [[], [DROP], [500], [503], [409], [DROP, 500], [500, 409], [409, DROP], [DROP, DROP], [503, 503]]
)
def test_what_goes_wrong_twice_is_tried_again_with_one_key(line, call, script):
    line.will(*script)
    assert call().create_payment(ASKED).state == PaymentState.PAID
    assert line.keys == ["co:1:pay:1"] * (len(script) + 1)


@pytest.mark.parametrize("step", [DROP, 500, 503, 409])
def test_after_three_tries_the_shop_knows_nothing_and_asks_later_with_the_same_key(line, call, step):
    line.will(step, step, step)
    gateway = call()
    with pytest.raises(UnreachableError):
        gateway.create_payment(ASKED)
    assert gateway.create_payment(ASKED).state == PaymentState.PAID
    assert line.keys == ["co:1:pay:1"] * 4


BUSY = said("rate_limit_error", "rate_limit")
CONFLICT = said("idempotency_error", "idempotency_error")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (429, BUSY, UnreachableError, "RateLimitError"),
        (401, said("invalid_request_error", "api_key_expired"), UnreachableError, "AuthenticationError"),
        (400, CONFLICT, KeyConflictError, "idempotency_error"),
        (400, said("invalid_request_error", "amount_too_small"), RejectedError, "amount_too_small"),
        (400, said("invalid_request_error"), RejectedError, "InvalidRequestError"),
        (403, said("invalid_request_error", "account_invalid"), RejectedError, "account_invalid"),
        (404, said("invalid_request_error", "resource_missing"), RejectedError, "resource_missing"),
        (402, said("card_error", "card_declined"), RejectedError, "card_declined"),
    ],
)
def test_each_no_has_its_word_and_is_not_asked_again(line, call, status, body, kind, code):
    line.will((status, body))
    with pytest.raises(kind, match=code) as told:
        call().create_payment(ASKED)
    assert type(told.value) is kind
    assert len(line.keys) == 1


@pytest.mark.parametrize("answer", [b"<html>", b"", b"{}", b'"no"', b"[]", b'{"message": "somebody in between"}'])
def test_an_answer_that_makes_no_sense_says_nothing(line, call, answer):
    line.will((200, answer))
    with pytest.raises(UnreachableError):
        call().create_payment(ASKED)


@pytest.mark.parametrize(
    ("decline", "failure"),
    [("insufficient_funds", "insufficient_funds"), ("do_not_honor", "card_declined"), (None, "card_declined")],
)
def test_a_bank_that_says_no_is_an_answer(line, call, decline, failure):
    error = {"type": "card_error", "code": "card_declined", "decline_code": decline}
    intent = {**INTENT, "status": "requires_payment_method", "last_payment_error": error}
    line.will((402, said("card_error", "card_declined", decline_code=decline, payment_intent=intent)))
    declined = call().create_payment(ASKED)
    assert (declined.id, declined.state, declined.failure) == ("pi_1", PaymentState.FAILED, failure)


def test_who_does_not_answer_is_not_waited_for_twice(line, call):
    line.will(HANG)
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        call(patience=0.3).create_payment(ASKED)
    assert len(line.keys) == 1
    assert 0.3 <= time.monotonic() - began < 5


def test_a_card_that_is_forgotten_already_is_forgotten(line, call):
    line.will((400, said("invalid_request_error")), (404, said("invalid_request_error", "resource_missing")))
    gateway = call()
    gateway.forget_method("pm_1")
    gateway.forget_method("pm_1")
    line.will((403, said("invalid_request_error", "account_invalid")))
    with pytest.raises(RejectedError):
        gateway.forget_method("pm_1")


# The fuse


def test_after_five_failures_nobody_is_asked_until_one_may_try(line, call, monkeypatch):
    gateway = call()
    now = 0.0
    gateway.fuse = Fuse(now=lambda: now)
    line.will(*[401] * 6)  # keys that are not known any more
    for _time in range(5):
        with pytest.raises(UnreachableError):
            gateway.get_payment("pi_1")
    assert len(line.keys) == 5
    with pytest.raises(UnreachableError, match="did not answer lately"):
        gateway.get_payment("pi_1")
    assert len(line.keys) == 5
    now = 30.0  # one may try, and fails
    with pytest.raises(UnreachableError):
        gateway.get_payment("pi_1")
    assert len(line.keys) == 6
    now = 59.0
    with pytest.raises(UnreachableError, match="did not answer lately"):
        gateway.get_payment("pi_1")
    now = 60.0
    for tries in (7, 8):
        assert gateway.get_payment("pi_1").state == PaymentState.PAID
        assert len(line.keys) == tries


def test_who_is_only_busy_is_asked_again(line, call):
    gateway = call()
    gateway.fuse = Fuse(now=lambda: 0.0)
    line.will(*[429] * 6)
    for tries in range(1, 7):
        with pytest.raises(UnreachableError):
            gateway.get_payment("pi_1")
        assert len(line.keys) == tries


def test_while_one_tries_the_others_do_not():
    now = 0.0
    fuse = Fuse(now=lambda: now)
    for _time in range(5):
        fuse.check()
        fuse.failed()
    now = 30.0
    fuse.check()
    with pytest.raises(UnreachableError):
        fuse.check()
    fuse.worked()
    fuse.check()


def test_a_no_is_an_answer_and_a_busy_key_is_no_failure(line, call):
    gateway = call()
    no, lock = (400, said("invalid_request_error")), 409
    line.will(429, 429, 429, 429, no, 429, 429, 429, 429, *[lock] * 3)
    for _time in range(10):
        with pytest.raises((UnreachableError, RejectedError)):
            gateway.get_payment("pi_1")
    assert gateway.get_payment("pi_1").state == PaymentState.PAID


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("script", [[HANG], [DROP, HANG], [500, HANG], [500, DROP, HANG]])
def test_stripe_is_given_up_in_time(line, call, promise, script):
    line.will(*script)
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        call().create_payment(ASKED)
    took = time.monotonic() - began
    promise("29", f"Stripe is given up after {' and '.join(map(str, script))}", f"{took:.1f} s", "<= 6 s", took <= 6)
    assert set(line.keys) == {"co:1:pay:1"}
