"""The books: what is written sums to zero, is written once, and is never changed."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from shop import clock, ledger
from shop.database import db
from shop.ledger import Entry, Journal, UnbalancedError
from shop.models import Account, LedgerEntry
from tests.cast import a_purchase

pytestmark = pytest.mark.usefixtures("at_the_desk")


def journal(name="sale:1", *lines, currency="EUR"):
    lines = lines or (Entry(Account.BUYER, -500, "sale", 7), Entry(Account.SELLER, 500, "sale", 3))
    return Journal(name, currency, lines)


def written():
    return db.session.execute(select(LedgerEntry.journal, LedgerEntry.account, LedgerEntry.amount_minor)).all()


def test_a_journal_is_written_once_however_often_it_is_posted():
    assert ledger.post(journal()) == {"sale:1"}
    assert ledger.post(journal(), journal("sale:2")) == {"sale:2"}
    assert ledger.post() == frozenset()
    assert written() == [
        ("sale:1", "buyer", -500),
        ("sale:1", "seller", 500),
        ("sale:2", "buyer", -500),
        ("sale:2", "seller", 500),
    ]
    assert (ledger.balance(Account.SELLER, 3), ledger.balance(Account.BUYER, 7)) == (1000, -1000)
    assert ledger.balance(Account.SELLER, 4) == 0
    assert ledger.odd() == []


def test_a_journal_that_does_not_sum_to_zero_is_not_written_and_neither_is_its_neighbour():
    torn = journal("sale:2", Entry(Account.BUYER, -500, "sale"), Entry(Account.SELLER, 499, "sale", 3))
    with pytest.raises(UnbalancedError, match="sale:2 sums to -1"):
        ledger.post(journal(), torn)
    assert written() == []


def test_a_journal_cannot_be_posted_again_with_other_lines():
    ledger.post(journal())
    more = (Entry(Account.BUYER, -500, "sale", 7), Entry(Account.CREATOR, 500, "sale", 3))
    with pytest.raises(UnbalancedError, match="sale:1"):
        ledger.post(journal("sale:1", *more))


@pytest.mark.parametrize(("minor", "currency"), [(501, "EUR"), (500, "USD")])
def test_a_journal_cannot_be_posted_again_with_other_amounts(minor, currency):
    ledger.post(journal())
    before = written()
    other = (Entry(Account.BUYER, -minor, "sale", 7), Entry(Account.SELLER, minor, "sale", 3))
    with pytest.raises(UnbalancedError, match=r"with other lines: sale:1$"):
        ledger.post(journal("sale:1", *other, currency=currency))
    assert written() == before


def test_lines_of_nothing_are_left_out():
    ledger.post(journal("sale:1", Entry(Account.TAX, 0, "sale"), Entry(Account.BUYER, 0, "sale")))
    assert written() == []


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1",
        "DELETE FROM ledger_entries",
        "INSERT INTO ledger_entries (journal, account, holder_id, purpose, amount_minor, amount_currency, posted_at)"
        " VALUES ('x', 'seller', 1, 'gift', 0, 'EUR', '2026-01-01')",
    ],
)
def test_nobody_changes_or_tears_out_what_is_written(crime):
    ledger.post(journal())
    db.session.commit()
    with pytest.raises(DBAPIError), db.session.begin_nested():
        db.session.execute(text(crime))
    assert written() == [("sale:1", "buyer", -500), ("sale:1", "seller", 500)]


def test_a_statement_goes_back_leaf_by_leaf_with_the_balance_after_each_line(monkeypatch):
    monkeypatch.setattr(ledger, "_LEAF", ledger._LEAF.limit(3))
    monkeypatch.setattr(ledger, "PAGE", 2)
    for n in range(1, 6):
        ledger.post(journal(f"sale:{n}", Entry(Account.BUYER, -n, "sale", n), Entry(Account.SELLER, n, "sale", 3)))
    ledger.post(journal("sale:9", Entry(Account.BUYER, -70, "sale", 9), Entry(Account.SELLER, 70, "sale", 4)))
    leaf, more = ledger.statement(Account.SELLER, 3)
    assert [(row.amount_minor, row.balance_minor) for row in leaf] == [(5, 15), (4, 10)]
    leaf, more = ledger.statement(Account.SELLER, 3, more)
    assert [(row.amount_minor, row.balance_minor) for row in leaf] == [(3, 6), (2, 3)]
    leaf, more = ledger.statement(Account.SELLER, 3, more)
    assert ([(row.amount_minor, row.balance_minor) for row in leaf], more) == ([(1, 1)], None)
    assert [row.balance_minor for row in ledger.whole(Account.SELLER, 3)] == [15, 10, 6, 3, 1]


def test_a_line_is_written_whole(mug, monkeypatch):
    then = clock.now()
    monkeypatch.setattr(clock, "now", lambda: then)
    order = a_purchase({mug.small: 1}).orders[0].id
    there = Entry(Account.GATEWAY, -500, "sale")
    ledger.post(journal("sale:1", there, Entry(Account.SELLER, 500, "sale", 3, order), currency="USD"))
    row = {"journal": "sale:1", "purpose": "sale", "amount_currency": "USD", "posted_at": then}
    rows = db.session.execute(select(LedgerEntry.__table__).order_by(LedgerEntry.id)).all()
    assert [{key: value for key, value in line._mapping.items() if key != "id"} for line in rows] == [
        {**row, "account": "gateway", "holder_id": 0, "order_id": None, "amount_minor": -500},
        {**row, "account": "seller", "holder_id": 3, "order_id": order, "amount_minor": 500},
    ]
    assert ledger.of_order(order) == {("seller", "sale"): 500}
    assert (ledger.balance("seller", 3, order), ledger.balance("seller", 3, order + 1)) == (500, 0)
    assert ledger.balance("gateway") == -500


def test_what_is_wrong_with_a_journal_is_said_by_its_name():
    with pytest.raises(UnbalancedError, match=r"^sale:2 sums to -1$"):
        ledger.post(journal("sale:2", Entry(Account.BUYER, -500, "sale"), Entry(Account.SELLER, 499, "sale", 3)))
    ledger.post(journal(), journal("sale:2"))
    other = Entry(Account.CREATOR, 500, "sale", 3)
    torn = [journal(name, Entry(Account.BUYER, -500, "sale", 7), other) for name in ("sale:1", "sale:2")]
    with pytest.raises(UnbalancedError, match=r"^posted before with other lines: sale:1, sale:2$"):
        ledger.post(*torn)


def test_a_leaf_of_a_statement_has_fifty_lines_and_a_full_one_may_be_the_last():
    for n in range(1, 51):
        ledger.post(journal(f"sale:{n}"))
    leaf, more = ledger.statement(Account.SELLER, 3)
    assert (len(leaf), more) == (50, None)
    ledger.post(journal("sale:51"))
    leaf, more = ledger.statement(Account.SELLER, 3)
    assert (len(leaf), more) == (50, leaf[-1].id)
    assert [row.balance_minor for row in ledger.statement(Account.SELLER, 3, more)[0]] == [500]
    assert ledger.statement(Account.SELLER, 3, 0) == ([], None)
