"""A shop whose folder is a disk of its own, of 64 MB, and gets full: `python -m tests.faults.small_disk FOLDER`.

The database, the uploads and what is made of them share it. It is filled to the last byte, and then given back a page
at a time, so that each thing that is written is once what finds no room. To be run where the disk is mounted:

    unshare -Urm sh -c 'mount -t tmpfs -o size=64m none FOLDER && exec python -m tests.faults.small_disk FOLDER'
"""

from __future__ import annotations

import errno
import json
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import flask_migrate
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app import create_app
from shop import accounts, clock, jobs, reconcile, settings
from shop.database import db, let_go
from shop.models import Clip, Order, OrderStatus, Purchase, Role, RoleGrant, User
from tests import films
from tests.cast import a_product, a_profile, a_seller, a_variant
from tests.routes.conftest import NOOR, hidden

MIB = 2**20
FILM = films.BUNNY.read_bytes()
PAGE = 4096


class Filler:
    """A file that takes all the room that there is, and gives some of it back."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "filler").open("wb", buffering=0)

    def fill(self) -> None:
        for size in (MIB, PAGE, 1):
            try:
                while self._file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def give_back(self, size: int) -> None:
        self._file.truncate(max(self._file.tell() - size, 0))
        self._file.seek(0, 2)


def opened(folder):
    app = create_app(settings.read({"INSTANCE_PATH": str(folder), "DATABASE_URL": ""}))
    app.extensions["shop.ring"] = lambda **_how: None
    app.config.update(TESTING=True)
    with app.app_context():
        flask_migrate.upgrade()
        oak = a_variant("lamp-oak", "Oak", 4995, stock=9000)
        db.session.add(a_product(a_seller("lars", "Lars Licht"), "lamp", "Lamp", [oak]))
        now = clock.now()
        user = User(email="kai@example.com", name="Kai", password_hash="none", created_at=now, confirmed_at=now)
        user.roles = [RoleGrant(role=Role.CREATOR, granted_at=now)]
        db.session.add(user)
        db.session.flush()
        db.session.add(a_profile("kai", "Kai", user_id=user.id))
        db.session.commit()
    return app


def browser(app, is_kai=False):
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    if is_kai:
        with app.test_request_context(method="POST"):
            token = accounts.open_session(accounts.called("kai@example.com"), is_proven=True).get_id()
            db.session.commit()
        with client.session_transaction() as session:
            session["_user_id"] = token
    return client


def steps(noor, told):
    """Buy again and again, one step at a time; a step that found no room is taken once more when there is some."""
    while True:
        while added(noor, told) != 303:
            yield "no room"
        form = {**NOOR, "method": "card", **hidden(noor.get("/checkout").text)}
        while pressed(noor, form, told) != 303:
            yield "no room"
        yield "sold"


def added(noor, told):
    status = noor.post("/cart/lines", data={"variant": "lamp-oak", "quantity": "1"}).status_code
    told[f"cart {status}"] += 1
    return status


def pressed(noor, form, told):
    noor.environ_base["REMOTE_ADDR"] = f"10.0.{told.total() // 250}.{told.total() % 250 + 1}"  # nobody buys that often
    status = noor.post("/checkout", data=form).status_code
    told[f"checkout {status}"] += 1
    told[f"reading {noor.get('/shop').status_code}"] += 1
    return status


def bought_page_by_page(noor, disk, told, most=150):
    walk = steps(noor, told)
    disk.fill()
    for _step in range(most):
        if next(walk) == "sold":
            disk.fill()
        else:
            disk.give_back(8 * PAGE)


def announced(kai):
    made = kai.post("/uploads", data={"size": len(FILM)})
    assert made.status_code == 201
    return made.location


def sent_part_by_part(kai, address, disk, told):
    """There is room for no part, then for a piece of one, and at last for all; what was refused was not counted."""
    disk.fill()
    told[f"announced {kai.post('/uploads', data={'size': len(FILM)}).status_code}"] += 1
    offset, is_kept = 0, True
    while offset < len(FILM):
        part = FILM[offset : offset + MIB]
        status = kai.put(address, data=part, headers={"Upload-Offset": str(offset)}).status_code
        told[f"part {status}"] += 1
        if status == 204:
            offset += len(part)
        is_kept = is_kept and kai.get(address).headers["Upload-Offset"] == str(offset)
        disk.give_back(150_000)
    while (status := kai.post(f"{address}/completion").status_code) != 201:
        told[f"completed {status}"] += 1
        disk.give_back(PAGE)
    return is_kept


def worked_on_without_room(app, disk, told):
    """What is made of it finds no room either; that is not the film's fault."""
    disk.fill()
    disk.give_back(200_000)
    with app.app_context():
        try:
            told[f"jobs done {jobs.run_due(most=1, lane='long')}"] += 1
        except OperationalError:
            told["no room to say so"] += 1
        let_go()
        told[f"clip {db.session.scalar(select(Clip.state))}"] += 1
        let_go()


def ends(app, disk, folder):
    """With room again: what was charged is sold, the film is whole and becomes a clip, and the database is whole."""
    disk.give_back(64 * MIB)
    (folder / "filler").unlink()
    later = clock.now() + timedelta(hours=1)  # when a job that failed is tried again
    clock.now = lambda: later
    with app.app_context():
        reconcile.find_lost()
        while jobs.run_due():
            pass
    with app.app_context():
        bodies = [json.loads(body) for body in db.session.scalars(text("SELECT body FROM sandbox_objects"))]
        charged = {one["metadata"]["purchase"] for one in bodies if one.get("object") == "payment_intent"}
        known = set(db.session.scalars(select(Purchase.code).join(Order)))
        paid = set(db.session.scalars(select(Purchase.code).join(Order).where(Order.status == OrderStatus.PAID)))
        is_whole = db.session.scalar(text("PRAGMA integrity_check")) == "ok"
        clips = [str(one) for one in db.session.scalars(select(Clip.state))]
        let_go()
    left = [path.name for part in ("uploads", "scratch") for path in (folder / part).glob("*")]
    return {
        "without": len(charged - known),
        "unsold": len(charged - paid),
        "sold": len(paid),
        "is_whole": is_whole,
        "clips": clips,
        "left": left,
    }


def main(folder):
    place, told, sent = Path(folder), Counter(), Counter()
    app = opened(place)
    disk, noor, kai = Filler(place), browser(app), browser(app, is_kai=True)
    address = announced(kai)
    bought_page_by_page(noor, disk, told)
    is_kept = sent_part_by_part(kai, address, disk, sent)
    worked_on_without_room(app, disk, sent)
    print(json.dumps({"told": told, "sent": sent, "is_kept": is_kept, **ends(app, disk, place)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
