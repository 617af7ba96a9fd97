"""Notices: what the gateway tells us of its own accord, kept as it came and seen to by a job, once.

They come signed to our doors (`receive`), and the clock asks for those that did not arrive (`receive_again`); the id of
the event makes them the same. What cannot be understood yet stays in the inbox, is tried for three days, and told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from shop import clock, disputes, gateways, inbox, jobs, payouts, refunds
from shop.alerts import alert
from shop.database import connection, first, rows
from shop.gateways.payment_port import DisputeReport, DisputeState, Notice, RefundReport, Report
from shop.inbox import Verdict
from shop.models import InboxState, PaymentAttempt, Refund, RefundState, WebhookEvent
from shop.settlement import settle

QUIET = timedelta(minutes=2)  # so long a call may wait for its job; then that got lost
RETRIED = timedelta(days=3)  # a call that fits nothing we know
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
MOST_BETWEEN = timedelta(hours=6)

calls, given, attempts = WebhookEvent.__table__, Refund.__table__, PaymentAttempt.__table__
_CALL = select(calls).where(calls.c.id == bindparam("call"))
_FORGOTTEN = select(calls.c.id).where(
    calls.c.state == InboxState.WAITING,
    calls.c.gateway == bindparam("gateway"),
    calls.c.received_at < bindparam("before"),
)
_ON_ITS_WAY = (
    select(given.c.id)
    .join(attempts, attempts.c.id == given.c.attempt_id)
    .where(attempts.c.gateway_id == bindparam("id"), given.c.gateway_id.is_(None), given.c.state == RefundState.WANTED)
)


def receive(raw: bytes, header: str | None, *, endpoint: str = "payments") -> None:
    """Keep a signed call of the gateway, and see to it soon; one that we have already changes nothing."""
    _keep(gateways.payment().verify_webhook(raw, header, endpoint=endpoint), raw)


def receive_again(event: dict[str, Any]) -> bool:
    """Keep an event that the gateway listed; says whether its call had not come."""
    body = json.dumps(event, separators=(",", ":"))
    try:
        notice = gateways.payment().read_notice(body)
    except UNREADABLE:  # it is kept like one that came, and a person looks at it
        notice = Notice(str(event.get("id")), str(event.get("type")), None)
    return _keep(notice, body.encode())


def _keep(notice: Notice, raw: bytes) -> bool:
    call = inbox.keep(notice, raw)
    if call is not None:
        jobs.later(take_in, call=call)
    return call is not None


@jobs.handler
def take_in(call: int) -> None:
    """See to a kept call, once. One that fits nothing we know is tried again for three days."""
    row = first(_CALL, call=call)
    if row is None or row.state not in (InboxState.WAITING, InboxState.UNRESOLVED):
        return
    if row.gateway != gateways.payment().name:  # another one moved the money then; nobody here can read it
        return
    verdict = _see_to(row)
    if verdict.state == InboxState.UNRESOLVED:
        _try_again(row)
    _note(call, verdict.state, tries=row.tries + 1)


@jobs.when_dead(take_in)
def leave_for_later(call: int) -> None:
    """It could not be seen to, for whatever reason: it stays, and is tried again like one that fits nothing yet."""
    row = first(_CALL, call=call)
    if row and row.state in (InboxState.WAITING, InboxState.UNRESOLVED):
        _try_again(row)
        _note(call, InboxState.UNRESOLVED, tries=row.tries + 1, last_error="its job failed: see the jobs")


def _note(call: int, state: InboxState, **values: Any) -> None:
    connection().execute(update(calls).where(calls.c.id == call).values(state=state, applied_at=clock.now(), **values))


def _see_to(call: Row[Any]) -> Verdict:
    """Give each part of a call to the rule that it concerns; what concerns none is foreign."""
    try:
        notice = gateways.payment().read_notice(call.body)
    except UNREADABLE:
        alert("unreadable_call", call=call.event_id, type=call.kind)
        return Verdict(InboxState.QUARANTINED)
    for part, rule in RULES.items():
        if told := getattr(notice, part):
            return rule(told)
    return Verdict(InboxState.FOREIGN)


def _payment(report: Report) -> Verdict:
    verdict = inbox.apply(report)
    if verdict.state == InboxState.APPLIED and verdict.payment:
        settle(verdict.payment)
    return verdict


def _refund(report: RefundReport) -> Verdict:
    """What became of a refund; one that somebody made by hand is told with its payment."""
    verdict = refunds.apply(report)
    return Verdict(InboxState.FOREIGN) if verdict.state == InboxState.UNRESOLVED and _is_by_hand(report) else verdict


def _is_by_hand(report: RefundReport) -> bool:
    """Is no refund of ours on its way that this could be? Its id is not known before the gateway's answer is kept."""
    return first(_ON_ITS_WAY, id=report.payment) is None


def _dispute(report: DisputeReport) -> Verdict:
    verdict = disputes.apply(report)
    if report.state == DisputeState.OPEN and verdict.state != InboxState.UNRESOLVED:
        alert("dispute", dispute=report.id, payment=report.payment, reason=report.reason)
    return verdict


def _account(gateway_id: str) -> Verdict:
    return Verdict(InboxState.APPLIED if payouts.look_at_account(gateway_id) else InboxState.FOREIGN)


# Which rule is for which part of a notice.
RULES: dict[str, Callable[[Any], Verdict]] = {
    "report": _payment,
    "dispute": _dispute,
    "refund": _refund,
    "account": _account,
}


def _try_again(call: Row[Any]) -> None:
    """Somebody has to know: money may have moved for a purchase that we do not have."""
    waited = clock.now() - call.received_at
    alert("unresolved_call", call=call.event_id, waited=str(waited).partition(".")[0])
    if waited < RETRIED:
        jobs.later(take_in, call=call.id, delay=min(max(timedelta(minutes=1), waited), MOST_BETWEEN))


def find_forgotten() -> None:
    """See to calls whose job got lost."""
    waiting = {job["call"] for job in jobs.waiting(take_in)}
    for row in rows(_FORGOTTEN, gateway=gateways.payment().name, before=clock.now() - QUIET):
        if row.id not in waiting:
            jobs.later(take_in, call=row.id)
