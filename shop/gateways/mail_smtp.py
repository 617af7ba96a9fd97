"""Mail by SMTP, to the server that SMTP_URL names: smtp://name:password@host:587 or smtps://host."""

from __future__ import annotations

import ssl
from smtplib import SMTP, SMTP_SSL, SMTPNotSupportedError
from urllib.parse import unquote, urlsplit

from shop.gateways.mail_port import Mail, compose

PATIENCE = 5  # seconds for each step; a job tries again later


def send(mail: Mail, *, url: str, sender: str) -> None:
    """Hand a mail over, or raise: then nobody has taken it, and it may be tried again."""
    server = urlsplit(url)
    tls = ssl.create_default_context()
    host = server.hostname or "localhost"
    if server.scheme == "smtps":
        with SMTP_SSL(host, server.port or 465, timeout=PATIENCE, context=tls) as line:
            _hand_over(line, url, mail, sender)
        return
    with SMTP(host, server.port or 587, timeout=PATIENCE) as line:
        line.ehlo()
        if line.has_extn("starttls"):
            line.starttls(context=tls)
        elif server.username:
            raise SMTPNotSupportedError("the mail server offers no STARTTLS, and a password is not sent in the clear")
        _hand_over(line, url, mail, sender)


def _hand_over(line: SMTP, url: str, mail: Mail, sender: str) -> None:
    server = urlsplit(url)
    if server.username:
        line.login(unquote(server.username), unquote(server.password or ""))
    line.send_message(compose(mail, sender))
