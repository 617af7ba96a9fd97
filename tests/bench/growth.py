"""A shop that has grown: what is on the shelf already, many times over, copied by the database itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, String, Table, func, insert, literal, select, text

from shop.database import db
from shop.models import Base, Clip, DeliveryRate, Product, Rendition, Tag, Variant

GOODS = (Product, Variant, DeliveryRate, Clip, Rendition, Tag)
# What nobody else has either: the copy's ends in its number.
OWN = frozenset(("code", "sku", "handle", "email", "profiles.name"))
BUILT_AFTER = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table"


def grow(times: int, what: Sequence[type[Base]] = GOODS) -> None:
    """Have `times` as many of each: by itself products and clips, with all that goes with them; commits as it goes.

    SQLite only.
    """
    tables = [each.__table__ for each in what]
    steps = {table: db.session.scalar(select(func.max(table.c.id))) for table in tables if "id" in table.c}
    copies = select(literal(1).label("n")).cte("copies", recursive=True)
    copies = copies.union_all(select(copies.c.n + 1).where(copies.c.n < times - 1))
    for table in tables:
        built = db.session.execute(text(BUILT_AFTER), {"table": table.name}).all()
        for name, _sql in built:
            db.session.execute(text(f"DROP INDEX {name}"))
        columns = [column for column in table.c if not column.computed]
        copied = (
            select(*[_copied(column, copies.c.n, steps, times) for column in columns])
            .select_from(table)
            .join(copies, literal(True))
        )
        db.session.execute(insert(table).from_select([column.name for column in columns], copied))
        for _name, sql in built:
            db.session.execute(text(sql.replace(":", "\\:")))
        db.session.commit()  # so that the log of what was written is no longer than one table


def _copied(column: Column, n: Column, steps: dict[Table, int], times: int) -> Column:
    """The `n`th copy of a column: names end in it, and what points at something points at its `n`th copy."""
    if column.name == "id":
        return column + n * steps[column.table]
    for key in column.foreign_keys:
        if key.column.table in steps:
            return column + n * steps[key.column.table]
    if OWN & {column.name, str(column)} and isinstance(column.type, String):
        return column + f"-{times}-" + n.cast(String)
    if column.name in ("published_at", "applied_at", "opened_at"):  # no two at the same moment
        return func.strftime("%Y-%m-%d %H:%M:%S.000000", column, func.printf("-%d seconds", 41 * n))
    return (column + 37 * n) % 5000 if column.name == "sold" else column
