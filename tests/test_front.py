"""The front does as Flask does, only sooner."""

from __future__ import annotations

import time

import pytest
from flask import Flask, make_response, request, session
from werkzeug.test import EnvironBuilder

from shop import front


def both(change=lambda app: None, **config):
    """The same small app, by Flask and by the front."""
    built = []
    for kind in (Flask, front.Front):
        app = kind("small")
        app.config.update({"SECRET_KEY": "a key for tests", "TRUSTED_HOSTS": ["shop.example", "localhost"], **config})
        app.add_url_rule("/", "index", lambda: " ".join((request.host, request.full_path, request.root_url)))
        app.add_url_rule("/café/<word>", "word", lambda word: f"{word} {request.args.get('q', '')}")
        app.add_url_rule("/none", "none", lambda: ("", 204))
        app.add_url_rule("/made", "made", lambda: ("made", 201, {"Location": "/é"}))
        app.add_url_rule("/same", "same", same)
        app.add_url_rule("/broken", "broken", lambda: 1 / 0)
        app.add_url_rule("/put", "put", lambda: session.update(cart="a code", seen=[1, 2]) or "put")
        app.add_url_rule("/look", "look", lambda: repr(sorted(session.items())))
        change(app)
        built.append(app)
    return built


def same():
    answer = make_response("never sent")
    answer.set_etag("mark")
    return answer.make_conditional(request)


def told(app, path="/", **environ):
    answer = app.test_client(use_cookies=False).open(path, **environ)
    headers = [(k, v) for k, v in answer.headers.items() if k not in ("Date",)]
    return answer.status, sorted(headers), answer.data


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"method": "HEAD"},
        {"method": "OPTIONS"},
        {"method": "POST"},
        {"path": "/caf%C3%A9/%C3%BCber?q=%E2%82%AC"},
        {"path": "/none"},
        {"path": "/made"},
        {"path": "/same"},
        {"path": "/same", "headers": {"If-None-Match": '"mark"'}},
        {"path": "/look"},
        {"path": "/nowhere"},
        {"path": "/broken"},
        {"base_url": "https://shop.example"},
        {"base_url": "http://shop.example:8000/under"},
        {"base_url": "http://elsewhere.example"},
        {"headers": {"Host": "SHOP.example"}},
        {"headers": {"Host": "a b"}},
        {"headers": {"Connection": "Upgrade", "Upgrade": "websocket"}},
    ],
)
def test_every_answer_is_flasks_also_the_second_time(asked):
    plain, ours = both()
    expected = told(plain, **asked)
    assert [told(ours, **asked) for _again in range(2)] == [expected, expected]


def test_a_name_that_is_not_trusted_is_not_remembered():
    _plain, ours = both()
    for n in range(3):
        assert told(ours, base_url=f"http://elsewhere{n}.example")[0].startswith("400")
    assert ours._hosts == {}
    assert told(ours, base_url="http://shop.example")[0].startswith("200")
    assert len(ours._hosts) == 1


def test_a_host_that_is_trusted_no_longer_is_refused_though_it_was_known():
    _plain, ours = both()
    assert told(ours, base_url="http://shop.example")[0].startswith("200")
    ours.config["TRUSTED_HOSTS"] = ["localhost"]
    assert told(ours, base_url="http://shop.example")[0].startswith("400")


def cookie_of(app, path="/put"):
    client = app.test_client()
    client.get(path)
    return client.get_cookie("session").value


SPOILT = (lambda c: c, lambda c: c[:-2], lambda c: "A" + c[1:], lambda c: c + "A", lambda c: "")


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_cookie_opens_for_us_what_it_opens_for_flask(spoil):
    plain, ours = both()
    cookie = cookie_of(plain)
    genuine = told(ours, "/look", headers={"Cookie": f"session={cookie}"})  # and remembered from now on
    assert genuine[2] == b"[('cart', 'a code'), ('seen', [1, 2])]"
    sent = {"Cookie": f"session={spoil(cookie)}"}
    assert told(ours, "/look", headers=sent) == told(plain, "/look", headers=sent)


def test_a_cookie_that_is_remembered_grows_old_all_the_same(monkeypatch):
    _plain, ours = both()
    sent = {"Cookie": f"session={cookie_of(ours)}"}
    assert b"a code" in told(ours, "/look", headers=sent)[2]
    then = time.time() + 32 * 86400  # Flask's own limit is 31 days
    monkeypatch.setattr(time, "time", lambda: then)
    assert told(ours, "/look", headers=sent)[2] == b"[]"


def test_a_cookie_of_yesterday_is_signed_again_when_somebody_does_something(monkeypatch):
    _plain, ours = both(lambda app: app.add_url_rule("/do", "do", lambda: "done", methods=["GET", "POST"]))
    cookie = cookie_of(ours)
    sent, now = {"Cookie": f"session={cookie}"}, time.time()

    def new_cookie(method):
        answer = ours.test_client(use_cookies=False).open("/do", method=method, headers=sent)
        return answer.headers.get("Set-Cookie", "").partition(";")[0].removeprefix("session=")

    assert [new_cookie("GET"), new_cookie("POST")] == ["", ""]
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86400)
    assert new_cookie("GET") == ""
    newer = new_cookie("POST")
    assert newer.partition(".")[0] == cookie.partition(".")[0]
    monkeypatch.setattr(time, "time", lambda: now + 32 * 86400)
    assert told(ours, "/look", headers=sent)[2] == b"[]"
    assert b"a code" in told(ours, "/look", headers={"Cookie": f"session={newer}"})[2]


def test_what_one_request_puts_in_its_session_is_not_in_the_next_ones():
    def spoil():
        session["seen"].append("spoilt")
        session["cart"] = "another"
        session.modified = False  # so that no new cookie is sent
        return repr(sorted(session.items()))

    _plain, ours = both(lambda app: app.add_url_rule("/spoil", "spoil", spoil))
    sent = {"Cookie": f"session={cookie_of(ours)}"}
    assert b"spoilt" in told(ours, "/spoil", headers=sent)[2]
    assert told(ours, "/look", headers=sent)[2] == b"[('cart', 'a code'), ('seen', [1, 2])]"


def test_another_key_makes_another_shops_cookie_worthless():
    _plain, ours = both()
    _plain, theirs = both(SECRET_KEY="another key")
    sent = {"Cookie": f"session={cookie_of(theirs)}"}
    assert told(ours, "/look", headers=sent)[2] == b"[]"


def test_vary_is_added_to_and_names_nothing_twice():
    answer = front.Answered("x")
    for names in (("Cookie",), ("HX-Request", "Cookie"), ("cookie",), ("Accept-Encoding",)):
        front.vary(answer, names)
    assert answer.headers.getlist("Vary") == ["Cookie, HX-Request, Accept-Encoding"]


def test_a_body_in_words_is_counted_in_bytes():
    answer = front.Answered(["€", b"1"])
    assert answer.get_wsgi_headers(EnvironBuilder().get_environ())["Content-Length"] == "4"


def test_no_hook_of_a_blueprint_is_left_out(built):
    """The front runs the app's own hooks only, so there may be no others."""
    for hooks in (built.before_request_funcs, built.after_request_funcs, built.url_value_preprocessors):
        assert {name for name, functions in hooks.items() if functions} <= {None}


def test_what_is_long_is_understood_and_not_remembered():
    """Whoever sends a thousand headers or addresses without end fills no memory of ours."""
    _flask, ours = both()
    long = "x" * front.LONGEST

    def remembered():
        return [memory.cache_info().currsize for memory in (front._cookies, front._matched)]

    told(ours, "/look", headers={"Cookie": "a=b"})
    told(ours, "/look")
    cookies, addresses = remembered()
    assert told(ours, "/look", headers={"Cookie": f"a={long}"})[0] == "200 OK"
    assert told(ours, f"/caf%C3%A9/{long}")[2] == f"{long} ".encode()
    assert remembered() == [cookies, addresses]
    told(ours, "/caf%C3%A9/short", headers={"Cookie": "a=c"})
    assert remembered() == [cookies + 1, addresses + 1]
