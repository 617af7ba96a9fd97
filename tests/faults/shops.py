"""A shop in processes of its own, as `python app.py` opens it, for tests of the weather."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from flask import Flask
from sqlalchemy import update

from shop import clock
from shop.database import db
from shop.models import Job

ROOT = Path(__file__).resolve().parent.parent.parent
OPENS_WITHIN = 120  # seconds; on a computer that is busy with other tests


@dataclass
class Shop:
    """An open shop: its parent process, where it listens, and what it wrote."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def family(self) -> list[psutil.Process]:
        """The parent, the web server and its workers, the job worker."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def memory(self) -> float:
        """What all of them hold together, in MB; pages that they share count once."""
        return sum(one.memory_full_info().pss for one in self.family()) / 1e6


def free_port() -> int:
    """A port that nobody listens on just now, and that the system gives to nobody who only calls out."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Nothing of the developer's own settings reaches the shop under test."""
    plain = {name: value for name, value in os.environ.items() if name not in ("LAN", "TLS", "HOST", "BASE_URL")}
    given = {"INSTANCE_PATH": str(folder), "PORT": str(port), "DATABASE_URL": "", "DEMO": "0"}
    return {**plain, **given, "PYTHONUNBUFFERED": "1", **more}


def until(what: Callable[[], object], within: float = 60) -> None:
    """Look again and again until it is true. Only for what another process does, which tells nobody that it is done."""
    end = time.monotonic() + within
    while not what():
        assert time.monotonic() < end, f"{what.__qualname__} did not come true within {within} s"
        time.sleep(0.02)


def let_leases_run_out(app: Flask) -> None:
    """What a worker had in its hands when it died may be taken by the next one, as after a minute in life."""
    past = clock.now() - timedelta(seconds=1)
    with app.test_request_context(method="POST"):
        db.session.execute(update(Job).where(Job.leased_until.is_not(None)).values(leased_until=past))
        db.session.commit()


def has_ended(one: psutil.Process) -> bool:
    """Who has ended, but was not buried yet by the system, has ended."""
    try:
        return bool(one.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def answers(address: str, pid: int, within: float = OPENS_WITHIN) -> int:
    """Wait until the shop with this process answers there, and give the status."""
    told: list[int] = []

    def is_there() -> bool:
        assert not has_ended(psutil.Process(pid)), "the shop ended before it was open"
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5) as answer:
            told.append(int(answer.status))
        return bool(told)

    until(is_there, within)
    return told[0]


@contextmanager
def opened(folder: Path, command: Sequence[str] = ("app.py",), **environ: str) -> Iterator[Shop]:
    """Open a shop with its things in `folder`, and see that nothing of it is left at the end."""
    port = free_port()
    log = folder / "shop.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment(folder, port, **environ), stdout=out, stderr=out
        )
    shop = Shop(process, port, log)
    family: list[psutil.Process] = []
    try:
        answers(f"{shop.address}/readyz", process.pid)
        family = shop.family()
        yield shop
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        for one in psutil.wait_procs(family, timeout=2)[1]:
            one.kill()
