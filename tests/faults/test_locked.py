"""Promise 9: while another program holds what is written to, who reads does not notice, and who writes waits a while.

On SQLite it holds the write lock; on PostgreSQL, which has none for all, the table of which each sale takes a row.

How long a writer waits is settled in `docs/decisions.md`: 5 seconds, then 503 with Retry-After.
"""

import threading
import time
from contextlib import contextmanager

import pytest

from tests.faults.browsers import Browser
from tests.faults.test_crowds import looks, p95
from tests.faults.test_helpers_down import filled  # noqa: F401  the fixture

pytestmark = pytest.mark.slow


@contextmanager
def locked(shop, seconds):
    """What one has to write to is somebody else's, for so many seconds from now on."""
    engine = shop.app.extensions["shop.engines"]["write"]  # on SQLite its BEGIN takes the write lock
    with engine.connect() as other:
        other.begin()
        if shop.database == "postgresql":
            other.exec_driver_sql("LOCK TABLE variants IN EXCLUSIVE MODE")
        release = threading.Timer(seconds, other.rollback)
        release.start()
        yield
        release.join()


def ready_to_pay(noor, method="card"):
    """With something in the cart and the form open: a function that presses the button."""
    from tests.routes.conftest import NOOR, hidden

    noor.ask("POST", "/cart/lines", {"variant": "v0000000", "quantity": "1"})
    _status, page, _took = noor.ask("GET", "/checkout")
    return lambda: noor.ask("POST", "/checkout", {**NOOR, "method": method, **hidden(page)})


def beside(press):
    """Let it be pressed in a thread of its own; the list gets the answer."""
    answers = []
    hand = threading.Thread(target=lambda: answers.append(press()))
    hand.start()
    return hand, answers


def test_a_lock_of_two_seconds_is_waited_for(filled, promise):  # noqa: F811
    with filled.opened() as shop:
        looks(shop, times=20)
        press = ready_to_pay(Browser(shop))
        with locked(filled, 2):
            hand, answers = beside(press)
            time.sleep(0.1)
            reading = p95(looks(shop, times=60))
        hand.join(30)
    [(status, _page, took)] = answers
    figure = f"reading p95 {reading:.0f} ms, buying {status} after {took:.1f} s, {filled.bought()[1]} order"
    kept = reading <= 300 and status == 303 and filled.bought() == (1, 1)
    promise("9", f"the lock is held for 2 s, {filled.database}", figure, "300 ms, bought", kept)


def test_a_lock_of_thirty_seconds_is_told_and_nothing_is_half_done(filled, promise):  # noqa: F811
    with filled.opened() as shop:
        looks(shop, times=20)
        noor = Browser(shop)
        press = ready_to_pay(noor)
        with locked(filled, 30):
            hand, answers = beside(press)
            time.sleep(0.1)
            reading = p95(looks(shop, times=60))
            hand.join(29)
            halves = filled.bought()
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
        and (again, filled.bought()) == (303, (1, 1))
        and waited <= 1
    )
    promise("9", f"the lock is held for 30 s, {filled.database}", figure, "300 ms, 503 within 6 s, 0, within 1 s", kept)
