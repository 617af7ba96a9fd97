"""What is written down when a bank asks money back, and in the books of a sale, column by column."""

# ruff: noqa: F811  (a fixture from `written_down` is an argument of the same name)
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from shop import (
    books,
    clock,
    disputes,
)
from shop.database import db
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import (
    DisputeReport,
    DisputeState,
)
from shop.ledger import UnbalancedError
from shop.models import (
    Dispute,
    OrderLine,
    Payment,
    PaymentAttempt,
    Purchase,
    RefundLine,
    Seller,
)
from shop.money import Money
from tests.bookkeeping import bought, give, order_of
from tests.listening import listen
from tests.till import news, payment_of, placed
from tests.written_down import (  # noqa: F401
    EUR_28_45,
    TUESDAY,
    _a_cheap_tuesday,
    alerts,
    entries,
    events,
    only,
    rows,
)

pytestmark = pytest.mark.usefixtures("at_the_desk")


# Disputes


def test_a_dispute_is_written_whole(mug, monkeypatch):
    purchase, _order = bought({mug.small: 1})
    told = listen(monkeypatch, disputes)
    attempt = only(PaymentAttempt)
    said = DisputeReport("du_1", attempt.gateway_id, EUR_28_45, DisputeState.OPEN, "r" * 61)
    assert disputes.apply(said).payment == payment_of(purchase)
    [row] = rows(Dispute)
    assert row == {
        "payment_id": payment_of(purchase),
        "attempt_id": attempt.id,
        "gateway": "sandbox",
        "gateway_id": "du_1",
        "amount_minor": 2845,
        "amount_currency": "EUR",
        "state": "open",
        "reason": "r" * 60,
        "opened_at": TUESDAY,
        "closed_at": None,
    }
    dispute = only(Dispute).id
    assert events("dispute") == [("", "open", "r" * 61, None)]
    assert told == [
        {
            "event": "a buyer's bank asks money back",
            "payment": payment_of(purchase),
            "dispute": "du_1",
            "log_level": "error",
        }
    ]
    assert entries("dispute:%") == [
        (f"dispute:{dispute}:opened", "platform", 0, "dispute", None, -2845),
        (f"dispute:{dispute}:opened", "gateway", 0, "dispute", None, 2845),
    ]
    later = TUESDAY + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    disputes.apply(replace(said, state=DisputeState.WON))
    row = only(Dispute)
    assert (row.state, row.closed_at, only(Payment).changed_at) == ("won", later, later)
    assert events("dispute")[1:] == [("open", "won", "", None)]


def test_what_a_bank_says_otherwise_is_named_to_the_operator(mug, alerts):
    purchase, _order = bought({mug.small: 1})
    payment, code = payment_of(purchase), only(PaymentAttempt).gateway_id

    def said(minor, state=DisputeState.OPEN, currency="EUR"):
        disputes.apply(DisputeReport("du_1", code, Money(minor, currency), state, "fraudulent"))

    said(2845, currency="USD")
    said(1)
    said(2846)
    said(2)
    said(1, DisputeState.LOST)
    said(1, DisputeState.WON)
    wrong = ("amount", "amount other_amount", "other_amount", "state")
    facts = {"payment": payment, "dispute": "du_1"}
    assert alerts == [("misfit_call", {**facts, "wrong": words}) for words in wrong]


def test_what_is_lost_is_written_whole(mug, lamp):
    purchase, order = bought({mug.small: 1, lamp.oak: 1})
    code = only(PaymentAttempt).gateway_id
    disputes.apply(DisputeReport("du_1", code, Money(1000, "EUR"), DisputeState.LOST, "fraudulent"))
    dispute, second = only(Dispute).id, order_of(purchase, 1)
    causes = [(row["refund_id"], row["dispute_id"], row["order_id"], row["quantity"]) for row in rows(RefundLine)]
    assert causes == [(None, dispute, order, 0)] * 2 + [(None, dispute, second, 0)] * 2
    shop = [line for line in entries("dispute:%:lost:%") if line[1] == "platform" and line[3] == "dispute"]
    assert shop == [
        (f"dispute:{dispute}:lost:{order}", "platform", 0, "dispute", order, 345),
        (f"dispute:{dispute}:lost:{second}", "platform", 0, "dispute", second, 655),
    ]
    assert {line[3] for line in entries("dispute:%:lost:%")} == {"dispute", "dispute_lost"}


def test_the_shops_own_loss_and_the_fee_are_written_whole(mug):
    _purchase, order = bought({mug.small: 1})
    give(order, 2000)
    news()
    code = only(PaymentAttempt).gateway_id
    disputes.apply(DisputeReport("du_1", code, EUR_28_45, DisputeState.LOST, "fraudulent"))
    dispute = only(Dispute).id
    disputes.note_fee("du_1", Money(1500, "EUR"))
    assert entries(f"dispute:{dispute}:lost") == [
        (f"dispute:{dispute}:lost", "platform", 0, "dispute", None, 2000),
        (f"dispute:{dispute}:lost", "platform", 0, "dispute_loss", None, -2000),
    ]
    assert entries(f"dispute:{dispute}:fee") == [
        (f"dispute:{dispute}:fee", "provider_fee", 0, "dispute_fee", None, -1500),
        (f"dispute:{dispute}:fee", "gateway", 0, "dispute_fee", None, 1500),
    ]


# The books


def test_what_comes_in_and_is_sold_is_written_whole(mug, kais, monkeypatch):
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 66)
    purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    news()
    attempt, seller = only(PaymentAttempt).id, only(Seller).id
    assert entries("paid:%") == [
        (f"paid:{attempt}", "gateway", 0, "payment", None, -2845),
        (f"paid:{attempt}", "buyer", purchase, "payment", None, 2845),
    ]
    assert entries("fee:%") == [
        (f"fee:{attempt}", "gateway", 0, "fee", None, 66),
        (f"fee:{attempt}", "provider_fee", 0, "fee", None, -66),
    ]
    assert entries("sale:%") == [
        (f"sale:{order}", "buyer", purchase, "sale", order, -2845),
        (f"sale:{order}", "seller", seller, "sale", order, 2477),
        (f"sale:{order}", "creator", kais, "sale", order, 245),
        (f"sale:{order}", "platform", 0, "sale", order, 102),
        (f"sale:{order}", "tax", 0, "sale", order, 21),
    ]
    give(order, 1000)
    went = books.where_it_went(order)
    assert (went.seller + went.creator + went.platform + went.tax, went.buyer) == (1845, 1000)
    left = books.left(order)
    assert [(part.line, part.creator, part.price, part.quantity) for part in left] == [
        (only(OrderLine).id, kais, 2450, 1),
        (None, None, 0, 0),
    ]
    assert [part.left.total for part in left] == [2450 - 861, 395 - 139]


def test_orders_that_are_not_what_was_charged_are_named(mug):
    purchase, _attempt = placed({mug.small: 1})
    db.session.execute(update(Purchase).values(total_minor=2844, settled_at=TUESDAY))
    with pytest.raises(UnbalancedError, match=rf"^purchase {purchase}: 2845 was sold$"):
        books.book(payment_of(purchase))
