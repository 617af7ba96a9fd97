"""What shoppers ask sellers: who may ask and answer what, who is told, what is shown to all, and what is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from shop import accounts, answers, clock, questions, seller_home, sellers, shown_answers
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import Order, OrderStatus, Product, Profile, Question, QuestionState, Reply, Seller, Vetting
from shop.seller_home import Count
from tests.bookkeeping import bought

pytestmark = pytest.mark.usefixtures("at_the_desk")
WORDS = "May it go into the dishwasher?"


@pytest.fixture
def mina(mug, signed_in_as):
    """The id of mina, whose shop sells the mug."""
    signed_in_as("mina")
    person = accounts.called("mina@example.com").id
    db.session.execute(update(Profile).where(Profile.handle == "mina").values(user_id=person))
    db.session.commit()
    return person


@pytest.fixture
def shop(mina):
    return db.session.scalars(select(Seller.id).join(Profile).where(Profile.handle == "mina")).one()


@pytest.fixture
def asker(noor):
    return accounts.as_actor(accounts.called(noor.email))


def asked(person, words=WORDS, product="mug"):
    code = questions.ask(person, questions.about(product), words)
    db.session.commit()
    return code


def kept(code):
    return db.session.execute(select(Question.__table__).where(Question.code == code)).one()


def said(code):
    found = select(Reply.is_sellers, Reply.words).join(Question).where(Question.code == code).order_by(Reply.id)
    return [tuple(row) for row in db.session.execute(found)]


def answer(code, shop, words="Yes, on the upper rack.", **how):
    answers.answer(answers.own(code, shop), words, **how)
    db.session.commit()


def until_somebody_waits(for_us):
    """Until PostgreSQL holds up the other for our row; SQLite lets nobody begin to write before we are done."""
    waiting = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    while not for_us.done() and db.session.get_bind().dialect.name == "postgresql":
        with db.engine.connect() as line:
            if line.scalar(waiting):
                return


def of_mug():
    return db.session.scalar(select(Product.answers).where(Product.code == "mug"))


# Asking


def test_a_question_waits_for_the_seller_who_is_told_a_first_name_and_nothing_else(shop, asker):
    accounts.rename(asker, "Noor van der Berg")
    asker = accounts.as_actor(accounts.own(asker))
    row = answers.own(asked(asker), shop)
    assert (row.name, row.words, row.state, row.product) == ("Noor", WORDS, QuestionState.OPEN, "mug")
    told = {str(value) for key, value in row._mapping.items() if key != "user_id"}
    assert not [value for value in told if "noor@example.com" in value or "Berg" in value]


@pytest.mark.parametrize(
    ("words", "kept_as"),
    [
        ("Is it\x07 blue,\u202e or\u200b green?", "Is it blue, or green?"),
        ("  Is it blue,\r\n\r\n\r\n\tor green?  ", "Is it blue,\n\nor green?"),
        ("\U0001f469\u200d\U0001f467 fits two people?", "\U0001f469\u200d\U0001f467 fits two people?"),
    ],
)
def test_what_cannot_be_seen_is_left_out(shop, asker, words, kept_as):
    assert kept(asked(asker, words)).words == kept_as


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Too short", "at least 10"),
        ("\u200d \n" * 50, "at least 10"),
        ("x" * 501, "at most 500"),
        ("Is there a swastika on it?", "do not pass on"),
    ],
)
def test_what_is_too_short_too_long_or_unwanted_is_not_passed_on(shop, asker, words, why):
    with pytest.raises(Refused, match=why):
        asked(asker, words)
    assert db.session.scalar(select(Question.id)) is None


@pytest.mark.parametrize("signs", [" " * 400_000, "a" + "\u0301\u0316" * 200_000, "a \n" * 1334])
def test_what_is_far_too_long_is_refused_before_anybody_works_out_what_is_to_be_seen_of_it(
    shop, asker, mug, monkeypatch, signs
):
    code, order = asked(asker), order_of(mug)
    questions.ask_about(order, "When will you send it to me?")
    about_order = questions.of_order(order).code
    monkeypatch.delattr(questions, "cleaned")
    for no in (
        lambda: asked(asker, signs),
        lambda: questions.write(questions.own(code, asker.id), signs),
        lambda: questions.ask_about(order, signs),
        lambda: answer(code, shop, signs),
    ):
        with pytest.raises(Refused, match="Use at most") as refusal:
            no()
        assert refusal.value.status == 422
    assert (said(code), said(about_order), len(db.session.scalars(select(Question.id)).all())) == ([], [], 2)


def test_what_is_short_enough_once_it_is_cleaned_is_kept(shop, asker):
    words = "Is it really blue?" + " \r\n" * 660 + "  "
    assert (len(words), kept(asked(asker, words)).words) == (4 * 500, "Is it really blue?")


def test_ten_and_five_hundred_signs_are_enough_and_not_too_many_and_alcohol_may_be_asked_about(shop, asker):
    codes = [asked(asker, words) for words in ("0123456789", "y" * 500, "Was this bottle made for beer or wine?")]
    assert [len(kept(code).words) for code in codes] == [10, 500, 38]


def test_nobody_asks_about_what_is_not_for_sale_nor_about_what_is_their_own(shop, mina, asker):
    own = accounts.as_actor(accounts.called("mina@example.com"))
    with pytest.raises(Refused, match="your own product"):
        asked(own)
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    with pytest.raises(NotFound):
        asked(asker)
    assert db.session.scalar(select(Question.id)) is None


# A talk in turns


def test_a_question_is_answered_goes_on_and_is_closed_by_either(shop, asker, pass_time):
    code = asked(asker)
    first = kept(code).since
    pass_time(hours=1)
    questions.write(questions.own(code, asker.id), "And the oven?")  # it waits as long as it has been waiting
    assert (kept(code).state, kept(code).since) == (QuestionState.OPEN, first)
    answer(code, shop)
    assert (kept(code).state, kept(code).since) == (QuestionState.ANSWERED, clock.now())
    pass_time(hours=1)
    questions.write(questions.own(code, asker.id), "Thank you! And the microwave?")
    assert (kept(code).state, kept(code).since, kept(code).told_at) == (QuestionState.OPEN, clock.now(), None)
    questions.close(answers.own(code, shop))
    for no in (
        lambda: questions.write(questions.own(code, asker.id), "Hello?"),
        lambda: answers.answer(answers.own(code, shop), "Yes."),
    ):
        with pytest.raises(Refused, match="conversation is closed"):
            no()
    turns = [(False, "And the oven?"), (True, "Yes, on the upper rack."), (False, "Thank you! And the microwave?")]
    assert (said(code), kept(code).state) == (turns, QuestionState.CLOSED)


def test_a_talk_ends_after_forty_turns_of_the_asker(shop, asker):
    code = asked(asker)
    db.session.execute(update(Question).values(replies=39))
    questions.write(questions.own(code, asker.id), "Once more")
    with pytest.raises(Refused):
        questions.write(questions.own(code, asker.id), "And once more")
    answer(code, shop)
    assert (kept(code).replies, len(said(code))) == (41, 2)


def test_what_somebody_else_asked_or_was_asked_is_not_there(shop, lamp, asker, signed_in_as):
    code = asked(asker)
    signed_in_as("lotte")
    with pytest.raises(NotFound):
        questions.own(code, accounts.called("lotte@example.com").id)
    with pytest.raises(NotFound):
        answers.own(code, lamp.seller)
    assert [row.code for row in questions.asked_by(asker.id).rows] == [code]
    assert questions.asked_by(accounts.called("lotte@example.com").id).rows == []


# About an order


def order_of(mug, **given):
    return db.session.get_one(Order, bought({mug.small: 1}, **given)[1])


def test_a_guest_asks_about_their_order_in_one_talk_that_opens_again(shop, mug):
    order = order_of(mug, name="Gast Vrouw")
    questions.ask_about(order, "When will you send it to me?")
    db.session.commit()
    code = questions.of_order(order).code
    assert (kept(code).name, kept(code).user_id, kept(code).order_id) == ("Gast", None, order.id)
    answer(code, shop)
    questions.close(questions.of_order(order))
    questions.ask_about(order, "No!")
    assert (said(code)[1], kept(code).state) == ((False, "No!"), QuestionState.OPEN)
    assert len(db.session.scalars(select(Question.id)).all()) == 1


def test_what_two_tabs_ask_about_an_order_at_the_same_moment_is_one_talk(shop, mug, monkeypatch):
    order, found = order_of(mug), questions.of_order
    questions.ask_about(order, "When will you send it to me?")
    late = iter([None])  # the other tab looked before there was one
    monkeypatch.setattr(questions, "of_order", lambda order: next(late, found(order)))
    questions.ask_about(order, "And does it come with a card?")
    (code,) = db.session.scalars(select(Question.code))
    assert said(code) == [(False, "And does it come with a card?")]


def test_who_has_not_paid_or_whose_shop_is_gone_is_told_so(shop, mug):
    order = order_of(mug)
    for change in ({"status": OrderStatus.PENDING_PAYMENT}, {}):
        db.session.execute(update(Order).values(status=change.get("status", OrderStatus.PAID)))
        db.session.execute(update(Seller).values(ended_at=None if change else clock.now()))
        db.session.expire_all()
        with pytest.raises(Refused, match="cannot be asked here"):
            questions.ask_about(order, "When will you send it to me?")
    assert db.session.scalar(select(Question.id)) is None


def test_who_was_stopped_answers_buyers_and_nothing_about_products(shop, mina, mug, asker):
    order = order_of(mug)
    product = asked(asker)
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    questions.ask_about(order, "When will you send it to me?")
    db.session.commit()
    with pytest.raises(Refused, match="sales are stopped"):
        answer(product, shop)
    about_order = questions.of_order(order).code
    assert seller_home.of(mina).counted("questions") == Count(1, kept(about_order).since)
    assert [row.code for row in answers.listed(shop, "open").rows] == [about_order]
    answer(about_order, shop, "Tomorrow.")
    assert (said(product), said(about_order)) == ([], [(True, "Tomorrow.")])


# What waits


def test_home_counts_what_waits_with_the_oldest_and_leads_to_exactly_those(shop, mina, lamp, asker, pass_time):
    codes = []
    for _n in range(3):
        codes.append(asked(asker))
        pass_time(minutes=5)
    asked(asker, product="lamp")
    answer(codes[1], shop)
    assert seller_home.of(mina).counted("questions") == Count(2, kept(codes[0]).since)
    lists = {show: [row.code for row in answers.listed(shop, show).rows] for show in answers.LISTS}
    assert lists == {"open": [codes[0], codes[2]], "answered": [codes[1]], "closed": []}


def test_a_long_list_goes_on_where_it_ended(shop, asker, monkeypatch, pass_time):
    monkeypatch.setattr(answers, "PAGE", 2)
    codes = []
    for _n in range(3):
        codes.append(asked(asker))
        pass_time(minutes=1)
    leaf = answers.listed(shop, "open")
    rest = answers.listed(shop, "open", leaf.more)
    assert [[row.code for row in one.rows] for one in (leaf, rest)] == [codes[:2], codes[2:]]
    assert (bool(leaf.more), rest.more) == (True, "")
    for nonsense in ("x", "1e400-1", "nan-1", "-", "5-x"):
        assert answers.listed(shop, "open", nonsense).rows[0].code == codes[0]


# Who is told


def test_a_seller_is_mailed_once_an_hour_however_many_ask(shop, asker, letters, monkeypatch):
    at = clock.now().replace(minute=5)
    monkeypatch.setattr(clock, "now", lambda: at)
    asked(asker)
    assert [mail["To"] for mail in letters()] == ["mina@example.com"]
    for _n in range(2):
        asked(asker)
        assert letters() == []
    monkeypatch.setattr(clock, "now", lambda: at.replace(minute=0) + timedelta(hours=1))
    (mail,) = letters()
    assert mail["Subject"] == "2 questions wait for you at Etalage"
    assert letters() == []
    assert db.session.scalars(select(Question.told_at)).all().count(None) == 0


def test_who_asked_is_mailed_each_answer_in_their_own_language(shop, asker, mug, letters):
    accounts.speak_with(asker, "nl")
    code, order = asked(asker), order_of(mug)
    questions.ask_about(order, "When will you send it to me?")
    db.session.commit()
    letters()
    answer(code, shop, "Yes, both.")
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("noor@example.com", "Atelier Mina beantwoordt je vraag")
    text = mail.get_body(("plain",)).get_content()
    assert WORDS in text and "Yes, both." in text and f"/account/questions/{code}" in text
    answer(questions.of_order(order).code, shop, "See https://evil.example/now")
    (mail,) = letters()
    text = mail.get_body(("plain",)).get_content()
    assert f"/orders/{order.code}/ask" in text
    assert "evil" not in mail.as_string()  # a mail program would make a link of it, in a mail of ours


def test_a_product_whose_title_is_a_link_is_not_named_in_a_mail_of_ours(shop, asker, letters):
    code = asked(asker)
    for title, first in (
        ({"nl": "Mok", "en": "Pay at evil.example"}, "Atelier Mina answers your question."),
        ({"nl": "Mok", "en": "Mug"}, "Atelier Mina answers what you asked about Mug."),
    ):
        db.session.execute(update(Product).values(title=title))
        db.session.commit()
        letters()
        answer(code, shop)
        (mail,) = letters()
        assert [first in mail.get_body((kind,)).get_content() for kind in ("plain", "html")] == [True, True]
        assert "evil" not in mail.as_string() and "your order" not in mail.as_string()


def test_nobody_is_mailed_who_has_left(shop, mina, asker, letters):
    code = asked(asker)
    assert [mail["To"] for mail in letters()] == ["mina@example.com"]
    accounts.close(accounts.own(asker))
    answer(code, shop)
    assert letters() == []


# What all may read


def test_what_the_seller_shows_stands_on_the_product_without_a_name_the_newest_three(shop, asker, pass_time):
    for n in range(4):
        answer(asked(asker, f"Question number {n}?"), shop, f"Answer {n}.", is_shown=True)
        pass_time(minutes=1)
    newest = [[f"Question number {n}?", f"Answer {n}."] for n in (3, 2, 1)]
    assert of_mug() == {"count": 4, "newest": newest}
    shown = shown_answers.of(db.session.scalar(select(Product.id))).rows
    assert [(row.words, row.answer) for row in shown] == [
        (f"Question number {n}?", f"Answer {n}.") for n in (3, 2, 1, 0)
    ]
    assert set(shown[0]._fields) == {"id", "words", "shown_at", "answer"}


def test_what_is_not_shown_is_told_to_nobody(shop, asker):
    answer(asked(asker), shop)
    assert (of_mug(), shown_answers.of(db.session.scalar(select(Product.id))).rows) == (None, [])


def test_a_seller_shows_the_last_answer_later_and_takes_it_back(shop, asker):
    code = asked(asker)
    with pytest.raises(Refused, match="Answer it first"):
        answers.show_last(answers.own(code, shop))
    answer(code, shop, "No.", is_shown=True)
    answer(code, shop, "Sorry: yes.")
    assert of_mug()["newest"] == [[WORDS, "No."]]
    answers.show_last(answers.own(code, shop))
    assert of_mug()["newest"] == [[WORDS, "Sorry: yes."]]
    answers.hide(answers.own(code, shop))
    assert of_mug() is None
    answers.show_last(answers.own(code, shop))
    assert of_mug()["count"] == 1


def test_who_asked_takes_it_off_the_page_for_good(shop, asker):
    code = asked(asker)
    answer(code, shop, is_shown=True)
    questions.show_no_more(questions.own(code, asker.id))
    db.session.commit()
    assert of_mug() is None
    with pytest.raises(Refused, match="does not want"):
        answer(code, shop, "Once more.", is_shown=True)
    db.session.rollback()
    assert (of_mug(), kept(code).shown_at, len(said(code))) == (None, None, 1)


def test_what_is_about_an_order_is_never_shown(shop, mug):
    order = order_of(mug)
    questions.ask_about(order, "When will you send it to me?")
    with pytest.raises(Refused):
        answer(questions.of_order(order).code, shop, is_shown=True)


# What is forgotten


def test_with_an_account_goes_all_that_was_asked_also_from_the_page(shop, asker, mug, signed_in_as):
    answer(asked(asker), shop, is_shown=True)
    signed_in_as("lotte")
    other = asked(accounts.as_actor(accounts.called("lotte@example.com")))
    questions.forget_all(asker.id)
    db.session.commit()
    assert db.session.scalars(select(Question.code)).all() == [other]
    assert (db.session.scalars(select(Reply.id)).all(), of_mug()) == ([], None)


def test_what_is_shown_while_its_asker_leaves_goes_from_the_page_too(app, shop, asker):
    code = asked(asker)
    answer(code, shop)
    answers.show_last(answers.own(code, shop))

    def leave():
        with app.test_request_context(method="POST"):
            questions.forget_all(asker.id)
            db.session.commit()

    with ThreadPoolExecutor(1) as hand:
        left = hand.submit(leave)
        until_somebody_waits(left)
        db.session.commit()
    left.result()
    assert (db.session.scalars(select(Question.id)).all(), of_mug()) == ([], None)


def test_after_two_years_a_talk_is_forgotten_and_not_a_day_before(shop, asker, pass_time):
    code = asked(asker)
    pass_time(days=20)
    answer(code, shop, is_shown=True)
    pass_time(days=730)
    questions.forget_the_old()
    assert of_mug()["count"] == 1
    pass_time(seconds=1)
    questions.forget_the_old()
    assert (db.session.scalars(select(Question.id)).all(), of_mug()) == ([], None)


def test_who_was_stopped_shows_nothing_new_and_takes_down_what_was_shown(shop, asker):
    hidden, shown = asked(asker), asked(asker)
    answer(hidden, shop)
    answer(shown, shop, "Yes.", is_shown=True)
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    with pytest.raises(Refused, match="sales are stopped"):
        answers.show_last(answers.own(hidden, shop))
    assert (of_mug(), kept(hidden).shown_at) == ({"count": 1, "newest": [[WORDS, "Yes."]]}, None)
    answers.hide(answers.own(shown, shop))
    assert of_mug() is None


def test_a_shop_that_its_owner_left_answers_nobody(shop, mina, mug, asker):
    order = order_of(mug)
    sellers.leave(accounts.as_actor(accounts.called("mina@example.com")))
    db.session.commit()
    db.session.expire_all()
    assert not questions.may_ask_about(order)
