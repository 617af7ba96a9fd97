"""Turns: in each web process one request at a time runs Python, and whoever waits for something steps aside.

`edge` gives the turn. Code that waits without needing the interpreter (for the database's write lock, for a payment
provider's answer, for a password hash) says `with turn.aside():` around it, so that the others go on meanwhile. Where
nobody gave a turn (a job, a command, a test) that does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_mine = threading.local()


class taken:  # noqa: N801  a context, made for every request: `contextmanager` costs more than what it does
    """Wait for the turn, and have it."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()
        _mine.lock = self._lock

    def __exit__(self, *_error: object) -> None:
        _mine.lock = None
        self._lock.release()


@contextmanager
def aside() -> Iterator[None]:
    """Let others take their turn while this waits; in the end, wait for one's own again."""
    lock: threading.Lock | None = getattr(_mine, "lock", None)
    if lock is None:
        yield
        return
    _mine.lock = None
    lock.release()
    try:
        yield
    finally:
        lock.acquire()
        _mine.lock = lock
