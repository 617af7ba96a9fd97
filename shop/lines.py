"""Lines to the database: the driver's own, and SQLAlchemy's on top of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Engine, PoolProxiedConnection

RESTING = 8  # connections that a process keeps at hand; one at a time is the rule


class Line:
    """A line to the database: the driver's own, and SQLAlchemy's on top of it."""

    def __init__(self, engine: Engine, connection: Connection, session: Any = None) -> None:
        self.engine = engine
        self.raw: Any = connection.connection
        self._session = session
        self._part = session and session._transaction  # of its work: the transaction, or a savepoint in it
        self._connection: Connection | None = connection

    def ask(self, text: str, bound: Any) -> Sequence[tuple[Any, ...]]:
        """What the driver finds; what goes wrong is said as SQLAlchemy says it."""
        cursor = self.raw.cursor()
        try:
            return cast("Sequence[tuple[Any, ...]]", cursor.execute(text, bound).fetchall())
        except self.engine.dialect.loaded_dbapi.Error as error:
            self.connection()._handle_dbapi_exception(error, text, bound, cursor, None)
        finally:
            cursor.close()

    def change(self, text: str, bound: Any) -> int:
        """In how many rows the driver changes something."""
        cursor = self.raw.cursor()
        try:
            return int(cursor.execute(text, bound).rowcount)
        except self.engine.dialect.loaded_dbapi.Error as error:
            self.connection()._handle_dbapi_exception(error, text, bound, cursor, None)
        finally:
            cursor.close()

    def change_each(self, text: str, bound: Sequence[Any]) -> None:
        """The same change with each of these values."""
        cursor = self.raw.cursor()
        try:
            cursor.executemany(text, bound)
        except self.engine.dialect.loaded_dbapi.Error as error:
            self.connection()._handle_dbapi_exception(error, text, list(bound), cursor, None)
        finally:
            cursor.close()

    def is_open(self) -> bool:
        """May it be used still, in the part of its work that the session is at?

        Not after a commit or a failure, nor past a savepoint that the session has begun.
        """
        is_same = self._session._transaction is self._part
        return is_same and self._connection is not None and self._connection.in_transaction()

    def connection(self) -> Connection:
        """SQLAlchemy's way."""
        assert self._connection  # noqa: S101
        return self._connection

    def close(self) -> None:
        """Give it back, and what was begun with it is undone."""
        if self._connection is not None:
            self._connection.close()


class Resting:
    """Connections that read before and will again: to lend one from SQLAlchemy's pool and give it back for each page
    takes longer than to begin with it.
    """

    def __init__(self) -> None:
        self._lent: list[PoolProxiedConnection] = []
        self._of: tuple[Any, int] | None = None

    def take(self, engine: Engine) -> PoolProxiedConnection:
        """One that rests, or another one. Those of a parent process, or from before a new pool, are left alone."""
        now = (engine.pool, os.getpid())
        if self._of != now:
            self._lent, self._of = [], now
        return self._lent.pop() if self._lent else engine.raw_connection()

    def give(self, lent: PoolProxiedConnection) -> None:
        """It is in no transaction."""
        if len(self._lent) < RESTING:
            self._lent.append(lent)
        else:
            lent.close()


class ReadingLine(Line):
    """A page's line to SQLite: a plain BEGIN cannot wait or fail, so it need not be SQLAlchemy's, and often none is."""

    def __init__(self, engine: Engine, resting: Resting) -> None:
        self.engine = engine
        self._resting = resting
        self._lent = resting.take(engine)
        self.raw = self._lent.dbapi_connection
        self.raw.execute("BEGIN")
        self._connection = None

    def connection(self) -> Connection:
        """SQLAlchemy's way, made when something takes it."""
        if self._connection is None:
            self._connection = Connection(self.engine, connection=self._lent)
        return self._connection

    def close(self) -> None:
        """Give it back; whom SQLAlchemy has had goes back to its pool."""
        if self._connection is not None:
            self._connection.close()
        else:
            self.raw.rollback()
            self._resting.give(self._lent)


class WritingLine(Line):
    """A line to SQLite for who may write, with transactions of its own, which SQLAlchemy's session may join.

    Where nothing of SQLAlchemy's takes part, nothing of it is made.
    """

    def __init__(self, engine: Engine, join: Callable[[], Connection]) -> None:
        self.engine = engine
        self.raw = self.lent = engine.raw_connection()
        self._driver: Any = self.lent.dbapi_connection
        self._connection = None
        self._join = join

    def is_writing(self) -> bool:
        """Has its transaction begun, and not ended?"""
        return bool(self._driver.in_transaction)

    def lent_to_session(self) -> Connection:
        """SQLAlchemy's way, for the session; its transaction is the one that has begun."""
        if self._connection is None:
            self._connection = Connection(self.engine, connection=self.lent)
        return self._connection

    def connection(self) -> Connection:
        """SQLAlchemy's way: from here on the session takes part. What failed and ended with that needs none."""
        return self._join() if self.is_writing() else self.lent_to_session()

    def commit(self) -> None:
        """Write down what was done; what goes wrong is said as SQLAlchemy says it."""
        try:
            self._driver.commit()
        except self.engine.dialect.loaded_dbapi.Error as error:
            self.connection()._handle_dbapi_exception(error, None, None, None, None)

    def rollback(self) -> None:
        """Undo it."""
        self._driver.rollback()

    def close(self) -> None:
        """Give it back, and what was begun with it is undone."""
        if self._connection is not None:
            self._connection.close()
        else:
            self.lent.close()
