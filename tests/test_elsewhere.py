"""Money that somebody gave back at the gateway itself: whoever hears of it first, it all ends the same."""

import pytest
from sqlalchemy import select, update

from shop import differences, gateways, inbox, jobs, payments, reconcile, refunds, settlement, transfers, trial_balance
from shop.database import db, let_go
from shop.errors import Refused
from shop.models import (
    Difference,
    Order,
    Payment,
    PaymentAttempt,
    Purchase,
    Refund,
    Reversal,
    SandboxObject,
    Seller,
    Transfer,
)
from shop.money import Money
from tests.bookkeeping import accounts, bought, give, order_of, payable
from tests.lives import end, event, hear, mails, things
from tests.till import at_the_bank, news, paid, placed, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")

PAID, PART, WHOLE = "paid", "part", "whole"


@pytest.fixture
def waiting(mug):
    """A small mug that waits for its buyer's bank; the shop knows under which name."""
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    db.session.execute(update(PaymentAttempt).values(gateway_id="pi_1"))
    db.session.commit()
    return attempt


def told(attempt):
    """What can be told of it, by name."""
    make = things(db.session.get(PaymentAttempt, attempt))
    return {
        PAID: event(1, "payment_intent.succeeded", make["payment_intent"](status="succeeded")),
        PART: event(2, "charge.refunded", make["charge"](amount_refunded=845)),
        WHOLE: event(3, "charge.refunded", make["charge"](amount_refunded=2845)),
    }


def after(attempt, *order):
    """How it all ends when it is told in this order; the shop is as it was after that."""
    life = told(attempt)
    with db.session.begin_nested() as lived:
        for name in order:
            hear(life[name])
        ended = end()
        lived.rollback()
    db.session.expunge_all()
    return ended


def test_a_part_that_is_told_before_the_payment_sells_as_if_it_was_told_after(mug, waiting):
    ended = after(waiting, PAID, PART)
    assert after(waiting, PART, PAID) == ended == after(waiting, PART)
    assert (ended["order"], ended["hold"], ended["purchase"]) == (["paid"], ["taken"], [True])
    assert (ended["stock"], ended["sold"]) == ([(2, 0), (1, 0)], [8])
    assert ended["payment"] == [("part_refunded", 845, 0, False)]
    assert {name for name, *_rest in ended["journals"]} == {"paid", "sale"}
    assert (ended["mails"], ended["books"]) == ({"confirm": 1}, [])


def test_all_of_it_that_is_told_before_the_payment_ends_with_the_order_off_and_the_goods_free(mug, waiting):
    ended = after(waiting, PAID, WHOLE)
    others = [(WHOLE, PAID), (WHOLE,), (PART, WHOLE), (PAID, PART, WHOLE), (WHOLE, PART, PAID)]
    assert [after(waiting, *order) for order in others] == [ended] * len(others)
    assert (ended["order"], ended["stock"], ended["sold"]) == (["cancelled"], [(3, 0), (1, 0)], [7])
    assert ended["payment"] == [("refunded", 2845, 2845, False)]
    assert ended["refund"] == [("done", 2845, "cancelled")]
    assert {name for name, *_rest in ended["journals"]} == {"paid", "sale", "refund", "returned"}
    assert (ended["mails"], ended["books"]) == ({"confirm": 1, "tell_of_refund": 1}, [])


def test_told_twenty_times_it_is_taken_in_once(mug, waiting):
    hear(told(waiting)[WHOLE])
    payment, before = db.session.scalar(select(Payment.id)), end()
    for _time in range(20):
        settlement.settle(payment)
    assert (end(), accounts()) == (before, {})


def asked_by_the_page(attempt):
    assert settlement.look(attempt) == payments.Paid()
    db.session.commit()


def asked_by_the_clock(_attempt):
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()


def asked_by_the_command(_attempt):
    reconcile.find_lost()


@pytest.mark.parametrize("ask", [asked_by_the_page, asked_by_the_clock, asked_by_the_command])
@pytest.mark.parametrize(("minor", "status", "left"), [(500, "paid", (2, 0)), (2845, "cancelled", (3, 0))])
def test_when_nobody_tells_anything_the_shop_asks_and_it_ends_the_same(mug, pass_time, minor, status, left, ask):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    at_the_bank(attempt, "approved")
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    let_go()
    gateways.payment().refund(code, Money(minor, "EUR"), key="in the dashboard")
    db.session.execute(update(SandboxObject).where(SandboxObject.kind == "event").values(due_at=None))
    db.session.commit()
    pass_time(minutes=3)
    ask(attempt)
    ended = end()
    assert (ended["order"], ended["hold"], ended["stock"][0]) == ([status], ["taken"], left)
    is_off = status == "cancelled"
    assert ended["mails"] == {"confirm": 1} | ({"tell_of_refund": 1} if is_off else {})
    names = {name for name, *_rest in ended["journals"]}
    assert names - {"fee"} == {"paid", "sale"} | ({"refund", "returned"} if is_off else set())
    assert (ended["books"], ended["twice"]) == ([], [])


@pytest.mark.parametrize(
    ("minor", "refund", "sent"), [(1295, (2000, "wanted", "sold_out"), 1), (3295, (3295, "done", "cancelled"), 0)]
)
def test_late_money_for_goods_that_are_gone_is_not_sent_back_twice(mug, pass_time, minor, refund, sent):
    _purchase, late = placed({mug.large: 1}, "ideal")
    paid(late)
    pass_time(minutes=11)
    _other, quick = placed({mug.large: 1})
    paid(quick)
    row = db.session.get(PaymentAttempt, late)
    hear(event(1, "charge.refunded", things(row, row.gateway_id)["charge"](amount=3295, amount_refunded=minor)))
    ended = end()
    assert (ended["refund"], len(jobs.waiting(refunds.send))) == ([(refund[1], refund[0], refund[2])], sent)
    assert (ended["order"], ended["stock"][1], ended["books"]) == (["cancelled", "paid"], (0, 0), [])


def test_who_paid_twice_and_got_the_second_back_elsewhere_does_not_get_it_again(mug):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(second)
    row = db.session.get(PaymentAttempt, first)
    charge = things(row, row.gateway_id)["charge"](amount=3295, amount_refunded=3295)
    hear(event(1, "charge.refunded", charge))
    assert (states(PaymentAttempt.is_surplus), states(Refund.id)) == ([True, False], [])
    assert (states(Payment.state), states(Order.status)) == (["paid"], ["paid"])


def test_of_several_sellers_each_gives_their_share_back_and_what_has_left_is_not_called_off(mug, lamp):
    purchase, order = bought({mug.small: 1, lamp.oak: 1})
    give(order, 845)
    news()
    db.session.get(Order, order_of(purchase, 1)).status = "shipped"
    db.session.commit()
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    let_go()
    gateways.payment().refund(code, Money(2000 + 5390, "EUR"), key="in the dashboard")
    news()
    assert (states(Order.status), states(Payment.state)) == (["cancelled", "shipped"], ["refunded"])
    assert (states(Refund.amount_minor), set(states(Refund.state))) == ([845, 2000, 5390], {"done"})
    assert (shelf(mug.small), shelf(lamp.oak)) == ((3, 0), (7, 0))
    assert (accounts().keys() - {"gateway", "provider_fee"}, trial_balance.off()) == (set(), [])
    with pytest.raises(Refused):
        refunds.give(order, 1)
    db.session.rollback()
    assert mails() == {"confirm": 1, "tell_of_refund": 3}


def test_a_share_that_was_sent_already_is_asked_back(mug, pass_time):
    payable(db.session.scalar(select(Seller.id)))
    bought({mug.small: 1})
    db.session.get(Order, states(Order.id)[0]).status = "delivered"
    db.session.commit()
    pass_time(days=60)
    transfers.send_due()
    db.session.commit()
    news()
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    let_go()
    gateways.payment().refund(code, Money(2845, "EUR"), key="in the dashboard")
    news()
    assert (states(Transfer.state), states(Reversal.state)) == (["done"], ["done"])
    assert (accounts().get("seller", 0), trial_balance.off()) == (0, [])


def test_who_paid_and_has_neither_the_goods_nor_the_money_is_a_difference(mug, pass_time):
    placed({mug.small: 1}, "ideal")
    db.session.execute(update(Payment).values(state="part_refunded", refunded_minor=500))
    db.session.commit()
    code = db.session.scalar(select(Purchase.code))
    pass_time(minutes=14)
    assert differences.of_books() == []
    pass_time(minutes=2)
    [found] = differences.of_books()
    assert (found.kind, found.subject, found.ours, found.theirs) == ("unsold", code, "", "EUR 28.45")
    differences.keep(differences.BOOKS, [found])
    assert states(Difference.kind) == ["unsold"]
    for cure in ({"status": "cancelled"}, {"status": "pending_payment"}):
        db.session.execute(update(Order).values(cure))
        assert len(differences.of_books()) == (cure["status"] == "pending_payment")
    db.session.execute(update(Payment).values(state="refunded"))
    assert differences.of_books() == []


def test_what_counts_as_money_that_came():
    assert inbox.CAME_IN == ("paid", "part_refunded", "refunded")
