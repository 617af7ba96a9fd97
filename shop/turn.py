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


@contextmanager
def taken(lock: threading.Lock) -> Iterator[None]:
    """Wait for the turn, and have it."""
    lock.acquire()
    _mine.lock = lock
    try:
        yield
    finally:
        _mine.lock = None
        lock.release()


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
