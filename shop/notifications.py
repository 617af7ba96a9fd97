"""Notifications: what the shop writes to people, each mail once, in the reader's language."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

from flask import current_app
from jinja2 import Environment
from sqlalchemy import bindparam, select

from shop import clock, jobs
from shop.database import db, first, let_go
from shop.gateways import mail_console, mail_smtp
from shop.gateways.mail_port import Mail
from shop.i18n import speaking
from shop.models import SentMail

sent = SentMail.__table__
_SENT = select(sent.c.kind).where(sent.c.kind == bindparam("kind"), sent.c.about == bindparam("about"))


@jobs.patient_handler
def mail(*, kind: str, about: str, to: str, template: str, language: str, **context: Any) -> None:
    """Send one mail of this kind about this thing, once, however often it is asked.

    It is a job, or is called from one: `jobs.later(notifications.mail, kind="paid", about=purchase.code, ...)`.
    The text comes from `email/<template>.txt` (its block `subject` is the subject) and `email/<template>.html`.
    It ends the present transaction before it talks to the mail server, and its note that the mail went out is for
    the caller to commit. Who dies between the two sends the same Message-ID again, and a mailbox shows that once.
    """
    if is_sent(kind, about):
        return
    let_go()
    with speaking(language):
        letter = _written(template, to=to, key=f"{kind} {about}", context=context)
    _send(letter)
    db.session.add(SentMail(kind=kind, about=about, sent_at=clock.now()))


def is_sent(kind: str, about: str) -> bool:
    """Has the mail of this kind about this thing gone out?"""
    return first(_SENT, kind=kind, about=about) is not None


def wait_in_a_folder() -> bool:
    """Does this shop have no mail server, so that its mails wait in a folder?"""
    return not current_app.config["SMTP_URL"]


def _written(template: str, *, to: str, key: str, context: dict[str, Any]) -> Mail:
    """Both texts of a mail; links in it begin with the shop's own address, never with what a request said."""
    env = current_app.jinja_env
    context = {"base_url": current_app.config["BASE_URL"], **context}
    words = _plain(env).get_template(f"email/{template}.txt")
    scope = words.new_context(context)
    subject = unescape("".join(words.blocks["subject"](scope)))
    text = unescape(words.render(context))
    html = env.get_template(f"email/{template}.html").render(subject=subject, **context)
    return Mail(to=to, subject=subject, text=text.strip() + "\n", html=html, key=key)


def _plain(env: Environment) -> Environment:
    """Plain text through the same words: they escape what is put into them, so all is escaped, and undone once."""
    overlay: Environment = current_app.extensions.setdefault("shop.plain", env.overlay(autoescape=True))
    return overlay


def _send(letter: Mail) -> None:
    config = current_app.config
    if wait_in_a_folder():
        mail_console.send(letter, folder=Path(current_app.instance_path) / "mail", sender=config["MAIL_FROM"])
    else:
        mail_smtp.send(letter, url=config["SMTP_URL"], sender=config["MAIL_FROM"])
