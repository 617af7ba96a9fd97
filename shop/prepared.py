"""Prepared statements: SQLAlchemy's words and SQLAlchemy's rows, by the driver's own short way between them.

A statement that is a constant of its module is put into SQL by SQLAlchemy, once, when it is first asked; what it
learned then (the text, the kinds of the values, how to read a row) is kept here, and from then on only the values go
to the driver. What cannot be kept, such as a list whose length differs each time, goes SQLAlchemy's way each time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Executable, Row
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import CursorResult

MOST = 2000  # statements of one kind of database; those that are constants are some hundreds

_known: dict[str, WeakKeyDictionary[Executable, Prepared | None]] = {}


class Bind(NamedTuple):
    """A place in a statement: what it is called there, whose value comes in it, and how that is written."""

    name: str
    key: str
    usual: Any  # where the caller need not say
    is_asked: bool
    write: Callable[[Any], Any] | None

    def value(self, values: Mapping[str, Any]) -> Any:
        """What goes to the driver. A value that the first caller gave has to be given by each."""
        value = values[self.key] if self.is_asked else values.get(self.key, self.usual)
        return value if self.write is None else self.write(value)


class Prepared:
    """What is known of a statement after it was asked once."""

    def __init__(self, result: CursorResult[Any], values: Mapping[str, Any]) -> None:
        context: Any = result.context
        compiled, first = context.compiled, context.compiled_parameters[0]
        self.text: str = context.statement
        self._is_positional: bool = compiled.positional
        self._binds = [
            Bind(name, (key := compiled.binds[name].key), first[name], key in values, writes)
            for name in (compiled.positiontup if compiled.positional else first)
            if compiled.binds[name] not in compiled.literal_execute_params  # those stand in the text
            for writes in (compiled._bind_processors.get(name),)
        ]
        if self._is_positional:
            # Those that no caller can name.
            self._write_out({name for name in first if (bind := compiled.binds[name]).unique and bind.key != name})
        keys = [bind.key for bind in self._binds]
        # The quick way, where the caller gives everything.
        self._take = itemgetter(*keys) if len(keys) > 1 and all(bind.is_asked for bind in self._binds) else None
        self._written = [(place, bind.write) for place, bind in enumerate(self._binds) if bind.write]
        if result.returns_rows:
            self._metadata = result._metadata
            self._readers = self._metadata._effective_processors
            self._places = self._metadata._key_to_index

    def _write_out(self, constant: Collection[str]) -> None:
        """Put the words that are the same each time into the text, such as the name of a state.

        SQLite looks whether a value that is compared makes an index of some rows of use, and then it plans the whole
        statement anew for each value that is given: that takes ten times as long as to run it.
        """
        pieces = self.text.split("?")
        if len(pieces) != len(self._binds) + 1:  # a question mark of its own
            return
        text, given = pieces[0], []
        for bind, piece in zip(self._binds, pieces[1:], strict=True):
            word = bind.value({}) if bind.name in constant and not bind.is_asked else None
            if isinstance(word, str):
                text += "'" + word.replace("'", "''") + "'" + piece
            else:
                text += "?" + piece
                given.append(bind)
        self.text, self._binds = text, given

    def bound(self, values: Mapping[str, Any]) -> Any:
        """These values, as the driver wants them."""
        if self._is_positional:
            if self._take is None:
                return [bind.value(values) for bind in self._binds]
            bound = list(self._take(values))
            for place, write in self._written:
                bound[place] = write(bound[place])
            return bound
        return {bind.name: bind.value(values) for bind in self._binds}

    def read(self, found: Sequence[tuple[Any, ...]]) -> Sequence[Row[Any]]:
        """What the driver gave, as SQLAlchemy's rows."""
        metadata, readers, places = self._metadata, self._readers, self._places
        return [Row(metadata, readers, places, row) for row in found]


class Same:
    """Rows that the database gave: the same object wherever it gave the same, so that what is made of them can be
    remembered by it without a look at what is in them.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self.rows = rows


@lru_cache(maxsize=1_000)
def same(how: Hashable, told: tuple[tuple[Any, ...], ...]) -> Same:
    """What the driver `told`, read by `how`: a statement that is known; any other gives rows that are read already."""
    return Same(how.read(told) if isinstance(how, Prepared) else cast("Sequence[Row[Any]]", told))


def insert(table: Any) -> postgresql.Insert:
    """An INSERT for a constant: what both databases understand of ON CONFLICT, they write in the same way."""
    return postgresql.insert(table)


def known(statement: Executable, engine: Engine) -> Prepared | None:
    """This statement as it was asked before; None where it was not, or where that is of no use.

    Where somebody listens to what the database is asked (a test that counts), SQLAlchemy asks, so that they hear it.
    """
    of_this_kind = _known.get(engine.dialect.name)
    if of_this_kind is None or engine.dispatch.before_cursor_execute:
        return None
    return of_this_kind.get(statement)


def ask_first(
    statement: Executable, given: Mapping[str, Any] | Sequence[Mapping[str, Any]], through: Connection
) -> CursorResult[Any]:
    """Have SQLAlchemy ask, once or for each of many, and remember how it is done."""
    of_this_kind = _known.setdefault(through.dialect.name, WeakKeyDictionary())
    result: Any = through.execute(statement, given)
    values = given if isinstance(given, Mapping) else given[0]
    if statement not in of_this_kind and len(of_this_kind) < MOST:
        of_this_kind[statement] = Prepared(result, values) if _is_always_the_same(result, values) else None
    return cast("CursorResult[Any]", result)


def _is_always_the_same(result: Any, values: Mapping[str, Any]) -> bool:
    """Does its SQL depend on nothing but the statement, and does SQLAlchemy add no value of its own to it?"""
    compiled = getattr(result.context, "compiled", None)
    if type(result) is not CursorResult or compiled is None:
        return False
    if compiled.post_compile_params or compiled.escaped_bind_names:
        return False
    if any(bind.key in values for bind in compiled.literal_execute_params):
        return False
    adds = compiled.insert_prefetch or compiled.update_prefetch or any(bind.callable for bind in compiled.bind_names)
    return not adds
