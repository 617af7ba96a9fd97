"""Shown answers: questions that a seller shows with an answer on the product page, without who asked.

The newest of them are copied to the product's own row: so its page asks the database no more for them.
"""

from __future__ import annotations

from sqlalchemy import JSON, bindparam, func, select, tuple_, update

from shop import leaf
from shop.database import first, rows, run
from shop.leaf import Leaf
from shop.models import Product, Question, Reply

NEWEST = 3  # on the product page
PAGE = 20

products, questions, replies = Product.__table__, Question.__table__, Reply.__table__
_SHOWN = (
    select(*questions.c["id", "words", "shown_at"], replies.c.words.label("answer"))
    .join(replies, replies.c.question_id == questions.c.id)
    .where(
        questions.c.product_id == bindparam("product"),
        questions.c.shown_at.is_not(None),
        replies.c.is_shown,
        tuple_(questions.c.shown_at, questions.c.id)
        < tuple_(bindparam("at", type_=questions.c.shown_at.type), bindparam("id")),
    )
    .order_by(questions.c.shown_at.desc(), questions.c.id.desc())
    .limit(PAGE + 1)
)
_COUNT = select(func.count().label("n")).where(
    questions.c.product_id == bindparam("product"), questions.c.shown_at.is_not(None)
)
_HIDE_ANSWERS = (
    update(replies).where(replies.c.question_id == bindparam("question"), replies.c.is_shown).values(is_shown=False)
)
_HIDE = update(questions).where(questions.c.id == bindparam("question")).values(shown_at=None)
# Whoever counts after this counts what is there then: on PostgreSQL two may be at it at the same moment.
_HOLD = update(products).where(products.c.id == bindparam("product")).values(code=products.c.code)
_COPY = (
    update(products)
    .where(products.c.id == bindparam("product"))
    .values(answers=bindparam("copied", type_=JSON(none_as_null=True)))
)


def of(product: int, after: str = "") -> Leaf:
    """A leaf of what is shown about this product, the newest first."""
    at, number = leaf.place(after, leaf.LAST)
    return leaf.cut(rows(_SHOWN, product=product, at=at, id=number), PAGE, "shown_at")


def hide(question: int, product: int | None) -> None:
    """Show it no longer."""
    if product is not None:
        run(_HIDE_ANSWERS, question=question)
        run(_HIDE, question=question)
        copy(product)


def copy(product: int) -> None:
    """Copy the newest that is shown, and how much there is, to the row of the product."""
    run(_HOLD, product=product)
    newest = of(product).rows[:NEWEST]
    count = first(_COUNT, product=product)
    told = {"count": count.n, "newest": [[row.words, row.answer] for row in newest]} if count and newest else None
    run(_COPY, product=product, copied=told)
