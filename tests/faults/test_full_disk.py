"""Promise 10: a disk that is full loses nothing. Who writes is told so, who reads notices nothing, no cent is astray.

SQLite is given no page more than it has (`max_page_count`), and one more after each refusal, so that over a time each
write of a checkout and of an upload is the one that finds no room.
"""

import json

import pytest
from sqlalchemy import event, func, select, text

from shop.database import db, let_go
from shop.limits import limiter
from shop.models import Order, Purchase, Upload
from tests.routes.conftest import NOOR, hidden
from tests.routes.test_uploads import FILM, MIB, create, files, put

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def built(open_shop):
    """A file of its own: that of the other tests has room left by what was swept away."""
    return open_shop("")


@pytest.fixture
def disk(app):
    """`disk.fill()` leaves no page free, `disk.grow(n)` gives n more; every connection is told at its BEGIN."""

    class Disk:
        most = None

        def fill(self):
            with app.extensions["shop.engines"]["write"].connect() as connection:
                free = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
                if free:  # use them up
                    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (it BLOB)")
                    connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(?))", (4000 * free,))
                self.most = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.commit()

        def grow(self, pages=1):
            self.most += pages

    room = Disk()

    def tell(connection):
        most = room.most or 1_073_741_823
        connection.connection.dbapi_connection.execute(f"PRAGMA max_page_count = {most}")

    engine = app.extensions["shop.engines"]["write"]
    event.listen(engine, "begin", tell, insert=True)
    yield room
    event.remove(engine, "begin", tell)
    room.most = None
    with engine.connect() as connection:
        tell(connection)


def buy(client, post):
    limiter.reset()  # nobody buys that often
    post("/cart/lines", variant="lamp-oak", quantity="1")
    page = client.get("/checkout")
    assert page.status_code == 200
    return post("/checkout", **{**NOOR, "method": "card", **hidden(page.text)})


def astray(app):
    """Charges of the payment company for which there is no order, half purchases, and is the file whole?"""
    with app.app_context():
        bodies = db.session.scalars(text("SELECT body FROM sandbox_objects WHERE kind = 'payment'"))
        charged = [json.loads(body)["metadata"]["purchase"] for body in bodies]
        known = set(db.session.scalars(select(Purchase.code).join(Order)))
        halves = db.session.scalar(select(func.count(Purchase.id)).where(~Purchase.orders.any()))
        is_whole = db.session.scalar(text("PRAGMA integrity_check")) == "ok"
        is_whole = is_whole and not db.session.execute(text("PRAGMA foreign_key_check")).all()
        let_go()
        return len([code for code in charged if code not in known]), halves, is_whole


def bought_on_a_full_disk(app, client, post, disk, lamp, times):
    """How often was it refused for want of room, and what was never to happen."""
    with app.app_context():
        db.session.execute(text("UPDATE variants SET stock = 9999"))
        db.session.commit()
    disk.fill()
    refused, sold, odd = 0, 0, []
    while refused < times:
        answer = buy(client, post)
        if answer.status_code == 503:
            assert answer.headers["Retry-After"] == "60"
            assert "Nothing was changed" in answer.text
            assert client.get("/shop").status_code == client.get("/cart").status_code == 200
            refused += 1
            disk.grow()
        elif answer.status_code == 303:
            sold += 1
        else:
            odd.append(answer.status_code)
    return refused, sold, odd


def test_a_disk_that_is_full_refuses_and_loses_nothing(app, client, post, disk, lamp):
    refused, _sold, odd = bought_on_a_full_disk(app, client, post, disk, lamp, 3)
    assert (refused, odd) == (3, [])
    assert astray(app) == (0, 0, True)


@pytest.mark.slow
def test_full_at_each_write_of_the_checkout(app, client, post, disk, lamp, promise):
    refused, sold, odd = bought_on_a_full_disk(app, client, post, disk, lamp, 60)
    without, halves, is_whole = astray(app)
    figure = f"{refused} refused with 503, {sold} sold between, {without} charges without an order, {halves} halves"
    kept = (odd, without, halves, is_whole) == ([], 0, 0, True)
    promise("10", "the disk is full at a checkout, page by page", figure, "503, 0, 0, whole", kept)


def test_a_disk_that_is_full_takes_no_film_and_keeps_what_it_has(app, kai, disk):
    address = create(kai.client).location
    assert put(kai.client, address, 0, FILM[:MIB]).status_code == 204
    disk.fill()
    codes = []
    while 503 not in codes:
        codes.append(create(kai.client, 1000).status_code)
        assert codes[-1] in (201, 409, 503)
        if codes[-1] == 409:  # as many as one may have: no page was needed for them
            break
    with app.app_context():
        rows = db.session.scalar(select(func.count(Upload.id)))
    assert len(files(app)) == rows
    assert kai.client.get(address).headers["Upload-Offset"] == str(MIB)
