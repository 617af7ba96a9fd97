"""A server whose answer comes a byte at a time: each is in time, and all of them never are."""

from contextlib import contextmanager, suppress
from threading import Event


class _Drip:
    def __init__(self, line):
        self._line = line

    def write(self, told):
        for place in range(len(told)):
            self._line.write(told[place : place + 1])
            Event().wait(0.01)  # half a second for the shortest answer

    def __getattr__(self, name):
        return getattr(self._line, name)


@contextmanager
def dripping(handler):
    """`begin(part)`: from here on the answer of this handler drips, if its server `drips` in this "head" or "body"."""

    def begin(part):
        if handler.server.drips == part:
            handler.wfile = _Drip(handler.wfile)

    with suppress(ConnectionError):  # nobody listens any more
        yield begin
