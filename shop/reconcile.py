"""Reconcile: what got lost is found again, and our books are held against the gateway's.

Every minute: attempts and refunds that we have heard nothing of. Every five: events whose call did not come. Every
night: the day before, and every day that still shows a difference. Nothing is ever put right by this: it asks, keeps,
compares and tells; what follows from an answer is for the same rules as always.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import structlog
from sqlalchemy import bindparam, select, update

from shop import clock, differences, disputes, gateways, inbox, jobs, notices
from shop.alerts import alert
from shop.database import connection, db, first, insert, let_go, rows
from shop.gateways.payment_port import KEYS_LAST, GatewayError
from shop.inbox import CAME_IN
from shop.models import Bookmark, PaymentAttempt, PaymentState, Refund, RefundState
from shop.refunds import send as send_refund
from shop.settlement import look, settle

QUIET = timedelta(minutes=2)  # so long we wait to be told; then we ask
OVERLAP = timedelta(minutes=10)  # events are asked for once more: one may have been listed late
FIRST_LOOK = timedelta(days=3)  # back, in a shop that never asked before
FEES_TAKE = timedelta(days=7)
NIGHT = 2  # o'clock UTC: by then the gateway has the day before in its books
OF_EVENTS, OF_DAYS = "events", "days compared"

log = structlog.get_logger()

attempts, refunds, marks = PaymentAttempt.__table__, Refund.__table__, Bookmark.__table__
_SILENT = (
    select(*attempts.c["id", "state", "created_at", "changed_at"])
    .where(
        attempts.c.state.in_((PaymentState.SUBMITTING, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING)),
        attempts.c.gateway == bindparam("gateway"),
        attempts.c.changed_at < bindparam("before"),
    )
    .order_by(attempts.c.changed_at)
)
_UNSENT = (
    select(refunds.c.id)
    .join(attempts, attempts.c.id == refunds.c.attempt_id)
    .where(
        refunds.c.state == RefundState.WANTED,
        attempts.c.gateway == bindparam("gateway"),
        refunds.c.created_at.between(bindparam("after"), bindparam("before")),
    )
)
# What the gateway kept is not in its events; it says so when it is asked.
_WITHOUT_FEE = (
    select(attempts.c.id)
    .where(
        attempts.c.state.in_(CAME_IN),
        attempts.c.fee_minor.is_(None),
        attempts.c.gateway == bindparam("gateway"),
        attempts.c.changed_at > bindparam("since"),
    )
    .order_by(attempts.c.changed_at)
    .limit(200)
)
_MARK = select(marks.c.at).where(marks.c.name == bindparam("name"))


@jobs.regularly(timedelta(minutes=1))
def catch_up() -> None:
    """Ask about attempts that we have heard nothing of, and see to calls and refunds whose job got lost."""
    now = clock.now()
    for row in rows(_SILENT, gateway=gateways.payment().name, before=now - QUIET):
        if row.state == PaymentState.SUBMITTING and row.changed_at - row.created_at > KEYS_LAST:
            continue  # somebody was told
        jobs.later(look_again, attempt=row.id)
        connection().execute(update(attempts).where(attempts.c.id == row.id).values(changed_at=now))
    notices.find_forgotten()
    waiting = {job["refund"] for job in jobs.waiting(send_refund)}
    recent = {"after": now - KEYS_LAST - QUIET, "before": now - QUIET}  # after that somebody was told
    for row in rows(_UNSENT, gateway=gateways.payment().name, **recent):
        if row.id not in waiting:
            jobs.later(send_refund, refund=row.id)


def find_lost() -> None:
    """All of that at once, and the jobs that it leads to; for the command. It commits."""
    fetch_events()
    catch_up()
    ask_fees()
    db.session.commit()
    while jobs.run_due(lane="short"):
        pass


@jobs.handler
def look_again(attempt: int) -> None:
    """Ask about one attempt, with the key that it had; one whose key is too old is left to a person."""
    row = first(select(attempts).where(attempts.c.id == attempt))
    if row is None:
        return
    if row.state == PaymentState.SUBMITTING and clock.now() - row.created_at > KEYS_LAST:
        alert("never_answered", attempt=attempt)
        return
    try:
        look(attempt)
    except GatewayError as error:
        log.warning("the gateway does not say how a payment stands", attempt=attempt, error=repr(error))


@jobs.regularly(timedelta(minutes=5))
def fetch_events() -> None:
    """Ask for all that happened since we last asked: what was sent and never arrived goes into the same inbox."""
    since = _mark(OF_EVENTS) or clock.now() - FIRST_LOOK
    let_go()
    asked_at = clock.now()
    try:
        found = gateways.payment().list_events(since - OVERLAP)
    except GatewayError as error:
        log.warning("the gateway does not say what happened", error=repr(error))
        return
    lost = sum(notices.receive_again(event) for event in found)
    if lost:
        log.warning("events came without their call", lost=lost, listed=len(found))
    _remember(OF_EVENTS, asked_at)


@jobs.regularly(timedelta(hours=1))
def ask_fees() -> None:
    """Ask what the gateway kept of payments of which it has not said so; for a week."""
    for row in rows(_WITHOUT_FEE, gateway=gateways.payment().name, since=clock.now() - FEES_TAKE):
        jobs.later(ask_fee, attempt=row.id)


@jobs.handler
def ask_fee(attempt: int) -> None:
    """Ask how a paid attempt stands, with its fee, and write it in the books."""
    row = first(select(attempts).where(attempts.c.id == attempt))
    if row is None or row.fee_minor is not None:
        return
    let_go()
    inbox.apply(gateways.payment().get_payment(row.gateway_id))
    settle(row.payment_id)


@jobs.regularly(timedelta(hours=1))
def each_night() -> None:
    """Hold the days that are over against the gateway's books, each once, and again those that still differ."""
    now = clock.now()
    yesterday = (now - timedelta(days=1)).date()
    if now.hour < NIGHT:
        return
    last = _mark(OF_DAYS)
    start = last.date() + timedelta(days=1) if last else yesterday
    if start > yesterday:
        return
    due = {start + timedelta(days=n) for n in range((yesterday - start).days + 1)}
    for day in sorted(due | set(differences.open_days())):
        jobs.later(hold_against, day=day.isoformat())
    _remember(OF_DAYS, datetime.combine(yesterday, time(), now.tzinfo))


@jobs.patient_handler
def hold_against(day: str) -> None:
    """Compare one day, and tell the operator when something differs that nobody has looked at."""
    compare(date.fromisoformat(day))


def compare(day: date) -> None:
    """Hold one day, and the books as a whole, against the gateway's; every difference becomes a row.

    It ends the present transaction first, and commits the fees of disputes, which the gateway says nowhere else.
    Raises `GatewayError` when the gateway does not answer.
    """
    told = differences.told_of(day)
    for each in told:
        if each.kind == "dispute" and each.fee.minor > 0:
            disputes.note_fee(each.source, each.fee)
    db.session.commit()
    found = differences.of_day(day, told)
    differences.keep(day.isoformat(), found)
    differences.keep(differences.BOOKS, differences.of_books())
    if count := differences.unseen():
        alert("differences", open=count)


def _mark(name: str) -> datetime | None:
    row = first(_MARK, name=name)
    return row.at if row else None


def _remember(name: str, at: datetime) -> None:
    row = insert(marks).values(name=name, at=at)
    connection().execute(row.on_conflict_do_update(index_elements=["name"], set_={"at": at}))


@jobs.at_each_death
def tell_of_death(handler: str, job: int) -> None:
    """A job was given up: somebody has to look."""
    alert("dead_job", handler=handler, job=job)
