"""Promise 18: whatever a stranger writes into an address or a form: the shop refuses it, and does not break.

The list is made from the route map and the forms, so that a new route or field is tried from its first day. A request
that carries something senseless is answered in words, with a status below 500, whoever sends it.
"""

import re
import sys
from urllib.parse import quote

import pytest
from wtforms.fields.core import UnboundField

from shop import accounts, clock, limits, passwords, payments, purchases, settlement, uploads
from shop.database import db
from shop.hypermedia import Form
from shop.limits import limiter
from shop.models import Role, RoleGrant, User
from tests.cast import a_clip, a_product, a_profile, a_purchase, a_seller, a_variant
from tests.conftest import HTMX

# As the bytes that arrive, so that what is no text at all can be sent too.
NASTY = {
    "nothing": b"",
    "NUL": b"mug\x00",
    "no UTF-8": b"\xff\xfe\xc0\xaf",
    "half a pair": b"\xed\xa0\x80",
    "lines": b"a\r\nBcc: all@shop.example\r\n\r\nx",
    "right to left": "\u202e\u2066gpj.مرحبا".encode(),
    "script": b"\"'><script>alert(1)</script>{{7*7}}",
    "long": b"x" * 9000,
    "below zero": b"-1",
    "beyond 64 bits": b"99999999999999999999",
    "beyond any text": b"9" * 4300,
    "no number": b"NaN",
    "less than no number": b"sNaN",
    "no end": b"1e999",
    "other digits": "٣".encode(),
    "far up": b"../../../etc/passwd",
}
# `make test` tries those that have broken something before; all of them are for `make faults`.
QUICK = ("NUL", "no UTF-8", "long", "beyond 64 bits")
EACH = [pytest.param(words, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, words in NASTY.items()]
# What is no field of a form class, and still is read.
MORE = ("size", "language", "next", "words", "wanted", "q", "after", "from", "looks", "country", "category", "sort")
MORE += ("clip", "removed", "quantity", "code", "changed", "confirm")
FORM = "application/x-www-form-urlencoded"
# A field that is filled in right, so that the next one is looked at, too.
RIGHT = {
    "variant": "mug-s",
    "quantity": "1",
    "step": "1",
    "product": "mug",
    "start": "1",
    "end": "4",
    "place": "0.5 0.5",
    "caption": "Look",
    "language": "en",
    "disclosure": "none",
    "spoken": "en",
    "text": "Hello there. And more.",
    "email": "noor@example.com",
    "name": "Noor",
    "country": "NL",
    "postcode": "3511 AA",
    "house_number": "1",
    "street": "Oudegracht",
    "city": "Utrecht",
    "method": "card",
    "tries": "0",
    "token": "x" * 22,
    "seen": "0" * 64,
    "verdict": "approved",
    "words": "Because it is so.",
    "answer": "approved",
    "size": "1000",
    "handle": "wanda",
    "present_password": "twelve letters",
    "password": "twelve letters",
}


def fields(app, endpoint):
    """The fields of the forms beside a route, and what is read without a form."""
    beside = vars(sys.modules[app.view_functions[endpoint].__module__]).values()
    forms = [one for one in beside if isinstance(one, type) and issubclass(one, Form)]
    found = {name for form in forms for name in dir(form) if isinstance(getattr(form, name), UnboundField)}
    return sorted(found)


def encoded(form):
    return b"&".join(name.encode() + b"=" + quote(value).encode() for name, value in form.items())


@pytest.fixture
def behind(app, monkeypatch):
    """Something behind every door, of rex, who films, buys and moderates: gives what belongs into an address."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(limiter, "enabled", False)
    monkeypatch.setattr(limits, "may_spend", lambda *_try: True)
    monkeypatch.setattr(passwords, "hashed", lambda _word: "none")
    monkeypatch.setattr(passwords, "is_right", lambda *_words: False)
    with app.test_request_context(method="POST"):
        rex = User(email="rex@example.com", name="Rex", password_hash="none", created_at=clock.now())
        mug = a_product(a_seller("mina", "Atelier Mina"), "mug", "Mug", [a_variant("mug-s", "Small", 2450, stock=3)])
        films = a_profile("rex", "Rex")
        db.session.add_all([rex, mug, films])
        db.session.flush()
        films.user_id = rex.id
        db.session.add(a_clip(films, "clip", mug))
        purchase = a_purchase({mug.variants[0].id: 1})
        payments.open(purchase, "card")
        upload = uploads.begin(rex.id, 1000, largest=1000).code
        db.session.commit()
        return {"purchases": purchase.code, "purchases.order": purchase.orders[0].code, "uploads": upload}


def address(rule, behind, nasty=None):
    """The address of a route: with what is there, or with something `nasty` in place of each part of it."""
    code = {"products.show": "mug", **behind}
    known = {
        "code": code.get(rule.endpoint) or code.get(rule.endpoint.split(".")[0], "clip"),
        "variant": "mug-s",
        "handle": "mina",
        "item": "contact",
        "section": "words",
        "tag": "clip-0",
        "language": "en",
        "token": "no-such-token",
        "name": "clip.mp4",
        "number": "1",
        "gateway": "sandbox",
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: nasty or known[part[1]], rule.rule)


# A shopper comes where rex comes as well; he is for `make faults`.
@pytest.fixture(params=["stranger", pytest.param("shopper", marks=pytest.mark.slow), "creator and moderator"])
def visitor(request, app, client, behind, signed_in_as):
    if request.param == "stranger":
        return client
    if request.param == "shopper":
        return signed_in_as("noor")
    with app.test_request_context(method="POST"):
        rex = accounts.called("rex@example.com")
        rex.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in (Role.CREATOR, Role.MODERATOR)]
        db.session.commit()
    return signed_in_as("rex")


def routes(app, method):
    return [rule for rule in app.url_map.iter_rules() if method in rule.methods and rule.endpoint != "health.readyz"]


@pytest.mark.parametrize("nasty", EACH)
def test_no_address_breaks_the_shop(app, visitor, behind, nasty):
    written, broken = quote(nasty, safe=""), []
    for rule in routes(app, "GET"):
        asked = "&".join(f"{name}={written}" for name in (*fields(app, rule.endpoint), *MORE))
        for there in (f"{address(rule, behind)}?{asked}&{written}={written}", address(rule, behind, written)):
            answer = visitor.get(there, headers=HTMX if "?" in there else {})
            if answer.status_code >= 500:
                broken.append((rule.endpoint, there[:60], answer.status_code))
    assert broken == []


def forms_of(app, rule, nasty):
    """All fields `nasty`, and each of them alone, among others that are filled in right."""
    names = fields(app, rule.endpoint)
    yield dict.fromkeys((*names, *MORE), nasty)
    for name in names or MORE:
        yield {**{other: RIGHT.get(other, "").encode() for other in names}, name: nasty}


@pytest.mark.parametrize("nasty", EACH)
def test_no_form_breaks_the_shop(request, app, visitor, behind, nasty):
    broken, is_rex = [], request.node.callspec.params["visitor"] == "creator and moderator"
    visitor.post("/cart/lines", data={"variant": "mug-s"})
    for rule in [*routes(app, "POST"), *routes(app, "PUT")]:
        method = "PUT" if "PUT" in rule.methods else "POST"
        for form in forms_of(app, rule, nasty):
            where = f"{address(rule, behind)}?looks={quote(nasty)}"
            answer = visitor.open(where, method=method, data=encoded(form), content_type=FORM)
            if answer.status_code >= 500:
                broken.append((rule.endpoint, [name for name in form if form[name] == nasty][:3], answer.status_code))
            if answer.status_code in (403, 404) or not is_rex:
                break  # this is not for them; or rex, who may come in everywhere, tries the fields one by one
    assert broken == []


@pytest.mark.parametrize("address", ["/shop?after=%00", "/p/mug%00", "/shop?%00=1"])
def test_no_address_holds_a_nul(client, address):
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("form", [{"quantity": "9" * 400}, {"quantity": "1", "clip": "a\0"}, {"quantity": "1e1"}])
def test_what_no_keyboard_writes_puts_nothing_in_the_cart(client, post, mug, form, headers):
    answer = post("/cart/lines", htmx=bool(headers), variant="mug-s", **form)
    assert answer.status_code == (400 if "\0" in form.get("clip", "") else 422)
    assert "mug-s" not in client.get("/cart").text


def test_the_looks_of_a_page_that_waits_have_an_end(app, behind, client, monkeypatch):
    monkeypatch.setattr(purchases, "stage", lambda _purchase: purchases.Stage.WAITING)
    monkeypatch.setattr(settlement, "look", lambda _attempt: None)
    answer = client.post(f"/purchases/{behind['purchases']}/look?looks={'9' * 4300}", headers=HTMX)
    assert answer.status_code == 200
    assert "looks=61" in answer.text
