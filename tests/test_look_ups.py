"""What registers say about what a seller told: asked by a job, compared with the seller's words, asked again."""

import pytest
from sqlalchemy import select, update

from shop import gateways, jobs, look_ups
from shop.database import db
from shop.gateways.company_port import Entry
from shop.gateways.company_sandbox import SILENT
from shop.models import Job, LookUp, LookUpKind, LookUpResult, Seller, Vetting
from tests.cast import a_seller

pytestmark = pytest.mark.usefixtures("at_the_desk")
AT = "Oudegracht 1, 3511 AA Utrecht"


@pytest.fixture
def kira():
    """Kira, who waits for a decision, as the register has her."""
    facts = {"legal_name": "Kira Keramiek", "company_number": "69599084", "vat_number": ""}
    where = {"street": "Ovenpad 15", "postcode": "2611 ZZ", "city": "Delft"}
    seller = a_seller("kira", "Kira", vetting=Vetting.WAITING, **facts, **where)
    db.session.add(seller)
    db.session.commit()
    return seller


def asked(seller):
    look_ups.ask(seller)
    db.session.commit()
    jobs.run_due()
    return look_ups.latest(seller)


def test_a_company_that_is_as_the_register_has_it_matches(kira):
    found = asked(kira)[LookUpKind.COMPANY]
    assert (found.source, found.asked, found.result) == ("sandbox", "69599084", LookUpResult.MATCH)
    assert (found.name, found.address, found.why) == ("Kira Keramiek", "Ovenpad 15, 2611 ZZ Delft", "")


@pytest.mark.parametrize(
    ("entry", "result", "why"),
    [
        (Entry(("Atelier Mina B.V.",), AT), "match", ""),
        (Entry(("ATELIER MINA",), "OUDEGRACHT 00001 3511AA UTRECHT"), "match", ""),
        (Entry(("Something else", "Atelier Mína BV"), AT), "match", ""),
        (Entry(("Atelier Mina B.V.",), ""), "match", ""),
        (Entry(("Atelier Minna",), AT), "close", "name"),
        (Entry(("Atelier Mina B.V.",), "Dam 1, 1012 JS Amsterdam"), "close", "address"),
        (Entry((), ""), "close", "not told"),
        (Entry(("Flitsdeals V.O.F.",), AT), "no_match", "name"),
        (Entry(("B.V.",), AT), "no_match", "name"),
        (Entry(("Atelier Mina B.V.",), AT, is_active=False), "no_match", "ended"),
        (None, "no_match", "number"),
    ],
)
def test_how_what_a_register_says_fits_what_a_seller_says(entry, result, why):
    got, answer = look_ups.compare(entry, "Atelier Mina B.V.", "3511 AA", "Utrecht")
    assert (got, answer.get("why", "")) == (result, why)


def test_company_and_vat_number_are_asked_about_and_never_with_a_transaction_open(kira, monkeypatch):
    from shop.database import is_holding

    seen = []

    class Watched:
        name = "watched"

        def find(self, number):
            seen.append((number, is_holding()))
            return Entry(("Kira Keramiek",), "")

    monkeypatch.setattr(gateways, "company", lambda register: Watched())
    monkeypatch.setattr(gateways, "vat", lambda number: Watched())
    kira.vat_number = "NL 0000.99.998.B57"
    found = asked(kira)
    assert seen == [("69599084", False), ("NL000099998B57", False)]
    assert {kind: one.result for kind, one in found.items()} == {"company": "match", "vat": "match"}


def test_a_register_that_none_of_us_can_ask_cannot_be_checked_and_is_not_asked_again(kira, app, monkeypatch, pass_time):
    monkeypatch.setitem(app.config, "COMPANY_LOOKUP", "official")
    kira.company_register, kira.company_number = "HRB", "HRB 12345"
    found = asked(kira)[LookUpKind.COMPANY]
    assert (found.source, found.result, found.why) == ("nobody", LookUpResult.CANNOT_CHECK, "nobody")
    pass_time(hours=2)
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == []


def test_one_that_does_not_answer_is_asked_again_by_the_clock_until_it_does(kira, pass_time):
    kira.company_number = SILENT
    assert asked(kira)[LookUpKind.COMPANY].why == "silent"
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == []  # not at once
    pass_time(hours=1)
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == [{"seller": kira.id, "kind": "company"}]
    db.session.execute(update(Seller).values(company_number="69599084"))
    db.session.commit()
    jobs.run_due()
    assert look_ups.latest(kira)[LookUpKind.COMPANY].result == LookUpResult.MATCH
    pass_time(hours=2)
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == []
    assert len(db.session.scalars(select(LookUp.id)).all()) == 2  # each answer is kept


def test_after_three_days_or_a_decision_nobody_is_asked_any_more(kira, pass_time):
    kira.company_number = SILENT
    asked(kira)
    kira.vetting = Vetting.APPROVED
    db.session.commit()
    pass_time(hours=2)
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == []
    kira.vetting = Vetting.WAITING
    db.session.commit()
    pass_time(days=3)
    look_ups.ask_again()
    assert jobs.waiting(look_ups.look_up) == []


def test_an_answer_about_another_number_than_the_one_of_now_is_not_shown(kira):
    assert LookUpKind.COMPANY in asked(kira)
    kira.company_number = "68750110"
    db.session.flush()
    assert look_ups.latest(kira) == {}


def test_who_told_no_number_is_asked_about_nothing(kira):
    kira.company_number = ""
    assert asked(kira) == {}
    assert db.session.scalars(select(Job.id)).all() == []


def test_what_a_job_is_given_names_no_number(kira):
    look_ups.ask(kira)
    db.session.flush()
    assert db.session.scalars(select(Job.arguments)).all() == [{"seller": kira.id, "kind": "company"}]
