"""Money that goes back: it came too late, or twice."""

import pytest
from sqlalchemy import func, select

from shop import inbox, payments, reconcile, settlement, stock
from shop.database import db
from shop.models import Order, Payment, PaymentAttempt, PaymentState, Purchase, Refund, RefundState
from tests.till import at_the_bank, news, paid, payment_of, placed, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")


def test_late_money_still_buys_what_is_still_there(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    pass_time(minutes=11)
    stock.release_due()
    db.session.commit()
    at_the_bank(attempt, "approved")
    news()
    assert (shelf(mug.small), states(Order.status), states(Refund.id)) == ((2, 0), ["paid"], [])


def test_late_money_for_goods_that_are_gone_goes_back_whole(mug, pass_time):
    purchase, attempt = placed({mug.small: 1, mug.large: 1}, "ideal")
    paid(attempt)
    pass_time(minutes=11)
    _other, quick = placed({mug.large: 1})
    assert paid(quick) == payments.Paid()
    at_the_bank(attempt, "approved")
    news()
    assert (shelf(mug.small), shelf(mug.large)) == ((3, 0), (0, 0))
    assert states(Order.status) == ["cancelled", "paid"]
    assert db.session.get(Purchase, purchase).settled_at is None
    refund = db.session.scalar(select(Refund))
    payment = db.session.scalar(select(Payment).where(Payment.purchase_id == purchase))
    assert (refund.state, refund.reason, refund.amount) == (RefundState.DONE, "sold_out", payment.amount)
    assert (payment.state, payment.refunded_minor) == (PaymentState.REFUNDED, payment.amount.minor)


def test_money_that_went_back_does_not_buy_when_the_goods_return(mug, pass_time):
    purchase, attempt = placed({mug.large: 1}, "ideal")
    paid(attempt)
    pass_time(minutes=11)
    _other, slow = placed({mug.large: 1}, "ideal")
    paid(slow)
    at_the_bank(attempt, "approved")
    assert settlement.look(attempt) == payments.Paid()
    db.session.commit()
    assert db.session.scalar(select(Refund.state)) == RefundState.WANTED
    stock.release(_other)
    for _time in range(3):
        settlement.settle(payment_of(purchase))
    db.session.commit()
    assert (shelf(mug.large), states(Order.status)) == ((1, 0), ["cancelled", "pending_payment"])
    assert db.session.scalar(select(func.count(Refund.id))) == 1


def test_of_two_payments_for_one_purchase_the_second_goes_back(mug):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    assert paid(second) == payments.Paid()
    at_the_bank(first, "approved")
    news()
    assert (shelf(mug.large), states(Order.status), states(Payment.state)) == ((0, 0), ["paid"], ["paid"])
    assert states(PaymentAttempt.state) == ["refunded", "paid"]
    assert states(PaymentAttempt.is_surplus) == [True, False]
    refund = db.session.scalar(select(Refund))
    assert (refund.attempt_id, refund.reason, refund.state) == (first, "paid_twice", RefundState.DONE)
    assert db.session.scalar(select(Payment.refunded_minor)) == 0


def test_who_gets_money_back_is_told_how_much_and_why_once(mug, letters):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(second)
    at_the_bank(first, "approved")
    news()
    mails = [mail for mail in letters() if "back" in mail["Subject"]]
    assert [mail["To"] for mail in mails] == ["noor@example.com"]
    assert "twice" in mails[0].get_body(("plain",)).get_content()
    assert "€32.95" in mails[0]["Subject"]


def test_a_refund_whose_job_got_lost_is_sent_by_the_clock(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    paid(attempt)
    inbox.give_back(attempt, "sold_out")
    db.session.commit()
    pass_time(minutes=3)
    reconcile.catch_up()
    news()
    assert (states(Refund.state), states(Payment.state)) == (["done"], ["refunded"])
