"""Re-checks: papers run out. Their owner is reminded, then asked again, and in the end sells no more without a new one.

A paper holds to the end of the day that stands on it (`papers.valid_until`, read by a moderator).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, func, or_, select, update

from shop import audit, checklist, clock, history, jobs, marks, notifications, papers, reasons, sanctions
from shop.accounts import Person
from shop.checklist import Item
from shop.database import connection, db, first, rows
from shop.delivery import AMSTERDAM
from shop.errors import NotFound, Refused
from shop.gateways.paper_reader import Read
from shop.i18n import _, long_date, speaking
from shop.models import Event, ItemState, Paper, PaperKind, PaperState, Profile, Seller, User, Vetting
from shop.words import Words

REMINDERS = (3, 14, 30)  # days before it runs out
GRACE = 14  # days after it ran out, until the sales stop
PATIENCE = 14  # more days, while a new one waits to be looked at: no longer, else any paper at all would do for ever
LONGEST_WORDS = 500
RAN_OUT = "ran_out"  # steps of the story that are no states
SENT_ANEW = "sent_anew"
TURNED_DOWN = "turned_down"
LONGEST = timedelta(days=20 * 366)  # that a paper is good for: more is a mistake in reading it

ITEMS = {
    PaperKind.FRONT: Item.IDENTITY,
    PaperKind.BACK: Item.IDENTITY,
    PaperKind.EXTRACT: Item.REGISTER,
    PaperKind.LICENCE: Item.LICENCE,
}

kept, sellers, profiles = Paper.__table__, Seller.__table__, Profile.__table__
users, events = User.__table__, Event.__table__

_BY = bindparam("by", type_=kept.c.valid_until.type)
_is_open = exists().where(
    events.c.subject == "seller",
    events.c.subject_id == kept.c.seller_id,
    events.c.became == RAN_OUT,
    events.c.note == kept.c.code,
)
_OWNED = (
    select(*kept.c["code", "kind", "valid_until", "carried_until", "seller_id"], profiles.c.name.label("shop"))
    .add_columns(*users.c["email", "name", "language"], _is_open.label("is_open"))
    .join_from(kept, sellers, sellers.c.id == kept.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .join(users, users.c.id == profiles.c.user_id)
    .where(kept.c.state == PaperState.SEALED)
)
_CALLED = _OWNED.where(kept.c.code == bindparam("paper"))
_ENDING = _OWNED.where(
    kept.c.valid_until <= _BY,
    sellers.c.vetting == Vetting.APPROVED,
    users.c.is_active,
).order_by(kept.c.valid_until, kept.c.id)
_OF_SHOP = (
    select(*kept.c["code", "kind", "valid_until", "carried_until", "sent_at", "pages"])
    .where(kept.c.seller_id == bindparam("seller"), kept.c.state == PaperState.SEALED)
    .order_by(kept.c.id)
)
_UNSEEN = _OWNED.where(
    kept.c.valid_until.is_(None),
    kept.c.carried_until <= _BY,
    sellers.c.vetting == Vetting.APPROVED,
    users.c.is_active,
)
# Sent by who sells already, and not looked at since; a stop meanwhile is a decision too, but not about this paper.
_is_new = and_(
    kept.c.valid_until.is_(None), or_(kept.c.carried_until.is_not(None), kept.c.sent_at > sellers.c.decided_at)
)
_TO_LOOK_AT = (
    kept.c.state == PaperState.SEALED,
    sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)),
    or_(kept.c.valid_until < _BY, _is_new),
)
how_many = select(func.count()).join_from(kept, sellers, sellers.c.id == kept.c.seller_id).where(*_TO_LOOK_AT)
_WAITING = (
    select(
        *kept.c["code", "kind", "valid_until", "carried_until", "sent_at"],
        *profiles.c["handle", "name"],
        sellers.c.vetting,
    )
    .join_from(kept, sellers, sellers.c.id == kept.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(*_TO_LOOK_AT)
    .order_by(kept.c.valid_until.is_not(None), kept.c.sent_at, kept.c.id)
    .limit(100)
)
_ONE = (
    select(
        *kept.c["id", "code", "kind", "seller_id", "carried_until", "sent_at"], profiles.c.handle, profiles.c.user_id
    )
    .add_columns(_is_new.label("is_new"))
    .join_from(kept, sellers, sellers.c.id == kept.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(
        kept.c.code == bindparam("code"),
        kept.c.state == PaperState.SEALED,
        sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)),
    )
)
_OTHERS_OPEN = (
    select(kept.c.id)
    .join_from(kept, sellers, sellers.c.id == kept.c.seller_id)
    .where(
        kept.c.seller_id == bindparam("seller"),
        kept.c.id != bindparam("but"),
        kept.c.kind.in_(bindparam("kinds", expanding=True)),
        kept.c.state == PaperState.SEALED,
        or_(kept.c.valid_until < _BY, _is_new),
    )
    .limit(1)
)


def today() -> date:
    """The day in Amsterdam: a paper that is good until today is good."""
    return clock.now().astimezone(AMSTERDAM).date()


@jobs.regularly(timedelta(hours=24))
def look() -> None:
    """Remind, ask again and stop, each once for each paper, however often it is looked at."""
    now = today()
    for row in rows(_ENDING, by=now + timedelta(days=max(REMINDERS))):
        left = (row.valid_until - now).days
        if left >= 0:
            _write(row, next(days for days in REMINDERS if left <= days))
        elif left > -GRACE:
            _open_again(row)
        else:
            _open_again(row)
            _stop(row, row.valid_until, "paper_ran_out")
    for row in rows(_UNSEEN, by=now - timedelta(days=GRACE + PATIENCE)):
        _stop(row, row.carried_until, "paper_not_accepted")


def _write(row: Row[Any], step: int) -> None:
    jobs.later(remind, paper=row.code, step=step)


@jobs.patient_handler
def remind(paper: str, step: int) -> None:
    """Mail the owner of a paper that it runs out in so many days, or 0: that it has run out. Once for each."""
    row = first(_CALLED, paper=paper)
    if row is None or row.valid_until is None:
        return  # a new one is here already
    notifications.mail(
        kind="paper_runs_out",
        about=f"{paper}:{step}",
        to=row.email,
        template="paper_runs_out",
        language=row.language,
        name=row.name,
        shop=row.shop,
        paper=row.kind,
        until=row.valid_until,
        stops=row.valid_until + timedelta(days=GRACE),
        is_over=step == 0,
    )


def _open_again(row: Row[Any]) -> None:
    """What was accepted rested on a paper that holds no more."""
    if not row.is_open:
        checklist.changed(row.seller_id, ITEMS[PaperKind(row.kind)])
        history.note("seller", row.seller_id, ItemState.ACCEPTED, RAN_OUT, row.code)
        _write(row, 0)


def _stop(row: Row[Any], until: date, reason: str) -> None:
    seller = db.session.get_one(Seller, row.seller_id, populate_existing=True)
    if seller.vetting == Vetting.APPROVED:  # its other side may have run out too
        sanctions.stop_by_itself(seller, reasons.BY_ITSELF[reason], _since(until))


def _since(until: date) -> Words:
    """The facts, in all our languages."""

    def said(code: str) -> str:
        with speaking(code):
            return _("It ran out on %(day)s.", day=long_date(until))

    return Words({code: said(code) for code in ("nl", "en")})


# A new one


def of(seller: int) -> Sequence[Row[Any]]:
    """The papers of a shop, as their owner may know of them: what, since when, and until when they hold."""
    return rows(_OF_SHOP, seller=seller)


def is_asked(paper: Row[Any]) -> bool:
    """Does it run out within a month, or has it run out?"""
    return paper.valid_until is not None and paper.valid_until <= today() + timedelta(days=max(REMINDERS))


def stops(carried_until: date) -> date:
    """The day on which sales stop if nobody has accepted a new paper, by the day of the one before it."""
    return carried_until + timedelta(days=GRACE + PATIENCE)


def send(seller: int, kind: str, found: Read, file_mark: bytes) -> None:
    """Put a new paper in the place of one that runs out; a moderator looks at it.

    Until then the day of the old one counts on: a paper that nobody has seen proves nothing.
    """
    old = next((paper for paper in of(seller) if paper.kind == kind and is_asked(paper)), None)
    if old is None:
        raise Refused(_("This paper is not asked for at the moment."))
    new = papers.keep(seller, PaperKind(kind), found, file_mark)
    new.keep_until, new.carried_until = None, old.valid_until  # kept as long as they sell here
    checklist.changed(seller, ITEMS[PaperKind(kind)])
    history.note("seller", seller, "", SENT_ANEW, kind)


# At the moderators' desk


def waiting() -> Sequence[Row[Any]]:
    """New papers of who sells already, the oldest first; after them those that have run out."""
    return rows(_WAITING, by=today())


def accept(code: str, until: date, *, by: Person) -> None:
    """A moderator has seen a new paper, and until when it holds; what rests on it is accepted with the last of them."""
    paper = _called(code, by)
    if not today() <= until <= today() + LONGEST:
        raise Refused(_("Read again until when it holds: not before today, and no more than twenty years."), 422)
    connection().execute(update(kept).where(kept.c.id == paper.id).values(valid_until=until))
    item = ITEMS[PaperKind(paper.kind)]
    kinds = [kind for kind, of_item in ITEMS.items() if of_item == item]
    if first(_OTHERS_OPEN, seller=paper.seller_id, but=paper.id, kinds=kinds, by=today()) is None:
        checklist.judge(db.session.get_one(Seller, paper.seller_id), item, ItemState.ACCEPTED, by=by)
    after = {"kind": paper.kind, "valid_until": until.isoformat()}
    audit.note("paper accepted anew", f"seller:{paper.handle}", by=by, after=after)


def turn_down(code: str, words: str, *, by: Person) -> None:
    """A new paper is no good: its owner hears why, and it is asked for again, with the day of the old one."""
    paper = _called(code, by)
    if not paper.is_new:
        raise Refused(_("This has just changed. Please look again."))
    said = words.strip()
    if not 10 <= len(said) <= LONGEST_WORDS:
        raise Refused(_("Say what is wrong with it, in 10 to 500 characters: they read it."), 422)
    same = update(kept).where(kept.c.id == paper.id, kept.c.valid_until.is_(None))
    until = paper.carried_until or (paper.sent_at + timedelta(days=max(REMINDERS))).date()  # when it was asked for
    connection().execute(same.values(valid_until=until))
    checklist.changed(paper.seller_id, ITEMS[PaperKind(paper.kind)])
    history.note("seller", paper.seller_id, SENT_ANEW, TURNED_DOWN, said[:200])
    audit.note("paper turned down", f"seller:{paper.handle}", by=by, after={"kind": paper.kind, "words": said})
    jobs.later(tell_why, paper=code, words=said)


@jobs.patient_handler
def tell_why(paper: str, words: str) -> None:
    """Mail the owner of a paper why it was not accepted. Once."""
    row = first(_CALLED, paper=paper)
    if row is None or row.valid_until is None:
        return  # the next one is here already
    facts = {"name": row.name, "shop": row.shop, "paper": row.kind, "words": words}
    stops = max(row.valid_until + timedelta(days=GRACE), today())
    letter = {"to": row.email, "template": "paper_turned_down", "language": row.language}
    notifications.mail(kind="paper_turned_down", about=paper, stops=stops, **letter, **facts)


def _called(code: str, by: Person) -> Row[Any]:
    paper = first(_ONE, code=code)
    if paper is None:
        raise NotFound(_("This paper is not here any more."))
    if marks.is_near(paper.seller_id, by.id):
        raise Refused(_("This shop is for another moderator to decide on."), 403)
    return paper
