"""Audit: what was done by those who may do more than others, in a chain that cannot be mended unseen.

Each entry is written in the transaction of what it tells, so neither is there without the other. Its hash covers its
words and the hash before it; the database refuses to change or delete one. Who owns the database can take the triggers
off and rewrite all of it: the hash that was mailed every day tells on them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import Row, bindparam, select, update

from shop import clock
from shop.database import connection, first, insert
from shop.models import AuditEntry, AuditHead, Role

NOTHING_YET = "0" * 64
OPERATOR = "operator"
PIECE = 1000  # rows that are checked at once

entries, head = AuditEntry.__table__, AuditHead.__table__
_LOCKED = select(head.c.seq, head.c.hash).where(head.c.id == 1).with_for_update()
_HEAD = select(head.c.seq, head.c.hash).where(head.c.id == 1)
_NEXT = update(head).where(head.c.id == 1).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_FROM = select(entries).where(entries.c.seq > bindparam("after")).order_by(entries.c.seq).limit(PIECE)
_ABOUT = select(entries).where(entries.c.about == bindparam("about")).order_by(entries.c.seq)
_TOLD = ("seq", "actor_id", "role", "action", "about", "reason", "before", "after", "prev_hash")


class Actor(Protocol):
    """Who does something; the shell has none."""

    @property
    def id(self) -> int:
        """Their number in `users`."""

    @property
    def roles(self) -> Collection[str]:
        """What they may do."""


class Verdict(NamedTuple):
    """What became of looking at the chain: how many entries hold, the last hash, and which one is broken, and how."""

    entries: int
    hash: str
    broken: int | None = None
    how: str = ""


def note(
    action: str,
    about: str,
    *,
    by: Actor | None,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add what was done, at the end of the present transaction's work: whoever comes next waits for its end.

    `before` and `after` hold what changed and never a secret; addresses go through `masked`.
    """
    last = _locked_head()
    entry = {
        "seq": last.seq + 1,
        "at": clock.now(),
        "actor_id": by.id if by else None,
        "role": _role(by),
        "action": action,
        "about": about[:80],
        "reason": reason[:1000],
        "before": before or {},
        "after": after or {},
        "prev_hash": last.hash,
    }
    entry["hash"] = _hash(entry)
    connection().execute(entries.insert(), entry)
    connection().execute(_NEXT, {"new_seq": entry["seq"], "new_hash": entry["hash"]})


def come_first() -> None:
    """Whoever else has something to write down waits until we have ended.

    Ask it before you lock what others lock after their entry; else each waits for the other.
    """
    _locked_head()


def _locked_head() -> Row[Any]:
    """The end of the chain, ours until the transaction ends (SQLite has one writer anyway)."""
    if (found := first(_LOCKED)) is not None:
        return found
    new = {"id": 1, "seq": 0, "hash": NOTHING_YET}
    connection().execute(insert(head).values(new).on_conflict_do_nothing())
    return cast(Row[Any], connection().execute(_LOCKED).one())


def _role(by: Actor | None) -> str:
    """In which role they could do it: the greatest that they have."""
    if by is None:
        return OPERATOR
    order = (Role.ADMIN, Role.MODERATOR, Role.SELLER, Role.CREATOR)
    return str(next((role for role in order if role in by.roles), "person"))


def _hash(entry: dict[str, Any]) -> str:
    told = {name: entry[name] for name in _TOLD} | {"at": entry["at"].isoformat(timespec="microseconds")}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def about(thing: str) -> list[Row[Any]]:
    """What was done about one thing, in its order."""
    return list(connection().execute(_ABOUT, {"about": thing}).all())


def last() -> tuple[int, str]:
    """How many entries there are, and the hash of the last one."""
    found = first(_HEAD)
    return (found.seq, found.hash) if found else (0, NOTHING_YET)


def verify(also: str = "") -> Verdict:
    """Look at the whole chain, from its first entry to its head; `also` is a hash that has to be among them.

    Gives the first entry that is not as it was written, or that is missing.
    """
    promised, seen = last(), {NOTHING_YET}
    seq, before = 0, NOTHING_YET
    while page := connection().execute(_FROM, {"after": seq}).all():
        for row in page:
            if how := _flaw(row, seq, before):
                return Verdict(seq, before, seq + 1, how)
            seq, before = row.seq, row.hash
            seen |= {before} & {also, promised[1]}
    if promised[1] not in seen or seq < promised[0]:
        return Verdict(seq, before, seq + 1, "the chain does not reach the head that was written down for it")
    if also and also not in seen:
        return Verdict(seq, before, seq + 1, "the hash that was kept elsewhere is not in the chain")
    return Verdict(seq, before)


def _flaw(row: Row[Any], seq: int, before: str) -> str:
    if row.seq != seq + 1:
        return "it is missing"
    if row.prev_hash != before:
        return "it does not follow from the one before it"
    if row.hash != _hash(dict(row._mapping)):
        return "it is not as it was written"
    return ""


def masked(text: str) -> str:
    """A name or address of which only its owner sees that it is theirs: `m***@example.com`."""
    name, at, host = text.partition("@")
    return f"{name[:1]}***{at}{host}" if text else ""
