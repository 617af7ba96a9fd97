"""In time: an answer that is not here by then, to its last byte, is none.

The time-out of a line holds for each piece that comes, so who sends a byte every nine seconds is listened to for ever.
Here each piece gets only what is left, in the head of the answer as in its body.
"""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener


class _Ear(RawIOBase):
    """What is heard on a line, until the time that it began with is over."""

    def __init__(self, heard: RawIOBase, line: socket.socket) -> None:
        self._heard, self._line = heard, line
        left = line.gettimeout()
        self._until = None if left is None else monotonic() + left

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int | None:
        if self._until is not None:
            if (left := self._until - monotonic()) <= 0:
                raise TimeoutError
            self._line.settimeout(left)
        return self._heard.readinto(room)

    def close(self) -> None:
        self._heard.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer that begins when it was asked for, and ends in time."""

    def __init__(self, line: socket.socket, *given: Any, **more: Any) -> None:
        super().__init__(line, *given, **more)
        self.fp = BufferedReader(_Ear(self.fp.detach(), line))


class _Line(HTTPConnection):
    response_class = _Answer


class _SafeLine(HTTPSConnection):
    response_class = _Answer


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Line, req)


class _Safe(HTTPSHandler):
    def __init__(self, shown: ssl.SSLContext | None) -> None:
        super().__init__(context=shown)
        self._shown = shown

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SafeLine, req, context=self._shown)


class _NoDetours(HTTPRedirectHandler):
    """Whoever sends us on might send us to a neighbour of ours; and names and accounts go to nobody else."""

    def redirect_request(self, *_given: object, **_more: object) -> None:
        """Nowhere."""


def opener(shown: ssl.SSLContext | None = None) -> OpenerDirector:
    """Ask with this; `timeout` is then for the whole answer, once we are through to them. It goes nowhere else."""
    return build_opener(_NoDetours, _Plain, _Safe(shown))
