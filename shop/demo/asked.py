"""What the demo's shoppers asked Mina, by the shop's own rules: some of it is answered, some waits for her."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, select, update

from shop import accounts, answers, questions
from shop.accounts import Person
from shop.database import db
from shop.demo import catalogue, people
from shop.demo.people import ACCOUNTS
from shop.errors import NotFound
from shop.models import Job, Order, OrderStatus, Question, Reply, Seller

NOOR, KAI, MINA = ACCOUNTS[:3]
LETTERS = ("shop.question_mails.tell_seller", "shop.question_mails.tell_asker")  # to people who do not exist


class Asked(NamedTuple):
    """A question about a product, and what was answered; both as they were typed."""

    by: people.Account
    product: str
    words: str
    answer: str
    days_ago: float


TOLD = (
    Asked(
        NOOR,
        "teapot",
        "Mag de theepot in de vaatwasser, en het zeefje ook?",
        "De pot wel, onderin. Het zeefje spoel je even met de hand om: dan blijft het fijn.",
        9,
    ),
    Asked(
        KAI,
        "teapot",
        "Blijft de thee er een beetje warm in, ook zonder theemuts?",
        "Een half uur zeker. Spoel de pot eerst om met heet water, dan haal je drie kwartier.",
        4,
    ),
    Asked(NOOR, "lotion", "Zit er parfum in de handlotion? Daar kan mijn huid niet zo goed tegen.", "", 1),
)
CARD = "Kun je er een kaartje bij doen? Het is een cadeau voor mijn moeder."


def add() -> None:
    """Let noor and kai ask, and mina answer some of it; once, and only what is for sale."""
    if catalogue.is_there(Question):
        return
    seller = db.session.scalars(
        select(Seller.id).where(Seller.profile_id == people.profile_of(MINA.handle or "").id)
    ).one()
    for told in TOLD:
        _ask(told, seller)
    waits = (Order.seller_id == seller, Order.status == OrderStatus.PAID)
    if (order := db.session.scalars(select(Order).where(*waits).order_by(Order.id.desc())).first()) is not None:
        questions.ask_about(order, CARD)
    db.session.execute(delete(Job).where(Job.handler.in_(LETTERS)))
    db.session.commit()


def _ask(told: Asked, seller: int) -> None:
    try:
        product = questions.about(catalogue.code("product", told.product))
    except NotFound:
        return
    code = questions.ask(_person(told.by), product, told.words)
    if told.answer:
        answers.answer(answers.own(code, seller), told.answer, is_shown=True)
    _date_back(code, told)


def _date_back(code: str, told: Asked) -> None:
    """As if it was asked days ago, and answered the same day."""
    asked, answered = catalogue.ago(told.days_ago), catalogue.ago(told.days_ago - 0.2)
    when = {"since": answered, "shown_at": answered} if told.answer else {"since": asked}
    db.session.execute(update(Question).where(Question.code == code).values(asked_at=asked, **when))
    number = select(Question.id).where(Question.code == code).scalar_subquery()
    db.session.execute(update(Reply).where(Reply.question_id == number).values(at=answered))


def _person(account: people.Account) -> Person:
    found = accounts.called(account.email)
    assert found is not None  # noqa: S101  `people` has opened it
    return accounts.as_actor(found)
