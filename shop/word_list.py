"""The word list: what is never for sale here, and which words a person has to look at, in Dutch and in English.

The list itself is `word_list.json`, with its version. A word is found as a whole word only, whatever its accents and
capitals, letters of other alphabets that look the same, signs that cannot be seen, spaces between its letters or
figures in their place. An exception takes away what it covers: a water pistol is no pistol. Words of both languages
are looked for in every text, but an exception of one word holds in its own language only: a Dutch "beer" is a bear.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).with_name("word_list.json")
SPELLED = 4  # letters that stand apart, one after the other, are a word from here on

Phrase = tuple[str, ...]

_WORD = re.compile(r"[^\W_]+")
# Letters of other alphabets that cannot be told from ours, and figures that stand in for letters.
_ALIKE = str.maketrans("аеорсухіјѕкмтвнԁɡɩοαερικν", "aeopcyxijskmtbhdgioaepikv")
_FIGURES = str.maketrans("013457", "oieast")


class Gravity(StrEnum):
    """What follows from a word: it is refused, or somebody looks at it first."""

    FORBIDDEN = "forbidden"
    RISKY = "risky"


class Group(NamedTuple):
    """Words that mean the same to us, and what covers them."""

    code: str
    gravity: Gravity
    is_anywhere: bool  # else in a title only
    words: frozenset[Phrase]
    exceptions: Mapping[str, frozenset[Phrase]]  # by the language of the text; "" where that is not known


class Found(NamedTuple):
    """A word of the list that stands in a text."""

    code: str
    gravity: Gravity
    word: str


@lru_cache(maxsize=1)
def groups() -> tuple[Group, ...]:
    """The list, read from its file once."""
    told = json.loads(LIST.read_text(encoding="utf-8"))["groups"]
    return tuple(
        Group(
            each["code"],
            Gravity(each["gravity"]),
            each["where"] == "anywhere",
            frozenset[Phrase]().union(*map(_phrases, each["words"].values())),
            _exceptions(each["except"]),
        )
        for each in told
    )


@lru_cache(maxsize=1)
def version() -> str:
    """The day of the list that is in use; it is written down with what was found by it."""
    return str(json.loads(LIST.read_text(encoding="utf-8"))["version"])


def find(text: str, language: str = "", *, is_title: bool = False) -> list[Found]:
    """The words of the list that stand in this text, each once; in what is no title only those of all texts."""
    readings = _readings(text)
    found = {
        Found(group.code, group.gravity, word): None
        for group in groups()
        if is_title or group.is_anywhere
        for read in readings
        for word in _of_group(group, read, language)
    }
    return list(found)


def tokens(text: str) -> list[str]:
    """The words of a text as they are compared: without accents, capitals, or what only looks like a letter."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    seen = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf"))
    return _WORD.findall(seen.translate(_ALIKE))


def _readings(text: str) -> list[list[str]]:
    """A text as it stands, and as somebody means it who hides words: spelled out, or with figures in them."""
    plain = tokens(text)
    meant = [_without_figures(each) for each in _joined(plain)]
    return [plain] if meant == plain else [plain, meant]


def _without_figures(word: str) -> str:
    return word.translate(_FIGURES) if not (word.isdigit() or word.isalpha()) else word


def _joined(words: Sequence[str]) -> list[str]:
    joined: list[str] = []
    run: list[str] = []
    for word in (*words, ""):
        if len(word) == 1:
            run.append(word)
            continue
        joined += ["".join(run)] if len(run) >= SPELLED else run
        run = []
        joined.append(word)
    return joined[:-1]


def _of_group(group: Group, words: Sequence[str], language: str) -> Iterator[str]:
    exceptions = group.exceptions.get(language, group.exceptions[""])
    covered = {place for start, end in _places(exceptions, words) for place in range(start, end)}
    for start, end in _places(group.words, words):
        if not covered.issuperset(range(start, end)):
            yield " ".join(words[start:end])


def _places(phrases: frozenset[Phrase], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    longest = max(map(len, phrases), default=0)
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            if tuple(words[start:end]) in phrases:
                yield start, end


def _exceptions(written: Mapping[str, Iterable[str]]) -> dict[str, frozenset[Phrase]]:
    own = {language: _phrases(phrases) for language, phrases in written.items()}
    everything = frozenset[Phrase]().union(*own.values())
    longer = frozenset(phrase for phrase in everything if len(phrase) > 1)
    return {"": everything, **{language: phrases | longer for language, phrases in own.items()}}


def _phrases(written: Iterable[str]) -> frozenset[Phrase]:
    return frozenset(tuple(tokens(phrase)) for phrase in written)
