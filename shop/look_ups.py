"""Look-ups: what official registers answer about what a seller told; a moderator reads it beside the seller's words.

A job asks, so nobody waits and no transaction is open meanwhile. Each answer is a row that is only added; who does not
answer is asked again by the clock for three days, and by a moderator's button.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Row, bindparam, exists, func, select

from shop import clock, gateways, jobs, turn
from shop.database import connection, first, let_go, rows
from shop.gateways.company_port import CompanyRegister, Entry, RegisterSilentError
from shop.marks import letters
from shop.models import LookUp, LookUpKind, LookUpResult, Seller, Vetting
from shop.registers import normal_company, normal_vat

log = structlog.get_logger()

AGAIN_AFTER, AGAIN_FOR = timedelta(hours=1), timedelta(days=3)
CLOSE = 0.8  # how alike two names have to be, from 0 to 1, to be nearly the same
NOBODY = "nobody"  # the source where no register of ours can be asked
SILENT = "silent"

look_ups, sellers = LookUp.__table__, Seller.__table__
_TOLD = select(
    *sellers.c["id", "kind", "country", "legal_name", "company_register", "company_number", "vat_number"],
    *sellers.c["street", "postcode", "city"],
).where(sellers.c.id == bindparam("seller"))
_newest = (
    select(func.max(look_ups.c.id)).where(look_ups.c.seller_id == bindparam("seller")).group_by(look_ups.c.kind)
).scalar_subquery()
_LATEST = select(look_ups).where(look_ups.c.id.in_(_newest)).order_by(look_ups.c.kind)
_later_one = look_ups.alias("later_one")
_UNANSWERED = (
    select(look_ups.c.seller_id, look_ups.c.kind)
    .join(sellers, sellers.c.id == look_ups.c.seller_id)
    .where(
        look_ups.c.result == LookUpResult.CANNOT_CHECK,
        look_ups.c.source != NOBODY,
        look_ups.c.kind.in_((LookUpKind.COMPANY, LookUpKind.VAT)),
        look_ups.c.at < bindparam("before", type_=look_ups.c.at.type),
        sellers.c.applied_at > bindparam("since", type_=look_ups.c.at.type),
        sellers.c.vetting == Vetting.WAITING,
        ~exists().where(
            _later_one.c.seller_id == look_ups.c.seller_id,
            _later_one.c.kind == look_ups.c.kind,
            _later_one.c.id > look_ups.c.id,
        ),
    )
    .limit(100)
)
# Words of a name that say what form a company has, and nothing of whose it is.
_FORMS = re.compile(
    r"\b(b\.?v\.?|n\.?v\.?|v\.?o\.?f\.?|c\.?v\.?|gmbh|ag|ug|kg|ohg|e\.?k\.?|sarl|sas|sasu|sa|eurl|srl|bvba"
    r"|besloten vennootschap|ltd|limited|llc|inc|co|stichting|eenmanszaak|fictief|fictitious)\b\.?",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """What was answered last about one thing that a seller told."""

    kind: LookUpKind
    source: str  # who was asked
    asked: str  # about which number
    result: LookUpResult
    name: str
    address: str
    why: str  # it could not be checked: `silent`, or `nobody` to ask; a match that is not whole: `name`, `address`, ...
    at: datetime


# Asking


def ask(seller: Seller) -> None:
    """Let the registers be asked about what this seller tells now: the company and the VAT number, as far as told."""
    if seller.company_number:
        jobs.later(look_up, seller=seller.id, kind=str(LookUpKind.COMPANY))
    if seller.vat_number:
        jobs.later(look_up, seller=seller.id, kind=str(LookUpKind.VAT))


@jobs.handler
def look_up(seller: int, kind: str) -> None:
    """Ask one register about one seller, and write down what it says. It ends the present transaction."""
    told = first(_TOLD, seller=seller)
    if told is None:
        return
    number, register = _whom_to_ask(told, kind)
    if not number:
        return
    let_go()
    result, answer = _answer(told, number, register)
    source = register.name if register else NOBODY
    note(seller, LookUpKind(kind), source=source, asked=number, result=result, answer=answer)


def _whom_to_ask(told: Row[Any], kind: str) -> tuple[str, CompanyRegister | None]:
    if kind == LookUpKind.VAT:
        number = normal_vat(told.country, told.vat_number) if told.vat_number else ""
        return number, gateways.vat(number)
    number = normal_company(told.company_number)
    return number if told.company_register == "HRB" else number.replace(" ", ""), gateways.company(
        told.company_register
    )


def _answer(told: Row[Any], number: str, register: CompanyRegister | None) -> tuple[LookUpResult, dict[str, str]]:
    if register is None:
        return LookUpResult.CANNOT_CHECK, {"why": NOBODY}
    try:
        with turn.aside():
            entry = register.find(number)
    except RegisterSilentError as error:
        log.warning("a register does not answer", source=register.name, error=str(error))
        return LookUpResult.CANNOT_CHECK, {"why": SILENT}
    return compare(entry, told.legal_name, told.postcode, told.city)


def note(
    seller_id: int, kind: LookUpKind, *, source: str, asked: str, result: LookUpResult, answer: dict[str, str]
) -> None:
    """Add what was answered; of a bank account `asked` is the last four alone."""
    told = {"source": source, "asked": asked[:60], "result": result, "answer": answer, "at": clock.now()}
    connection().execute(look_ups.insert(), {"seller_id": seller_id, "kind": kind, **told})


@jobs.regularly(AGAIN_AFTER)
def ask_again() -> None:
    """Ask about who waits for a decision, where a register did not answer the last time."""
    now = clock.now()
    for row in rows(_UNANSWERED, before=now - AGAIN_AFTER / 2, since=now - AGAIN_FOR):
        jobs.later(look_up, seller=row.seller_id, kind=str(row.kind))


# What an answer says


def compare(entry: Entry | None, name: str, postcode: str, city: str) -> tuple[LookUpResult, dict[str, str]]:
    """How what a register says fits what a seller says: name and place, or the one of them, or neither."""
    if entry is None:
        return LookUpResult.NO_MATCH, {"why": "number"}
    answer = {"name": ", ".join(entry.names[:3]), "address": entry.address}
    if not entry.is_active:
        return LookUpResult.NO_MATCH, {**answer, "why": "ended"}
    if not entry.names:
        return LookUpResult.CLOSE, {**answer, "why": "not told"}
    if (alike := _alike(name, entry.names)) < 1:
        return LookUpResult.CLOSE if alike >= CLOSE else LookUpResult.NO_MATCH, {**answer, "why": "name"}
    if entry.address and not _is_there(entry.address, postcode, city):
        return LookUpResult.CLOSE, {**answer, "why": "address"}
    return LookUpResult.MATCH, answer


def _alike(name: str, others: Iterable[str]) -> float:
    """How alike the name is to the one of the others that is most like it; what form a company has does not count."""
    mine = _bare(name)
    return max((SequenceMatcher(None, mine, _bare(other)).ratio() for other in others), default=0)


def _bare(name: str) -> str:
    return letters(_FORMS.sub(" ", name)) or letters(name)


def _is_there(address: str, postcode: str, city: str) -> bool:
    """The postcode tells it, or where none is told the town does."""
    where = letters(address)
    return letters(postcode) in where if postcode else letters(city) in where


# For who reads it


def latest(seller: Seller) -> dict[LookUpKind, Found]:
    """What was answered last about each thing, as far as it is still what the seller tells: one question."""
    found = (_found(row) for row in rows(_LATEST, seller=seller.id))
    now = {LookUpKind.COMPANY: normal_company(seller.company_number), LookUpKind.VAT: seller.vat_number}
    return {
        one.kind: one
        for one in found
        if one.kind == LookUpKind.PAYEE or letters(one.asked).endswith(letters(now[one.kind]) or "-")
    }


def _found(row: Row[Any]) -> Found:
    answer = {name: str(row.answer.get(name, "")) for name in ("name", "address", "why")}
    return Found(LookUpKind(row.kind), row.source, row.asked, LookUpResult(row.result), **answer, at=row.at)
