"""Payouts: where a seller's and a creator's shares go to, and how they stand with the shop.

Everybody who is paid has an account with the gateway, one for each window: it asks who they are, keeps their bank
account, and says when money may be sent there. We keep its id and what it said last.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Row, and_, bindparam, case, exists, func, or_, select, update

from shop import clock, gateways, jobs, turn
from shop.alerts import alert
from shop.countries import HOME
from shop.database import connection, first, insert, let_go, rows
from shop.errors import NotFound
from shop.gateways.payment_port import (
    AccountReport,
    AccountRequest,
    AccountState,
    GatewayError,
    RejectedError,
)
from shop.i18n import _
from shop.models import (
    Account,
    Address,
    BankAccount,
    BankState,
    Dispute,
    LedgerEntry,
    Order,
    Payment,
    PayoutAccount,
    Profile,
    Seller,
    SellerKind,
    Transfer,
    TransferState,
    User,
    Vetting,
)
from shop.newcomers import is_too_early

log = structlog.get_logger()

accounts, profiles, sellers = PayoutAccount.__table__, Profile.__table__, Seller.__table__
users, addresses = User.__table__, Address.__table__
entries, transfers, disputes = LedgerEntry.__table__, Transfer.__table__, Dispute.__table__
orders, payments, banks = Order.__table__, Payment.__table__, BankAccount.__table__

_now = bindparam("now", type_=transfers.c.due_at.type)
_is_in_frost = and_(
    banks.c.seller_id == sellers.c.id,
    banks.c.state.in_((BankState.CURRENT, BankState.WAITING)),
    banks.c.frozen_until > _now,
)
_MINE = (
    select(
        profiles.c.id,
        profiles.c.handle,
        profiles.c.name,
        sellers.c.id.label("seller"),
        *sellers.c["kind", "vetting", "payouts_stopped_at", "tax_stopped_at"],
        func.coalesce(func.nullif(sellers.c.legal_name, ""), profiles.c.name).label("called"),
        func.coalesce(func.nullif(sellers.c.email, ""), users.c.email).label("email"),
        func.coalesce(sellers.c.country, addresses.c.country, HOME).label("country"),
        accounts.c.id.label("account"),
        accounts.c.gateway_id,
        accounts.c.state,
        accounts.c.wanted,
        select(func.max(banks.c.frozen_until)).where(_is_in_frost).scalar_subquery().label("frozen_until"),
    )
    .join(users, users.c.id == profiles.c.user_id)
    .outerjoin(sellers, sellers.c.profile_id == profiles.c.id)
    .outerjoin(addresses, addresses.c.user_id == users.c.id)
    .outerjoin(accounts, and_(accounts.c.profile_id == profiles.c.id, accounts.c.gateway == bindparam("gateway")))
    .where(profiles.c.user_id == bindparam("person"))
)
_ACCOUNT = select(accounts).where(accounts.c.id == bindparam("account"))
_BY_ID = select(accounts).where(accounts.c.gateway == bindparam("gateway"), accounts.c.gateway_id == bindparam("id"))
_UNSURE = select(accounts.c.gateway_id).where(
    accounts.c.gateway == bindparam("gateway"),
    accounts.c.gateway_id.is_not(None),
    accounts.c.state != AccountState.ACTIVE,
)

# Whose share may leave the shop: nobody's whose shop was stopped, or whose account was closed.
is_stopped = exists().where(
    sellers.c.profile_id == transfers.c.profile_id,
    or_(
        sellers.c.vetting == Vetting.SUSPENDED,
        sellers.c.payouts_stopped_at.is_not(None),
        sellers.c.tax_stopped_at.is_not(None),
    ),
)
# Nor that of who has changed where it goes to, for a week: time for its owner to say that it was somebody else.
is_frozen = exists().where(sellers.c.profile_id == transfers.c.profile_id, _is_in_frost)
is_gone = exists().where(profiles.c.id == transfers.c.profile_id, users.c.id == profiles.c.user_id, ~users.c.is_active)
# Only the money that the bank asks back is held: that of this purchase, while it has not decided.
is_disputed = (
    exists()
    .where(disputes.c.payment_id == payments.c.id, disputes.c.state == "open")
    .where(payments.c.purchase_id == orders.c.purchase_id, orders.c.id == transfers.c.order_id)
)


class Payee(NamedTuple):
    """Somebody who is paid, and how their account with the gateway stands; `account` is None before it is opened."""

    profile: int
    handle: str
    name: str
    seller: int | None
    account: int | None
    gateway_id: str | None
    state: str
    wanted: tuple[str, ...]
    vetting: str  # empty of who sells nothing
    frozen_until: datetime | None = None  # nothing is sent before, because the bank account was changed
    is_held: bool = False  # two people have stopped their payouts
    lacks_tax: bool = False  # their payouts wait for their tax details

    @property
    def has_sold(self) -> bool:
        """May they sell, or could they before they were stopped? Then the books of it are theirs to see."""
        return self.vetting in (Vetting.APPROVED, Vetting.SUSPENDED)

    @property
    def is_stopped(self) -> bool:
        """Did somebody stop their sales? Then nothing is paid meanwhile."""
        return self.vetting == Vetting.SUSPENDED


class Standing(NamedTuple):
    """What somebody has coming, in minor units: it may leave now, it waits, it has left; and what they owe."""

    payable: int
    on_hold: int
    paid_out: int
    owed: int


def payee(person: int) -> Payee:
    """This person's window and account; `NotFound` for who has no window."""
    row = _mine(person)
    return Payee(
        row.id,
        row.handle,
        row.name,
        row.seller,
        row.account,
        row.gateway_id,
        row.state or "",
        tuple(row.wanted or ()),
        row.vetting or "",
        row.frozen_until,
        row.payouts_stopped_at is not None,
        row.tax_stopped_at is not None,
    )


def _mine(person: int) -> Row[Any]:
    row = first(_MINE, person=person, gateway=gateways.payment().name, now=clock.now())
    if row is None:
        raise NotFound(_("There is nothing here to be paid for."))
    return row


# The account with the gateway


def open_account(person: int) -> int:
    """Write down that this person wants to be paid, with all that the gateway will be told; gives the account's id.

    After the commit, `introduce` it. Asking again changes nothing, unless the gateway turned it down: then it is told
    what is so by now, with another key, since a refusal is remembered with the old one.
    """
    mine, gateway = _mine(person), gateways.payment().name
    if mine.account is not None:
        if mine.gateway_id is None and mine.wanted:
            _renew(_account(mine.account), mine, gateway)
        return int(mine.account)
    row = {
        "profile_id": mine.id,
        "gateway": gateway,
        "request": _request(mine, f"acct:{mine.id}:{gateway}:1"),
        "state": AccountState.PENDING,
        "wanted": [],
        "opened_at": clock.now(),
        "changed_at": clock.now(),
    }
    connection().execute(insert(accounts).values(row).on_conflict_do_nothing())
    return int(_mine(person).account)


def _request(mine: Row[Any], key: str) -> dict[str, Any]:
    return {
        "key": key,
        "seller": mine.handle,
        "name": mine.called,
        "email": mine.email,
        "country": mine.country,
        "is_business": mine.kind in (SellerKind.BUSINESS, SellerKind.BRAND),
    }


def _renew(row: Row[Any], mine: Row[Any], gateway: str) -> None:
    number = row.request["key"].removeprefix(f"acct:{mine.id}:{gateway}").removeprefix(":") or "1"
    request = _request(mine, f"acct:{mine.id}:{gateway}:{int(number) + 1}")
    same = (accounts.c.id == row.id, accounts.c.gateway_id.is_(None), accounts.c.changed_at == row.changed_at)
    anew = {"request": request, "wanted": [], "changed_at": clock.now()}
    connection().execute(update(accounts).where(*same).values(**anew))


def introduce(account: int) -> None:
    """Open the account with the gateway, once, and keep what it says; it ends the present transaction first.

    That it was turned down is kept too (commit it): its own word for it then stands in what is `wanted`.
    """
    row = _account(account)
    if row.gateway_id is None:
        let_go()
        try:
            with turn.aside():
                report = gateways.payment().open_account(AccountRequest(**row.request))
        except RejectedError as error:
            silent = update(accounts).where(accounts.c.id == account, accounts.c.gateway_id.is_(None))
            connection().execute(silent.values(wanted=[error.code], changed_at=clock.now()))
            raise
        _believe(account, report)


def onboarding_link(account: int, *, again: str, back: str) -> str:
    """The gateway's own page on which its owner tells what is missing; for one visit."""
    row = _account(account)
    let_go()
    with turn.aside():
        return gateways.payment().onboarding_link(row.gateway_id, again_path=again, return_path=back)


def look_at_account(gateway_id: str) -> bool:
    """Ask the gateway how an account stands, and keep what it says; False when it is none of ours.

    For the gateway's own calls, for who comes back from its page, and for the clock. It ends the transaction first.
    """
    gateway = gateways.payment()
    row = first(_BY_ID, gateway=gateway.name, id=gateway_id)
    if row is None:
        return False
    let_go()
    with turn.aside():
        report = gateway.get_account(gateway_id)
    _believe(row.id, report)
    return True


def _account(account: int) -> Row[Any]:
    row = first(_ACCOUNT, account=account)
    if row is None:
        raise LookupError(f"there is no payout account {account}")
    return row


def _believe(account: int, report: AccountReport) -> None:
    """What was asked last is what holds: an account may be opened, closed and opened again."""
    known = update(accounts).where(
        accounts.c.id == account, or_(accounts.c.gateway_id.is_(None), accounts.c.gateway_id == report.id)
    )
    told = {"gateway_id": report.id, "state": report.state, "wanted": list(report.wanted), "changed_at": clock.now()}
    if connection().execute(known.values(**told)).rowcount != 1:
        alert("misfit_call", account=account, gateway_id=report.id)


@jobs.handler
def look_again(gateway_id: str) -> None:
    """As `look_at_account`; one that does not answer is asked again by the clock."""
    try:
        look_at_account(gateway_id)
    except GatewayError as error:
        log.warning("the gateway does not say how an account stands", gateway_id=gateway_id, error=repr(error))


@jobs.regularly(timedelta(hours=1))
def look_at_unfinished() -> None:
    """Ask about accounts that may not be paid yet: a call of the gateway may have been lost."""
    for row in rows(_UNSURE, gateway=gateways.payment().name):
        jobs.later(look_again, gateway_id=row.gateway_id)


# How somebody stands

_waits = transfers.c.state == TransferState.WAITING
_is_held = or_(transfers.c.due_at > _now, is_disputed, is_frozen, is_too_early)
_LEFT = ("transfer", "untransfer", "reversal")


def _sum(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, entries.c.amount_minor), else_=0)), 0)


_STANDING = (
    select(
        _sum(and_(_waits, ~_is_held)).label("payable"),
        _sum(and_(_waits, _is_held)).label("on_hold"),
        _sum(entries.c.purpose.in_(_LEFT)).label("paid_out"),
        _sum(transfers.c.state != TransferState.WAITING).label("owed"),
    )
    .outerjoin(
        transfers,
        and_(
            transfers.c.order_id == entries.c.order_id,
            transfers.c.account == entries.c.account,
            transfers.c.holder_id == entries.c.holder_id,
        ),
    )
    .where(entries.c.account == bindparam("account"), entries.c.holder_id == bindparam("holder"))
)


def standing(account: Account, holder: int) -> Standing:
    """What a seller or a creator has coming, has had, and owes after money went back."""
    row = connection().execute(_STANDING, {"account": account, "holder": holder, "now": clock.now()}).one()
    return Standing(int(row.payable), int(row.on_hold), -int(row.paid_out), -int(row.owed))


# Order by order from those that wait, whatever else there is: an order has few entries, a holder has many.
_is_theirs = and_(entries.c.account == transfers.c.account, entries.c.holder_id == transfers.c.holder_id)
_of_order = (
    select(_sum(_is_theirs)).where(entries.c.order_id == transfers.c.order_id).correlate(transfers).scalar_subquery()
)
_WAITING = (
    select(_of_order.label("minor"), _is_held.label("is_held"))
    .where(transfers.c.account == bindparam("account"), transfers.c.holder_id == bindparam("holder"), _waits)
    .subquery("waiting")
)
_COMING = select(_WAITING.c.is_held, func.sum(_WAITING.c.minor).label("minor")).group_by(_WAITING.c.is_held)


def coming(account: Account, holder: int) -> tuple[int, int]:
    """What somebody has coming: it may leave now, or it waits. As `standing`, without all that left long ago."""
    found = {
        bool(row.is_held): int(row.minor) for row in rows(_COMING, account=account, holder=holder, now=clock.now())
    }
    return found.get(False, 0), found.get(True, 0)
