"""Stripe's own types of what it answers, made strict: an unknown key, a wrong type or a word that is no choice is told.

The other half of `strict`, which looks at requests. It walks the annotations of the classes that the pinned package
reads Stripe's JSON into. A field that is left out is no deviation: no answer of a test is whole.
"""

from __future__ import annotations

import typing
from functools import cache
from importlib import import_module
from typing import Any

import stripe
from stripe import StripeObject
from stripe._object_classes import OBJECT_CLASSES, V2_OBJECT_CLASSES
from stripe.events import UnknownEventNotification

PLAIN = {int: int, str: str, bool: bool, float: (int, float), type(None): type(None)}


@cache
def kind_of(name: str) -> Any:
    """The class that Stripe reads an object of that name into, by its own table; a thin event comes as a notice."""
    if name == "v2.core.event":
        return UnknownEventNotification
    module, kind = {**V2_OBJECT_CLASSES, **OBJECT_CLASSES}[name]
    return getattr(import_module(module), kind)


@cache
def fields(kind: Any) -> dict[str, Any]:
    """What such an object has, with the type of each."""
    found: dict[str, Any] = {}
    for each in reversed(kind.__mro__):
        found |= {name: what for name, what in vars(each).get("__annotations__", {}).items() if name[0] != "_"}
    found.pop("OBJECT_NAME", None)
    return {"object": str, **found}


def deviations(thing: dict[str, Any], kind: Any = None, at: str = "") -> list[str]:
    """Where this is not what Stripe's types say, each with its path."""
    kind = kind or kind_of(thing["object"])
    at = at or str(thing.get("object", kind.__name__))
    known, found = fields(kind), []
    for name, value in thing.items():
        if name not in known:
            found.append(f"{at}.{name} is unknown")
        elif not fits(value, known[name], f"{at}.{name}", told := []):
            found += told or [f"{at}.{name} cannot be {value!r}"]
    return found


def fits(value: Any, wanted: Any, at: str, told: list[str]) -> bool:
    """May a field of that type have this value? What is wrong inside of it goes into `told`."""
    if isinstance(wanted, typing.ForwardRef | str):
        simple = getattr(wanted, "__forward_arg__", wanted).rpartition(".")[2].removesuffix("Resource")
        wanted = getattr(stripe, simple, Any)  # what has no name at the top is known by its own
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any or origin is dict or "Untyped" in str(wanted):
        named = _own(value) if isinstance(value, dict) else None
        return _is_such(value, named, at, told) if named else wanted is Any or isinstance(value, dict)
    if origin is typing.Union:
        closed = [one for one in inner if one is not str] if any(map(_is_choice, inner)) else inner
        return any(fits(value, one, at, told) for one in closed)
    if origin is typing.Literal:
        return value in inner
    if origin is list:
        return isinstance(value, list) and all(fits(each, inner[0], f"{at}[{i}]", told) for i, each in enumerate(value))
    if wanted in PLAIN:
        return isinstance(value, PLAIN[wanted]) and (wanted is bool or not isinstance(value, bool))
    return isinstance(value, dict) and _is_such(value, origin or wanted, at, told)


def _is_such(value: dict[str, Any], kind: Any, at: str, told: list[str]) -> bool:
    """Is it an object of that class? One that says its own name is looked at by that."""
    named = _own(value) or kind
    if isinstance(kind, type) and not issubclass(named, kind):
        return False
    told += deviations(value, named, at)
    return not told


def _own(value: dict[str, Any]) -> Any:
    """The class of an object that says its own name."""
    return kind_of(value["object"]) if isinstance(value.get("object"), str) else None


def _is_choice(one: Any) -> bool:
    return typing.get_origin(one) is typing.Literal


class Watched(dict[str, Any]):
    """An object that says when somebody looks for a field in it that Stripe's objects of its kind do not have."""

    def __init__(self, thing: dict[str, Any], kind: Any = None) -> None:
        self.kind = kind or kind_of(thing["object"])
        super().__init__(thing)

    def __getitem__(self, name: str) -> Any:
        self._is_there(name)
        return self._inner(name, super().__getitem__(name))

    def get(self, name: str, default: Any = None) -> Any:
        self._is_there(name)
        return self._inner(name, super().get(name, default))

    def _is_there(self, name: str) -> None:
        assert name in fields(self.kind), f"{self.kind.__name__} has no {name}"

    def _inner(self, name: str, value: Any) -> Any:
        if isinstance(value, dict) and (kind := _class_in(fields(self.kind)[name], value)):
            return Watched(value, kind)
        if isinstance(value, list):
            kind = _class_in(typing.get_args(fields(self.kind)[name]), {})
            return [Watched(each, kind) if kind and isinstance(each, dict) else each for each in value]
        return value


def _class_in(wanted: Any, value: dict[str, Any]) -> Any:
    """The class that a field's type names, be it in a choice of several or a list."""
    if named := _own(value):
        return named
    for one in wanted if isinstance(wanted, tuple) else (wanted, *typing.get_args(wanted)):
        if isinstance(one, type) and issubclass(one, StripeObject) and "Untyped" not in str(one):
            return one
        if typing.get_args(one) and (found := _class_in(typing.get_args(one), value)):
            return found
    return None
