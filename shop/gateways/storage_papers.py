"""Sealed papers on the local disk, apart from the media: no address leads here, and what lies here nobody can read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import current_app

NAME = re.compile(r"[\w-]{16,32}\.\d{1,2}")


def store(name: str, sealed: bytes) -> None:
    """Keep these bytes; whoever looks sees all of them or none, also after a power cut."""
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
        try:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, target)
        except BaseException:  # also for who is told to stop in the middle: half a paper stays with nobody
            os.unlink(file.name)
            raise


def read(name: str) -> bytes:
    """The bytes of this name; `FileNotFoundError` where there are none."""
    return path_of(name).read_bytes()


def delete(name: str) -> None:
    """Throw this file away; no harm if it is gone already, or was never finished."""
    (_folder() / Path(name).name).unlink(missing_ok=True)


def every() -> Iterator[tuple[str, float]]:
    """All that lies here, with the moment (in seconds since 1970) at which it was written."""
    folder = _folder()
    for path in folder.iterdir() if folder.is_dir() else ():
        yield path.name, path.stat().st_mtime


def path_of(name: str) -> Path:
    """Where the file of this name is, or would be; `ValueError` for what is no name of ours."""
    if not NAME.fullmatch(name):
        raise ValueError("this is not the name of a paper")
    return _folder() / name


def _folder() -> Path:
    return Path(current_app.config["PAPERS_PATH"])
