"""Every route, asked by each of eight people about what is theirs, what is somebody else's and what is not there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from shop import access, clock, limits
from shop.database import db
from shop.limits import limiter
from shop.models import RoleGrant, Seller, Session, Vetting
from tests import policy, world
from tests.policy import Knock


class Committed(Exception):
    """A handler was about to keep what it did. That it came so far is all we want to know."""


def stop():
    raise Committed


@pytest.fixture
def there(app):
    """The world; from now on whoever may act comes as far as the commit and no further, however often they try."""
    made = world.build(app)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db.session, "commit", stop)
        patch.setattr(limiter, "enabled", False)
        patch.setattr(limits, "may_spend", lambda *_whose: True)
        patch.setattr(limits, "check", lambda *_whose: None)
        yield made


def rows(app):
    """What is in the shop, but for when a device was last seen, and what the payment company keeps for itself."""
    with app.app_context():
        tables = [table for table in db.metadata.sorted_tables if table.name not in ("sessions", "sandbox_objects")]
        return {table.name: sorted(map(repr, db.session.execute(table.select()))) for table in tables}


def answered(client, knock, cookie):
    """What kind of answer it is."""
    try:
        headers = {"Cookie": cookie, **knock.sent.get("headers", {})}
        answer = client.open(knock.address, method=knock.method, **{**knock.sent, "headers": headers})
    except Committed:
        return policy.DONE
    except Exception as broken:  # the list of what is wrong should be whole
        return f"broken: {broken!r}"
    if answer.status_code in (302, 303):
        is_the_door = answer.location.partition("?")[0] in ("/sign-in", "/sign-in/proof")
        return policy.DOOR if is_the_door else policy.LEADS
    return {200: policy.PAGE, 204: policy.LEADS}.get(answer.status_code, str(answer.status_code))


def test_every_route_has_its_line_in_the_policy(app):
    assert policy.undeclared(app) == set()


@pytest.fixture
def ask(app, there):
    """`ask(knock)` gives what is answered to it."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return lambda knock: answered(client, knock, there.cookies[knock.actor])


def odd(knock, told, wanted):
    return f"{knock.actor}: {knock.method} {knock.endpoint} ({knock.about}): {told}, not {wanted}"


def answered_as_expected(app, ask, knocks):
    """Ask all of them: nothing else is told, and nothing is changed."""
    before = rows(app)
    wrong = [odd(knock, told, knock.expected) for knock in knocks if (told := ask(knock)) != knock.expected]
    assert not wrong, "\n".join(wrong)
    assert rows(app) == before


@pytest.mark.parametrize(
    "built", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True, scope="session"
)
def test_every_route_answers_everybody_as_the_policy_says_and_nothing_is_changed(app, there, ask):
    knocks = list(policy.knocks(app, there))
    assert len(knocks) > 2000
    answered_as_expected(app, ask, knocks)


@pytest.mark.parametrize("built", ["postgresql"], indirect=True, scope="session")
def test_what_comes_to_a_handler_is_answered_the_same_on_postgresql(app, there, ask):
    """Of everybody who is told the same about what is theirs, not theirs or not there, one asks."""
    at_the_door = (policy.DOOR, policy.NO, policy.NO_METHOD)
    let_in = [knock for knock in policy.knocks(app, there) if knock.expected not in at_the_door]
    one_of_each = {(knock.method, knock.endpoint, knock.about, knock.expected): knock for knock in let_in}
    assert len(one_of_each) > 300
    answered_as_expected(app, ask, one_of_each.values())


def changed(app, statement):
    """Something in the database changes, while everybody stays signed in."""
    with app.extensions["shop.engines"]["write"].begin() as apart:
        apart.execute(statement)


def test_who_loses_a_role_has_lost_it_at_the_next_request(app, there, ask):
    mine = [knock for knock in policy.knocks(app, there) if access.ROUTES[knock.endpoint] in access._MAY]
    held = [knock for knock in mine if knock.expected in (policy.PAGE, policy.DONE)]
    assert {knock.actor for knock in held} == {"kai", "mina", "lars", "rex", "ada"}
    changed(app, delete(RoleGrant))
    closed = {who: policy.NOWHERE if who in access._HIDDEN else policy.NO for who in access._MAY}
    wanted = {knock: closed[access.ROUTES[knock.endpoint]] for knock in held}
    assert [odd(knock, told, want) for knock, want in wanted.items() if (told := ask(knock)) != want] == []


def test_what_is_grave_is_asked_only_of_who_proved_it_a_moment_ago(app, there, ask):
    grave = [knock for knock in policy.knocks(app, there) if knock.endpoint in access.FRESH]
    grave = [knock for knock in grave if knock.about in ("own", "") and knock.expected not in (policy.NO_METHOD, "403")]
    assert {knock.endpoint for knock in grave} == access.FRESH
    long_ago = clock.now() - timedelta(minutes=16)
    changed(app, update(Session).values(proven_at=long_ago, created_at=long_ago))
    wrong = [odd(knock, told, "the door") for knock in grave if (told := ask(knock)) not in ("the door", "404")]
    assert not wrong, "\n".join(wrong)
    assert {ask(knock) for knock in grave if knock.actor == "rex"} == {policy.DOOR}


def test_what_a_stopped_seller_offers_is_gone_at_the_next_request(app, there, ask):
    looks = [Knock("noor", "GET", "products.show", "own", "http://localhost/p/mug", {}, policy.PAGE)]
    buys = {"data": {"variant": "mug-s", "quantity": "1"}}
    looks.append(Knock("noor", "POST", "cart.add", "own", "http://localhost/cart/lines", buys, policy.DONE))
    assert [ask(knock) for knock in looks] == [policy.PAGE, policy.DONE]
    changed(app, update(Seller).values(vetting=Vetting.SUSPENDED))
    assert [ask(knock) for knock in looks] == ["404", "404"]
