"""A part that was given back at the gateway itself is taken into the books by hand, by who knows of which order."""

import pytest
from sqlalchemy import select

from shop import by_hand, clock, differences, gateways, reconcile, refunds, trial_balance
from shop.database import db, let_go
from shop.errors import Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import RefundReport, RefundStatus, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    AuditEntry,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    Refund,
    RefundLine,
)
from shop.money import Money
from tests.bookkeeping import accounts, bought, give, order_of, pieces
from tests.lives import mails
from tests.till import news, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")
KNOWN = "the buyer wrote to us, and Sam did it there"


@pytest.fixture(autouse=True)
def the_gateway_is_cheap(monkeypatch):
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


def back_there(minor):
    """Somebody gives back in the dashboard, and the gateway calls; gives the refund's id there."""
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    let_go()
    there = gateways.payment().refund(code, Money(minor, "EUR"), key=f"dashboard {minor}").id
    news()
    return there


def take_in(order, there, because=KNOWN, **how):
    by_hand.take_in(db.session.get(Order, order), there, because, **{"reason": "returned", **how})
    db.session.commit()


def refused(order, there, *given, **how):
    """The words with which it is refused; and nothing has changed."""
    before = snapshot()
    with pytest.raises(Refused) as no:
        take_in(order, there, *given, **how)
    db.session.rollback()
    assert snapshot() == before
    return no.value.words


def snapshot():
    db.session.expire_all()
    tables = (Payment, Order, Refund, RefundLine, LedgerEntry, AuditEntry)
    return [
        db.session.execute(select(table.__table__).order_by(*table.__table__.primary_key)).all() for table in tables
    ]


def compared(day):
    reconcile.compare(day)
    db.session.commit()
    return [(row.kind, row.ours, row.theirs) for row in differences.all_open()]


def lines(order):
    return list(db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == order).order_by(OrderLine.id)))


def test_a_part_goes_out_of_everybodys_shares_as_if_the_shop_had_given_it_back(mug, kais, pass_time):
    _purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    there = back_there(500)
    went = clock.now().date()
    assert compared(went) == [("refund", "", "EUR -5.00")]
    pass_time(days=9)
    take_in(order, there)
    news()
    assert pieces(states(Refund.id)[0]) == [(431, 366, 43, 18, 4, 0), (69, 69, 0, 0, 0, 0)]
    assert compared(went) == compared(clock.now().date()) == trial_balance.off() == []
    assert (states(Refund.state), states(Refund.gateway_id), states(Refund.reason)) == (["done"], [there], ["returned"])
    assert (states(Payment.state), states(Payment.refunded_minor), states(Payment.given_back_minor)) == (
        ["part_refunded"],
        [500],
        [500],
    )
    assert sum(accounts().values()) == 0
    assert accounts()["gateway"] == -2345
    assert (states(Order.status), shelf(mug.small)) == (["paid"], (2, 0))
    assert mails() == {"confirm": 1, "tell_of_refund": 1}
    [noted] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "refund taken in by hand"))
    assert (noted.reason, noted.after) == (KNOWN, {"it is": there, "refund": states(Refund.id)[0], "amount": "EUR 500"})
    assert noted.about == f"order:{states(Order.code)[0][:8]}"
    with pytest.raises(Refused):
        refunds.give(order, 2346)
    db.session.rollback()
    assert give(order, 2345)


def test_it_can_be_of_lines_and_then_has_to_be_what_they_cost(mug):
    _purchase, order = bought({mug.small: 2, mug.large: 1})
    small, large = lines(order)
    there = back_there(2450)
    assert refused(order, there, of={large: 1}) == "These lines come to €29.00, and €24.50 went back."
    assert refused(order, there, of={small: 2}) == "These lines come to €49.00, and €24.50 went back."
    take_in(order, there, of={small: 1})
    [row] = db.session.scalars(select(RefundLine))
    assert (row.line_id, row.quantity, row.amount_minor) == (small, 1, 2450)
    assert (states(Refund.state), trial_balance.off()) == (["done"], [])


def test_all_of_one_sellers_order_calls_it_off_and_leaves_the_other(mug, lamp):
    purchase, order = bought({mug.small: 1, lamp.oak: 1})
    there = back_there(2845)
    take_in(order, there)
    assert (states(Order.status), states(Payment.state)) == (["cancelled", "paid"], ["part_refunded"])
    assert (shelf(mug.small), shelf(lamp.oak)) == ((3, 0), (7, 0))
    assert refused(order_of(purchase, 1), there) == f"The shop knows of {there} already."


def test_the_rest_that_goes_back_there_later_is_taken_in_by_itself(mug):
    _purchase, order = bought({mug.small: 1})
    take_in(order, back_there(845))
    back_there(2000)
    assert (states(Refund.amount_minor), states(Refund.state)) == ([845, 2000], ["done", "done"])
    assert (states(Order.status), states(Payment.state), accounts()) == (["cancelled"], ["refunded"], {})


def test_what_bounces_after_it_was_taken_in_is_owed_to_the_buyer_and_can_be_sent(mug):
    _purchase, order = bought({mug.small: 1})
    there = back_there(500)
    take_in(order, there)
    refunds.apply(RefundReport(there, Money(500, "EUR"), RefundStatus.FAILED))
    db.session.commit()
    assert (states(Refund.state), accounts()["buyer"], states(Payment.state)) == (["failed"], 500, ["paid"])


def test_what_is_on_its_way_is_done_when_the_gateway_says_so(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    there = back_there(500)
    with monkeypatch.context() as slow:
        report = RefundReport(there, Money(500, "EUR"), RefundStatus.PENDING, states(PaymentAttempt.gateway_id)[0])
        slow.setattr(SandboxGateway, "get_refund", lambda *_given: report)
        take_in(order, there)
    assert (states(Refund.state), mails()) == (["sent"], {"confirm": 1})
    refunds.apply(RefundReport(there, Money(500, "EUR")))
    db.session.commit()
    assert (states(Refund.state), mails()) == (["done"], {"confirm": 1, "tell_of_refund": 1})


def test_what_is_refused_changes_nothing(mug, monkeypatch):
    _purchase, order = bought({mug.small: 1})
    ours = db.session.get(Refund, give(order, 100))
    news()
    there, known = back_there(500), ours.gateway_id
    assert refused(order, there, because="  ") == "Please say how you found out."
    assert refused(order, known) == f"The shop knows of {known} already."
    assert refused(order, "re_none") == "The payment company knows of no re_none: resource_missing."
    _other, another = bought({mug.small: 1})
    assert refused(another, there) == f"{there} is of another payment than this order's."
    for facts, words in {
        "key": f"The shop knows of {there} already.",
        "status": f"{there} did not reach the buyer, so nothing went back.",
        "amount": "There is €27.45 left of this order to give back.",
    }.items():
        told = gateways.payment().get_refund(there) if let_go() is None else None
        change = {"key": ours.idempotency_key, "status": RefundStatus.FAILED, "amount": Money(2746, "EUR")}[facts]
        with monkeypatch.context() as otherwise:
            report = told.__class__(
                **{name: getattr(told, name) for name in ("id", "amount", "status", "payment", "key")} | {facts: change}
            )
            otherwise.setattr(SandboxGateway, "get_refund", lambda *_given, report=report: report)
            assert refused(order, there) == words
    db.session.get(Payment, db.session.scalar(select(Payment.id).order_by(Payment.id))).is_disputed = True
    db.session.commit()
    assert refused(order, there).startswith("The buyer's bank is asking this money back.")


def test_an_order_that_is_not_paid_has_nothing_to_take_in(mug):
    bought({mug.small: 1})
    there = back_there(500)
    order = db.session.get(Order, states(Order.id)[0])
    order.purchase.settled_at = None
    db.session.commit()
    assert refused(order.id, there) == "This order is not paid, so there is nothing to give back."


def test_the_command_takes_it_in_once_and_says_what_it_refuses(app, mug):
    bought({mug.small: 1})
    there, code = back_there(2450), states(Order.code)[0]
    let_go()

    def command(*given):
        told = app.test_cli_runner().invoke(args=["take-in", *given])
        return told.exit_code, told.output.splitlines()[-1]

    assert command(code, there)[0] == 2  # nobody says why
    assert command("none", there, "--because", KNOWN) == (1, "Error: We cannot find this order.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxGateway, "get_refund", lambda *_given: (_ for _ in ()).throw(UnreachableError("x")))
        assert command(code, there, "--because", KNOWN)[1].startswith("Error: The payment company does not answer:")
    assert states(Refund.id) == []
    done = (0, "It is in the books, and stands in the audit.")
    assert command(code, there, "--line", "mug-s=1", "--because", KNOWN) == done
    assert command(code, there, "--because", KNOWN) == (1, f"Error: The shop knows of {there} already.")
    db.session.expire_all()
    assert (states(Refund.state), [row.quantity for row in db.session.scalars(select(RefundLine))]) == (["done"], [1])
