"""Who writes by constant statements alone needs no session; whoever asks for it finds the same transaction there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import g
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from shop.database import db, first, is_holding, let_go, rows, run
from shop.models import Category, Variant
from shop.words import Words

variants, categories = Variant.__table__, Category.__table__
_STOCK = select(variants.c.stock).where(variants.c.code == "mug-s")
_LESS = variants.update().where(variants.c.code == "mug-s").values(stock=variants.c.stock - 1)
_ALL_BUT_ONE = variants.update().values(code="mug-s")
_NAMES = select(categories.c.slug)


@pytest.fixture
def small(at_the_desk, mug):
    """How many small mugs there are, as the next who asks sees it; the statements are known."""
    run(_LESS)
    db.session.rollback()
    return lambda: (let_go(), first(_STOCK).stock)[1]


def test_on_sqlite_a_write_and_its_end_make_no_session(small):
    db.session.remove()
    assert run(_LESS) == 1
    assert is_holding()
    db.session.commit()
    assert not is_holding()
    assert ("session" in g) is (db.engine.dialect.name != "sqlite")
    assert small() == 2


def test_what_was_written_without_the_session_ends_with_it(small):
    run(_LESS)
    db.session.add(Category(slug="new", name=Words(en="New")))
    db.session.rollback()
    assert (small(), [row.slug for row in rows(_NAMES)]) == (3, ["kind-mug"])
    run(_LESS)
    db.session.add(Category(slug="new", name=Words(en="New")))
    assert db.session.scalar(text("SELECT stock FROM variants WHERE code = 'mug-s'")) == 2  # it sees it, too
    db.session.commit()
    assert (small(), [row.slug for row in rows(_NAMES)]) == (2, ["kind-mug", "new"])


def test_something_new_that_was_not_asked_for_yet_is_committed_with_what_was_written_before(small):
    run(_LESS)
    new = Category(slug="new", name=Words(en="New"))
    db.session.add(new)
    db.session.expunge(new)  # the session has begun, and has nothing to write
    db.session.commit()
    assert not is_holding()
    assert small() == 2


def test_a_savepoint_takes_back_what_was_written_in_it_alone(small):
    run(_LESS)
    inner = db.session.begin_nested()
    run(_LESS)
    inner.rollback()
    run(_LESS)
    db.session.commit()
    assert small() == 1


def test_a_refusal_of_the_database_is_said_as_ever_and_what_came_before_can_be_undone(small):
    run(_LESS)
    with pytest.raises(IntegrityError):
        run(_ALL_BUT_ONE)
    db.session.rollback()
    assert small() == 3


def test_who_lets_go_keeps_nothing_and_what_one_knows_of_rows_is_looked_up_again(small):
    mug = db.session.scalar(select(Variant).where(Variant.code == "mug-s"))
    db.session.commit()
    run(_LESS)
    let_go()
    assert (is_holding(), small()) == (False, 3)
    run(_LESS)
    db.session.commit()
    run(_LESS)
    let_go()
    assert mug.stock == 2


def test_what_a_request_leaves_open_is_undone(app, mug):
    with app.test_request_context(method="POST"):
        run(_LESS)
    with app.test_request_context(method="POST"):
        assert first(_STOCK).stock == 3


def test_a_moment_is_written_as_sqlalchemy_writes_it(small):
    kind = Category.__table__.metadata.tables["jobs"].c.run_at.type
    dialect = db.engine.dialect
    write = kind.bind_processor(dialect)
    plain = kind.impl_instance.dialect_impl(dialect).bind_processor(dialect) or (lambda moment: moment)
    for moment in (datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(987, 1, 1, tzinfo=UTC)):
        assert write(moment) == plain(moment)
    assert write(None) is None
    with pytest.raises(ValueError, match="time zone"):
        write(datetime(2030, 1, 1))  # noqa: DTZ001
