"""The operator is told of what has to be looked at: in the log always, by mail at most once an hour for each kind."""

import pytest
from sqlalchemy import func, select

from shop import accounts, jobs
from shop.alerts import alert
from shop.database import db
from shop.models import Job, Role, SentMail

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def operator(app, monkeypatch):
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "ada@shop.example")


def raised(kind="misfit_call", **facts):
    alert(kind, **(facts or {"attempt": 7}))
    db.session.commit()


def test_a_shop_without_an_operators_address_and_without_admins_only_writes_it_down(letters):
    raised()
    assert db.session.scalar(select(func.count(Job.id))) == 0


def test_without_an_operators_address_each_admin_is_told_in_their_language(app, signed_in_as, letters):
    for name, language in (("ada", "en"), ("bo", "nl")):
        signed_in_as(name, Role.ADMIN)
        accounts.called(f"{name}@example.com").language = language
    signed_in_as("rex", Role.MODERATOR)
    db.session.commit()
    for attempt in (1, 2):
        raised("dead_job", job=attempt)
    db.session.rollback()
    assert sorted((mail["To"], mail["Subject"]) for mail in letters()) == [
        ("ada@example.com", "A job was given up after all its tries"),
        ("bo@example.com", "Een taak is na alle pogingen opgegeven"),
    ]


def test_ten_of_a_kind_are_one_mail_that_says_what_and_where(operator, letters):
    for attempt in range(10):
        raised(attempt=attempt)
    db.session.rollback()
    [mail] = letters()
    words = mail.get_body(("plain",)).get_content()
    assert (mail["To"], mail["Subject"].strip()[:39]) == ("ada@shop.example", "The payment company says something else")
    assert "attempt: 0" in words
    assert "/moderation/money" in words


def test_another_kind_has_a_mail_of_its_own(operator, letters):
    raised()
    raised("dead_job", handler="shop.media.make", job=3)
    db.session.rollback()
    assert len(letters()) == 2


def test_after_an_hour_it_is_told_again(operator, letters, pass_time):
    raised()
    db.session.rollback()
    assert len(letters()) == 1
    pass_time(minutes=59)
    raised()
    db.session.rollback()
    assert letters() == []
    pass_time(minutes=2)
    raised()
    db.session.rollback()
    assert len(letters()) == 1
    assert db.session.scalar(select(func.count()).select_from(SentMail)) == 2


def test_what_did_not_happen_after_all_is_not_told(operator, letters):
    alert("misfit_call", attempt=7)
    db.session.rollback()
    assert letters() == []


@jobs.handler
def hopeless():
    raise RuntimeError("no")


def test_a_job_that_is_given_up_is_told(operator, letters, pass_time):
    jobs.later(hopeless)
    db.session.commit()
    for _try in range(jobs.MOST_TRIES):
        jobs.run_due()
        pass_time(hours=1)
    db.session.rollback()
    assert [mail["Subject"] for mail in letters()] == ["A job was given up after all its tries"]


@jobs.patient_handler
def postman():
    raise OSError("the post office is closed")


def test_the_post_is_tried_for_three_days_before_it_is_given_up(pass_time):
    jobs.later(postman)
    db.session.commit()
    for _try in range(60):
        pass_time(hours=1)
        jobs.run_due()
    job = db.session.scalar(select(Job).where(Job.handler.endswith("postman")))
    assert (job.state, 25 < job.tries < 62) == ("waiting", True)
