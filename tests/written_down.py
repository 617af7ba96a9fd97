"""How tests look at what is written down of money, column by column, on a Tuesday on which nothing costs a fee."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from shop import (
    clock,
    disputes,
    refunds,
    reversals,
    transfers,
)
from shop.database import db
from shop.errors import Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import (
    TransferReport,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Event,
    Job,
    LedgerEntry,
    Seller,
    Transfer,
)
from shop.money import Money
from tests.bookkeeping import bought, payable

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
EUR_28_45 = Money(2845, "EUR")


@pytest.fixture(autouse=True)
def _a_cheap_tuesday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TUESDAY)
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


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
