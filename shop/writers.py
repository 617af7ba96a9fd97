"""Writers: whoever wants to write in SQLite waits for the one who does, in a line, and not for ever.

SQLite itself would wait with our turn in its hands, and the readers with it. Of those who stand in the line only the
first looks whether the lock is free; without it everybody would look by chance, and in a crowd somebody has no luck for
seconds.
"""

from __future__ import annotations

import sqlite3
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from typing import IO, Any

from shop import turn

PAUSE = 0.001  # seconds between two looks of the first in the line


def join_line(info: Any, path: str) -> None:
    """A connection, of which this is the `info`, can stand in the line at `path`; the file lives as long as it does."""
    info["queue"] = open(path, "ab")  # noqa: SIM115


def begin_to_write(lent: Any, patience: float, once_more: Callable[[str], object]) -> None:
    """Wait for the write lock, so many seconds; without any there is one look, and no standing in the line.

    `lent` is a connection of the pool; `once_more` asks in SQLAlchemy's way, and says in its words what is wrong.
    """
    raw: Any = lent.dbapi_connection
    end, line = time.monotonic() + patience, None
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        line = _stand_in(lent.info, patience) if patience else None
        while not _has_begun(raw) and time.monotonic() < end:
            with turn.aside():
                time.sleep(PAUSE)
        if not raw.in_transaction:
            once_more("BEGIN IMMEDIATE")  # the last try, and the words of its failure
    finally:
        if line is not None:
            flock(line, LOCK_UN)
        raw.execute("PRAGMA busy_timeout = 15000")


def _has_begun(raw: Any) -> bool:
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _stand_in(info: Any, patience: float) -> IO[bytes] | None:
    """Wait until one is the first: Linux wakes those who wait for a file in the order in which they came.

    Who waited too long leaves the line, and looks once more without a place in it: perhaps its first one is stuck.
    """
    line: IO[bytes] | None = info.get("queue")
    if line is None:
        return None
    try:
        flock(line, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        with turn.aside():
            if not _Place(line).is_first(patience):
                join_line(info, str(line.name))  # the old file still stands there
                return None
    return line


class _Place:
    """A place in the line. Nobody can be called out of a `flock`, so another thread stands there in our stead."""

    def __init__(self, line: IO[bytes]) -> None:
        self._line = line
        self._waits, self._decides = allocate_lock(), allocate_lock()
        self._waits.acquire()
        self._is_left = False
        start_new_thread(self._stand, ())

    def _stand(self) -> None:
        flock(self._line, LOCK_EX)
        with self._decides:
            self._waits.release()
            if self._is_left:
                self._line.close()  # and the next one is the first

    def is_first(self, patience: float) -> bool:
        """Wait until we are, and say so; who waited for too long has left, and their file goes when its place comes."""
        if self._waits.acquire(timeout=patience):
            return True
        with self._decides:
            self._is_left = not self._waits.acquire(blocking=False)  # else it came at the last moment
            return not self._is_left
