"""A password alone opens no desk: the second proof at the door, setting it up, and giving it once more."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update
from webauthn.helpers import base64url_to_bytes

from shop import access, accounts, clock, invitations, otp, passwords, proofs
from shop.database import db
from shop.models import AuditEntry, CodeApp, RecoveryCode, Role, RoleGrant, Seller, Session
from tests.cast import a_seller
from tests.keys import SoftKey

SECRET = "twelve letters"


def made(app, name, *roles):
    kept = passwords.hashed(SECRET)
    with app.test_request_context(method="POST"):
        user = accounts.register(f"{name}@example.com", name.title(), kept)
        user.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
        db.session.commit()
        return user.id


@pytest.fixture
def rex(app):
    return made(app, "rex", Role.MODERATOR)


def invite(app, client, name):
    """Who is of the staff and has no proof yet follows the link that the operator hands out."""
    with app.test_request_context(method="POST"):
        user = accounts.called(f"{name}@example.com")
        if not accounts.as_actor(user).is_staff or proofs.ways_of(user.id).are_there:
            return
        token = invitations.invite(user.id)
        db.session.commit()
    assert client.get(f"/sign-in/invitation/{token}").location == "/sign-in?next=/sign-in/set-up"


@pytest.fixture
def knows(app, client):
    """`knows("rex")` types the password, and gives the answer."""

    def sign_in(name="rex", to=""):
        invite(app, client, name)
        return client.post("/sign-in", data={"email": f"{name}@example.com", "password": SECRET, "next": to})

    return sign_in


def shown_seed(client):
    text = client.get("/sign-in/set-up").text.partition('class="proofs__seed">')[2].partition("<")[0]
    return proofs.base64.b32decode(text)


def now_code(seed, late=0):
    return otp.code(seed, otp.step_at(clock.now()) + late)


def set_up(client):
    """Set an app up after the password; gives its seed and the recovery codes."""
    seed = shown_seed(client)
    answer = client.post("/sign-in/set-up", data={"code": now_code(seed), "next": "/moderation"})
    assert answer.status_code == 200, answer.text
    return seed, re.findall(r"<li><code>([A-Z2-7-]{19})</code>", answer.text)


def sessions(app):
    with app.app_context():
        return [row.proven_at is not None for row in db.session.scalars(db.select(Session))]


def actions(app):
    with app.app_context():
        return list(db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.seq)))


# At the door


def test_rex_sets_an_app_up_at_his_first_sign_in_and_sees_nothing_before(app, client, rex, knows):
    assert knows(to="/moderation").location == "/sign-in/proof?next=/moderation"
    assert sessions(app) == []
    for address in ("/moderation", "/account", "/studio"):
        assert client.get(address).location.startswith("/sign-in?next=")
    assert client.get("/sign-in/proof?next=/moderation").location == "/sign-in/set-up?next=/moderation"
    _seed, codes = set_up(client)
    assert len(set(codes)) == 10
    assert client.get("/moderation").status_code == 200
    assert sessions(app) == [True]
    assert actions(app) == ["code app set up"]


def test_from_then_on_the_password_and_a_code_open_the_door(app, client, rex, knows, pass_time):
    knows()
    seed, _codes = set_up(client)
    client.post("/sign-out")
    pass_time(minutes=6)
    knows(to="/moderation")
    assert client.get("/sign-in/set-up").location.startswith("/sign-in/proof")
    wrong = client.post("/sign-in/proof", data={"code": "000000" if now_code(seed) != "000000" else "000001"})
    assert wrong.status_code == 422
    assert client.get("/moderation").location.startswith("/sign-in")
    right = client.post("/sign-in/proof", data={"code": now_code(seed), "next": "/moderation"})
    assert right.location == "/moderation"
    assert client.get("/moderation").status_code == 200


def test_each_code_works_once(app, client, rex, knows, pass_time):
    knows()
    seed, codes = set_up(client)
    for kind in ("app", "paper"):
        client.post("/sign-out")
        pass_time(minutes=6)
        given = now_code(seed) if kind == "app" else codes[0]
        knows()
        assert client.post("/sign-in/proof", data={"code": given}).location == "/account"
        client.post("/sign-out")
        knows()
        assert client.post("/sign-in/proof", data={"code": given}).status_code == 422
        assert client.get("/account").location.startswith("/sign-in")


def test_of_seed_and_recovery_codes_nothing_is_kept_in_the_clear(app, client, rex, knows):
    knows()
    seed, codes = set_up(client)
    with app.app_context():
        kept = db.session.scalars(db.select(CodeApp)).one().wrapped_seed
        hashes = [row.code_hash for row in db.session.scalars(db.select(RecoveryCode))]
    assert seed not in kept
    assert otp.written(seed).encode() not in kept
    assert [len(one) for one in hashes] == [32] * 10
    assert not any(code.replace("-", "").encode() in one for code in codes for one in hashes)
    app.test_cli_runner().invoke(args=["keys", "rotate"])
    with app.app_context():
        again = db.session.scalars(db.select(CodeApp)).one().wrapped_seed
        assert again != kept
        assert proofs.vault.unwrap(again) == seed


def test_a_thief_with_the_password_has_five_tries_in_five_minutes(app, client, rex, knows, pass_time, letters):
    knows()
    seed, _codes = set_up(client)
    client.post("/sign-out")
    pass_time(minutes=6)
    knows()
    tried = [client.post("/sign-in/proof", data={"code": "abcdef"}).status_code for _time in range(6)]
    assert tried == [422] * 5 + [429]
    assert client.post("/sign-in/proof", data={"code": now_code(seed)}).status_code == 429
    pass_time(minutes=6)
    assert client.post("/sign-in/proof", data={"code": now_code(seed)}).location == "/account"
    told = {mail["Subject"] for mail in letters()}
    assert told == {"A device that we do not know: was that you?"}  # the owner hears of it, and nobody else


def test_after_fifty_tries_in_a_day_the_operator_hears(app, client, rex, knows, pass_time, letters):
    made(app, "ada", Role.ADMIN)
    knows()
    tried = []
    for _hour in range(4):
        pass_time(minutes=61)
        for _part in range(4):
            pass_time(minutes=5, seconds=1)
            with app.test_request_context(method="POST"):
                for _time in range(5):
                    try:
                        proofs._count_try(rex, "Rex")
                        tried.append(True)
                    except proofs.TooManyRequests:
                        tried.append(False)
    assert tried.count(True) == 50
    told = {(mail["To"], mail["Subject"]) for mail in letters()}
    assert told == {
        ("ada@example.com", "Somebody guesses at the codes of your staff"),
        ("rex@example.com", "A device that we do not know: was that you?"),
    }


def test_half_way_in_is_over_after_ten_minutes_or_with_another_password(app, client, rex, knows, pass_time):
    knows()
    with app.test_request_context(method="POST"):
        db.session.get_one(accounts.User, rex).password_hash = "another"
        db.session.commit()
    assert client.get("/sign-in/set-up").location.startswith("/sign-in?next=")
    with app.test_request_context(method="POST"):
        db.session.get_one(accounts.User, rex).password_hash = passwords_of(app)
        db.session.commit()
    knows()
    assert client.get("/sign-in/set-up").status_code == 200
    pass_time(minutes=11)
    assert client.get("/sign-in/set-up").location.startswith("/sign-in?next=")
    assert client.post("/sign-in/set-up", data={"code": "123456"}).location.startswith("/sign-in?next=")
    assert sessions(app) == []


def passwords_of(app):
    db.session.rollback()
    return passwords.hashed(SECRET)


def test_who_shops_needs_no_second_proof(app, client, knows):
    made(app, "noor")
    assert knows("noor").location == "/account"
    assert sessions(app) == [False]


def test_a_staff_session_without_a_second_proof_opens_no_desk(app, signed_in_as):
    client = signed_in_as("rex", Role.MODERATOR)
    with app.test_request_context(method="POST"):
        db.session.execute(update(Session).values(proven_at=None))
        db.session.commit()
    assert client.get("/moderation").location == "/sign-in/proof?next=/moderation"


# Passkeys


def challenge_of(client, address):
    text = client.get(address).text.partition("challenge&#34;: &#34;")[2].partition("&#34;")[0]
    return base64url_to_bytes(text)


def test_mina_makes_a_passkey_and_from_then_on_it_is_asked_for(app, client, knows):
    made(app, "mina", Role.SELLER)
    knows("mina")
    key = SoftKey()
    answer = key.made(challenge_of(client, "/sign-in/set-up"))
    done = client.post("/sign-in/set-up/passkey", data={"answer": answer, "name": "Phone"})
    assert done.text.count("<li><code>") == 10
    assert sessions(app) == [True]
    client.post("/sign-out")
    assert knows("mina", to="/sell").location == "/sign-in/proof?next=/sell"
    answer = key.used(challenge_of(client, "/sign-in/proof"))
    assert client.post("/sign-in/proof/passkey", data={"answer": answer, "next": "/sell"}).location == "/sell"
    assert sessions(app) == [True]
    client.post("/sign-out")
    knows("mina")
    again = client.post("/sign-in/proof/passkey", data={"answer": answer})
    assert (again.status_code, sessions(app)) == (422, [])


def test_somebody_elses_passkey_opens_nothing(app, client, knows):
    made(app, "mina", Role.SELLER)
    made(app, "lars")
    keys = {}
    for name in ("mina", "lars"):
        knows(name)
        keys[name] = SoftKey()
        answer = keys[name].made(challenge_of(client, "/sign-in/set-up"))
        assert client.post("/sign-in/set-up/passkey", data={"answer": answer}).status_code == 200
        client.post("/sign-out")
    knows("mina")
    answer = keys["lars"].used(challenge_of(client, "/sign-in/proof"))
    assert client.post("/sign-in/proof/passkey", data={"answer": answer}).status_code == 422
    assert sessions(app) == []


def test_the_last_proof_of_staff_stays(app, client, rex, knows):
    knows()
    answer = SoftKey().made(challenge_of(client, "/sign-in/set-up"))
    client.post("/sign-in/set-up/passkey", data={"answer": answer, "name": "Key"})
    page = client.get("/sign-in/set-up").text
    address = page.partition('action="/sign-in/passkeys/')[2].partition('"')[0]
    assert client.post(f"/sign-in/passkeys/{address}").status_code == 409
    set_up(client)
    assert client.post(f"/sign-in/passkeys/{address}").location == "/sign-in/set-up"
    assert actions(app) == ["passkey set up", "code app set up", "passkey removed"]


# Once more


def stop(client):
    return client.post(
        "/moderation/sellers/mina/suspension",
        data={"stop-words": "Three parcels were never sent.", "stop-reason": "not_sent"},
        headers={"Referer": "http://localhost/moderation/sellers/mina"},
    )


def test_to_stop_a_seller_one_proves_again_who_one_is(app, client, rex, knows, pass_time):
    with app.test_request_context(method="POST"):
        db.session.add(a_seller("mina", "Atelier Mina"))
        db.session.commit()
    knows()
    seed, _codes = set_up(client)
    pass_time(minutes=16)
    assert stop(client).location == "/sign-in/proof?next=/moderation/sellers/mina"
    with app.app_context():
        assert db.session.scalar(db.select(Seller.vetting)) == "approved"
        old = db.session.scalar(db.select(Session.token_hash))
    back = client.post("/sign-in/proof", data={"code": now_code(seed), "next": "/moderation/sellers/mina"})
    assert back.location == "/moderation/sellers/mina"
    with app.app_context():
        assert db.session.scalars(db.select(Session.token_hash)).one() != old
    assert stop(client).location == "/moderation/sellers/mina?done=suspended"
    with app.app_context():
        assert db.session.scalar(db.select(Seller.vetting)) == "suspended"


def test_another_proof_is_set_up_only_shortly_after_one(app, client, rex, knows, pass_time):
    knows()
    set_up(client)
    assert client.get("/sign-in/set-up").status_code == 200
    pass_time(minutes=16)
    assert client.get("/sign-in/set-up").location.startswith("/sign-in/proof")
    answer = client.post("/sign-in/set-up", data={"code": "123456"})
    assert answer.location.startswith("/sign-in")
    assert timedelta(minutes=15) == access.FRESH_FOR


# The demo


def test_the_demo_shows_the_code_that_an_app_would_show_and_production_refuses_it(app, client, rex, knows, monkeypatch):
    with app.test_request_context(method="POST"):
        proofs.give_demo_app(rex)
        db.session.commit()
    knows()
    page = client.get("/sign-in/proof").text
    code = re.search(r"an app would show: (\d{6})", page)[1]
    monkeypatch.setitem(app.config, "APP_ENV", "production")
    assert "an app would show" not in client.get("/sign-in/proof").text
    assert client.post("/sign-in/proof", data={"code": code}).status_code == 422
    monkeypatch.setitem(app.config, "APP_ENV", "development")
    assert client.post("/sign-in/proof", data={"code": code}).location == "/account"


def test_who_has_lost_everything_sets_up_anew(app, client, rex, knows):
    knows()
    set_up(client)
    done = app.test_cli_runner().invoke(args=["staff", "reset-proofs", "rex@example.com", "--reason", "phone at sea"])
    assert done.output.startswith("rex@example.com has no second proof any more.\n")
    assert "/sign-in/invitation/" in done.output
    assert client.get("/account").location.startswith("/sign-in")
    knows()
    assert client.get("/sign-in/proof").location.startswith("/sign-in/set-up")
    assert actions(app) == ["code app set up", "proofs forgotten", "set-up link made"]
