"""Words: one text in several languages, as a seller or creator wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Words(dict[str, str]):
    """A text by language code, such as `Words(nl="Wolk sneaker", en="Cloud sneaker")`.

    It may be part of a cached row, so it has a hash; treat it as a value and never change it.
    """

    def __hash__(self) -> int:  # type: ignore[override]
        """Equal texts have equal hashes, in whatever order the languages came."""
        return hash(frozenset(self.items()))

    def said(self, language: str) -> str:
        """The text in this language, else in English, else in the language that there is; empty if there is none."""
        return self.get(language) or self.get("en") or next((text for text in self.values() if text), "")

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Words:
        """Words from what a database or a JSON file gave; None is no words at all."""
        return cls({str(code): str(text) for code, text in (stored or {}).items()})
