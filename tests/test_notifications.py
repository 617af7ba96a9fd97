"""Mail: to a real server, in the reader's language, once."""

import smtplib
import socket
import ssl
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from shop import clock, jobs, notifications, settings
from shop.database import db
from shop.gateways import mail_smtp
from shop.gateways.mail_port import Mail, compose
from shop.models import Job, JobState, SentMail
from tests.certificates import a_certificate

NOOR = "noor@example.com"


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Postbox:
    """What a mail server does with what it is given: it keeps it."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=SMTP))
        return "250 OK"


@pytest.fixture
def mail_server(app):
    """A real SMTP server, which the shop has been told of; `.stop()` and `.start()` it as you like."""
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=(port := a_free_port()))
    controller.start()
    before = dict(app.config)
    app.config.update(SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="Etalage <shop@etalage.example>")
    yield SimpleNamespace(mails=postbox.mails, stop=controller.stop, port=port)
    app.config.update(before)
    if controller.loop.is_running():
        controller.stop()


def a_reset(app, language="en", name="Noor", about="1"):
    with app.test_request_context(method="POST"):
        jobs.later(
            notifications.mail,
            kind="reset",
            about=about,
            to=NOOR,
            template="reset",
            language=language,
            name=name,
            link="https://etalage.example/reset/x",
        )
        db.session.commit()


def work(app, later=timedelta(), monkeypatch=None):
    if later:
        now = clock.now() + later
        monkeypatch.setattr(clock, "now", lambda: now)
    with app.app_context():
        return jobs.run_due()


def test_a_mail_arrives_as_text_and_as_html_from_the_shop(app, mail_server):
    a_reset(app)
    assert work(app) == 1
    (mail,) = mail_server.mails
    assert (mail["From"], mail["To"]) == ("Etalage <shop@etalage.example>", NOOR)
    assert mail["Subject"] == "Choose a new password"
    assert mail["Message-ID"].endswith("@etalage.example>")
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "\nhttps://etalage.example/reset/x\n" in text.replace("\r\n", "\n")
    assert '<a class="button" href="https://etalage.example/reset/x">' in html


def test_a_mail_speaks_the_readers_language(app, mail_server):
    a_reset(app, "nl", about="1")
    a_reset(app, "en", about="2")
    work(app)
    assert [mail["Subject"] for mail in mail_server.mails] == ["Kies een nieuw wachtwoord", "Choose a new password"]
    assert '<html lang="nl">' in mail_server.mails[0].get_body(("html",)).get_content()


def test_a_name_is_text_in_both_bodies(app, mail_server):
    a_reset(app, name="Noor & <b>Co</b> &amp;")
    work(app)
    text, html = (mail_server.mails[0].get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Hello Noor & <b>Co</b> &amp;," in text
    assert "Hello Noor &amp; &lt;b&gt;Co&lt;/b&gt; &amp;amp;," in html


def test_asked_twice_it_is_sent_once(app, mail_server):
    a_reset(app)
    a_reset(app)
    assert work(app) == 2
    assert len(mail_server.mails) == 1


def test_a_server_that_is_down_is_tried_again_and_gets_the_mail_once(app, mail_server, monkeypatch):
    mail_server.stop()
    a_reset(app)
    assert work(app) == 0
    with app.test_request_context(method="POST"):
        job = db.session.scalar(db.select(Job))
        assert (job.state, job.tries) == (JobState.WAITING, 1)
        assert db.session.scalar(db.select(SentMail)) is None
    again = Postbox()
    controller = Controller(again, hostname="127.0.0.1", port=mail_server.port)
    controller.start()
    try:
        assert work(app, timedelta(minutes=1), monkeypatch) == 1
        a_reset(app)
        assert work(app, timedelta(minutes=1), monkeypatch) == 1
    finally:
        controller.stop()
    assert len(again.mails) == 1


def test_a_worker_that_dies_after_sending_sends_the_same_message_id_again(app, mail_server):
    for _time in range(2):
        with app.test_request_context(method="POST"):
            context = {"name": "Noor", "link": "x"}
            notifications.mail(kind="reset", about="1", to=NOOR, template="reset", language="en", **context)
            db.session.rollback()  # killed before the commit
    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(app, mail_server, monkeypatch):
    open_then = []
    monkeypatch.setattr(mail_smtp, "send", lambda *_a, **_k: open_then.append(db.session().in_transaction()))
    a_reset(app)
    work(app)
    assert open_then == [False]


EVIL = "x@example.com\r\nBcc: all@example.com\r\n\r\nBuy now"


@pytest.mark.parametrize("field", ["subject"])
def test_no_field_can_begin_a_header(field):
    mail = Mail(**{"to": NOOR, "subject": "Hi", "text": "t", "html": "h", "key": "k", field: EVIL})
    wire = compose(mail, "shop@etalage.example").as_bytes()
    head = wire.partition(b"\r\n\r\n")[0]
    assert [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc")] == []


def letter():
    return Mail(to=NOOR, subject="Hi", text="t", html="<p>t</p>", key="k")


def test_a_password_is_never_sent_over_a_line_without_tls(mail_server):
    with pytest.raises(smtplib.SMTPNotSupportedError):
        mail_smtp.send(letter(), url=f"smtp://shop:secret@127.0.0.1:{mail_server.port}", sender="shop@x.example")
    assert mail_server.mails == []


def test_with_starttls_the_shop_signs_in_and_checks_the_certificate(tmp_path, monkeypatch):
    certificate, key = a_certificate(tmp_path, "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    told, postbox = [], Postbox()

    def check(_server, _session, _envelope, _mechanism, given):
        told.append((given.login, given.password))
        return AuthResult(success=True)

    controller = Controller(
        postbox, hostname="localhost", port=(port := a_free_port()), tls_context=tls, authenticator=check
    )
    controller.start()
    url = f"smtp://shop:sec%2Fret@localhost:{port}"
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            mail_smtp.send(letter(), url=url, sender="shop@x.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        mail_smtp.send(letter(), url=url, sender="shop@x.example")
    finally:
        controller.stop()
    assert told == [(b"shop", b"sec/ret")]
    assert len(postbox.mails) == 1


def test_without_a_server_the_mail_waits_in_a_file_for_the_operator_alone(app, letters, capsys):
    a_reset(app)
    work(app)
    (file,) = (settings.Path(app.instance_path) / "mail").glob("*.eml")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "https://etalage.example/reset/x" not in capsys.readouterr().out
    (mail,) = letters()
    assert mail["To"] == NOOR


@pytest.mark.parametrize(("name", "value"), [("SMTP_URL", "http://mail"), ("MAIL_FROM", "nobody")])
def test_wrong_mail_settings_are_named(tmp_path, name, value):
    with pytest.raises(settings.SettingsError, match=name):
        settings.read({"INSTANCE_PATH": str(tmp_path), name: value})
