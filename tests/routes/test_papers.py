"""Sending a paper with an application, and looking at it: the pages."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func

from shop.database import db
from shop.models import AuditEntry, Paper, Role
from tests.applying import BUSINESS, PERSON, begun, sent_in
from tests.conftest import HTMX
from tests.papers import CANARY, jpeg, pdf
from tests.routes.test_moderation import claimed, decided, seen


@pytest.fixture
def mina(signed_in_as):
    client = signed_in_as("mina")
    begun(client)
    return client


@pytest.fixture
def rex(signed_in_as):
    return signed_in_as("rex", Role.MODERATOR)


def sent(browser, content=None, kind="front", name="../../id card.jpg", headers=None):
    file = (BytesIO(jpeg() if content is None else content), name)
    return browser.post("/sell/papers", data={"kind": kind, "file": file}, headers=headers or {})


def waits(browser, content=None):
    """A paper of theirs is with the moderators."""
    sent(browser, content)
    sent_in(browser)


def kept(app, *columns):
    with app.test_request_context():
        return [tuple(row) for row in db.session.execute(db.select(*columns).order_by(Paper.id))]


def code_of(app):
    return kept(app, Paper.code)[-1][0]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_mina_sends_the_front_of_her_paper_and_sees_until_when_it_is_kept(app, mina, headers):
    assert "Make the citizen service number (BSN) unreadable" in mina.get("/sell/identity").text
    answer = sent(mina, headers=headers)
    assert (answer.location or answer.headers["HX-Redirect"]) == "/sell/identity"
    assert kept(app, Paper.kind, Paper.came_as, Paper.pages, Paper.state) == [("front", "jpeg", 1, "sealed")]
    page = mina.get("/sell/identity").text
    assert "Sent on" in page
    assert "Deleted on" in page
    assert CANARY.decode() not in page


def test_a_business_sends_the_pages_of_a_pdf(app, signed_in_as):
    olga = signed_in_as("olga")
    begun(olga, BUSINESS | {"handle": "olga"})
    assert sent(olga, pdf(pages=3), "extract", "kvk.pdf").status_code == 303
    assert kept(app, Paper.kind, Paper.came_as, Paper.pages) == [("extract", "pdf", 3)]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"", "front", 415, "Send a photograph (JPEG, PNG or WebP) or a PDF."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "front", 415, "This is something else."),
        (jpeg() + bytes(15 * 1024 * 1024), "front", 413, "This file is larger than 15 MB."),
        (pdf(pages=21), "front", 422, "more than 20 pages"),
        (jpeg(), "extract", 409, ""),
        (jpeg(), "nonsense", 409, ""),
        (None, "front", 422, "Choose a file first"),
    ],
)
def test_what_we_cannot_take_is_refused_in_words_and_nothing_is_kept(app, mina, content, kind, status, words, headers):
    if content is None:
        answer = mina.post("/sell/papers", data={"kind": kind}, headers=headers)
    else:
        answer = sent(mina, content, kind, headers=headers)
    assert answer.status_code == status
    assert words in answer.text
    assert kept(app, Paper.id) == []
    assert list(Path(app.config["PAPERS_PATH"]).glob("*")) == []


def test_mina_takes_it_back_and_nobody_elses(app, mina, signed_in_as):
    sent(mina)
    address = f"/sell/papers/{code_of(app)}/removal"
    olga = signed_in_as("olga")
    begun(olga, PERSON | {"handle": "olga"})
    assert olga.post(address).status_code == 404
    assert kept(app, Paper.state) == [("sealed",)]
    assert mina.post(address).status_code == 303
    assert kept(app, Paper.state, Paper.wrapped_key) == [("shredded", None)]
    assert mina.post(address).status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rex_gives_a_reason_and_sees_the_pages_with_his_name_on_them(app, mina, rex, headers):
    waits(mina)
    page = rex.get("/moderation/sellers/mina").text
    address = page.partition('href="/moderation/papers/')[2].partition('"')[0]
    address = f"/moderation/papers/{address}"
    assert "No paper: Identity paper, back" in page
    assert "<img" not in rex.get(address).text
    assert rex.get(f"{address}/1").status_code == 404
    assert rex.post(f"{address}/opening", data={"reason": "because"}, headers=headers).status_code == 422
    answer = rex.post(f"{address}/opening", data={"reason": "First look at this application."}, headers=headers)
    assert (answer.location or answer.headers["HX-Redirect"]) == address
    assert f'src="{address}/1"' in rex.get(address).text
    picture = rex.get(f"{address}/1")
    told = {name: picture.headers[name] for name in ("Cache-Control", "Content-Type", "Content-Disposition")}
    assert told == {"Cache-Control": "no-store", "Content-Type": "image/jpeg", "Content-Disposition": "inline"}
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(BytesIO(picture.data)).size == (900, 600)
    assert CANARY not in picture.data
    with app.test_request_context():
        entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "paper opened")).one()
        assert (entry.role, entry.reason) == ("moderator", "First look at this application.")
    assert rex.post(f"{address}/closing").location == "/moderation/sellers/mina"
    assert rex.get(f"{address}/1").status_code == 404


def test_looking_at_a_page_writes_nothing(app, mina, rex, queries):
    waits(mina)
    address = f"/moderation/papers/{code_of(app)}"
    rex.post(f"{address}/opening", data={"reason": "First look at this application."})
    with queries() as asked:
        assert [rex.get(f"{address}{end}").status_code for end in ("", "/1", "/2", "/0")] == [200, 200, 404, 404]
    assert [one for one in asked if not one.startswith(("SELECT", "SET"))] == []


def test_a_paper_is_for_moderators_only(app, mina, signed_in_as):
    waits(mina)
    address = f"/moderation/papers/{code_of(app)}"
    for browser in (mina, signed_in_as("kai", Role.CREATOR)):
        tried = [browser.get(address), browser.get(f"{address}/1"), browser.post(f"{address}/opening")]
        assert [answer.status_code for answer in tried] == [404] * 3
    assert app.test_client().get(f"{address}/1").location.startswith("/sign-in")


def test_after_twenty_papers_in_an_hour_there_are_no_more_and_the_operator_hears(app, mina, rex, signed_in_as, letters):
    signed_in_as("ada", Role.ADMIN)
    waits(mina)
    letters()
    address = f"/moderation/papers/{code_of(app)}/opening"
    tried = [rex.post(address, data={"reason": "Looking around a little."}).status_code for _time in range(23)]
    assert tried == [303] * 20 + [429] * 3
    with app.test_request_context():
        asked = db.select(AuditEntry.action, func.count()).group_by(AuditEntry.action)
        assert dict(db.session.execute(asked).all()) == {"paper opened": 20, "papers locked": 1}
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("ada@example.com", "Somebody opened many identity papers")
    assert "Rex has opened 20 identity papers" in mail.get_body(("plain",)).get_content()
    app.test_cli_runner().invoke(args=["staff", "unlock", "rex@example.com", "--reason", "a busy day"])
    assert rex.post(address, data={"reason": "Back to work now."}).status_code == 303


def test_nobody_decides_on_papers_that_have_changed_meanwhile(app, mina, rex):
    waits(mina)
    claimed(rex)
    stamp = seen(rex)
    assert sent(mina, jpeg("SOMEBODY ELSE")).status_code == 409  # it is with the moderators
    mina.post("/sell/return")
    waits(mina, jpeg("SOMEBODY ELSE"))
    form = {"verdict": "refused", "reason": "forged", "words": "It is not theirs.", "seen": stamp}
    assert rex.post("/moderation/sellers/mina/decision", data=form).status_code == 409
    assert decided(rex, "refused", "It is not theirs.", "forged").status_code == 303


def test_a_decision_says_how_long_papers_are_kept(app, mina, rex):
    waits(mina)
    decided(rex, "refused", "We do not sell this kind of goods.")
    ((until, at),) = kept(app, Paper.keep_until, Paper.sent_at)
    assert 89 <= (until - at).days <= 90
    assert sent(mina).status_code == 409
    mina.post("/sell/objection", data={"words": "They are only mugs, look."})
    ((until, at),) = kept(app, Paper.keep_until, Paper.sent_at)
    assert 179 <= (until - at).days <= 180


def test_the_same_paper_at_another_seller_is_shown(app, mina, rex, signed_in_as):
    olga = signed_in_as("olga")
    begun(olga, PERSON | {"handle": "olga", "shop_name": "Olga & co"})
    paper = jpeg()
    waits(mina, paper)
    sent(olga, paper)
    assert "The same paper was sent by Olga &amp; co (/@olga)." in rex.get("/moderation/sellers/mina").text


def test_a_body_that_is_too_long_is_refused_at_the_edge(app, mina):
    assert sent(mina, bytes(17 * 1024 * 1024)).status_code == 413
    assert kept(app, Paper.id) == []
