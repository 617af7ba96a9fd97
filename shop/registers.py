"""Registers: is a number of a bank account, of VAT or of a trade register written as such a number can be?

Each check gives what is wrong in words that say which mistake it is, or nothing. That a number is right says that it
was typed well, and never that it is somebody's: for that there are `look_ups` and `bank_accounts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from stdnum import exceptions as stdnum_says
from stdnum.be import vat as be_number
from stdnum.eu import vat as eu_vat
from stdnum.fr import siren, siret
from stdnum.nl import bsn

from shop import i18n
from shop.i18n import _, ngettext
from shop.ibans import Bank, bank_of, iban_error, normal_iban

__all__ = [
    "Bank",
    "bank_of",
    "company_error",
    "has_shape",
    "iban_error",
    "normal_company",
    "normal_iban",
    "normal_vat",
    "vat_error",
]


def is_citizen_number(text: str) -> bool:
    """Has it the shape and the check digit of a Dutch citizen service number (BSN)?"""
    return bool(bsn.is_valid(text))


def has_shape(shape: str, text: str) -> bool:
    """Was it typed as such a number is written?"""
    return re.fullmatch(shape, text.strip().upper()) is not None


# VAT


class _Written(NamedTuple):
    """How a country writes its VAT numbers, behind the letters of the country."""

    shape: str
    lengths: tuple[int, ...]
    example: str


_VAT = {
    "AT": _Written(r"U\d{8}", (9,), "U12345675"),
    "BE": _Written(r"[01]\d{9}", (10,), "0123456749"),
    "BG": _Written(r"\d{9,10}", (9, 10), "123456786"),
    "CY": _Written(r"\d{8}[A-Z]", (9,), "10259033P"),
    "CZ": _Written(r"\d{8,10}", (8, 9, 10), "12345679"),
    "DE": _Written(r"\d{9}", (9,), "123456788"),
    "DK": _Written(r"\d{8}", (8,), "12345674"),
    "EE": _Written(r"\d{9}", (9,), "123456780"),
    "ES": _Written(r"[A-Z0-9]\d{7}[A-Z0-9]", (9,), "A12345674"),
    "FI": _Written(r"\d{8}", (8,), "12345671"),
    "FR": _Written(r"[A-HJ-NP-Z0-9]{2}\d{9}", (11,), "83404833048"),
    "GB": _Written(r"\d{9}|\d{12}|GD\d{3}|HA\d{3}", (9, 12, 5), "980780684"),
    "GR": _Written(r"\d{9}", (9,), "123456783"),
    "HR": _Written(r"\d{11}", (11,), "12345678903"),
    "HU": _Written(r"\d{8}", (8,), "12345676"),
    "IE": _Written(r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", (8, 9), "1234567FA"),
    "IT": _Written(r"\d{11}", (11,), "12345670017"),
    "LT": _Written(r"\d{9}|\d{12}", (9, 12), "123456715"),
    "LU": _Written(r"\d{8}", (8,), "12345613"),
    "LV": _Written(r"\d{11}", (11,), "41234567891"),
    "MT": _Written(r"\d{8}", (8,), "12345634"),
    "NL": _Written(r"\d{9}B\d{2}", (12,), "000099998B57"),
    "PL": _Written(r"\d{10}", (10,), "1234567883"),
    "PT": _Written(r"\d{9}", (9,), "123456789"),
    "RO": _Written(r"\d{2,10}", tuple(range(2, 11)), "1234567897"),
    "SE": _Written(r"\d{12}", (12,), "123456789701"),
    "SI": _Written(r"\d{8}", (8,), "12345679"),
    "SK": _Written(r"\d{10}", (10,), "1234567895"),
}
_ELSEWHERE = r"[0-9A-Z]{4,20}"  # outside the EU: some number, which nobody of us can check
_LETTERS = {"GR": ("EL", "GR"), "GB": ("GB", "XI")}  # XI: Northern Ireland, which trades as the EU does
_COUNTRY = {"EL": "GR", "XI": "GB"} | {country: country for country in _VAT}


def normal_vat(country: str, text: str) -> str:
    """A VAT number with the letters of its country: `NL123456789B01`. Outside the EU as it was typed, in capitals."""
    number = _bare(text)
    if country not in _VAT:
        return number
    letters = _letters(country)
    if number.startswith(letters):
        return letters[0] + number[2:] if country == "GR" else number
    return letters[0] + number


def vat_error(country: str, text: str) -> str | None:
    """What is wrong with this VAT number of a seller in this country (ISO 3166); None where nothing is."""
    number = _bare(text)
    if not number:
        return _("Fill in the VAT number, such as %(example)s.", example=_example(country))
    if country not in _VAT:
        is_right = re.fullmatch(_ELSEWHERE, number)
        return None if is_right else _("A VAT number has 4 to 20 letters and figures.")
    if stranger := _stranger(country, number):
        names = {"other": i18n.country(stranger), "country": i18n.country(country), "letters": _letters(country)[0]}
        return _(
            "This is a VAT number of another country (%(other)s). Give the one that begins with %(letters)s"
            " (%(country)s).",
            **names,
        )
    return _written_error(country, normal_vat(country, text)) or _vat_check_error(normal_vat(country, text))


def _letters(country: str) -> tuple[str, ...]:
    return _LETTERS.get(country, (country,))


def _example(country: str) -> str:
    known = country if country in _VAT else "NL"
    return _letters(known)[0] + _VAT[known].example


def _stranger(country: str, number: str) -> str | None:
    """Another country than this, which the number begins with; letters that belong to the number are none."""
    other = _COUNTRY.get(number[:2])
    if other in (None, country) or re.fullmatch(_VAT[country].shape, number, re.ASCII):
        return None
    return other


def _written_error(country: str, number: str) -> str | None:
    written, has = _VAT[country], len(number) - 2
    facts = {"country": i18n.country(country), "example": _example(country), "has": has + 2}
    if has < min(written.lengths):
        facts["right"] = min(written.lengths) + 2
        words = _("This VAT number is too short: %(example)s has %(right)s characters, and this one has %(has)s.")
    elif has > max(written.lengths):
        facts["right"] = max(written.lengths) + 2
        words = _("This VAT number is too long: %(example)s has %(right)s characters, and this one has %(has)s.")
    elif not re.fullmatch(written.shape, number[2:], re.ASCII):
        words = _("A VAT number looks like %(example)s (%(country)s): look which of its signs are letters.")
    else:
        return None
    return words % facts


def _vat_check_error(number: str) -> str | None:
    """Every member state lets its numbers be checked; only that a figure is wrong can be told, and not which."""
    try:
        eu_vat.validate("XI" + number[2:] if number[:2] == "GB" else number)
    except stdnum_says.ValidationError:
        return _("The check figure does not fit: a figure of this VAT number is wrong, or two are swapped.")
    return None


# Trade registers


def normal_company(text: str) -> str:
    """A number of a register in capitals, without dots, and with single spaces."""
    return " ".join(text.upper().replace(".", "").split())


def company_error(register: str, text: str) -> str | None:
    """What is wrong with this number in this register; None where nothing is.

    Of a register that we do not know, only the signs. KVK numbers have no check figure, so any eight figures will do.
    """
    if not _bare(text):
        return _("Fill in the number.")
    return _NUMBERS.get(register, _any_error)(text)


def _kvk_error(text: str) -> str | None:
    number = _bare(text)
    if re.fullmatch(r"\d{12}", number):
        return _("This is the number of a branch, with 12 figures. The KVK number of the business has 8.")
    return _figures_error(number, 8)


def _kbo_error(text: str) -> str | None:
    number = _bare(text).removeprefix("BE")
    number = "0" + number if re.fullmatch(r"[2-9]\d{8}", number) else number  # as it was written before 2005
    if wrong := _figures_error(number, 10):
        return wrong
    if number[0] not in "01":
        return _("A Belgian enterprise number begins with 0 or 1.")
    return _misfit(be_number.is_valid, number)


def _hrb_error(text: str) -> str | None:
    """As the courts write them, with or without the court: `HRB 12345`, `Amtsgericht Köln HRB 12345 B`."""
    number = normal_company(text)
    if re.fullmatch(r"\d{1,6} ?[A-Z]?", number):
        return _("Begin with HRA or HRB, as in the register: HRB 12345.")
    is_right = re.fullmatch(r"(?:[^\d]{3,60} )?(?:HRA|HRB|GNR|PR|VR) ?\d{1,6}(?: ?[A-Z]{1,3})?", number)
    return None if is_right else _("A number in the Handelsregister looks like HRB 12345. Look again.")


def _rcs_error(text: str) -> str | None:
    """With or without the town, `RCS Paris B 552 100 554`; and a SIRET where somebody gives that."""
    number = re.sub(r"^RCS\s+\D+?\s*[AB]?\s*(?=\d)", "", text.strip().upper())
    return _siret_error(number) if len(_bare(number)) > 11 else _siren_error(number)


def _siren_error(text: str) -> str | None:
    number = _bare(text)
    return _figures_error(number, 9) or _misfit(siren.is_valid, number)


def _siret_error(text: str) -> str | None:
    number = _bare(text)
    if wrong := _figures_error(number, 14) or _misfit(siret.is_valid, number):
        return wrong
    return None


def _rcsl_error(text: str) -> str | None:
    is_right = re.fullmatch(r"[A-Z]\d{1,6}", _bare(text))
    return None if is_right else _("A number in the register of Luxembourg is a letter and up to 6 figures: B123456.")


def _any_error(text: str) -> str | None:
    """Elsewhere: something with a figure in it, of the signs that registers use."""
    number = normal_company(text)
    if not re.fullmatch(r"[0-9A-Z./\- ]{3,40}", number) or not re.search(r"\d", number):
        return _("A number in a register has letters and figures, 3 to 40 of them. Look again.")
    return None


def _figures_error(number: str, right: int) -> str | None:
    """Nothing but figures, and as many as there must be."""
    if wrong := re.search(r"[^0-9]", number):
        return _("This number has only figures, and no “%(sign)s”.", sign=wrong[0])
    if len(number) < right:
        return _too("short", right, len(number))
    return _too("long", right, len(number)) if len(number) > right else None


def _too(how: str, right: int, has: int) -> str:
    words: str = (
        ngettext(
            "This number is too short: it has %(right)s figures, and here is %(num)s.",
            "This number is too short: it has %(right)s figures, and here are %(num)s.",
            has,
            right=right,
        )
        if how == "short"
        else _("This number is too long: it has %(right)s figures, and here are %(num)s.", right=right, num=has)
    )
    return words


def _misfit(is_valid: Callable[[str], bool], number: str) -> str | None:
    return None if is_valid(number) else _("The check figure does not fit: a figure is wrong, or two are swapped.")


def _bare(text: str) -> str:
    return re.sub(r"[\s.\-/]", "", text).upper()


_NUMBERS: dict[str, Callable[[str], str | None]] = {
    "KVK": _kvk_error,
    "KBO": _kbo_error,
    "HRB": _hrb_error,
    "RCS": _rcs_error,
    "SIREN": _siren_error,
    "SIRET": _siret_error,
    "RCSL": _rcsl_error,
}
