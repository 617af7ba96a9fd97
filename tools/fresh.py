"""`make fresh`: does it work for somebody who has just cloned it, with nothing installed, as root and as anybody?

A clone in a temporary folder, an environment of nothing but PATH and HOME: `make run` until the feed is there, a Ctrl-C
typed in a terminal, and a second start. `--test` runs `make test` as well (ten minutes each). What is printed: one line
for each promise, PASS or FAIL, its figure and its bar. As root it does it twice, the second time as nobody in
particular (uid 65534).
"""

from __future__ import annotations

import argparse
import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

HERE = Path(__file__).resolve().parent.parent
NOBODY = 65534
FIRST_WITHIN, SECOND_WITHIN, GONE_WITHIN, TEST_WITHIN = 900.0, 5.0, 3.0, 600.0  # seconds; the bars
PATIENCE = 1800.0  # seconds, before it is given up


class Visitor:
    """Somebody with a clone of their own."""

    def __init__(self, name: str, user: int, where: Path) -> None:
        self.name, self.user, self.where = name, user, where
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(where / "home"), "LANG": "C.UTF-8"}
        self.failed = 0

    def clone(self, source: Path) -> None:
        """What is committed, and nothing else."""
        (self.where / "home").mkdir()
        plain = [
            "git",
            "-c",
            "safe.directory=*",
            "clone",
            "-q",
            "--no-hardlinks",
            str(source),
            str(self.where / "shop"),
        ]
        subprocess.run(plain, check=True)
        for path in (self.where, *self.where.rglob("*")):
            os.chown(path, self.user, self.user, follow_symlinks=False)

    def become(self) -> None:
        """In a child, before it runs anything."""
        if os.getuid() == 0 and self.user:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)

    def tell(self, words: str, figure: str, bar: str, kept: bool) -> bool:
        """One line, as `make faults` prints them."""
        self.failed += not kept
        print(f"{'PASS' if kept else 'FAIL'} {self.name}: {words}: {figure} ({bar})", flush=True)
        return kept


class Terminal:
    """`make run` in a terminal of its own."""

    def __init__(self, who: Visitor, port: int) -> None:
        self.began, self.address, self.said = time.monotonic(), f"http://localhost:{port}/", bytearray()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            who.become()
            os.chdir(who.where / "shop")
            os.execvpe("make", ["make", "run", f"PORT={port}"], who.environment)  # noqa: S606, S607
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while piece := os.read(self._terminal, 65536):
                self.said += piece

    def is_over(self) -> bool:
        """Has it ended by itself?"""
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0

    def opens(self) -> float | None:
        """Seconds until the feed is there; None if it will not be."""
        while time.monotonic() - self.began < PATIENCE:
            with suppress(OSError), urllib.request.urlopen(self.address, timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return time.monotonic() - self.began
            if self.is_over():
                return None
            time.sleep(0.05)
        return None

    def closes(self) -> float:
        """Type Ctrl-C; seconds until the port is free and the command has ended."""
        began = time.monotonic()
        os.write(self._terminal, b"\x03")
        while time.monotonic() - began < 60 and not self.is_over():
            time.sleep(0.02)
        took = time.monotonic() - began
        os.close(self._terminal)
        return took


@contextmanager
def visitor(name: str, user: int) -> Iterator[Visitor]:
    """With a folder that goes again."""
    where = Path(tempfile.mkdtemp(prefix="fresh-"))
    try:
        yield Visitor(name, user, where)
    finally:
        shutil.rmtree(where, ignore_errors=True)


def a_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(who: Visitor, words: str, within: float) -> bool:
    """Open it and close it again."""
    terminal = Terminal(who, a_port())
    took = terminal.opens()
    if took is None:
        print(terminal.said.decode(errors="replace")[-3000:])
        return who.tell(words, "it did not open", f"<= {within:g} s", False)
    opened = who.tell(words, f"the feed after {took:.1f} s", f"<= {within:g} s", took <= within)
    gone = terminal.closes()
    return who.tell(f"{words}, Ctrl-C", f"{gone:.1f} s", f"<= {GONE_WITHIN:g} s", gone <= GONE_WITHIN) and opened


def test(who: Visitor) -> None:
    """`make test`, with all that it brings along."""
    began, log = time.monotonic(), who.where / "test.log"
    with log.open("wb") as out:
        ran = subprocess.run(
            ["make", "test"],  # noqa: S607
            cwd=who.where / "shop",
            env=who.environment,
            stdout=out,
            stderr=out,
            preexec_fn=who.become,
            check=False,
        )
    took = time.monotonic() - began
    print(log.read_text(errors="replace")[-600:])
    who.tell(
        "make test",
        f"status {ran.returncode} after {took:.0f} s",
        f"0, <= {TEST_WITHIN:g} s",
        not ran.returncode and took <= TEST_WITHIN,
    )


def main() -> int:
    """Exit status 1 when something is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true", help="make test as well")
    parser.add_argument("--source", type=Path, default=HERE, help="what to clone")
    asked = parser.parse_args()
    is_root, failed = os.getuid() == 0, 0
    for name, user in [("root", 0), ("an ordinary user", NOBODY)] if is_root else [("an ordinary user", os.getuid())]:
        with visitor(name, user) as who:
            who.clone(asked.source)
            if start(who, "first make run", FIRST_WITHIN):
                start(who, "second make run", SECOND_WITHIN)
            if asked.test:
                test(who)
            failed += who.failed
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
