"""Papers that run out: three reminders, then they are asked for again, and two weeks later sales stop by themselves."""

from datetime import date, datetime, timedelta
from importlib import import_module

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, select, update

from shop import accounts, checklist, clock, papers, rechecks
from shop.checklist import Item
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.paper_reader import Read
from shop.models import (
    AuditEntry,
    Event,
    ItemState,
    Paper,
    PaperKind,
    Profile,
    Role,
    RoleGrant,
    Seller,
    Statement,
    Vetting,
)
from shop.models import VettingItem as Judged

pytestmark = pytest.mark.usefixtures("at_the_desk")

UNTIL = date(2027, 3, 31)
FOUND = Read("jpeg", (b"a page",), b"")


@pytest.fixture
def rex(noor):
    db.session.add(RoleGrant(user_id=noor.id, role=Role.MODERATOR, granted_at=clock.now()))
    db.session.commit()
    return accounts.as_actor(accounts.called(noor.email))


@pytest.fixture
def mina(mug, rex, signed_in_as):
    """Mina sells, as a private person, on an identity paper that holds until the last of March."""
    signed_in_as("mina", Role.SELLER)
    db.session.execute(update(Profile).values(user_id=accounts.called("mina@example.com").id))
    seller = db.session.scalars(select(Seller)).one()
    papers.keep(seller.id, PaperKind.FRONT, FOUND, b"mark")
    db.session.execute(update(Paper).values(valid_until=UNTIL, keep_until=None))
    checklist.judge(seller, Item.IDENTITY, ItemState.ACCEPTED, by=rex)
    checklist.judge(seller, Item.GOODS, ItemState.ACCEPTED, by=rex)
    db.session.commit()
    return seller.id


def on(monkeypatch, days):
    """So many days after the last day (before it: less than nothing), at noon."""
    moment = datetime(2027, 3, 31, 10, 0, tzinfo=clock.UTC) + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: moment)
    rechecks.look()
    db.session.commit()
    return moment


def state(seller):
    db.session.expire_all()
    return db.session.get_one(Seller, seller).vetting


def accepted():
    return sorted(db.session.scalars(select(Judged.item)))


def paper():
    return db.session.scalar(select(Paper.code).where(Paper.state == "sealed"))


# Reminders


@pytest.mark.parametrize(
    ("days", "subjects"),
    [
        (-31, 0),
        (-30, 1),
        (-15, 1),
        (0, 1),
    ],
)
def test_nobody_is_written_to_earlier_than_a_month_before(mina, monkeypatch, letters, days, subjects):
    on(monkeypatch, days)
    db.session.remove()
    assert len(letters()) == subjects


def test_there_are_three_reminders_and_a_word_when_it_has_run_out_each_once(mina, monkeypatch, letters):
    told = []
    for days in range(-40, 10):
        on(monkeypatch, days)
        db.session.remove()
        told += [(days, letter["Subject"]) for letter in letters()]
    soon, over = "A paper of your shop runs out on 31 March 2027", "A paper of your shop has run out"
    assert told == [(-30, soon), (-14, soon), (-3, soon), (1, over)]


def test_who_was_away_for_a_while_gets_only_the_most_urgent_one(mina, monkeypatch, letters):
    on(monkeypatch, -2)
    on(monkeypatch, -1)
    db.session.remove()
    assert len(letters()) == 1


@pytest.mark.parametrize("vetting", [Vetting.SUSPENDED, Vetting.REFUSED])
def test_who_does_not_sell_is_not_written_to(mina, monkeypatch, letters, vetting):
    db.session.execute(update(Seller).values(vetting=vetting))
    on(monkeypatch, -3)
    on(monkeypatch, 20)
    db.session.remove()
    assert letters() == []


# When it has run out


def test_on_its_last_day_it_still_holds_and_the_next_day_what_rests_on_it_is_open_again(mina, monkeypatch):
    on(monkeypatch, 0)
    assert accepted() == ["goods", "identity"]
    on(monkeypatch, 1)
    assert (accepted(), state(mina)) == (["goods"], "approved")
    on(monkeypatch, 2)
    steps = db.session.scalar(select(func.count(Event.id)).where(Event.became == rechecks.RAN_OUT))
    assert steps == 1


def test_it_stands_on_the_moderators_list_from_then_on(mina, monkeypatch):
    on(monkeypatch, 0)
    assert list(rechecks.waiting()) == []
    on(monkeypatch, 1)
    assert [(row.handle, row.kind, row.valid_until) for row in rechecks.waiting()] == [("mina", "front", UNTIL)]


def test_two_weeks_later_sales_stop_and_not_a_day_earlier(mina, monkeypatch, letters):
    on(monkeypatch, 13)
    assert state(mina) == "approved"
    db.session.remove()
    letters()
    on(monkeypatch, 14)
    assert state(mina) == "suspended"
    told = db.session.scalars(select(Statement)).one()
    assert (told.verdict, told.reason, told.is_automated, told.decided_by_id) == (
        *("suspended", "paper_ran_out", True, None),
    )
    assert told.words.said("nl") == "Het is verlopen op 31 maart 2027."
    assert told.appeal_until is not None
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "seller decided")).one()
    assert (entry.role, entry.after) == ("operator", {"vetting": "suspended"})
    db.session.remove()
    words = letters()[-1].get_body(("plain",)).get_content()
    assert [said for said in ("art. 30(3)", "It ran out on 31 March 2027.", "/statements/") if said not in words] == []
    assert "A computer decided this." in words


def test_sales_stop_once_when_both_sides_have_run_out(mina, monkeypatch):
    papers.keep(mina, PaperKind.BACK, FOUND, b"other")
    db.session.execute(update(Paper).values(valid_until=UNTIL))
    db.session.commit()
    on(monkeypatch, 14)
    on(monkeypatch, 15)
    assert db.session.scalar(select(func.count(AuditEntry.seq)).where(AuditEntry.action == "seller decided")) == 1


# A new one


def test_a_new_one_takes_its_place_and_nothing_stops(mina, monkeypatch):
    on(monkeypatch, -20)
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.commit()
    assert accepted() == ["goods"]
    assert [(row.kind, row.valid_until) for row in rechecks.waiting()] == [("front", None)]
    on(monkeypatch, 27)
    assert state(mina) == "approved"


def test_a_new_one_that_nobody_has_accepted_puts_the_stop_off_for_two_weeks_and_no_longer(mina, monkeypatch):
    on(monkeypatch, -3)
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.commit()
    on(monkeypatch, 28)
    on(monkeypatch, 29)
    told = db.session.scalars(select(Statement)).one()
    assert (state(mina), told.reason, told.is_automated) == ("suspended", "paper_not_accepted", True)
    assert [(row.kind, row.valid_until) for row in rechecks.waiting()] == [("front", None)]


def test_what_is_not_accepted_is_asked_for_again_with_a_reason_and_the_old_day(mina, rex, monkeypatch, letters):
    on(monkeypatch, 3)
    db.session.remove()
    letters()
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.commit()
    with pytest.raises(Refused, match="Say what is wrong"):
        rechecks.turn_down(paper(), "no", by=rex)
    rechecks.turn_down(paper(), "This is a picture of a cat.", by=rex)
    db.session.commit()
    with pytest.raises(Refused, match="just changed"):
        rechecks.turn_down(paper(), "This is a picture of a cat.", by=rex)
    ((kind, until, is_asked),) = [(row.kind, row.valid_until, rechecks.is_asked(row)) for row in rechecks.of(mina)]
    assert (accepted(), kind, until, is_asked) == (["goods"], "front", UNTIL, True)
    assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq.desc())).first() == "paper turned down"
    db.session.remove()
    (letter,) = letters()
    words = letter.get_body(("plain",)).get_content()
    assert [said for said in ("This is a picture of a cat.", "14 April 2027") if said not in words] == []
    rechecks.send(mina, "front", FOUND, b"newer")
    db.session.commit()
    on(monkeypatch, 28)
    assert state(mina) == "suspended"


def test_one_that_was_sent_before_the_old_day_was_kept_is_turned_down_with_the_latest_that_it_can_have_been(
    mina, rex, monkeypatch
):
    moment = on(monkeypatch, -3)
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.execute(update(Paper).values(carried_until=None))
    db.session.execute(update(Seller).values(decided_at=moment - timedelta(days=300)))
    db.session.commit()
    rechecks.turn_down(paper(), "This is a picture of a cat.", by=rex)
    assert [row.valid_until for row in rechecks.of(mina)] == [(moment + timedelta(days=30)).date()]


@pytest.mark.parametrize("is_known", [True, False])
def test_papers_that_waited_when_the_old_day_began_to_be_kept_get_it_from_the_migration(mina, monkeypatch, is_known):
    """The day of the one before it, else a month after it was sent; what was never sent anew is left alone."""
    moment = on(monkeypatch, -3)
    papers.keep(mina, PaperKind.EXTRACT, FOUND, b"extract")
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.execute(update(Paper).values(carried_until=None))
    if not is_known:
        db.session.execute(update(Paper).where(Paper.state == "shredded").values(valid_until=None))
    step = import_module("shop.migrations.versions.2026_11_28_own_orders")
    with Operations.context(MigrationContext.configure(db.session.connection())):
        step.carry_on()
    db.session.expire_all()
    days = {row.kind: row.carried_until for row in rechecks.of(mina)}
    assert days == {"front": UNTIL if is_known else (moment + timedelta(days=30)).date(), "extract": None}


def test_one_side_alone_is_no_identity(mina, rex, monkeypatch):
    papers.keep(mina, PaperKind.BACK, FOUND, b"other")
    db.session.execute(update(Paper).values(valid_until=UNTIL))
    on(monkeypatch, 3)
    for kind in ("front", "back"):
        rechecks.send(mina, kind, FOUND, kind.encode())
    db.session.commit()
    front, back = [row.code for row in rechecks.of(mina)]
    rechecks.accept(front, date(2032, 1, 1), by=rex)
    assert accepted() == ["goods"]
    rechecks.accept(back, date(2032, 1, 1), by=rex)
    assert (accepted(), list(rechecks.waiting())) == (["goods", "identity"], [])


@pytest.mark.parametrize(("days", "kind"), [(-31, "front"), (-3, "back"), (-3, "extract"), (-3, "nonsense")])
def test_what_is_not_asked_for_is_not_taken(mina, monkeypatch, days, kind):
    on(monkeypatch, days)
    before = paper()
    with pytest.raises(Refused, match="not asked for"):
        rechecks.send(mina, kind, FOUND, b"new")
    db.session.rollback()
    assert (paper(), accepted()) == (before, ["goods", "identity"])


def test_a_moderator_accepts_the_new_one_until_a_day_and_it_leaves_the_list(mina, rex, monkeypatch):
    on(monkeypatch, 3)
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.commit()
    rechecks.accept(paper(), date(2032, 1, 1), by=rex)
    db.session.commit()
    assert (accepted(), list(rechecks.waiting())) == (["goods", "identity"], [])
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "paper accepted anew")).one()
    assert (entry.actor_id, entry.after) == (rex.id, {"kind": "front", "valid_until": "2032-01-01"})


@pytest.mark.parametrize("until", [date(2027, 4, 2), date(2047, 6, 1)])
def test_a_day_that_is_over_or_too_far_away_is_a_mistake(mina, rex, monkeypatch, until):
    on(monkeypatch, 3)
    rechecks.send(mina, "front", FOUND, b"new")
    db.session.commit()
    with pytest.raises(Refused, match="Read again"):
        rechecks.accept(paper(), until, by=rex)
    db.session.rollback()
    assert (accepted(), len(rechecks.waiting())) == (["goods"], 1)


def test_nobody_accepts_a_paper_of_their_own_shop_or_one_that_is_gone(mina, rex, monkeypatch):
    on(monkeypatch, 3)
    owner = accounts.as_actor(accounts.called("mina@example.com"))
    with pytest.raises(Refused, match="another moderator"):
        rechecks.accept(paper(), date(2032, 1, 1), by=owner)
    with pytest.raises(NotFound):
        rechecks.accept("gone", date(2032, 1, 1), by=rex)
    db.session.rollback()
    assert accepted() == ["goods"]
