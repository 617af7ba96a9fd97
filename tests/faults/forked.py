"""Processes that are forked from one which has read the shop's code already: a crowd, and those who die.

For scripts that tests run (`python -m tests.faults.deaths ...`), never inside the test's own process: it has threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask

from app import create_app
from shop import settings


def opened(instance: str, url: str, **environ: str) -> Flask:
    """The shop, without a connection to its database yet: each child makes its own."""
    app = create_app(settings.read({"INSTANCE_PATH": instance, "DATABASE_URL": url, **environ}))
    app.extensions["shop.ring"] = lambda **_how: None
    app.config.update(TESTING=True)
    return app


def dies(work: Callable[[], None], after: float | None = None) -> int:
    """Run `work` in a child, which is killed after so many seconds (None: it does that itself); gives its signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(99)
    if after is not None:
        time.sleep(after)
        os.kill(child, 9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def crowd(people: int, work: Callable[[int], Any]) -> list[Any]:
    """Let so many children work at once, all from the same moment on; gives what each of them tells."""
    starts, start = os.pipe()
    outs = []
    for number in range(people):
        out, into = os.pipe()
        if os.fork() == 0:
            try:
                os.close(start)
                os.read(starts, 1)  # ends when the last one who could write is gone
                with os.fdopen(into, "w") as pipe:
                    json.dump(work(number), pipe)
            finally:
                os._exit(0)
        os.close(into)
        outs.append(out)
    os.close(start)
    return [json.load(os.fdopen(out)) for out in outs]


def run(module: str, app: Flask, *arguments: Any, timeout: float = 900) -> Any:
    """From a test: run such a script on the shop of this test, and give what it printed last, read as JSON."""
    place: Sequence[str] = (app.instance_path, app.config["SQLALCHEMY_DATABASE_URI"])
    command = [sys.executable, "-m", f"tests.faults.{module}", *place, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])
