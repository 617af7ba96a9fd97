"""A bank takes money back: it is held, then it comes out of everybody's shares, or is back."""

from itertools import permutations

import pytest
from sqlalchemy import select, update

from shop import disputes, inbox, ledger, payments, refunds
from shop.database import db
from shop.errors import Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import DisputeReport, DisputeState
from shop.models import (
    Dispute,
    InboxState,
    LedgerEntry,
    Payment,
    PaymentAttempt,
    Purchase,
    RefundLine,
    Reversal,
    Seller,
)
from shop.money import Money
from tests.bookkeeping import accounts, bought, give, journals, payable, send_due
from tests.till import at_the_bank, history, news, paid, payment_of, placed, states

pytestmark = pytest.mark.usefixtures("at_the_desk")

OPEN, WON, LOST = DisputeState.OPEN, DisputeState.WON, DisputeState.LOST


@pytest.fixture(autouse=True)
def the_gateway_is_cheap(monkeypatch):
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


def said(state, minor=2845, **given):
    code = db.session.scalar(select(PaymentAttempt.gateway_id).order_by(PaymentAttempt.id))
    facts = {"id": "du_1", "payment": code, "amount": Money(minor, "EUR"), "reason": "fraudulent", **given}
    return DisputeReport(state=state, **facts)


def heard(*reports):
    verdicts = [disputes.apply(report).state for report in reports]
    db.session.commit()
    return verdicts


def flagged():
    return states(Payment.is_disputed)


def test_while_the_bank_decides_the_shop_advances_and_nothing_leaves(mug, pass_time):
    payable(db.session.scalar(select(Seller.id)))
    purchase, order = bought({mug.small: 1})
    assert heard(said(OPEN), said(OPEN)) == [InboxState.APPLIED] * 2
    assert journals()["dispute"] == {"platform": -2845, "gateway": 2845}
    assert (flagged(), states(Dispute.state), history("dispute")) == ([True], ["open"], [("", "open")])
    with pytest.raises(Refused, match="bank"):
        refunds.give(order)
    db.session.rollback()
    pass_time(days=18)
    send_due()
    assert accounts() == {"seller": 2722, "platform": 102 - 2845, "tax": 21}
    heard(said(WON), said(WON), said(OPEN))
    assert (flagged(), states(Dispute.state)) == ([False], ["won"])
    send_due()
    assert accounts() == {"gateway": -123, "platform": 102, "tax": 21}
    assert payment_of(purchase) == db.session.scalar(select(Dispute.payment_id))


def test_what_is_lost_comes_out_of_everybodys_share(mug, lamp):
    _purchase, order = bought({mug.small: 1, lamp.oak: 1})
    give(order, 845)
    news()
    heard(said(OPEN, 7390), said(LOST, 7390))
    assert (flagged(), states(Dispute.state)) == ([True], ["lost"])
    assert accounts() == {}
    assert states(Payment.given_back_minor) == [2845 + 5390]
    assert sum(states(RefundLine.amount_minor)) == 2845 + 5390
    with pytest.raises(Refused):
        refunds.give(order)


def test_part_of_a_purchase_is_lost_in_proportion(mug, lamp):
    bought({mug.small: 1, lamp.oak: 1})
    heard(said(LOST, 1000))
    assert sum(states(RefundLine.amount_minor)) == 1000
    lost = select(LedgerEntry.amount_minor).where(
        LedgerEntry.account == "platform", LedgerEntry.purpose == "dispute", LedgerEntry.journal.like("%lost%")
    )
    assert list(db.session.scalars(lost.order_by(LedgerEntry.id))) == [345, 655]
    assert accounts()["gateway"] == -(2845 + 5390 - 1000)


def test_what_nobody_has_a_share_of_any_more_is_the_shops_loss(mug):
    _purchase, order = bought({mug.small: 1})
    give(order, 2000)
    news()
    heard(said(LOST))
    assert accounts() == {"gateway": 2000, "platform": -2000}


def test_what_may_not_go_back_any_more_is_the_shops_loss_too(mug):
    bought({mug.small: 1})
    before = accounts()
    db.session.execute(update(Payment).values(given_back_minor=2845))
    db.session.commit()
    heard(said(LOST))
    lost = select(LedgerEntry.amount_minor).where(LedgerEntry.purpose == "dispute_loss")
    assert (list(db.session.scalars(lost)), states(RefundLine.id)) == ([-2845], [])
    changed = {"gateway": before["gateway"] + 2845, "platform": before["platform"] - 2845}
    assert accounts() == {name: minor for name, minor in (before | changed).items() if minor}


def test_a_lost_dispute_after_the_transfer_takes_the_share_back(mug, pass_time):
    payable(db.session.scalar(select(Seller.id)))
    bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    heard(said(LOST))
    dispute = db.session.scalar(select(Dispute.id))
    assert db.session.scalar(select(Reversal.key)).startswith(f"dis:{dispute}:reversal:")
    news()
    assert (states(Reversal.state), accounts()) == (["done"], {})


@pytest.mark.parametrize("end", [WON, LOST])
def test_in_whatever_order_it_is_told_the_end_is_the_same(mug, end):
    bought({mug.small: 1})
    report, other = said(OPEN), said(end)
    db.session.commit()
    ends = set()
    for told in permutations([report, other, report, other]):
        heard(*told)
        ends.add((tuple(states(Dispute.state)), tuple(sorted(accounts().items())), len(states(LedgerEntry.id))))
    assert len(ends) == 1


def test_a_dispute_of_a_payment_too_many_is_the_shops_loss(mug):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(second)
    at_the_bank(first, "approved")
    news()
    heard(said(LOST, 3295))
    assert accounts()["platform"] == 120 - 3295
    assert ledger.balance("seller", db.session.scalar(select(Seller.id))) == 3150


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"payment": "pi_unknown"}, InboxState.UNRESOLVED),
        ({"amount": Money(2846, "EUR")}, InboxState.QUARANTINED),
        ({"amount": Money(0, "EUR")}, InboxState.QUARANTINED),
        ({"amount": Money(2845, "USD")}, InboxState.QUARANTINED),
    ],
)
def test_what_does_not_fit_is_believed_in_nothing(mug, given, verdict):
    bought({mug.small: 1})
    before = accounts()
    assert heard(said(OPEN, **given)) == [verdict]
    assert (states(Dispute.id), flagged(), accounts()) == ([], [False], before)


def test_a_dispute_cannot_change_its_amount_or_its_end(mug):
    bought({mug.small: 1})
    heard(said(OPEN))
    assert heard(said(OPEN, 100)) == [InboxState.QUARANTINED]
    heard(said(LOST))
    before = accounts()
    assert heard(said(WON)) == [InboxState.QUARANTINED]
    assert (states(Dispute.state), accounts()) == (["lost"], before)


def test_what_the_gateway_charges_for_it_is_a_cost_once(mug):
    bought({mug.small: 1})
    fee = Money(1500, "EUR")
    assert disputes.note_fee("du_1", fee) is False
    heard(said(OPEN))
    for _time in range(2):
        assert disputes.note_fee("du_1", fee) is True
    db.session.commit()
    assert (accounts()["provider_fee"], accounts()["gateway"]) == (-1500, -2845 + 2845 + 1500)


def test_two_disputes_of_one_payment_hold_it_until_both_are_won(mug):
    bought({mug.small: 1})
    heard(said(OPEN, 1000), said(OPEN, 500, id="du_2"))
    heard(said(WON, 1000))
    assert flagged() == [True]
    heard(said(WON, 500, id="du_2"))
    assert flagged() == [False]
    assert inbox.CAME_IN
