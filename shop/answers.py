"""Answers: a seller's side of what shoppers ask. Who was stopped answers their buyers, but not about new products."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select, tuple_, update

from shop import clock, jobs, leaf, question_mails, shown_answers
from shop.database import first, rows, run
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.leaf import Leaf
from shop.models import Order, Picture, Product, Question, QuestionState, Reply
from shop.question_mails import may_be_answered
from shop.questions import LONGEST_REPLY, MOST, add_reply, checked

PAGE = 30

questions, replies, products = Question.__table__, Reply.__table__, Product.__table__
orders, pictures = Order.__table__, Picture.__table__

_SEEN = (
    select(questions, products.c.code.label("product"), products.c.title, orders.c.code.label("order"))
    .add_columns(pictures.c.name_216, pictures.c.name.label("picture"), may_be_answered.label("may_be_answered"))
    .outerjoin(products, products.c.id == questions.c.product_id)
    .outerjoin(orders, orders.c.id == questions.c.order_id)
    .outerjoin(pictures, and_(pictures.c.product_id == products.c.id, pictures.c.position == 0))
    .where(questions.c.seller_id == bindparam("seller"))
)
_OWN = _SEEN.where(questions.c.code == bindparam("code"))


def _leaf(state: QuestionState) -> Select[Any]:
    """A leaf of those in one state, from its own index: what waits longest first, of others the newest first."""
    key = (questions.c.since, questions.c.id)
    found = _SEEN.where(questions.c.state == state).limit(PAGE + 1)
    last = tuple_(bindparam("at", type_=questions.c.since.type), bindparam("id"))
    if state == QuestionState.OPEN:
        return found.where(may_be_answered, tuple_(*key) > last).order_by(*key)
    return found.where(tuple_(*key) < last).order_by(*(column.desc() for column in key))


LISTS = {str(state): _leaf(state) for state in QuestionState}
_ANSWERED = (
    update(questions)
    .where(questions.c.id == bindparam("question"), questions.c.replies < 2 * MOST)
    .where(questions.c.state != QuestionState.CLOSED)
    .values(
        state=QuestionState.ANSWERED,
        since=bindparam("now", type_=questions.c.since.type),
        replies=questions.c.replies + 1,
    )
)
_SHOW = (
    update(questions)
    .where(questions.c.id == bindparam("question"), questions.c.product_id.is_not(None), questions.c.may_be_shown)
    .values(shown_at=bindparam("now", type_=questions.c.shown_at.type))
)
_SHOW_ANSWER = (
    update(replies)
    .where(replies.c.question_id == bindparam("question"), replies.c.is_sellers)
    .values(is_shown=replies.c.id == bindparam("reply"))
)
_LAST_ANSWER = (
    select(replies.c.id)
    .where(replies.c.question_id == bindparam("question"), replies.c.is_sellers)
    .order_by(replies.c.id.desc())
    .limit(1)
)


def listed(seller: int, show: str, after: str = "") -> Leaf:
    """A leaf of what was asked of this shop: open (what waits longest first), answered or closed."""
    at, number = leaf.place(after, leaf.FIRST if show == QuestionState.OPEN else leaf.LAST)
    return leaf.cut(rows(LISTS[show], seller=seller, at=at, id=number), PAGE, "since")


def own(code: str, seller: int) -> Row[Any]:
    """A question to this shop; `NotFound` of one to anybody else."""
    found = first(_OWN, code=code, seller=seller)
    if found is None:
        raise NotFound(_("We cannot find this question."))
    return found


def answer(talk: Row[Any], words: str, *, is_shown: bool = False) -> None:
    """Answer: who asked is mailed. `is_shown`: also on the product page, without who asked."""
    _may_be_answered(talk)
    said = checked(words, 1, LONGEST_REPLY)
    if run(_ANSWERED, question=talk.id, now=clock.now()) != 1:
        raise Refused(_("This conversation is closed."))
    reply = add_reply(talk.id, said, is_sellers=True)
    if is_shown:
        _show(talk, reply)
    jobs.later(question_mails.tell_asker, reply=reply)


def _may_be_answered(talk: Row[Any]) -> None:
    if not talk.may_be_answered:
        raise Refused(_("Your sales are stopped. Until they go on you answer your buyers, and nothing about products."))


def show_last(talk: Row[Any]) -> None:
    """Show the question with the last of its answers on the page of its product, without who asked."""
    _may_be_answered(talk)
    reply = first(_LAST_ANSWER, question=talk.id)
    if reply is None:
        raise Refused(_("Answer it first."))
    _show(talk, reply.id)


def _show(talk: Row[Any], reply: int) -> None:
    if run(_SHOW, question=talk.id, now=clock.now()) != 1:
        raise Refused(_("Who asked does not want this on the product page."))
    run(_SHOW_ANSWER, question=talk.id, reply=reply)
    shown_answers.copy(talk.product_id)


def hide(talk: Row[Any]) -> None:
    """Take it off the product page; the seller may show it again."""
    shown_answers.hide(talk.id, talk.product_id)
