"""Stripe's own request types, made strict: an unknown key, a wrong type or a word that is no choice is an error.

It touches private names of the package, whose version is pinned for that reason (`stripe==16.1.*`).
"""

from __future__ import annotations

import re
import sys
import typing
from functools import cache
from typing import Any

import stripe
import stripe._request_options as options
import typing_extensions
from pydantic import ConfigDict, TypeAdapter
from stripe._stripe_context import StripeContext

options.StripeContext = StripeContext  # a name that only type checkers see
STRICT = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


@cache
def adapter(name: str) -> TypeAdapter[Any]:
    """The strict reader of `stripe.params.<name>`."""
    module, _dot, simple = f"stripe.params.{name}".rpartition(".")
    wanted = getattr(__import__(module, fromlist=[simple]), simple)
    home = sys.modules[wanted.__module__]
    for kind in vars(home).values():
        if typing_extensions.is_typeddict(kind):
            kind.__pydantic_config__ = STRICT
            kind.__annotations__ = {key: _closed(value) for key, value in kind.__annotations__.items()}
    made = TypeAdapter(wanted)
    made.rebuild(_types_namespace={**vars(typing), **vars(options), **vars(home), "StripeContext": StripeContext})
    return made


def _closed(annotation: Any) -> Any:
    """Stripe's choices are open (`Literal['a', 'b'] | str`); here they are closed. "No value" stays what it is."""
    text = annotation.__forward_arg__ if isinstance(annotation, typing.ForwardRef) else annotation
    if not isinstance(text, str):
        return _closed_union(annotation)
    closed = re.sub(r"(Literal\[(?!''\])[^\]]*\])\s*\|\s*str\b", r"\1", text)
    return typing.ForwardRef(closed, is_argument=False, is_class=True) if closed != text else annotation


def _closed_union(annotation: Any) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Union and str in arguments:
        choices = [
            one for one in arguments if typing.get_origin(one) is typing.Literal and typing.get_args(one) != ("",)
        ]
        if choices:
            return typing.Union[tuple(one for one in arguments if one is not str)]  # noqa: UP007
        return annotation
    if arguments and hasattr(annotation, "copy_with"):
        return annotation.copy_with(tuple(_closed(one) for one in arguments))
    return annotation


def check(name: str, sent: dict[str, Any]) -> None:
    """Raise where what is sent is not what Stripe's types allow."""
    assert stripe.VERSION.startswith("16.1."), "these private names belong to 16.1"
    adapter(name).validate_python(sent)
