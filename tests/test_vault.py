"""Promise 25: papers stay sealed: no byte in the clear, nothing changed unseen, and a rotation that stops nobody."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from shop import accounts, clock, papers, vault
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.paper_reader import Read
from shop.models import Paper, PaperKind, Role
from tests import disk
from tests.cast import a_seller
from tests.papers import CANARY

PAGE = b"\xff\xd8\xff" + CANARY * 8000  # more than two chunks
KEY = bytes(range(32))


def kept(app, handle="mina", pages=(PAGE,), kind=PaperKind.FRONT, looks=b"12345678"):
    """A paper of this seller; gives its code."""
    with app.test_request_context(method="POST"):
        seller = db.session.scalar(db.select(papers.profiles.c.id).where(papers.profiles.c.handle == handle))
        if seller is None:
            db.session.add(a_seller(handle, handle.title()))
            db.session.flush()
        seller = db.session.scalar(
            db.select(papers.sellers.c.id)
            .join(papers.profiles, papers.profiles.c.id == papers.sellers.c.profile_id)
            .where(papers.profiles.c.handle == handle)
        )
        paper = papers.keep(seller, kind, Read("jpeg", tuple(pages), looks), vault.mark(b"file" + pages[0]))
        db.session.commit()
        return paper.code


def opened(app, code, number=1):
    with app.test_request_context():
        paper = papers.called(code)
        part = f"{code}.{number}"
        return vault.unseal(vault.unwrap(paper.wrapped_key), part, papers.storage_papers.read(part))


def file_of(app, code, number=1):
    return Path(app.config["PAPERS_PATH"]) / f"{code}.{number}"


# The seal


@pytest.mark.parametrize("size", [0, 1, vault.CHUNK - 1, vault.CHUNK, vault.CHUNK + 1, 3 * vault.CHUNK])
def test_what_was_sealed_comes_back_whole(size):
    content = random.Random(size).randbytes(size)
    assert vault.unseal(KEY, "abc.1", vault.seal(KEY, "abc.1", content)) == content


def test_no_chunk_looks_like_another():
    sealed = vault.seal(KEY, "abc.1", bytes(2 * vault.CHUNK))
    size = vault.CHUNK + vault.TAG
    assert sealed[4 : 4 + size] != sealed[4 + size : 4 + 2 * size]


def broken(how):
    sealed = bytearray(vault.seal(KEY, "abc.1", random.Random(1).randbytes(3 * vault.CHUNK)))
    size = vault.CHUNK + vault.TAG
    if how.startswith("bit "):
        sealed[int(how.split()[1])] ^= 1
    parts = {
        "end cut off": sealed[:-1],
        "last chunk cut off": sealed[: 4 + 2 * size],
        "nothing left": sealed[:4],
        "empty": b"",
        "chunks swapped": sealed[:4] + sealed[4 + size : 4 + 2 * size] + sealed[4 : 4 + size] + sealed[4 + 2 * size :],
        "chunk twice": sealed[: 4 + size] + sealed[4:],
        "more behind it": sealed + b"x",
    }
    return bytes(parts.get(how, sealed))


@pytest.mark.parametrize(
    "how",
    [f"bit {place}" for place in (0, 4, 5000, 4 + vault.CHUNK, 4 + vault.CHUNK + 20, -1)]
    + ["end cut off", "last chunk cut off", "nothing left", "empty", "chunks swapped", "chunk twice", "more behind it"],
)
def test_what_was_changed_is_refused_and_not_one_byte_of_it_is_given(how):
    with pytest.raises(vault.BrokenSealError):
        vault.unseal(KEY, "abc.1", broken(how))


def test_two_files_that_changed_places_are_refused_and_so_are_two_pages(app):
    one, other = kept(app, "mina", (PAGE, PAGE + b"2")), kept(app, "lars", (PAGE + b"3",))
    assert opened(app, one, 2) == PAGE + b"2"
    whole = file_of(app, other).read_bytes()
    file_of(app, other).write_bytes(file_of(app, one).read_bytes())
    with pytest.raises(vault.BrokenSealError):
        opened(app, other)
    with app.test_request_context(method="POST"):  # with its key beside it, too
        wrapped = papers.called(one).wrapped_key
        db.session.execute(papers.papers.update().where(papers.papers.c.code == other).values(wrapped_key=wrapped))
        db.session.commit()
    with pytest.raises(vault.BrokenSealError):
        opened(app, other)
    first, second = file_of(app, one, 1), file_of(app, one, 2)
    page = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(page)
    with pytest.raises(vault.BrokenSealError):
        opened(app, one, 1)
    assert whole != page


def test_nobody_finds_a_byte_of_a_paper_in_the_database_on_the_disk_or_in_the_log(app, capfd):
    code = kept(app)
    assert opened(app, code) == PAGE
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(db.engine.url.database)) as outside_a_transaction:
                outside_a_transaction.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        told = repr(db.session.execute(db.select(Paper.__table__)).all()).encode()
    lies_there = disk.bytes_in(app.instance_path)
    said = "".join(capfd.readouterr()).encode()
    assert len(lies_there) > len(PAGE)
    assert [CANARY in part for part in (told, lies_there, said)] == [False] * 3
    assert file_of(app, code).parent.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in (Path(app.instance_path) / "keys").iterdir()] == [0o600]


def test_without_the_keys_a_backup_opens_nothing(app):
    code = kept(app)
    for file in (Path(app.instance_path) / "keys").iterdir():
        file.unlink()
    with pytest.raises(vault.BrokenSealError):
        opened(app, code)


# Keys


def rotated(app):
    return app.test_cli_runner().invoke(args=["keys", "rotate"])


def test_a_rotation_wraps_everything_anew_and_throws_the_key_before_last_away(app):
    code = kept(app)
    with app.app_context():
        (first,) = vault.key_ids()
    before = file_of(app, code).read_bytes()
    assert "1 wrapped with the new key" in rotated(app).output
    with app.app_context():
        second = vault.key_ids()[0]
        assert vault.key_ids() == [second, first]
        assert papers.called(code).key_id == second
    assert f"Thrown away: {first}." in rotated(app).output
    assert opened(app, code) == PAGE
    assert file_of(app, code).read_bytes() == before  # 32 bytes are wrapped anew, and not the paper
    assert len(app.test_cli_runner().invoke(args=["keys", "list"]).output.split()) == 2


def test_keys_may_come_from_the_environment(app, monkeypatch):
    old, new = Fernet.generate_key(), Fernet.generate_key()
    monkeypatch.setitem(app.config, "PAPER_KEYS", (("a", old),))
    code = kept(app)
    monkeypatch.setitem(app.config, "PAPER_KEYS", (("b", new), ("a", old)))
    assert opened(app, code) == PAGE
    assert "1 wrapped with the new key b" in rotated(app).output
    monkeypatch.setitem(app.config, "PAPER_KEYS", (("b", new),))
    assert opened(app, code) == PAGE
    assert not list((Path(app.instance_path) / "keys").glob("*"))


@pytest.mark.faults
@pytest.mark.parametrize("many", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_thousand_papers_are_rotated_while_people_read(app, many, promise):
    codes = [kept(app, pages=(b"\xff\xd8\xff" + CANARY,))]
    _copy(app, codes, many - 1)
    read, failed, done = 0, 0, False

    def look(seed):
        nonlocal read, failed
        chance = random.Random(seed)
        while not done:
            try:
                failed += opened(app, chance.choice(codes)) != b"\xff\xd8\xff" + CANARY
                read += 1
            except vault.BrokenSealError:
                failed += 1

    with ThreadPoolExecutor(3) as readers:
        looking = [readers.submit(look, seed) for seed in range(2)]
        began = clock.now()
        said = rotated(app).output
        took = (clock.now() - began).total_seconds()
        done = True
        for one in looking:
            one.result()
    assert f"{many} wrapped with the new key" in said
    assert read > 20
    promise(
        "25",
        f"{many} papers get a new key while people read ({app.config['SQLALCHEMY_DATABASE_URI'][:6]})",
        f"{took:.1f} s, {failed} of {read} reads failed",
        "<= 60 s, 0 failed",
        took <= 60 and failed == 0,
    )


def _copy(app, codes, more):
    """So many papers like the first, each with its own key; without the ORM, which would take a minute."""
    with app.test_request_context(method="POST"):
        row = dict(db.session.execute(db.select(Paper.__table__)).one()._mapping)
        del row["id"]
        copies = []
        for n in range(more):
            code, key = f"copy-of-the-paper-{n:04}", vault.new_key()
            papers.storage_papers.path_of(f"{code}.1").write_bytes(
                vault.seal(key, f"{code}.1", b"\xff\xd8\xff" + CANARY)
            )
            secret, key_id = vault.wrap(key)
            more_facts = {"wrapped_key": secret, "key_id": key_id, "kind": "back", "seller_id": row["seller_id"]}
            copies.append({**row, "code": code, **more_facts})
            codes.append(code)
        db.session.add_all(a_seller(f"s{n}", "S") for n in range(more))
        db.session.flush()
        ids = list(db.session.scalars(db.select(papers.sellers.c.id).order_by(papers.sellers.c.id)))[1:]
        for copy, seller in zip(copies, ids, strict=True):
            copy["seller_id"] = seller
        db.session.execute(Paper.__table__.insert(), copies)
        db.session.commit()


# Until when


def state(app, code):
    with app.test_request_context():
        asked = db.select(Paper.state, Paper.wrapped_key.is_(None)).where(Paper.code == code)
        return tuple(db.session.execute(asked).one())


def do_jobs(app):
    from shop import jobs

    with app.app_context():
        jobs.run_due()


def test_past_its_date_a_paper_is_shredded_and_its_file_goes(app, pass_time):
    code = kept(app)
    with app.test_request_context(method="POST"):
        papers.keep_until(papers.called(code).seller_id, clock.now() + timedelta(days=90))
        db.session.commit()
    for days, there in ((89, ("sealed", False)), (2, ("shredded", True))):
        pass_time(days=days)
        with app.app_context():
            papers.shred_what_is_due()
            db.session.commit()
        do_jobs(app)
        assert state(app, code) == there
        assert file_of(app, code).exists() is (there[0] == "sealed")
    with pytest.raises(NotFound), app.test_request_context():
        papers.called(code)


def test_as_long_as_they_sell_a_paper_is_kept(app, pass_time):
    code = kept(app)
    with app.test_request_context(method="POST"):
        papers.keep_until(papers.called(code).seller_id, None)
        db.session.commit()
    pass_time(days=4000)
    with app.app_context():
        papers.shred_what_is_due()
        db.session.commit()
    assert state(app, code) == ("sealed", False)


def test_another_paper_of_the_same_kind_shreds_the_one_before(app):
    one, other = kept(app), kept(app, pages=(PAGE + b"2",))
    do_jobs(app)
    assert [state(app, code) for code in (one, other)] == [("shredded", True), ("sealed", False)]
    assert [file_of(app, code).exists() for code in (one, other)] == [False, True]


def test_a_file_that_a_crash_left_is_swept_after_a_day(app, pass_time):
    code = kept(app)
    left = [file_of(app, "a-paper-without-row"), file_of(app, code).with_name("half.part")]
    for file in left:
        file.write_bytes(b"x")
    for there in (True, False):
        with app.app_context():
            papers.shred_what_is_due()
            db.session.commit()
        assert [file.exists() for file in left] == [there] * 2
        pass_time(hours=25)
    assert file_of(app, code).exists()


# Who looks


@pytest.fixture
def staff(app, signed_in_as):
    def person(name):
        signed_in_as(name, Role.MODERATOR)
        with app.test_request_context(method="POST"):
            return accounts.as_actor(accounts.called(f"{name}@example.com"))

    return person


def look(app, code, person, reason="To decide on the application."):
    with app.test_request_context(method="POST"):
        papers.open_up(code, by=person, reason=reason)
        db.session.commit()


def test_one_moderator_at_a_time_and_each_opening_is_told(app, staff, pass_time):
    code, rex, ada = kept(app), staff("rex"), staff("ada")
    look(app, code, rex)
    look(app, code, rex, "Once more, with glasses.")
    with pytest.raises(Refused, match="Rex has this paper open"):
        look(app, code, ada)
    with app.app_context():
        assert [(entry.actor_id, entry.reason) for entry in papers.audit.about(f"paper:{code}")] == [
            (rex.id, "To decide on the application."),
            (rex.id, "Once more, with glasses."),
        ]
    pass_time(minutes=11)
    look(app, code, ada)
    with app.test_request_context(), pytest.raises(NotFound):
        papers.page(code, 1, to=rex, name="Rex")


def test_without_a_reason_nothing_opens(app, staff):
    code, rex = kept(app), staff("rex")
    with pytest.raises(Refused, match="Say why"):
        look(app, code, rex, "         x")
    with app.app_context():
        assert papers.called(code).opened_by_id is None
        assert papers.audit.about(f"paper:{code}") == []


def test_the_same_paper_of_two_sellers_is_seen_also_when_it_is_shredded(app):
    codes = [kept(app, "mina"), kept(app, "lars"), kept(app, "olga", (PAGE + b"x",), looks=b"abcdefgh")]
    with app.test_request_context(method="POST"):
        sellers = [papers.called(code).seller_id for code in codes]
        assert [[row.handle for row in papers.same_as_of(one)] for one in sellers] == [["lars"], ["mina"], []]
        papers.withdraw(sellers[1], codes[1])
        db.session.commit()
        assert [row.handle for row in papers.same_as_of(sellers[0])] == ["lars"]


def test_a_file_is_read_before_anything_is_written(app, at_the_desk):
    with pytest.raises(Refused, match="This is something else") as told:
        papers.read(BytesIO(b"GIF89a" + bytes(100)))
    assert told.value.status == 415
