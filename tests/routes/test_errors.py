"""What goes wrong is said in the house's own way, with all its promises."""

import pytest
from werkzeug.exceptions import HTTPException, default_exceptions

from shop.database import db
from shop.models import Role
from shop.promises import PROMISES
from tests.conftest import HTMX

WORDS = {
    400: "We do not understand this request.",
    403: "You may not do this.",
    404: "We cannot find this page.",
    405: "This does not work here.",
    409: "This has just changed. Please look again.",
    413: "This is too large.",
    415: "We cannot do anything with this kind of file.",
    422: "Something is not filled in right.",
    429: "That was too often. Please wait a moment.",
    500: "Something went wrong on our side.",
    503: "The shop is very busy. Please try again in a moment.",
}


@pytest.fixture
def fails(app, monkeypatch):
    """`/shop` fails with this status, or breaks altogether."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    def fail(status):
        def view():
            raise default_exceptions[status]() if isinstance(status, int) else status

        monkeypatch.setitem(app.view_functions, "shop.index", view)

    return fail


STRICTER = {"Referrer-Policy": "no-referrer"}  # a page whose address is a key to it promises more


def promises_kept(answer):
    return [name for name, value in PROMISES if answer.headers.get(name) not in (value, STRICTER.get(name, value))]


@pytest.mark.parametrize("status", WORDS)
def test_each_failure_has_its_words_and_keeps_the_promises(client, fails, status):
    fails(status)
    answer = client.get("/shop")
    assert answer.status_code == status
    assert f"<h1>{WORDS[status]}</h1>" in answer.text
    assert 'href="/shop"' in answer.text
    assert promises_kept(answer) == []


@pytest.mark.parametrize("status", WORDS)
def test_and_says_them_in_place_for_htmx(client, fails, status):
    fails(status)
    answer = client.get("/shop", headers=HTMX)
    assert answer.status_code == status
    assert WORDS[status] in answer.text
    assert "<html" not in answer.text
    assert promises_kept(answer) == []


@pytest.mark.parametrize("status", WORDS)
def test_and_in_dutch(client, fails, status):
    fails(status)
    answer = client.get("/shop", headers={"Accept-Language": "nl"})
    assert '<html lang="nl">' in answer.text
    assert WORDS[status] not in answer.text


def test_a_page_that_breaks_says_so_without_asking_the_database(client, fails, queries):
    fails(RuntimeError("boom"))
    client.set_cookie("session", "nonsense")
    with queries() as asked:
        answer = client.get("/shop")
    assert answer.status_code == 500
    assert asked == []
    assert answer.headers["X-Request-Id"] in answer.text
    assert "boom" not in answer.text
    assert promises_kept(answer) == []


def test_it_is_made_even_where_the_database_does_not_let_go(client, fails, monkeypatch):
    def gone():
        raise ConnectionError("the database is gone")

    fails(RuntimeError("boom"))
    monkeypatch.setattr(db.session, "rollback", gone)
    assert client.get("/shop").status_code == 500
    monkeypatch.undo()


def test_an_address_that_only_takes_forms_says_which_way_it_works(client):
    answer = client.get("/sign-out")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "only answers forms" in answer.text


def test_every_route_keeps_the_promises_also_to_who_may_not_come_in(app, client, signed_in_as):
    rex = signed_in_as("rex", Role.MODERATOR, Role.CREATOR, Role.SELLER)
    broken = []
    for rule in app.url_map.iter_rules():
        with app.test_request_context():
            address = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)[1]
        for browser in (client, rex):
            for headers in ({}, HTMX):
                answer = browser.get(address, headers=headers)
                if promises_kept(answer):
                    broken.append((rule.rule, answer.status_code, promises_kept(answer)))
    assert broken == []


def test_every_refusal_is_an_exception_of_http(fails):
    assert all(issubclass(default_exceptions[status], HTTPException) for status in WORDS)


def test_over_https_the_cookies_belong_to_this_host_alone(open_shop, tmp_path_factory):
    from app import create_app
    from shop import settings

    folder = tmp_path_factory.mktemp("https")
    app = create_app(settings.read({"INSTANCE_PATH": str(folder), "BASE_URL": "https://etalage.example"}))
    assert app.config["SESSION_COOKIE_NAME"] == "__Host-session"
    assert app.config["SESSION_COOKIE_SECURE"] is True
    client = app.test_client()
    answer = client.get("/livez", base_url="https://etalage.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    cookie = client.post(
        "/language",
        data={"language": "nl"},
        headers={"Sec-Fetch-Site": "same-origin"},
        base_url="https://etalage.example",
    ).headers["Set-Cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
