"""How Stripe's requests look on the wire: `a[b][0]=c`, and JSON for the second version."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl


def read(body: str | bytes | None, *, is_json: bool = False) -> dict[str, Any]:
    """What was sent, as it was meant: numbers and yes or no, but metadata is always text."""
    text = body.decode() if isinstance(body, bytes) else body or ""
    if is_json:
        return dict(json.loads(text or "{}"))
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path = re.split(r"\[|\]\[|\]", name)
        _put(tree, path[:-1] if len(path) > 1 else path, value)
    return {name: _meant(value, is_text=name == "metadata") for name, value in tree.items()}


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    last = path[-1] or str(len(tree))  # `a[]=c` is the next one
    tree[last] = value


def _meant(value: Any, *, is_text: bool) -> Any:
    if isinstance(value, dict):
        if value and all(key.isdigit() for key in value):
            return [_meant(value[key], is_text=is_text) for key in sorted(value, key=int)]
        return {key: _meant(inner, is_text=is_text or key == "metadata") for key, inner in value.items()}
    if is_text or not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    return int(value) if re.fullmatch(r"-?\d{1,15}", value) else value
