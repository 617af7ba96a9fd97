"""What money that comes in and goes back means for everybody's account: each journal, to the cent."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from shop import books, gateways, inbox, jobs, ledger, payments, reconcile, refund_desk, refunds, settlement, stock
from shop.database import db
from shop.errors import Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import RefundReport, RefundStatus, RejectedError, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    InboxState,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    Product,
    Purchase,
    Refund,
    Role,
    RoleGrant,
    Seller,
    Transfer,
    User,
)
from shop.money import Money
from tests.bookkeeping import accounts, bought, give, journals, order_of, pieces
from tests.till import at_the_bank, history, news, paid, payment_of, placed, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture(autouse=True)
def the_gateway_is_cheap(monkeypatch):
    """What it keeps has a test of its own."""
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


# What comes in


def test_a_sale_is_shared_out_between_seller_creator_shop_and_tax(mug, kais):
    bought({mug.small: 1}, creators={mug.small: kais})
    assert journals() == {
        "paid": {"gateway": -2845, "buyer": 2845},
        "sale": {"buyer": -2845, "seller": 2477, "creator": 245, "platform": 102, "tax": 21},
    }
    assert accounts() == {"gateway": -2845, "seller": 2477, "creator": 245, "platform": 102, "tax": 21}


def test_each_seller_of_a_purchase_has_their_own_journal(mug, lamp):
    purchase, _order = bought({mug.small: 1, lamp.oak: 2})
    names = set(db.session.scalars(select(LedgerEntry.journal)))
    orders = states(Order.id)
    assert {f"sale:{order}" for order in orders} < names
    assert accounts() == {"gateway": -2845 - 10385, "seller": 2722 + 9885, "platform": 102 + 413, "tax": 21 + 87}
    assert ledger.balance("buyer", purchase) == 0
    sellers = db.session.execute(select(Order.id, Order.seller_id).order_by(Order.id)).all()
    assert [ledger.balance("seller", seller, order) for order, seller in sellers] == [2722, 9885]


def test_a_sale_is_booked_once_however_often_it_is_settled(mug):
    purchase, _order = bought({mug.small: 1})
    before = states(LedgerEntry.id)
    for _time in range(3):
        settlement.settle(payment_of(purchase))
        db.session.commit()
    news()
    assert (states(LedgerEntry.id), len(states(Transfer.id))) == (before, 1)


def test_what_is_not_paid_is_not_in_the_books(mug):
    _purchase, attempt = placed({mug.small: 1}, "card_declined")
    paid(attempt)
    assert journals() == {}


def test_a_purchase_of_which_the_orders_are_not_the_charge_is_not_booked(mug):
    purchase, attempt = placed({mug.small: 1})
    db.session.get(Purchase, purchase).orders[0].delivery = Money(394, "EUR")
    db.session.commit()
    with pytest.raises(ledger.UnbalancedError, match="2844 was sold"):
        paid(attempt)
    db.session.rollback()
    assert journals() == {}


def test_what_the_gateway_keeps_is_a_cost_once_it_says_so(mug):
    purchase, _order = bought({mug.small: 1})
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    db.session.execute(update(PaymentAttempt).values(fee_minor=None, fee_currency=None))
    db.session.commit()
    report = gateways.payment().get_payment(code)
    for _time in range(2):
        inbox.apply(replace(report, fee=Money(66, "EUR")))
        settlement.settle(payment_of(purchase))
        db.session.commit()
    assert journals()["fee"] == {"gateway": 66, "provider_fee": -66}
    assert accounts()["gateway"] == -2845 + 66


def test_of_two_payments_the_surplus_is_the_buyers_until_it_has_gone_back(mug):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(second)
    at_the_bank(first, "approved")
    payments.expect_events()
    settlement.look(first)
    db.session.commit()
    assert ledger.balance("buyer", purchase) == 3295
    news()
    assert journals()["returned"] == {"buyer": -3295, "gateway": 3295}
    assert (ledger.balance("buyer", purchase), accounts()["gateway"]) == (0, -3295)
    assert states(Payment.given_back_minor) == [0]


def test_late_money_for_what_is_gone_goes_in_and_out_and_nobody_has_a_share_of_it(mug, pass_time):
    purchase, attempt = placed({mug.large: 1}, "ideal")
    paid(attempt)
    pass_time(minutes=11)
    _other, quick = placed({mug.large: 1})
    paid(quick)
    at_the_bank(attempt, "approved")
    news()
    names = sorted(name.partition(":")[0] for name in set(db.session.scalars(select(LedgerEntry.journal))))
    assert names == ["paid", "paid", "returned", "sale"]
    assert (ledger.balance("buyer", purchase), accounts()["gateway"]) == (0, -3295)
    assert states(Payment.given_back_minor) == [3295, 0]


# What goes back


def test_a_whole_refund_takes_everybodys_share_back_and_calls_the_order_off(mug, kais):
    purchase, order = bought({mug.small: 2}, creators={mug.small: kais})
    assert shelf(mug.small) == (1, 0)
    refund = give(order, reason="cancelled")
    assert ledger.balance("buyer", purchase) == 5295
    assert journals()["refund"] == {"buyer": 5295, "seller": -4560, "creator": -490, "platform": -202, "tax": -43}
    assert (states(Order.status), shelf(mug.small), db.session.get(Product, mug.id).sold) == (["cancelled"], (3, 0), 7)
    news()
    assert accounts() == {}
    assert (states(Refund.state), states(Payment.state)) == (["done"], ["refunded"])
    assert db.session.get(Refund, refund).idempotency_key == f"ret:{refund}:refund"
    assert history("refund") == [("", "wanted"), ("wanted", "sent"), ("sent", "done")]


def test_an_order_that_has_left_is_refunded_and_not_called_off(mug):
    _purchase, order = bought({mug.small: 1})
    db.session.get(Order, order).status = "shipped"
    db.session.commit()
    give(order, reason="not_received")
    assert (states(Order.status), shelf(mug.small)) == (["shipped"], (2, 0))


def test_an_amount_is_spread_over_the_lines_and_the_delivery(mug):
    _purchase, order = bought({mug.small: 1, mug.large: 1})
    refund = give(order, 1000)
    # 24.50, 29.00 and 3.95 of 57.45; the odd cent goes where most was cut off
    assert pieces(refund) == [(426, 404, 0, 18, 4, 0), (505, 480, 0, 21, 4, 0), (69, 69, 0, 0, 0, 0)]
    news()
    assert (states(Payment.state), states(Payment.refunded_minor)) == (["part_refunded"], [1000])
    assert states(Order.status) == ["paid"]


def test_in_steps_it_is_all_of_it_to_the_cent(mug, kais):
    _purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    for minor in (1, 999, 333, 1412):
        give(order, minor)
    with pytest.raises(Refused, match=r"There is €1\.00 left"):
        refunds.give(order, 101)
    give(order)
    with pytest.raises(Refused, match=r"There is €0\.00 left"):
        refunds.give(order)
    assert states(Order.status) == ["cancelled"]
    news()
    assert (accounts(), states(Payment.given_back_minor)) == ({}, [2845])


@pytest.mark.parametrize("minor", [0, -1, 2846, 10**18])
def test_more_than_came_or_less_than_a_cent_is_refused_and_changes_nothing(mug, minor):
    _purchase, order = bought({mug.small: 1})
    before = accounts()
    with pytest.raises(Refused):
        refunds.give(order, minor)
    db.session.rollback()
    assert (accounts(), states(Refund.id), states(Payment.given_back_minor)) == (before, [], [0])


def test_one_statement_decides_that_no_more_goes_back_than_came(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    give(order, 2000)
    everything = books.left(order)
    monkeypatch.setattr(
        books, "left", lambda _order: [part._replace(left=part.left._replace(seller=9000)) for part in everything]
    )
    with pytest.raises(Refused, match="less left"):
        refunds.give(order, 846)
    db.session.rollback()
    assert states(Refund.id) == [1] or len(states(Refund.id)) == 1
    assert states(Payment.given_back_minor) == [2000]


def test_ten_at_once_give_back_no_more_than_came(app, mug):
    _purchase, order = bought({mug.small: 1})
    db.session.commit()  # nobody waits for this desk

    def press(_n):
        with app.test_request_context(method="POST"):
            try:
                refunds.give(order, 900)
                db.session.commit()
            except Refused:
                db.session.rollback()
                return 0
            return 900

    with ThreadPoolExecutor(10) as crowd:
        given = list(crowd.map(press, range(10)))
    assert sorted(given) == [0] * 7 + [900] * 3
    assert (states(Payment.given_back_minor), states(Refund.amount_minor)) == ([2700], [900] * 3)
    assert ledger.odd() == []


def test_so_many_of_a_line_go_back_at_their_price_without_the_delivery(mug):
    _purchase, order = bought({mug.small: 2, mug.large: 1})
    small, large = states(OrderLine.id)
    refund = give(order, of={small: 1, large: 1}, reason="returned")
    assert pieces(refund) == [(2450, 2328, 0, 101, 21, 1), (2900, 2755, 0, 120, 25, 1)]
    give(order, of={small: 1})
    assert [row.left.total for row in books.left(order)] == [0, 0, 395]
    assert states(Order.status) == ["paid"]


@pytest.mark.parametrize("of", [{"small": 3}, {"small": 0}, {"small": -1}, {"other": 1}])
def test_what_was_not_bought_cannot_be_given_back(mug, of):
    _purchase, order = bought({mug.small: 2})
    line = states(OrderLine.id)[0]
    with pytest.raises(Refused):
        refunds.give(order, of={line if name == "small" else line + 1: quantity for name, quantity in of.items()})
    db.session.rollback()
    assert states(Refund.id) == []


def test_a_line_of_which_part_went_back_has_not_so_many_left(mug):
    _purchase, order = bought({mug.small: 2})
    line = states(OrderLine.id)[0]
    give(order, 3000)
    with pytest.raises(Refused, match="not so many"):
        refunds.give(order, of={line: 2})


def test_what_is_not_paid_cannot_be_given_back(mug):
    purchase, _attempt = placed({mug.small: 1})
    for order in (order_of(purchase), 404):
        with pytest.raises(Refused, match="not paid"):
            refunds.give(order)


def test_one_sellers_refund_leaves_the_other_alone(mug, lamp):
    purchase, order = bought({mug.small: 1, lamp.oak: 1})
    give(order)
    news()
    assert (states(Order.status), states(Payment.state)) == (["cancelled", "paid"], ["part_refunded"])
    seller = db.session.get(Order, order_of(purchase, 1)).seller_id
    assert ledger.balance("seller", seller) == 4995 - 250 + 395


# What does not arrive


@pytest.fixture
def ada():
    from shop import clock

    now = clock.now()
    user = User(email="ada@example.com", name="Ada", password_hash="none", created_at=now, confirmed_at=now)
    user.roles = [RoleGrant(role=Role.ADMIN, granted_at=now)]
    db.session.add(user)
    db.session.commit()


def test_a_refund_that_fails_later_is_owed_to_the_buyer_and_staff_are_told(mug, ada, letters):
    purchase, order = bought({mug.small: 1})
    refund = give(order, reason="returned")
    news()
    code = db.session.get(Refund, refund).gateway_id
    failed = RefundReport(code, Money(2845, "EUR"), RefundStatus.FAILED)
    for _time in range(2):
        assert refunds.apply(failed) == inbox.Verdict(InboxState.APPLIED, payment_of(purchase))
        db.session.commit()
    assert journals()["bounced"] == {"buyer": 2845, "gateway": -2845}
    assert accounts() == {"buyer": 2845, "gateway": -2845}
    assert (states(Refund.state), states(Payment.state), states(Payment.refunded_minor)) == (["failed"], ["paid"], [0])
    assert states(Payment.given_back_minor) == [2845]
    db.session.rollback()
    mails = [mail for mail in letters() if mail["To"] == "ada@example.com"]
    assert sorted(mail["Subject"] for mail in mails)[0] == "A refund did not arrive"
    [told] = [mail for mail in mails if mail["Subject"] == "A refund did not arrive"]
    assert "€28.45" in told.get_body(("plain",)).get_content()


def test_a_failed_refund_is_sent_again_with_a_new_key(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    refund = give(order, reason="returned")

    def refuse(self, payment, amount, *, key):
        raise RejectedError("charge_not_refundable")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "refund", refuse)
        news()
    assert (states(Refund.state), accounts()) == (["failed"], {"buyer": 2845, "gateway": -2845})
    refunds.send_again(refund)
    db.session.commit()
    with pytest.raises(Refused):
        refunds.send_again(refund)
    assert db.session.get(Refund, refund).idempotency_key == f"ret:{refund}:refund:n2"
    news()
    assert (states(Refund.state), states(Payment.state), accounts()) == (["done"], ["refunded"], {})


def test_a_refund_that_was_never_answered_waits_for_a_person_who_sends_it_again(mug, monkeypatch, pass_time):
    _purchase, order = bought({mug.small: 1})
    refund = give(order)
    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "refund", lambda *_given, **_how: (_ for _ in ()).throw(UnreachableError()))
        news()
    with pytest.raises(Refused):
        refunds.send_again(refund)
    assert refund_desk.failed() == []
    pass_time(hours=25)
    news()
    reconcile.catch_up()
    assert (jobs.waiting(refunds.send), states(Refund.state)) == ([], ["wanted"])
    [row] = refund_desk.failed()
    refund_desk.send_again(row.code, by=None)
    db.session.commit()
    assert db.session.get(Refund, refund).idempotency_key == f"ret:{refund}:refund:n2"
    news()
    assert (states(Refund.state), refund_desk.failed(), accounts()) == (["done"], [], {})


def test_a_refund_that_we_do_not_know_is_kept_for_later(mug):
    report = RefundReport("re_unknown", Money(1, "EUR"), RefundStatus.DONE)
    assert refunds.apply(report) == inbox.Verdict(InboxState.UNRESOLVED)


def test_a_refund_that_takes_a_while_has_left_and_arrives_later(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    really = SandboxGateway.refund

    def slow(self, payment, amount, *, key):
        done = really(self, payment, amount, key=key)
        return RefundReport(done.id, done.amount, RefundStatus.PENDING)

    monkeypatch.setattr(SandboxGateway, "refund", slow)
    refund = give(order)
    news()
    assert (states(Refund.state), accounts(), states(Payment.state)) == (["sent"], {}, ["refunded"])
    refunds.apply(RefundReport(db.session.get(Refund, refund).gateway_id, Money(2845, "EUR"), RefundStatus.DONE))
    db.session.commit()
    assert (states(Refund.state), accounts()) == (["done"], {})


def test_what_staff_give_back_at_the_gateway_itself_shows_too(mug):
    bought({mug.small: 1})
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    db.session.rollback()
    gateways.payment().refund(code, Money(500, "EUR"), key="by hand")
    news()
    assert (states(Payment.state), states(Payment.refunded_minor)) == (["part_refunded"], [500])


def test_an_order_of_before_the_books_has_its_page_first(mug, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(books, "book", lambda _payment: None)
        _purchase, order = bought({mug.small: 1})
    assert journals() == {}
    give(order, 1000)
    news()
    assert accounts() == {"gateway": -1845, "seller": 1765, "platform": 66, "tax": 14}


def test_goods_that_come_back_can_be_sold_again(mug):
    _purchase, order = bought({mug.large: 1})
    give(order)
    assert shelf(mug.large) == (1, 0)
    _again, attempt = placed({mug.large: 1})
    assert paid(attempt) == payments.Paid()
    assert db.session.get(Seller, db.session.get(Order, order).seller_id) is not None
    stock.put_back({})
