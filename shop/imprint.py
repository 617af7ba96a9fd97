"""Imprint: who runs this shop, for everybody to read (2000/31/EC art. 5, 3:15d BW)."""

from __future__ import annotations

from typing import NamedTuple

from shop.environment import Reader
from shop.mailbox import is_address


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
    imprint = Imprint(
        name=reader.text("OPERATOR_NAME", ""),
        address=reader.text("OPERATOR_ADDRESS", ""),
        contact=reader.text("OPERATOR_CONTACT", ""),
        phone=reader.text("OPERATOR_PHONE", ""),
        register=reader.text("OPERATOR_REGISTER", ""),
        vat_number=reader.text("OPERATOR_VAT", ""),
    )
    missing = [f"OPERATOR_{name.upper()}" for name in ("name", "address", "contact") if not getattr(imprint, name)]
    if env == "production" and missing:
        reader.wrong.append(f"{', '.join(missing)} must say who runs the shop when APP_ENV=production: /about shows it")
    if imprint.contact and not is_address(imprint.contact):
        reader.wrong.append("OPERATOR_CONTACT must be one address, such as shop@example.com")
    return imprint
