"""What is written down when a share comes back, column by column; and what is said and told."""

# ruff: noqa: F811  (a fixture from `written_down` is an argument of the same name)
from datetime import timedelta

import pytest
from sqlalchemy import update

from shop import (
    clock,
    ledger,
    reversals,
    transfers,
)
from shop.database import db
from shop.gateways.payment_port import (
    RejectedError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.ledger import Entry, Journal
from shop.models import (
    Account,
    Job,
    Purchase,
    Reversal,
    Seller,
    Transfer,
)
from shop.money import Money
from tests.bookkeeping import bought, give
from tests.listening import listen
from tests.till import states
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
