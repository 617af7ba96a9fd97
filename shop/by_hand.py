"""By hand: what the gateway never answered ends when a person has looked there what became of it.

The shop itself may not guess: with a forgotten key the same request would be a new one, and money would move twice. A
person names what they found, the gateway is asked about it, and it counts only if it is what we asked for. That nothing
was made is held against the gateway's statement, as far as that tells. What follows is the same as after an answer.

So it is with a part that somebody gave back at the gateway itself: a person says of which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select

from shop import audit, clock, elsewhere, gateways, inbox, refund_desk, refunds, reversals, settlement, transfers
from shop.database import first, let_go, rows
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import KEYS_LAST, RejectedError
from shop.i18n import _
from shop.models import Order, PaymentAttempt, PaymentState, RefundState, ReversalState, TransferState
from shop.money import Money

AROUND = timedelta(hours=1)  # the gateway's clock may differ from ours
TRIED = KEYS_LAST + AROUND  # so long after it was written down it may have been made

attempts = PaymentAttempt.__table__
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("attempt"))


class Ours(NamedTuple):
    """What was asked and never answered, as the gateway would tell it; `since` it was asked first."""

    row: Row[Any]
    since: datetime
    told: dict[str, Any]


class Kind(NamedTuple):
    """How one kind of request is looked up, and ended."""

    ours: Callable[[int], Ours]
    find: Callable[[Ours, str], Any]  # what the gateway has under an id
    made: Callable[[Ours, Any], None]  # it was made
    is_there: Callable[[Ours], str]  # the id under which the gateway has it after all, as far as one can tell
    not_made: Callable[[Ours], None]


def settle(kind: str, number: int, it_is: str | None, because: str) -> None:
    """End a request of ours: the gateway made it, under the id `it_is`; or None, and it made nothing.

    Raises `Refused` for what is answered, for what the shop still asks about by itself, for an id under which the
    gateway has something else, and where the statement shows that it was made after all. The caller commits.
    """
    if not because.strip():
        raise Refused(_("Please say how you found out."), 422)
    how = KINDS[kind]
    ours = how.ours(number)
    if clock.now() - ours.since <= KEYS_LAST:
        raise Refused(_("The shop still asks about it by itself, for a day."))
    let_go()
    if it_is is None:
        if there := how.is_there(ours):
            raise Refused(_("The payment company's statement shows it: look at %(id)s there.", id=there))
        how.not_made(ours)
    else:
        how.made(ours, _found(how, ours, it_is))
    after = {"it is": it_is or "nothing"}
    audit.note("settled by hand", f"{kind} {number}", by=None, reason=because.strip(), after=after)


def take_in(order: Order, refund: str, because: str, *, of: Mapping[int, int] | None = None, reason: str) -> None:
    """A part that somebody gave back at the gateway itself, as this `refund`, was of this order, say they who looked.

    See `elsewhere.take_in_part` for what follows and what is refused. The caller commits.
    """
    if not because.strip():
        raise Refused(_("Please say how you found out."), 422)
    number, about = order.id, f"order:{order.code[: refund_desk.NUMBER]}"
    let_go()
    found = _looked_up(gateways.payment().get_refund, refund)
    taken = elsewhere.take_in_part(number, found, of=of, reason=reason)
    after = {"it is": refund, "refund": taken, "amount": f"{found.amount.currency} {found.amount.minor}"}
    audit.note("refund taken in by hand", about, by=None, reason=because.strip(), after=after)


def _looked_up(find: Callable[[str], Any], it_is: str) -> Any:
    """What the gateway has under this id."""
    try:
        return find(it_is)
    except RejectedError as error:
        raise Refused(_("The payment company knows of no %(id)s: %(code)s.", id=it_is, code=error.code)) from error


def _found(how: Kind, ours: Ours, it_is: str) -> Any:
    """As that; it has to be what we asked for, in everything that it tells."""
    report = _looked_up(lambda there: how.find(ours, there), it_is)
    wrong = [name for name, value in ours.told.items() if getattr(report, name) != value]
    if wrong:
        raise Refused(_("%(id)s is something else: it differs in %(what)s.", id=it_is, what=", ".join(wrong)))
    return report


def _silent(row: Row[Any] | None, state: str) -> Row[Any]:
    """A row that waits for an answer."""
    if row is None:
        raise NotFound(_("There is no such request."))
    if row.state != state:
        raise Refused(_("This was settled already: it is %(state)s.", state=row.state))
    return row


def _moved(ours: Ours, kind: str, table: Any, ask: Callable[[str], Any]) -> str:
    """What moved in so much money and of which we do not know: is it ours after all, by its key?"""
    minor, until = abs(ours.told["amount"].minor), min(clock.now(), ours.since + TRIED) + AROUND
    moved = gateways.payment().list_movements(ours.since - AROUND, until)
    sources = {one.source for one in moved if one.kind == kind and abs(one.amount.minor) == minor}
    known = select(table.c.gateway_id).where(table.c.gateway_id.in_(sources))
    strange = sorted(sources - {row.gateway_id for row in rows(known)})
    let_go()
    return next((there for there in strange if ask(there).key == ours.told["key"]), "")


# Payments


def _attempt(number: int) -> Ours:
    row = _silent(first(_ATTEMPT, attempt=number), PaymentState.SUBMITTING)
    asked = row.request
    told = {name: asked[name] for name in ("key", "group", "purchase")}
    return Ours(row, row.created_at, told | {"amount": Money(asked["amount_minor"], asked["currency"])})


def _paid(ours: Ours, report: Any) -> None:
    inbox.apply(report)
    settlement.settle(ours.row.payment_id)


def _is_paid(ours: Ours) -> str:
    return _moved(ours, "payment", attempts, gateways.payment().get_payment)


def _not_paid(ours: Ours) -> None:
    inbox.fail(ours.row.id, "never_made")
    settlement.settle(ours.row.payment_id)


# Refunds


def _refund(number: int) -> Ours:
    row = _silent(refunds.looked_up(number), RefundState.WANTED)
    told = {"key": row.key, "payment": row.paid_as, "amount": Money(row.amount_minor, row.amount_currency)}
    return Ours(row, row.created_at, told)


def _given(ours: Ours, report: Any) -> None:
    refunds.accepted(ours.row.id, report, gateways.payment().get_payment(ours.row.paid_as))
    settlement.settle(ours.row.payment_id)


def _is_given(ours: Ours) -> str:
    return _moved(ours, "refund", refunds.refunds, gateways.payment().get_refund)


# Shares


def _transfer(number: int) -> Ours:
    row = _silent(transfers.looked_up(number), TransferState.SENDING)
    asked = row.request
    told = {name: asked[name] for name in ("key", "account", "group")} | {"amount": Money(**asked["amount"])}
    return Ours(row, row.changed_at, told)


def _is_sent(ours: Ours) -> str:
    return _moved(ours, "transfer", transfers.transfers, gateways.payment().get_transfer)


def _reversal(number: int) -> Ours:
    row = _silent(reversals.looked_up(number), ReversalState.WANTED)
    if row.sent == TransferState.SENDING:
        raise Refused(_("First settle the transfer itself: transfer %(id)s.", id=row.transfer_id))
    amount = Money(row.amount_minor - row.netted_minor, row.amount_currency)
    return Ours(row, row.due_at, {"key": row.key, "transfer": row.gateway_id, "amount": amount})


def _is_back(ours: Ours) -> str:
    """More came back of this transfer than we know of. The statement does not say under which id."""
    there = gateways.payment().get_transfer(ours.row.gateway_id)
    return ours.row.gateway_id if there.reversed_minor > reversals.came_back(ours.row.transfer_id) else ""


KINDS = {
    "attempt": Kind(_attempt, lambda _ours, found: gateways.payment().get_payment(found), _paid, _is_paid, _not_paid),
    "refund": Kind(
        _refund,
        lambda _ours, found: gateways.payment().get_refund(found),
        _given,
        _is_given,
        lambda ours: refunds.send_again(ours.row.id),
    ),
    "transfer": Kind(
        _transfer,
        lambda _ours, found: gateways.payment().get_transfer(found),
        lambda ours, report: transfers.arrived(ours.row.id, report),
        _is_sent,
        lambda ours: transfers.turned_down(ours.row.id, "never_made"),
    ),
    "reversal": Kind(
        _reversal,
        lambda ours, found: gateways.payment().get_reversal(ours.row.gateway_id, found),
        lambda ours, _report: reversals.taken(ours.row.id),
        _is_back,
        lambda ours: reversals.refused(ours.row.id),
    ),
}
