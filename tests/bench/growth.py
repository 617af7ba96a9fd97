"""A shop that has grown: what is on the shelf already, many times over, copied by the database itself."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, func, insert, literal, select, text

from shop.database import db
from shop.models import Clip, DeliveryRate, Product, Rendition, Tag, Variant

GROWS = [each.__table__ for each in (Product, Variant, DeliveryRate, Clip, Rendition, Tag)]
BUILT_AFTER = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table"


def grow(times: int) -> None:
    """Have `times` as many products and clips, with all that goes with them; commits as it goes. SQLite only."""
    steps = {table: db.session.scalar(select(func.max(table.c.id))) for table in GROWS if "id" in table.c}
    copies = select(literal(1).label("n")).cte("copies", recursive=True)
    copies = copies.union_all(select(copies.c.n + 1).where(copies.c.n < times - 1))
    for table in GROWS:
        built = db.session.execute(text(BUILT_AFTER), {"table": table.name}).all()
        for name, _sql in built:
            db.session.execute(text(f"DROP INDEX {name}"))
        columns = [column for column in table.c if not column.computed]
        what = (
            select(*[_copied(column, copies.c.n, steps) for column in columns])
            .select_from(table)
            .join(copies, literal(True))
        )
        db.session.execute(insert(table).from_select([column.name for column in columns], what))
        for _name, sql in built:
            db.session.execute(text(sql.replace(":", "\\:")))
        db.session.commit()  # so that the log of what was written is no longer than one table


def _copied(column: Column, n: Column, steps: dict[Table, int]) -> Column:
    """The `n`th copy of a column: names end in `-n`, and what points at something points at its `n`th copy."""
    if column.name == "id":
        return column + n * steps[column.table]
    for key in column.foreign_keys:
        if key.column.table in steps:
            return column + n * steps[key.column.table]
    if column.name in ("code", "sku") and isinstance(column.type, String):
        return column + "-" + n.cast(String)
    return (column + 37 * n) % 5000 if column.name == "sold" else column
