"""Uploads: announce a file, send it in parts, complete it. Answers are plain words: a script reads them.

POST /uploads                      size=123456           201, Location, Upload-Offset: 0
PUT  /uploads/<code>               Upload-Offset: 0      204, Upload-Offset: 1048576; 409 tells the right offset
GET  /uploads/<code>                                     204, Upload-Offset: where to go on
POST /uploads/<code>/completion                          201, Location: the clip in the studio
POST /uploads/<code>/removal                             303, to the studio
"""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_login import current_user

from shop import media, uploads, videos
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, leave
from shop.i18n import _
from shop.limits import each_address

bp = Blueprint("uploads", __name__)


@bp.errorhandler(Refused)
def refused(error: Refused) -> Response:
    """In plain words; and where to go on, if that is what was wrong."""
    db.session.rollback()
    answer = Response(error.words, error.status, mimetype="text/plain")
    if isinstance(error, uploads.OutOfPlaceError):
        answer.headers["Upload-Offset"] = str(error.received)
    return answer


@bp.post("/uploads")
@each_address("60 per hour")
def create() -> Response:
    """Announce a file of `size` bytes."""
    size = request.form.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16):
        raise Refused(_("Say how large the file is."), 422)
    upload = uploads.begin(current_user.id, int(size), largest=media.LARGEST)
    db.session.commit()
    return _at(0, 201, url_for(".state", code=upload.code))


@bp.get("/uploads/<code>")
def state(code: str) -> Response:
    """How much has arrived."""
    return _at(uploads.find(current_user.id, code).received)


@bp.put("/uploads/<code>")
def part(code: str) -> Response:
    """One part, of at most 1 MiB, at its offset."""
    offset, body = request.headers.get("Upload-Offset", ""), request.get_data(cache=False)
    if not (offset.isascii() and offset.isdigit() and len(offset) < 16) or not body:
        raise Refused(_("Say where this part belongs, in Upload-Offset."), 400)
    if offset == "0":
        _refuse_other_kinds(code, body[:12])
    received = uploads.append(current_user.id, code, int(offset), body)
    db.session.commit()
    return _at(received)


@bp.post("/uploads/<code>/completion")
def complete(code: str) -> Response:
    """All has arrived: it is a clip now."""
    clip = videos.receive(current_user.id, code)
    db.session.commit()
    return _at(None, 201, url_for("clip_desk.show", code=clip))


@bp.post("/uploads/<code>/removal")
def remove(code: str) -> Answer:
    """Throw away what has arrived."""
    uploads.throw_away(current_user.id, code)
    db.session.commit()
    return leave(url_for("studio.index"))


def _refuse_other_kinds(code: str, start: bytes) -> None:
    """What is no video is not kept waiting for its other parts either."""
    try:
        media.refuse_other_kinds(start)
    except Refused:
        if not uploads.find(current_user.id, code).received:
            uploads.throw_away(current_user.id, code)
            db.session.commit()
        raise


def _at(received: int | None, status: int = 204, location: str = "") -> Response:
    answer = Response("", status, mimetype="text/plain")
    if received is not None:
        answer.headers["Upload-Offset"] = str(received)
    if location:
        answer.headers["Location"] = location
    return answer
