"""IBANs: is an account number written as its country writes them, and which bank is it of? (ISO 13616)"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shop import i18n
from shop.i18n import _

if TYPE_CHECKING:
    from schwifty.domain import IBANSpec

# Here the account number has check figures of its own by a rule that holds for every bank of the country.
_CHECKED_INSIDE = frozenset(("BE", "ES", "FR", "IT", "MC", "PT", "SM"))
_NEW_IN_SEPA = frozenset(("AL", "MD", "ME", "MK", "RS"))  # since 2025; not every list of countries knows it
_SIGN = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}


class Bank(NamedTuple):
    """Where an account is; what is not known is empty."""

    name: str
    bic: str


def normal_iban(text: str) -> str:
    """An IBAN as machines write it: in capitals, without spaces, dots or dashes, and without "IBAN" before it."""
    return re.sub(r"[\s.\-]", "", text).upper().removeprefix("IBAN").lstrip(":")


def iban_error(text: str) -> str | None:
    """What is wrong with this IBAN, for somebody who is to be paid in euro; None where nothing is."""
    iban = normal_iban(text)
    if not iban:
        return _("Fill in the IBAN of the account, such as NL91 ABNA 0417 1643 00.")
    if wrong := re.search(r"[^0-9A-Z]", iban):
        return _("An IBAN has only letters and figures, and no “%(sign)s”.", sign=wrong[0])
    return _country_error(iban) or _length_error(iban) or _structure_error(iban) or _check_error(iban)


def bank_of(iban: str) -> Bank:
    """The bank of a right IBAN and its BIC, as far as its country publishes a list of them."""
    from schwifty import IBAN  # noqa: PLC0415  it weighs 14 MB, and most processes never see an IBAN

    found = IBAN(normal_iban(iban), allow_invalid=True)
    bank = found.bank
    return Bank(bank.name if bank else "", str(found.bic or ""))


@lru_cache(maxsize=128)
def _spec(country: str) -> IBANSpec | None:
    from schwifty import registry  # noqa: PLC0415  as above
    from schwifty.exceptions import InvalidCountryCode  # noqa: PLC0415

    try:
        return registry.get_iban_spec(country)
    except InvalidCountryCode:
        return None


def _country_error(iban: str) -> str | None:
    if not iban[:2].isalpha():
        return _("An IBAN begins with the two letters of a country, such as NL.")
    spec = _spec(iban[:2])
    if spec is None or spec.aspirational:
        return _("No country has IBANs that begin with %(letters)s. Look at the first two letters.", letters=iban[:2])
    if not spec.in_sepa_zone and iban[:2] not in _NEW_IN_SEPA:
        name = i18n.country(iban[:2])
        return _("This account is outside SEPA (%(country)s), so we cannot pay to it.", country=name)
    return None


def _length_error(iban: str) -> str | None:
    spec, has = _spec(iban[:2]), len(iban)
    if spec is None or has == spec.iban_length:
        return None
    facts = {"country": i18n.country(iban[:2]), "right": spec.iban_length, "has": has}
    if has < spec.iban_length:
        words = _("This IBAN is too short: it must have %(right)s characters (%(country)s), and this one has %(has)s.")
    else:
        words = _("This IBAN is too long: it must have %(right)s characters (%(country)s), and this one has %(has)s.")
    return words % facts


def _structure_error(iban: str) -> str | None:
    """The first character that is of the wrong kind: an O for a 0 is what people type most."""
    signs = "nn" + _signs(iban[:2])
    wrong = next((at for at, sign in enumerate(signs, 2) if not re.match(_SIGN[sign], iban[at])), None)
    if wrong is None:
        return None
    facts = {"at": wrong + 1, "sign": iban[wrong]}
    if signs[wrong - 2] == "n":
        return _("Character %(at)s of this IBAN must be a figure, and is the letter %(sign)s.", **facts)
    return _("Character %(at)s of this IBAN must be a letter, and is the figure %(sign)s.", **facts)


def _signs(country: str) -> str:
    """`4!a10!n` spelled out: aaaannnnnnnnnn."""
    spec = _spec(country)
    parts = re.findall(r"(\d+)!?([nac])", spec.bban_spec if spec else "")
    return "".join(sign * int(times) for times, sign in parts)


def _check_error(iban: str) -> str | None:
    from schwifty import IBAN  # noqa: PLC0415  as above
    from schwifty.exceptions import InvalidBBANChecksum, SchwiftyException  # noqa: PLC0415

    try:
        IBAN(iban, validate_bban=iban[:2] in _CHECKED_INSIDE)
    except InvalidBBANChecksum:
        return _("The account number in this IBAN cannot be: a figure of it is wrong, or two are swapped.")
    except SchwiftyException:
        return _("The check figures do not fit: a figure or letter of this IBAN is wrong, or two are swapped.")
    return None
