"""What every way to send mail is given: a `Mail`, and how it becomes a message that no field can break out of."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from shop import clock


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `key` becomes its Message-ID: the same key twice is the same mail, so that a mailbox keeps one."""

    to: str
    subject: str
    text: str
    html: str
    key: str


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The message as it goes over the wire. A line break in a field becomes a space: it cannot begin a header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _one_line(sender)
    message["To"] = _one_line(mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{sha256(mail.key.encode()).hexdigest()[:40]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
