"""What every way to send mail is given: a `Mail`, and how it becomes a message that no field can break out of."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from shop import clock
from shop.mailbox import is_address


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `key` becomes its Message-ID: the same key twice is the same mail, so that a mailbox keeps one."""

    to: str
    subject: str
    text: str
    html: str
    key: str


_NAMES = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


class UnsafeMailError(ValueError):
    """A mail that would not be what it says: it goes nowhere."""


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The message as it goes over the wire, to one address, or `UnsafeMailError`.

    A line break in a field becomes a space, and no field holds an encoded word but those that are made here: the email
    package reads one that it is given, and writes what was in it, line breaks and all.
    """
    if not is_address(mail.to):
        raise UnsafeMailError("this is not one address")
    message = EmailMessage(policy=SMTP)
    message["From"] = _one_line(sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{sha256(mail.key.encode()).hexdigest()[:40]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    _look_again(message)
    return message


def _one_line(text: str) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line.replace("=?", "= ?")


def _look_again(message: EmailMessage) -> None:
    """Whatever was put into it, and whatever the email package makes of that: its headers are ours, and no others."""
    if sorted(message_from_bytes(bytes(message)).keys()) != sorted(_NAMES):
        raise UnsafeMailError("a header has come into it")
