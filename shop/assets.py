"""Static files, named by their content and compressed once at their best, so that a browser asks for each only once.

`asset("js/toast-region.js")` gives templates the address. The stylesheets are many small files, one for a block; they
reach the browser as one, `asset("shop.css")`, joined in the order of their names; those in `desk/`, for pages where
people work and nobody buys, as another, `asset("desk.css")`. What is vendored keeps its name: its
version is in the path. Files of an earlier release stay for a while, for pages that are open in a browser.
"""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from wsgiref.headers import Headers

import brotli
from flask import Flask
from whitenoise import WhiteNoise

SOURCE = Path(__file__).parent / "static"
STYLES = {"css": "shop.css", "desk": "desk.css"}  # by the folder of the blocks
TEXTS = frozenset((".css", ".js", ".svg", ".webmanifest", ".json", ".txt"))
KEPT = 30 * 24 * 3600  # seconds that a file of an earlier release stays

_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
_REMARK = re.compile(rb"^[ \t]*//.*\n", re.MULTILINE)
_INDENT = re.compile(rb"\s*\n\s*")  # for us and not for the browser, as are comments
_MENTIONS = {
    ".css": re.compile(rb'(?<=url\(")[^":#]+(?="\))'),
    ".webmanifest": re.compile(rb'(?<="src": ")[^":#]+(?=")'),
}


def init_app(app: Flask, promises: Iterable[tuple[str, str]]) -> None:
    """Build what is not there yet, and serve it with `promises` among its headers."""
    folder = Path(app.instance_path) / "assets"
    names = build(folder)

    @lru_cache
    def asset(name: str) -> str:
        return f"/static/{names[name]}"

    def headers(theirs: Headers, _path: str, _url: str) -> None:
        for name, value in promises:
            theirs[name] = value

    app.jinja_env.globals["asset"] = asset
    app.extensions["shop.asset"] = asset
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=folder,
        prefix="/static/",
        allow_all_origins=False,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=headers,
        mimetypes={".webmanifest": "application/manifest+json"},
    )


def build(folder: Path) -> dict[str, str]:
    """Write every static file into `folder` under its lasting name; gives each file's name there."""
    names: dict[str, str] = {}
    for name, content in _sources(names):
        names[name] = _lasting(name, content)
        if not (folder / names[name]).exists():
            _write(folder, names[name], content)
    _sweep(folder, frozenset(names.values()))
    return names


def _sources(names: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; the ones that mention others come last, when the others have their names."""
    every = sorted(path for path in SOURCE.rglob("*") if path.is_file())
    styles = [path for path in every if path.parent.name in STYLES]
    others = [path for path in every if path not in styles]
    for path in sorted(others, key=lambda path: path.suffix in _MENTIONS):
        name = path.relative_to(SOURCE).as_posix()
        content = _renamed(path.read_bytes(), PurePosixPath(name), names)
        yield name, _REMARK.sub(b"", content) if path.parent.name == "js" else content
    for folder, name in STYLES.items():
        theirs = [path for path in styles if path.parent.name == folder]
        joined = [_renamed(path.read_bytes(), PurePosixPath("css") / path.name, names) for path in theirs]
        yield name, _INDENT.sub(b"\n", _COMMENT.sub(b"", b"\n".join(joined)))


def _renamed(content: bytes, name: PurePosixPath, names: dict[str, str]) -> bytes:
    """The content with the lasting names of the files that it mentions."""
    if name.suffix not in _MENTIONS:
        return content

    def lasting(mention: re.Match[bytes]) -> bytes:
        path = os.path.normpath(name.parent / mention[0].decode())
        return f"/static/{names[path]}".encode()

    return _MENTIONS[name.suffix].sub(lasting, content)


def _lasting(name: str, content: bytes) -> str:
    path = PurePosixPath(name)
    if path.parts[0] == "vendor":
        return name
    return str(path.with_name(f"{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}"))


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write the compressed ones first: where the plain file is, all of them are."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    smaller = _compressed(content) if PurePosixPath(name).suffix in TEXTS else ()
    for suffix, body in (*smaller, ("", content)):
        # Written apart: another worker may just be listing the folder.
        with NamedTemporaryFile(dir=folder.parent, prefix=".asset-", delete=False) as file:
            file.write(body)
        os.replace(file.name, folder / f"{name}{suffix}")


@lru_cache(maxsize=256)
def _compressed(content: bytes) -> tuple[tuple[str, bytes], ...]:
    tried = ((".br", brotli.compress(content, quality=11)), (".gz", gzip.compress(content, 9, mtime=0)))
    return tuple((suffix, smaller) for suffix, smaller in tried if len(smaller) < len(content))


def _sweep(folder: Path, current: frozenset[str]) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix().removesuffix(".br").removesuffix(".gz")
        if path.is_file() and name not in current and path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)
