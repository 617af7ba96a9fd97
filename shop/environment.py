"""Environment: reads one variable after another, and remembers everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import urlsplit

_YES_NO = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


class Reader:
    """Reads variables and remembers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.wrong: list[str] = []

    def text(self, name: str, default: str) -> str:
        """What is set, without the spaces around it; nothing is as good as not set."""
        return self.environ.get(name, "").strip() or default

    def flag(self, name: str, default: bool = False) -> bool:
        """Yes or no."""
        value = self.text(name, "1" if default else "0").lower()
        if value not in _YES_NO:
            self.wrong.append(f"{name} must be 1 or 0, not {value!r}")
        return _YES_NO.get(value, default)

    def one_of(self, name: str, *choices: str) -> str:
        """One of `choices`, of which the first is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            self.wrong.append(f"{name} must be {' or '.join(choices)}, not {value!r}")
            return choices[0]
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        try:
            value = float(self.text(name, str(default)))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.wrong.append(f"{name} must be a number from {low:g} to {high:g}, not {self.environ.get(name)!r}")
            return default
        return value

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        """An address that begins with one of `schemes`."""
        value = self.text(name, default)
        if value and urlsplit(value).scheme not in schemes:
            self.wrong.append(f"{name} must start with one of {', '.join(f'{s}://' for s in schemes)}")
        return value

    def mailbox(self, name: str, default: str, *, is_needed: bool = True) -> str:
        """Somebody who can be mailed, with a name or without."""
        value = self.text(name, default)
        if not value and not is_needed:
            return value
        if "@" not in parseaddr(value)[1] or not value.isprintable():
            self.wrong.append(f"{name} must be an address, such as Etalage <shop@example.com>, not {value!r}")
        return value
