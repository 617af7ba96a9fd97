"""From the moment a paper is sent until it is judged, no byte of it leaves the vault: not by mail, nor in a backup."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest

from shop import papers, sanctions, vault, verdicts
from shop.database import db
from shop.models import Paper, PaperKind, Role, Vetting
from shop.words import Words
from tests import disk
from tests.applicants import a_person, accept_all, an_applicant
from tests.papers import CANARY, jpeg
from tests.test_notifications import mail_server  # noqa: F401
from tests.test_vault import PAGE, kept, opened

# What is drawn on a picture is compressed: a page that a test makes holds the word as it is, and that has to be sealed.


def every_row(app):
    """All that is in the database, each value as it lies there."""
    with app.app_context():
        asked = [db.session.execute(table.select()).all() for table in db.metadata.sorted_tables]
        return repr(asked).encode()


@pytest.fixture
def judged(app, mail_server, capfd):  # noqa: F811
    """Mina's paper, which a moderator opened; she was approved, and then stopped. Every mail about it is out."""
    with app.test_request_context(method="POST"):
        mina, rex = an_applicant(), a_person("rex", Role.MODERATOR)
        found, mark = papers.read(BytesIO(jpeg()))
        assert CANARY not in b"".join(found.pages)  # what a photograph tells beside its picture is gone already
        papers.keep(mina.id, PaperKind.EXTRACT, found, mark)
        db.session.commit()
    code = kept(app, "mina", (PAGE,))
    with app.test_request_context(method="POST"):
        mina = db.session.merge(mina)
        papers.open_up(code, by=rex, reason="To decide on the application.")
        db.session.commit()
        seen = accept_all(mina, rex)
        verdicts.decide(mina, Vetting.APPROVED, by=rex, words=Words(), seen=seen)
        sanctions.suspend(mina, by=rex, reason="not_sent", words=Words(en="Forty parcels were never sent."))
        db.session.commit()
    do_jobs(app)
    return code


def do_jobs(app):
    from shop import jobs

    with app.app_context():
        while jobs.run_due():
            pass


def test_no_byte_of_a_paper_is_in_a_mail_a_row_or_the_log(app, judged, mail_server, capfd):  # noqa: F811
    mails = [mail.as_bytes() for mail in mail_server.mails]
    assert len(mails) == 2
    decoded = [
        part.get_content().encode() for mail in mail_server.mails for part in mail.walk() if not part.is_multipart()
    ]
    assert [part.get_content_type() for part in mail_server.mails[0].walk()][1:] == ["text/plain", "text/html"]
    told = every_row(app)
    assert b"statement" in told
    said = "".join(capfd.readouterr()).encode()
    assert [CANARY in part for part in (*mails, *decoded, told, said)] == [False] * (2 + len(decoded) + 2)
    assert opened(app, judged) == PAGE


def test_a_copy_of_the_shop_holds_no_byte_of_a_paper_and_without_the_keys_opens_none(app, judged, tmp_path):
    """There is no command for a backup yet: a copy of the instance folder stands in, its keys left at home."""
    copy = tmp_path / "backup"
    disk.copied(app.instance_path, copy)
    shutil.rmtree(copy / "keys")
    held = disk.bytes_in(copy)
    assert len(held) > len(PAGE)
    assert CANARY not in held
    with app.app_context():
        wrapped = papers.called(judged).wrapped_key
        sealed = (copy / "papers" / f"{judged}.1").read_bytes()
        assert wrapped not in disk.bytes_in(Path(app.instance_path) / "keys")
        assert vault.unseal(vault.unwrap(wrapped), f"{judged}.1", sealed) == PAGE
        for file in (Path(app.instance_path) / "keys").iterdir():
            file.unlink()
        with pytest.raises(vault.BrokenSealError):
            vault.unwrap(wrapped)


def test_a_shredded_paper_does_not_come_back_with_an_old_copy_of_its_file(app, judged, tmp_path):
    file = Path(app.config["PAPERS_PATH"]) / f"{judged}.1"
    shutil.copy(file, tmp_path / "old")
    with app.test_request_context(method="POST"):
        papers.withdraw(papers.called(judged).seller_id, judged)
        db.session.commit()
    do_jobs(app)
    assert not file.exists()
    shutil.copy(tmp_path / "old", file)
    with app.app_context():
        row = db.session.execute(db.select(Paper.state, Paper.wrapped_key).where(Paper.code == judged)).one()
    assert tuple(row) == ("shredded", None)
    file.unlink()
