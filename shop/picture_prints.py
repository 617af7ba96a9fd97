"""Picture prints: does a picture look like one of a product that was taken down, or of another seller?

A print is 64 bits (a difference hash, made where pictures come in). Two pictures are near when at most six bits differ;
then, of four parts of 16 bits, at least one differs in no more than one bit. So the index finds all that are near by
asking, for each part, for the 17 values that are that near to it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, bindparam, delete, or_, select, union, update

from shop.database import connection, insert, rows, run
from shop.listing_checks import Risk
from shop.models import PicturePrint, Product, ProductStatus
from shop.word_list import Gravity

NEAR = 6  # bits
PLAIN = 8  # bits: a picture with fewer edges than this, such as an empty one, is like all others

prints, products = PicturePrint.__table__, Product.__table__
_OF = select(prints.c.id, prints.c.looks).where(prints.c.product_id == bindparam("product"))
_SEEN = (ProductStatus.LIVE, ProductStatus.REVIEW, ProductStatus.PAUSED)
_LIKE = union(
    *(
        select(prints.c.id, prints.c.looks, prints.c.is_banned, products.c.code, products.c.seller_id)
        .join_from(prints, products, products.c.id == prints.c.product_id)
        .where(
            prints.c[f"part_{n}"].in_(bindparam(f"near_{n}", expanding=True)),
            prints.c.product_id != bindparam("product"),
            or_(prints.c.is_banned, products.c.status.in_(_SEEN)),
        )
        for n in range(4)
    )
)
_FORGET = delete(prints).where(
    prints.c.product_id == bindparam("product"),
    ~prints.c.is_banned,
    prints.c.looks.not_in(bindparam("kept", expanding=True)),
)
_BAN = update(prints).where(prints.c.product_id == bindparam("product")).values(is_banned=bindparam("is_on"))


def parts(looks: bytes) -> tuple[int, ...]:
    """The four parts of a print."""
    return struct.unpack(">4H", looks)


def distance(one: bytes, other: bytes) -> int:
    """In how many bits two prints differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def is_plain(looks: bytes) -> bool:
    """Does it show too little to be told from others?"""
    return not PLAIN <= int.from_bytes(looks).bit_count() <= 64 - PLAIN


def remember(product: Product) -> list[Risk]:
    """Keep the prints of a product that goes up for sale, and say whose pictures they are like.

    Who was first is not accused by who came after: of another seller's pictures only earlier ones count.
    """
    looks = {picture.looks for picture in product.pictures if picture.looks and not is_plain(picture.looks)}
    run(_FORGET, product=product.id, kept=sorted(looks))
    if not looks:
        return []
    for one in sorted(looks):
        kept = dict(zip(("part_0", "part_1", "part_2", "part_3"), parts(one), strict=True))
        row = insert(prints).values(product_id=product.id, looks=one, is_banned=False, **kept)
        connection().execute(row.on_conflict_do_nothing(index_elements=["product_id", "looks"]))
    mine = {row.looks: row.id for row in rows(_OF, product=product.id) if row.looks in looks}
    return sorted(_alike(product, mine), key=lambda risk: (risk.code, risk.found))


def ban(product_id: int, *, is_on: bool = True) -> None:
    """Let the pictures of what was taken down be known from now on; or no longer, when it comes back."""
    run(_BAN, product=product_id, is_on=is_on)


def _alike(product: Product, mine: dict[bytes, int]) -> Iterator[Risk]:
    near = {f"near_{n}": sorted({value for looks in mine for value in _near(parts(looks)[n])}) for n in range(4)}
    told = set()
    for row in rows(_LIKE, product=product.id, **near):
        if (code := _why(row, product, mine)) and (code, row.code) not in told:
            told.add((code, row.code))
            yield Risk(code, Gravity.RISKY, "pictures", row.code)


def _why(row: Row[Any], product: Product, mine: dict[bytes, int]) -> str:
    like = [number for looks, number in mine.items() if distance(looks, row.looks) <= NEAR]
    if not like:
        return ""
    if row.is_banned:
        return "banned_picture"
    is_earlier = any(row.id < number for number in like)
    return "others_picture" if row.seller_id != product.seller_id and is_earlier else ""


def _near(part: int) -> Iterator[int]:
    yield part
    for bit in range(16):
        yield part ^ 1 << bit
