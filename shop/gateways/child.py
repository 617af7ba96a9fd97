"""A child on a short lead: how we run a program on a file that a stranger sent.

A hostile file may kill the child, never us. The child inherits one open file and nothing else: no environment, no
network where the kernel can cut it off, an empty directory to write in, and it dies with whoever started it.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

LEAD = Path(__file__).with_name("child_on_a_lead.py")
MIB = 1024 * 1024
MOST_WORDS = MIB  # more than this is not an answer
OUT_OF_TIME = (-signal.SIGXCPU, -signal.SIGKILL, 255)  # ffmpeg hears SIGXCPU and leaves with 255


class ChildFailedError(Exception):
    """The child broke off. `told` is its last words; `late` says that its time was over, as far as one can know."""

    def __init__(self, told: str, *, late: bool = False) -> None:
        super().__init__(told[-300:])
        self.told = told
        self.late = late


@dataclass(frozen=True, slots=True)
class Lead:
    """How much a child may take: CPU and wall clock in seconds, memory and each file that it writes in bytes.

    `nice` is how far it steps back for others: far for work that nobody waits for.
    """

    cpu: int
    wall: float
    memory: int = 3 * 1024 * MIB
    largest_file: int = 64 * MIB
    nice: int = 10


def run(
    command: Sequence[str],
    *,
    lead: Lead,
    file: IO[bytes],
    where: Path,
    watch: Callable[[str], None] | None = None,
) -> str:
    """Run `command` in the directory `where`, and give what it printed; `{fd}` in it becomes the number of `file`.

    `watch` is called about twice a second with the lines that came since; it may raise, which stops the child.
    Raises `ChildFailedError` when the child fails or takes too much, and `OSError` when the disk is full.
    """
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child shares our place in the file, and we have read ahead
    numbers = (os.getpid(), lead.cpu, lead.memory, lead.largest_file, lead.nice)
    with (where / "told").open("w+b") as told:  # a pipe that nobody reads would block the child
        child = subprocess.Popen(  # noqa: S603  an argument list, no shell
            [sys.executable, "-I", "-S", str(LEAD), *map(str, numbers)]
            + [word.replace("{fd}", str(file.fileno())) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
            pass_fds=[file.fileno()],
            cwd=where,
            env={},
            start_new_session=True,
        )
        try:
            said = _listen(
                child, cast(IO[bytes], child.stdout), time.monotonic() + lead.wall, watch or (lambda _lines: None)
            )
        finally:
            _end(child)
        told.seek(max(told.tell() - 4000, 0))
        last_words = told.read().decode("utf8", "replace")
    if child.returncode != 0:
        if shutil.disk_usage(where).free < MIB:
            raise OSError(errno.ENOSPC, "the child had no room left to write in")  # which is not the file's fault
        raise ChildFailedError(last_words, late=child.returncode in OUT_OF_TIME)
    return said


def _listen(child: subprocess.Popen[bytes], mouth: IO[bytes], until: float, watch: Callable[[str], None]) -> str:
    """Read what it prints until it closes its mouth and ends."""
    said = b""
    told = 0.0
    while time.monotonic() < until and len(said) < MOST_WORDS:
        if select.select([mouth], [], [], 0.5)[0]:
            piece = os.read(mouth.fileno(), 65536)
            if not piece:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(max(until - time.monotonic(), 0.1))
                return said.decode("utf8", "replace")
            said += piece
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            watch(said[-2000:].decode("utf8", "replace"))
    raise ChildFailedError("its time was over", late=True)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Whatever happened, nobody of its family is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout:
        child.stdout.close()
