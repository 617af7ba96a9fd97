"""What was done by those who may do more than others stands in a chain that cannot be mended unseen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from shop import accounts, audit, chain_check, clock, credentials
from shop.database import db
from shop.models import AuditEntry, Role, RoleGrant
from tests import audits
from tests.applicants import a_person, accept_all, an_applicant
from tests.applying import PERSON, sent_in
from tests.routes.test_moderation import decided

ALL = ("bank", "contact", "goods", "identity", "promise", "returns", "tax")


def told(app):
    with app.app_context():
        asked = db.select(AuditEntry.role, AuditEntry.action, AuditEntry.about, AuditEntry.before, AuditEntry.after)
        return [tuple(row) for row in db.session.execute(asked.order_by(AuditEntry.seq))]


def write(app, *actions):
    """So many entries by the operator."""
    with app.test_request_context(method="POST"):
        for action in actions:
            audit.note(action, "user:1", by=None, reason="because")
        db.session.commit()


def verified(app, *given):
    return app.test_cli_runner().invoke(args=["audit", "verify", *given])


# What is written down


def test_a_decision_on_a_seller_is_written_down_with_its_reason(app, signed_in_as):
    sent_in(signed_in_as("mina"), PERSON)
    decided(signed_in_as("rex", Role.MODERATOR), "refused", "We do not sell this kind of goods.")
    assert told(app) == [("moderator", "seller decided", "seller:mina", {"vetting": "waiting"}, {"vetting": "refused"})]
    with app.app_context():
        (entry,) = audit.about("seller:mina")
        assert entry.reason == "What you want to sell is not allowed here.\nWe do not sell this kind of goods."
        assert entry.actor_id == accounts.called("rex@example.com").id


def test_an_approval_writes_down_the_role_that_it_gives_and_what_was_looked_at(app, signed_in_as):
    with app.test_request_context(method="POST"):
        accept_all(an_applicant(), a_person("rex", Role.MODERATOR))
        db.session.commit()
    decided(signed_in_as("rex", Role.MODERATOR), "approved")
    assert [(entry[1], entry[4]) for entry in told(app)] == [
        ("role given", {"email": "m***@example.com", "roles": ["seller"]}),
        ("seller decided", {"vetting": "approved", "checks": sorted(ALL)}),
    ]


def test_roles_by_the_shell_are_the_operators(app, noor):
    runner = app.test_cli_runner()
    runner.invoke(args=["staff", "add", noor.email, "--role", "creator", "--reason", "films well"])
    runner.invoke(args=["staff", "remove", noor.email, "--role", "creator"])
    runner.invoke(args=["staff", "remove", noor.email, "--role", "creator"])  # nothing to take: nothing to tell
    runner.invoke(args=["staff", "sign-out", noor.email, "--reason", "lost the phone"])
    assert [entry[:2] for entry in told(app)] == [
        ("operator", "role given"),
        ("operator", "role taken"),
        ("operator", "sessions ended"),
    ]
    with app.app_context():
        assert [entry.reason for entry in audit.about(f"user:{noor.id}")] == ["films well", "", "lost the phone"]


@pytest.mark.parametrize(("roles", "times"), [((), 0), ((Role.MODERATOR,), 1)])
def test_another_password_is_written_down_when_it_is_of_staff(app, noor, roles, times):
    with app.test_request_context(method="POST"):
        user = accounts.called(noor.email)
        user.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
        person = accounts.open_session(user)
        db.session.commit()
        credentials.change(person, noor.password, "thirteen letters")
        db.session.commit()
    assert [entry[1] for entry in told(app)] == ["password changed"] * times


def test_what_is_rolled_back_is_not_told(app):
    with app.test_request_context(method="POST"):
        audit.note("role given", "user:1", by=None)
        db.session.rollback()
    assert told(app) == []
    write(app, "role given")
    assert verified(app).exit_code == 0


# The chain


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET reason = 'a better one' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2"]
)
def test_the_database_refuses_to_change_or_delete_an_entry(app, change):
    write(app, "one", "two", "three")
    before = told(app)
    with app.app_context(), pytest.raises(DatabaseError, match="the audit is only added to"):
        db.session.execute(text(change))
    assert told(app) == before


def test_the_chain_begins_at_nothing_and_each_entry_holds_the_hash_before_it(app):
    write(app, "one", "two", "three")
    with app.app_context():
        rows = db.session.execute(db.select(AuditEntry.prev_hash, AuditEntry.hash).order_by(AuditEntry.seq)).all()
        assert [row.prev_hash for row in rows] == [audit.NOTHING_YET, rows[0].hash, rows[1].hash]
        assert audit.last() == (3, rows[2].hash)
    assert verified(app).output == f"3 entries, each as it was written. The last hash: {rows[2].hash}\n"


BROKEN = [
    ("UPDATE audit SET reason = 'a better one' WHERE seq = 2", 2, "it is not as it was written"),
    ("UPDATE audit SET actor_id = 7 WHERE seq = 3", 3, "it is not as it was written"),
    ("UPDATE audit SET hash = 'g' || substr(hash, 2) WHERE seq = 1", 1, "it is not as it was written"),
    ("UPDATE audit SET prev_hash = 'x' || substr(hash, 2) WHERE seq = 2", 2, "it does not follow"),
    ("DELETE FROM audit WHERE seq = 1", 1, "it is missing"),
    ("DELETE FROM audit WHERE seq = 2", 2, "it is missing"),
    ("DELETE FROM audit WHERE seq = 4", 4, "does not reach the head"),
    ("UPDATE audit_head SET hash = 'g' || substr(hash, 2)", 5, "does not reach the head"),
]


@pytest.mark.parametrize(("change", "entry", "how"), BROKEN)
def test_who_takes_the_guards_off_is_found_out_at_the_first_broken_entry(app, change, entry, how):
    write(app, "one", "two", "three", "four")
    with app.app_context(), audits.unguarded():
        db.session.execute(text(change))
        db.session.commit()
    found = verified(app)
    assert found.exit_code == 1
    assert f"The audit is broken at entry {entry}: " in found.output
    assert how in found.output


def test_a_whole_chain_written_anew_is_told_by_a_hash_that_was_mailed(app):
    write(app, "one", "two")
    with app.app_context():
        mailed = audit.last()[1]
    assert verified(app, "--contains", mailed).exit_code == 0
    with app.app_context(), audits.unguarded():
        db.session.execute(text("DELETE FROM audit"))
        db.session.execute(text("DELETE FROM audit_head"))
        db.session.commit()
    write(app, "one", "nothing happened")
    assert verified(app).exit_code == 0
    found = verified(app, "--contains", mailed)
    assert (found.exit_code, "is not in the chain" in found.output) == (1, True)


def test_eight_who_write_at_once_make_one_chain(app):
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda n: write(app, *[f"{n}-{time}" for time in range(5)]), range(8)))
    assert "40 entries, each as it was written." in verified(app).output


def test_an_empty_audit_holds(app):
    assert verified(app).output.startswith("0 entries, each as it was written.")


def test_of_an_address_only_its_owner_sees_whose_it_is():
    assert [audit.masked(text) for text in ("mina@example.com", "Mina", "")] == ["m***@example.com", "M***", ""]


# What the operator hears


def test_once_a_day_the_last_hash_goes_to_the_admins(app, signed_in_as, letters, pass_time):
    signed_in_as("ada", Role.ADMIN)
    signed_in_as("rex", Role.MODERATOR)
    write(app, "one")
    for _time in range(2):
        with app.app_context():
            chain_check.look_at_the_audit()
            db.session.commit()
    with app.app_context():
        head = audit.last()[1]
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("ada@example.com", "The audit stands as it was written")
    assert head in mail.get_body(("plain",)).get_content()
    pass_time(days=1)
    assert app.test_cli_runner().invoke(args=["audit", "mail"]).exit_code == 0
    assert [mail["To"] for mail in letters()] == ["ada@example.com"]


def test_a_broken_chain_is_an_alarm_to_the_address_of_the_settings(app, letters, monkeypatch):
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "boss@shop.example")
    write(app, "one", "two")
    with app.app_context(), audits.unguarded():
        db.session.execute(text("UPDATE audit SET action = 'none' WHERE seq = 2"))
        db.session.commit()
    with app.app_context():
        chain_check.look_at_the_audit()
        db.session.commit()
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("boss@shop.example", "The audit is broken")
    assert "Entry 2 is not as it should be." in mail.get_body(("plain",)).get_content()


def test_it_is_looked_at_every_day():
    from shop import jobs

    assert jobs._regular["shop.chain_check.look_at_the_audit"] == timedelta(days=1)


def test_the_words_of_every_alarm_are_there_in_both_languages(app):
    from shop.i18n import speaking

    facts = {"entries": 3, "entry": 2, "person": "Rex", "most": 20, "hash": "abc", "how": ""}
    for language in ("en", "nl"):
        for what in ("audit-holds", "audit-broken", "papers-locked", "locked-out"):
            with app.test_request_context(), speaking(language):
                words = app.jinja_env.get_template("email/alarm.txt").render(
                    what=what, facts=facts, base_url="http://shop"
                )
            assert len(words.split()) > 10
