"""Appeals: a seller does not agree with a statement of reasons. Once, within six months, and somebody else decides.

What granting one undoes, the capability knows that did it: it says so with `undoes`. Where that takes a second person,
it says False, and closes the appeal when it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, tuple_, update

from shop import audit, clock, marks, reasons, statements
from shop.accounts import Person
from shop.audit import Actor
from shop.database import connection, db, first, insert, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import Appeal, AppealOutcome, Product, Profile, Seller, Statement, Verdict
from shop.words import Words

PAGE = 20
SHORTEST = 10

Undo = Callable[[Seller, Statement, Person, Words], bool]
Follow = Callable[[Seller, Person, str], None]
_undo: dict[str, Undo] = {}
_lodged: dict[str, Follow] = {}

made, appeals = Statement.__table__, Appeal.__table__
sellers, profiles = Seller.__table__, Profile.__table__
_OPEN = (
    select(appeals.c.id, appeals.c.at, made.c.code, made.c.verdict, made.c.decided_by_id, made.c.second_by_id)
    .add_columns(profiles.c.handle, profiles.c.name, profiles.c.user_id, made.c.seller_id)
    .join_from(appeals, made, made.c.id == appeals.c.statement_id)
    .join(sellers, sellers.c.id == made.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(appeals.c.outcome.is_(None))
)
_FOR = _OPEN.where(~marks.near(made.c.seller_id))  # nobody waits for themselves
_QUEUE = (
    _FOR.where(tuple_(appeals.c.at, appeals.c.id) > tuple_(bindparam("at", type_=appeals.c.at.type), bindparam("id")))
    .order_by(appeals.c.at, appeals.c.id)
    .limit(PAGE + 1)
)
_WAITING = select(func.count()).select_from(_FOR.subquery())
_OPEN_OF = _OPEN.where(
    made.c.seller_id == bindparam("seller"), made.c.verdict == bindparam("verdict"), made.c.reason != bindparam("but")
).limit(1)


def undoes(verdict: Verdict) -> Callable[[Undo], Undo]:
    """Say what is to be done when an appeal against this kind of verdict is granted."""

    def remember(function: Undo) -> Undo:
        _undo[verdict] = function
        return function

    return remember


def follows(verdict: Verdict) -> Callable[[Follow], Follow]:
    """Say what follows at once when somebody appeals against this kind of verdict."""

    def remember(function: Follow) -> Follow:
        _lodged[verdict] = function
        return function

    return remember


def may_be_lodged(row: Row[Any] | Statement, has_one: bool) -> bool:
    """Can this statement still be appealed? It takes something away, half a year is not over, and it is the first."""
    return row.appeal_until is not None and row.appeal_until > clock.now() and not has_one


def lodge(code: str, *, by: Person, words: str) -> None:
    """Appeal against a statement about oneself."""
    row = statements.called(code, by)
    if row.user_id != by.id:
        raise NotFound(_("There is no such statement."))
    if len(words.strip()) < SHORTEST:
        raise Refused(_("Tell us why the decision is wrong, in at least %(n)s characters.", n=SHORTEST), 422)
    if row.appeal is not None:
        raise Refused(_("Your appeal is here already, and one can appeal once."))
    if not may_be_lodged(row, has_one=False):
        raise Refused(_("Nobody can appeal against this any more."))
    _insert(row.id, words.strip()[:1000])
    seller = db.session.get_one(Seller, row.seller_id)
    if row.verdict in _lodged:
        _lodged[row.verdict](seller, by, words.strip()[:1000])


def _insert(statement: int, words: str) -> None:
    """Once, however many arrive at the same moment."""
    new = insert(appeals).values(statement_id=statement, words=words, at=clock.now())
    kept = new.on_conflict_do_nothing(index_elements=["statement_id"]).returning(appeals.c.id)
    if connection().execute(kept).first() is None:  # PostgreSQL tells no count of an INSERT that makes an id
        raise Refused(_("Your appeal is here already, and one can appeal once."))


def queue(to: Actor, at: datetime, after: int) -> tuple[list[Row[Any]], Row[Any] | None]:
    """Open appeals, the oldest first, from after a place on; and the last one of the leaf where there are more.

    Their own are not for this person to see among them.
    """
    found = list(rows(_QUEUE, person=to.id, at=at, id=after))
    return found[:PAGE], found[PAGE - 1] if len(found) > PAGE else None


def waiting(to: Actor) -> int:
    """How many appeals nobody has decided on, as this person may see it."""
    return int(rows(_WAITING, person=to.id)[0][0])


def open_of(seller: Seller, verdict: Verdict, *, but: str = "-") -> Row[Any] | None:
    """The appeal of this seller against this kind of verdict that waits, with who decided what it is about.

    `but`: not one against a verdict for this reason.
    """
    return first(_OPEN_OF, seller=seller.id, verdict=str(verdict), but=but)


def is_for(row: Row[Any], person: Actor) -> bool:
    """May this moderator decide on an appeal? Not on their own, nor on one against what they decided or confirmed."""
    if person.id in (row.user_id, row.decided_by_id, row.second_by_id):
        return False
    return not marks.is_near(row.seller_id, person.id)


def close(appeal: int, outcome: AppealOutcome, *, by: Actor) -> None:
    """Write down how an appeal ended; once, and by somebody else than who decided before."""
    ended = update(appeals).where(appeals.c.id == appeal, appeals.c.outcome.is_(None))
    told = {"outcome": outcome, "decided_by_id": by.id, "decided_at": clock.now()}
    if connection().execute(ended.values(told)).rowcount != 1:
        raise Refused(_("Somebody has decided on this appeal just now. Please look again."))


def decide(code: str, outcome: AppealOutcome, *, by: Person, words: Words) -> None:
    """Grant an appeal, which undoes what it is about, or dismiss it; with words, and told to the seller."""
    row = statements.called(code, by)
    if row.appeal is None or row.outcome is not None:
        raise Refused(_("No appeal waits here."))
    if row.verdict not in _undo:
        raise Refused(_("This is decided where the application is."))
    if not is_for(row, by):
        raise Refused(_("This appeal is for another moderator to decide."), 403)
    if len(words.said("").strip()) < SHORTEST:
        raise Refused(_("Say more: a reason has at least %(n)s characters.", n=SHORTEST), 422)
    seller, about = db.session.get_one(Seller, row.seller_id), db.session.get_one(Statement, row.id)
    if outcome == AppealOutcome.DISMISSED:
        close(row.appeal, outcome, by=by)
        _dismiss(seller, about, by, words)
    elif _undo[row.verdict](seller, about, by, words):
        close(row.appeal, outcome, by=by)


def _dismiss(seller: Seller, about: Statement, by: Actor, words: Words) -> None:
    upheld = reasons.UPHELD["upheld"]
    product = db.session.get(Product, about.product_id) if about.product_id else None
    statements.write(seller, Verdict.APPEAL_DISMISSED, by=by, reason=upheld, words=words, product=product)
    after = {"appeal": AppealOutcome.DISMISSED, "about": str(about.verdict)}
    audit.note("appeal decided", f"seller:{seller.profile.handle}", by=by, reason=words.said(""), after=after)
