"""A database that is busy is not an error page: who reads does not notice, who writes waits, and not for ever."""

import sqlite3
import threading
import time
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import bindparam, text, update
from sqlalchemy.exc import OperationalError

from shop import database, turn
from shop.database import db
from shop.models import Variant
from tests.conftest import HTMX


@pytest.fixture
def other_program(app):
    """Somebody else who writes in the same file, for as long as they like."""
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def lines(app):
    with app.test_request_context():
        return db.session.scalar(text("SELECT count(*) FROM cart_lines"))


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
@pytest.mark.parametrize("htmx", [False, True])
def test_who_waits_too_long_is_told_so_and_nothing_is_half_done(app, client, mug, other_program, monkeypatch, htmx):
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    form = {"variant": "mug-s", "quantity": 1}
    answer = client.post("/cart/lines", data=form, headers=HTMX if htmx else {})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "The shop is very busy." in answer.text
    assert ("<html" in answer.text) is not htmx
    assert lines(app) == 0
    other_program.execute("ROLLBACK")
    assert client.post("/cart/lines", data=form).status_code == 303
    assert lines(app) == 1


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_while_one_waits_to_write_the_others_read(app, client, mug, other_program):
    answers = []
    writer = threading.Thread(
        target=lambda: answers.append(client.post("/cart/lines", data={"variant": "mug-s", "quantity": 1}).status_code)
    )
    writer.start()
    for _look in range(20):
        assert app.test_client().get("/shop").status_code == 200
    assert answers == []  # it is waiting still
    other_program.execute("ROLLBACK")
    writer.join(20)
    assert answers == [303]
    assert lines(app) == 1


@pytest.fixture
def line(app):
    """The line of those who want to write in SQLite, with somebody at its head who does not move."""
    path = Path(f"{app.config['SQLALCHEMY_DATABASE_URI'].removeprefix('sqlite:///')}-queue")
    with path.open("ab") as head:
        flock(head, LOCK_EX)
        inode = path.stat().st_ino
        yield SimpleNamespace(
            move=lambda: flock(head, LOCK_UN), length=lambda: waiting_for(inode), is_taken=lambda: is_taken(inode)
        )


def is_taken(inode):
    return f":{inode} " in Path("/proc/locks").read_text()


def waiting_for(inode):
    """How many the kernel has waiting for this file."""
    return sum(
        line.split()[1] == "->" and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines()
    )


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_who_wants_to_write_stands_in_a_line_and_comes_when_they_came(app, mug, line):
    order = []

    def write(name):
        with app.extensions["shop.engines"]["write"].begin() as connection:
            order.append(name)
            connection.execute(text("UPDATE variants SET stock = stock"))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcde"]
    end = time.monotonic() + 20
    for place, writer in enumerate(writers, start=1):
        writer.start()
        while line.length() < place and time.monotonic() < end:
            pass
    assert (line.length(), order) == (5, [])
    line.move()
    for writer in writers:
        writer.join(20)
    assert order == list("abcde")


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_who_stands_in_the_line_for_too_long_leaves_it(app, client, mug, line, other_program, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    form = {"variant": "mug-s", "quantity": 1}
    for _press in range(2):
        answer = client.post("/cart/lines", data=form)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert lines(app) == 0
    other_program.execute("ROLLBACK")
    assert client.post("/cart/lines", data=form).status_code == 303  # only the line is stuck, so this is taken in
    line.move()
    for _press in range(3):
        assert client.post("/cart/lines", data=form).status_code == 303
    assert lines(app) == 1
    end = time.monotonic() + 20
    while line.is_taken() and time.monotonic() < end:
        pass  # those who left are called, and go
    assert not line.is_taken()


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_a_job_waits_longer_than_somebody_who_looks_at_a_page(app):
    assert (database.PATIENCE, database.OF_JOBS) == (5, 15)
    with app.test_request_context(method="POST"):
        assert database._patience() == 5
    with app.app_context():
        assert database._patience() == 15


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_a_note_in_passing_does_not_stand_in_the_line(app, mug, line):
    with app.test_request_context(method="GET"):
        database.jot(update(Variant).values(stock=bindparam("left")), left=9)
    with app.test_request_context(method="GET"):
        assert set(db.session.scalars(text("SELECT stock FROM variants"))) == {9}


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_who_reads_does_not_stand_in_the_line(client, mug, line):
    assert client.get("/shop").status_code == 200


def test_who_steps_aside_lets_the_others_pass_and_gets_the_turn_back():
    lock, seen = threading.Lock(), []
    with turn.taken(lock):
        with turn.aside():
            with turn.taken(lock):
                seen.append("another")
            seen.append(lock.locked())
        seen.append(lock.locked())
    assert seen == ["another", False, True]
    assert not lock.locked()


def test_without_a_turn_there_is_nothing_to_step_aside_from():
    reached = []
    with turn.aside():
        reached.append("aside")
    assert reached == ["aside"]


def test_a_full_disk_is_not_taken_for_a_busy_one():
    full = OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))
    assert not database.is_busy(full)


@pytest.mark.parametrize("built", ["postgresql"], indirect=True)
def test_a_row_that_somebody_keeps_for_too_long_is_busy_too(app, mug):
    keep = text("UPDATE variants SET stock = stock WHERE id = :id")
    engine = app.extensions["shop.engines"]["write"]
    with engine.connect() as one, engine.connect() as other:
        assert other.exec_driver_sql("SHOW lock_timeout").scalar() == "15s"  # outside a request
        one.execute(keep, {"id": mug.small})
        other.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(OperationalError) as told:
            other.execute(keep, {"id": mug.small})
    assert database.is_busy(told.value)


@pytest.mark.parametrize("built", ["postgresql"], indirect=True)
def test_somebody_who_looks_at_a_page_waits_five_seconds_for_a_row(app):
    for _time in range(2):
        with app.test_request_context(method="POST"):
            assert db.session.execute(text("SHOW lock_timeout")).scalar() == "5s"
            db.session.rollback()
            assert db.session.execute(text("SHOW lock_timeout")).scalar() == "5s"
        with app.app_context():
            assert db.session.execute(text("SHOW lock_timeout")).scalar() == "15s"
