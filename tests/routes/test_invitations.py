"""Somebody new among the staff: their first proof takes the operator's link and their password, together and once."""

import re

import pytest
from sqlalchemy import delete

from shop import accounts, invitations
from shop.database import db
from shop.models import CodeApp, Invitation, Role
from tests.routes.test_proofs import SECRET, actions, made, now_code, sessions, set_up, shown_seed


def told(app, *words):
    done = app.test_cli_runner().invoke(args=["staff", *words])
    assert done.exit_code == 0, done.output
    return done.output


def link(said):
    return re.search(r"http://[^/]+(/sign-in/invitation/[\w-]{43})\n", said)[1]


@pytest.fixture
def noor(app):
    made(app, "noor")
    return link(told(app, "add", "noor@example.com", "--role", "moderator"))


def password(client, name="noor"):
    return client.post("/sign-in", data={"email": f"{name}@example.com", "password": SECRET})


def has_an_app(app):
    with app.app_context():
        return db.session.scalar(db.select(CodeApp.user_id)) is not None


def test_the_operator_hands_out_a_link_that_works_once(app, client, noor):
    assert client.get(noor).location == "/sign-in?next=/sign-in/set-up"
    assert password(client).location == "/sign-in/proof?next=/account"
    set_up(client)
    assert client.get("/moderation").status_code == 200
    assert sessions(app) == [True]
    assert actions(app) == ["role given", "set-up link made", "code app set up"]
    again = app.test_client().get(noor)
    assert (again.status_code, "older than a day" in again.text) == (410, True)


def test_the_password_alone_sets_nothing_up(app, client, noor):
    password(client)
    assert client.get("/sign-in/proof").location == "/sign-in/set-up?next=/account"
    page = client.get("/sign-in/set-up")
    assert (page.status_code, "with a link" in page.text, "QR" in page.text) == (403, True, False)
    assert client.post("/sign-in/set-up", data={"code": "123456"}).location.startswith("/sign-in?")
    assert (sessions(app), has_an_app(app)) == ([], False)


def test_the_link_alone_sets_nothing_up(app, client, noor):
    client.get(noor)
    assert client.get("/sign-in/set-up").location.startswith("/sign-in?")
    assert client.post("/sign-in/set-up", data={"code": "123456"}).location.startswith("/sign-in?")
    assert (sessions(app), has_an_app(app)) == ([], False)


def test_the_link_of_somebody_else_sets_nothing_up(app, client, noor):
    made(app, "lars", Role.MODERATOR)
    client.get(noor)
    password(client, "lars")
    assert client.get("/sign-in/set-up").status_code == 403


def test_it_is_open_for_a_day_and_a_new_one_takes_its_place(app, client, noor, pass_time):
    pass_time(hours=23, minutes=59)
    assert client.get(noor).status_code == 303
    other = link(told(app, "add", "noor@example.com", "--role", "moderator"))
    assert client.get(noor).status_code == 410
    assert client.get(other).status_code == 303
    pass_time(hours=24, minutes=1)
    assert client.get(other).status_code == 410
    password(client)
    assert client.get("/sign-in/set-up").status_code == 403


def test_a_link_that_was_taken_back_meanwhile_sets_nothing_up(app, client, noor):
    client.get(noor)
    password(client)
    seed = shown_seed(client)
    with app.test_request_context(method="POST"):
        db.session.execute(delete(Invitation))
        db.session.commit()
    assert client.post("/sign-in/set-up", data={"code": now_code(seed)}).location.startswith("/sign-in?")
    assert (sessions(app), has_an_app(app)) == ([], False)


def test_two_who_use_it_at_once_get_one_proof(app, noor):
    with app.test_request_context(method="POST"):
        user, token = accounts.called("noor@example.com").id, noor.rpartition("/")[2]
        invitations.use(token, user)
        with pytest.raises(invitations.Refused) as no:
            invitations.use(token, user)
        db.session.commit()
    assert no.value.status == 410


def test_of_the_link_only_a_hash_is_kept_and_whoever_has_a_proof_gets_none(app, client, noor):
    with app.app_context():
        kept = db.session.scalars(db.select(Invitation)).one()
        assert len(kept.token_hash) == 32
        assert noor.rpartition("/")[2].encode() not in kept.token_hash
    client.get(noor)
    password(client)
    set_up(client)
    said = told(app, "add", "noor@example.com", "--role", "admin")
    assert "already" in said
    assert "/sign-in/invitation/" not in said


def test_who_sells_or_films_gets_no_link(app):
    made(app, "mina")
    assert told(app, "add", "mina@example.com", "--role", "seller") == "mina@example.com is seller now.\n"
