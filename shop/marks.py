"""Marks: keyed hashes by which somebody who was refused or stopped is known when they come back under another name.

A mark says only that two sellers told the same; what it was, nobody gets out of it who has not the shop's key. Each
thing is written in one way before it is marked: a telephone number with its country, a mailbox without its tricks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.sql.elements import ColumnElement

from shop import vault
from shop.database import connection, first, insert, rows
from shop.models import MarkKind, Paper, Profile, Seller, SellerMark
from shop.registers import normal_company, normal_iban, normal_vat

marks, sellers, profiles = SellerMark.__table__, Seller.__table__, Profile.__table__
_theirs = marks.alias("theirs")
_TWINS = (
    select(marks.c.kind, profiles.c.handle, profiles.c.name, sellers.c.vetting)
    .join_from(marks, _theirs, and_(_theirs.c.kind == marks.c.kind, _theirs.c.mark == marks.c.mark))
    .join(sellers, sellers.c.id == _theirs.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .where(marks.c.seller_id == bindparam("seller"), _theirs.c.seller_id != bindparam("seller"))
    .order_by(marks.c.kind, profiles.c.handle)
    .limit(100)
)

# What says whose a shop is. Mailbox, telephone and address anybody can type who knows them, and those of a trader
# everybody knows: a stranger who did would choose who may not decide about them. Of those a moderator is told.
SAME_HANDS = (MarkKind.IBAN, MarkKind.VAT, MarkKind.COMPANY, MarkKind.DOCUMENT)

_near, _own = sellers.alias("near"), profiles.alias("near_own")
_ours, _others = Paper.__table__.alias("near_ours"), Paper.__table__.alias("near_others")
_ties, _of_them = marks.alias("near_ties"), marks.alias("near_of_them")


def near(seller: Any) -> ColumnElement[bool]:
    """Of the seller of a query: is this `:person`'s own shop, or does it share with theirs what only one can have?

    That is a paper, the number of one, an account, or the number of a company.
    """
    is_hard = or_(*(_ties.c.kind == kind for kind in SAME_HANDS))  # no list: it would be put into words each time
    same_mark = and_(is_hard, _of_them.c.kind == _ties.c.kind, _of_them.c.mark == _ties.c.mark)
    same_paper = or_(
        _others.c.file_mark == _ours.c.file_mark,
        and_(_others.c.picture_mark == _ours.c.picture_mark, _ours.c.picture_mark != b""),
    )
    told = select(_ties.c.id).join(_of_them, same_mark).where(_ties.c.seller_id == seller)
    sent = select(_ours.c.id).join(_others, same_paper).where(_ours.c.seller_id == seller)
    is_same = or_(
        _near.c.id == seller,
        told.where(_of_them.c.seller_id == _near.c.id).correlate(_near, seller.table).exists(),
        sent.where(_others.c.seller_id == _near.c.id).correlate(_near, seller.table).exists(),
    )
    theirs = select(_near.c.id).join(_own, _own.c.id == _near.c.profile_id)
    return theirs.where(_own.c.user_id == bindparam("person"), is_same).correlate(seller.table).exists()


_SHARED = (
    select(_ties.c.kind)
    .join_from(_ties, _of_them, and_(_of_them.c.kind == _ties.c.kind, _of_them.c.mark == _ties.c.mark))
    .join(_near, _near.c.id == _of_them.c.seller_id)
    .join(_own, _own.c.id == _near.c.profile_id)
    .where(_ties.c.seller_id == bindparam("seller"), _near.c.id != _ties.c.seller_id)
    .where(_own.c.user_id == bindparam("person"))
    .order_by(_ties.c.kind)
)
_NEAR = select(sellers.c.id).where(sellers.c.id == bindparam("seller"), near(sellers.c.id))

# How a telephone number of a country begins where it is called from abroad.
_CALLED = {"NL": "31", "BE": "32", "DE": "49", "FR": "33", "LU": "352", "GB": "44", "IE": "353", "AT": "43", "CH": "41"}
_CALLED |= {"ES": "34", "PT": "351", "DK": "45", "SE": "46", "FI": "358", "PL": "48", "CZ": "420", "GR": "30"}
_CALLED |= {"BG": "359", "CY": "357", "EE": "372", "HR": "385", "HU": "36", "LT": "370", "LV": "371", "MT": "356"}
_CALLED |= {"RO": "40", "SI": "386", "SK": "421"}
_READ_ALIKE = str.maketrans("oi", "01")
_NO_DOTS = frozenset(("gmail.com", "googlemail.com"))  # where a dot in a name makes no other mailbox


class Twin(NamedTuple):
    """Another seller who told the same thing of this kind."""

    kind: MarkKind
    handle: str
    name: str
    vetting: str


def keep(seller: Seller) -> None:
    """Mark what this seller told by now; what is no longer told is forgotten. The account is marked by its own file."""
    told = {
        MarkKind.VAT: normal_vat(seller.country, seller.vat_number) if seller.vat_number else "",
        MarkKind.COMPANY: _company(seller.company_register, seller.company_number),
        MarkKind.PHONE: phone(seller.country, seller.phone),
        MarkKind.EMAIL: mailbox(seller.email),
        MarkKind.ADDRESS: address(seller.country, seller.street, seller.postcode),
    }
    for kind, text in told.items():
        _keep(seller.id, kind, text)


def keep_iban(seller_id: int, iban: str) -> None:
    """Mark the account that this seller gave last."""
    _keep(seller_id, MarkKind.IBAN, normal_iban(iban))


def keep_document(seller_id: int, number: str) -> None:
    """Mark the number of the identity paper that was accepted last. Of the number itself nothing is kept."""
    _keep(seller_id, MarkKind.DOCUMENT, document(number))


def _keep(seller_id: int, kind: MarkKind, text: str) -> None:
    if not text:
        mine = (marks.c.seller_id == seller_id, marks.c.kind == kind)
        connection().execute(delete(marks).where(*mine))
        return
    mark = of(kind, text)
    row = insert(marks).values(seller_id=seller_id, kind=kind, mark=mark)
    connection().execute(row.on_conflict_do_update(index_elements=["seller_id", "kind"], set_={"mark": mark}))


def of(kind: MarkKind, text: str) -> bytes:
    """The mark of something that is written in one way already."""
    return vault.mark(f"{kind} {text}".encode())


def twins(seller: Seller) -> list[Twin]:
    """Other sellers who told the same, by kind, whatever became of them: one question to the database."""
    return [Twin(MarkKind(row.kind), row.handle, row.name, row.vetting) for row in rows(_TWINS, seller=seller.id)]


def is_near(seller: int, person: int) -> bool:
    """Is this shop somebody's own, or in the same hands as theirs? Then others decide about it."""
    return first(_NEAR, seller=seller, person=person) is not None


def shared(seller: int, person: int) -> list[str]:
    """What of this shop is the same as of this person's own one, by kind. It keeps nobody from deciding by itself."""
    return [row.kind for row in rows(_SHARED, seller=seller, person=person)]


# Written in one way


def phone(country: str, text: str) -> str:
    """A telephone number with its country: `+31612345678`, from `06 - 12 34 56 78` in the Netherlands."""
    figures = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    if figures.startswith("00"):
        figures = f"+{figures[2:]}"
    if figures.startswith("+"):
        return figures if len(figures) > 5 else ""
    bare = figures.removeprefix("0")
    return f"+{_CALLED[country]}{bare}" if bare and country in _CALLED else bare


def mailbox(text: str) -> str:
    """An e-mail address as its mailbox is known: in small letters, without what stands behind a plus."""
    name, _at, host = text.strip().lower().rpartition("@")
    name = name.partition("+")[0]
    if host in _NO_DOTS:
        name, host = name.replace(".", ""), "gmail.com"
    return f"{name}@{host}" if name and host else ""


def document(text: str) -> str:
    """The number of a paper: what is read as a letter O or I by one and as a figure by another is the same."""
    return letters(text).translate(_READ_ALIKE)


def letters(text: str) -> str:
    """Only the letters and figures, small and without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def _company(register: str, number: str) -> str:
    bare = letters(normal_company(number))
    return f"{register} {bare}" if bare else ""


def address(country: str, street: str, postcode: str) -> str:
    """The street with its number and the postcode are an address; the town follows from these."""
    bare, code = letters(street), letters(postcode)
    return f"{country} {code} {bare}" if bare and code else ""
