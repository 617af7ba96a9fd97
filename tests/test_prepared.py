"""A statement that is known goes straight to the driver, and finds and refuses what SQLAlchemy would."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import pytest
from sqlalchemy import DateTime, bindparam, event, func, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from shop import prepared
from shop.database import connection, db, first, insert, rows, run, same_rows
from shop.models import Category, Job, Moment, Product, Variant
from shop.words import Words

variants, products, categories = Variant.__table__, Product.__table__, Category.__table__
_NAMED = (
    select(variants.c.code, variants.c.name, products.c.created_at, literal("x").label("sign"))
    .join(products, products.c.id == variants.c.product_id)
    .where(variants.c.code == bindparam("code"), products.c.created_at < bindparam("now"))
)
_USUAL = select(variants.c.code).where(variants.c.stock >= bindparam("least", 2)).order_by(variants.c.code)
_JOINED = select(func.aggregate_strings(variants.c.code, ",").label("codes")).where(
    variants.c.stock > bindparam("least")
)
_LESS = update(variants).where(variants.c.code == bindparam("which"), variants.c.stock >= bindparam("n"))
_TAKE = _LESS.values(stock=variants.c.stock - bindparam("n"))
_TAKE_AND_TELL = _TAKE.returning(variants.c.stock, variants.c.name)
_OF_SOME = select(variants.c.code).where(variants.c.code.in_(bindparam("codes", expanding=True)))
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def knows(statement):
    return prepared.known(statement, db.engine) is not None


def test_the_rows_are_sqlalchemys_in_every_way(at_the_desk, mug):
    values = {"code": "mug-s", "now": NOW}
    (theirs,) = connection().execute(_NAMED, values).all()
    rows(_NAMED, **values)
    assert knows(_NAMED)
    (ours,) = rows(_NAMED, **values)
    assert type(ours) is type(theirs)
    assert (ours, hash(ours), ours._mapping, ours._fields) == (theirs, hash(theirs), theirs._mapping, theirs._fields)
    assert isinstance(ours.name, Words)
    assert ours.created_at.tzinfo is UTC
    assert ours._mapping[variants.c.code] == "mug-s"
    assert rows(_NAMED, code="mug-x", now=NOW) == []
    assert first(_NAMED, code="mug-x", now=NOW) is None


_LEFT = (
    select(variants.c.code, variants.c.stock, products.c.created_at)
    .join(products)
    .where(variants.c.code == bindparam("code"))
)


def test_the_same_rows_are_the_same_object_until_one_of_them_changes(at_the_desk, mug):
    asked = same_rows(_LEFT, code="mug-s")
    first = same_rows(_LEFT, code="mug-s")
    assert knows(_LEFT)
    assert same_rows(_LEFT, code="mug-s") is first
    assert list(first.rows) == list(asked.rows) == rows(_LEFT, code="mug-s")
    assert [row.stock for row in first.rows] == [3]
    run(_TAKE, which="mug-s", n=1)
    other = same_rows(_LEFT, code="mug-s")
    assert (other is first, [row.stock for row in other.rows]) == (False, [2])
    assert same_rows(_LEFT, code="mug-l") is not other


_ODD = select(variants.c.code).where(variants.c.sku != 'no ? "x"', variants.c.code == bindparam("code"))
_NAMED_SO = select(variants.c.code).where(variants.c.sku == "o'mug", variants.c.stock >= bindparam("least"))


def test_a_word_that_is_always_the_same_is_compared_as_it_is(at_the_desk, mug):
    db.session.execute(update(variants).where(variants.c.code == "mug-s").values(sku="o'mug"))
    for _known in range(3):
        assert [row.code for row in rows(_ODD, code="mug-s")] == ["mug-s"]
        assert [row.code for row in rows(_NAMED_SO, least=0)] == ["mug-s"]
        assert rows(_NAMED_SO, least=1_000_000) == []
    is_sqlite = db.engine.dialect.name == "sqlite"
    assert ("'o''mug'" in prepared.known(_NAMED_SO, db.engine).text) is is_sqlite


def test_a_value_that_all_must_give_is_missed_and_a_usual_one_need_not_be_given(at_the_desk, mug):
    for _known in range(2):
        assert [row.code for row in rows(_USUAL)] == ["mug-s"]
    assert [row.code for row in rows(_USUAL, least=1)] == ["mug-l", "mug-s"]
    rows(_NAMED, code="mug-s", now=NOW)
    with pytest.raises(KeyError):
        rows(_NAMED, code="mug-s")


def test_two_statements_of_one_shape_keep_their_own_constants(at_the_desk, mug):
    small, large = (select(variants.c.code).where(variants.c.code == code) for code in ("mug-s", "mug-l"))
    for _known in range(2):
        assert [first(each).code for each in (small, large)] == ["mug-s", "mug-l"]


def test_a_moment_without_a_time_zone_is_refused_here_too(at_the_desk, mug):
    for _known in range(2):
        rows(_NAMED, code="mug-s", now=NOW)
    with pytest.raises(ValueError, match="needs a time zone"):
        rows(_NAMED, code="mug-s", now=NOW.replace(tzinfo=None))


def test_what_differs_each_time_is_left_to_sqlalchemy(at_the_desk, mug):
    for codes in (["mug-s"], ["mug-s", "mug-l"], []):
        assert {row.code for row in rows(_OF_SOME, codes=codes)} == set(codes)
    assert not knows(_OF_SOME)


def test_a_constant_that_stands_in_the_text_is_no_value(at_the_desk, mug):
    for _known in range(3):
        assert sorted(rows(_JOINED, least=0)[0].codes.split(",")) == ["mug-l", "mug-s"]
    assert knows(_JOINED)


def test_a_change_says_in_how_many_rows_and_is_undone_with_its_transaction(app, mug, stock_of):
    with app.test_request_context(method="POST"):
        assert [run(_TAKE, which="mug-s", n=1) for _three in range(3)] == [1, 1, 1]
        assert run(_TAKE, which="mug-s", n=1) == 0
        db.session.rollback()
        assert [row.stock for row in rows(_TAKE_AND_TELL, which="mug-s", n=2)] == [1]
        assert rows(_TAKE_AND_TELL, which="mug-s", n=2) == []
        db.session.rollback()
        assert run(_TAKE, which="mug-s", n=1) == 1  # in a new transaction, which is not committed by itself
    assert stock_of(mug.small) == 3
    with app.test_request_context(method="POST"):
        assert run(_TAKE, which="mug-s", n=1) == 1
        db.session.commit()
        assert run(_TAKE, which="mug-s", n=1) == 1  # after the commit: another one
    assert stock_of(mug.small) == 2


def test_what_a_savepoint_takes_back_is_taken_back(app, mug, stock_of):
    with app.test_request_context(method="POST"):
        run(_TAKE, which="mug-s", n=1)
        inner = db.session.begin_nested()
        run(_TAKE, which="mug-s", n=1)
        inner.rollback()
        db.session.commit()
    assert stock_of(mug.small) == 2


def test_the_session_and_the_statement_see_the_same(at_the_desk, mug):
    rows(_NAMED, code="mug-s", now=NOW)
    db.session.get(Variant, mug.small).name = Words(en="Tiny")
    db.session.flush()
    assert first(_NAMED, code="mug-s", now=NOW).name == Words(en="Tiny")


def test_after_a_failed_flush_nothing_goes_past_the_session(app, mug, stock_of):
    with app.test_request_context(method="POST"):
        run(_TAKE, which="mug-s", n=1)
        db.session.add_all([Category(slug="same", name=Words(en="A")), Category(slug="same", name=Words(en="B"))])
        with pytest.raises(IntegrityError):
            db.session.flush()
        with pytest.raises(Exception, match="rolled back"):
            run(_TAKE, which="mug-s", n=1)
        db.session.rollback()
    assert stock_of(mug.small) == 3


def test_a_refusal_of_the_database_is_told_in_sqlalchemys_words(at_the_desk, mug):
    below = update(variants).values(stock=-bindparam("n")).where(variants.c.code == bindparam("which"))
    run(below, n=0, which="nothing")
    assert knows(below)
    with pytest.raises(IntegrityError) as ours:
        run(below, n=1, which="mug-s")
    db.session.rollback()
    with pytest.raises(IntegrityError) as theirs:
        connection().execute(below, {"n": 1, "which": "mug-s"})
    assert type(ours.value.orig) is type(theirs.value.orig)


@pytest.mark.parametrize("built", ["postgresql"], indirect=True)  # SQLite does not enforce it
def test_a_page_cannot_write_past_the_session_either(app, mug):
    with app.test_request_context(method="POST"):
        run(_TAKE, which="mug-s", n=1)
        db.session.rollback()
    with app.test_request_context(method="GET"), pytest.raises(DBAPIError, match="read-only transaction"):
        run(_TAKE, which="mug-s", n=1)


def test_a_page_sees_one_moment_from_its_first_question_to_its_last(app, mug):
    if app.extensions["shop.engines"]["write"].dialect.name != "sqlite":
        return  # PostgreSQL reads what is committed, statement by statement
    with app.test_request_context(method="GET"):
        before = rows(_USUAL)
        with app.extensions["shop.engines"]["write"].begin() as elsewhere:
            elsewhere.execute(update(variants).values(stock=0))
        assert rows(_USUAL) == before
        assert [row.code for row in connection().execute(_USUAL).all()] == ["mug-s"]
    with app.test_request_context(method="GET"):
        assert rows(_USUAL) == []


def test_who_counts_hears_every_statement(app, mug, queries):
    for _known in range(2):
        with app.test_request_context(method="GET"), queries() as asked:
            rows(_USUAL)
        assert len(asked) == 1


def test_a_statement_that_is_made_each_time_is_not_kept(at_the_desk, mug):
    kept = prepared._known[db.engine.dialect.name]
    before = len(kept)
    for n in range(20):
        rows(select(variants.c.code).where(variants.c.stock > n))
    gc.collect()
    assert len(kept) <= before + 1


def test_where_sqlalchemy_adds_a_value_of_its_own_it_is_asked(at_the_desk):
    at = bindparam("at", type_=Moment)
    stamped = insert(Job).values(handler="x", arguments={}, run_at=at).returning(Job.__table__.c.id)
    for _twice in range(2):
        assert first(stamped, at=NOW).id
    db.session.rollback()


def test_plain_text_works_too(at_the_desk, mug):
    plain = text("SELECT code, created_at FROM products WHERE code = :code").columns(created_at=DateTime(timezone=True))
    for _known in range(3):
        assert first(plain, code="mug").code == "mug"
    assert first(plain, code="lamp") is None


def test_a_database_that_is_gone_is_told_as_busy_or_broken_ones_are(app, mug, monkeypatch):
    with app.test_request_context(method="GET"):
        rows(_USUAL)
        engine = app.extensions["shop.engines"]["read"]
        assert not event.contains(engine, "before_cursor_execute", rows)
        with pytest.raises(OperationalError if engine.dialect.name == "sqlite" else DBAPIError):
            rows(text("SELECT * FROM no_such_table"))
