"""Writers that are killed while they write: `python -m tests.faults.writers INSTANCE DATABASE KILLS SEED`.

Two at a time, each killed after a while that chance decides. What a writer was told is written, it acknowledges through
a pipe. Prints the numbers of all that were acknowledged.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

from sqlalchemy import text

from shop import clock
from shop.database import db
from shop.models import Event
from tests.faults import forked


def write_on(app, ready, pipe, start):
    """Say that the database is there; then write one small thing after the other, and say so after each."""
    number = start
    with app.test_request_context(method="POST"):
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
        os.write(ready, b"x")
        while True:
            db.session.add(Event(at=clock.now(), subject="durable", subject_id=number, became="there"))
            db.session.commit()
            os.write(pipe, b"%d\n" % number)
            number += 1


def main(instance, url, kills, seed):
    app = forked.opened(instance, url)
    chance, out = random.Random(seed), os.pipe()
    told, killed, ready = b"", 0, os.pipe()
    for pair in range(int(kills) // 2):
        writers = []
        for half in range(2):
            child = os.fork()
            if child == 0:
                try:
                    write_on(app, ready[1], out[1], (2 * pair + half) * 100_000)
                finally:
                    os._exit(99)
            writers.append(child)
        waiting = len(writers)
        while waiting:
            waiting -= len(os.read(ready[0], waiting))
        for child in writers:
            time.sleep(chance.uniform(0.02, 0.12))
            os.kill(child, signal.SIGKILL)
            killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        os.set_blocking(out[0], False)
        try:
            while part := os.read(out[0], 65536):
                told += part
        except BlockingIOError:
            pass
    print(json.dumps({"killed": killed, "acknowledged": [int(line) for line in told.split()]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
