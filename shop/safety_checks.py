"""Safety checks: some goods a day, drawn by lot, are held against the official list of unsafe products (DSA 31(3)).

What may be on that list is pointed out to a moderator, with the alert and by what it was known; nothing is taken down
by itself. Each check is written down, and how many there were is for everybody to see (`transparency`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from heapq import nlargest
from secrets import SystemRandom
from typing import Any, NamedTuple

import structlog
from flask import current_app
from sqlalchemy import Row, bindparam, delete, func, select

from shop import alike, clock, gateways, jobs, listing_cases
from shop.alike import Likeness, Mark, Told
from shop.database import connection, db, first, insert, let_go, rows
from shop.gateways.recalls_port import Alert, RecallList, RecallsSilentError
from shop.listing_checks import RECALLED
from shop.models import Product, ProductStatus, SafetyCheck

NEVER = 365  # what is checked for the first time is drawn as what was checked so many days ago
KEPT = timedelta(days=400)  # a check; a year of them is told
MOST_ALIKE = 5  # alerts that one case names

log = structlog.get_logger()
lot: random.Random = SystemRandom()

checks, products = SafetyCheck.__table__, Product.__table__
_FOR_SALE = (
    select(products.c.id, func.max(checks.c.at).label("last"))
    .outerjoin(checks, checks.c.product_id == products.c.id)
    .where(products.c.status == ProductStatus.LIVE)
    .group_by(products.c.id)
    .order_by(products.c.id)
)
_LAST = select(checks.c.at, checks.c.source, checks.c.alerts).order_by(checks.c.at.desc(), checks.c.id.desc()).limit(1)
_SWEEP = delete(checks).where(checks.c.at < bindparam("before", type_=checks.c.at.type))


class Done(NamedTuple):
    """One check: of so many listings, against so many alerts; those that may be in it."""

    source: str
    alerts: int
    looked_at: int
    pointed_out: tuple[str, ...]  # codes of products that a moderator has to look at now


@jobs.regularly(timedelta(days=1))
def check_some() -> None:
    """Do the check of the day, if the operator chose a list; what is over a year old is forgotten."""
    check(current_app.config["RECALL_CHECKS"])
    connection().execute(_SWEEP, {"before": clock.now() - KEPT})


def check(most: int) -> Done | None:
    """Hold so many listings against the list, and write it down; None where no list was chosen.

    It ends the present transaction first. Raises `RecallsSilentError`: then nothing was checked.
    """
    chosen = gateways.recalls()
    if chosen is None:
        return None
    let_go()
    marks = _ask(chosen)
    drawn = [(product.id, _told(product)) for product in _draw(most)]
    let_go()  # nobody waits while they are compared
    alike_ones = [(product, _alike(told, marks)) for product, told in drawn]
    written = [_write_down(product, chosen.name, len(marks), found) for product, found in alike_ones]
    done = Done(chosen.name, len(marks), len(written), tuple(code for code in written if code))
    log.info("safety check", **done._asdict())
    return done


def _ask(chosen: RecallList) -> list[Mark]:
    """All alerts, ready to be compared; an empty list is none."""
    alerts = chosen.alerts()
    if not alerts:
        raise RecallsSilentError("no alerts")
    return [alike.mark(alert) for alert in alerts]


def _draw(most: int) -> Iterator[Product]:
    """By lot, with more chances for what was not looked at for long: who was checked yesterday may be drawn again."""
    now = clock.now()

    def chance(row: Row[Any]) -> float:
        days = max(1, (now - row.last).days) if row.last else NEVER
        return float(lot.random() ** (1 / min(days, NEVER)))  # Efraimidis and Spirakis, 2006

    drawn = nlargest(most, [(chance(row), row.id) for row in rows(_FOR_SALE)])
    for _chance, product in drawn:
        yield db.session.get_one(Product, product)


def _alike(told: Told, marks: Sequence[Mark]) -> list[tuple[Alert, Likeness]]:
    """The alerts that may be about this listing, and by what."""
    return [(mark.alert, by) for mark in marks if (by := alike.alike(told, mark))]


def _write_down(number: int, source: str, alerts: int, found: list[tuple[Alert, Likeness]]) -> str:
    """That a listing was checked; its code where somebody has to look at it now."""
    facts = {"product_id": number, "source": source, "alerts": alerts, "alike": len(found)}
    connection().execute(insert(checks).values(at=clock.now(), **facts))
    why = [_why(alert, by) for alert, by in found[:MOST_ALIKE]]
    product = db.session.get_one(Product, number)
    is_new = bool(why) and listing_cases.point_out(product, why)
    return product.code if is_new else ""


def _told(product: Product) -> Told:
    """What a listing says of itself, wherever a number or a brand may stand."""
    title = " ".join(product.title.values())
    specs = [text for value in (product.specs or {}).values() for text in _texts(value)]
    sizes = [text for each in product.variants for text in (each.sku, each.size, *each.name.values())]
    texts = [*product.description.values(), *specs, *sizes, product.reference]
    brand = (product.specs or {}).get("brand", "")
    makers = [(product.maker or {}).get("name", ""), *_texts(brand)]
    return alike.told(title, " ".join(map(str, makers)), texts)


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value.values()] if isinstance(value, dict) else [str(value)]


def _why(alert: Alert, by: Likeness) -> dict[str, Any]:
    """What a moderator reads: the alert, and by what the listing is like it."""
    named = {name: getattr(alert, name) for name in ("address", "published", "brand", "name", "product", "danger")}
    return {"code": RECALLED, "field": "title", "found": alert.number, "alert": {**named, **by._asdict()}}


def last() -> Row[Any] | None:
    """When goods were checked last, and against what."""
    return first(_LAST)
