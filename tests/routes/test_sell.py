"""Deciding about an application to sell, and stopping sales: Rex's word, and what Mina sees of it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from shop import accounts, audit, clock, papers, sellers
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import Event, Paper, PaperKind, Product, Profile, Role, RoleGrant, Seller, Vetting
from tests.applying import PERSON, sent_in
from tests.cast import a_clip, a_profile
from tests.conftest import HTMX


def kept(app, *columns):
    with app.test_request_context():
        return db.session.execute(select(*columns)).all()


@pytest.fixture
def mina(signed_in_as):
    return signed_in_as("mina")


@pytest.fixture
def rex(signed_in_as):
    return signed_in_as("rex", Role.MODERATOR)


def seen(browser, handle="mina"):
    """The application as it stands on the moderator's page."""
    page = browser.get(f"/moderation/sellers/{handle}").text
    return page.partition('name="seen" value="')[2].partition('"')[0].replace("&#43;", "+")


def decided(browser, verdict, words="", checks=(), handle="mina", **more):
    form = {"verdict": verdict, "words": words, "checks": list(checks), "seen": seen(browser, handle), **more}
    return browser.post(f"/moderation/sellers/{handle}/decision", data=form)


# Deciding

ALL = ("identity", "contact", "goods")


def test_rex_approves_and_mina_sells_after_signing_in_anew(app, mina, rex, signed_in_as, letters):
    sent_in(mina, PERSON)
    letters()
    assert "Atelier Mina" in rex.get("/moderation").text
    assert decided(rex, "approved", checks=ALL).location == "/moderation?done=approved"
    assert kept(app, Seller.vetting) == [("approved",)]
    assert sorted(kept(app, RoleGrant.role)) == [("moderator",), ("seller",)]
    assert sorted(kept(app, Event.became, Event.note)) == [("approved", "contact, goods, identity"), ("waiting", "")]
    page = rex.get("/moderation?done=approved").text
    assert "Nobody waits." in page
    assert "Name and address belong together and exist" in rex.get("/moderation/sellers/mina").text
    assert "Approved. They are told by mail" in page
    assert "They are told by mail" not in rex.get("/moderation?done=nothing").text
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("mina@example.com", "You may sell")
    assert mina.get("/sell").status_code == 303
    assert "You are approved: you may sell." in signed_in_as("mina").get("/sell").text


def test_rex_decides_in_place_with_htmx(app, mina, rex):
    sent_in(mina, PERSON)
    form = {"verdict": "approved", "checks": list(ALL), "seen": seen(rex)}
    answer = rex.post("/moderation/sellers/mina/decision", data=form, headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/moderation?done=approved")


def test_something_is_put_right_and_decided_anew(app, mina, rex, letters):
    sent_in(mina, PERSON)
    letters()
    decided(rex, "needs_fixing", "The street <b>does not</b> exist.")
    (mail,) = letters()
    assert mail["Subject"] == "Something has to be put right"
    assert "The street <b>does not</b> exist." in mail.get_body(("plain",)).get_content()
    assert "The street &lt;b&gt;does not&lt;/b&gt; exist." in mina.get("/sell").text
    assert 'value="Oudegracht 1"' in mina.get("/sell/contact").text
    sent_in(mina, PERSON | {"street": "Oudegracht 2"})
    assert kept(app, Seller.vetting, Seller.street) == [("waiting", "Oudegracht 2")]
    assert decided(rex, "approved", checks=ALL).status_code == 303


def test_a_refusal_says_why_and_is_objected_to_once_before_another_moderator(app, mina, rex, signed_in_as, letters):
    sent_in(mina, PERSON)
    decided(rex, "refused", "We do not sell this kind of goods.")
    page = mina.get("/sell").text
    assert "We do not sell this kind of goods." in page
    assert "A moderator decided this, not a computer." in page
    assert mina.post("/sell/objection", data={"words": "short"}).status_code == 422
    letters()
    assert mina.post("/sell/objection", data={"words": "They are only mugs, look."}).status_code == 303
    assert [mail["Subject"] for mail in letters()] == ["We have your objection"]
    assert "They are only mugs, look." in rex.get("/moderation/sellers/mina").text
    assert 'name="verdict"' not in rex.get("/moderation/sellers/mina").text
    assert decided(rex, "refused", "We still do not sell this.").status_code == 403
    ada = signed_in_as("ada", Role.ADMIN)
    assert decided(ada, "refused", "They are not mugs at all.").status_code == 303
    assert 'action="/sell/objection"' not in mina.get("/sell").text
    assert mina.post("/sell/objection", data={"words": "They are only mugs, look."}).status_code == 409
    assert kept(app, Seller.vetting) == [("refused",)]


def test_an_objection_in_place_keeps_its_words(mina, rex):
    sent_in(mina, PERSON)
    decided(rex, "refused", "We do not sell this kind of goods.")
    answer = mina.post("/sell/objection", data={"words": "no"}, headers=HTMX)
    assert answer.status_code == 422
    assert ">no</textarea>" in answer.text
    assert "Tell us why the refusal is wrong." in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("verdict", "given", "words"),
    [
        ("approved", {"checks": ["identity", "contact"]}, "1 check is not ticked"),
        ("approved", {}, "3 checks are not ticked"),
        ("refused", {"words": "no"}, "Give the reason"),
        ("needs_fixing", {"words": "         "}, "Give the reason"),
        ("suspended", {"words": "We do not like them."}, "Not a valid choice."),
        ("", {}, "Choose what to do with this application."),
    ],
)
def test_a_decision_without_its_ground_changes_nothing(app, mina, rex, verdict, given, words, headers):
    sent_in(mina, PERSON)
    form = {"verdict": verdict, "seen": seen(rex), **given}
    answer = rex.post("/moderation/sellers/mina/decision", data=form, headers=headers)
    assert answer.status_code == 422
    assert words in answer.text
    assert kept(app, Seller.vetting) == [("waiting",)]
    assert kept(app, func.count(Event.id)) == [(1,)]


def test_two_moderators_do_not_decide_twice(app, mina, rex, signed_in_as):
    sent_in(mina, PERSON)
    stamp = seen(rex)
    assert decided(signed_in_as("ada", Role.ADMIN), "approved", checks=ALL).status_code == 303
    form = {"verdict": "refused", "words": "We do not sell this.", "seen": stamp}
    assert rex.post("/moderation/sellers/mina/decision", data=form).status_code == 409
    assert kept(app, Seller.vetting) == [("approved",)]


def test_nobody_decides_on_an_application_that_has_changed_meanwhile(app, mina, rex):
    sent_in(mina, PERSON)
    stamp = seen(rex)
    decided(rex, "needs_fixing", "The street does not exist.")
    sent_in(mina, PERSON | {"sells_what": "Knives and other sharp things."})
    form = {"verdict": "approved", "checks": list(ALL), "seen": stamp}
    assert rex.post("/moderation/sellers/mina/decision", data=form).status_code == 409
    assert kept(app, Seller.vetting) == [("waiting",)]


def test_rex_does_not_judge_himself(app, rex):
    sent_in(rex, PERSON | {"handle": "rex"})
    assert "This application is for another moderator to decide." in rex.get("/moderation/sellers/rex").text
    form = {"verdict": "approved", "checks": list(ALL), "seen": kept(app, Seller.applied_at)[0][0].isoformat()}
    assert rex.post("/moderation/sellers/rex/decision", data=form).status_code == 403
    assert kept(app, Seller.vetting) == [("waiting",)]


def test_the_desk_is_not_there_for_others(mina, signed_in_as):
    sent_in(mina, PERSON)
    for browser in (mina, signed_in_as("kai", Role.CREATOR)):
        assert browser.get("/moderation").status_code == 404
        assert browser.get("/moderation/sellers/mina").status_code == 404
        assert browser.post("/moderation/sellers/mina/decision", data={"verdict": "approved"}).status_code == 404


def test_an_unknown_application_is_a_404(rex):
    assert rex.get("/moderation/sellers/nobody").status_code == 404


def test_the_queue_is_oldest_first_and_turns_its_pages(app, rex, queries):
    with app.test_request_context(method="POST"):
        for n in range(45):
            profile = Profile(handle=f"shop{n:02}", name=f"Shop {n:02}", created_at=clock.now())
            facts = {"legal_name": "x", "email": "x@y.zz", "street": "x", "postcode": "x", "city": "x", "country": "NL"}
            db.session.add(
                Seller(profile=profile, kind="business", vetting=Vetting.WAITING, applied_at=clock.now(), **facts)
            )
            db.session.flush()
        db.session.commit()
    seen, address = [], "/moderation"
    while address:
        with queries() as asked:
            page = rex.get(address).text
        assert len([s for s in asked if "FROM sellers" in s]) <= 2
        seen += [f"shop{n:02}" for n in range(45) if f'/moderation/sellers/shop{n:02}"' in page]
        more = page.partition('href="/moderation?after=')[2].partition('"')[0]
        address = f"/moderation?after={more}" if more else ""
    assert seen == [f"shop{n:02}" for n in range(45)]


# Stopping somebody's sales, and letting them go on

WHY = "Three parcels were never sent."


def judged(browser, what, words=WHY, handle="mina", **more):
    return browser.post(f"/moderation/sellers/{handle}/{what}", data={"words": words}, **more)


@pytest.fixture
def selling(app, mug, client, post):
    """Mina's mug is on the shelf, in a clip of kai's and in a guest's cart; mina has an account."""
    post("/cart/lines", variant="mug-s", quantity="1")
    with app.test_request_context(method="POST"):
        owner = accounts.register("mina@example.com", "Mina", "none")
        profile = db.session.scalar(select(Profile).where(Profile.handle == "mina"))
        profile.user_id = owner.id
        accounts.grant(owner, Role.SELLER)
        db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", db.session.get(Product, mug.id)))
        db.session.commit()


def where_it_is(client):
    """Is the mug on the shelf, tagged in the clip, and for sale in the cart?"""
    places = ("/shop", "Mug &lt;b&gt;"), ("/v/kai1", 'href="/p/mug'), ("/cart", "To the checkout")
    return [words in client.get(address).text for address, words in places]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rex_stops_mina_s_sales_everywhere_at_once_and_she_hears_why(
    app, selling, client, rex, signed_in_as, letters, headers
):
    mina = signed_in_as("mina")
    assert where_it_is(client) == [True] * 3
    answer = judged(rex, "suspension", headers=headers)
    there = answer.headers["HX-Redirect" if headers else "Location"]
    assert there == "/moderation/sellers/mina?done=suspended"
    assert "Their sales are stopped" in rex.get(there).text
    assert where_it_is(client) == [False] * 3
    assert client.get("/p/mug").status_code == 404
    assert kept(app, RoleGrant.role) == [("moderator",)]
    (mail,) = letters()
    assert mail["Subject"] == "Your sales are stopped"
    told = mail.get_body(("plain",)).get_content()
    assert "A moderator, not a computer, stopped the sales of Atelier Mina" in told
    assert WHY in told
    assert mina.get("/sell").status_code == 303  # signed out
    assert WHY in signed_in_as("mina").get("/sell").text
    assert signed_in_as("mina").post("/sell/sending").status_code == 409


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rex_lets_mina_sell_again_and_tells_her_why(app, selling, client, rex, letters, headers):
    checked = kept(app, Seller.decided_at)
    judged(rex, "suspension")
    letters()
    answer = judged(rex, "return", "All three have arrived after all.", headers=headers)
    there = answer.headers["HX-Redirect" if headers else "Location"]
    assert "They may sell again." in rex.get(there).text
    assert where_it_is(client) == [True] * 3
    assert kept(app, Seller.decided_at) == checked  # that they were checked, and when, is as true as before
    assert sorted(kept(app, RoleGrant.role)) == [("moderator",), ("seller",)]
    assert ("lifted", "All three have arrived after all.") in kept(app, Event.became, Event.note)
    (mail,) = letters()
    assert mail["Subject"] == "You may sell again"
    assert "All three have arrived after all." in mail.get_body(("plain",)).get_content()


def test_stop_and_return_stand_in_the_audit_last_with_who_and_why(app, selling, rex):
    judged(rex, "suspension")
    judged(rex, "return", "All three have arrived after all.")
    with app.app_context():
        told = [(one.reason, one.role, one.before, one.after) for one in audit.about("seller:mina")]
        last = audit.last()[0]
        assert audit.about("seller:mina")[-1].seq == last
    sells, stopped = {"vetting": "approved"}, {"vetting": "suspended"}
    assert told == [
        (WHY, "moderator", sells, stopped),
        ("All three have arrived after all.", "moderator", stopped, sells),
    ]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_after_a_quarter_of_an_hour_rex_says_first_who_he_is(app, selling, client, rex, pass_time, letters, headers):
    judged(rex, "suspension")
    letters()
    assert "asked once more" not in rex.get("/moderation/sellers/mina").text
    pass_time(minutes=16)
    page = rex.get("/moderation/sellers/mina").text
    assert 'href="/sign-in/proof?next=/moderation/sellers/mina"' in page
    answer = judged(rex, "return", "All three have arrived after all.", headers=headers)
    assert answer.headers["HX-Redirect" if headers else "Location"].startswith("/sign-in/proof")
    assert where_it_is(client) == [False] * 3
    assert letters() == []


def test_whose_shop_closes_has_their_papers_kept_no_longer_than_who_was_refused(app, selling, signed_in_as):
    with app.test_request_context(method="POST"):
        mine = db.session.scalar(select(Seller.id))
        papers.keep(mine, PaperKind.FRONT, Read("jpeg", (b"a page",), b"12345678"), b"mark")
        papers.keep_until(mine, None)
        sellers.leave(SimpleNamespace(id=accounts.called("mina@example.com").id))
        db.session.commit()
    assert kept(app, Paper.keep_until)[0][0] - clock.now() > timedelta(days=89)


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("words", "said"),
    [("", "Give the reason"), ("too short", "at least 10 characters"), ("x" * 901, "at most 900 characters")],
)
def test_sales_are_not_stopped_without_a_reason(app, selling, client, rex, words, said, headers):
    answer = judged(rex, "suspension", words, headers=headers)
    assert answer.status_code == 422
    assert f">\r\n{words}</textarea>" in answer.text
    assert said in answer.text
    assert kept(app, Seller.vetting) == [("approved",)]
    assert kept(app, Event.became) == []
    assert where_it_is(client) == [True] * 3


def test_rex_does_not_stop_or_free_himself(app, selling, signed_in_as):
    mina = signed_in_as("mina")
    with app.test_request_context(method="POST"):
        accounts.grant(accounts.called("mina@example.com"), Role.MODERATOR)
        db.session.commit()
    mina = signed_in_as("mina")
    assert "This shop is for another moderator to decide on." in mina.get("/moderation/sellers/mina").text
    assert judged(mina, "suspension").status_code == 403
    assert kept(app, Seller.vetting) == [("approved",)]


def test_sales_are_stopped_once_and_a_shop_that_sells_is_not_let_loose(app, selling, rex):
    assert judged(rex, "return").status_code == 409
    assert judged(rex, "suspension").status_code == 303
    assert judged(rex, "suspension").status_code == 409
    assert kept(app, Event.became) == [("suspended",)]


def test_rex_finds_who_sells_page_by_page(app, selling, rex, lamp):
    judged(rex, "suspension")
    page = rex.get("/moderation/sellers").text
    assert page.index("/moderation/sellers/lars") < page.index("/moderation/sellers/mina") < page.index("Stopped")
    assert "/moderation/sellers/lars" not in rex.get("/moderation/sellers?after=lars").text
    assert 'href="/moderation/sellers"' in rex.get("/moderation").text


def test_in_dutch_too(mina, rex, letters):
    dutch = {"Accept-Language": "nl"}
    assert "Iedereen die hier verkoopt" in mina.get("/sell", headers=dutch).text
    sent_in(mina, PERSON)
    assert "Wie er wacht" in rex.get("/moderation", headers=dutch).text
