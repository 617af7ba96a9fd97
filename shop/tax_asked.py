"""Asked for tax details: when a seller was asked and reminded, and that their money waits until they answer.

After two reminders, and not before sixty days, the law has a platform hold what it owes to who does not answer
((EU) 2021/514, annex V, section IV, A(2)). That stop is apart from the one that two moderators make: answering lifts
this one at once, and never the other. The job that asks and stops is `tax_reminders`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from shop import audit, clock, reasons, statements
from shop.audit import Actor
from shop.database import connection, db, first, run
from shop.models import Seller, TaxRequest, Verdict
from shop.words import Words

REASON = "tax_details_missing"

requests, table = TaxRequest.__table__, Seller.__table__
_is_open = (requests.c.seller_id == bindparam("seller"), requests.c.over_at.is_(None))
_OPEN = select(requests).where(*_is_open)
_HOLD = update(requests).where(*_is_open).values(asked_at=requests.c.asked_at)  # nobody ends it before we have ended


def of(seller: int) -> Row[Any] | None:
    """The request that this seller has not answered: when they were asked, and reminded."""
    return first(_OPEN, seller=seller)


def stop(seller: Seller) -> bool:
    """Hold what this seller is owed until they answer, with a statement of reasons.

    False where it is held already, and where they have just answered: nothing is held then, since nobody lifts it.
    """
    audit.come_first()  # who answers writes there before they end the request
    if run(_HOLD, seller=seller.id) != 1:
        return False
    if not _set(seller, table.c.tax_stopped_at.is_(None), clock.now()):
        return False
    reason = reasons.BY_ITSELF[REASON]
    statements.write(seller, Verdict.PAYOUTS_STOPPED, by=None, reason=reason)
    audit.note("payouts stopped", f"seller:{seller.profile.handle}", by=None, reason=reason.said.said("en"))
    return True


def answered(seller: Seller) -> None:
    """The details are here: nobody is reminded any more, and what was held for them goes on."""
    _end(seller)
    _lift(seller, None, "put_right", Words())


def excuse(seller: Seller, *, by: Actor, words: Words) -> None:
    """An appeal was granted. Where the details are still missing, they are asked for anew, from the beginning."""
    _end(seller)
    _lift(seller, by, "we_were_wrong", words)


def _end(seller: Seller) -> None:
    mine = update(requests).where(requests.c.seller_id == seller.id, requests.c.over_at.is_(None))
    connection().execute(mine.values(over_at=clock.now()))


def _lift(seller: Seller, by: Actor | None, reason: str, words: Words) -> None:
    if not _set(seller, table.c.tax_stopped_at.is_not(None), None):
        return
    statements.write(seller, Verdict.PAYOUTS_RELEASED, by=by, reason=reasons.GOOD[reason], words=words)
    said = words.said("") or "the tax details are here"
    audit.note("payouts released", f"seller:{seller.profile.handle}", by=by, reason=said)


def _set(seller: Seller, only: Any, moment: Any) -> bool:
    guarded = update(table).where(table.c.id == seller.id, only).values(tax_stopped_at=moment)
    is_done = connection().execute(guarded).rowcount == 1
    db.session.refresh(seller)
    return is_done
