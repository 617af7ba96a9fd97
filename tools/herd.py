"""A plugin of pytest that lets the tests look at mutants, one fork each, after one run of the whole without any.

The shop is built once, and that run shows which tests reach which function. Then for each mutant a process is forked,
which has everything loaded; it gets the shop's folder with its SQLite database as it was when it was new, and runs the
tests that reach the broken function until one fails. First come mutants in which nothing is broken: one that a hundred
tests look at, drawn by chance, and two of each file, which come last too. They have to survive, else what is said of
the others means nothing.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

NOTICED, TOO_SLOW, SURVIVED, UNREACHED = "noticed", "too slow", "survived", "not reached"
KILLED = (NOTICED, TOO_SLOW)
CHANCE = 41  # a draw that anybody can repeat
NUMBER = "__mutmut_"
NOTHING = f"{NUMBER}nothing"  # no mutant has this number, so the function stays as it is


@dataclass(frozen=True)
class Found:
    """How a mutant ended, which test noticed it, and of which state of its file that was said."""

    mutant: str
    end: str
    by: str = ""
    source: str = ""

    def of(self, source: str) -> Found:
        """The same, said of this state of the file."""
        return replace(self, source=source)

    def line(self) -> str:
        """As it is kept in a file."""
        return json.dumps(asdict(self))


class Herd:
    """The mutants, and the tests that look at them; `tell` hears of each how it ended.

    No more tests look at one than take so many seconds (`patience`) where nothing is broken.
    """

    def __init__(self, mutants: list[str], tell: Callable[[Found], None], patience: float) -> None:
        self.mutants, self.tell, self.patience = mutants, tell, patience
        self.shop: Any = None
        self.reached_by: dict[str, list[pytest.Item]] = defaultdict(list)
        self.tests: list[pytest.Item] = []
        self.left_out: list[str] = []  # tests that fail where nothing is broken
        self.took: dict[str, float] = {}
        self.breadth: dict[str, int] = {}  # how many functions a test reaches
        self.killed: Counter[tuple[str, str]] = Counter()
        self.loading: set[str] = set()  # functions that run while the shop is loaded
        self.anew: dict[str, bool] = {}
        set_mutant_under_test("stats")  # from here on functions say that they are reached

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Once the shop is built, keep its folder as it is."""
        built = yield
        if fixturedef.argname == "built":
            self.shop = built
            self._close_the_database()
            shutil.copytree(built.instance_path, self._as_new)
        return built

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        if session.testsfailed:
            pytest.exit("the tests cannot be loaded", 1)
        self.loading = set(state()._stats)
        self._see_who_reaches_what(session)
        set_mutant_under_test("")
        self._close_the_database()
        gc.collect()
        gc.freeze()
        controls = self._controls()
        self._expect_to_survive(controls)
        for mutant in self.mutants:
            self.tell(self._end_of(mutant))
        self._expect_to_survive(controls[1:])
        return True

    def _see_who_reaches_what(self, session: pytest.Session) -> None:
        """The session itself stays set up: the shop is not built again."""
        for item, following in zip(session.items, [*session.items[1:], session.items[0]], strict=True):
            state()._stats.clear()
            before = time.process_time()
            reports = runtestprotocol(item, log=False, nextitem=following)
            self.took[item.nodeid] = time.process_time() - before  # whatever else this computer does
            if any(report.failed for report in reports):
                self.left_out.append(item.nodeid)  # one that reads the source, perhaps
            else:
                self._note(item)

    def _note(self, test: pytest.Item) -> None:
        self.tests.append(test)
        self.breadth[test.nodeid] = len(state()._stats)
        for function in state()._stats:
            self.reached_by[function].append(test)

    def _controls(self) -> list[str]:
        """A hundred tests in another order; and of each file the two functions that the fewest tests reach."""
        self.reached_by[""] = random.Random(CHANCE).sample(self.tests, min(100, len(self.tests)))  # noqa: S311
        few = sorted(self.reached_by, key=lambda function: len(self.reached_by[function]))
        modules = {mutant.rpartition(".")[0] for mutant in self.mutants}
        of = ([name for name in few if name.rpartition(".")[0] == module][:2] for module in sorted(modules))
        return [name + NOTHING for names in ([""], *of) for name in names]

    def _expect_to_survive(self, controls: list[str]) -> None:
        for mutant in controls:
            if (found := self._end_of(mutant)).end != SURVIVED:
                pytest.exit(f"{mutant}: nothing is broken, and yet it is {found.end} by {found.by}", 1)

    def _end_of(self, mutant: str) -> Found:
        function = mutant.partition(NUMBER)[0]
        tests = sorted(self.reached_by[function], key=lambda test: self._promise(function, test))
        spent = accumulate(self.took[test.nodeid] for test in tests)
        tests = [test for test, seconds in zip(tests, spent, strict=True) if seconds <= self.patience]
        found = self._forked(mutant, tests) if tests else Found(mutant, UNREACHED)
        if found.end not in KILLED and function in self.loading and not mutant.endswith(NOTHING):
            return self._loaded_anew(mutant)
        self.killed[function, found.by] += 1
        return found

    def _promise(self, function: str, test: pytest.Item) -> tuple[int, int, float]:
        """First the tests that noticed most of what was broken in this function, then those that reach little else."""
        return -self.killed[function, test.nodeid], self.breadth[test.nodeid], self.took[test.nodeid]

    def _forked(self, mutant: str, tests: list[pytest.Item]) -> Found:
        """In a process of its own, which may take twenty times what it should."""
        if self.shop is not None:
            shutil.rmtree(self.shop.instance_path)
            shutil.copytree(self._as_new, self.shop.instance_path)
        hear, say = os.pipe()
        if not (child := os.fork()):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(60 + int(20 * sum(self.took[test.nodeid] for test in tests)))
            _look(mutant, tests, say)
        os.close(say)
        with os.fdopen(hear) as told:
            by = told.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            return Found(mutant, TOO_SLOW)
        return Found(mutant, SURVIVED if status == 0 else NOTICED, by)

    def _loaded_anew(self, mutant: str) -> Found:
        """What runs while the shop is loaded is broken before that: a new process, and all tests of the selection."""
        if not self._passes_anew(""):
            pytest.exit("the tests fail in a new process where nothing is broken", 1)
        return Found(mutant, SURVIVED) if self._passes_anew(mutant) else Found(mutant, NOTICED, "loading the shop")

    def _passes_anew(self, mutant: str) -> bool:
        if mutant not in self.anew:
            command, env = (
                [sys.executable, "-m", "pytest", "-x", *self.asked],
                {**os.environ, "MUTANT_UNDER_TEST": mutant},
            )
            self.anew[mutant] = subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0
        return self.anew[mutant]

    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep what was asked for, to ask it again."""
        self.asked = config.invocation_params.args

    @property
    def _as_new(self) -> Path:
        return Path(f"{self.shop.instance_path}-as-new")

    def _close_the_database(self) -> None:
        """A connection must not be shared by two processes."""
        from shop.database import db

        with self.shop.app_context():
            db.session.remove()
            for engine in set(self.shop.extensions["shop.engines"].values()):
                engine.dispose()


def _look(mutant: str, tests: list[pytest.Item], say: int) -> None:
    """What the forked process does: say which test fails, and end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    status = 1
    try:
        set_mutant_under_test(mutant)
        tests[0].session._setupstate.teardown_exact(tests[0])
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            if any(report.failed for report in runtestprotocol(test, log=False, nextitem=following)):
                os.write(say, test.nodeid.encode())
                break
        else:
            status = 0
    finally:
        os._exit(status)
