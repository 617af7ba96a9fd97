"""The session: SQLAlchemy's, for who needs it. It joins what was begun without it, and ends it as its own.

Who writes in SQLite by constant statements alone needs none: making a session, having it begin and letting it commit
costs as much as a dozen such statements. So the transaction is begun on a line of its own, which is kept in `g` until
the request or job ends; whoever then asks the session finds the same transaction there.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Engine
from sqlalchemy.orm import scoped_session

from shop.lines import WritingLine

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def only_reads() -> bool:
    """May this request read only? A GET does; everything else (POST, job, command) may write."""
    return has_request_context() and request.method in SAFE_METHODS


def own_line() -> WritingLine | None:
    """The line with a transaction that was begun without the session and has not ended, if there is one."""
    line: WritingLine | None = g._get_current_object().get("own")
    return line if line is not None and line.is_writing() else None


class ShopSession(Session):
    """A session that is born to read or to write: a GET reads; everything else (POST, job, command) writes.

    Made lazily, one for each application context, so no transaction is begun by a page that asks the database nothing.
    """

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:
        super().__init__(db, **options)
        self._engine: Engine = current_app.extensions["shop.engines"]["read" if only_reads() else "write"]
        g.session = self

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any) -> Any:
        """There is one database, so there is nothing to look up; this is asked for on every statement."""
        if bind is not None:
            return bind
        line = own_line()
        return self._engine if line is None else line.lent_to_session()

    def in_transaction(self) -> bool:
        """Also what was begun without it."""
        return super().in_transaction() or own_line() is not None

    def commit(self) -> None:
        """Write down all that was done, whoever began it."""
        line = own_line()
        if line is not None and self._transaction is None:
            line.commit()
            self.dispatch.after_commit(self)
            return
        if line is not None:
            self.connection()  # it is in it, also where it has only been told of something new
        super().commit()

    def rollback(self) -> None:
        """Undo all of it, whoever began it; what it knows of rows is looked up again, as after each rollback."""
        super().rollback()
        if (line := own_line()) is not None:
            line.rollback()
            self.expire_all()
            self.dispatch.after_rollback(self)

    def close(self) -> None:
        """End it, and what was not committed is undone."""
        super().close()
        if (line := own_line()) is not None:
            line.rollback()


class _Scope(scoped_session[Session]):
    """The session of this context. What was begun without one is ended without making one."""

    def commit(self) -> None:
        if "session" in g._get_current_object():
            super().commit()
        elif (line := own_line()) is not None:
            line.commit()

    def rollback(self) -> None:
        if "session" in g._get_current_object():
            super().rollback()
        elif (line := own_line()) is not None:
            line.rollback()

    def remove(self) -> None:
        here = g._get_current_object()
        try:
            if here.pop("session", None) is not None:
                super().remove()
        finally:
            if (line := here.pop("own", None)) is not None:
                line.close()


class Database(SQLAlchemy):
    """Flask-SQLAlchemy, with our own way to the session."""

    def _make_scoped_session(self, options: dict[str, Any]) -> scoped_session[Session]:
        plain = super()._make_scoped_session(options)
        return _Scope(plain.session_factory, plain.registry.scopefunc)
