"""Files of the shop on the local disk, in `instance/media`, named by what is in them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from flask import current_app

NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{2,5}")
PIECE = 256 * 1024  # bytes; what one open answer keeps in memory


class Pieces:
    """A part of a file, read as it is sent. `edge` knows it, and lets no slow phone hold up the others."""

    def __init__(self, path: Path, first: int = 0, length: int | None = None) -> None:
        self._file: BinaryIO = path.open("rb")
        self.size = os.fstat(self._file.fileno()).st_size
        self._left = self.size - first if length is None else length
        self._file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece, never an empty one."""
        piece = self._file.read(min(PIECE, self._left))
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file; WSGI servers ask for it when the answer is sent, or nobody wants it any more."""
        self._file.close()


def store(content: bytes | Path, suffix: str) -> str:
    """Keep these bytes, or the ones of this file, and give back the name that they have from now on.

    The same bytes get the same name, so storing twice keeps one file, and a name may be cached for ever.
    """
    name = name_for(content, suffix)
    target = path_of(name)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(content, target)
    return name


def name_for(content: bytes | Path, suffix: str) -> str:
    """The name that these bytes have, stored or not."""
    return _digest(content) + suffix


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()[:32]
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _write(content: bytes | Path, target: Path) -> None:
    """Whoever looks sees the whole file or none, also after a power cut."""
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
        try:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    copyfileobj(source, file, PIECE)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, target)
        except BaseException:  # also for who is told to stop in the middle: half a file stays with nobody
            os.unlink(file.name)
            raise


def path_of(name: str) -> Path:
    """Where the file of this name is, or would be; `ValueError` for what is no name of ours."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a stored file")
    return Path(current_app.instance_path) / "media" / name


def size_of(name: str) -> int | None:
    """How many bytes the file has; None when there is no such file, or the name is none of ours."""
    try:
        return path_of(name).stat().st_size
    except (ValueError, OSError):
        return None


def open_range(name: str, first: int = 0, length: int | None = None) -> Pieces:
    """So many bytes of a file from the `first` on; by default all of it."""
    return Pieces(path_of(name), first, length)


def delete(name: str) -> None:
    """Throw this file away; no harm if it is gone already."""
    path_of(name).unlink(missing_ok=True)
