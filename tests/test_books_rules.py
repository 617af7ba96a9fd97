"""Promise 8: the books, whatever happens: a machine that buys, gives back, disputes, sends and takes back.

It works through the real rules and the sandbox, with one to four sellers, and looks at everything after each step.
"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, func, select, update

from shop import (
    books,
    clock,
    disputes,
    gateways,
    jobs,
    ledger,
    notifications,
    refunds,
    reversals,
    settlement,
    transfers,
)
from shop import payments as paying
from shop.database import db, let_go
from shop.errors import Refused
from shop.gateways.payment_port import AccountRequest, DisputeReport, DisputeState, RefundReport, RefundStatus
from shop.models import (
    Dispute,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    PayoutAccount,
    Profile,
    Refund,
    RefundLine,
    RefundState,
    Reversal,
    SandboxObject,
    Transfer,
)
from shop.money import Money
from tests.cast import a_category, a_product, a_profile, a_seller, a_variant
from tests.till import placed

pytestmark = pytest.mark.usefixtures("at_the_desk")

PICKS = st.integers(0, 30)


def minor_of(column, *where):
    return int(db.session.scalar(select(func.coalesce(func.sum(column), 0)).where(*where)))


def balances():
    rows = select(LedgerEntry.account, func.sum(LedgerEntry.amount_minor)).group_by(LedgerEntry.account)
    return {account: int(minor) for account, minor in db.session.execute(rows)}


def at_the_gateway():
    """What the sandbox's own statement of account comes to, and what it does not know of: disputes are told to us."""
    moved = db.session.scalars(select(SandboxObject.body).where(SandboxObject.kind == "movement"))
    held = (Dispute.state != DisputeState.WON,)
    return sum(body["net"] for body in moved) - minor_of(Dispute.amount_minor, *held)


class Books(RuleBasedStateMachine):
    """One shop, opened anew for each run."""

    number = 0

    @initialize(sellers=st.integers(1, 4), rates=st.tuples(*[st.integers(0, 5000)] * 2), minor=st.integers(1, 9999))
    def open_up(self, sellers, rates, minor):
        Books.number += 1
        self.orders, self.told, self.variants = [], 0, []
        self.since, self.there = balances(), at_the_gateway()
        film = a_profile(f"film{Books.number}", "Kai")
        db.session.add(film)
        category = a_category(f"kind{Books.number}")
        for n in range(sellers):
            name = f"s{Books.number}-{n}"
            variant = a_variant(name, "Small", minor + 777 * n, 10**6)
            seller = a_seller(name, name, platform_rate=rates[0] if n else None)
            db.session.add(a_product(seller, name, name, [variant], category=category, creator_rate=rates[1]))
            self.variants.append(variant)
        db.session.flush()
        self.film = film.id
        self.variants = [variant.id for variant in self.variants]
        self.accounts = [self.open_account(profile) for profile in self.profiles(sellers)]
        db.session.commit()
        self.buy_these(self.variants, 2, is_shown=True)

    def profiles(self, sellers):
        names = [f"s{Books.number}-{n}" for n in range(sellers)]
        return [self.film, *db.session.scalars(select(Profile.id).where(Profile.handle.in_(names)))]

    def open_account(self, profile):
        db.session.commit()
        gateway = gateways.payment()
        asked = AccountRequest(f"acct:{profile}:{Books.number}", "s", "S", "s@example.com", "NL", is_business=True)
        code = gateway.open_account(asked).id
        gateway.activate(code)
        now = clock.now()
        row = {"profile_id": profile, "gateway": "sandbox", "request": {}, "gateway_id": code, "state": "active"}
        db.session.add(PayoutAccount(**row, wanted=[], opened_at=now, changed_at=now))
        return code

    # What people do

    @rule(picks=st.lists(PICKS, min_size=1, max_size=4), quantity=st.integers(1, 3), is_shown=st.booleans())
    def buy(self, picks, quantity, is_shown):
        self.buy_these([self.variants[pick % len(self.variants)] for pick in picks], quantity, is_shown=is_shown)

    def buy_these(self, variants, quantity, *, is_shown):
        wanted = dict.fromkeys(variants, quantity)
        creators = dict.fromkeys(wanted, self.film) if is_shown else None
        purchase, attempt = placed(wanted, "card", creators=creators)
        settlement.pay(attempt)
        db.session.commit()
        self.orders += list(db.session.scalars(select(Order.id).where(Order.purchase_id == purchase)))

    @precondition(lambda self: self.orders)
    @rule(
        pick=PICKS,
        per_cent=st.integers(-5, 120),
        is_line=st.booleans(),
        quantity=st.integers(0, 4),
        is_done=st.booleans(),
    )
    def give_back(self, pick, per_cent, is_line, quantity, is_done):
        order = self.orders[pick % len(self.orders)]
        left = sum(part.left.total for part in books.left(order))
        line = db.session.scalar(select(OrderLine.id).where(OrderLine.order_id == order))
        try:
            refunds.give(order, of={line: quantity}) if is_line else refunds.give(order, left * per_cent // 100)
            db.session.commit()
        except Refused:
            db.session.rollback()
        if is_done:
            self.work()

    @precondition(lambda self: self.orders)
    @rule(pick=PICKS, per_cent=st.integers(1, 100), end=st.sampled_from([DisputeState.WON, DisputeState.LOST]))
    def dispute(self, pick, per_cent, end):
        """A bank asks for it, and once in a while it has decided already."""
        order = db.session.get_one(Order, self.orders[pick % len(self.orders)])
        payment = db.session.scalars(select(Payment).where(Payment.purchase_id == order.purchase_id)).one()
        if db.session.scalar(select(Dispute.id).where(Dispute.payment_id == payment.id)):
            return
        paid_as = db.session.scalar(select(PaymentAttempt.gateway_id).where(PaymentAttempt.payment_id == payment.id))
        self.told += 1
        amount = Money(max(1, payment.amount_minor * per_cent // 100), "EUR")
        state = end if per_cent % 3 == 0 else DisputeState.OPEN
        disputes.apply(DisputeReport(f"du_{Books.number}_{self.told}", paid_as, amount, state, "fraudulent"))
        db.session.commit()

    @rule(end=st.sampled_from([DisputeState.WON, DisputeState.LOST]))
    def decide(self, end):
        row = db.session.scalar(
            select(Dispute).where(Dispute.state == "open", Dispute.gateway_id.startswith(f"du_{Books.number}_"))
        )
        if row is not None:
            paid_as = db.session.get_one(PaymentAttempt, row.attempt_id).gateway_id
            disputes.apply(DisputeReport(row.gateway_id, paid_as, row.amount, end, "fraudulent"))
            db.session.commit()

    @precondition(lambda self: self.orders)
    @rule(pick=PICKS)
    def time_passes_for(self, pick):
        order = self.orders[pick % len(self.orders)]
        waits = (Transfer.order_id == order, Transfer.state == "waiting")
        past = clock.now() - timedelta(seconds=1)
        db.session.execute(update(Transfer).where(*waits).values(due_at=past))
        for transfer in list(db.session.scalars(select(Transfer.id).where(*waits))):
            transfers.send(transfer)
            db.session.commit()

    @rule(pick=PICKS)
    def take_it_all_out(self, pick):
        let_go()
        gateways.payment().pay_out(self.accounts[pick % len(self.accounts)])

    @rule()
    def try_what_is_owed_again(self):
        owed = (Reversal.state == "owed", Reversal.is_callable)
        db.session.execute(update(Reversal).where(*owed).values(due_at=clock.now() - timedelta(seconds=1)))
        reversals.call_due()
        self.work()

    @precondition(lambda self: self.orders)
    @rule(is_sent_again=st.booleans())
    def a_refund_fails(self, is_sent_again):
        done = select(Refund).where(Refund.state == RefundState.DONE, Refund.order_id.in_(self.orders))
        row = db.session.scalar(done.order_by(Refund.id.desc()))
        if row is None:
            return
        refund, code, amount = row.id, row.gateway_id, row.amount
        let_go()
        gateways.payment().fail_refund(code)
        refunds.apply(RefundReport(code, amount, RefundStatus.FAILED))
        db.session.commit()
        if is_sent_again:
            refunds.send_again(refund)
            self.work()

    @rule()
    def work(self):
        db.session.commit()
        while jobs.run_due():
            pass
        db.session.expire_all()

    # What must be true, whatever they did

    @invariant()
    def the_books_balance(self):
        if not getattr(self, "orders", None):
            return
        now = {account: minor - self.since.get(account, 0) for account, minor in balances().items()}
        assert sum(now.values()) == 0
        self.no_more_goes_back_than_came()
        self.nobody_has_more_than_their_share()
        assert -now["gateway"] == at_the_gateway() - self.there
        db.session.rollback()

    def no_more_goes_back_than_came(self):
        paid = select(Payment).join(Order, Order.purchase_id == Payment.purchase_id).where(Order.id.in_(self.orders))
        for payment in db.session.scalars(paid.distinct()):
            back = minor_of(
                RefundLine.amount_minor, RefundLine.order_id == Order.id, Order.purchase_id == payment.purchase_id
            )
            assert back == payment.given_back_minor <= payment.amount_minor
            assert 0 <= payment.refunded_minor <= payment.given_back_minor
            assert ledger.balance("buyer", payment.purchase_id) == self.owed_to_the_buyer(payment.id)

    def owed_to_the_buyer(self, payment):
        waiting = (Refund.payment_id == payment, Refund.state.in_((RefundState.WANTED, RefundState.FAILED)))
        return minor_of(Refund.amount_minor, *waiting)

    def nobody_has_more_than_their_share(self):
        open_ = Reversal.amount_minor - Reversal.netted_minor
        for row in db.session.scalars(select(Transfer).where(Transfer.order_id.in_(self.orders))):
            mine = (LedgerEntry.order_id == row.order_id, LedgerEntry.account == row.account)
            mine += (LedgerEntry.holder_id == row.holder_id,)
            share = minor_of(LedgerEntry.amount_minor, *mine, LedgerEntry.purpose == "sale")
            sent = minor_of(LedgerEntry.amount_minor, *mine, LedgerEntry.purpose.in_(("transfer", "untransfer")))
            assert 0 <= -sent == row.amount.minor <= share
            owed = minor_of(open_, Reversal.transfer_id == row.id, Reversal.state.in_(("wanted", "owed")))
            balance = ledger.balance(row.account, row.holder_id, row.order_id)
            assert balance >= -owed
            if row.state == "done":
                assert balance == -owed


@pytest.fixture
def in_a_hurry(app, monkeypatch):
    """No letters, no calls, and no waiting for the disk: what is tried here is the sums."""
    monkeypatch.setattr(paying, "expect_events", lambda: None)
    monkeypatch.setattr(notifications, "_send", lambda _letter: None)
    for quiet in ("shop.purchases.confirm", "shop.purchases.tell_of_refund", "shop.refunds.tell_staff"):
        monkeypatch.setitem(jobs._handlers, quiet, lambda **_given: None)
    engine = app.extensions["shop.engines"]["write"]
    hasty = "PRAGMA synchronous = OFF" if engine.dialect.name == "sqlite" else "SET synchronous_commit = off"

    def hurry(connection, _record):
        connection.cursor().execute(hasty)

    db.session.rollback()
    engine.dispose()
    event.listen(engine, "connect", hurry)
    yield
    event.remove(engine, "connect", hurry)
    db.session.rollback()
    engine.dispose()


def tried(runs):
    """So many runs; gives how many there were."""
    Books.number = 0
    calm = settings(
        max_examples=runs,
        stateful_step_count=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Books, settings=calm)
    assert ledger.odd() == []
    return Books.number


def test_the_books_balance_whatever_happens(in_a_hurry):
    assert tried(8) >= 8


@pytest.mark.faults
@pytest.mark.slow
def test_the_books_balance_in_two_thousand_runs(app, in_a_hurry, promise):
    runs, name = tried(1000), app.extensions["shop.engines"]["write"].dialect.name
    figure = f"{runs} runs, every journal 0, no refund above its charge"
    promise("8", f"money adds up, {name}", figure, "1,000 runs on each of the two databases", runs >= 1000)
