"""Servers as they are on a bad day: nobody listens, nobody answers, the answer is an error, or it takes ten seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.shops import free_port

MANNERS = ("refused", "hang", "500", "slow")
SLOW = 10  # seconds
# Something that no protocol takes for a yes: HTTP's 500, SMTP's 500 and an error of Valkey all at once.
NO = b"500 Internal error\r\n-ERR internal error\r\n"
HTTP_NO = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def _serve(listening: socket.socket, manner: str, says: bytes, open_lines: list[socket.socket]) -> None:
    while True:
        try:
            line, _whose = listening.accept()
        except OSError:
            return
        open_lines.append(line)
        if manner != "hang":
            threading.Thread(target=_answer, args=(line, manner, says), daemon=True).start()


def _answer(line: socket.socket, manner: str, says: bytes) -> None:
    try:
        if says is HTTP_NO:
            line.recv(65536)  # there one asks first
        if manner == "slow":
            time.sleep(SLOW)
        line.sendall(says)
        line.close()
    except OSError:
        pass


@contextmanager
def bad_server(manner: str, says: bytes = NO) -> Iterator[int]:
    """The port of a server with these manners."""
    if manner == "refused":
        yield free_port()
        return
    listening = socket.create_server(("127.0.0.1", 0), backlog=200)
    lines: list[socket.socket] = []
    threading.Thread(target=_serve, args=(listening, manner, says, lines), daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        for line in lines:
            line.close()
