"""Cards: parts of pages that show only what they are given, made once for each language and remembered."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

from flask import current_app
from markupsafe import Markup

from shop.i18n import language


def cards(rows: Iterable[tuple[Any, ...]], template: str = "parts/card.html", early: int = 0) -> Markup:
    """The rows as cards, from memory where they were made before; the pictures of the first `early` are not put off.

    A card is remembered by its language and by its whole row: another price is another card, never an old one.
    So its template may show nothing else: no person, no time, no address of the request.
    """
    code = language()
    return Markup("").join([_card(code, template, row, n < early) for n, row in enumerate(rows)])


@lru_cache(maxsize=10_000)
def _card(code: str, template: str, row: tuple[Any, ...], is_early: bool) -> Markup:
    # Only called by `cards`, which has just asked for `code`: what is rendered now is in that language.
    made = current_app.jinja_env.get_template(template).render(card=row, is_early=is_early)
    return Markup(made)  # noqa: S704  autoescaped


def kept(template: str, **options: str | int | bool) -> Markup:
    """A part of every page, which shows nothing but words, by language, and these few `options`."""
    return _kept(language(), template, tuple(options.items()))


@lru_cache(maxsize=1_000)
def _kept(code: str, template: str, options: tuple[tuple[str, str | int | bool], ...]) -> Markup:
    # As with cards: `kept` has just asked for `code`.
    made = current_app.jinja_env.get_template(template).render(**dict(options))
    return Markup(made)  # noqa: S704  autoescaped


class Found(Protocol):
    """Rows as the database gave them, which can be read when they are needed."""

    def __hash__(self) -> int: ...

    def read(self) -> Any:
        """What is in the rows."""


def remembered(template: str, found: Found, **options: str | bool) -> Markup:
    """What `template` makes of a `page`: of what is found, read; from memory where the same was made before.

    As with cards: the language, the rows and the options are all that it may show.
    """
    return _remembered(language(), template, found, tuple(options.items()))


@lru_cache(maxsize=2_000)
def _remembered(code: str, template: str, found: Found, options: tuple[tuple[str, str | bool], ...]) -> Markup:
    # Only called by `remembered`, which has just asked for `code`: what is rendered now is in that language.
    made = current_app.jinja_env.get_template(template).render(page=found.read(), **dict(options))
    return Markup(made)  # noqa: S704  autoescaped
