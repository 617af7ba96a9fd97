"""Questions: what shoppers ask a seller about a product, and buyers about their order; a talk in turns, of two.

The seller is told a first name and nothing else. What both say is plain text, and never becomes a link. Two years
after a talk came into its last state it is forgotten, and with the account of who asked at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, delete, select, update

from shop import clock, jobs, question_mails, shown_answers, word_list
from shop.accounts import Person
from shop.database import connection, first, insert, rows, run
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.leaf import Leaf
from shop.models import Order, OrderStatus, Picture, Product, Profile, Question, QuestionState, Reply, Seller, Vetting
from shop.plain_text import cleaned, size
from shop.products import MAY_BE_SOLD

SHORTEST, LONGEST = 10, 500  # of a question
LONGEST_REPLY = 1000
MANIFOLD = 4  # times what may be kept is cleaned: of more is not worked out what can be seen of it
MOST = 40  # turns in one talk by who asked; the seller has as many again
PAGE = 20
KEPT = timedelta(days=730)
AT_ONCE = 1000
UNWANTED = frozenset(("hate_and_sex",))  # of the word list; that one asks whether there is alcohol in it is no offer

questions, replies, products = Question.__table__, Reply.__table__, Product.__table__
sellers, profiles, orders, pictures = Seller.__table__, Profile.__table__, Order.__table__, Picture.__table__

_ABOUT = (
    select(*products.c["id", "code", "title", "seller_id"], profiles.c.name.label("shop"))
    .add_columns(*profiles.c["handle", "user_id"], pictures.c.name_216, pictures.c.name.label("picture"))
    .join(sellers, sellers.c.id == products.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(pictures, and_(pictures.c.product_id == products.c.id, pictures.c.position == 0))
    .where(products.c.code == bindparam("code"), *MAY_BE_SOLD)
)
_TALK = (
    select(questions, profiles.c.name.label("shop"), profiles.c.handle)
    .add_columns(products.c.code.label("product"), products.c.title, orders.c.code.label("order"))
    .join(sellers, sellers.c.id == questions.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(products, products.c.id == questions.c.product_id)
    .outerjoin(orders, orders.c.id == questions.c.order_id)
)
_OWN = _TALK.where(questions.c.code == bindparam("code"), questions.c.user_id == bindparam("person"))
_OF_ORDER = _TALK.where(questions.c.order_id == bindparam("order"))
_MINE = (
    _TALK.where(questions.c.user_id == bindparam("person"), questions.c.id < bindparam("before"))
    .order_by(questions.c.id.desc())
    .limit(PAGE + 1)
)
_REPLIES = (
    select(*replies.c["id", "is_sellers", "words", "at", "is_shown"])
    .where(replies.c.question_id == bindparam("question"))
    .order_by(replies.c.id)
)
_waits = questions.c.state == QuestionState.OPEN
# It waits as long as it has been waiting; what was answered waits from now on, and its seller is told anew.
_ASKED_ON = (
    update(questions)
    .where(questions.c.id == bindparam("question"), questions.c.replies < MOST)
    .where(questions.c.state.in_(bindparam("states", expanding=True)))
    .values(
        state=QuestionState.OPEN,
        since=case((_waits, questions.c.since), else_=bindparam("now", type_=questions.c.since.type)),
        told_at=case((_waits, questions.c.told_at)),
        replies=questions.c.replies + 1,
    )
)
_CLOSED = (
    update(questions)
    .where(questions.c.id == bindparam("question"), questions.c.state != QuestionState.CLOSED)
    .values(state=QuestionState.CLOSED, since=bindparam("now", type_=questions.c.since.type))
)
_NOT_TO_BE_SHOWN = (
    update(questions).where(questions.c.id == bindparam("question")).values(may_be_shown=False, shown_at=None)
)
# What goes tells itself of which product it was shown: read before, it may be shown between the two.
_FORGET = delete(questions).returning(*questions.c["product_id", "shown_at"])
_FORGET_ALL = _FORGET.where(questions.c.user_id == bindparam("person"))
_is_old = questions.c.since < bindparam("before", type_=questions.c.since.type)
_OLD = select(questions.c.id).where(_is_old).order_by(questions.c.since).limit(AT_ONCE)
_FORGET_OLD = _FORGET.where(questions.c.id.in_(_OLD), _is_old)


# What one asks


def about(code: str) -> Row[Any]:
    """The product that one asks about, with who sells it; `NotFound` where it is not for sale."""
    found = first(_ABOUT, code=code)
    if found is None:
        raise NotFound(_("We cannot find this product, or it is not for sale at the moment."))
    return found


def ask(person: Person, product: Row[Any], words: str) -> str:
    """Ask the seller of a product something; gives the question's code."""
    if product.user_id == person.id:
        raise Refused(_("This is your own product: the question would come to you."), 422)
    said, code = checked(words, SHORTEST, LONGEST), secrets.token_urlsafe(12)
    whose = {"code": code, "seller_id": product.seller_id, "user_id": person.id, "name": first_name(person.name)}
    _insert(product_id=product.id, words=said, **whose)
    return code


def may_ask_about(order: Order) -> bool:
    """Is there somebody who answers for this order here? It is paid, and its shop is not gone for good."""
    seller = order.seller
    is_there = seller.vetting in (Vetting.APPROVED, Vetting.SUSPENDED) and seller.ended_at is None
    return is_there and order.status != OrderStatus.PENDING_PAYMENT


def ask_about(order: Order, words: str) -> None:
    """Ask the seller of an order something, or go on with it: each order has one talk, which opens again."""
    if not may_ask_about(order):
        raise Refused(_("This seller cannot be asked here. Their address stands with the order."))
    found = of_order(order)
    if found is None:
        said, bought = checked(words, SHORTEST, LONGEST), order.purchase
        whose = {"code": secrets.token_urlsafe(12), "user_id": bought.user_id, "name": first_name(bought.name)}
        if _insert(order_id=order.id, seller_id=order.seller_id, words=said, **whose):
            return
        found = _there(of_order(order))  # another tab was quicker
    write(found, words)


def write(talk: Row[Any], words: str) -> None:
    """Go on with a talk: its seller has it before them again. What is closed stays so, but for that of an order."""
    said = checked(words, 1, LONGEST_REPLY)
    states = [QuestionState.OPEN, QuestionState.ANSWERED, *([QuestionState.CLOSED] if talk.order_id else [])]
    now = clock.now()
    if run(_ASKED_ON, question=talk.id, now=now, states=states) != 1:
        raise Refused(_("This conversation is closed. Ask a new question if you want to know more."))
    add_reply(talk.id, said, is_sellers=False)
    jobs.later(question_mails.tell_seller, seller=talk.seller_id)


def close(talk: Row[Any]) -> None:
    """End a talk: either of the two may. Closing what is closed changes nothing."""
    run(_CLOSED, question=talk.id, now=clock.now())


def show_no_more(talk: Row[Any]) -> None:
    """Who asked does not want it on the product page: it goes at once, and does not come back."""
    shown_answers.hide(talk.id, talk.product_id)
    run(_NOT_TO_BE_SHOWN, question=talk.id)


def _insert(**facts: Any) -> bool:
    """Write a question down; False where there is one about this order already."""
    now = clock.now()
    new = insert(questions).values(asked_at=now, since=now, state=QuestionState.OPEN, **facts)
    kept = new.on_conflict_do_nothing(index_elements=["order_id"]).returning(questions.c.id)
    if connection().execute(kept).first() is None:
        return False
    jobs.later(question_mails.tell_seller, seller=facts["seller_id"])
    return True


def add_reply(question: int, words: str, *, is_sellers: bool) -> int:
    """One more turn; gives its id."""
    new = insert(replies).values(question_id=question, words=words, is_sellers=is_sellers, at=clock.now())
    return int(connection().execute(new.returning(replies.c.id)).scalar_one())


def checked(words: str, shortest: int, longest: int) -> str:
    """What somebody typed for somebody else to read, cleaned; `Refused` where it is too short, too long or unwanted."""
    too_long = _("Use at most %(max)d characters.", max=longest)
    if len(words) > MANIFOLD * longest:
        raise Refused(too_long, 422)
    said = cleaned(words)
    if size(said) < shortest:
        raise Refused(_("Write at least %(n)s characters.", n=shortest) if shortest > 1 else _("Write something."), 422)
    if len(said) > longest:
        raise Refused(too_long, 422)
    if any(found.code in UNWANTED for found in word_list.find(said)):
        raise Refused(_("There is a word in it that we do not pass on."), 422)
    return said


def first_name(name: str) -> str:
    """All that a seller is told of who asks."""
    return name.split(maxsplit=1)[0] if name.strip() else ""


# What was asked


def own(code: str, person: int) -> Row[Any]:
    """A question of this person; `NotFound` of anybody else's."""
    return _there(first(_OWN, code=code, person=person))


def of_order(order: Order) -> Row[Any] | None:
    """The talk about an order, if there is one; the order was loaded by who may see it."""
    return first(_OF_ORDER, order=order.id)


def asked_by(person: int, before: str = "") -> Leaf:
    """A leaf of what somebody asked, the newest first."""
    last = int(before) if before.isdecimal() and len(before) < 19 else 2**62
    found = rows(_MINE, person=person, before=last)
    return Leaf(found[:PAGE], str(found[PAGE - 1].id) if len(found) > PAGE else "")


def said_in(talk: Row[Any]) -> Sequence[Row[Any]]:
    """What was said after the question, turn by turn."""
    return rows(_REPLIES, question=talk.id)


def _there(found: Row[Any] | None) -> Row[Any]:
    if found is None:
        raise NotFound(_("We cannot find this question."))
    return found


# And what is forgotten


def forget_all(person: int) -> None:
    """Forget all that somebody asked, also what is shown of it: their account is closed."""
    _take_down(rows(_FORGET_ALL, person=person))


@jobs.regularly(timedelta(days=1))
def forget_the_old() -> None:
    """Forget talks of which nothing has come for two years."""
    old = rows(_FORGET_OLD, before=clock.now() - KEPT)
    _take_down(old)
    if len(old) == AT_ONCE:
        jobs.later(forget_the_old)


def _take_down(gone: Sequence[Row[Any]]) -> None:
    for product in sorted({row.product_id for row in gone if row.shown_at is not None}):
        shown_answers.copy(product)
