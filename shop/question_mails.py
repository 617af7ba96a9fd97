"""Mails about questions: a seller hears once an hour at most that some wait, and who asked hears of each answer."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, or_, select, update

from shop import clock, jobs, notifications
from shop.database import first, rows, run
from shop.models import Order, Product, Profile, Purchase, Question, QuestionState, Reply, Seller, User
from shop.plain_text import may_be_mailed
from shop.sellers import may_sell
from shop.words import Words

HOUR = timedelta(hours=1)
NAMED = 5  # of those that wait, in one mail
AT_ONCE = 200

questions, replies, products = Question.__table__, Reply.__table__, Product.__table__
sellers, profiles, users = Seller.__table__, Profile.__table__, User.__table__
orders, purchases = Order.__table__, Purchase.__table__
# Who was stopped answers their buyers, and sells nothing by what they say of products.
may_be_answered = or_(
    questions.c.order_id.is_not(None),
    select(sellers.c.id).where(sellers.c.id == questions.c.seller_id, may_sell).exists(),
)
_UNTOLD = (
    select(*questions.c["id", "words"], products.c.title, orders.c.code.label("order"))
    .outerjoin(products, products.c.id == questions.c.product_id)
    .outerjoin(orders, orders.c.id == questions.c.order_id)
    .where(
        questions.c.seller_id == bindparam("seller"),
        questions.c.state == QuestionState.OPEN,
        questions.c.told_at.is_(None),
        may_be_answered,
    )
    .order_by(questions.c.since, questions.c.id)
    .limit(AT_ONCE)
)
_OWNER = (
    select(*users.c["email", "language", "name"], profiles.c.name.label("shop"))
    .join(profiles, profiles.c.user_id == users.c.id)
    .join(sellers, sellers.c.profile_id == profiles.c.id)
    .where(sellers.c.id == bindparam("seller"), users.c.is_active)
)
_TOLD = (
    update(questions)
    .where(questions.c.id.in_(bindparam("told", expanding=True)))
    .values(told_at=bindparam("now", type_=questions.c.told_at.type))
)
_ANSWER = (
    select(
        replies.c.words.label("answer"),
        *questions.c["code", "words", "name", "user_id"],
        users.c.email,
        users.c.language,
        users.c.is_active,
        purchases.c.email.label("buyer"),
        purchases.c.language.label("buyer_language"),
        orders.c.code.label("order"),
        products.c.title,
        profiles.c.name.label("shop"),
    )
    .join(questions, questions.c.id == replies.c.question_id)
    .join(sellers, sellers.c.id == questions.c.seller_id)
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(users, users.c.id == questions.c.user_id)
    .outerjoin(products, products.c.id == questions.c.product_id)
    .outerjoin(orders, orders.c.id == questions.c.order_id)
    .outerjoin(purchases, purchases.c.id == orders.c.purchase_id)
    .where(replies.c.id == bindparam("reply"))
)


@jobs.patient_handler
def tell_seller(seller: int) -> None:
    """Mail a seller that questions wait of which they were not told; once an hour at most, whatever comes in."""
    waiting, owner = rows(_UNTOLD, seller=seller), first(_OWNER, seller=seller)
    if not waiting or owner is None:
        return
    now = clock.now()
    about = f"{seller}-{now:%Y%m%d%H}"
    if notifications.is_sent("questions", about):
        jobs.later(tell_seller, delay=now.replace(minute=0, second=0, microsecond=0) + HOUR - now, seller=seller)
        return
    named = [(row.title, (row.order or "")[:8], _quoted(row.words)) for row in waiting[:NAMED]]
    facts = {"name": owner.name, "shop": owner.shop, "count": len(waiting), "named": named}
    to = {"to": owner.email, "language": owner.language, "template": "questions"}
    notifications.mail(kind="questions", about=about, **to, **facts)
    run(_TOLD, told=[row.id for row in waiting], now=now)


@jobs.patient_handler
def tell_asker(reply: int) -> None:
    """Mail an answer to who asked, in their language; nobody where the account is closed, or all is forgotten."""
    row = first(_ANSWER, reply=reply)
    if row is None or (row.user_id is not None and not row.is_active):
        return
    is_guest = row.user_id is None
    to = {"to": row.buyer if is_guest else row.email, "language": row.buyer_language if is_guest else row.language}
    page = f"/orders/{row.order}/ask" if row.order else f"/account/questions/{row.code}"
    said = {"question": _quoted(row.words), "answer": _quoted(row.answer), "title": _named(row.title)}
    facts = {"template": "answer", "name": row.name, "shop": row.shop, "page": page, "order": row.order, **said}
    notifications.mail(kind="answer", about=str(reply), **to, **facts)


def _named(title: Words | None) -> Words | None:
    """A product as it may be named in a mail of ours: not where a seller made a link of its title."""
    return title if title and all(may_be_mailed(text) for text in title.values()) else None


def _quoted(words: str) -> str:
    """As it may stand in a mail of ours; empty where it is to be read in the shop."""
    return words if may_be_mailed(words) else ""
