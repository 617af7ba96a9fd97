"""Statements of reasons: why something was decided about a seller. Written once, mailed, and kept (DSA art. 17).

Each says what was decided, the facts, the rule, that a person decided it, and how one appeals.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select

from shop import clock, jobs, notifications
from shop.accounts import Person
from shop.audit import Actor
from shop.database import db, first, rows
from shop.errors import NotFound, Refused
from shop.i18n import _, long_day, speaking
from shop.models import Appeal, Product, Profile, Seller, Statement, User, Verdict
from shop.reasons import Reason
from shop.words import Words

APPEAL_FOR = timedelta(days=183)  # six months at least (DSA art. 20(1))
TAKES_AWAY = frozenset(
    (Verdict.REFUSED, Verdict.SUSPENDED, Verdict.BANNED, Verdict.PAYOUTS_STOPPED, Verdict.TAKEN_DOWN)
)
SHORTEST = 10  # characters: less is no reason that a seller can do something with

statements, appeals, sellers = Statement.__table__, Appeal.__table__, Seller.__table__
profiles, users, products = Profile.__table__, User.__table__, Product.__table__
_WITH_APPEAL = (
    select(
        statements,
        profiles.c.handle,
        profiles.c.name.label("shop"),
        profiles.c.user_id,
        products.c.code.label("product"),
        products.c.title,
        appeals.c.id.label("appeal"),
        appeals.c.words.label("appeal_words"),
        appeals.c.at.label("appealed_at"),
        appeals.c.outcome,
        appeals.c.decided_at,
    )
    .join(sellers, sellers.c.id == statements.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(products, products.c.id == statements.c.product_id)
    .outerjoin(appeals, appeals.c.statement_id == statements.c.id)
)
_CALLED = _WITH_APPEAL.where(statements.c.code == bindparam("code"))
_OF = _WITH_APPEAL.where(statements.c.seller_id == bindparam("seller")).order_by(statements.c.id.desc()).limit(50)


def write(
    seller: Seller,
    verdict: Verdict,
    *,
    by: Actor | None,
    reason: Reason | None = None,
    words: Words | None = None,
    second: Actor | None = None,
    product: Product | None = None,
    sent_in: datetime | None = None,
    is_last: bool = False,
    effective_at: datetime | None = None,
    is_told: bool = True,
) -> Statement:
    """Write a statement down and mail it to the seller, once. `sent_in` is when they began to wait for it.

    `by` is None where no person decided: then it says so. `is_last`: nobody appeals against it any more.
    `effective_at`: from when it holds, where that is not at once.
    """
    facts = {**_why(reason, words), **_who(by, second), **_when(verdict, sent_in, is_last)}
    facts["effective_at"] = effective_at
    made = Statement(seller_id=seller.id, product_id=product.id if product else None, verdict=verdict, **facts)
    db.session.add(made)
    db.session.flush()
    if is_told:
        _tell(made, seller, product)
    return made


def _why(reason: Reason | None, words: Words | None) -> dict[str, Any]:
    if reason is None:
        return {"words": words or Words()}
    return {"reason": reason.code, "rule": reason.rule, "template": reason.said, "words": words or Words()}


def _who(by: Actor | None, second: Actor | None) -> dict[str, Any]:
    who = {"is_automated": by is None, "decided_by_id": by.id if by else None}
    return {"code": secrets.token_urlsafe(16), **who, "second_by_id": second.id if second else None}


def _when(verdict: Verdict, sent_in: datetime | None, is_last: bool) -> dict[str, Any]:
    now = clock.now()
    waited = int((now - sent_in).total_seconds() // 3600) if sent_in else None
    until = now + APPEAL_FOR if verdict in TAKES_AWAY and not is_last else None
    return {"at": now, "waited_hours": waited, "appeal_until": until}


def _tell(made: Statement, seller: Seller, product: Product | None) -> None:
    owner = seller.profile.user
    if owner is None:
        return
    jobs.later(
        notifications.mail,
        kind="statement",
        about=made.code,
        to=owner.email,
        template="statement",
        language=owner.language,
        name=owner.name,
        shop=seller.profile.name,
        code=made.code,
        verdict=str(made.verdict),
        product=product.title.said(owner.language) if product else "",
        reason=made.template.said(owner.language),
        rule=made.rule,
        words=made.words.said(owner.language),
        is_automated=made.is_automated,
        appeal_until=_day(made.appeal_until, owner.language),
        effective_at=_day(made.effective_at, owner.language),
    )


def _day(moment: datetime | None, language: str) -> str:
    with speaking(language):
        return long_day(moment) if moment else ""


def called(code: str, person: Person) -> Row[Any]:
    """One statement, for the seller whom it is about and for staff at work; for others it is not there."""
    found = first(_CALLED, code=code)
    is_staff = person.is_staff and person.proven_at is not None
    if found is None or not (found.user_id == person.id or is_staff):
        raise NotFound(_("There is no such statement."))
    return found


def of(seller: Seller) -> list[Row[Any]]:
    """The last statements about this seller, the newest first, each with its appeal."""
    return list(rows(_OF, seller=seller.id))


def told(reason: Reason | None, words: Words) -> Reason:
    """A reason by which something may be taken away: one of the list, with words of one's own."""
    if reason is None:
        raise Refused(_("Choose the reason."), 422)
    said = words.said("").strip()
    if not said:
        raise Refused(_("Give the reason, in words that the seller can do something with."), 422)
    if len(said) < SHORTEST:
        raise Refused(_("Say more: a reason has at least %(n)s characters.", n=SHORTEST), 422)
    return reason
