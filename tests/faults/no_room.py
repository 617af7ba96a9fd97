"""A database whose disk is full at one write and at no other, so that each write is once the one that finds no room.

The refusal is the database's own: SQLite is given no page more and asked for a thousand, PostgreSQL is told to say what
it says then (53100).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.pool.base import _ConnectionFairy

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
NO_ROOM = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"


class Disk:
    """`disk.full_at(3)`: the third write from now on finds no room. `met` tells which statement that was."""

    def __init__(self, refuse: Callable[[Any], None]) -> None:
        self._refuse = refuse
        self.seen, self.number, self.met = 0, 0, ""

    def full_at(self, number: int) -> None:
        """Count from now on; 0 is never."""
        self.seen, self.number, self.met = 0, number, ""

    def hears(self, raw: Any, text: str) -> None:
        """Called with each statement, before it is run."""
        if not text.lstrip().upper().startswith(WRITES):
            return
        self.seen += 1
        if self.seen == self.number:
            self.met = " ".join(text.split())[:60]
            self._refuse(raw)


def has_no_room(raw: Any) -> None:
    """Have the database itself say that its disk is full."""
    if type(raw).__module__ != "sqlite3":
        raw.cursor().execute(NO_ROOM)
    raw.execute("PRAGMA max_page_count = 1")  # that is: as many as there are
    try:
        raw.execute("CREATE TABLE filler AS SELECT zeroblob(16000000)")
    finally:
        raw.execute("PRAGMA max_page_count = 1073741823")


class _Cursor:
    """A cursor of the driver, in front of which somebody listens."""

    def __init__(self, disk: Disk, raw: Any, cursor: Any) -> None:
        self._disk, self._raw, self._cursor = disk, raw, cursor

    def execute(self, text: str, *bound: Any) -> Any:
        self._disk.hears(self._raw, text)
        self._cursor.execute(text, *bound)
        return self

    def executemany(self, text: str, *bound: Any) -> Any:
        self._disk.hears(self._raw, text)
        self._cursor.executemany(text, *bound)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Any:
        return iter(self._cursor)


@contextmanager
def disk_of_the_database(refuse: Callable[[Any], None] = has_no_room) -> Iterator[Disk]:
    """Stand in front of all cursors of this process; `refuse` says how a write goes wrong."""
    disk, plain = Disk(refuse), _ConnectionFairy.cursor

    def cursor(fairy: Any, *given: Any, **more: Any) -> Any:
        return _Cursor(disk, fairy.dbapi_connection, plain(fairy, *given, **more))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ConnectionFairy, "cursor", cursor)
        yield disk
