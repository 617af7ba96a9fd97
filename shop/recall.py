"""Recall: a guest is answered as before, for as long as nothing is written in the shop."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, request, session

from shop import clock, written
from shop.front import Answered
from shop.hypermedia import Answer, Made, answer_of, is_long, wants_fragment
from shop.written import Memory

ROOM = 32 * 1024 * 1024  # bytes of answers that each process recalls
OWN = 2_000  # bytes of a question; what became of an answer when it was compressed is less than the answer
RECALLED = 2_000  # questions whose answer each process recalls; most of them share it with others

Show = TypeVar("Show", bound=Callable[..., Answer])


def recalled(show: Show) -> Show:
    """Answer a guest as before, where the same was asked within this minute and nothing was written in the shop since.

    For a handler that ends in `whole`. One look at the database's version stands for all that it would ask, so this is
    never an old answer, but for what time alone changes. Whoever is signed in is always looked up.
    """

    @wraps(show)
    def answer(**given: Any) -> Answer:
        version = "" if "_user_id" in session or is_long(request.environ) else written.version()
        if not version:
            return show(**given)
        memory: Memory[Made] = current_app.extensions["shop.recalled"]
        question, moment = _question(), (version, int(clock.now().timestamp() // 60))
        if (made := memory.recall(question, moment)) is not None:
            return answer_of(made)
        response = show(**given)
        if isinstance(response, Answered) and response.packed is not None and response.status_code == 200:
            body = response.get_data()
            memory.keep(question, moment, Made(body, response.made, response.packed), 2 * len(body) + OWN)
        return response

    answer.is_recalled = True  # type: ignore[attr-defined]  # a test looks at who they are
    return cast(Show, answer)


def _question() -> tuple[Any, ...]:
    """All of a request that such a handler may look at."""
    asked = request._get_current_object()  # type: ignore[attr-defined]
    environ = asked.environ
    address = (asked.scheme, asked.host, asked.root_path, environ.get("PATH_INFO"), environ.get("QUERY_STRING"))
    return (*address, wants_fragment(), *[environ.get(header) for header in _LOOKED_AT])


_LOOKED_AT = ("HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE", "HTTP_SAVE_DATA", "REQUEST_METHOD")


def init_app(app: Flask) -> None:
    """Give the app its memory."""
    app.extensions["shop.recalled"] = Memory(RECALLED, ROOM)
