"""The line to Stripe: every try of one call within one span of patience, and a fuse for when nobody answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import stripe

from shop.gateways.payment_port import NotAskedError

TRY = 1.0  # seconds that have to be left for another try to be worth it

_mine = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All that this thread asks of Stripe in here is answered, or given up, in that time."""
    _mine.until = time.monotonic() + seconds
    try:
        yield
    finally:
        del _mine.until


class Line(stripe.HTTPClient):
    """How the SDK's calls travel. The SDK tries again by itself, with the same key; here it is told when to stop."""

    name = "requests"

    def __init__(self, patience: float) -> None:
        super().__init__()
        self._patience = patience  # seconds for one try
        self._sessions = threading.local()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One try. `should_retry` says whether there is time for another."""
        left = min(self._patience, self._left())
        if left <= 0:
            raise stripe.APIConnectionError("no time is left")  # type: ignore[no-untyped-call]
        try:
            answer = self._session().request(
                method,
                url,
                headers=dict(headers or {}),
                data=post_data,
                timeout=left,
                verify=stripe.ca_bundle_path,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            again = self._left() > TRY
            raise stripe.APIConnectionError(type(error).__name__, should_retry=again) from error  # type: ignore[no-untyped-call]
        return answer.text, answer.status_code, answer.headers

    def close(self) -> None:
        """Hang up."""
        self._session().close()

    def _left(self) -> float:
        return float(getattr(_mine, "until", time.monotonic() + self._patience)) - time.monotonic()

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "mine"):
            self._sessions.mine = requests.Session()
        session: requests.Session = self._sessions.mine
        return session


class Fuse:
    """After some failures in a row nobody asks for a while, so that nobody waits for what will not come.

    Then one may try: if that works all may again, else it begins anew. Each process has its own.
    """

    def __init__(self, failures: int = 5, rest: float = 30, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rest, self._now = failures, rest, now
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_from = 0.0

    def check(self) -> None:
        """Go on, or `NotAskedError` at once. Who goes on after the rest goes on alone."""
        with self._lock:
            if self._failures < self._most:
                return
            if self._now() < self._closed_from:
                raise NotAskedError("the payment company did not answer lately")
            self._closed_from = self._now() + self._rest

    def worked(self) -> None:
        """There was an answer."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """There was none."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._most:
                self._closed_from = self._now() + self._rest
