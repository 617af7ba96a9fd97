"""Written: has anything been written in the shop since one looked last?

Both databases know it without reading a table. SQLite counts the commits that a connection sees others make; on
PostgreSQL a snapshot is equal to an earlier one only while no transaction that writes has ended in between. So what was
read after a look is true for as long as the next looks find the same.
"""

from __future__ import annotations

import os
import secrets
from threading import Lock
from typing import Any, Generic, TypeVar

from flask import Flask, current_app
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

Thing = TypeVar("Thing")


class Watch:
    """A connection of each process that does nothing else: SQLite's count is its own, and leaves out what it writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._process = 0
        self._raw: Any = None
        self._name = ""  # of this connection: the next one counts anew, and may come to the same number

    def look(self) -> str:
        """The version; empty where it is not known now."""
        # Where somebody listens to what the database is asked (a test that counts), everything is asked.
        if self._engine.dispatch.before_cursor_execute:
            return ""
        with self._lock:
            try:
                return self._ask()
            except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
                self._raw = None  # the pages say themselves what is wrong; the next look begins anew
                return ""

    def _ask(self) -> str:
        if self._raw is None or self._process != os.getpid():
            self._raw, self._process, self._name = self._open(), os.getpid(), secrets.token_hex(8)
        return f"{self._name} {self._raw.execute(self._question).fetchone()[0]}"

    @property
    def _question(self) -> str:
        is_sqlite = self._engine.dialect.name == "sqlite"
        return "PRAGMA data_version" if is_sqlite else "SELECT pg_current_snapshot()::text"

    def _open(self) -> Any:
        lent = self._engine.raw_connection()
        lent.detach()  # it is no longer the pool's, and ours for good
        raw = lent.dbapi_connection
        assert raw  # noqa: S101  it was lent just now
        if self._engine.dialect.name != "sqlite":
            raw.autocommit = True
        return raw


class Memory(Generic[Thing]):
    """Things by their question, each with the moment up to which it is known to be true; the oldest make place.

    No more than `most` of them, which weigh no more than `room` together; what is true no longer goes first.
    """

    def __init__(self, most: int, room: int = 1 << 62) -> None:
        self._most, self._room = most, room
        self._kept: dict[tuple[Any, ...], tuple[tuple[Any, ...], Thing, int]] = {}
        self._weight = 0
        self._moment: tuple[Any, ...] = ()
        self._lock = Lock()

    def recall(self, question: tuple[Any, ...], moment: tuple[Any, ...]) -> Thing | None:
        """What was kept for this question at this very moment."""
        found = self._kept.get(question)
        return found[1] if found is not None and found[0] == moment else None

    def keep(self, question: tuple[Any, ...], moment: tuple[Any, ...], thing: Thing, weight: int = 0) -> None:
        """Keep it in place of what was kept before."""
        with self._lock:
            self._forget(question)
            if weight > self._room:
                return
            if moment != self._moment and self._is_full(weight):
                for stale in [asked for asked, (then, _thing, _weight) in self._kept.items() if then != moment]:
                    self._forget(stale)
                self._moment = moment
            while self._is_full(weight):
                self._forget(next(iter(self._kept)))
            self._kept[question] = (moment, thing, weight)
            self._weight += weight

    def _is_full(self, weight: int) -> bool:
        return bool(self._kept) and (len(self._kept) >= self._most or self._weight + weight > self._room)

    def _forget(self, question: tuple[Any, ...]) -> None:
        if (kept := self._kept.pop(question, None)) is not None:
            self._weight -= kept[2]


def init_app(app: Flask) -> None:
    """Watch the database of this app."""
    app.extensions["shop.watch"] = Watch(app.extensions["shop.engines"]["write"])
    app.config.setdefault("RECALLS", True)


def version() -> str:
    """The version of all that is written: the same for as long as nothing is. Empty: not known, so ask everything."""
    if not current_app.config["RECALLS"]:
        return ""
    watch: Watch = current_app.extensions["shop.watch"]
    return watch.look()
