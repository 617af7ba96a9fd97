"""Promise 9: while another program holds SQLite's write lock, who reads does not notice, and who writes waits a while.

How long a writer waits is settled in `docs/decisions.md`: 5 seconds, then 503 with Retry-After.
"""

import sqlite3
import threading
import time
from contextlib import contextmanager

import pytest

from tests.faults.shops import opened
from tests.faults.test_crowds import looks, p95
from tests.faults.test_helpers_down import Browser, filled  # noqa: F401  the fixture

pytestmark = pytest.mark.slow


@contextmanager
def locked(folder, seconds):
    """The write lock is somebody else's, for so many seconds from now on."""
    other = sqlite3.connect(folder / "shop.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(seconds, lambda: other.execute("ROLLBACK"))
    release.start()
    yield
    release.join()
    other.close()


def bought(folder):
    with sqlite3.connect(folder / "shop.sqlite3") as connection:
        count = "SELECT (SELECT count(*) FROM purchases), (SELECT count(*) FROM orders WHERE status = 'paid')"
        return connection.execute(count).fetchone()


def ready_to_pay(noor):
    """With something in the cart and the form open: a function that presses the button."""
    from tests.routes.conftest import NOOR, hidden

    noor.ask("POST", "/cart/lines", {"variant": "v0000000", "quantity": "1"})
    _status, page, _took = noor.ask("GET", "/checkout")
    return lambda: noor.ask("POST", "/checkout", {**NOOR, "method": "card", **hidden(page)})


def beside(press):
    """Let it be pressed in a thread of its own; the list gets the answer."""
    answers = []
    hand = threading.Thread(target=lambda: answers.append(press()))
    hand.start()
    return hand, answers


def test_a_lock_of_two_seconds_is_waited_for(filled, promise):  # noqa: F811
    with opened(filled) as shop:
        looks(shop, times=20)
        press = ready_to_pay(Browser(shop))
        with locked(filled, 2):
            hand, answers = beside(press)
            time.sleep(0.1)
            reading = p95(looks(shop, times=60))
        hand.join(30)
    [(status, _page, took)] = answers
    figure = f"reading p95 {reading:.0f} ms, buying {status} after {took:.1f} s, {bought(filled)[1]} order"
    kept = reading <= 300 and status == 303 and bought(filled) == (1, 1)
    promise("9", "the write lock is held for 2 s", figure, "300 ms, bought", kept)


def test_a_lock_of_thirty_seconds_is_told_and_nothing_is_half_done(filled, promise):  # noqa: F811
    with opened(filled) as shop:
        looks(shop, times=20)
        noor = Browser(shop)
        press = ready_to_pay(noor)
        with locked(filled, 30):
            hand, answers = beside(press)
            time.sleep(0.1)
            reading = p95(looks(shop, times=60))
            hand.join(29)
            halves = bought(filled)
        status, page, took = answers[0]
        again, _page, waited = press()
    figure = (
        f"reading p95 {reading:.0f} ms, {status} after {took:.1f} s, {halves[0]} halves, then {again} in {waited:.1f} s"
    )
    kept = (
        reading <= 300
        and status == 503
        and took <= 6
        and "very busy" in page
        and halves == (0, 0)
        and (again, bought(filled)) == (303, (1, 1))
        and waited <= 1
    )
    promise("9", "the write lock is held for 30 s", figure, "300 ms, 503 within 6 s, 0, within 1 s", kept)
