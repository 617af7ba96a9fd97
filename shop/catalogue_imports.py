"""Catalogue imports: a file with a seller's products is looked at first, and carried out when the seller says so.

Both are work for later, in pieces that are each one transaction: a product is written wholly or not at all, and who is
stopped in the middle goes on where they were. The report stays, line by line.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, exists, func, select, update

from shop import catalogue_csv, catalogue_plan, clock, jobs, listings, prepared, sellers
from shop.accounts import Person
from shop.catalogue_grid import Group
from shop.catalogue_plan import Plan, Result, Shelf
from shop.database import db, first, let_go, rows, run, run_each
from shop.errors import NotFound, Refused
from shop.i18n import _, language, speaking
from shop.models import CatalogueImport, CatalogueLine, Category, ImportState, Outcome, Product, Role, Seller

AT_ONCE = 25  # products in one transaction
PAGE = 100  # lines of a report
KEPT = timedelta(days=90)

imports, lines, categories = CatalogueImport.__table__, CatalogueLine.__table__, Category.__table__
_SHOWN = imports.c["id", "code", "name", "state", "problem", "total", "done", "at", "ended_at"]
_MINE = select(*_SHOWN).where(imports.c.seller_id == bindparam("seller"))
_LAST = _MINE.order_by(imports.c.id.desc()).limit(10)
_CALLED = _MINE.where(imports.c.code == bindparam("code"))
_COUNTS = (
    select(lines.c.outcome, func.count().label("n"))
    .where(lines.c.import_id == bindparam("number"))
    .group_by(lines.c.outcome)
)
_LINES = (
    select(*lines.c["line", "product", "sku", "outcome", "columns", "why"])
    .where(
        lines.c.import_id == bindparam("number"),
        lines.c.line > bindparam("after"),
        lines.c.outcome.in_(bindparam("outcomes", expanding=True)),
    )
    .order_by(lines.c.line)
    .limit(bindparam("most"))
)
_SEEN = select(lines.c.line, lines.c.stock_seen, lines.c.outcome).where(lines.c.import_id == bindparam("number"))
_KEEP = prepared.insert(lines)
_SAY = (
    update(lines)
    .where(lines.c.import_id == bindparam("number"), lines.c.line == bindparam("at"))
    .values(outcome=bindparam("now_is"), columns=bindparam("now_in"), why=bindparam("now_why"))
)
_others = imports.alias("others")
_BEGIN = (
    update(imports)
    .where(
        imports.c.id == bindparam("number"),
        imports.c.state == ImportState.READY,
        ~exists().where(_others.c.seller_id == imports.c.seller_id, _others.c.state == ImportState.APPLYING),
    )
    .values(state=ImportState.APPLYING, done=0)
)
_REPLACE = (
    update(imports)
    .where(imports.c.seller_id == bindparam("seller"), imports.c.state == ImportState.READY)
    .values(state=ImportState.FAILED, content=b"", problem=bindparam("words"), ended_at=bindparam("now"))
)
_LOCK = select(Seller.id).where(Seller.id == bindparam("seller")).with_for_update(key_share=True)  # buyers go on
_SLUGS = select(categories.c.slug)


class By(NamedTuple):
    """In whose name a job does it."""

    id: int
    roles: frozenset[str] = frozenset((Role.SELLER,))


# Asking


def send(person: Person, content: bytes, name: str) -> CatalogueImport:
    """Keep a file and have it looked at. One at a time: what is still being carried out has to end first.

    One that waits for its seller's word is over by that: else each would lie here with its five megabytes.
    """
    seller = _alone(person)
    if _is_busy(seller.id):
        raise Refused(_("Your last file is still being worked on. Wait until that is done."))
    if len(content) > catalogue_csv.LARGEST:
        raise Refused(_("This file is larger than 5 MB. Split it."), 413)
    run(_REPLACE, seller=seller.id, words=_("You sent a newer file."), now=clock.now())
    sent = CatalogueImport(code=secrets.token_urlsafe(16), seller_id=seller.id, user_id=person.id, content=content)
    sent.name, sent.language, sent.at = name[:120] or "products.csv", language(), clock.now()
    db.session.add(sent)
    db.session.flush()
    jobs.later(look, number=sent.id)
    return sent


def carry_out(person: Person, code: str) -> None:
    """Do what the file says, now that its seller has seen what that is. Once."""
    seller = _alone(person)
    number = called(seller.id, code).id
    if run(_BEGIN, number=number) != 1:
        if _is_busy(seller.id):
            raise Refused(_("Your last file is still being worked on. Wait until that is done."))
        raise Refused(_("This has been done, or there is nothing to do."))
    jobs.later(apply, number=number)


def _is_busy(seller: int) -> bool:
    return any(row.state in (ImportState.CHECKING, ImportState.APPLYING) for row in rows(_LAST, seller=seller))


def _alone(person: Person) -> Seller:
    """The seller; whoever else sends or carries out a file of theirs at this moment comes after us."""
    seller = _seller(person)
    rows(_LOCK, seller=seller.id)
    return seller


def _seller(person: Person) -> Seller:
    seller = sellers.of(person)
    if seller is None:
        raise NotFound(_("You do not sell here."))
    return seller


# Looking


def of(seller: int) -> Sequence[Row[Any]]:
    """The last files of a seller, the newest first."""
    return rows(_LAST, seller=seller)


def called(seller: int, code: str) -> Row[Any]:
    """One file of this seller."""
    found = first(_CALLED, seller=seller, code=code)
    if found is None:
        raise NotFound(_("There is no such file."))
    return found


def counts(number: int) -> dict[str, int]:
    """How many lines of a file come to what."""
    return {row.outcome: row.n for row in rows(_COUNTS, number=number)}


def report(number: int, outcome: str = "", after: int = 0, most: int = PAGE) -> Sequence[Row[Any]]:
    """The lines of a file, from after this one on; of one outcome, or of all."""
    wanted = [outcome] if outcome in tuple(Outcome) else list(Outcome)
    return rows(_LINES, number=number, after=after, outcomes=wanted, most=most)


# Working


@jobs.long_handler
def look(*, number: int) -> None:
    """Look what a file would do, and write that down line by line."""
    sent = db.session.get_one(CatalogueImport, number, populate_existing=True)
    if sent.state != ImportState.CHECKING:
        return
    with speaking(sent.language):
        try:
            found = _groups(sent)
        except Refused as no:
            sent.state, sent.problem, sent.content, sent.ended_at = ImportState.FAILED, no.words[:500], b"", clock.now()
            return
        results = _results(_plans(sent, found))
    run_each(_KEEP, [{"import_id": number, **result._asdict()} for result in results])
    sent = db.session.get_one(CatalogueImport, number, populate_existing=True)
    sent.state, sent.total = ImportState.READY, len(found.groups)


def _results(plans: Iterator[Plan]) -> list[Result]:
    """What becomes of all lines; a long file keeps its worker meanwhile."""
    results: list[Result] = []
    for n, plan in enumerate(plans):
        results += plan.results
        if n % catalogue_plan.AT_ONCE == 0:
            let_go()  # only questions were asked
            jobs.beat()
    return results


@jobs.long_handler
def apply(*, number: int) -> None:
    """Carry out the next piece of a file, and come back for the rest."""
    sent = db.session.get_one(CatalogueImport, number, populate_existing=True)
    if sent.state != ImportState.APPLYING or sent.user_id is None:
        return
    with speaking(sent.language):
        found = _groups(sent)
        piece = found._replace(groups=found.groups[sent.done : sent.done + AT_ONCE])
        seller, by = db.session.get_one(Seller, sent.seller_id), By(sent.user_id)
        for plan in list(_plans(sent, piece)):
            _say(number, _carried_out(plan, seller, by))
    sent = db.session.get_one(CatalogueImport, number, populate_existing=True)
    sent.done += len(piece.groups)
    if sent.done < sent.total:
        jobs.later(apply, number=number)
    else:
        sent.state, sent.content, sent.ended_at = ImportState.DONE, b"", clock.now()


class _Found(NamedTuple):
    groups: list[Group]
    shelf: Shelf
    twice: frozenset[str]


def _groups(sent: CatalogueImport) -> _Found:
    file = catalogue_csv.read(sent.content)
    named, skus = catalogue_csv.index_of(sent.seller_id)
    seller = db.session.get_one(Seller, sent.seller_id)
    shelf = Shelf(named, skus, frozenset(row.slug for row in rows(_SLUGS)), seller.country, seller.kind)
    return _Found(catalogue_plan.groups(file.lines, shelf), shelf, catalogue_plan.skus_twice(file.lines))


def _plans(sent: CatalogueImport, found: _Found) -> Any:
    seen = {row.line: row.stock_seen for row in rows(_SEEN, number=sent.id)}
    return catalogue_plan.plans(found.groups, found.shelf, found.twice, seen)


def _carried_out(plan: Plan, seller: Seller, by: By) -> list[Result]:
    """Do it, wholly or not at all; and say what became of each line."""
    if plan.is_refused or not (plan.facts or plan.cells):
        return plan.results
    try:
        with db.session.begin_nested():
            _do(plan, seller, by)
    except Refused as no:
        first_line, *others = plan.results
        refused = [first_line._replace(outcome=Outcome.REFUSED, why=no.words[:300])]
        words = _("Line %(n)s of the same product is refused.", n=first_line.line)
        return refused + [each._replace(outcome=Outcome.REFUSED, columns="", why=words) for each in others]
    return plan.results


def _do(plan: Plan, seller: Seller, by: By) -> None:
    facts = dict(plan.facts)
    if plan.product is None:
        product = listings.draft(seller, title=facts.pop("title"), category=facts.pop("category"), by=by)
        product.reference = plan.reference
    else:
        product = db.session.get_one(Product, plan.product)
    if facts:
        listings.change(product, facts, by=by)
    if plan.cells:
        listings.set_variants(product, plan.cells, by=by)


def _say(number: int, results: Sequence[Result]) -> None:
    for result in results:
        told = {"now_is": result.outcome, "now_in": result.columns, "now_why": result.why}
        run(_SAY, number=number, at=result.line, **told)


@jobs.regularly(timedelta(days=1))
def forget_old() -> None:
    """Reports are kept for ninety days."""
    db.session.execute(delete(imports).where(imports.c.at < clock.now() - KEPT))


@jobs.when_dead(look)
@jobs.when_dead(apply)
def give_up(*, number: int) -> None:
    """Say that it went wrong, so that its seller does not wait for ever."""
    let_go()
    sent = db.session.get_one(CatalogueImport, number, populate_existing=True)
    with speaking(sent.language):
        sent.problem = _("Something went wrong on our side.")
    sent.state, sent.content, sent.ended_at = ImportState.FAILED, b"", clock.now()
