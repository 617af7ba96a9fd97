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
from pathlib import Path

import flask_migrate
from sqlalchemy import select, text

from app import create_app
from shop import accounts, clock, jobs, settings
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


def buy(noor):
    """The statuses of all that it takes; a purchase that went well has 303 for its last."""
    added = noor.post("/cart/lines", data={"variant": "lamp-oak", "quantity": "1"})
    page = noor.get("/checkout")
    if added.status_code != 303 or page.status_code != 200:
        return added.status_code, page.status_code
    form = {**NOOR, "method": "card", **hidden(page.text)}
    return noor.post("/checkout", data=form).status_code, noor.get("/shop").status_code


def send(kai):
    """One film in parts; a part for which there is no room is all that is told."""
    made = kai.post("/uploads", data={"size": len(FILM)})
    if made.status_code != 201:
        return made.status_code, 0
    for offset in range(0, len(FILM), MIB):
        part = FILM[offset : offset + MIB]
        answer = kai.put(made.location, data=part, headers={"Upload-Offset": str(offset)})
        if answer.status_code != 204:
            is_kept = int(kai.get(made.location).headers["Upload-Offset"]) == offset
            kai.post(f"{made.location}/removal")
            return answer.status_code, int(is_kept)
    return kai.post(f"{made.location}/completion").status_code, 1


def bought_page_by_page(app, disk, told, most=80):
    noor = browser(app)
    buy(noor)
    disk.fill()
    for page in range(most):
        noor.environ_base["REMOTE_ADDR"] = f"10.0.0.{page + 1}"  # nobody may buy that often
        for status in buy(noor):
            told[status] += 1
        disk.give_back(PAGE)


def sent_part_by_part(kai, disk, told):
    """There is room for no part, for a piece of one, and at last for all of them; never for what is made of it."""
    whole = True
    disk.fill()
    for room in (0, 300_000, 300_000, 300_000, 300_000):
        disk.give_back(room)
        status, is_kept = send(kai)
        told[status] += 1
        whole = whole and (status == 507 or bool(is_kept))
    return whole


def ends(app, disk, folder):
    """With room again: what was charged is sold, the film is whole and becomes a clip, and the database is whole."""
    disk.give_back(64 * MIB)
    (folder / "filler").unlink()
    with app.app_context():
        while jobs.run_due():
            pass
    bodies = []
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
    disk, kai = Filler(place), browser(app, is_kai=True)
    bought_page_by_page(app, disk, told)
    is_kept = sent_part_by_part(kai, disk, sent)
    print(json.dumps({"told": told, "sent": sent, "is_kept": is_kept, **ends(app, disk, place)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
