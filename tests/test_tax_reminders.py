"""Who sells and has not told their tax details is asked, reminded twice, and then not paid until they do."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from shop import accounts, appeals, clock, sanctions, tax_asked, tax_facts, tax_reminders, tax_year
from shop.database import db, is_holding
from shop.errors import Refused
from shop.models import AuditEntry, Role, Seller, Statement, TaxNumber, TaxRequest, User, Vetting
from shop.payouts import payee
from shop.words import Words
from tests.applicants import a_person
from tests.bookkeeping import bought, payable, send_due
from tests.test_transfers import sent

FIRST = datetime(2027, 2, 1, 10, tzinfo=UTC)
WORDS = Words(en="They live by their pension, and sell nothing.")


@pytest.fixture
def mina(mug, at_the_desk, monkeypatch):
    """Mina sells mugs to no few people, and nobody has asked for her tax details yet."""
    seller = db.session.scalars(select(Seller)).one()
    seller.profile.user_id = a_person("mina", Role.SELLER).id
    db.session.commit()
    monkeypatch.setattr(tax_year, "FEW", 1)
    return seller


def on(monkeypatch, days):
    """So many days after the first request."""
    moment = FIRST + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: moment)
    for _twice in range(2):  # however often it is looked at
        tax_reminders.look()
        db.session.commit()
    db.session.expire_all()
    return moment


def answer(seller):
    owner = accounts.as_actor(seller.profile.user)
    tax_facts.give(seller, number="123456782", country="NL", born=date(1990, 5, 17), by=owner)
    db.session.commit()


def dates():
    row = db.session.execute(select(TaxRequest.asked_at, TaxRequest.reminded_at, TaxRequest.reminded_again_at)).one()
    return tuple(row)


def verdicts():
    found = select(Statement.verdict, Statement.reason, Statement.is_automated).order_by(Statement.id)
    return [tuple(row) for row in db.session.execute(found)]


def subjects(found, kind):
    return [each["Subject"] for each in found if kind in each["Subject"]]


STOPPED = ("payouts_stopped", "tax_details_missing", True)
RELEASED = ("payouts_released", "put_right", True)


def test_she_is_asked_and_reminded_twice_one_mail_each_and_then_not_paid_until_she_answers(
    app, mina, monkeypatch, letters
):
    written = {}
    for day in (0, 1, 20, 21, 22, 41, 42, 43, 59):
        on(monkeypatch, day)
        if found := subjects(letters(), "tax details"):
            written[day] = found
    assert written == {
        0: ["We need your tax details"],
        21: ["A reminder: we need your tax details"],
        42: ["The last reminder: we need your tax details by 2 April 2027"],
    }
    assert dates() == tuple(FIRST + timedelta(days=days) for days in (0, 21, 42))
    assert (mina.tax_stopped_at, verdicts()) == (None, [])


@pytest.fixture
def waited(mina, mug, monkeypatch):
    """The last day on which she may answer, with a mug sold that could be paid for by now."""
    monkeypatch.setattr(clock, "now", lambda: FIRST)
    bought({mug.small: 1})
    payable(mina.id)
    for day in (0, 21, 42, 59):
        on(monkeypatch, day)
    assert mina.tax_stopped_at is None  # not before sixty days are over
    db.session.commit()
    return mina


@pytest.fixture
def stopped(waited, monkeypatch):
    """Sixty days are over."""
    on(monkeypatch, 60)
    return waited


def test_after_sixty_days_her_money_waits_with_reasons_and_goes_on_at_once_when_she_answers(stopped, letters):
    assert (stopped.tax_stopped_at, verdicts()) == (FIRST + timedelta(days=60), [STOPPED])
    who = payee(stopped.profile.user_id)
    assert (who.lacks_tax, who.is_held, stopped.vetting) == (True, False, Vetting.APPROVED)
    send_due()
    assert sent() == [("waiting", 0)]
    db.session.commit()
    mails = [each for each in letters() if "DAC7 (EU) 2021/514, annex V" in each.get_body(("plain",)).get_content()]
    assert len(mails) == 1
    answer(stopped)
    assert (stopped.tax_stopped_at, verdicts(), tax_asked.of(stopped.id)) == (None, [STOPPED, RELEASED], None)
    assert not payee(stopped.profile.user_id).lacks_tax
    send_due()
    assert sent() == [("done", 2722)]
    notes = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert notes == ["payouts stopped", "tax details given", "payouts released"]
    answer(stopped)  # another number, and nothing waits any more
    assert len(verdicts()) == 2


def test_who_sells_little_is_asked_and_never_stopped(stopped, monkeypatch):
    answer(stopped)
    db.session.execute(TaxNumber.__table__.delete())
    monkeypatch.setattr(tax_year, "FEW", 30)
    for day in (100, 121, 142, 160, 200):
        on(monkeypatch, day)
    assert (stopped.tax_stopped_at, tax_asked.of(stopped.id).reminded_again_at) == (None, FIRST + timedelta(days=142))
    monkeypatch.setattr(tax_year, "FEW", 1)
    on(monkeypatch, 201)  # more was sold by now, and the reminders count
    assert stopped.tax_stopped_at == FIRST + timedelta(days=201)


def test_who_answers_between_two_letters_hears_no_more(mina, monkeypatch, letters):
    on(monkeypatch, 0)
    letters()
    on(monkeypatch, 21)
    answer(mina)  # before the mail of that day goes out
    for day in (42, 60, 90):
        on(monkeypatch, day)
    assert (subjects(letters(), "tax details"), mina.tax_stopped_at) == ([], None)


def test_who_answers_while_it_is_looked_up_whose_money_waits_is_not_stopped(waited, monkeypatch, letters):
    letters()
    figures, held = tax_reminders._reported, []

    def meanwhile():
        held.append(is_holding())
        found = figures()
        if len(held) == 1:
            answer(waited)
        return found

    monkeypatch.setattr(tax_reminders, "_reported", meanwhile)
    on(monkeypatch, 60)
    assert held == [False]  # nobody had to wait for the figures, and who has answered is not looked up again
    assert letters() == []
    assert (waited.tax_stopped_at, verdicts()) == (None, [])
    assert db.session.scalars(select(AuditEntry.action)).all() == ["tax details given"]
    assert not tax_asked.stop(waited)


@pytest.mark.parametrize(
    ("table", "facts"),
    [(Seller, {"ended_at": FIRST}), (Seller, {"vetting": Vetting.REFUSED}), (User, {"is_active": False})],
)
def test_who_sells_no_more_is_not_written_to(mina, monkeypatch, table, facts):
    db.session.execute(update(table).values(**facts))
    on(monkeypatch, 0)
    assert db.session.scalars(select(TaxRequest.id)).all() == []


def test_when_nobody_looked_for_long_there_are_two_weeks_between_letters_and_before_the_stop(mina, mug, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: FIRST)
    bought({mug.small: 1})
    for day in (0, 70, 83, 84, 97):
        on(monkeypatch, day)
    assert dates() == tuple(FIRST + timedelta(days=days) for days in (0, 70, 84))
    assert mina.tax_stopped_at is None
    on(monkeypatch, 98)
    assert mina.tax_stopped_at == FIRST + timedelta(days=98)


# Beside the stop that two people make


def test_answering_does_not_lift_what_two_people_stopped_nor_do_they_lift_this(stopped):
    rex, ada = a_person("rex", Role.MODERATOR), a_person("ada", Role.ADMIN)
    with pytest.raises(Refused, match="Nothing of theirs waits"):
        sanctions.release_payouts(stopped, by=rex, words=WORDS)
    db.session.execute(update(Seller).values(payouts_stopped_at=clock.now()))
    db.session.refresh(stopped)
    sanctions.release_payouts(stopped, by=ada, words=WORDS)
    assert stopped.tax_stopped_at is not None
    db.session.execute(update(Seller).values(payouts_stopped_at=clock.now()))
    answer(stopped)
    db.session.refresh(stopped)
    assert (stopped.tax_stopped_at, stopped.payouts_stopped_at is None) == (None, False)


def test_an_appeal_that_is_granted_lifts_it_and_the_sixty_days_begin_anew(stopped, monkeypatch):
    rex = a_person("rex", Role.MODERATOR)
    statement = db.session.scalars(select(Statement)).one()
    appeals.lodge(statement.code, by=accounts.as_actor(stopped.profile.user), words="I am no seller of this kind.")
    db.session.execute(update(Seller).values(payouts_stopped_at=clock.now()))
    db.session.refresh(stopped)
    sanctions.release_payouts(stopped, by=rex, words=WORDS)  # that of the two: it ends no appeal against this one
    assert appeals.waiting(rex) == 1
    appeals.decide(statement.code, "granted", by=rex, words=WORDS)
    db.session.commit()
    assert (stopped.tax_stopped_at, appeals.waiting(rex)) == (None, 0)
    assert verdicts()[-1] == ("payouts_released", "we_were_wrong", False)
    on(monkeypatch, 61)
    assert tax_asked.of(stopped.id).asked_at == FIRST + timedelta(days=61)
    assert stopped.tax_stopped_at is None


def test_she_reads_it_on_her_home_and_beside_the_form(stopped, signed_in_as):
    hers = signed_in_as("mina", Role.SELLER)
    assert "Nothing is paid out to you until then." in hers.get("/seller").text
    page = hers.get("/seller/tax").text
    assert "Your payouts wait until your tax details are here" in page
    assert "Asked for the tax details on 1 February 2027." in page
    assert "Reminded on 22 February 2027 and on 15 March 2027." in page
    assert "Your payouts wait for your tax details." in hers.get("/seller/payouts").text


def test_a_moderator_reads_it_beside_the_shop(stopped, signed_in_as):
    page = signed_in_as("rex", Role.MODERATOR).get("/moderation/sellers/mina").text
    assert "because their tax details are missing" in page
    assert "Reminded on 22 February 2027 and on 15 March 2027." in page
