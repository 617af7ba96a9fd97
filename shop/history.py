"""History: what happened to orders, payments and the like, for people to read. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shop import clock
from shop.database import run, run_each
from shop.models import Event

_NOTE = Event.__table__.insert()


def note(
    subject: str,
    subject_id: int,
    was: str,
    became: str,
    text: str = "",
    *,
    by: int | None = None,
    at: datetime | None = None,
) -> None:
    """One line of it; `by` is None for the shop itself, `at` for just now."""
    step = {"subject": subject, "subject_id": subject_id, "was": was, "became": became}
    run(_NOTE, at=at or clock.now(), user_id=by, note=text, **step)


class Step(NamedTuple):
    """What happened to one thing: a line of its history, without more words."""

    subject: str
    subject_id: int
    was: str
    became: str


def note_each(steps: Sequence[Step]) -> None:
    """A line of it for each of these, which the shop itself took at this moment."""
    same = {"at": clock.now(), "user_id": None, "note": ""}
    run_each(_NOTE, [same | step._asdict() for step in steps])
