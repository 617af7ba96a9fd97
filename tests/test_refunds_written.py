"""What is written down when money goes back to its buyer, column by column; and what is said and told."""

# ruff: noqa: F811  (a fixture from `written_down` is an argument of the same name)
from datetime import timedelta
from hashlib import sha256

import pytest
from flask import current_app
from sqlalchemy import update

from shop import (
    clock,
    notifications,
    refunds,
)
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import (
    RefundReport,
    RefundStatus,
    RejectedError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    Purchase,
    Refund,
    RefundLine,
    Seller,
)
from shop.money import Money
from tests.bookkeeping import bought, give
from tests.listening import listen
from tests.till import payment_of, states
from tests.written_down import (  # noqa: F401
    EUR_28_45,
    TUESDAY,
    _a_cheap_tuesday,
    alerts,
    entries,
    events,
    jobs_for,
    only,
    raising,
    refusal,
    rows,
)

pytestmark = pytest.mark.usefixtures("at_the_desk")


def test_a_refund_is_written_whole(mug, noor):
    purchase, order = bought({mug.small: 1})
    refund = refunds.give(order, 1000, reason="returned", by=noor.id, token="t" * 22)
    [row] = rows(Refund)
    assert len(row.pop("code")) == 22
    assert row == {
        "payment_id": payment_of(purchase),
        "attempt_id": only(PaymentAttempt).id,
        "order_id": order,
        "amount_minor": 1000,
        "amount_currency": "EUR",
        "reason": "returned",
        "state": "wanted",
        "idempotency_key": f"ret:{refund}:refund",
        "gateway_id": None,
        "tries": 1,
        "by_id": noor.id,
        "token": "t" * 22,
        "asked": sha256(repr((1000, [], "returned", noor.id)).encode()).hexdigest(),
        "created_at": TUESDAY,
    }
    assert events("refund") == [("", "wanted", "returned", None)]
    assert jobs_for(refunds.send) == [{"refund": refund}]
    line = only(OrderLine).id
    pieces = [(row["refund_id"], row["dispute_id"], row["order_id"], row["line_id"]) for row in rows(RefundLine)]
    assert pieces == [(refund, None, order, line), (refund, None, order, None)]
    assert [row["amount_minor"] for row in rows(RefundLine)] == [861, 139]
    seller = only(Seller).id
    assert entries("refund:%") == [
        (f"refund:{refund}", "buyer", purchase, "refund", order, 1000),
        (f"refund:{refund}", "seller", seller, "refund", order, -957),
        (f"refund:{refund}", "platform", 0, "refund", order, -36),
        (f"refund:{refund}", "tax", 0, "refund", order, -7),
    ]


def test_who_says_no_more_gives_back_all_of_it_out_of_goodwill_by_the_shop_itself(mug):
    _purchase, order = bought({mug.small: 1})
    refunds.give(order)
    row = only(Refund)
    assert (row.amount, row.reason, row.by_id, row.token) == (EUR_28_45, "goodwill", None, None)
    assert row.asked == sha256(repr((None, [], "goodwill", None)).encode()).hexdigest()


def test_an_order_that_is_called_off_says_by_whom(mug, noor):
    _purchase, order = bought({mug.small: 1})
    refunds.give(order, by=noor.id)
    assert events("order")[-1] == ("paid", "cancelled", "", noor.id)


def test_each_refusal_to_give_back_says_what_is_the_matter(mug):
    _purchase, order = bought({mug.small: 2})
    line = only(OrderLine).id
    choose = (Refused, "Choose what goes back, and how many of it.", 422)
    assert refusal(refunds.give, order, of={line: 0}) == choose
    assert refusal(refunds.give, order, of={line: 1, line + 1: 1}) == choose
    assert refusal(refunds.give, order, of={line: 3}) == (
        Refused,
        "There are not so many left of it to give back.",
        422,
    )
    assert refusal(refunds.give, order, 5296) == (
        Refused,
        "There is €52.95 left of this order to give back.",
        422,
    )
    assert refusal(refunds.give, 404) == (
        Refused,
        "This order is not paid, so there is nothing to give back.",
        409,
    )
    give(order, 100, token="form")
    assert refusal(refunds.give, order, 100, token="form") == (
        refunds.Again,
        "This has been given back already.",
        409,
    )
    assert refusal(refunds.give, order, 101, token="form") == (
        Refused,
        "With this form money was given back already. Please look how much, before you give back more.",
        409,
    )
    db.session.execute(update(Payment).values(given_back_minor=5295))
    assert refusal(refunds.give, order) == (Refused, "There is less left of this payment than that.", 409)
    db.session.execute(update(Payment).values(is_disputed=True))
    assert refusal(refunds.give, order) == (
        Refused,
        "The buyer's bank is asking this money back. It decides; nothing can be given back now.",
        409,
    )
    with pytest.raises(NotFound, match=r"^There is no such refund\.$"):
        refunds.send_again(404)
    assert refusal(refunds.send_again, only(Refund).id) == (
        Refused,
        "This refund did not fail, or somebody has sent it again just now.",
        409,
    )
    assert len(rows(Refund)) == 1


def test_two_refunds_without_a_form_are_two(mug):
    _purchase, order = bought({mug.small: 1})
    give(order, 100)
    give(order, 100)
    assert states(Refund.amount_minor) == [100, 100]


def test_the_gateway_is_asked_for_a_refund_by_its_own_name_and_key(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    refund, asked = give(order, 1000), []
    real = SandboxGateway.refund
    monkeypatch.setattr(
        SandboxGateway,
        "refund",
        lambda self, payment, amount, *, key: (
            asked.append((payment, amount, key)) or real(self, payment, amount, key=key)
        ),
    )
    for _time in range(2):
        refunds.send(refund)
        db.session.commit()
    assert asked == [(only(PaymentAttempt).gateway_id, Money(1000, "EUR"), f"ret:{refund}:refund")]
    row = only(Refund)
    assert (row.state, row.gateway_id is not None) == ("done", True)
    assert entries("returned:%") == [
        (f"returned:{refund}:1", "buyer", only(Purchase).id, "returned", order, -1000),
        (f"returned:{refund}:1", "gateway", 0, "returned", order, 1000),
    ]


def test_a_refund_that_the_gateway_rejects_is_told_and_mailed_to_each_operator(mug, monkeypatch, alerts):
    _purchase, order = bought({mug.small: 1})
    refund = give(order, 1000)
    monkeypatch.setitem(current_app.config, "OPERATOR_EMAIL", "ada@example.com")
    monkeypatch.setattr(SandboxGateway, "refund", raising(RejectedError("charge_disputed")))
    told = listen(monkeypatch, refunds)
    refunds.send(refund)
    assert told == [
        {
            "event": "the gateway rejects a refund",
            "refund": refund,
            "code": "charge_disputed",
            "log_level": "error",
        }
    ]
    assert alerts == [("refund_failed", {"refund": refund})]
    mail = {"refund": refund, "tries": 1, "to": "ada@example.com", "language": "en"}
    assert jobs_for(refunds.tell_staff) == [mail]
    assert events("refund")[-1] == ("wanted", "failed", "", None)
    letters = []
    monkeypatch.setattr(notifications, "mail", lambda **letter: letters.append(letter))
    refunds.tell_staff(**mail)
    assert letters == [
        {
            "kind": "refund_failed",
            "about": f"{refund}:1 {sha256(b'ada@example.com').hexdigest()[:16]}",
            "to": "ada@example.com",
            "template": "refund_failed",
            "language": "en",
            "order": only(Order).code,
            "amount": Money(1000, "EUR"),
        }
    ]


def test_a_refund_that_is_sent_again_begins_anew(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    refund = give(order, 1000)
    monkeypatch.setattr(SandboxGateway, "refund", raising(RejectedError("no")))
    refunds.send(refund)
    db.session.execute(update(Refund).values(gateway_id="re_1"))
    db.session.commit()
    later = TUESDAY + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    refunds.send_again(refund)
    row = only(Refund)
    assert (row.state, row.tries, row.created_at, row.gateway_id) == ("wanted", 2, later, None)
    assert (row.idempotency_key, jobs_for(refunds.send)) == (f"ret:{refund}:refund:n2", [{"refund": refund}] * 2)
    assert events("refund")[-1] == ("failed", "wanted", "", None)


def test_a_refund_whose_key_is_forgotten_is_told_of_and_not_sent(mug, monkeypatch, alerts):
    _purchase, order = bought({mug.small: 1})
    refund = give(order, 1000)
    monkeypatch.setattr(SandboxGateway, "refund", raising(AssertionError("asked")))
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + refunds.KEYS_LAST + timedelta(seconds=1))
    refunds.send(refund)
    assert (alerts, states(Refund.state)) == ([("never_answered", {"refund": refund})], ["wanted"])
    refunds.send(404)
    assert len(alerts) == 1


def test_a_refund_may_be_sent_until_the_very_last_moment_of_its_key(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    refund = give(order, 1000)
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + refunds.KEYS_LAST)
    refunds.send(refund)
    assert states(Refund.state) == ["done"]
    assert refunds.stuck_since() == {"stuck_since": TUESDAY}


def test_a_refund_that_arrives_is_told_to_the_buyer_and_one_that_bounces_is_owed_again(mug):
    purchase, order = bought({mug.small: 1})
    refund = give(order, 1000)
    refunds.send(refund)
    db.session.commit()
    assert jobs_for(refunds.tell_of_refund) == [{"refund": refund}]
    code = only(Refund).gateway_id
    refunds.apply(RefundReport(code, Money(1000, "EUR"), RefundStatus.FAILED))
    assert entries("bounced:%") == [
        (f"bounced:{refund}:1", "buyer", purchase, "bounced", order, 1000),
        (f"bounced:{refund}:1", "gateway", 0, "bounced", order, -1000),
    ]
    assert [step[1] for step in events("refund")] == ["wanted", "sent", "done", "failed"]
