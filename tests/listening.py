"""At the keyhole: what a room of the shop writes into the log, entry by entry."""

import structlog
from structlog.testing import LogCapture


def listen(monkeypatch, *rooms):
    """`told = listen(monkeypatch, payouts)`: from now on a list of what these write, as dictionaries."""
    ear = LogCapture()
    for room in rooms:
        monkeypatch.setattr(room, "log", structlog.wrap_logger(None, processors=[ear]))
    return ear.entries
