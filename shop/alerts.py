"""Alerts: what the operator has to know of soon, in the log always, and by mail at most once an hour for each kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import bindparam, func, select

from shop import clock, jobs, notifications
from shop.database import db
from shop.logs import blacken
from shop.models import SentMail, User

EVERY = timedelta(hours=1)

log = structlog.get_logger()

sent, users = SentMail.__table__, User.__table__
_LANGUAGE = select(users.c.language).where(users.c.email == bindparam("email"))
_LAST = select(func.max(sent.c.sent_at)).where(sent.c.kind == bindparam("kind"))


def alert(kind: str, **facts: str | int) -> None:
    """Tell the operator. `kind` is a word that the mail puts in words; `facts` are ids and numbers, never a secret.

    The mail is written by a job of the present transaction. What else of this kind happens within the hour stands in
    the log and at `/moderation/money`.
    """
    log.error("alert", kind=kind, **facts)
    if current_app.config["OPERATOR_EMAIL"] and not _was_told(kind):
        told = {name: blacken(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        jobs.later(tell, kind=kind, facts=told)


@jobs.patient_handler
def tell(kind: str, facts: dict[str, Any]) -> None:
    """Mail the operator, unless a mail of this kind went out within the hour."""
    to = current_app.config["OPERATOR_EMAIL"]
    if not to or _was_told(kind):
        return
    hour = clock.now().strftime("%Y-%m-%dT%H:%M")
    letter = {"to": to, "template": "alert", "language": _language(to), "what": kind, "facts": facts}
    notifications.mail(kind=_named(kind), about=hour, **letter)


def _language(to: str) -> str:
    """The language of the account that has this address; of one that has none English, as everywhere."""
    return db.session.scalar(_LANGUAGE, {"email": to.strip().lower()}) or "en"


def _was_told(kind: str) -> bool:
    last = db.session.scalar(_LAST, {"kind": _named(kind)})
    return last is not None and last > clock.now() - EVERY


def _named(kind: str) -> str:
    return f"alert {kind}"[:40]
