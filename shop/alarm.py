"""Alarm: what the operator has to hear of, by mail and in the log; and once a day how the audit stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select

from shop import audit, clock, jobs, notifications
from shop.database import rows
from shop.models import Role, RoleGrant, User

log = structlog.get_logger()

users, grants = User.__table__, RoleGrant.__table__
_ADMINS = (
    select(users.c.email, users.c.language)
    .join_from(users, grants, grants.c.user_id == users.c.id)
    .where(grants.c.role == Role.ADMIN, users.c.is_active)
    .order_by(users.c.id)
)


def tell(kind: str, about: str, **facts: str | int) -> None:
    """Mail the operator, once, that `kind` happened to `about`; the words stand in `email/alarm.txt`.

    To the address of the settings, else to each admin. It is sent after the present transaction commits.
    """
    log.info("the operator is told", kind=kind, about=about)
    for to, language in _operators():
        letter: dict[str, Any] = {
            "kind": f"alarm-{kind}",
            "about": f"{about} {to}"[:80],
            "to": to,
            "language": language,
        }
        jobs.later(notifications.mail, template="alarm", what=kind, thing=about, facts=facts, **letter)


def _operators() -> list[tuple[str, str]]:
    if named := current_app.config["OPERATOR_MAIL"]:
        return [(named, "en")]
    return [(row.email, row.language) for row in rows(_ADMINS)]


@jobs.regularly(timedelta(days=1))
def look_at_the_audit() -> None:
    """Check the whole chain, and keep its last hash where the database cannot change it: in the log and in the mail."""
    found = audit.verify()
    day = clock.now().date().isoformat()
    if found.broken is not None:
        log.error("the audit is broken", entry=found.broken, how=found.how)
        tell("audit-broken", day, entry=found.broken, how=found.how)
        return
    log.info("the audit holds", entries=found.entries, head=_in_groups(found.hash))
    tell("audit-holds", day, entries=found.entries, hash=found.hash)


def _in_groups(digest: str) -> str:
    """In groups of eight, which the log does not take for a secret."""
    return " ".join(digest[n : n + 8] for n in range(0, len(digest), 8))
