"""Uploads: a large file arrives in parts, so that a connection that drops goes on where it was.

The row knows how many bytes are on disk, and the file has a name of our own. A part that is not the next one is
refused with the place where to go on; one that came already is taken for granted.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import delete, func, select, update

from shop import clock
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Upload, User

MIB = 1024 * 1024
LARGEST_PART = MIB
QUOTA = 1200 * MIB  # bytes that one person may have under way
MOST_OPEN = 10
KEPT = timedelta(hours=24)
DISK_RESERVE = 0.05  # of the disk stays free, for the database

uploads = Upload.__table__


class OutOfPlaceError(Refused):
    """This part is not the next one: go on at `received`."""

    def __init__(self, received: int) -> None:
        super().__init__(_("This part does not fit on what has arrived."), 409)
        self.received = received


def path_of(code: str) -> Path:
    """The file of an upload, and later of the clip that it becomes, whose code is the upload's beginning."""
    return Path(current_app.instance_path) / "uploads" / code[:12]


def begin(user_id: int, size: int, *, largest: int) -> Upload:
    """Announce a file of `size` bytes; refused if that is more than `largest`, or than there is room for."""
    if size < 1:
        raise Refused(_("This file is empty."), 422)
    if size > largest:
        words = _("A file may have at most %(most)s MB; this one has %(size)s.", most=largest // MIB, size=size // MIB)
        raise Refused(words, 413)
    folder = path_of("x").parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk = shutil.disk_usage(folder)
    if disk.free - size < disk.total * DISK_RESERVE:
        raise Refused(_("We have no room for this file at the moment. Please try again later."), 507)
    _keep_within_quota(user_id, size)
    now = clock.now()
    upload = Upload(code=secrets.token_hex(16), user_id=user_id, size=size, created_at=now, seen_at=now)
    db.session.add(upload)
    db.session.flush()  # on a disk that is full there is no row, and then there is no file either
    path_of(upload.code).touch(mode=0o600)
    return upload


def _keep_within_quota(user_id: int, size: int) -> None:
    """Count together what is under way. The person's row is the lock: eight phones of one person count in turn."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    mine = select(func.count(), func.coalesce(func.sum(Upload.size), 0)).where(Upload.user_id == user_id)
    count, total = db.session.execute(mine).one()
    if count >= MOST_OPEN or total + size > QUOTA:
        raise Refused(_("You have other uploads under way. Finish them first, or throw them away."), 409)


def under_way(user_id: int) -> list[Upload]:
    """A person's unfinished uploads, the latest first."""
    return list(db.session.scalars(select(Upload).where(Upload.user_id == user_id).order_by(Upload.id.desc())))


def find(user_id: int, code: str) -> Upload:
    """A person's own unfinished upload."""
    upload = db.session.scalar(select(Upload).where(Upload.code == code, Upload.user_id == user_id))
    if upload is None:
        raise NotFound(_("We do not know this upload any more. Please start again."))
    return upload


def append(user_id: int, code: str, offset: int, part: bytes) -> int:
    """Write the part that begins at byte `offset`, and say how many bytes have arrived; or `OutOfPlaceError`."""
    let_go()  # always the file's lock first, then the database's
    with _locked(user_id, code) as file:
        upload = find(user_id, code)
        upload_id, received, size = upload.id, upload.received, upload.size
        let_go()
        end = offset + len(part)
        if end > size:
            raise Refused(_("This is more than was announced."), 413)
        if offset >= 0 and end <= received:
            return received  # it came already; the answer was lost on the way
        if offset != received:
            raise OutOfPlaceError(received)
        _write(file, part, offset)
    values = {"received": end, "seen_at": clock.now()}
    moved = update(uploads).where(uploads.c.id == upload_id, uploads.c.received == offset).values(values)
    if db.session.connection().execute(moved).rowcount != 1:
        let_go()
        raise OutOfPlaceError(find(user_id, code).received)
    return end


def _write(file: int, part: bytes, offset: int) -> None:
    """All of it, or an error: on a disk that is nearly full the system writes what fits, and only then says no."""
    left = memoryview(part)
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written


def complete(user_id: int, code: str) -> None:
    """Close an upload whose bytes have all arrived: its row goes, its file stays."""
    let_go()
    with _locked(user_id, code):
        upload = find(user_id, code)
        if upload.received != upload.size:
            raise OutOfPlaceError(upload.received)
        db.session.execute(delete(Upload).where(Upload.id == upload.id, Upload.received == Upload.size))


def throw_away(user_id: int, code: str) -> None:
    """Forget an unfinished upload and what had arrived of it."""
    upload = find(user_id, code)
    db.session.delete(upload)
    path_of(code).unlink(missing_ok=True)


def sweep() -> None:
    """Throw away uploads that nobody has touched for a day, with what had arrived of them."""
    old = clock.now() - KEPT
    for upload in db.session.scalars(select(Upload).where(Upload.seen_at < old)):
        db.session.delete(upload)
        path_of(upload.code).unlink(missing_ok=True)


@contextmanager
def _locked(user_id: int, code: str) -> Iterator[int]:
    """The file of this upload, open and for us alone; nobody else's can be asked for."""
    find(user_id, code)
    let_go()
    try:
        file = os.open(path_of(code), os.O_WRONLY)
    except FileNotFoundError as error:
        raise NotFound(_("We do not know this upload any more. Please start again.")) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
