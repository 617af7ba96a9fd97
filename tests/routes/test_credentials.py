"""The door: signing in and out, up, and by a link; and what guessing brings."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shop import accounts, clock, credentials, passwords
from shop.database import db
from shop.models import Job, KnownDevice, PasswordReset, Session, User
from tests.conftest import HTMX

WORDS = "three quiet geese"


def signed_in(post, noor):
    return post("/sign-in", email=noor.email, password=noor.password)


def a_browser(app, address="127.0.0.1"):
    client = app.test_client()
    client.environ_base.update(HTTP_SEC_FETCH_SITE="same-origin", REMOTE_ADDR=address)
    return client


def count(app, column):
    with app.test_request_context():
        return db.session.scalar(select(func.count(column)))


def link_in(mail):
    return re.search(r"http://localhost:8000(/\S+)", mail.get_body(("plain",)).get_content())[1]


def test_noor_signs_in_and_out(client, post, noor):
    assert signed_in(post, noor).location == "/account"
    assert "Hello Noor" in client.get("/account").text
    assert post("/sign-out").location == "/shop"
    assert client.get("/account").status_code == 303


def test_noor_signs_in_with_htmx_and_goes_on_with_the_whole_window(post, noor):
    answer = post("/sign-in", htmx=True, email=noor.email, password=noor.password, next="/cart")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/cart")


def test_an_address_is_the_same_in_capitals(post, noor):
    assert post("/sign-in", email=" Noor@Example.COM ", password=noor.password).status_code == 303


def test_a_copied_cookie_is_worth_nothing_after_signing_out(client, post, noor):
    signed_in(post, noor)
    with client.session_transaction() as session:
        stolen = dict(session)
    post("/sign-out")
    with client.session_transaction() as session:
        session.update(stolen)
    assert client.get("/account").status_code == 303


def test_a_planted_session_stays_outside(client, post, noor):
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    signed_in(post, noor)
    with client.session_transaction() as session:
        assert "planted" not in session
        first = session["_user_id"]
    signed_in(post, noor)
    with client.session_transaction() as session:
        assert session["_user_id"] != first


def test_a_token_has_256_bits_and_only_its_hash_is_kept(app, client, post, noor):
    signed_in(post, noor)
    with client.session_transaction() as session:
        token = session["_user_id"]
    assert len(token) == 43
    with app.test_request_context():
        assert token.encode() not in db.session.scalar(select(Session.token_hash))


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize("who", ["noor@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_person_look_the_same(post, noor, who, htmx):
    answer = post("/sign-in", htmx=htmx, email=who, password="wrong wrong wrong")
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert answer.text.replace(who, "") == post(
        "/sign-in", htmx=htmx, email="x@example.com", password="wrong wrong wrong"
    ).text.replace("x@example.com", "")


def test_a_wrong_password_and_an_unknown_person_take_as_long(dear_hashes, post, noor, monkeypatch):
    hashes = []
    real = passwords._hasher.verify
    monkeypatch.setattr(
        passwords, "_hasher", type("Counting", (), {"verify": lambda _s, *a: hashes.append(a[0]) or real(*a)})()
    )
    for who in ("noor@example.com", "nobody@example.com"):
        post("/sign-in", email=who, password="wrong wrong wrong")
    assert [kept.split("$")[1:4] for kept in hashes] == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * 2


def test_a_closed_account_lets_nobody_in(app, post, noor):
    with app.test_request_context(method="POST"):
        accounts.close(accounts.called(noor.email))
        db.session.commit()
    answer = signed_in(post, noor)
    assert answer.status_code == 422
    assert "do not belong together" in answer.text


def test_an_old_hash_is_made_anew_at_the_door(dear_hashes, app, post, noor):
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(noor.password)
    with app.test_request_context(method="POST"):
        db.session.execute(update(User).values(password_hash=old))
        db.session.commit()
    assert signed_in(post, noor).status_code == 303
    with app.test_request_context():
        assert "$m=19456,t=2,p=1$" in db.session.scalar(select(User.password_hash))
    assert signed_in(post, noor).status_code == 303


# Guessing


def test_the_eleventh_try_has_to_wait_and_is_told_how_long(post, noor):
    tries = [post("/sign-in", email=noor.email, password="guess") for _try in range(11)]
    assert [answer.status_code for answer in tries] == [422] * 10 + [429]
    assert 1 <= int(tries[-1].headers["Retry-After"]) <= 300
    assert "That was too often." in tries[-1].text
    in_place = post("/sign-in", htmx=True, email=noor.email, password="guess")
    assert in_place.status_code == 429
    assert 'id="message"' in in_place.text
    assert "<html" not in in_place.text


@pytest.mark.parametrize("tries", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_thousand_tries_from_fifty_addresses_check_ten_and_leave_noor_her_door(app, noor, monkeypatch, tries):
    checked = []
    right = passwords.is_right
    phone = a_browser(app, "10.9.9.9")
    assert phone.post("/sign-in", data={"email": noor.email, "password": noor.password}).status_code == 303
    monkeypatch.setattr(passwords, "is_right", lambda *a: checked.append(a[0]) or right(*a))
    crowd = [a_browser(app, f"10.0.0.{n}") for n in range(50)]
    told = [
        crowd[n % 50].post("/sign-in", data={"email": noor.email, "password": f"guess {n}"}, headers=HTMX)
        for n in range(tries)
    ]
    # The first sign-in, from a browser that was not known yet, was one of the ten.
    assert [answer.status_code for answer in told] == [422] * 9 + [429] * (tries - 9)
    assert len(checked) == 9
    assert (
        a_browser(app, "10.8.8.8").post("/sign-in", data={"email": noor.email, "password": noor.password}).status_code
        == 429
    )
    phone.post("/sign-out")
    assert phone.post("/sign-in", data={"email": noor.email, "password": noor.password}).status_code == 303


def test_a_known_device_has_ten_tries_as_well(app, client, post, noor):
    signed_in(post, noor)
    told = [post("/sign-in", email=noor.email, password="guess").status_code for _try in range(9)]
    assert told == [422] * 9
    client.environ_base["REMOTE_ADDR"] = "10.1.1.1"
    assert [post("/sign-in", email=noor.email, password="guess").status_code for _try in range(2)] == [422, 429]


def test_the_device_of_one_is_not_the_device_of_another(app, client, post, noor):
    signed_in(post, noor)
    with app.test_request_context(method="POST"):
        accounts.register("kai@example.com", "Kai", passwords.hashed("twelve letters"))
        db.session.commit()
    for n in range(10):
        a_browser(app, f"10.2.0.{n}").post("/sign-in", data={"email": "kai@example.com", "password": "guess"})
    assert post("/sign-in", email="kai@example.com", password="twelve letters").status_code == 429


def test_a_thousand_people_from_one_address_are_ten_tries(app, noor):
    client = a_browser(app, "10.3.0.1")
    told = [
        client.post("/sign-in", data={"email": f"p{n}@example.com", "password": "guess"}).status_code
        for n in range(100)
    ]
    assert told == [422] * 10 + [429] * 90


def test_the_device_is_remembered_once_for_a_year_and_out_of_reach_of_scripts(app, client, post, noor):
    answer = signed_in(post, noor)
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("device="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=31536000" in cookie
    signed_in(post, noor)
    assert count(app, KnownDevice.id) == 1


# Signing up


def signed_up(post, htmx=False, **given):
    return post("/sign-up", htmx=htmx, **{"name": "Kai", "email": "kai@example.com", "password": WORDS, **given})


def test_kai_signs_up_and_his_mail_opens_the_door(app, client, post, letters):
    assert signed_up(post).location == "/mailed"
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("kai@example.com", "Confirm your e-mail address")
    assert post("/sign-in", email="kai@example.com", password=WORDS).status_code == 422
    link = link_in(mail)
    assert 'name="confirm"' in client.get(link).text
    confirm = link.partition("confirm=")[2]
    assert post("/sign-in", email="kai@example.com", password=WORDS, confirm=confirm).location == "/account"
    post("/sign-out")
    assert post("/sign-in", email="kai@example.com", password=WORDS).location == "/account"


def test_signing_up_with_htmx_goes_to_the_same_page(post):
    answer = signed_up(post, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/mailed")


@pytest.mark.parametrize("htmx", [True, False])
def test_who_came_to_sell_gets_there_after_signing_up_by_every_page_and_by_the_mail(client, post, letters, htmx):
    door = client.get("/sell").location
    assert door == "/sign-in?next=/sell"
    assert 'href="/sign-up?next=/sell"' in client.get(door).text
    asked = client.get("/sign-up?next=/sell").text
    assert ('name="next" type="hidden" value="/sell"' in asked, 'href="/sign-in?next=/sell"' in asked) == (True, True)
    wrong = signed_up(post, htmx=htmx, next="/sell", name="").text
    assert 'name="next" type="hidden" value="/sell"' in wrong
    assert 'action="/sign-up?next=/sell"' in wrong  # so that it goes along to another language as well
    answer = signed_up(post, htmx=htmx, next="/sell")
    assert (answer.headers["HX-Redirect"] if htmx else answer.location) == "/mailed?next=/sell"
    assert 'href="/sign-in?next=/sell"' in client.get("/mailed?next=/sell").text
    link = link_in(letters()[0])
    assert 'name="next" type="hidden" value="/sell"' in client.get(link).text
    confirm = link.partition("confirm=")[2].partition("&")[0]
    known = {"email": "kai@example.com", "confirm": confirm, "next": "/sell"}
    assert 'value="/sell"' in post("/sign-in", htmx=htmx, password="not this one", **known).text
    answer = post("/sign-in", htmx=htmx, password=WORDS, **known)
    assert (answer.headers["HX-Redirect"] if htmx else answer.location) == "/sell"


def test_a_forgotten_password_leads_on_to_sell_as_well(client, post, noor, letters):
    assert 'value="/sell"' in client.get("/reset?next=/sell").text
    assert post("/reset", email=noor.email, next="/sell").location == "/mailed?next=/sell"
    link = link_in(letters()[0])
    assert 'value="/sell"' in client.get(link).text
    assert post(link, password=WORDS, next="/sell").location == "/sign-in?changed=1&next=/sell"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/" + "x" * 500])
def test_signing_up_leads_nobody_to_somebody_elses_page(client, post, letters, elsewhere):
    assert 'name="next"' not in client.get("/sign-up", query_string={"next": elsewhere}).text.partition("<footer")[0]
    assert signed_up(post, next=elsewhere).location == "/mailed"
    assert "next" not in link_in(letters()[0])
    assert post("/reset", email="kai@example.com", next=elsewhere).location == "/mailed"


def test_who_has_an_account_gets_a_mail_and_everybody_else_the_same_answer(app, post, noor, letters):
    new, known = signed_up(post), signed_up(post, email=noor.email, name="Mallory")
    assert (new.status_code, new.location, new.text) == (known.status_code, known.location, known.text)
    assert {mail["To"]: mail["Subject"] for mail in letters()} == {
        "kai@example.com": "Confirm your e-mail address",
        noor.email: "You already have an account",
    }
    assert signed_in(post, noor).status_code == 303
    with app.test_request_context():
        assert accounts.called(noor.email).name == "Noor"


def test_nobody_opens_an_account_for_mallory_by_following_a_link(app, post, noor, letters):
    """Mallory signs up with kai's address; kai, who has never heard of it, follows the link, and picks a password."""
    signed_up(post, name="Mallory", password="mallory knows this one")
    confirm = link_in(letters()[0]).partition("confirm=")[2]
    assert post("/sign-in", email="kai@example.com", password=WORDS, confirm=confirm).status_code == 422
    signed_up(post)
    assert post("/sign-in", email="kai@example.com", password=WORDS, confirm=confirm).status_code == 422
    letters()
    post("/reset", email="kai@example.com")
    (mail,) = letters()
    post(link_in(mail), password="four loud geese now")
    known_by_mallory = {"email": "kai@example.com", "password": "mallory knows this one", "confirm": confirm}
    assert post("/sign-in", **known_by_mallory).status_code == 422
    assert post("/sign-in", email="kai@example.com", password="four loud geese now").status_code == 303


def test_a_confirmation_is_worth_nothing_after_a_day(app, post, letters, monkeypatch):
    signed_up(post)
    confirm = link_in(letters()[0]).partition("confirm=")[2]
    monkeypatch.setattr(credentials, "CONFIRM_WITHIN", -1)
    assert post("/sign-in", email="kai@example.com", password=WORDS, confirm=confirm).status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "What may we call you?"),
        ("email", "kai", "This does not look like an e-mail address."),
        ("email", "kai@example.com\r\nBcc: x@y.z", "This does not look like an e-mail address."),
        ("password", "", "Fill in your password."),
        ("password", "eleven char", "Use at least 12 characters"),
        ("password", "password1234", "among the first that a burglar tries"),
        ("password", "kai@example.com", "among the first that a burglar tries"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_is_wrong_stands_beside_the_field_and_nothing_is_made(app, post, field, value, words, htmx):
    answer = signed_up(post, htmx=htmx, **{field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-errors"' in answer.text
    assert (WORDS in answer.text) is False
    assert [count(app, User.id), count(app, Job.id)] == [0, 0]


def test_an_address_gets_at_most_five_mails_of_a_kind_in_a_day(post, letters):
    told = [signed_up(post).status_code for _time in range(6)]
    assert told == [303] * 5 + [429]
    assert len(letters()) == 5


# A forgotten password


@pytest.fixture
def link(post, noor, letters):
    assert post("/reset", email=noor.email).location == "/mailed"
    (mail,) = letters()
    return link_in(mail)


def test_noor_chooses_a_new_password_by_mail_and_all_devices_are_out(app, client, post, noor, link, letters):
    signed_in(post, noor)
    assert 'autocomplete="new-password"' in client.get(link).text
    assert post(link, password=WORDS).location == "/sign-in?changed=1"
    assert client.get("/account").status_code == 303
    assert signed_in(post, noor).status_code == 422
    assert post("/sign-in", email=noor.email, password=WORDS).status_code == 303
    told = [mail["Subject"] for mail in letters()]
    assert sorted(told) == ["A device that we do not know: was that you?", "Your password has changed"]


def test_with_htmx_too(post, link):
    assert post(link, htmx=True, password=WORDS).headers["HX-Redirect"] == "/sign-in?changed=1"


def test_a_link_works_once(post, noor, link):
    post(link, password=WORDS)
    assert post(link, password="another fine one").status_code == 410
    assert post("/sign-in", email=noor.email, password=WORDS).status_code == 303


def test_looking_does_not_use_a_link_up_and_its_address_is_told_to_nobody(client, link):
    for _time in range(2):
        answer = client.get(link)
        assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_link_works_for_an_hour(app, client, post, noor, link, monkeypatch):
    later = clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get(link).status_code == 410
    assert post(link, password=WORDS).status_code == 410
    assert signed_in(post, noor).status_code == 303


@pytest.mark.parametrize("token", ["x", "0" * 64])
def test_a_made_up_link_opens_nothing(client, post, noor, token):
    assert client.get(f"/reset/{token}").status_code == 410
    assert post(f"/reset/{token}", password=WORDS).status_code == 410


def test_a_weak_password_does_not_use_the_link_up(post, link):
    answer = post(link, password="password1234")
    assert answer.status_code == 422
    assert "among the first that a burglar tries" in answer.text
    assert post(link, password=WORDS).status_code == 303


def test_a_stranger_is_told_the_same_and_gets_no_mail(post, noor, letters):
    known, unknown = post("/reset", email=noor.email), post("/reset", email="x@example.com")
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert [mail["To"] for mail in letters()] == [noor.email]


def test_the_sixth_link_of_a_day_is_not_sent_and_nobody_learns_of_it(post, noor, letters):
    told = {post("/reset", email=noor.email).location for _time in range(6)}
    assert told == {"/mailed"}
    assert len(letters()) == 5


def test_the_link_is_nowhere_in_the_database(app, noor, link):
    token = link.rpartition("/")[2]
    with app.test_request_context():
        kept = [str(row) for table in (PasswordReset, Job, User) for row in db.session.execute(select(table.__table__))]
    assert [row for row in kept if token in row] == []


def test_the_link_never_carries_what_the_request_said_its_host_was(client, noor, letters):
    client.post("/reset", data={"email": noor.email}, headers={"Host": "evil.example"})
    assert [mail for mail in letters() if "evil.example" in str(mail)] == []


def test_a_new_password_ends_the_links_that_are_under_way(post, noor, letters):
    post("/reset", email=noor.email)
    post("/reset", email=noor.email)
    first, second = (link_in(mail) for mail in letters())
    post(first, password=WORDS)
    assert post(second, password="another fine one").status_code == 410


@pytest.mark.parametrize("address", ["/sign-up", "/reset"])
def test_an_address_with_a_header_in_it_is_none_and_nobody_is_mailed(app, post, letters, address):
    for email in ("v@example.org;=?utf-8?q?=0d=0aBcc:_x=40y.z?=", "a@=?utf-8?q?b.c=0d=0aBcc:_x=40y.z?=.cc"):
        answer = post(address, name="Kai", email=email, password=WORDS)
        assert (answer.status_code, "This does not look like an e-mail address." in answer.text) == (422, True)
    assert (letters(), count(app, User.id)) == ([], 0)


def test_a_name_with_a_header_in_it_stays_a_name(post, letters):
    signed_up(post, name="=?utf-8?q?=0d=0aBcc:_x=40y.z?=")
    assert [(mail["To"], mail["Bcc"]) for mail in letters()] == [("kai@example.com", None)]


@pytest.mark.parametrize("address", ["/sign-in", "/sign-up", "/reset"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_form_is_shown_again(client, address, headers):
    answer = client.post(address, data={}, headers=headers)
    assert answer.status_code == 422
    assert 'id="email-errors"' in answer.text


def test_a_page_that_does_not_look_at_the_person_does_not_ask_for_them(client, post, queries, noor, mug):
    signed_in(post, noor)
    with queries() as asked:
        client.get("/shop")
    assert [statement for statement in asked if "sessions" in statement] == []
