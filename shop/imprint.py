"""Imprint: who runs this shop, for everybody to read (2000/31/EC art. 5, 3:15d BW)."""

from __future__ import annotations

from typing import NamedTuple

from shop.environment import Reader
from shop.mailbox import is_address

NEEDED = ("OPERATOR_NAME", "OPERATOR_ADDRESS", "OPERATOR_CONTACT")


class Imprint(NamedTuple):
    """Who runs the shop and how they are reached; empty is what the operator did not say."""

    name: str
    address: str
    contact: str  # an e-mail address that everybody may write to
    phone: str
    register: str  # such as "KVK 68750110"
    vat_number: str


def read(reader: Reader, env: str) -> Imprint:
    """What the operator says of themselves. A real shop has to say who they are, where, and how one writes to them."""
    told = [reader.text(name, "") for name in (*NEEDED, "OPERATOR_PHONE", "OPERATOR_REGISTER", "OPERATOR_VAT")]
    imprint = Imprint(*told)
    if env == "production" and (missing := [name for name in NEEDED if not reader.text(name, "")]):
        reader.wrong.append(f"{', '.join(missing)} must say who runs the shop when APP_ENV=production: /about shows it")
    if imprint.contact and not is_address(imprint.contact):
        reader.wrong.append("OPERATOR_CONTACT must be one address, such as shop@example.com")
    return imprint
