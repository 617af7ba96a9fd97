"""What is written down when money goes back, leaves or is asked back, column by column; and what is said and told."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from flask import current_app
from sqlalchemy import select, update

from shop import (
    books,
    clock,
    disputes,
    gateways,
    ledger,
    notifications,
    refunds,
    reversals,
    transfers,
    wallet,
)
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import (
    DisputeReport,
    DisputeState,
    RefundReport,
    RefundStatus,
    RejectedError,
    TransferReport,
    TransferRequest,
    UnreachableError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.ledger import Entry, Journal, UnbalancedError
from shop.models import (
    Account,
    Dispute,
    Event,
    GatewayCustomer,
    Job,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    PayoutAccount,
    Product,
    Purchase,
    Refund,
    RefundLine,
    Reversal,
    SavedMethod,
    Seller,
    Transfer,
    TransferState,
)
from shop.money import Money
from tests.bookkeeping import bought, give, order_of, payable, payable_profile
from tests.cast import a_profile
from tests.listening import listen
from tests.till import news, payment_of, placed, states

pytestmark = pytest.mark.usefixtures("at_the_desk")

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
EUR_28_45 = Money(2845, "EUR")


@pytest.fixture(autouse=True)
def _a_cheap_tuesday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TUESDAY)
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


@pytest.fixture
def kais(mug):
    """Kai, whose clips lead to mugs, and who has a tenth of what they bring; gives his profile."""
    profile = a_profile("kai", "Kai")
    db.session.add(profile)
    db.session.get(Product, mug.id).creator_rate = 1000
    db.session.commit()
    return profile.id


@pytest.fixture
def alerts(monkeypatch):
    """`(kind, facts)` of what the operator is told."""
    told = []
    for room in (refunds, transfers, reversals, disputes):
        monkeypatch.setattr(room, "alert", lambda kind, **facts: told.append((kind, facts)))
    return told


def rows(table, *left_out):
    found = db.session.execute(select(table.__table__).order_by(*table.__table__.primary_key)).all()
    return [{name: value for name, value in row._mapping.items() if name not in ("id", *left_out)} for row in found]


def jobs_for(handler):
    name = f"{handler.__module__}.{handler.__name__}"
    return [job.arguments for job in db.session.scalars(select(Job).where(Job.handler == name).order_by(Job.id))]


def events(subject):
    kept = rows(Event, "subject_id")
    return [(one["was"], one["became"], one["note"], one["user_id"]) for one in kept if one["subject"] == subject]


def entries(like):
    kept = select(LedgerEntry).where(LedgerEntry.journal.like(like)).order_by(LedgerEntry.id)
    names = ("journal", "account", "holder_id", "purpose", "order_id", "amount_minor")
    return [tuple(getattr(row, name) for name in names) for row in db.session.scalars(kept)]


def refusal(call, *given, **more):
    with pytest.raises(Refused) as no:
        call(*given, **more)
    db.session.rollback()
    return type(no.value), no.value.words, no.value.status


def raising(error):
    def ask(*_given, **_more):
        raise error

    return ask


def only(table):
    return db.session.scalars(select(table).execution_options(populate_existing=True)).one()


# Refunds


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


# Transfers


def test_a_share_that_waits_is_written_whole(mug, kais):
    _purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    seller = only(Seller)
    last = db.session.get(Order, order).deliver_until
    assert last == TUESDAY + timedelta(days=3)
    waiting = {
        "order_id": order,
        "state": "waiting",
        "due_at": last + timedelta(days=14),
        "amount_minor": 0,
        "amount_currency": "EUR",
        "tries": 0,
        "request": None,
        "gateway_id": None,
        "last_error": "",
        "changed_at": TUESDAY,
    }
    assert rows(Transfer) == [
        {**waiting, "account": "seller", "holder_id": seller.id, "profile_id": seller.profile_id},
        {**waiting, "account": "creator", "holder_id": kais, "profile_id": kais},
    ]


def test_a_share_is_asked_for_exactly_as_it_is_written_down(mug, kais, monkeypatch):
    payable(only(Seller).id)
    payable_profile(kais)
    purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    later = TUESDAY + timedelta(days=18)
    monkeypatch.setattr(clock, "now", lambda: later)
    asked = heard_of_transfers(monkeypatch)
    sent = states(Transfer.id)
    for transfer in (*sent, *sent, 404):
        transfers.send(transfer)
        db.session.commit()
    paid_as, accounts = only(PaymentAttempt).gateway_id, states(PayoutAccount.gateway_id)
    same = {"payment": paid_as, "group": f"co:{purchase}", "order": db.session.get(Order, order).code}
    expected = [
        TransferRequest(key=f"co:{purchase}:transfer:{order}", account=accounts[0], amount=Money(2477, "EUR"), **same),
        TransferRequest(
            key=f"co:{purchase}:transfer:{order}:{kais}", account=accounts[1], amount=Money(245, "EUR"), **same
        ),
    ]
    assert asked == expected
    names = ("state", "amount_minor", "tries", "request", "gateway_id", "last_error", "changed_at")
    assert [tuple(row[name] for name in names) for row in rows(Transfer)] == [
        ("done", request.amount.minor, 1, asdict(request), f"tr_{n}", "", later)
        for n, request in enumerate(expected, 1)
    ]
    assert entries("transfer:%") == [
        (f"transfer:{sent[0]}:1", "seller", only(Seller).id, "transfer", order, -2477),
        (f"transfer:{sent[0]}:1", "gateway", 0, "transfer", order, 2477),
        (f"transfer:{sent[1]}:1", "creator", kais, "transfer", order, -245),
        (f"transfer:{sent[1]}:1", "gateway", 0, "transfer", order, 245),
    ]


def heard_of_transfers(monkeypatch):
    """The gateway sends whatever it is asked for; gives the list of what that was."""
    asked = []

    def send(_self, request):
        asked.append(request)
        return TransferReport(f"tr_{len(asked)}", request.amount)

    monkeypatch.setattr(SandboxGateway, "transfer", send)
    return asked


def due(mug, monkeypatch, days=18):
    """Mina's share of one small mug, of which the day has come; gives the order and the transfer."""
    payable(only(Seller).id)
    _purchase, order = bought({mug.small: 1})
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(days=days))
    return order, only(Transfer).id


def test_a_share_that_is_turned_down_waits_for_tomorrow_and_says_why(mug, monkeypatch, alerts):
    order, transfer = due(mug, monkeypatch)
    code = "x" * 81
    monkeypatch.setattr(SandboxGateway, "transfer", raising(RejectedError(code)))
    transfers.send(transfer)
    row = only(Transfer)
    assert alerts == [("transfer_failed", {"transfer": transfer, "code": code})]
    assert (row.state, row.amount_minor, row.last_error, row.tries) == ("waiting", 0, "x" * 80, 1)
    assert (row.due_at, row.changed_at) == (clock.now() + timedelta(days=1), clock.now())
    assert entries("untransfer:%") == [
        (f"untransfer:{transfer}:1", "seller", only(Seller).id, "untransfer", order, 2722),
        (f"untransfer:{transfer}:1", "gateway", 0, "untransfer", order, -2722),
    ]


@pytest.mark.parametrize(
    ("since", "asked", "told"),
    [
        (transfers.QUIET, False, False),
        (transfers.QUIET + timedelta(seconds=1), True, False),
        (transfers.KEYS_LAST, True, False),
        (transfers.KEYS_LAST + timedelta(seconds=1), False, True),
    ],
)
def test_the_clock_asks_again_while_the_key_lasts_and_tells_after_that(mug, monkeypatch, alerts, since, asked, told):
    _order, transfer = due(mug, monkeypatch)
    row = only(Transfer)
    row.state, row.changed_at = TransferState.SENDING, clock.now() - since
    db.session.flush()
    transfers.send_due()
    assert jobs_for(transfers.send) == ([{"transfer": transfer}] if asked else [])
    assert alerts == ([("never_answered", {"transfer": transfer})] if told else [])


def test_a_share_is_due_from_the_very_moment_on(mug, monkeypatch):
    _order, transfer = due(mug, monkeypatch)
    at = only(Transfer).due_at
    monkeypatch.setattr(clock, "now", lambda: at - timedelta(seconds=1))
    transfers.send_due()
    assert jobs_for(transfers.send) == []
    monkeypatch.setattr(clock, "now", lambda: at)
    transfers.send_due()
    assert jobs_for(transfers.send) == [{"transfer": transfer}]


def test_what_was_written_down_is_sent_again_until_the_last_moment_of_its_key(mug, monkeypatch):
    _order, transfer = due(mug, monkeypatch)
    with monkeypatch.context() as deaf:
        deaf.setattr(SandboxGateway, "transfer", raising(UnreachableError()))
        with pytest.raises(UnreachableError):
            transfers.send(transfer)
    written, since = only(Transfer).request, clock.now()
    db.session.commit()
    asked = heard_of_transfers(monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: since + transfers.KEYS_LAST + timedelta(seconds=1))
    transfers.send(transfer)
    assert (asked, only(Transfer).state) == ([], "sending")
    monkeypatch.setattr(clock, "now", lambda: since + transfers.KEYS_LAST)
    transfers.send(transfer)
    assert ([asdict(request) for request in asked], only(Transfer).state) == ([written], "done")


def test_shares_of_what_arrives_late_leave_later_and_never_sooner(mug, lamp):
    _purchase, order = bought({mug.small: 1, lamp.oak: 1})
    was = states(Transfer.due_at)
    transfers.not_before(order, was[0] - timedelta(days=1))
    assert states(Transfer.due_at) == was
    transfers.not_before(order, was[0] + timedelta(days=1))
    assert states(Transfer.due_at) == [was[0] + timedelta(days=1), was[1]]


def test_a_share_can_be_looked_up_with_its_order_and_payment(mug):
    purchase, order = bought({mug.small: 1})
    row = transfers.looked_up(only(Transfer).id)
    assert (row.code, row.purchase_id, row.payment_id) == (
        db.session.get(Order, order).code,
        purchase,
        payment_of(purchase),
    )
    assert (row.paid_as, transfers.looked_up(404)) == (only(PaymentAttempt).gateway_id, None)


# Reversals


def sent(mug, monkeypatch):
    order, transfer = due(mug, monkeypatch)
    heard_of_transfers(monkeypatch)
    transfers.send(transfer)
    db.session.commit()
    return order, transfer


def test_what_has_to_come_back_is_written_whole_and_asked_for_by_its_key(mug, monkeypatch):
    order, transfer = sent(mug, monkeypatch)
    refund = give(order, 1000)
    [row] = rows(Reversal)
    key = f"ret:{refund}:reversal:{order}"
    assert row == {
        "transfer_id": transfer,
        "cause": f"ret:{refund}",
        "is_callable": True,
        "state": "wanted",
        "amount_minor": 957,
        "amount_currency": "EUR",
        "netted_minor": 0,
        "tries": 1,
        "key": key,
        "due_at": clock.now(),
    }
    reversal, asked = only(Reversal).id, []
    assert jobs_for(reversals.reverse) == [{"reversal": reversal}]
    monkeypatch.setattr(
        SandboxGateway,
        "reverse_transfer",
        lambda _self, code, amount, *, key: asked.append((code, amount, key)),
    )
    for number in (reversal, reversal, 404):
        reversals.reverse(number)
        db.session.commit()
    assert asked == [("tr_1", Money(957, "EUR"), key)]
    assert (only(Reversal).state, reversals.came_back(transfer)) == ("done", 957)
    assert entries("reversal:%") == [
        (f"reversal:{reversal}", "seller", only(Seller).id, "reversal", order, 957),
        (f"reversal:{reversal}", "gateway", 0, "reversal", order, -957),
    ]
    row = reversals.looked_up(reversal)
    assert (row.gateway_id, row.order_id, row.sent, reversals.looked_up(404)) == ("tr_1", order, "done", None)


def test_what_does_not_come_back_is_owed_and_asked_for_tomorrow(mug, monkeypatch):
    order, _transfer = sent(mug, monkeypatch)
    refund = give(order, 1000)
    reversal = only(Reversal).id
    monkeypatch.setattr(SandboxGateway, "reverse_transfer", raising(RejectedError("balance_insufficient")))
    told = listen(monkeypatch, reversals)
    reversals.reverse(reversal)
    db.session.commit()
    assert told == [
        {
            "event": "a transfer cannot be taken back: it is owed",
            "reversal": reversal,
            "code": "balance_insufficient",
            "log_level": "warning",
        }
    ]
    row, now = only(Reversal), clock.now()
    assert (row.state, row.due_at, row.key) == (
        "owed",
        now + timedelta(days=1),
        f"ret:{refund}:reversal:{order}",
    )
    before = len(jobs_for(reversals.reverse))
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=23, minutes=59))
    reversals.call_due()
    assert len(jobs_for(reversals.reverse)) == before
    for day in (1, 2):
        monkeypatch.setattr(clock, "now", lambda day=day: now + timedelta(days=day))
        db.session.execute(update(Reversal).values(state="owed"))
        db.session.expire_all()
        reversals.call_due()
        row = only(Reversal)
        assert (row.state, row.tries, row.due_at) == ("wanted", day + 1, clock.now())
        assert row.key == f"ret:{refund}:reversal:{order}:n{day + 1}"
        assert jobs_for(reversals.reverse)[-1] == {"reversal": reversal}


@pytest.mark.parametrize(("late", "told"), [(timedelta(0), False), (timedelta(seconds=1), True)])
def test_a_reversal_is_asked_for_while_its_key_lasts_and_told_of_after_that(mug, monkeypatch, alerts, late, told):
    order, _transfer = sent(mug, monkeypatch)
    give(order, 1000)
    reversal, since, asked = only(Reversal).id, clock.now(), []
    db.session.execute(Job.__table__.delete())
    monkeypatch.setattr(SandboxGateway, "reverse_transfer", lambda *_given, **_more: asked.append(1))
    monkeypatch.setattr(clock, "now", lambda: since + reversals.KEYS_LAST + late)
    reversals.call_due()
    assert jobs_for(reversals.reverse) == ([] if told else [{"reversal": reversal}])
    assert alerts == ([("never_answered", {"reversal": reversal})] if told else [])
    db.session.commit()
    reversals.reverse(reversal)
    assert asked == ([] if told else [1])


def test_a_debt_is_kept_from_the_next_share_and_both_orders_say_so(mug, monkeypatch):
    order, _transfer = sent(mug, monkeypatch)
    give(order, 1000)
    monkeypatch.setattr(SandboxGateway, "reverse_transfer", raising(RejectedError("no")))
    reversals.reverse(only(Reversal).id)
    db.session.commit()
    _purchase, second = bought({mug.small: 1})
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(days=40))
    transfers.send(states(Transfer.id)[1])
    debt, seller = only(Reversal), only(Seller).id
    assert (debt.state, debt.netted_minor) == ("done", 957)
    assert entries("netted:%") == [
        (f"netted:{debt.id}:0", "seller", seller, "netted", second, -957),
        (f"netted:{debt.id}:0", "seller", seller, "netted_off", order, 957),
    ]
    assert states(Transfer.amount_minor) == [2722, 2722 - 957]


def test_more_than_was_sent_can_only_be_netted(mug, monkeypatch):
    order, transfer = due(mug, monkeypatch)
    give(order, 1000)
    heard_of_transfers(monkeypatch)
    transfers.send(transfer)
    ledger.post(
        Journal(
            "more:1",
            "EUR",
            [
                Entry(Account.SELLER, -2000, "sale", only(Seller).id, order),
                Entry(Account.BUYER, 2000, "sale", only(Purchase).id, order),
            ],
        )
    )
    reversals.take_back(order, "ret:9")
    owed = [(row["amount_minor"], row["is_callable"], row["state"], row["key"]) for row in rows(Reversal)]
    assert owed == [
        (1765, True, "wanted", f"ret:9:reversal:{order}"),
        (235, False, "owed", f"ret:9:reversal:{order}:rest"),
    ]
    reversals.take_back(order, "ret:10")
    assert len(rows(Reversal)) == 2
    reversals.drop(transfer)
    assert states(Reversal.state) == ["dropped", "owed"]


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


# The wallet


def test_what_can_be_paid_with_is_offered_by_its_name(mug, noor, monkeypatch):
    ways = ("ideal", "bancontact", "wallet", "card", "other", "klarna", "sepa")
    names = {"sepa": "SEPA"}
    monkeypatch.setitem(current_app.config, "PAYMENT_METHODS", tuple((way, names.get(way, "")) for way in ways))
    plain = [
        wallet.Method("ideal", "iDEAL | Wero"),
        wallet.Method("bancontact", "Bancontact"),
        wallet.Method("card", "Card"),
        wallet.Method("other", "Other ways to pay"),
        wallet.Method("klarna", "klarna"),
        wallet.Method("sepa", "SEPA"),
    ]
    tests = [
        wallet.Method("card_declined", "Test: the bank declines the card", is_test=True),
        wallet.Method("insufficient_funds", "Test: not enough money on the card", is_test=True),
        wallet.Method("authentication_required", "Test: the bank asks for a confirmation", is_test=True),
        wallet.Method("slow_success", "Test: takes a while, then works", is_test=True),
        wallet.Method("slow_failure", "Test: takes a while, then fails", is_test=True),
    ]
    assert wallet.methods() == plain + tests
    plain[2] = wallet.Method("card", "Card", can_be_saved=True)
    assert wallet.methods(noor.id) == plain + tests
    row = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=TUESDAY, **row))
    db.session.flush()
    hers = wallet.methods(noor.id)
    assert (hers[0], hers[0].is_kept, hers[1:]) == (wallet.Method("saved:hers", "Visa 4242"), True, plain + tests)
    monkeypatch.setattr(SandboxGateway, "publishable_key", "pk_test_1")
    plain[2] = wallet.Method("card", "Card", fields="card")
    plain.insert(2, wallet.Method("wallet", "Apple Pay, Google Pay", fields="wallet"))
    assert wallet.methods() == plain + tests
    monkeypatch.setattr(gateways, "sandbox", lambda: None)
    assert wallet.methods() == plain


def test_who_is_introduced_is_written_whole_and_who_cannot_be_is_told_of(noor, monkeypatch):
    asked = []
    with monkeypatch.context() as deaf:
        deaf.setattr(SandboxGateway, "open_customer", raising(UnreachableError("away")))
        told = listen(deaf, wallet)
        wallet.introduce(noor.id)
    assert told == [
        {
            "event": "the gateway does not take somebody in",
            "error": repr(UnreachableError("away")),
            "log_level": "warning",
        }
    ]
    monkeypatch.setattr(
        SandboxGateway,
        "open_customer",
        lambda _self, name, email, *, key: asked.append((name, email, key)) or "cus_1",
    )
    for who in (noor.id, noor.id, 404):
        wallet.introduce(who)
    assert asked == [(f"user:{noor.id}", "noor@example.com", f"user:{noor.id}:customer")]
    assert rows(GatewayCustomer) == [
        {"user_id": noor.id, "gateway": "sandbox", "gateway_id": "cus_1", "created_at": TUESDAY}
    ]


def test_what_is_forgotten_is_asked_for_until_the_gateway_answers(noor, monkeypatch):
    row = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=TUESDAY, **row))
    db.session.flush()
    with pytest.raises(NotFound, match=r"^This is not kept any more\.$"):
        wallet.forget(noor.id, "his")
    wallet.forget(noor.id, "hers")
    kept = only(SavedMethod)
    assert (kept.name, kept.forgotten_at) == ("", TUESDAY)
    card, person = {"gateway": "sandbox", "method": "pm_hers"}, {"gateway": "sandbox", "customer": "cus_1"}
    assert jobs_for(wallet.forget_at_gateway) == [card]
    monkeypatch.setattr(SandboxGateway, "forget_method", raising(UnreachableError("away")))
    monkeypatch.setattr(SandboxGateway, "forget_customer", raising(UnreachableError("away")))
    told = listen(monkeypatch, wallet)
    db.session.commit()
    wallet.forget_at_gateway(**card)
    db.session.commit()
    wallet.forget_customer_at_gateway(**person)
    away = {
        "event": "the gateway does not forget yet",
        "error": repr(UnreachableError("away")),
        "log_level": "warning",
    }
    assert told == [{**away, "what": "forget_method"}, {**away, "what": "forget_customer"}]
    assert jobs_for(wallet.forget_at_gateway) == [card, card]
    assert jobs_for(wallet.forget_customer_at_gateway) == [person]
    assert states(Job.run_at) == [TUESDAY, TUESDAY + timedelta(hours=1), TUESDAY + timedelta(hours=1)]
