"""The weekly reports of the Safety Gate as they are written: an index of weeks, and the alerts of one week.

The European Commission publishes them in the languages of the Union; which one, the address of the index says. What is
written in them is shown to people and compared with our goods, so no field may be longer than what one reads.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from shop.gateways.recalls_port import Alert, RecallsSilentError

LONGEST = 300  # characters of a field; of lists of numbers ten times as many
_UNKNOWN = frozenset(("unknown", "onbekend", "null", "-"))
_TAG = re.compile(r"<[^>]*>?")  # the last one may be cut off
_FIELDS = ("caseNumber", "reference", "brand", "name", "product", "danger", "measures")


class Week(NamedTuple):
    """A report in the index: where its alerts are, and its day."""

    address: str
    day: str


def read(told: bytes) -> Element:
    """A report as a tree; one that defines words of its own is none of theirs, and is not read.

    It is read as what was looked at: in UTF-8, whatever it says that it is written in.
    """
    try:
        text = told.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecallsSilentError("not UTF-8") from error
    if "\0" in text:  # UTF-16, where nothing below would be found
        raise RecallsSilentError("not UTF-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise RecallsSilentError("it defines entities")
    try:
        return ElementTree.fromstring(text)  # noqa: S314  no entities, and expat stops what grows
    except ElementTree.ParseError as error:
        raise RecallsSilentError("no XML") from error


def weeks(index: Element) -> list[Week]:
    """The reports of an index, the newest first."""
    found = [
        Week(_text(each, "URL", 500), _day(_text(each, "publicationDate", 20))) for each in index.iter("weeklyReport")
    ]
    return sorted((week for week in found if week.address), key=lambda week: week.day, reverse=True)


def alerts(report: Element, day: str = "") -> list[Alert]:
    """The alerts of one report; one without a number cannot be named, and is left out."""
    return [alert for each in report.iter("notifications") if (alert := _alert(each, day)).number]


def _alert(told: Element, day: str) -> Alert:
    number, address, brand, name, product, danger, measures = (_text(told, field) for field in _FIELDS)
    numbers = ("batchNumber_barcode", "barcode", "batchNumber")
    return Alert(
        number=number[:40],
        address=address if address.startswith("https://") else "",
        published=day,
        brand=brand,
        name=name,
        product=product,
        models=_text(told, "type_numberOfModel", 10 * LONGEST),
        numbers=", ".join(filter(None, (_text(told, field, 10 * LONGEST) for field in numbers))),
        danger=danger.removeprefix("null "),
        measures=measures,
    )


def _text(told: Element, field: str, most: int = LONGEST) -> str:
    """What stands in a field, without markup that slipped in; nothing where it says that nobody knows."""
    text = " ".join(_TAG.sub(" ", html.unescape(told.findtext(field) or "")).split())[:most]
    return "" if text.casefold() in _UNKNOWN else text


def _day(told: str) -> str:
    """`20/11/2026` as `2026-11-20`; empty where it is no day."""
    try:
        return datetime.strptime(told, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007  a day has no hour
    except ValueError:
        return ""
