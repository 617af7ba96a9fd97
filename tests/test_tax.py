"""What the tax office is told about sellers (DAC7): the sealed details, the quarters out of the books, and the file."""

import csv
import stat
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text, update

from shop import accounts, bank_accounts, checklist, clock, tax_command, tax_facts, tax_numbers, tax_year, vault
from shop.checklist import Item, State
from shop.database import db
from shop.errors import Refused
from shop.models import (
    AuditEntry,
    Order,
    Role,
    Seller,
    SellerKind,
    TaxNumber,
    Vetting,
)
from shop.tax_facts import TaxFacts
from shop.tax_year import Quarter, Year
from tests.applicants import a_person
from tests.bookkeeping import bought, give, payable, send_due
from tests.cast import a_profile, a_seller

BSN, BORN = "123456782", date(1990, 5, 17)


@pytest.fixture
def mina(at_the_desk):
    """Mina, a private person who sells already; nobody has asked her yet."""
    owner = a_person("mina", Role.SELLER)
    profile = a_profile("mina", "Atelier Mina", user_id=owner.id)
    seller = a_seller("mina", "Atelier Mina", profile=profile, kind=SellerKind.INDIVIDUAL)
    db.session.add(seller)
    db.session.commit()
    return seller


def told(seller, number=BSN, country="NL", born=BORN):
    tax_facts.give(seller, number=number, country=country, born=born, by=accounts.as_actor(seller.profile.user))
    db.session.commit()


def everything(name):
    """All that a table has, as one could read it."""
    return repr(db.session.execute(text(f"SELECT * FROM {name}")).all())


# The details


def test_a_tax_number_lies_sealed_and_is_shown_by_its_last_three(mina):
    told(mina, "1234.56.782")
    assert tax_facts.opened(mina.id) == TaxFacts(BSN, "NL", BORN)
    row = tax_facts.of(mina.id)
    assert (row.country, row.tail, row.has_birth_date) == ("NL", "782", True)
    for table in ("tax_numbers", "audit", "sellers", "jobs", "events"):
        assert (BSN in everything(table), "1990-05-17" in everything(table)) == (False, False)
    notes = db.session.execute(select(AuditEntry.action, AuditEntry.after)).all()
    assert [tuple(note) for note in notes] == [("tax details given", {"country": "NL"})]


def test_another_one_takes_its_place_under_a_key_of_its_own(mina):
    told(mina)
    before = db.session.execute(select(TaxNumber.sealed, TaxNumber.wrapped_key)).one()
    told(mina, "999990019")
    after = db.session.execute(select(TaxNumber.sealed, TaxNumber.wrapped_key)).one()
    assert tax_facts.opened(mina.id).number == "999990019"
    assert (after.sealed != before.sealed, after.wrapped_key != before.wrapped_key) == (True, True)


def test_what_is_put_in_another_s_place_does_not_open_and_a_rotation_keeps_it(mina):
    told(mina)
    vault.add_key()
    assert vault.rewrap() >= 1
    db.session.commit()
    assert tax_facts.opened(mina.id).number == BSN
    lars = a_seller("lars", "Lars")
    db.session.add(lars)
    db.session.flush()
    db.session.execute(update(TaxNumber).values(seller_id=lars.id))
    with pytest.raises(vault.BrokenSealError):
        tax_facts.opened(lars.id)


@pytest.mark.parametrize(
    ("country", "number", "is_person", "is_right"),
    [
        ("NL", "999999990", True, True),
        ("NL", "999999991", True, False),
        ("NL", "123456782", False, True),
        ("BE", "85.07.30-033 28", True, True),
        ("BE", "85.07.30-033 29", True, False),
        ("DE", "36 574 261 809", True, True),
        ("DE", "36 574 261 808", True, False),
        ("DE", "12/345/67890", False, True),
        ("FR", "0701987765432", True, False),
        ("US", "123-45-6789", True, True),
        ("US", "1", True, False),
        ("NL", "", True, False),
    ],
)
def test_a_number_is_written_as_its_country_writes_it_and_a_mistake_does_not_repeat_it(
    at_the_desk, country, number, is_person, is_right
):
    wrong = tax_numbers.error(country, number, is_person=is_person)
    assert (wrong is None) == is_right
    assert not wrong or not number or number not in wrong.replace("4 to 20", "")


@pytest.mark.parametrize("born", [None, date(1900, 1, 1), date(2999, 1, 1)])
def test_a_person_without_a_day_of_birth_is_not_kept(mina, born):
    with pytest.raises(Refused) as refusal:
        told(mina, born=born)
    assert refusal.value.status == 422
    assert db.session.scalars(select(TaxNumber.id)).all() == []


@pytest.mark.parametrize(("kind", "is_enough"), [(SellerKind.BUSINESS, True), (SellerKind.INDIVIDUAL, False)])
def test_of_a_business_no_birth_is_asked_and_of_a_person_it_is(mina, kind, is_enough):
    mina.kind = SellerKind.BUSINESS
    told(mina)
    assert tax_facts.opened(mina.id).born is None
    mina.kind = kind
    step = next(step for step in checklist.of(mina) if step.item == Item.TAX)
    assert (step.state == State.GIVEN) == is_enough


@pytest.mark.parametrize(
    ("facts", "days", "is_kept"),
    [
        ({"vetting": Vetting.REFUSED}, 179, True),
        ({"vetting": Vetting.REFUSED}, 181, False),
        ({"vetting": Vetting.DRAFT}, 181, False),
        ({"vetting": Vetting.APPROVED}, 3000, True),
        ({"vetting": Vetting.SUSPENDED}, 3000, True),
        ({"vetting": Vetting.SUSPENDED, "ended_at": True}, 179, True),
        ({"vetting": Vetting.SUSPENDED, "ended_at": True}, 181, False),
        ({"vetting": Vetting.WAITING, "ended_at": True}, 181, False),  # who left before anybody had decided
    ],
)
def test_it_is_forgotten_when_its_time_is_over(mina, pass_time, facts, days, is_kept):
    told(mina)
    if "ended_at" in facts:
        facts = facts | {"ended_at": clock.now()}
    db.session.execute(update(Seller).values(**facts))
    pass_time(days=days)
    tax_facts.forget_due()
    assert bool(db.session.scalars(select(TaxNumber.id)).all()) == is_kept


@pytest.mark.parametrize(("years", "is_kept"), [(6, True), (8, False)])
def test_of_who_has_sold_and_left_it_is_kept_for_seven_years(mug, at_the_desk, pass_time, years, is_kept):
    bought({mug.small: 1})
    seller = db.session.scalars(select(Seller)).one()
    seller.profile.user_id = a_person("mina").id
    told(seller, born=None)
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED, ended_at=clock.now()))
    pass_time(days=years * 366)
    tax_facts.forget_due()
    assert bool(db.session.scalars(select(TaxNumber.id)).all()) == is_kept


# The year

SALE = Quarter(credited=2722, sales=1, fees=123)  # a mug and its delivery, less five per cent


@pytest.mark.parametrize(
    ("moment", "year", "quarter"),
    [
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), 2026, 3),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), 2027, 0),
        (datetime(2027, 3, 31, 21, 59, tzinfo=UTC), 2027, 0),
        (datetime(2027, 3, 31, 22, 0, tzinfo=UTC), 2027, 1),
        (datetime(2027, 9, 30, 21, 59, tzinfo=UTC), 2027, 2),
        (datetime(2027, 9, 30, 22, 0, tzinfo=UTC), 2027, 3),
    ],
)
def test_a_quarter_begins_at_midnight_in_amsterdam(mug, at_the_desk, moment, year, quarter):
    with clock.at(moment):
        bought({mug.small: 1})
    seller = db.session.scalars(select(Seller.id)).one()
    quarters = tuple(SALE if n == quarter else Quarter() for n in range(4))
    with clock.at(datetime(2028, 1, 2, tzinfo=UTC)):
        assert tax_year.of(seller, year) == [Year(seller, year, "EUR", quarters)]
        other = 2027 if year == 2026 else 2026
        assert tax_year.of(seller, other) == []


def test_what_went_back_is_taken_off_and_what_was_paid_out_stands_beside_it(mug, at_the_desk):
    seller = db.session.scalars(select(Seller.id)).one()
    with clock.at(datetime(2026, 11, 2, tzinfo=UTC)):
        _purchase, first = bought({mug.small: 1})
        _purchase, second = bought({mug.small: 1})
        give(second)
        payable(seller)
        db.session.execute(update(Order).where(Order.id == first).values(status="delivered"))
        db.session.commit()
    with clock.at(datetime(2026, 12, 28, tzinfo=UTC)):
        send_due()
        found = tax_year.of(seller, 2026)
    assert [each.quarters[3] for each in found] == [Quarter(credited=2722, sales=2, fees=123, paid_out=2722)]
    assert found[0].total == found[0].quarters[3]


@pytest.mark.parametrize(
    ("sales", "minor", "currency", "is_told"),
    [
        (29, 200_000, "EUR", False),
        (30, 200_000, "EUR", True),
        (29, 200_001, "EUR", True),
        (1, 200_001, "EUR", True),
        (30, 1, "EUR", True),
        (1, 1, "SEK", True),
        (0, 0, "EUR", False),
    ],
)
def test_told_is_who_had_thirty_sales_or_more_than_two_thousand(sales, minor, currency, is_told):
    year = Year(1, 2026, currency, (Quarter(minor, sales), Quarter(), Quarter(), Quarter()))
    assert year.is_told is is_told
    paid_out = Year(1, 2026, currency, (Quarter(0, sales, 0, minor), Quarter(), Quarter(), Quarter()))
    assert paid_out.is_told is is_told


def test_of_a_year_that_has_not_come_there_are_no_figures(mina):
    for year in (2025, clock.now().year + 1, 99_999):
        with pytest.raises(Refused) as refusal:
            tax_year.of(mina.id, year)
        assert refusal.value.status == 404


# The file


def test_the_file_tells_who_how_much_and_by_which_number_and_stands_in_the_audit(app, mug, tmp_path):
    with app.test_request_context(method="POST"):
        seller = db.session.scalars(select(Seller)).one()
        seller.profile.user_id = a_person("mina").id
        seller.legal_name = "=Mina"
        told(seller, "123456782")
        seller.vetting = Vetting.DRAFT
        db.session.commit()
        bank_accounts.give(seller, iban="NL91ABNA0417164300", holder="Mina", by=accounts.as_actor(seller.profile.user))
        seller.vetting = Vetting.APPROVED
        db.session.commit()
        bought({mug.small: 1})
        year = tax_year.present()
        n = (clock.now().month - 1) // 3 + 1
    to = tmp_path / "tax.csv"
    run = app.test_cli_runner().invoke
    done = run(args=["tax", "report", str(year), "--to", str(to)])
    assert (done.exit_code, "0 sellers. Not told: 1" in done.output) == (0, True)
    assert len(to.read_text().splitlines()) == 1  # one sale of EUR 24.50: told of nobody
    assert run(args=["tax", "report", str(year), "--to", str(to)]).exit_code == 1  # never over another file
    to.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tax_year, "FEW", 1)
        done = run(args=["tax", "report", str(year), "--to", str(to)])
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    lines = list(csv.DictReader(to.open(encoding="utf-8")))
    assert len(lines) == 1
    line = lines[0]
    assert (line["legal_name"], line["kind"], line["country"]) == ("'=Mina", "business", "NL")
    assert (line["tax_number"], line["tax_number_country"], line["birth_date"]) == ("123456782", "NL", "")
    assert (line["iban"], line["account_holder"]) == ("NL91ABNA0417164300", "Mina")
    assert [line[f"q{n}_{name}"] for name in ("credited", "sales", "fees", "paid_out")] == [
        "27.22",
        "1",
        "1.23",
        "0.00",
    ]
    assert "123456782" not in done.output
    with app.app_context():
        notes = db.session.execute(
            select(AuditEntry.about, AuditEntry.after).where(AuditEntry.action == "tax report made")
        )
        assert [tuple(note) for note in notes] == [
            (f"year:{year}", {"sellers": 0, "left out": 1}),
            (f"year:{year}", {"sellers": 1, "left out": 0}),
        ]
        assert "123456782" not in everything("audit")


def test_who_left_and_is_forgotten_by_the_day_of_the_file_is_told_as_they_sold(mug, at_the_desk, monkeypatch):
    bought({mug.small: 1})
    as_sold = {"legal_name": "Atelier Mina B.V.", "street": "Oudegracht 1", "vat_number": "NL999999990B51"}
    db.session.execute(update(Order).values(seller_snapshot=as_sold))
    db.session.execute(update(Seller).values(legal_name="", street="", vat_number=""))
    db.session.commit()
    monkeypatch.setattr(tax_year, "FEW", 1)
    found, _left_out = tax_year.report(tax_year.present())
    line = dict(zip(tax_command.HEAD, tax_command.row(found[0]), strict=True))
    assert {name: line[name] for name in as_sold} == as_sold


# The page


def test_mina_is_asked_with_a_date_and_sells_on_and_sees_her_quarters(app, mug, signed_in_as):
    with app.test_request_context(method="POST"):
        bought({mug.small: 1})
        seller = db.session.scalars(select(Seller)).one()
        seller.profile.user_id = a_person("mina", Role.SELLER).id
        db.session.commit()
        year = tax_year.present()
    browser = signed_in_as("mina")
    assert "By 31 December" in browser.get("/seller").text
    page = browser.get("/seller/tax").text
    assert f"We need your tax details by 31 December {year}" in page
    assert ("Credited to you: €27.22" in page, "we do not tell the tax office" in page) == (True, True)
    wrong = browser.post("/seller/tax", data={"country": "NL", "number": "123456789"})
    assert (wrong.status_code, "one of its figures is wrong" in wrong.text) == (422, True)
    right = browser.post("/seller/tax", data={"country": "NL", "number": "123456782"})
    assert right.location == "/seller/tax"
    page = browser.get("/seller/tax").text
    assert ("We have a number that ends in 782, from Netherlands" in page, "123456782" in page) == (True, False)
    assert "We need your tax details" not in page
    assert "your tax details" not in browser.get("/seller").text
    quarter = (clock.now().month - 1) // 3 + 1
    lines = browser.get(f"/seller/tax.csv?year={year}").text.splitlines()
    assert lines[quarter] == f"{year},{quarter},27.22,1,1.23,0.00,EUR"
    assert browser.get("/seller/tax?year=1999").status_code == 404
    with app.app_context():
        assert db.session.scalars(select(Seller.vetting)).one() == Vetting.APPROVED
