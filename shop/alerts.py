"""Alerts: what the operator has to know of, in the log always, and by mail: to the settings' address, or each admin."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import bindparam, func, select

from shop import clock, jobs, notifications
from shop.database import db, rows
from shop.logs import blacken
from shop.models import Role, RoleGrant, SentMail, User

EVERY = timedelta(hours=1)

log = structlog.get_logger()

sent, users, grants = SentMail.__table__, User.__table__, RoleGrant.__table__
_LANGUAGE = select(users.c.language).where(users.c.email == bindparam("email"))
_LAST = select(func.max(sent.c.sent_at)).where(sent.c.kind == bindparam("kind"), sent.c.about.like(bindparam("about")))
_ADMINS = (
    select(users.c.email, users.c.language)
    .join_from(users, grants, grants.c.user_id == users.c.id)
    .where(grants.c.role == Role.ADMIN, users.c.is_active)
    .order_by(users.c.id)
)


def operators() -> list[tuple[str, str]]:
    """Who is told what goes wrong, and in which language: the address of the settings, else each admin."""
    if named := current_app.config["OPERATOR_EMAIL"]:
        return [(named, _language(named))]
    return [(row.email, row.language) for row in rows(_ADMINS)]


def _language(to: str) -> str:
    """The language of the account that has this address; of one that has none English, as everywhere."""
    return db.session.scalar(_LANGUAGE, {"email": to.strip().lower()}) or "en"


def alert(kind: str, **facts: str | int) -> None:
    """Tell the operator. `kind` is a word that the mail puts in words; `facts` are ids and numbers, never a secret.

    The mail is written by a job of the present transaction, at most once an hour for each kind. What else of this kind
    happens within the hour stands in the log and at `/moderation/money`.
    """
    log.error("alert", kind=kind, **facts)
    told = {name: blacken(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    for to, language in operators():
        if not _was_told(kind, to):
            jobs.later(tell, kind=kind, facts=told, to=to, language=language)


@jobs.patient_handler
def tell(kind: str, facts: dict[str, Any], to: str, language: str) -> None:
    """Mail one of the operators, unless a mail of this kind went out to them within the hour."""
    if _was_told(kind, to):
        return
    about = clock.now().strftime("%Y-%m-%dT%H:%M ") + _mark(to)
    letter: dict[str, Any] = {"kind": _named(kind), "about": about, "to": to, "language": language}
    notifications.mail(template="alert", what=kind, facts=facts, at=clock.now(), **letter)


def tell_once(kind: str, about: str, **facts: str | int) -> None:
    """Tell the operator, once, that `kind` happened to `about`; the words stand in `email/alarm.txt`.

    It is sent after the present transaction commits.
    """
    log.info("the operator is told", kind=kind, about=about)
    for to, language in operators():
        letter: dict[str, Any] = {"kind": f"alarm-{kind}", "about": f"{about} {_mark(to)}", "to": to}
        jobs.later(notifications.mail, template="alarm", what=kind, facts=facts, language=language, **letter)


def _was_told(kind: str, to: str) -> bool:
    last = db.session.scalar(_LAST, {"kind": _named(kind), "about": f"% {_mark(to)}"})
    return last is not None and last > clock.now() - EVERY


def _named(kind: str) -> str:
    return f"alert {kind}"[:40]


def _mark(to: str) -> str:
    return sha256(to.encode()).hexdigest()[:16]
