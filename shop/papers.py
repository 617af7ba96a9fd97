"""Papers: what an applicant sends to prove who they are, who may look at it, and when it is gone.

A paper is looked at by one moderator at a time, with a reason, for ten minutes; each opening is an entry in the audit.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import Row, and_, bindparam, delete, func, or_, select, update

from shop import alerts, audit, clock, jobs, vault
from shop.audit import Actor
from shop.contested import is_contested
from shop.database import connection, db, first, rows
from shop.errors import NotFound, Refused
from shop.gateways import paper_reader, storage_papers
from shop.gateways.paper_reader import LARGEST, Flaw, Read, UnfitError
from shop.i18n import _
from shop.models import AuditEntry, Paper, PaperKind, PaperState, Profile, Seller, User, Vetting

__all__ = ["LARGEST", "TooManyOpenings"]

OPEN_FOR = timedelta(minutes=10)
MOST_OPENINGS = 20  # of one person in an hour
LOCKED_FOR = timedelta(days=1)
UNDECIDED = timedelta(days=180)  # an application on which nobody decides
REFUSED = timedelta(days=90)  # time to object, and a little more
ENDED = timedelta(days=183)  # six months after who sold here does so no more (DSA art. 30(5))
LEFT_OVER = timedelta(hours=24)
OPENED, LOCKED, UNLOCKED = "paper opened", "papers locked", "papers unlocked"

papers, users, entries = Paper.__table__, User.__table__, AuditEntry.__table__
sellers, profiles = Seller.__table__, Profile.__table__
_SEALED = papers.c.state == PaperState.SEALED
_OF = (
    select(papers.c.code, papers.c.kind, papers.c.pages, papers.c.came_as, papers.c.sent_at, papers.c.keep_until)
    .where(papers.c.seller_id == bindparam("seller"), _SEALED)
    .order_by(papers.c.id)
)
_CALLED = (
    select(papers, users.c.name.label("opened_by"), profiles.c.handle, profiles.c.name.label("shop"))
    .join_from(papers, sellers, papers.c.seller_id == sellers.c.id)
    .join(profiles, sellers.c.profile_id == profiles.c.id)
    .outerjoin(users, papers.c.opened_by_id == users.c.id)
    .where(papers.c.code == bindparam("code"), _SEALED, sellers.c.vetting != Vetting.DRAFT)
)
_others = papers.alias("others")
_looks_alike = and_(_others.c.picture_mark == papers.c.picture_mark, papers.c.picture_mark != b"")
_SAME = (
    select(profiles.c.handle, profiles.c.name, sellers.c.vetting)
    .distinct()
    .join_from(papers, _others, or_(_others.c.file_mark == papers.c.file_mark, _looks_alike))
    .join(sellers, sellers.c.id == _others.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(papers.c.seller_id == bindparam("seller"), _others.c.seller_id != bindparam("seller"))
    .order_by(profiles.c.handle)
)
_DONE = select(func.count()).where(
    entries.c.actor_id == bindparam("person"), entries.c.action == OPENED, entries.c.at > bindparam("since")
)
_LAST_LOCK = (
    select(entries.c.action, entries.c.at)
    .where(
        or_(
            and_(entries.c.action == LOCKED, entries.c.actor_id == bindparam("person")),
            and_(entries.c.action == UNLOCKED, entries.c.about == bindparam("about")),
        )
    )
    .order_by(entries.c.seq.desc())
    .limit(1)
)
_is_over = or_(papers.c.keep_until < bindparam("now"), sellers.c.ended_at < bindparam("ended"))
_DUE = (
    select(papers.c.id)
    .join(sellers, sellers.c.id == papers.c.seller_id)
    .where(_SEALED, _is_over, ~is_contested(papers.c.seller_id))
    .limit(500)
)


class TooManyOpenings(Refused):
    """This person has looked at more papers than work asks for."""

    status = 429


# From the applicant


def read(file: IO[bytes]) -> tuple[Read, bytes]:
    """Look at a file before anything is written: clean pictures of its pages, and the keyed hash of what was sent."""
    file_mark = vault.mark(b"file" + file.read(LARGEST + 1))
    file.seek(0)
    try:
        return paper_reader.read(file), file_mark
    except UnfitError as error:
        words, status = _why(error.flaw)
        raise Refused(words, status) from error


def keep(seller_id: int, kind: PaperKind, found: Read, file_mark: bytes) -> Paper:
    """Seal a paper and keep it; the one that it takes the place of is shredded."""
    code, key = secrets.token_urlsafe(16), vault.new_key()
    sealed = [vault.seal(key, f"{code}.{n}", page) for n, page in enumerate(found.pages, 1)]
    for n, page in enumerate(sealed, 1):
        storage_papers.store(f"{code}.{n}", page)  # before the row: a file too many is swept, one too few is a loss
    _shred(papers.c.seller_id == seller_id, papers.c.kind == kind)
    wrapped = vault.wrap(key)
    paper = Paper(
        code=code,
        seller_id=seller_id,
        kind=kind,
        came_as=found.came_as,
        pages=len(sealed),
        size=sum(map(len, sealed)),
        wrapped_key=wrapped.secret,
        key_id=wrapped.key_id,
        file_mark=file_mark,
        picture_mark=vault.mark(b"looks" + found.looks) if any(found.looks) else b"",
        sent_at=clock.now(),
        keep_until=clock.now() + UNDECIDED,
    )
    db.session.add(paper)
    db.session.flush()
    return paper


def withdraw(seller_id: int, code: str) -> None:
    """Shred a paper because who sent it wants it back."""
    if not _shred(papers.c.seller_id == seller_id, papers.c.code == code):
        raise NotFound(_("This paper is not here any more."))


def of(seller_id: int) -> list[Row[Any]]:
    """The papers of one seller that are here, in the order in which they came."""
    return list(rows(_OF, seller=seller_id))


def _why(flaw: Flaw) -> tuple[str, int]:
    """What is wrong with a file, and what one can do about it."""
    whys = {
        Flaw.OTHER_KIND: (_("Send a photograph (JPEG, PNG or WebP) or a PDF. This is something else."), 415),
        Flaw.TOO_LARGE: (_("This file is larger than 15 MB. Take the photograph in a smaller size."), 413),
        Flaw.TOO_MANY_PIXELS: (_("This picture has too many pixels. Take the photograph in a smaller size."), 422),
        Flaw.TOO_SMALL: (_("This picture is too small to be read. Take another photograph."), 422),
        Flaw.MOVES: (_("This picture moves. Send a photograph that stands still."), 422),
        Flaw.ACTIVE: (_("There is something in this PDF that runs or is attached. Print it to a new PDF first."), 422),
        Flaw.LOCKED: (_("This PDF is locked with a password. Send one that can be opened."), 422),
        Flaw.TOO_MANY_PAGES: (_("This PDF has more than 20 pages. Send only those that matter."), 422),
    }
    return whys.get(flaw, (_("We cannot read this file. Take a photograph, or save it again, and send that."), 422))


# At the moderators' desk


def called(code: str) -> Row[Any]:
    """One paper that is here, and whose it is."""
    found = first(_CALLED, code=code)
    if found is None:
        raise NotFound(_("This paper is not here any more."))
    return found


def is_open_to(paper: Row[Any], person: Actor) -> bool:
    """May this person look at it at this moment?"""
    return bool(paper.opened_by_id == person.id and paper.open_until and paper.open_until > clock.now())


def same_as_of(seller_id: int) -> list[Row[Any]]:
    """Other sellers who have sent the same papers, also ones that are shredded: only keyed hashes are compared."""
    return list(rows(_SAME, seller=seller_id))


def open_up(code: str, *, by: Actor, reason: str) -> None:
    """Open a paper to one moderator for ten minutes, with a reason that is kept. Not while another one has it open."""
    if len(reason.strip()) < 10:
        raise Refused(_("Say why you have to see it; that is kept."), 422)
    connection().execute(select(users.c.id).where(users.c.id == by.id).with_for_update())  # they count one by one
    paper, now = called(code), clock.now()
    _refuse_when_locked(by)
    free = or_(papers.c.open_until.is_(None), papers.c.open_until <= now, papers.c.opened_by_id == by.id)
    opened = update(papers).where(papers.c.id == paper.id, _SEALED, free)
    if connection().execute(opened.values(opened_by_id=by.id, open_until=now + OPEN_FOR)).rowcount != 1:
        raise Refused(_("%(name)s has this paper open at the moment. Try again in ten minutes.", name=paper.opened_by))
    after = {"seller": paper.handle, "kind": paper.kind, "pages": paper.pages}
    audit.note(OPENED, f"paper:{code}", by=by, reason=reason.strip(), after=after)


def _refuse_when_locked(by: Actor) -> None:
    now = clock.now()
    lock = first(_LAST_LOCK, person=by.id, about=f"user:{by.id}")
    if lock is not None and lock.action == LOCKED and lock.at > now - LOCKED_FOR:
        raise Refused(_("You have opened many papers, and may open none for a day. The operator has been told."), 429)
    since = max(now - timedelta(hours=1), lock.at if lock is not None else now - timedelta(hours=1))
    if connection().execute(_DONE, {"person": by.id, "since": since}).scalar_one() >= MOST_OPENINGS:
        raise TooManyOpenings(
            _("You have opened many papers, and may open none for a day. The operator has been told.")
        )


def lock(person: Actor, name: str) -> None:
    """Let somebody open no papers for a day, and tell the operator; after `TooManyOpenings`, which changed nothing."""
    audit.note(LOCKED, f"user:{person.id}", by=person, reason=f"{MOST_OPENINGS} openings within an hour")
    alerts.tell_once("papers-locked", f"{person.id} {clock.now():%Y-%m-%d %H}", person=name, most=MOST_OPENINGS)


def unlock(user: User, *, by: Actor | None, reason: str) -> None:
    """Let somebody open papers again."""
    audit.note(UNLOCKED, f"user:{user.id}", by=by, reason=reason, before={"email": audit.masked(user.email)})


def page(code: str, number: int, *, to: Actor, name: str) -> bytes:
    """One page as a JPEG, with who looks and when all over it; only while it is open to this person."""
    paper = called(code)
    if not is_open_to(paper, to) or not 1 <= number <= paper.pages:
        raise NotFound(_("This paper is closed."))
    part = f"{code}.{number}"
    clean = vault.unseal(vault.unwrap(paper.wrapped_key), part, storage_papers.read(part))
    return paper_reader.watermarked(clean, f"{name}  {clock.now():%Y-%m-%d %H:%M} UTC")


def close(code: str, *, by: Actor) -> None:
    """Put it back, so that another moderator may look."""
    mine = update(papers).where(papers.c.code == code, papers.c.opened_by_id == by.id)
    connection().execute(mine.values(open_until=clock.now()))


# Until when


def keep_until(seller_id: int, moment: datetime | None) -> None:
    """Set when the papers of a seller are shredded; None: not while they sell here, and not until `ENDED` after."""
    connection().execute(update(papers).where(papers.c.seller_id == seller_id, _SEALED).values(keep_until=moment))


def keep_at_most(seller_id: int, until: datetime) -> None:
    """Shred the papers of a seller by then; what is shredded sooner, stays so."""
    later = or_(papers.c.keep_until.is_(None), papers.c.keep_until > until)
    mine = (papers.c.seller_id == seller_id, _SEALED, later)
    connection().execute(update(papers).where(*mine).values(keep_until=until))


def keep_only(seller_id: int, kinds: Collection[PaperKind]) -> None:
    """Shred what is not among these kinds any more."""
    _shred(papers.c.seller_id == seller_id, papers.c.kind.not_in(tuple(kinds)))


def forget_all(seller_id: int) -> None:
    """Forget that there ever were papers of this seller; they are shredded already."""
    connection().execute(delete(papers).where(papers.c.seller_id == seller_id, ~_SEALED))


def _shred(*which: Any) -> int:
    """Forget the keys of these papers: from now on nobody can read them. Their files go after that."""
    gone = {"state": PaperState.SHREDDED, "wrapped_key": None, "shredded_at": clock.now(), "open_until": None}
    shredded = update(papers).where(_SEALED, *which).values(gone).returning(papers.c.code, papers.c.pages)
    found = connection().execute(shredded).all()
    for row in found:
        jobs.later(forget_files, code=row.code, pages=row.pages)
    return len(found)


@jobs.handler
def forget_files(code: str, pages: int) -> None:
    """Throw the sealed files of a shredded paper away; they were unreadable already."""
    for number in range(1, pages + 1):
        storage_papers.delete(f"{code}.{number}")


@jobs.regularly(timedelta(hours=1))
def shred_what_is_due() -> None:
    """Shred the papers whose time is over, and throw away files that no paper has (a crash has left them).

    Not while an appeal or a dispute about who sent them is open.
    """
    due = [row.id for row in rows(_DUE, now=clock.now(), ended=clock.now() - ENDED)]
    if shredded := _shred(papers.c.id.in_(due)):
        audit.note("papers shredded", "papers", by=None, reason="their time is over", after={"papers": shredded})
    known = set(db.session.scalars(select(papers.c.code).where(_SEALED)))
    for name, written in storage_papers.every():
        is_old = clock.now().timestamp() - written > LEFT_OVER.total_seconds()
        if is_old and name.partition(".")[0] not in known:
            storage_papers.delete(name)
