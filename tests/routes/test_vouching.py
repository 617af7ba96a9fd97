"""What is grave asks who one is once more: of whoever has a second proof that one, of everybody else the password."""

import re

import pytest

from shop import access, accounts, proofs
from shop.database import db
from shop.models import CodeApp, Passkey, RecoveryCode, Role, Session
from tests.keys import SoftKey
from tests.routes.test_proofs import SECRET, challenge_of, knows, made, now_code, set_up  # noqa: F401

GRAVE = "/account/name"


@pytest.fixture
def mina(app, knows, monkeypatch):  # noqa: F811
    """Mina sells and has only a password; to change one's name is as grave here as to change a bank account."""
    monkeypatch.setattr(access, "FRESH", access.FRESH | {"accounts.rename"})
    made(app, "mina", Role.SELLER)
    assert knows("mina").location == "/account"


def act(client):
    return client.post(GRAVE, data={"name": "Mina M."}, headers={"Referer": "http://localhost/account"})


def her_name(app):
    with app.app_context():
        return accounts.called("mina@example.com").name


def tokens(app):
    with app.app_context():
        return list(db.session.scalars(db.select(Session.token_hash)))


def test_for_a_quarter_of_an_hour_after_the_password_nothing_more_is_asked(app, client, mina, pass_time):
    pass_time(minutes=14)
    assert act(client).location == "/account"
    pass_time(minutes=2)
    assert act(client).location == "/sign-in/proof?next=/account"
    assert her_name(app) == "Mina M."


def test_then_the_password_is_asked_for_and_the_session_is_a_new_one(app, client, mina, pass_time):
    pass_time(minutes=16)
    assert act(client).location == "/sign-in/proof?next=/account"
    assert (her_name(app), 'action="/sign-in/proof/password"' in client.get("/sign-in/proof").text) == ("Mina", True)
    old = tokens(app)
    wrong = client.post("/sign-in/proof/password", data={"password": "thirteen letters"})
    assert (wrong.status_code, tokens(app)) == (422, old)
    right = client.post("/sign-in/proof/password", data={"password": SECRET, "next": "/account"})
    assert right.location == "/account"
    assert len(tokens(app)) == 1
    assert tokens(app) != old
    assert act(client).location == "/account"
    assert her_name(app) == "Mina M."


def test_a_thief_of_the_cookie_has_ten_guesses_in_five_minutes(client, mina, pass_time):
    pass_time(minutes=16)
    guess = {"password": "not the password"}
    assert [client.post("/sign-in/proof/password", data=guess).status_code for _n in range(11)] == [422] * 10 + [429]


def test_a_thief_of_the_cookie_sets_up_no_proof_of_their_own(app, client, mina, pass_time):
    pass_time(minutes=16)
    assert client.get("/sign-in/set-up").location == "/sign-in/proof?next=/sign-in/set-up"
    assert client.post("/sign-in/set-up", data={"code": "123456"}).location.startswith("/sign-in?")
    answer = client.post("/sign-in/set-up/passkey", data={"answer": SoftKey().made(bytes(32))})
    assert answer.location.startswith("/sign-in?")
    with app.app_context():
        assert proofs.ways_of(accounts.called("mina@example.com").id) == (0, 0, 0)


def test_whoever_has_a_second_proof_is_asked_for_that_and_the_password_does_not_do(app, client, mina, pass_time):
    seed, _codes = set_up(client)
    pass_time(minutes=16)
    assert act(client).location == "/sign-in/proof?next=/account"
    assert "/sign-in/proof/password" not in client.get("/sign-in/proof").text
    assert client.post("/sign-in/proof/password", data={"password": SECRET}).status_code == 409
    assert act(client).location == "/sign-in/proof?next=/account"
    assert client.post("/sign-in/proof", data={"code": now_code(seed), "next": "/account"}).location == "/account"
    assert act(client).location == "/account"


def test_the_first_proof_ends_the_sessions_that_began_with_a_password_alone(app, client, mina, knows):  # noqa: F811
    other = app.test_client()
    other.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    other.post("/sign-in", data={"email": "mina@example.com", "password": SECRET})
    assert other.get("/account").status_code == 200
    set_up(client)
    assert other.get("/account").location.startswith("/sign-in?")
    assert client.get("/account").status_code == 200
    assert len(tokens(app)) == 1


def test_another_password_or_role_makes_no_old_proof_fresh(app, client, mina, pass_time):
    set_up(client)
    pass_time(minutes=16)
    fields = {"present_password": SECRET, "password": "another twelve letters"}
    assert client.post("/account/password", data=fields).location == "/account"
    assert act(client).location == "/sign-in/proof?next=/account"
    assert client.post("/studio", data={"handle": "mina", "name": "Mina"}).location == "/studio"
    assert act(client).location == "/sign-in/proof?next=/account"


def test_mina_takes_her_app_away_again(app, client, mina, pass_time):
    set_up(client)
    page = client.get("/sign-in/set-up").text
    assert re.search(r'action="/sign-in/app/removal"', page)
    assert client.post("/sign-in/app/removal").location == "/sign-in/set-up"
    client.post("/sign-out")
    pass_time(minutes=6)
    answer = client.post("/sign-in", data={"email": "mina@example.com", "password": SECRET})
    assert answer.location == "/account"
    assert client.post("/sign-in/app/removal").status_code == 404


def test_who_closes_the_account_leaves_no_proof_behind(app, client, mina):
    set_up(client)
    answer = SoftKey().made(challenge_of(client, "/sign-in/set-up"))
    assert client.post("/sign-in/set-up/passkey", data={"answer": answer}).status_code == 200
    lars = made(app, "lars")
    with app.test_request_context(method="POST"):
        proofs.give_demo_app(lars)
        db.session.commit()
    assert left(app) == {Passkey: 1, CodeApp: 2, RecoveryCode: 10}
    wrong = client.post("/account/closing", data={"closing_password": "thirteen letters"})
    assert (wrong.status_code, left(app)) == (422, {Passkey: 1, CodeApp: 2, RecoveryCode: 10})
    assert client.post("/account/closing", data={"closing_password": SECRET}).location == "/sign-in?closed=1"
    assert left(app) == {Passkey: 0, CodeApp: 1, RecoveryCode: 0}


def left(app):
    with app.app_context():
        return {table: db.session.query(table).count() for table in (Passkey, CodeApp, RecoveryCode)}
