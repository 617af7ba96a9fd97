"""A shop in processes of its own, as `python app.py` opens it, for tests of the weather."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

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
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Nothing of the developer's own settings reaches the shop under test."""
    plain = {name: value for name, value in os.environ.items() if name not in ("LAN", "TLS", "HOST", "BASE_URL")}
    given = {"INSTANCE_PATH": str(folder), "PORT": str(port), "DATABASE_URL": "", "DEMO": "0"}
    return {**plain, **given, "PYTHONUNBUFFERED": "1", **more}


def answers(address: str, within: float = OPENS_WITHIN) -> int:
    """Wait until somebody answers there, and give the status."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return int(answer.status)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(f"nobody answers at {address} within {within} s")


@contextmanager
def opened(folder: Path, **environ: str) -> Iterator[Shop]:
    """Open a shop with its things in `folder`, and see that nothing of it is left at the end."""
    port = free_port()
    log = folder / "shop.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment(folder, port, **environ), stdout=out, stderr=out
        )
    shop = Shop(process, port, log)
    family: list[psutil.Process] = []
    try:
        answers(f"{shop.address}/readyz")
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
