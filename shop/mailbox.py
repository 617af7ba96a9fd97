"""Mailbox: what an e-mail address is, for every form and for every mail.

Narrower than the standard on purpose. Commas, semicolons and colons make one address into many, and `=?` begins an
encoded word, in which whoever reads it may find a line break and headers of its own.
"""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = rf"(?!.{{255}})(?!.*=\?)(?=[^@]{{1,64}}@){_PART}(?:\.{_PART})*"

ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})+\Z", re.ASCII)  # of anybody: its domain has a dot
_AT_HOME = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*\Z", re.ASCII)


def is_address(text: str) -> bool:
    """Is it one address that mail may go to? `root@localhost` is, too: an operator may have set it."""
    return _AT_HOME.match(text) is not None
