"""The vault: seals what nobody may read by chance, and opens it for who may.

What is sealed has a key of its own; that key lies beside it in the database, wrapped by a key of the vault, which lies
in neither: it is in `instance/keys`, or in the setting PAPER_KEYS. Forgetting a thing's own key shreds the thing. Two
keys of the vault are live: the newest wraps, the one before still opens, so that a rotation stops nobody.

The content is AES-256-GCM in chunks of 64 KiB; each chunk is bound to what it is a part of, to its number, and to
whether it is the last one. So no bit can be changed, no chunk or file put in another's place, and no end cut off.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import struct
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app
from sqlalchemy import select, update

from shop import clock
from shop.database import connection, rows
from shop.models import BankAccount, CodeApp, Paper, TaxNumber

CHUNK = 64 * 1024
TAG = 16
MARK = b"ETA1"  # how a sealed file begins
LIVE = 2

papers, apps, banks = Paper.__table__, CodeApp.__table__, BankAccount.__table__
taxes = TaxNumber.__table__
_WRAPPED: tuple[Any, ...] = (
    (papers.c.id, papers.c.wrapped_key, papers.c.key_id),
    (apps.c.user_id, apps.c.wrapped_seed, apps.c.key_id),
    (banks.c.id, banks.c.wrapped_key, banks.c.key_id),
    (taxes.c.id, taxes.c.wrapped_key, taxes.c.key_id),
)


class BrokenSealError(Exception):
    """This is not what was sealed, or no key of ours opens it."""


class Wrapped(NamedTuple):
    """A short secret as the database may have it, and which key of the vault opens it."""

    secret: bytes
    key_id: str


# Files


def new_key() -> bytes:
    """A key for one thing, used for nothing else."""
    return AESGCM.generate_key(256)


def seal(key: bytes, name: str, content: bytes) -> bytes:
    """Seal `content` under a key that seals `name` only once: the chunk's number is the nonce."""
    box, sealed = AESGCM(key), [MARK]
    pieces = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)] or [b""]
    for number, piece in enumerate(pieces):
        about = _about(name, number, number == len(pieces) - 1)
        sealed.append(box.encrypt(_nonce(name, number), piece, about))
    return b"".join(sealed)


def unseal(key: bytes, name: str, sealed: bytes) -> bytes:
    """What was sealed under this name, all of it; else `BrokenSealError`, and not one byte."""
    if not sealed.startswith(MARK):
        raise BrokenSealError(name)
    box, opened, at = AESGCM(key), [], len(MARK)
    try:
        for number in count():
            piece = sealed[at : at + CHUNK + TAG]
            at += len(piece)
            is_last = at >= len(sealed)
            opened.append(box.decrypt(_nonce(name, number), piece, _about(name, number, is_last)))
            if is_last:
                return b"".join(opened)
    except (InvalidTag, ValueError) as error:
        raise BrokenSealError(name) from error
    raise BrokenSealError(name)


def _nonce(name: str, number: int) -> bytes:
    """No two chunks under one key have the same: pages of a paper differ in what stands behind the dot."""
    page = name.rpartition(".")[2]
    return struct.pack(">IQ", int(page) if page.isdigit() else 0, number)


def _about(name: str, number: int, is_last: bool) -> bytes:
    return f"{name} {number} {'last' if is_last else 'more'}".encode()


# Keys of the vault


def wrap(secret: bytes) -> Wrapped:
    """Wrap a short secret with the newest key of the vault; where there is no key yet, one is made."""
    key_id, key = _keys()[0]
    return Wrapped(Fernet(key).encrypt(secret), key_id)


def unwrap(wrapped: bytes) -> bytes:
    """The secret. Read the row before you call this: a rotation makes its new key before it changes a row."""
    try:
        return MultiFernet([Fernet(key) for _id, key in _keys()]).decrypt(wrapped)
    except InvalidToken as error:
        raise BrokenSealError("no key of the vault opens this") from error


def mark(content: bytes) -> bytes:
    """A keyed hash: who has the database alone cannot try out what it is the hash of."""
    return hmac.new(current_app.config["SECRET_KEY"].encode(), b"mark " + content, "sha256").digest()


def key_ids() -> list[str]:
    """The names of the live keys, the newest first."""
    return [key_id for key_id, _key in _keys()]


def _keys() -> Sequence[tuple[str, bytes]]:
    """From the settings, else from files: read each time, because another process may have rotated them."""
    if given := current_app.config["PAPER_KEYS"]:
        return tuple(given)[:LIVE]
    if not (found := _files()):
        add_key()
        found = _files()
    return tuple((path.stem, path.read_bytes()) for path in found[:LIVE])


def _files() -> list[Path]:
    return sorted(_folder().glob("*.key"), reverse=True)


def _folder() -> Path:
    return Path(current_app.instance_path) / "keys"


def add_key() -> str:
    """Make a new key, in a file that only this user reads; from now on it wraps. Gives its name."""
    folder, name = _folder(), _name(clock.now())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = folder / f"{name}.{secrets.token_hex(4)}"
    with open(os.open(waiting, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        out.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
        out.flush()
        os.fsync(out.fileno())
    waiting.rename(folder / f"{name}.key")  # whole, or not there
    return name


def _name(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S%fZ")


def rewrap(most: int = 100) -> int:
    """Wrap up to `most` secrets with the newest key that another one wraps; gives how many. The caller commits."""
    newest = _keys()[0][0]
    done = 0
    for row_id, wrapped, key_id in _WRAPPED:
        old = (
            select(row_id.label("row"), wrapped.label("secret"))
            .where(key_id != newest, wrapped.is_not(None))
            .limit(most - done)
        )
        for row in rows(old) if done < most else ():
            now = wrap(unwrap(row.secret))
            same = (row_id == row.row, wrapped == row.secret)  # shredded meanwhile: stays shredded
            fresh = {wrapped.name: now.secret, key_id.name: now.key_id}
            connection().execute(update(row_id.table).where(*same).values(fresh))
            done += 1
    return done


def forget_old_keys() -> list[str]:
    """Throw the files of keys away that are no longer live and wrap nothing; gives their names."""
    old = _files()[LIVE:] if not current_app.config["PAPER_KEYS"] else []
    asked = [select(key_id.label("name")).where(wrapped.is_not(None)).distinct() for _id, wrapped, key_id in _WRAPPED]
    used = {row.name for one in asked for row in rows(one)}
    gone = [path for path in old if path.stem not in used]
    for path in gone:
        path.unlink(missing_ok=True)
    return [path.stem for path in gone]
