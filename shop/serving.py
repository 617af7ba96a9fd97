"""Opening and closing: `python app.py` runs the web server and the job worker, and sees that nobody stays behind.

The two are children in sessions of their own, so that a Ctrl-C typed in a terminal reaches only us; we pass it on as
SIGTERM, which they know how to take. Each child holds one end of a pipe. Should we be killed without a chance to pass
anything on, the pipe breaks, and the child goes too.

On Linux they are forked off: the shop is loaded once, and opens in half the time. Elsewhere a fork without an exec is
not safe, and each loads it anew.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import flask_migrate
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server as Granian

from shop import edge, jobs, lan
from shop.database import db
from shop.settings import ROOT, Settings

OPENS_WITHIN = 60.0  # seconds for the first answer
IN_A_HURRY = 1.5  # seconds that they get after a Ctrl-C; whoever typed it is waiting
IN_ORDER = 8.0  # seconds that they get after SIGTERM, to finish what is in their hands
REFRESHING = 0.1

Furnish = Callable[[Flask], None]
Parts = dict[str, Callable[[], int]]


class CannotOpenError(Exception):
    """Why the shop stays closed, in words for the operator."""


def main(
    create_app: Callable[[Settings], Flask], config: Settings, part: str = "", *, furnish: Furnish | None = None
) -> int:
    """Open all of the shop, or only its `web` or `jobs` part; gives the exit status."""
    if part == "web":
        return _web(config)
    if part == "jobs":
        return _jobs(create_app(config))
    _see_that_the_port_is_free(config)
    _prepare(create_app(config), furnish)
    parts: Parts = {"web": lambda: _web(config), "jobs": lambda: _jobs(create_app(config))}
    status = _Household(config, parts).live()
    sys.stdout.flush()
    os._exit(status)  # nothing is left to tidy up, and taking all modules apart takes longer than closing did


def _see_that_the_port_is_free(config: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotOpenError(
                    f"Cannot listen at {config.host} port {config.port}: {error.strerror}."
                ) from error
            raise CannotOpenError(
                f"Port {config.port} is in use: perhaps the shop is open already. "
                f"Close that one, or choose another port: make run PORT={config.port + 1}"
            ) from error


def _prepare(app: Flask, furnish: Furnish | None) -> None:
    """Bring the database up to date, and furnish an empty shop."""
    with app.app_context():
        flask_migrate.upgrade()
        if furnish:
            furnish(app)
    with app.app_context():  # the children open their own; what SQLite has open must not go through a fork
        db.engine.dispose()
    jobs.hang_up(app)


# The parent


class _Household:
    """The parent of both: starts them, waits, passes signals on, and leaves last."""

    def __init__(self, config: Settings, parts: Parts) -> None:
        self._config = config
        self._parts = parts
        self._is_closing = False  # no Event: a signal may come amid its wait(), where set() would wait for ever
        self._patience = IN_ORDER
        self._children: list[_Child | subprocess.Popen[bytes]] = []

    def live(self) -> int:
        """Until a signal closes the shop (0), or one of the two dies (1)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._close)
        try:
            for part in self._parts:
                self._children.append(self._start(part))
            if self._is_open():
                lan.welcome(self._config)
            while not self._is_closing and self._all_alive():
                time.sleep(REFRESHING)
            return 0 if self._is_closing else 1
        finally:
            self._see_them_out()

    def _close(self, number: int, _frame: object) -> None:
        if self._is_closing:
            self._patience = 0  # a second Ctrl-C: at once
        elif number == signal.SIGINT:
            self._patience = IN_A_HURRY
        self._is_closing = True

    def _all_alive(self) -> bool:
        return all(child.poll() is None for child in self._children)

    def _is_open(self) -> bool:
        """Wait for the web server's first answer; no answer when it died or we are asked to close."""
        host = "127.0.0.1" if self._config.host in ("0.0.0.0", "") else self._config.host  # noqa: S104  any of ours
        end = time.monotonic() + OPENS_WITHIN
        while time.monotonic() < end and self._all_alive() and not self._is_closing:
            with suppress(OSError), socket.create_connection((host, self._config.port), 1):
                return True
            time.sleep(REFRESHING / 2)
        return False

    def _see_them_out(self) -> None:
        """Ask, wait, and then no longer ask: nobody of their sessions stays behind."""
        for child in self._children:
            child.terminate()
        began = time.monotonic()
        while any(child.poll() is None for child in self._children) and time.monotonic() - began < self._patience:
            time.sleep(REFRESHING / 5)
        for child in self._children:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)  # the web server's workers too, whatever became of itself
            child.wait()

    def _start(self, part: str) -> _Child | subprocess.Popen[bytes]:
        if sys.platform == "linux":
            return _Child(self._parts[part], [child for child in self._children if isinstance(child, _Child)])
        command = [sys.executable, str(ROOT / "app.py"), part]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)


class _Child:
    """A process that was forked off to do one thing; asked, waited for and ended as a `Popen` is."""

    def __init__(self, work: Callable[[], int], siblings: list[_Child]) -> None:
        self._status: int | None = None
        lifeline, self._held = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for sibling in (self, *siblings):
                os.close(sibling._held)  # a line that a child holds itself would never break
            _be_a_child(work, lifeline)
        os.close(lifeline)

    def poll(self) -> int | None:
        """How it ended, or nothing as long as it lives."""
        return self._asked(os.WNOHANG)

    def wait(self) -> int | None:
        return self._asked(0)

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _asked(self, how: int) -> int | None:
        if self._status is None:
            ended, status = os.waitpid(self.pid, how)
            self._status = os.waitstatus_to_exitcode(status) if ended else None
        return self._status


def _be_a_child(work: Callable[[], int], lifeline: int) -> NoReturn:
    """What `Popen` would have seen to: a session, a standard input and signals of its own, and no way back up."""
    status = 1
    try:
        os.setsid()
        os.dup2(lifeline, 0)
        os.close(lifeline)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        status = work()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


# The children


def hold_the_lifeline(lifeline: int = 0) -> None:
    """End this process, in order, when its parent is gone: then the pipe at its standard input breaks."""

    def watch() -> None:
        while os.read(lifeline, 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(IN_ORDER)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    if os.getpgid(0) == os.getpid():  # started by `_start`; somebody who runs a part by hand has no lifeline
        threading.Thread(target=watch, daemon=True, name="lifeline").start()


def _web(config: Settings) -> int:
    """The web server: it keeps the sockets, its workers run the shop behind `edge`."""
    hold_the_lifeline()
    certificate = lan.certificate(config) if config.tls else (None, None)
    Granian(
        "app:create_app",
        factory=True,
        working_dir=Path(ROOT),
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        blocking_threads=edge.THREADS,  # they wait for slow phones; `edge` lets one at a time into the app
        workers_kill_timeout=5,  # a worker that was still starting misses the signal, and would wait for ever
        websockets=False,
        log_access=False,
        log_level=LogLevels.error,
        ssl_cert=certificate[0],
        ssl_key=certificate[1],
    ).serve()
    return 0


def _jobs(app: Flask) -> int:
    hold_the_lifeline()
    jobs.worker(app).run()
    return 0
