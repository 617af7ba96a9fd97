"""Promise 11: what was said to be written is written, whoever is killed the moment after."""

import pytest
from sqlalchemy import select, text

from shop.database import db
from shop.models import Event
from tests.faults import forked


def killed(app, kills):
    """How many were killed, how much they had acknowledged, how much of it is missing, and is the database whole?"""
    told = forked.run("writers", app, kills, 11)
    with app.app_context():
        there = set(db.session.scalars(select(Event.subject_id).where(Event.subject == "durable")))
        is_whole = True
        if app.extensions["shop.engines"]["write"].dialect.name == "sqlite":
            is_whole = db.session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            is_whole = is_whole and not db.session.execute(text("PRAGMA foreign_key_check")).all()
    return told["killed"], len(told["acknowledged"]), len(set(told["acknowledged"]) - there), is_whole


@pytest.mark.faults
def test_writers_that_are_killed_lose_nothing_that_they_acknowledged(app):
    kills, acknowledged, missing, is_whole = killed(app, 10)
    assert acknowledged > 10
    assert (kills, missing, is_whole) == (10, 0, True)


@pytest.mark.slow
def test_two_hundred_killed_writers(app, promise):
    kills, acknowledged, missing, is_whole = killed(app, 200)
    name = app.extensions["shop.engines"]["write"].dialect.name
    figure = f"{kills} killed, {acknowledged} acknowledged, {missing} missing, {'whole' if is_whole else 'BROKEN'}"
    kept = (kills, missing, is_whole) == (200, 0, True) and acknowledged > 200
    promise("11", f"two writers at a time are killed, {name}", figure, "200, all there, whole", kept)
