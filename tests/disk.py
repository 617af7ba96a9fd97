"""What lies on the disk, read by another process.

A process that opens SQLite's own files besides SQLite, and closes them, lets go of all the locks that SQLite has there
(POSIX locks belong to the process). Whoever comes next then takes the log away from under the open connection, which
calls the database malformed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path


def bytes_of(files: Iterable[Path | str]) -> bytes:
    """All of them, one after the other."""
    named = [str(file) for file in files]
    return subprocess.run(["cat", "--", *named], capture_output=True, check=False).stdout if named else b""


def bytes_in(folder: Path | str) -> bytes:
    """Every file in a folder and below it."""
    return bytes_of(file for file in sorted(Path(folder).rglob("*")) if file.is_file())


def copied(folder: Path | str, to: Path) -> None:
    """A folder with all that is in it."""
    subprocess.run(["cp", "-r", "--", str(folder), str(to)], check=True)
