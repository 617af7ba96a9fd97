"""Plain text: what somebody typed for somebody else to read, without what cannot be seen."""

from __future__ import annotations

import re
import unicodedata

# They turn the order in which a line is read, so that it says something else than it seems to.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_THERE = frozenset("\u00ad\u200b\u2060\ufeff")
_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
_GAPS = re.compile(r"\n\n\s*")  # of lines without blanks at their ends: each sign is looked at once
# What a mail program makes a link of, or what looks so: an address of a page or of a mailbox.
_LIKE_A_LINK = re.compile(r"://|www[.\u3002]|@|\w[.\u3002]\w{2,}", re.IGNORECASE)
_BESIDE = frozenset(("Cc", "Cf", "Mn", "Me"))  # kinds of signs that show nothing, or stand upon another
MAILED = 4000  # signs at most: of longer ones is not worked out what they look like


def cleaned(text: str) -> str:
    """The text without control characters and what cannot be seen, with at most one empty line between two."""
    plain = unicodedata.normalize("NFC", _BREAKS.sub("\n", text).replace("\t", " "))
    seen = "".join(sign for sign in plain if not _is_hidden(sign))
    return _GAPS.sub("\n\n", "\n".join(line.rstrip() for line in seen.split("\n"))).strip()


def size(text: str) -> int:
    """How many signs of it there are to be seen."""
    return sum(not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Mn") for sign in text)


def may_be_mailed(text: str) -> bool:
    """Can it stand in a mail of ours? Not with what becomes a link there: it would look like our own."""
    if len(text) > MAILED:
        return False
    looks = unicodedata.normalize("NFKC", text)  # with one kind of dot, where there are many that look so
    return _LIKE_A_LINK.search("".join(sign for sign in looks if not _is_beside(sign))) is None


def _is_beside(sign: str) -> bool:
    return unicodedata.category(sign) in _BESIDE and sign not in "\n\r\t"


def _is_hidden(sign: str) -> bool:
    return sign in _TURNING or sign in _NOT_THERE or (unicodedata.category(sign) in ("Cc", "Cs", "Co") and sign != "\n")
