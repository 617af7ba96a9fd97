"""Sweeps a shop empty after a test, with as few questions as that takes: it happens some five thousand times.

What is kept (ledger, audit, statements) is guarded by triggers; only a test may tear leaves out of it. The order in
which tables are emptied is nobody's business either, when all of them are.
"""

from __future__ import annotations

from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import URL

from shop.models import Base

GUARDED = frozenset(("ledger_entries", "statements", "audit"))
# The tables that have rows.
FILLED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in Base.metadata.tables)


def sweep(app: Flask) -> None:
    """Leave no row in any table; the guards and the rules of the tables stand as before."""
    engine = app.extensions["shop.engines"]["write"]
    if engine.dialect.name != "sqlite":
        _empty_postgres(_line_of_its_own(app, engine.url))
        return
    lent = engine.raw_connection()
    try:
        _empty_sqlite(lent.dbapi_connection)
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


def _line_of_its_own(app: Flask, url: URL) -> psycopg.Connection[Any]:
    """To PostgreSQL, on which triggers and foreign keys are never asked, as when a copy of a database is read back.

    Only a superuser may have one. Whoever switches to it and back on a line of the shop makes that forget its plans.
    """
    if "tests.broom" not in app.extensions:
        place = url.set(drivername="postgresql").render_as_string(hide_password=False)
        given = "-c session_replication_role=replica -c lock_timeout=15s"
        app.extensions["tests.broom"] = psycopg.connect(place, options=given)
    line: psycopg.Connection[Any] = app.extensions["tests.broom"]
    return line


def _empty_postgres(line: psycopg.Connection[Any]) -> None:
    with line.transaction():
        filled = [name for (name,) in line.execute(FILLED, prepare=True)]
        if filled:
            line.execute("; ".join(f"DELETE FROM {name}" for name in filled), prepare=False)
