"""Tax facts: the number under which a seller pays income tax, and the day on which a person was born (DAC7).

Asked because the law wants it told to the tax office once a year, and used for nothing else. Of somebody in the
Netherlands the number is the citizen service number: it is sealed like an IBAN, apart from papers; pages show its last
three, and it is opened for that one file (`tax_year`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, delete, exists, or_, select

from shop import audit, clock, jobs, papers, tax_asked, tax_numbers, vault
from shop.accounts import Person
from shop.contested import is_contested
from shop.database import connection, first, insert, rows
from shop.errors import Refused
from shop.models import Order, Seller, SellerKind, TaxNumber, Vetting

KEPT = timedelta(days=7 * 366)  # after the last sale: so long the tax office may ask (AWR art. 52)

numbers, sellers, orders = TaxNumber.__table__, Seller.__table__, Order.__table__
_OF = select(*numbers.c["country", "tail", "has_birth_date", "set_at"]).where(
    numbers.c.seller_id == bindparam("seller")
)
_SEALED = select(*numbers.c["country", "sealed", "wrapped_key"]).where(numbers.c.seller_id == bindparam("seller"))
_BEFORE = bindparam("before", type_=numbers.c.set_at.type)
_has_sold_since = exists().where(
    orders.c.seller_id == sellers.c.id, orders.c.paid_at > bindparam("sold_before", type_=orders.c.paid_at.type)
)
_is_over = or_(
    and_(sellers.c.vetting.in_((Vetting.REFUSED, Vetting.NEEDS_FIXING)), sellers.c.decided_at < _BEFORE),
    and_(sellers.c.vetting == Vetting.DRAFT, sellers.c.applied_at < _BEFORE),
    sellers.c.ended_at < _BEFORE,
)
_DUE = (
    select(numbers.c.id)
    .join(sellers, sellers.c.id == numbers.c.seller_id)
    .where(numbers.c.set_at < _BEFORE, _is_over, ~_has_sold_since, ~is_contested(numbers.c.seller_id))
    .limit(500)
)


class TaxFacts(NamedTuple):
    """What the tax office is told of somebody, in the clear."""

    number: str
    country: str
    born: date | None


def give(seller: Seller, *, number: str, country: str, by: Person, born: date | None = None) -> None:
    """Seal a seller's tax number, in the place of the one before. What it is stands nowhere else.

    Payouts that waited for it go on.
    """
    is_person = seller.kind == SellerKind.INDIVIDUAL
    wrong = tax_numbers.error(country, number, is_person=is_person)
    wrong = wrong or (tax_numbers.birth_error(born) if is_person else None)
    if wrong:
        raise Refused(wrong, 422)
    told = _sealed(seller.id, TaxFacts(tax_numbers.normal(number), country, born if is_person else None))
    row = insert(numbers).values(seller_id=seller.id, set_by_id=by.id, set_at=clock.now(), **told)
    same = {name: row.excluded[name] for name in (*told, "set_by_id", "set_at")}
    connection().execute(row.on_conflict_do_update(index_elements=["seller_id"], set_=same))
    if seller.vetting in (Vetting.APPROVED, Vetting.SUSPENDED):  # as with the account: once it may matter for money
        audit.note("tax details given", f"seller:{seller.profile.handle}", by=by, after={"country": country})
        tax_asked.answered(seller)


def _sealed(seller: int, facts: TaxFacts) -> dict[str, Any]:
    """A row's content: one key for one seal, so a new number gets a new one."""
    key = vault.new_key()
    wrapped = vault.wrap(key)
    content = f"{facts.number}\n{facts.born or ''}"
    return {
        "country": facts.country,
        "tail": facts.number[-3:],
        "has_birth_date": facts.born is not None,
        "sealed": vault.seal(key, _sealed_as(seller, facts.country), content.encode()),
        "wrapped_key": wrapped.secret,
        "key_id": wrapped.key_id,
    }


def _sealed_as(seller: int, country: str) -> str:
    """What the seal is bound to: a number that somebody puts in another's place does not open."""
    return f"tax number of {seller} from {country}"


def of(seller: int) -> Row[Any] | None:
    """What may be shown of it: the country, the last three, and whether there is a day of birth."""
    return first(_OF, seller=seller)


def opened(seller: int) -> TaxFacts | None:
    """All of it, for the file that goes to the tax office. It is shown to nobody and written nowhere else."""
    row = first(_SEALED, seller=seller)
    if row is None:
        return None
    content = vault.unseal(vault.unwrap(row.wrapped_key), _sealed_as(seller, row.country), row.sealed).decode()
    number, _line, born = content.partition("\n")
    return TaxFacts(number, row.country, date.fromisoformat(born) if born else None)


@jobs.regularly(timedelta(days=1))
def forget_due() -> None:
    """Delete the numbers of who was refused or never went on; of who has left, seven years after the last sale."""
    now = clock.now()
    due = [row.id for row in rows(_DUE, before=now - papers.UNDECIDED, sold_before=now - KEPT)]
    if due:
        connection().execute(delete(numbers).where(numbers.c.id.in_(due)))
