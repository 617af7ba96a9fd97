"""Passwords: which ones will do, and their hashes.

A hash takes 19 MiB and a tenth of a second on purpose: never make one while a transaction is open.
"""

from __future__ import annotations

import gzip
import re
import secrets
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shop import turn
from shop.errors import Refused
from shop.i18n import _

LEAST, MOST = 12, 128

# OWASP's floor for Argon2id (2026): 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_turns = BoundedSemaphore(2)  # in one process; a crowd at the door must not take all the memory
_NOBODYS = _hasher.hash(secrets.token_hex())


def check(password: str, *about: str) -> None:
    """Refuse a password that would be guessed; `about` is what a guesser knows: the name, the e-mail address."""
    if len(password) < LEAST:
        raise Refused(_("Use at least %(least)s characters; a short sentence is fine.", least=LEAST), 422)
    if len(password) > MOST:
        raise Refused(_("Use at most %(most)s characters.", most=MOST), 422)
    if _is_common(password.lower()) or _says_little_more(password.lower(), about):
        raise Refused(_("This password is among the first that a burglar tries. Choose another one."), 422)


def hashed(password: str) -> str:
    """What is kept of a password."""
    with turn.aside(), _turns:
        return _hasher.hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Does it fit what was kept? Where there is nothing to fit, that takes as long to say."""
    try:
        with turn.aside(), _turns:
            return _hasher.verify(kept or _NOBODYS, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_dated(kept: str) -> bool:
    """Was it kept with less care than we take today?"""
    return _hasher.check_needs_rehash(kept)


def _is_common(password: str) -> bool:
    """On the list, or a word of the list with something on its ends, or said twice, or a row of neighbours."""
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    half = password[: len(password) // 2]
    is_a_row = all(abs(ord(b) - ord(a)) <= 1 for a, b in pairwise(password))
    is_thin = len(set(password)) < 5 or password.isdigit()
    return bool({password, bare} & _top_list()) or half * 2 == password or is_a_row or is_thin


def _says_little_more(password: str, about: tuple[str, ...]) -> bool:
    rest = password
    for known in about:
        for part in re.split(r"[\W_]+", known.lower()):
            if len(part) > 2:
                rest = rest.replace(part, "")
    return len(rest) < 6


@cache
def _top_list() -> frozenset[str]:
    """The twenty thousand passwords that leak most, one a line."""
    with gzip.open(Path(__file__).parent / "common_passwords.txt.gz", "rt", encoding="utf-8") as file:
        return frozenset(file.read().split("\n")) - {""}
