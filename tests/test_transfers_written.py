"""What is written down when a share leaves, column by column; and what is said and told."""

# ruff: noqa: F811  (a fixture from `written_down` is an argument of the same name)
from dataclasses import asdict
from datetime import timedelta

import pytest

from shop import (
    clock,
    transfers,
)
from shop.database import db
from shop.gateways.payment_port import (
    RejectedError,
    TransferRequest,
    UnreachableError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Order,
    PaymentAttempt,
    PayoutAccount,
    Seller,
    Transfer,
    TransferState,
)
from shop.money import Money
from tests.bookkeeping import bought, payable, payable_profile
from tests.till import payment_of, states
from tests.written_down import (  # noqa: F401
    TUESDAY,
    _a_cheap_tuesday,
    alerts,
    due,
    entries,
    heard_of_transfers,
    jobs_for,
    only,
    raising,
    rows,
)

pytestmark = pytest.mark.usefixtures("at_the_desk")


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
