"""The catalogues: `python -m tools.translations update` writes them anew, `check` says what is missing.

They are sorted and carry no line numbers, so that two changes of the same day merge. Check passes when each language
has all the words that the shop says, each with a translation that nobody marked as doubtful, and no others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "shop" / "translations"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def said() -> Catalog:
    """The words that the shop says now."""
    with (ROOT / "babel.cfg").open() as settings:
        methods, options = parse_mapping_cfg(settings)
    words = Catalog(charset="utf-8")
    for _file, _line, text, _comments, context in extract_from_dir(ROOT, methods, options, KEYWORDS):
        words.add(text, context=context)
    return words


def catalogues() -> list[tuple[Path, Catalog]]:
    """Each language's file and what is in it."""
    found = []
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            found.append((path, read_po(file, locale=path.parent.parent.name)))
    return found


def update() -> int:
    """Add new words without a translation, and drop those that nobody says any more."""
    words = said()
    for path, catalogue in catalogues():
        catalogue.update(words, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    return 0


def check() -> int:
    """Say every word that is missing, doubtful or no longer said."""
    words = {_key(message) for message in said() if message.id}
    wrong = []
    for path, catalogue in catalogues():
        there = {_key(message): message for message in catalogue if message.id}
        language = path.parent.parent.name
        wrong += [f"{language}: not there: {key[0]!r}" for key in sorted(words - there.keys())]
        wrong += [f"{language}: no longer said: {key[0]!r}" for key in sorted(there.keys() - words)]
        wrong += [f"{language}: not translated: {key[0]!r}" for key, message in there.items() if not _is_done(message)]
        wrong += [f"{language}: {error} in {message.id!r}" for message, errors in catalogue.check() for error in errors]
    if wrong:
        print("\n".join([*wrong, "`make translations` adds and drops; the words are yours to fill in."]))
    return 1 if wrong else 0


def _key(message: Message) -> tuple[str, str]:
    """A word is one by its text and its context."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return text, message.context or ""


def _is_done(message: Message) -> bool:
    texts = [message.string] if isinstance(message.string, str) else message.string
    return not message.fuzzy and all(texts)


if __name__ == "__main__":
    sys.exit({"update": update, "check": check}[sys.argv[1]]())
