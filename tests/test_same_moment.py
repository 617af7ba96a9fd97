"""Two who decide about a seller at the same moment: one does, the other is told so, and nothing happens twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from shop import accounts, bank_accounts, catalogue_imports, claims, clock, tax_asked, tax_facts, verdicts
from shop.database import db
from shop.errors import Refused
from shop.models import (
    AuditEntry,
    BankAccount,
    CatalogueImport,
    ImportState,
    Job,
    Role,
    Seller,
    Statement,
    TaxRequest,
    Vetting,
)
from shop.words import Words
from tests.applicants import a_person, accept_all, an_applicant

pytestmark = pytest.mark.usefixtures("at_the_desk")

OWN, OTHER, THIRD = "NL91ABNA0417164300", "NL20INGB0001234567", "NL39RABO0300065264"
WHY = "Looked at a statement of the bank: it is theirs."


@pytest.fixture
def together(app):
    """`together(one, other)`: both begin in the same moment, each with a desk of their own; how each of them ended."""

    def run(*deeds):
        db.session.commit()  # nobody waits for this desk
        start = Barrier(len(deeds))

        def press(deed):
            with app.test_request_context(method="POST"):
                start.wait(5)
                try:
                    deed()
                    db.session.commit()
                except Refused as no:
                    db.session.rollback()
                    return no.status
            return "done"

        with ThreadPoolExecutor(len(deeds)) as crowd:
            ends = list(crowd.map(press, deeds))
        db.session.expire_all()
        return ends

    return run


def count(what, *which):
    return db.session.scalar(select(func.count(what)).where(*which))


# Where money goes


@pytest.fixture
def mina():
    """Mina sells, is paid on 4300, and asks to be paid on 4567."""
    seller = an_applicant()
    owner = accounts.as_actor(seller.profile.user)
    bank_accounts.give(seller, iban=OWN, holder="Mina de Vries", by=owner)
    seller.vetting = Vetting.APPROVED
    db.session.commit()
    bank_accounts.change(seller, iban=OTHER, holder="Mina de Vries", by=owner)
    db.session.commit()
    return owner


def stands():
    return [tuple(row) for row in db.session.execute(select(BankAccount.state, BankAccount.last4).order_by("id"))]


def decided(action):
    return count(AuditEntry.seq, AuditEntry.action == f"bank account {action}")


def test_of_two_moderators_who_confirm_an_account_one_does(mina, together):
    rex, olga = a_person("rex", Role.MODERATOR), a_person("olga", Role.MODERATOR)
    seen = bank_accounts.stamp(bank_accounts.waiting()[0])
    ends = together(*(lambda by=by: bank_accounts.confirm("mina", seen=seen, by=by, reason=WHY) for by in (rex, olga)))
    assert sorted(map(str, ends)) == ["409", "done"]
    assert stands() == [("replaced", "4300"), ("current", "4567")]
    assert decided("confirmed") == 1


def test_of_one_who_confirms_and_one_who_refuses_one_has_the_word(mina, together):
    rex, olga = a_person("rex", Role.MODERATOR), a_person("olga", Role.MODERATOR)
    seen = bank_accounts.stamp(bank_accounts.waiting()[0])
    ends = together(
        lambda: bank_accounts.confirm("mina", seen=seen, by=rex, reason=WHY),
        lambda: bank_accounts.refuse("mina", seen=seen, by=olga, reason=WHY),
    )
    assert (sorted(map(str, ends)), decided("confirmed") + decided("refused")) == (["409", "done"], 1)
    after = [("replaced", "4300"), ("current", "4567")], [("current", "4300"), ("refused", "4567")]
    assert stands() == after[ends.index("done")]


def test_what_a_moderator_did_not_see_is_never_confirmed_by_them(mina, together):
    """Its owner gives a third account while the second is confirmed: that one is the one, or it never was."""
    rex, seller = a_person("rex", Role.MODERATOR), db.session.scalars(select(Seller)).one()
    seen, number = bank_accounts.stamp(bank_accounts.waiting()[0]), seller.id
    ends = together(
        lambda: bank_accounts.confirm("mina", seen=seen, by=rex, reason=WHY),
        lambda: bank_accounts.change(db.session.get_one(Seller, number), iban=THIRD, holder="Mina de Vries", by=mina),
    )
    assert ends[1] == "done"
    if ends[0] == "done":
        assert stands() == [("replaced", "4300"), ("current", "4567"), ("waiting", "5264")]
    else:
        assert (ends[0], stands()) == (409, [("current", "4300"), ("replaced", "4567"), ("waiting", "5264")])


# An application


def verdict_of(number, verdict, by, seen):
    seller = db.session.get_one(Seller, number)
    words = Words(en="What you sell is not made by you.")
    verdicts.decide(seller, verdict, by=by, words=words, seen=seen, reason="untrue")


def test_of_a_verdict_that_is_pressed_twice_one_counts(together):
    mina, rex = an_applicant(), a_person("rex", Role.MODERATOR)
    seen, number = accept_all(mina, rex), mina.id
    ends = together(*(lambda: verdict_of(number, Vetting.APPROVED, rex, seen) for _n in range(2)))
    assert sorted(map(str, ends)) == ["409", "done"]
    assert (count(Statement.id), count(AuditEntry.seq, AuditEntry.action == "seller decided")) == (1, 1)
    assert db.session.get_one(Seller, number).vetting == "approved"


def test_of_two_moderators_who_take_an_application_one_has_it_and_decides(together):
    mina, rex, olga = an_applicant(), a_person("rex", Role.MODERATOR), a_person("olga", Role.MODERATOR)
    seen = accept_all(mina, rex)
    claims.release(mina, by=rex)
    number = mina.id

    def take_and(verdict, by):
        verdicts.take(db.session.get_one(Seller, number), by=by)
        db.session.commit()
        verdict_of(number, verdict, by, seen)

    ends = together(lambda: take_and(Vetting.APPROVED, rex), lambda: take_and(Vetting.REFUSED, olga))
    assert (sorted(map(str, ends)), count(Statement.id)) == (["409", "done"], 1)
    assert db.session.get_one(Seller, number).vetting == ("approved", "refused")[ends.index("done")]


# A file with products


def test_of_two_files_that_are_carried_out_at_the_same_instant_one_is(together):
    """Two that both wait (they were looked at together); neither is begun twice."""
    mina = an_applicant()
    mina.vetting = Vetting.APPROVED
    owner = accounts.as_actor(mina.profile.user)
    facts = {"seller_id": mina.id, "user_id": owner.id, "language": "en", "content": b"product\nmug\n", "total": 1}
    for code in ("one", "other"):
        db.session.add(CatalogueImport(code=code, name=code, state=ImportState.READY, at=mina.applied_at, **facts))
    ends = together(*(lambda code=code: catalogue_imports.carry_out(owner, code) for code in ("one", "other") * 2))
    assert sorted(map(str, ends)) == ["409"] * 3 + ["done"]
    assert count(CatalogueImport.id, CatalogueImport.state == ImportState.APPLYING) == 1
    assert count(Job.id, Job.handler.like("%catalogue_imports.apply%")) == 1


# Who answers while their money is held


def test_who_gives_their_tax_details_in_the_moment_in_which_they_are_stopped_is_not_held(together):
    number = an_applicant().id
    db.session.execute(update(Seller).values(vetting=Vetting.APPROVED))
    db.session.add(TaxRequest(seller_id=number, asked_at=clock.now()))

    def stop():
        tax_asked.stop(db.session.get_one(Seller, number))

    def answer():
        seller = db.session.get_one(Seller, number)
        owner = accounts.as_actor(seller.profile.user)
        tax_facts.give(seller, number="123456782", country="NL", born=date(1990, 5, 17), by=owner)

    for _again in range(8):
        db.session.execute(update(TaxRequest).values(over_at=None))
        assert together(stop, answer) == ["done", "done"]  # neither waits for the other for ever
        assert db.session.scalar(select(Seller.tax_stopped_at)) is None
