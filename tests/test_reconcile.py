"""Our books are held against the gateway's: what differs is shown, with evidence, and never put right by itself."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from sqlalchemy import select, update

from shop import clock, differences, gateways, inbox, jobs, reconcile, refunds, transfers
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import AccountRequest, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Bookmark,
    Difference,
    LedgerEntry,
    Order,
    Payment,
    PaymentAttempt,
    PayoutAccount,
    Purchase,
    Refund,
    SandboxObject,
    Transfer,
)
from shop.money import Money
from tests.till import at_the_bank, news, paid, placed

pytestmark = pytest.mark.usefixtures("at_the_desk")


def today():
    return clock.now().astimezone(UTC).date()


def compared(day=None):
    reconcile.compare(day or today())
    db.session.commit()
    return shown()


def shown():
    db.session.expire_all()
    return [
        (row.kind, row.ours, row.theirs)
        for row in db.session.scalars(
            select(Difference).where(Difference.resolved_at.is_(None)).order_by(Difference.id)
        )
    ]


@pytest.fixture
def bought(mug):
    """One small mug, EUR 28.45, paid by card: the attempt."""
    _purchase, attempt = placed({mug.small: 1})
    paid(attempt)
    return attempt


@pytest.fixture
def theirs(monkeypatch):
    """`theirs(change)`: what the gateway says has moved passes through `change` first."""
    really = SandboxGateway.list_movements

    def put(change):
        def told(self, since, until):
            return change(list(really(self, since, until)))

        monkeypatch.setattr(SandboxGateway, "list_movements", told)

    return put


def test_a_day_on_which_all_went_well_shows_nothing(mug, bought):
    inbox.give_back(bought, "sold_out")
    db.session.commit()
    refunds.send(db.session.scalar(select(Refund.id)))
    db.session.commit()
    assert compared() == []


def test_a_day_without_anything_shows_nothing(mug):
    assert compared() == []


def test_money_that_they_took_and_we_know_nothing_of(bought):
    db.session.execute(update(PaymentAttempt).values(state="failed"))
    db.session.commit()
    fee, paid_in = ("ledger", "EUR 0.00", "EUR -0.68"), ("ledger", "EUR 0.00", "EUR 28.45")
    assert compared() == [("payment", "", "EUR 28.45"), fee, paid_in]
    row = db.session.scalar(select(Difference).order_by(Difference.id))
    assert row.evidence["ours"] == {}
    assert row.evidence["theirs"]["movement 1"].split()[1:3] == ["2845", "EUR"]


def test_money_that_we_believe_in_and_they_did_not_take(bought, theirs):
    theirs(lambda _moved: [])
    assert compared() == [("payment", "EUR 28.45", "")]
    code = db.session.scalar(select(Purchase.code))
    assert db.session.scalar(select(Difference)).evidence["ours"]["about"] == code


def test_another_amount_on_their_side(bought, theirs):
    theirs(lambda moved: [replace(one, amount=Money(2844, "EUR")) for one in moved])
    assert compared() == [("payment", "EUR 28.45", "EUR 28.44")]


def test_a_refund_that_somebody_made_by_hand(bought):
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    db.session.rollback()
    gateways.payment().refund(code, Money(500, "EUR"), key="by hand")
    assert compared() == [("refund", "", "EUR -5.00")]


def test_a_refund_that_they_do_not_know_of(bought, theirs):
    inbox.give_back(bought, "sold_out")
    db.session.commit()
    refunds.send(db.session.scalar(select(Refund.id)))
    db.session.commit()
    theirs(lambda moved: [one for one in moved if one.kind != "refund"])
    assert compared() == [("refund", "EUR -28.45", "")]


def test_a_refund_that_failed_and_came_back_is_no_money(bought, theirs):
    def bounced(moved):
        [payment] = moved
        went = replace(payment, id="txn_a", kind="refund", source="re_a", amount=Money(-500, "EUR"))
        return [payment, went, replace(went, id="txn_b", amount=Money(500, "EUR"))]

    theirs(bounced)
    assert compared() == []


def test_money_of_something_else_in_the_same_account_is_foreign(bought, theirs, monkeypatch):
    really = SandboxGateway.get_payment

    def other(self, payment):
        return replace(really(self, code), key="") if payment == "pi_other" else really(self, payment)

    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    db.session.rollback()
    monkeypatch.setattr(SandboxGateway, "get_payment", other)
    theirs(lambda moved: [*moved, replace(moved[0], id="txn_o", of="pi_other", source="pi_other")])
    assert compared() == []


def test_of_an_attempt_that_was_never_answered_somebody_is_told_once(mug, monkeypatch, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    told = []
    monkeypatch.setattr(reconcile, "alert", lambda kind, **facts: told.append((kind, facts)))
    pass_time(hours=25)
    for _time in range(3):
        reconcile.catch_up()
        db.session.commit()
        jobs.run_due()
        pass_time(minutes=3)
    assert told == [("never_answered", {"attempt": attempt})]


def test_what_moved_at_midnight_may_stand_in_the_other_day(bought, theirs, pass_time):
    day = today()
    theirs(lambda moved: [replace(one, at=one.at + timedelta(days=1)) for one in moved])
    assert compared(day) == []
    assert compared(day + timedelta(days=1)) == []


def test_nothing_is_put_right_and_what_shows_no_more_is_resolved(bought, theirs, pass_time):
    with pytest.MonkeyPatch.context() as odd:
        odd.setattr(SandboxGateway, "list_movements", lambda *_given: iter(()))
        assert len(compared()) == 1
        first = db.session.scalar(select(Difference.first_seen))
        pass_time(seconds=5)
        assert len(compared()) == 1
    row = db.session.scalar(select(Difference))
    assert (row.first_seen, row.last_seen > first) == (first, True)
    assert db.session.scalar(select(Payment.state)) == "paid"
    assert compared() == []
    assert db.session.scalar(select(Difference.resolved_at)) is not None


def test_who_looked_at_it_says_what_it_was_and_it_stays_until_it_shows_no_more(bought, theirs, noor):
    theirs(lambda _moved: [])
    compared()
    code = db.session.scalar(select(Difference.code))
    with pytest.raises(Refused):
        differences.note(code, "  ", by=noor.id)
    differences.note(code, "Asked Stripe: they are late.", by=noor.id)
    db.session.commit()
    assert (len(compared()), differences.unseen()) == (1, 0)
    [row], more = differences.leaf()
    assert (row.note, row.noted_by, more) == ("Asked Stripe: they are late.", "Noor", None)


def test_a_difference_that_changes_has_to_be_looked_at_anew(bought, theirs, noor):
    theirs(lambda _moved: [])
    compared()
    differences.note(db.session.scalar(select(Difference.code)), "They are late.", by=noor.id)
    db.session.commit()
    theirs(lambda moved: [replace(one, amount=Money(1, "EUR")) for one in moved])
    assert (compared(), differences.unseen()) == ([("payment", "EUR 28.45", "EUR 0.01")], 1)


def test_what_shows_no_more_cannot_be_noted(bought, theirs, noor):
    with pytest.raises(NotFound):
        differences.note("none", "words", by=noor.id)


def test_the_operator_is_mailed_of_differences_that_nobody_looked_at(app, bought, theirs, monkeypatch, letters):
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "ada@shop.example")
    theirs(lambda _moved: [])
    compared()
    db.session.rollback()
    assert [mail["Subject"] for mail in letters() if mail["To"] == "ada@shop.example"] == [
        "The payment company's books and ours differ"
    ]


def test_transfers_reversals_and_disputes_agree_too(app, mug, bought):
    share_out(bought)
    assert compared() == []
    kinds = {one.kind for one in moved_today()}
    assert kinds == {"payment", "refund", "transfer", "reversal", "dispute"}


def share_out(attempt):
    """Mina gets her share, a part goes back to the buyer and so from her, and then the bank asks for the rest."""
    code = db.session.scalar(select(PaymentAttempt.gateway_id).where(PaymentAttempt.id == attempt))
    order, profile = db.session.scalar(select(Order.id)), db.session.scalar(select(Transfer.profile_id))
    db.session.rollback()
    wish = {"key": "acct:1", "seller": "mina", "name": "Mina", "email": "mina@shop.example", "country": "NL"}
    account = gateways.payment().open_account(AccountRequest(**wish, is_business=True))
    gateways.sandbox().activate(account.id)
    now = clock.now()
    facts = {"profile_id": profile, "gateway": "sandbox", "gateway_id": account.id, "state": "active"}
    db.session.add(PayoutAccount(**facts, request={}, wanted=[], opened_at=now, changed_at=now))
    db.session.execute(update(Transfer).values(due_at=now))
    transfers.send_due()
    news()
    refunds.give(order, 845)
    news()
    db.session.rollback()
    gateways.sandbox().dispute(code)
    news()


def moved_today():
    db.session.rollback()
    return list(gateways.payment().list_movements(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)))


@pytest.mark.parametrize("kind", ["transfer", "reversal", "dispute"])
def test_what_only_they_moved_or_only_we_is_a_difference(app, mug, bought, theirs, kind):
    share_out(bought)
    theirs(lambda moved: [one for one in moved if one.kind != kind])
    assert [(which, gone) for which, _ours, gone in compared()] == [(kind, "")]


def test_a_ledger_that_says_otherwise_than_the_rows_is_a_difference(bought):
    entry = {"account": "gateway", "holder_id": 0, "purpose": "payment", "amount_currency": "EUR"}
    row = {**entry, "journal": "odd:1", "amount_minor": -100, "posted_at": clock.now()}
    db.session.execute(LedgerEntry.__table__.insert().values(row))
    db.session.commit()
    assert compared() == [("ledger", "EUR 28.45", "EUR 29.45"), ("ledger", "EUR 0.00", "EUR -1.00")]


# The clock


def test_each_day_is_compared_once_after_it_is_over(mug, monkeypatch):
    night = clock.now().replace(hour=1, minute=0)
    monkeypatch.setattr(clock, "now", lambda: night)
    reconcile.each_night()
    assert jobs.waiting(reconcile.hold_against) == []
    for hour, due in ((2, 1), (3, 1)):
        monkeypatch.setattr(clock, "now", lambda hour=hour: night.replace(hour=hour))
        reconcile.each_night()
        assert len(jobs.waiting(reconcile.hold_against)) == due
    monkeypatch.setattr(clock, "now", lambda: night.replace(hour=2) + timedelta(days=3))
    reconcile.each_night()
    days = {job["day"] for job in jobs.waiting(reconcile.hold_against)}
    assert days == {(night + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1, 2)}


def test_a_day_that_still_differs_is_compared_again(bought, theirs, monkeypatch):
    theirs(lambda _moved: [])
    day = today()
    compared()
    later = clock.now().replace(hour=4) + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    reconcile.each_night()
    assert {job["day"] for job in jobs.waiting(reconcile.hold_against)} == {
        day.isoformat(),
        (day + timedelta(days=1)).isoformat(),
    }


def test_a_gateway_that_is_away_costs_nothing_and_is_asked_again_from_there(mug, monkeypatch):
    reconcile.fetch_events()
    db.session.commit()
    before = db.session.scalar(select(Bookmark.at))

    def away(*_given):
        raise UnreachableError

    monkeypatch.setattr(SandboxGateway, "list_events", away)
    reconcile.fetch_events()
    db.session.commit()
    assert db.session.scalar(select(Bookmark.at)) == before


def test_a_call_that_never_came_is_fetched(mug):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    at_the_bank(attempt, "approved")
    db.session.execute(update(SandboxObject).where(SandboxObject.kind == "event").values(due_at=None))
    db.session.commit()
    reconcile.fetch_events()
    db.session.commit()
    jobs.run_due()
    assert db.session.scalar(select(Payment.state).execution_options(populate_existing=True)) == "paid"


# The command


def test_flask_reconcile_says_every_difference_and_ends_accordingly(app, bought, theirs):
    db.session.rollback()
    runner = app.test_cli_runner()
    fine = runner.invoke(args=["reconcile"])
    assert (fine.exit_code, fine.output.split(";")[0]) == (0, "0 differences")
    theirs(lambda _moved: [])
    found = runner.invoke(args=["reconcile", "--day", today().isoformat()])
    assert found.exit_code == 1
    assert "ours EUR 28.45, theirs -" in found.output
