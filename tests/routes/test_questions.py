"""Asking a seller: on the page of a product and in the sheet, about an order, and what the seller sees of it."""

import re
from html import unescape

import pytest
from sqlalchemy import select, update

from shop import accounts, passwords, questions
from shop.database import db, is_holding
from shop.models import Order, Product, Question
from tests.bookkeeping import bought
from tests.conftest import HTMX

BOTH = pytest.mark.parametrize("htmx", [False, True])
WORDS = "May it go into the dishwasher? <b>Or not</b>"


@pytest.fixture
def noor(signed_in_as):
    """Noor's browser."""
    return signed_in_as("noor")


@pytest.fixture
def order(app, mug):
    """The code of a guest's order of one small mug, paid."""
    with app.test_request_context(method="POST"):
        return db.session.get_one(Order, bought({mug.small: 1})[1]).code


def send(client, address, htmx=False, **form):
    return client.post(address, data=form, headers=HTMX if htmx else {})


def kept(app, *columns):
    with app.app_context():
        return [tuple(row) for row in db.session.execute(select(*columns or (Question.words,)).order_by(Question.id))]


def code_of(app):
    return kept(app, Question.code)[-1][0]


def plain(html):
    """What one reads, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@BOTH
def test_noor_asks_is_answered_and_writes_back(app, mina, noor, htmx):
    assert 'href="/p/mug/ask"' in noor.get("/p/mug").text
    answer = send(noor, "/p/mug/ask", htmx, words=WORDS)
    assert (answer.status_code, kept(app)) == (200 if htmx else 303, [(WORDS,)])
    if htmx:
        assert "Your question is with the seller" in answer.text
    code = code_of(app)
    assert "<b>1</b> question to answer" in mina.get("/seller").text
    assert f'href="/seller/questions/{code}"' in mina.get("/seller/questions").text
    seen = mina.get(f"/seller/questions/{code}").text
    assert "&lt;b&gt;Or not&lt;/b&gt;" in seen and "noor@example.com" not in seen and "<b>Or" not in seen
    send(mina, f"/seller/questions/{code}/answers", htmx, words="See https://mina.example", is_shown="y")
    mine = noor.get(f"/account/questions/{code}").text
    assert "See https://mina.example" in mine and 'href="https://mina' not in mine
    answer = send(noor, f"/account/questions/{code}/replies", htmx, words="Thanks.")
    assert answer.status_code == (204 if htmx else 303)
    assert [row for (row,) in kept(app, Question.state)] == ["open"]


@BOTH
def test_what_is_wrong_stands_beside_what_was_typed(app, mina, noor, order, htmx):
    send(noor, "/p/mug/ask", words=WORDS)
    code = code_of(app)
    for client, address, words in (
        (noor, "/p/mug/ask", "<Hm?>"),
        (noor, f"/account/questions/{code}/replies", "<" * 1001),
        (mina, f"/seller/questions/{code}/answers", "<" * 1001),
        (app.test_client(), f"/orders/{order}/ask", "<Hm?>"),
    ):
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        answer = send(client, address, htmx, words=words)
        assert (answer.status_code, words.replace("<", "&lt;").replace(">", "&gt;") in answer.text) == (422, True)
        assert ("<html" in answer.text) is not htmx
    assert kept(app, Question.words, Question.replies) == [(WORDS, 0)]


@BOTH
def test_a_guest_signs_in_and_finds_what_was_typed(app, client, mug, noor, htmx):
    words = "Blijft de thee warm?\nOok \u2603 als het vriest?"
    answer = send(client, "/p/mug/ask", htmx, words=words)
    door = answer.headers["HX-Redirect"] if htmx else answer.location
    assert (door, kept(app)) == ("/sign-in?next=/p/mug/ask&why=ask", [])
    assert "To ask a seller something you sign in first." in client.get(door).text
    assert unescape(re.search(r"<textarea[^>]*>\s*([^<]*)<", client.get("/p/mug/ask").text)[1]).strip() == words
    assert words not in client.get("/p/mug").text
    for name in ("session", "__Host-session"):
        if there := noor.get_cookie(name):
            client.set_cookie(name, there.value)
    send(client, "/p/mug/ask", words=words)
    assert (kept(app), client.get_cookie("asking", path="/p/mug/ask")) == ([(words,)], None)


def test_what_a_guest_typed_is_read_while_nobody_waits_for_them(app, client, mug, monkeypatch):
    held, checked = [], questions.checked

    def watched(*given):
        held.append(is_holding())
        return checked(*given)

    monkeypatch.setattr(questions, "checked", watched)
    for words, status in ((WORDS, 303), (" " * 400_000, 422)):
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        assert send(client, "/p/mug/ask", words=words).status_code == status
    assert (held, kept(app)) == ([False, False], [])


@pytest.mark.parametrize("draft", ["%", "////", "gICA", "A" * 4000])
def test_a_draft_that_is_none_is_left_alone(client, mug, draft):
    client.set_cookie("asking", draft, path="/p/mug/ask")
    answer = client.get("/p/mug/ask")
    assert (answer.status_code, len(answer.text) < 12_000) == (200, True)


def test_who_asks_too_much_hears_how_long_to_wait_and_keeps_what_was_typed(app, mina, noor):
    told = [send(noor, "/p/mug/ask", words=f"Is it blue, number {n}?") for n in range(4)][-1]
    assert (told.status_code, len(kept(app))) == (429, 3)
    assert 86_000 < int(told.headers["Retry-After"]) <= 86_400
    assert re.search(r"You can send it in (24 hours|1 day)", told.text) and "Is it blue, number 3?" in told.text


def test_in_the_sheet_it_is_asked_without_leaving_the_clip(app, mina, noor):
    sheet = noor.get("/p/mug?clip=abc", headers=HTMX).text
    assert 'hx-get="/p/mug/ask?sheet=1&amp;clip=abc" hx-target="#sheet-body"' in sheet
    form = noor.get("/p/mug/ask?sheet=1&clip=abc", headers=HTMX).text
    assert 'id="sheet-title"' in form and 'name="sheet" value="1"' in form and 'hx-get="/p/mug?clip=abc"' in form
    sent = send(noor, "/p/mug/ask", htmx=True, words=WORDS, sheet="1", clip="abc").text
    assert 'id="sheet-title"' in sent and 'hx-get="/p/mug?clip=abc"' in sent and kept(app) == [(WORDS,)]


def test_the_page_of_a_product_asks_no_more_for_its_answers_and_names_nobody(app, client, mina, noor, queries):
    def look():
        with queries() as asked:
            page = client.get("/p/mug").text
        return page, len(asked)

    bare, before = look()
    for n in range(3):
        send(noor, "/p/mug/ask", words=f"Is it <i>blue</i>, number {n}?")
        send(mina, f"/seller/questions/{code_of(app)}/answers", words=f"It is, {n}.", is_shown="y")
    full, after = look()
    assert (before, after) == (3, 3)
    assert "Questions and answers" not in bare
    assert "Questions and answers Is it <i>blue</i>, number 2? It is, 2. Is it <i>blue</i>, number 1?" in plain(full)
    assert ("Noor" in full, "<i>blue" in full, "/p/mug/questions" in full) == (False, False, False)
    with app.test_request_context(method="POST"):
        product = db.session.scalars(select(Product)).one()
        product.answers = {**product.answers, "count": 4}
        db.session.commit()
    assert (
        '<a class="button button--quiet button--small" href="/p/mug/questions">All 4 questions'
        in client.get("/p/mug").text
    )
    assert plain(client.get("/p/mug/questions").text).count("It is,") == 3


def test_lists_ask_as_much_for_many_as_for_one(app, mina, noor, queries):
    counts = {}
    for n in range(3):
        send(noor, "/p/mug/ask", words=f"Is it blue, number {n}?")
        for client, address in ((mina, "/seller/questions"), (noor, "/account/questions"), (noor, "/p/mug/questions")):
            with queries() as asked:
                assert client.get(address).status_code == 200
            counts.setdefault(address, []).append(len(asked))
    assert counts == {"/seller/questions": [3, 3, 3], "/account/questions": [2, 2, 2], "/p/mug/questions": [2, 2, 2]}
    code = code_of(app)
    for client, address, most in ((mina, f"/seller/questions/{code}", 4), (noor, f"/account/questions/{code}", 3)):
        with queries() as asked:
            client.get(address)
        assert len(asked) == most, address


@BOTH
def test_a_guest_asks_about_an_order_by_its_link_and_nobody_else_finds_it(app, client, mina, noor, order, htmx):
    assert f'href="/orders/{order}/ask"' in client.get(f"/orders/{order}").text
    answer = send(client, f"/orders/{order}/ask", htmx, words="When will you send it to me?")
    assert answer.status_code == (204 if htmx else 303)
    code = code_of(app)
    seen = mina.get(f"/seller/questions/{code}").text
    assert f'href="/seller/orders/{order[:8]}"' in seen and order not in seen and "@example.com" not in seen
    send(mina, f"/seller/questions/{code}/answers", htmx, words="Tomorrow.")
    page = client.get(f"/orders/{order}/ask")
    assert ("Tomorrow." in page.text, page.headers["Referrer-Policy"]) == (True, "no-referrer")
    assert noor.get(f"/account/questions/{code}").status_code == 404
    send(client, f"/orders/{order}/ask/closing", htmx)
    assert kept(app, Question.state) == [("closed",)]
    send(client, f"/orders/{order}/ask", htmx, words="Still not here.")
    assert kept(app, Question.state) == [("open",)]


@BOTH
def test_of_an_order_one_writes_back_on_its_own_page(app, noor, order, htmx):
    send(noor, f"/orders/{order}/ask", words="When will you send it to me?")
    with app.test_request_context(method="POST"):
        db.session.execute(update(Question).values(user_id=accounts.called("noor@example.com").id))
        db.session.commit()
    talk = f"/account/questions/{code_of(app)}"
    seen = noor.get(talk).text
    assert (f'href="/orders/{order}/ask">Write back' in seen, "<textarea" in seen) == (True, False)
    answer = send(noor, f"{talk}/replies", htmx, words="Still not here.")
    assert (answer.headers["HX-Redirect"] if htmx else answer.location) == f"/orders/{order}/ask"
    assert kept(app, Question.words, Question.replies) == [("When will you send it to me?", 0)]


@BOTH
def test_both_may_close_and_take_it_off_the_page(app, client, mina, noor, htmx):
    send(noor, "/p/mug/ask", words=WORDS)
    code = code_of(app)
    send(mina, f"/seller/questions/{code}/answers", words="It may.")
    for who, address, is_shown in (
        (mina, f"/seller/questions/{code}/showing", True),
        (mina, f"/seller/questions/{code}/hiding", False),
        (mina, f"/seller/questions/{code}/showing", True),
        (noor, f"/account/questions/{code}/hiding", False),
    ):
        assert send(who, address, htmx).status_code == (204 if htmx else 303)
        assert ("It may." in client.get("/p/mug").text) is is_shown
    assert send(mina, f"/seller/questions/{code}/showing", htmx).status_code == 409
    assert "It may." not in client.get("/p/mug").text
    send(noor, f"/account/questions/{code}/closing", htmx)
    send(mina, f"/seller/questions/{code}/closing", htmx)
    assert kept(app, Question.state) == [("closed",)]
    assert "<form" not in mina.get(f"/seller/questions/{code}").text.split("<main")[1].split("</main")[0]


def test_who_closes_the_account_takes_the_questions_along(app, client, post, mug):
    with app.test_request_context(method="POST"):
        accounts.register("noor@example.com", "Noor", passwords.hashed("twelve letters"))
        db.session.commit()
    post("/sign-in", email="noor@example.com", password="twelve letters")
    send(client, "/p/mug/ask", words=WORDS)
    assert kept(app) == [(WORDS,)]
    post("/account/closing", closing_password="twelve letters")
    assert kept(app) == []
