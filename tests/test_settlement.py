"""Paid money becomes sold goods, once, whoever comes first with the news."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from shop import clock, gateways, inbox, jobs, payments, reconcile, settlement, stock
from shop.database import db, let_go
from shop.gateways.payment_port import UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Cart,
    CartLine,
    Order,
    Payment,
    PaymentAttempt,
    Product,
    Purchase,
    Refund,
    SandboxObject,
    Variant,
    WebhookEvent,
)
from tests.till import at_the_bank, history, news, paid, payment_of, placed, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")


def test_a_card_that_works_pays_and_sells(mug):
    purchase, attempt = placed({mug.small: 2})
    assert paid(attempt) == payments.Paid()
    assert (shelf(mug.small), states(Order.status), states(Payment.state)) == ((1, 0), ["paid"], ["paid"])
    assert db.session.get(Purchase, purchase).settled_at is not None
    assert db.session.scalar(select(Product.sold)) == 9
    assert history("order") == [("pending_payment", "paid")]
    assert history("payment") == [("created", "submitting"), ("submitting", "paid")]


def test_each_sellers_order_moves(mug, lamp):
    _purchase, attempt = placed({mug.small: 1, lamp.oak: 2})
    paid(attempt)
    assert states(Order.status) == ["paid", "paid"]
    assert (shelf(mug.small), shelf(lamp.oak)) == ((2, 0), (6, 0))


def test_what_was_bought_leaves_the_cart_and_what_was_added_meanwhile_stays(mug):
    cart = Cart(code="c" * 22, created_at=clock.now())
    db.session.add(cart)
    db.session.flush()
    for variant, quantity in ((mug.small, 3), (mug.large, 1)):
        line = {"variant_id": variant, "quantity": quantity, "seen_minor": 2450, "added_at": clock.now()}
        db.session.add(CartLine(cart_id=cart.id, **line))
    _purchase, attempt = placed({mug.small: 2, mug.large: 1}, cart_id=cart.id)
    paid(attempt)
    left = db.session.execute(select(CartLine.variant_id, CartLine.quantity)).all()
    assert [tuple(line) for line in left] == [(mug.small, 1)]


def test_a_declined_card_frees_the_goods_and_keeps_the_cart(mug):
    cart = Cart(code="c" * 22, created_at=clock.now())
    db.session.add(cart)
    db.session.flush()
    line = {"variant_id": mug.small, "quantity": 2, "seen_minor": 2450, "added_at": clock.now()}
    db.session.add(CartLine(cart_id=cart.id, **line))
    _purchase, attempt = placed({mug.small: 2}, "card_declined", cart_id=cart.id)
    assert paid(attempt) == payments.Declined("card_declined")
    assert (shelf(mug.small), states(Order.status)) == ((3, 0), ["pending_payment"])
    assert db.session.scalar(select(CartLine.quantity)) == 2


def test_after_a_declined_card_another_one_pays(mug):
    purchase, attempt = placed({mug.large: 1}, "insufficient_funds")
    assert paid(attempt) == payments.Declined("insufficient_funds")
    again = payments.open(db.session.get(Purchase, purchase), "card")
    stock.hold(purchase, {mug.large: 1})
    db.session.commit()
    assert paid(again) == payments.Paid()
    assert (states(PaymentAttempt.state), states(Payment.state)) == (["failed", "paid"], ["paid"])
    assert shelf(mug.large) == (0, 0)


@pytest.mark.parametrize("method", ["ideal", "bancontact", "authentication_required"])
def test_who_approves_at_the_bank_has_bought_when_the_bank_calls(mug, method):
    _purchase, attempt = placed({mug.small: 1}, method)
    outcome = paid(attempt)
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    assert outcome == payments.NeedsRedirect(f"/sandbox/bank/{code}")
    assert (shelf(mug.small), states(Order.status)) == ((3, 1), ["pending_payment"])
    at_the_bank(attempt, "approved")
    assert states(Order.status) == ["pending_payment"]
    news()
    assert (shelf(mug.small), states(Order.status), states(Payment.state)) == ((2, 0), ["paid"], ["paid"])


@pytest.mark.parametrize(("answer", "state"), [("cancelled", "cancelled"), ("expired", "failed")])
def test_who_turns_back_at_the_bank_has_not_bought_and_the_goods_are_free(mug, answer, state):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    at_the_bank(attempt, answer)
    news()
    assert (shelf(mug.small), states(Order.status), states(Payment.state)) == ((3, 0), ["pending_payment"], [state])
    assert isinstance(payments.outcome(attempt), payments.Declined)
    assert "Nothing was paid" in payments.explain(payments.outcome(attempt).code)


def test_who_is_declined_on_a_hosted_page_and_then_approved_has_bought(mug):
    _purchase, attempt = placed({mug.small: 1}, "other")
    assert isinstance(paid(attempt), payments.NeedsRedirect)
    page = db.session.scalar(select(PaymentAttempt.gateway_id))
    for answer in ("failed", "approved"):
        let_go()
        gateways.payment().answer_at_the_bank(page, answer)
        news()
    assert (states(WebhookEvent.kind), set(states(WebhookEvent.state))) == (
        ["payment_intent.payment_failed", "payment_intent.succeeded", "checkout.session.completed"],
        {"applied"},
    )
    assert (shelf(mug.small), states(Order.status), states(Payment.state)) == ((2, 0), ["paid"], ["paid"])
    assert states(Refund.state) == []


def test_the_page_that_waits_hears_it_without_the_banks_call(mug):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    at_the_bank(attempt, "approved")
    assert settlement.look(attempt) == payments.Paid()
    db.session.commit()
    assert states(Order.status) == ["paid"]


def test_a_buyer_who_never_answers_has_not_bought(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    pass_time(minutes=16)
    news()
    assert (states(Payment.state), shelf(mug.small)) == (["failed"], (3, 0))


@pytest.mark.parametrize(
    ("method", "state", "left"), [("slow_success", "paid", (2, 0)), ("slow_failure", "failed", (3, 0))]
)
def test_a_slow_payment_is_on_its_way_until_it_has_ended(mug, pass_time, method, state, left):
    _purchase, attempt = placed({mug.small: 1}, method)
    assert paid(attempt) == payments.Processing()
    news()
    assert (states(Payment.state), shelf(mug.small)) == (["processing"], (3, 1))
    pass_time(seconds=21)
    news()
    assert (states(Payment.state), shelf(mug.small)) == ([state], left)


def test_settling_again_and_again_changes_nothing(mug):
    purchase, attempt = placed({mug.small: 1})
    paid(attempt)
    for _time in range(20):
        settlement.settle(payment_of(purchase))
        db.session.commit()
    assert (shelf(mug.small), len(history("order")), db.session.scalar(select(Product.sold))) == ((2, 0), 1, 8)


def test_twenty_at_once_settle_once(app, mug):
    purchase, attempt = placed({mug.small: 1})
    payments.submit(attempt)
    db.session.commit()
    payment = payment_of(purchase)
    db.session.commit()

    def settle(_n):
        with app.test_request_context(method="POST"):
            settlement.settle(payment)
            db.session.commit()

    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(settle, range(20)))
    assert (shelf(mug.small), history("order")) == ((2, 0), [("pending_payment", "paid")])
    assert db.session.scalar(select(Product.sold)) == 8


def test_twenty_at_once_press_pay_and_pay_once(app, mug):
    _purchase, attempt = placed({mug.small: 1})

    def press(_n):
        with app.test_request_context(method="POST"):
            outcome = settlement.pay(attempt)
            db.session.commit()
            return outcome

    with ThreadPoolExecutor(20) as crowd:
        assert set(crowd.map(press, range(20))) == {payments.Paid()}
    news()
    assert db.session.scalar(select(func.count()).where(SandboxObject.kind == "payment")) == 1
    assert (shelf(mug.small), history("order")) == ((2, 0), [("pending_payment", "paid")])


def test_who_hears_nothing_from_the_gateway_is_never_told_that_it_failed(mug, monkeypatch, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    keys = []

    def silence(self, request):
        keys.append(request.key)
        raise UnreachableError

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "create_payment", silence)
        assert paid(attempt) == payments.Processing()
        assert (states(Payment.state), shelf(mug.small)) == (["submitting"], (3, 1))
        pass_time(minutes=3)
        reconcile.catch_up()
        db.session.commit()
        jobs.run_due()
        assert (states(Payment.state), set(keys), len(keys)) == (["submitting"], {keys[0]}, 2)
    pass_time(minutes=3)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert (states(Payment.state), states(Order.status)) == (["paid"], ["paid"])


def test_an_answer_that_got_lost_is_found_again_by_the_same_key(mug, monkeypatch, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    really = SandboxGateway.create_payment

    def lost(self, request):
        really(self, request)
        raise UnreachableError

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "create_payment", lost)
        assert paid(attempt) == payments.Processing()
    pass_time(minutes=3)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert (states(Payment.state), states(Order.status)) == (["paid"], ["paid"])
    assert db.session.scalar(select(func.count()).where(SandboxObject.kind == "payment")) == 1


def test_a_key_that_is_a_day_old_is_not_used_again(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    pass_time(hours=23, minutes=1)
    reconcile.look_again(attempt)
    assert (states(Payment.state), db.session.scalar(select(func.count(SandboxObject.name)))) == (["submitting"], 0)


def test_a_page_that_is_opened_after_a_day_does_not_pay_again(mug, monkeypatch, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    really = SandboxGateway.create_payment

    def lost(self, request):
        really(self, request)
        raise UnreachableError

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "create_payment", lost)
        assert paid(attempt) == payments.Processing()
    pass_time(hours=25)
    assert settlement.look(attempt) == payments.Processing()
    assert db.session.scalar(select(func.count()).where(SandboxObject.kind == "payment")) == 1
    assert states(Payment.state) == ["submitting"]


def test_an_attempt_that_is_quiet_for_two_minutes_is_asked_about(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    at_the_bank(attempt, "approved")
    db.session.execute(update(SandboxObject).where(SandboxObject.kind == "event").values(due_at=None))
    db.session.commit()
    pass_time(minutes=1, seconds=59)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert states(Order.status) == ["pending_payment"]
    pass_time(seconds=2)
    reconcile.catch_up()
    db.session.commit()
    jobs.run_due()
    assert states(Order.status) == ["paid"]


def two_tabs(mug, **second):
    """One cart, seen in two tabs, and sent to the bank in both."""
    cart = Cart(code="c" * 22, created_at=clock.now())
    db.session.add(cart)
    db.session.flush()
    same = {"cart_id": cart.id, "fingerprint": "f" * 64}
    _first, one = placed({mug.small: 1}, "ideal", **same)
    paid(one)
    _second, other = placed({mug.small: 1}, "ideal", **{**same, **second})
    paid(other)
    return one, other


def test_one_cart_that_is_paid_in_two_tabs_is_bought_once_and_the_second_payment_goes_back(mug, letters):
    for attempt in two_tabs(mug):
        at_the_bank(attempt, "approved")
        news()
    assert (states(Order.status), states(Payment.state)) == (["paid", "cancelled"], ["paid", "refunded"])
    assert (states(Refund.reason), states(Refund.state)) == (["paid_twice"], ["done"])
    assert shelf(mug.small) == (2, 0)
    db.session.rollback()
    assert any("twice" in mail.get_body(("plain",)).get_content() for mail in letters())


def test_what_differs_is_another_purchase_also_from_the_same_cart(mug):
    for attempt in two_tabs(mug, fingerprint="e" * 64):
        at_the_bank(attempt, "approved")
        news()
    assert (states(Order.status), states(Refund.state)) == (["paid", "paid"], [])


def test_the_same_again_after_it_was_paid_is_wanted_again(mug, pass_time):
    cart = Cart(code="c" * 22, created_at=clock.now())
    db.session.add(cart)
    db.session.flush()
    for _time in range(2):
        _purchase, attempt = placed({mug.small: 1}, cart_id=cart.id, fingerprint="f" * 64)
        paid(attempt)
        pass_time(seconds=1)
    assert (states(Order.status), states(Refund.state)) == (["paid", "paid"], [])


def test_a_gateway_that_does_not_know_the_payment_leaves_it_as_it_is(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    db.session.execute(update(PaymentAttempt).values(gateway_id="sbx_pi_gone"))
    db.session.commit()
    reconcile.look_again(attempt)
    reconcile.look_again(0)
    assert states(Payment.state) == ["requires_action"]


def test_a_gateway_is_not_called_while_others_wait_for_our_rows(mug):
    placed({mug.small: 1})
    db.session.execute(update(Variant).values(stock=Variant.stock))
    with pytest.raises(RuntimeError, match="let_go"):
        gateways.payment().get_payment("sbx_pi_any")


def test_only_the_money_that_is_there_counts(mug):
    purchase, _attempt = placed({mug.small: 1}, "ideal")
    settlement.settle(payment_of(purchase))
    assert (shelf(mug.small), states(Order.status)) == ((3, 1), ["pending_payment"])
    assert inbox.CAME_IN == ("paid", "part_refunded", "refunded")
