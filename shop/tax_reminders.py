"""Tax reminders: who sells and has not told their tax details is asked, reminded twice, and then not paid (DAC7).

Everybody who sells is asked. Money is held only of who is told to the tax office: who sells little is none of its
business, and nor is what they did not tell. However often a day is looked at, each is written to once for each step.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, or_, select, update

from shop import clock, jobs, notifications, tax_asked, tax_year
from shop.database import connection, db, first, insert, rows, rows_apart
from shop.models import Profile, Seller, SellerKind, TaxNumber, TaxRequest, User, Vetting

REMINDERS = (timedelta(days=21), timedelta(days=42))  # after the first request
APART = timedelta(days=14)  # at least, between two letters, and from the last one to the stop
PATIENCE = timedelta(days=60)  # from the first request on: the law lets nobody be stopped before
MOST = 500  # letters a day; the others follow

asked, sellers, profiles = TaxRequest.__table__, Seller.__table__, Profile.__table__
users, numbers = User.__table__, TaxNumber.__table__

_MOMENT = asked.c.asked_at.type
_is_told = exists().where(
    numbers.c.seller_id == sellers.c.id, or_(sellers.c.kind != SellerKind.INDIVIDUAL, numbers.c.has_birth_date)
)
_SILENT = (
    select(asked, sellers.c.id.label("seller"), profiles.c.name.label("shop"), *users.c["email", "name", "language"])
    .join_from(sellers, profiles, profiles.c.id == sellers.c.profile_id)
    .join(users, users.c.id == profiles.c.user_id)
    .outerjoin(asked, and_(asked.c.seller_id == sellers.c.id, asked.c.over_at.is_(None)))
    .where(
        sellers.c.vetting.in_((Vetting.APPROVED, Vetting.SUSPENDED)),
        sellers.c.ended_at.is_(None),
        users.c.is_active,
        ~_is_told,
    )
    .order_by(sellers.c.id)
)
_before = {name: bindparam(name, type_=_MOMENT) for name in ("first", "second", "apart", "patience")}
_TO_WRITE = _SILENT.where(
    or_(
        asked.c.id.is_(None),
        and_(asked.c.reminded_at.is_(None), asked.c.asked_at <= _before["first"]),
        and_(
            asked.c.reminded_again_at.is_(None),
            asked.c.asked_at <= _before["second"],
            asked.c.reminded_at <= _before["apart"],
        ),
    )
).limit(MOST)
_TO_STOP = _SILENT.where(
    sellers.c.tax_stopped_at.is_(None),
    asked.c.asked_at <= _before["patience"],
    asked.c.reminded_again_at <= _before["apart"],
)
_CALLED = _SILENT.where(asked.c.id == bindparam("request"))


@jobs.regularly(timedelta(days=1))
def look() -> None:
    """Ask, remind and stop, each once for each seller.

    Whose money has to wait is found before anything is written: the figures of two years take long, and nobody waits.
    """
    now = clock.now()
    to_stop = _to_stop(now)
    for row in rows(_TO_WRITE, first=now - REMINDERS[0], second=now - REMINDERS[1], apart=now - APART):
        _write(row, now)
    for seller in to_stop:
        tax_asked.stop(db.session.get_one(Seller, seller, populate_existing=True))


def _to_stop(now: datetime) -> list[int]:
    """Who has not answered, and is told to the tax office. They may answer at any moment: `stop` looks again."""
    due = rows_apart(_TO_STOP, patience=now - PATIENCE, apart=now - APART)
    reported = _reported() if due else set()
    return [row.seller for row in due if row.seller in reported]


def _write(row: Row[Any], now: datetime) -> None:
    """The next letter of a seller, and that it is written."""
    if row.id is None:
        new = insert(asked).values(seller_id=row.seller, asked_at=now).returning(asked.c.id)
        request, step = connection().execute(new).scalar_one(), 0
    else:
        request, step = row.id, 1 if row.reminded_at is None else 2
        name = ("reminded_at", "reminded_again_at")[step - 1]
        connection().execute(update(asked).where(asked.c.id == request).values({name: now}))
    jobs.later(remind, request=request, step=step)


@jobs.patient_handler
def remind(request: int, step: int) -> None:
    """Mail what is asked for, until when, and what happens then; nothing to who has told it meanwhile. Once a step."""
    row = first(_CALLED, request=request)
    if row is None:
        return
    notifications.mail(
        kind="tax_details",
        about=f"{request}:{step}",
        to=row.email,
        template="tax_details",
        language=row.language,
        name=row.name,
        shop=row.shop,
        step=step,
        stops=stops_at(row),
    )


def stops_at(row: Row[Any]) -> datetime:
    """From when on nothing is paid to who does not answer this request."""
    first_asked: datetime = row.asked_at
    last: datetime = row.reminded_again_at or row.asked_at
    return max(first_asked + PATIENCE, last + APART)


def _reported() -> set[int]:
    """Who is told to the tax office about this year, or the one before."""
    years = range(max(tax_year.FIRST, tax_year.present() - 1), tax_year.present() + 1)
    return {each.seller for year in years for each in tax_year.all_of(year, rows_apart) if each.is_told}
