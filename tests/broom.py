"""Sweeps a shop empty after a test, with as few questions as that takes: it happens some five thousand times.

What is kept (ledger, audit, statements) is guarded by triggers; only a test may tear leaves out of it. The order in
which tables are emptied is nobody's business either, when all of them are.
"""

from __future__ import annotations

from typing import Any

from flask import Flask

from shop.models import Base

GUARDED = frozenset(("ledger_entries", "statements", "audit"))
# The tables that have rows.
FILLED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in Base.metadata.tables)


def sweep(app: Flask) -> None:
    """Leave no row in any table; the guards and the rules of the tables stand as before."""
    engine = app.extensions["shop.engines"]["write"]
    lent = engine.raw_connection()
    try:
        empty = _empty_sqlite if engine.dialect.name == "sqlite" else _empty_postgres
        empty(lent.dbapi_connection)
    except BaseException:
        lent.invalidate()  # nobody gets it as it is
        raise
    lent.close()


def _empty_sqlite(raw: Any) -> None:
    filled = [name for (name,) in raw.execute(FILLED)]
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("BEGIN IMMEDIATE")
    found = f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN {tuple(GUARDED)}"
    guards = raw.execute(found).fetchall() if GUARDED.intersection(filled) else ()
    for name, _sql in guards:
        raw.execute(f"DROP TRIGGER {name}")
    for name in filled:
        raw.execute(f"DELETE FROM {name}")
    for _name, sql in guards:
        raw.execute(sql)
    raw.execute("COMMIT")
    raw.execute("PRAGMA foreign_keys = ON")


def _empty_postgres(raw: Any) -> None:
    """As a copy of the database is written: triggers and foreign keys are not asked. Only a superuser may do that."""
    filled = [name for (name,) in raw.execute(FILLED)]
    raw.execute("SET LOCAL session_replication_role = replica")
    raw.execute("; ".join(f"DELETE FROM {name}" for name in filled) or "SELECT 1")
    raw.commit()
