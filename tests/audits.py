"""The audit as somebody with the database in their hands sees it: the guards taken off, and put on again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from shop.database import db

_TRIGGERS = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers off where there is anything in the audit; the caller commits."""
    if not db.session.execute(text("SELECT 1 FROM audit LIMIT 1")).scalar():
        yield
    elif db.engine.dialect.name == "sqlite":
        triggers = db.session.execute(_TRIGGERS).all()
        for name, _sql in triggers:
            db.session.execute(text(f"DROP TRIGGER {name}"))
        yield
        for _name, sql in triggers:
            db.session.execute(text(sql))
        db.session.commit()
    else:
        db.session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        yield
        db.session.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))
        db.session.commit()
