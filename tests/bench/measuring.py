"""Measuring: what a call costs, in CPU time of this process and in questions to the database."""

from __future__ import annotations

import io
import os
import secrets
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from flask import Flask
from sqlalchemy import event
from werkzeug.test import EnvironBuilder

from shop import payments
from shop.gateways.payment_sandbox import SandboxGateway

ROUNDS, BUDGET = int(os.environ.get("ROUNDS", "7")), 0.12  # seconds of CPU for each page in each round
FRESH = "a-new-token-each-time-"  # as long as the real ones
BROWSER = {
    "Sec-Fetch-Site": "same-origin",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "nl,en;q=0.8",
}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
STATUS = {"304": "304", "304, rows asked": "304", "checkout": "303"}  # every other answer is 200
Calls = Mapping[str, Callable]


def bare() -> Flask:
    """The anchor: Flask and nothing else."""
    app = Flask("bare")
    app.add_url_rule("/", "hello", lambda: "x" * 12_288)
    return app


def caller(
    app: Flask,
    path: str,
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    recalls: bool = False,
) -> Callable:
    """A function that makes one WSGI call and gives its status and body.

    A page asks the database for its rows each time, as it does in a shop where something has just been written; with
    `recalls` as it does where nothing was.
    """
    builder = EnvironBuilder(
        path=path.partition("?")[0],
        query_string=path.partition("?")[2],
        method="POST" if form else "GET",
        data=form,
        headers=headers,
    )
    environ = builder.get_environ()
    body = environ["wsgi.input"].read()
    once = FRESH.encode()

    def call() -> tuple[str, int]:
        status = []
        app.config["RECALLS"] = recalls
        sent = body.replace(once, secrets.token_urlsafe(16).encode()) if body else body
        who = {"REMOTE_ADDR": f"192.0.2.{secrets.randbelow(256)}.{secrets.randbits(32)}"}  # nobody pays that often
        answer = app(
            {**environ, **who, "wsgi.input": io.BytesIO(sent)}, lambda s, _headers, _info=None: status.append(s)
        )
        try:
            return status[0], sum(map(len, answer))
        finally:
            answer.close() if hasattr(answer, "close") else None

    return call


class Apart:
    """The CPU time and the statements of the sandbox: its books, and the errand on which it sends itself.

    What it has to tell it tells by a job of its own, with a ring of the bell; a payment company needs neither.
    """

    def __init__(self, *apps: Flask) -> None:
        self.seconds, self.is_busy = 0.0, False
        SandboxGateway.create_payment = self._timed(_CREATE)
        payments.expect_events = self._timed(_EXPECT)
        for app in apps:
            app.extensions["shop.ring"] = self._timed(app.extensions["shop.ring"])

    def _timed(self, does: Callable) -> Callable:
        def timed(*given: object, **more: object) -> object:
            began, self.is_busy = time.process_time(), True
            try:
                return does(*given, **more)
            finally:
                self.seconds, self.is_busy = self.seconds + time.process_time() - began, False

        return timed


_CREATE, _EXPECT = SandboxGateway.create_payment, payments.expect_events


def measure(shops: Sequence[Calls], apart: Apart) -> list[dict[str, float]]:
    """Median CPU microseconds for each call, in interleaved rounds; of several shops each page is measured in turn, so
    that what else the computer does weighs as much on one as on the other.
    """
    spent: list[dict[str, list[float]]] = [{name: [] for name in calls} for calls in shops]
    for calls in shops:
        for name, call in calls.items():
            _warm(name, call)
    for _round in range(ROUNDS):
        for name in shops[0]:
            for calls, so_far in zip(shops, spent, strict=True):
                each, sandboxs = _timed(calls[name], apart)
                so_far[name].append(each)
                if name == "checkout":
                    so_far.setdefault("gateway", []).append(sandboxs)
    return [{name: statistics.median(each) for name, each in so_far.items()} for so_far in spent]


def _warm(name: str, call: Callable) -> None:
    status, _size = call()
    assert status.startswith(STATUS.get(name, "200")), (name, status)
    for _warm in range(30):
        call()


def _timed(call: Callable, apart: Apart) -> tuple[float, float]:
    began, times, apart.seconds = time.process_time(), 0, 0.0
    while time.process_time() - began < BUDGET:
        call()
        times += 1
    return (time.process_time() - began - apart.seconds) / times * 1e6, apart.seconds / times * 1e6


def asked(app: Flask, call: Callable, apart: Apart) -> tuple[int, int]:
    """How many statements the database is asked for one call: by the shop, and by the sandbox."""
    seen: list[bool] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(apart.is_busy)

    engine = app.extensions["shop.engines"]["write"]
    event.listen(engine, "before_cursor_execute", note)
    call()
    event.remove(engine, "before_cursor_execute", note)
    return seen.count(False), seen.count(True)
