"""The sellers' desk: the queue and the search use an index however many wait; three working days are counted right."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from shop import clock, seller_desk
from shop.database import connection, db
from tests.applicants import a_person, an_applicant, fill_the_queue
from tests.cast import a_seller


def plan(statement, *, but=("seqscan",), **values):
    """How the database means to find it, in its own words; PostgreSQL without these ways, quicker for few rows."""
    on = connection()
    if on.dialect.name == "sqlite":
        asked = statement.compile(dialect=on.dialect)
        told = on.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", _given(asked, values))
        return "\n".join(row[3] for row in told)
    for way in but:
        on.execute(text(f"SET LOCAL enable_{way} = off"))
    asked = statement.compile(dialect=on.dialect, compile_kwargs={"render_postcompile": True})
    told = on.exec_driver_sql(f"EXPLAIN {asked}", asked.construct_params(values))
    return "\n".join(row[0] for row in told)


def _given(asked, values):
    known = asked.construct_params(values)
    return tuple(str(known[name]) if isinstance(known[name], datetime) else known[name] for name in asked.positiontup)


def test_the_queue_and_its_counts_are_read_from_an_index_however_many_wait(app, at_the_desk):
    start, number = seller_desk.place("")
    asked = {"but": ("seqscan", "sort"), "at": start, "id": number}
    of_kind = plan(seller_desk._QUEUE_OF_KIND, kind="brand", **asked)
    for queue, index in (
        (plan(seller_desk._QUEUE, **asked), "ix_sellers_vetting_applied_at_id"),
        (of_kind, "ix_sellers_vetting_kind_applied_at_id"),
    ):
        assert index in queue
        assert "SCAN sellers" not in queue
        assert "Sort" not in queue.partition("Limit")[2]
        assert "USE TEMP B-TREE FOR ORDER BY" not in queue
    counts = plan(seller_desk._COUNTS)
    if connection().dialect.name == "sqlite":  # PostgreSQL may take any index while there are no rows
        assert "SEARCH sellers USING COVERING INDEX ix_sellers_vetting_kind_applied_at_id" in counts
        assert "SCAN users USING INDEX ix_users_closed" in counts
    assert "Seq Scan on sellers" not in counts


def test_the_search_is_read_from_the_indexes_of_what_names_begin_with(app, at_the_desk):
    names = ("ix_profiles_handle_begins", "ix_profiles_name_begins")
    if connection().dialect.name == "postgresql":  # of so few rows its plan says nothing; LIKE needs these operators
        made = connection().execute(text("SELECT indexname, indexdef FROM pg_indexes")).all()
        assert {name for name, words in made if "pattern_ops" in words} >= set(names)
        return
    asked = {f"name{n}": "Atelier%" for n in range(len(seller_desk.WAYS))}
    found = plan(select(seller_desk._hits), handle="atelier%", **asked)
    assert [name in found for name in names] == [True, True]
    assert "SCAN profiles" not in found


def test_who_closed_the_account_does_not_wait(app, at_the_desk):
    an_applicant()
    assert (len(seller_desk.queue().rows), seller_desk.counts()) == (1, {"individual": 1})
    db.session.execute(text("UPDATE users SET is_active = :no"), {"no": False})
    assert (seller_desk.queue().rows, seller_desk.counts()) == ([], {})


def test_names_are_found_in_the_ways_in_which_people_write_them_leaf_by_leaf(app, at_the_desk):
    fill_the_queue(25)
    first = seller_desk.found("shop 0")
    assert [row.handle for row in first.rows] == [f"shop{n:05}" for n in range(20)]
    assert [row.handle for row in seller_desk.found("SHOP 0", first.next).rows] == [
        f"shop{n:05}" for n in range(20, 25)
    ]
    db.session.add(a_seller("draft", "Shop draft", vetting="draft"))
    db.session.commit()
    assert seller_desk.found("Shop d").rows == []
    assert (first.is_cut, seller_desk.found("Shop d").is_cut) == (False, False)
    a_person("rex")


def test_of_very_many_who_begin_alike_some_are_found_and_that_is_said(app, at_the_desk):
    fill_the_queue(65)
    seen, after = [], ""
    while after is not None:
        leaf = seller_desk.found("Shop", after)
        assert leaf.is_cut is True
        seen += [row.handle for row in leaf.rows]
        after = leaf.next or None
    assert (len(set(seen)), seen) == (60, sorted(seen))
    one = seller_desk.found("Shop 00064")
    assert ([row.handle for row in one.rows], one.is_cut) == (["shop00064"], False)


@pytest.mark.parametrize(
    ("sent_in", "until"),
    [
        (datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 26, 9, tzinfo=UTC)),  # Monday: Thursday
        (datetime(2026, 11, 27, 15, tzinfo=UTC), datetime(2026, 12, 2, 15, tzinfo=UTC)),  # Friday: Wednesday
        (datetime(2026, 11, 28, 9, tzinfo=UTC), datetime(2026, 12, 2, 9, tzinfo=UTC)),  # Saturday: Wednesday
        (datetime(2026, 12, 23, 9, tzinfo=UTC), datetime(2026, 12, 29, 9, tzinfo=UTC)),  # two days of Christmas
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), datetime(2026, 11, 25, 23, 30, tzinfo=UTC)),  # Monday there
    ],
)
def test_three_working_days_are_over_at_the_same_hour(sent_in, until):
    assert seller_desk.due(sent_in) == until


@pytest.mark.parametrize("place", ["1700000000000000.5", "0.1"])
def test_a_place_in_the_queue_is_read_as_it_was_written(place):
    assert seller_desk.place_of(*seller_desk.place(place)) == place


def test_what_is_no_place_is_the_beginning():
    for text_ in ("", "x", "1", "1.x", "9" * 40, f"{'9' * 17}.1"):
        assert seller_desk.place(text_) == (datetime(1970, 1, 1, tzinfo=clock.UTC), 0)
