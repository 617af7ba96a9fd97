"""Clips, pictures and captions, by names that say what is in them: a browser that has one never asks again."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from werkzeug.http import is_resource_modified

from shop.gateways import storage_disk

bp = Blueprint("media", __name__)

TYPES = {
    ".mp4": "video/mp4",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".vtt": "text/vtt; charset=utf-8",
}
HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "public, max-age=31536000, immutable",
    # Should a file be opened as a page of its own, it may do nothing at all.
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
}


@bp.get("/media/<name>")
def show(name: str) -> Response:
    """The file, or the part that is asked for (RFC 9110, 13 and 14); players ask for it in parts."""
    kind, size = TYPES.get(name[name.rfind(".") :]), storage_disk.size_of(name)
    if kind is None or size is None:
        abort(404)
    answer = Response(headers=HEADERS, content_type=kind, direct_passthrough=True)
    answer.set_etag(name.partition(".")[0])
    if not is_resource_modified(request.environ, etag=answer.headers["ETag"]):
        answer.status_code = 304
        return answer
    return _filled(answer, name, size)


def _filled(answer: Response, name: str, size: int) -> Response:
    first, end = _asked(answer.headers["ETag"], size)
    if first >= end and size:
        answer.status_code = 416
        answer.headers["Content-Range"] = f"bytes */{size}"
        return answer
    if end - first < size or _wants_part(answer.headers["ETag"]):
        answer.status_code = 206
        answer.headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    answer.content_length = end - first
    if request.method != "HEAD":
        answer.response = storage_disk.open_range(name, first, end - first)
    return answer


def _wants_part(etag: str) -> bool:
    """One part of this very file? More parts at once, or of an older file, are answered with the whole."""
    asked, only_if = request.range, request.if_range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return False
    return only_if is None or (only_if.date is None and only_if.etag in (None, etag.strip('"')))


def _asked(etag: str, size: int) -> tuple[int, int]:
    """From the first byte to before the end; an empty piece when nothing of that is in the file."""
    if not _wants_part(etag) or request.range is None:
        return 0, size
    first, end = request.range.ranges[0]
    return (max(size + first, 0), size) if first < 0 else (first, min(size if end is None else end, size))
