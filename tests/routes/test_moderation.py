"""The moderators' desk: who waits, deciding item by item, stopping sales; what Mina reads of it and how she appeals."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from shop import (
    accounts,
    appeals,
    audit,
    clock,
    marks,
    papers,
    payees,
    proposals,
    reasons,
    sanctions,
    sellers,
    statements,
)
from shop.database import db
from shop.gateways import bank_port
from shop.gateways.paper_reader import Read
from shop.models import (
    AuditEntry,
    BankAccount,
    BankState,
    Event,
    ListingCase,
    LookUp,
    LookUpResult,
    Paper,
    PaperKind,
    Product,
    Profile,
    Proposal,
    Role,
    RoleGrant,
    Seller,
    SellerMark,
    Statement,
    Verdict,
    Vetting,
    VettingItem,
)
from shop.words import Words
from tests.applicants import an_applicant, fill_the_queue
from tests.applying import PERSON, sent_in
from tests.cast import a_clip, a_profile
from tests.conftest import HTMX
from tests.papers import jpeg


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
    """The application as it stands on the moderator's page; who has not taken it sees no stamp."""
    page = browser.get(f"/moderation/sellers/{handle}").text
    return page.partition('name="seen" value="')[2].partition('"')[0].replace("&#43;", "+")


def claimed(browser, handle="mina"):
    return browser.post(f"/moderation/sellers/{handle}/claim")


def decided(browser, verdict, words="", reason="goods_not_allowed", handle="mina", **more):
    """Taken and decided, as somebody does who does not look at the items again."""
    claimed(browser, handle)
    form = {"verdict": verdict, "words": words, "reason": reason, "seen": seen(browser, handle), **more}
    return browser.post(f"/moderation/sellers/{handle}/decision", data=form)


@pytest.fixture
def waiting(app):
    """Mina has told everything and waits."""
    with app.test_request_context(method="POST"):
        an_applicant()


def accept(browser, item, headers=None, **more):
    form = {"seen": seen(browser), "state": "accepted", **more}
    return browser.post(f"/moderation/sellers/mina/items/{item}", data=form, headers=headers or {})


# Who waits


def test_the_queue_says_how_long_and_what_is_overdue(rex, waiting, signed_in_as, pass_time):
    page = rex.get("/moderation").text
    assert "waits for 1 hour" in page
    assert re.search(r"[3-5] days left", page)
    assert "Private person: 1" in page
    pass_time(days=8)
    later = signed_in_as("rex").get("/moderation").text
    assert re.search(r"overdue by [1-6] (day|week)", later)


def test_others_see_who_has_it_and_it_comes_back_by_hand(app, rex, waiting, signed_in_as):
    assert claimed(rex).location == "/moderation/sellers/mina"
    ada = signed_in_as("ada", Role.ADMIN)
    assert "Rex works on it until" in ada.get("/moderation").text
    page = ada.get("/moderation/sellers/mina").text
    assert "Rex is working on this at the moment." in page
    assert 'name="verdict"' not in page
    assert claimed(ada).status_code == 409
    assert rex.post("/moderation/sellers/mina/release").location == "/moderation?done=let_go"
    assert claimed(ada).status_code == 303
    assert kept(app, Seller.vetting) == [("waiting",)]


def test_the_queue_is_oldest_first_by_kind_and_turns_its_pages_with_as_many_questions(app, rex, queries):
    with app.test_request_context(method="POST"):
        fill_the_queue(45)
    seen, address, asked_for = [], "/moderation?kind=business", set()
    while address:
        with queries() as asked:
            page = rex.get(address).text
        asked_for.add(len(asked))
        seen += [f"shop{n:05}" for n in range(45) if f'/moderation/sellers/shop{n:05}"' in page]
        more = page.partition('href="/moderation?kind=business&amp;after=')[2].partition('"')[0]
        address = f"/moderation?kind=business&after={more}" if more else ""
    assert seen == [f"shop{n:05}" for n in range(45)]
    assert len(asked_for) == 1
    assert asked_for.pop() <= 7
    assert "shop00001" not in rex.get("/moderation?kind=brand").text


def test_a_shop_is_found_by_what_its_name_or_handle_begins_with(app, rex, waiting):
    for words in ("mina", "MIN", "@mina", "Atelier Mi", "atelier m"):
        assert 'href="/moderation/sellers/mina"' in rex.get("/moderation", query_string={"q": words}).text, words
    for words in ("Mina's", "telier", "zzz", "%"):
        assert 'href="/moderation/sellers/mina"' not in rex.get("/moderation", query_string={"q": words}).text, words


def test_a_place_that_nobody_gave_out_is_the_beginning(rex, waiting):
    for after in ("x", "1.", "9" * 60, "99999999999999999.1"):
        assert rex.get(f"/moderation?after={after}").status_code == 200


# Deciding


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rex_accepts_item_by_item_and_approves_and_mina_sells_after_signing_in_anew(
    app, rex, waiting, signed_in_as, letters, headers
):
    claimed(rex)
    for item in ("contact", "bank", "tax", "goods", "returns", "promise"):
        assert accept(rex, item).status_code == 303
    answer = accept(rex, "identity", valid_until="2031-05-01", headers=headers)
    assert (answer.status_code, answer.location) == (
        (200, None) if headers else (303, "/moderation/sellers/mina#decide")
    )
    assert "Every item is accepted." in rex.get("/moderation/sellers/mina").text
    answer = decided(rex, "approved")
    assert answer.location == "/moderation?done=approved"
    assert kept(app, Seller.vetting) == [("approved",)]
    assert sorted(kept(app, RoleGrant.role)) == [("moderator",), ("seller",)]
    page = rex.get("/moderation?done=approved").text
    assert "Nobody waits." in page
    assert "Approved. They are told by mail" in page
    assert "They are told by mail" not in rex.get("/moderation?done=nothing").text
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("mina@example.com", "You may sell")
    assert "You are approved: you may sell." in signed_in_as("mina").get("/sell").text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_wrong_with_an_item_stands_at_the_item(app, rex, waiting, headers):
    claimed(rex)
    answer = accept(rex, "identity", valid_until="2020-01-01", headers=headers)
    assert (answer.status_code, 'id="wrong-identity"' in answer.text) == (422, True)
    assert "This paper has run out, so it cannot be accepted." in answer.text
    assert accept(rex, "identity", valid_until="soon", headers=headers).status_code == 422
    assert accept(rex, "nonsense", headers=headers).status_code == 404
    form = {"seen": seen(rex), "state": "fix", "reason": "", "words": "Which mugs?"}
    answer = rex.post("/moderation/sellers/mina/items/goods", data=form, headers=headers)
    assert (answer.status_code, "Choose what is wrong with it." in answer.text) == (422, True)
    assert kept(app, VettingItem.id) == []


def test_something_is_to_be_fixed_and_mina_reads_what(app, rex, waiting, letters, signed_in_as):
    claimed(rex)
    form = {"seen": seen(rex), "state": "fix", "reason": "vague", "words": "Which <b>mugs</b>?"}
    assert rex.post("/moderation/sellers/mina/items/goods", data=form).status_code == 303
    assert "Which &lt;b&gt;mugs&lt;/b&gt;?" in rex.get("/moderation/sellers/mina").text
    assert decided(rex, "needs_fixing").location == "/moderation?done=needs_fixing"
    (mail,) = letters()
    assert mail["Subject"] == "Something has to be put right"
    assert "Which <b>mugs</b>?" in mail.get_body(("plain",)).get_content()
    assert "We do not know well enough what you want to sell." in mail.get_body(("plain",)).get_content()
    assert "&lt;b&gt;mugs" in mail.get_body(("html",)).get_content()
    assert kept(app, Seller.vetting) == [("needs_fixing",)]


def test_each_reason_stands_at_its_item_and_only_what_is_about_all_of_it_above(app, rex, waiting, signed_in_as):
    claimed(rex)
    form = {"state": "fix", "reason": "vague", "words": "Which mugs?"}
    rex.post("/moderation/sellers/mina/items/goods", data=form | {"seen": seen(rex)})
    rex.post("/moderation/sellers/mina/items/returns", data=form | {"seen": seen(rex), "words": "Whose street?"})
    decided(rex, "needs_fixing", "Take your time.")
    mina = signed_in_as("mina")
    page = mina.get("/sell").text
    above, _at, below = page.partition('class="sell__list"')
    assert "Take your time." in above
    assert [(words in above, below.count(words)) for words in ("Which mugs?", "Whose street?")] == [(False, 1)] * 2
    assert [words in mina.get("/sell/goods").text for words in ("Which mugs?", "Whose street?")] == [True, False]
    with app.test_request_context(method="POST"):  # what was told is gone since: why it was asked again is not
        db.session.execute(update(Seller).values(sells_what=""))
        db.session.commit()
    assert "Which mugs?" in mina.get("/sell").text
    assert "Which mugs?" in mina.get("/sell/goods").text


def test_the_desk_says_how_much_waits_in_each_of_its_rows(app, rex, mug):
    counted = r">(Accounts that are to change|Listings that wait|Papers to look at again): (\d+)<"
    assert dict(re.findall(counted, rex.get("/moderation").text)) == {
        "Accounts that are to change": "0",
        "Listings that wait": "0",
        "Papers to look at again": "0",
    }
    with app.test_request_context(method="POST"):
        shop, product = db.session.execute(select(Product.seller_id, Product.id)).one()
        facts = {"sealed_iban": b"x", "key_id": "k", "last4": "4300", "country": "NL", "holder": "Mina"}
        db.session.add(BankAccount(seller_id=shop, state="waiting", payee_check="match", set_at=clock.now(), **facts))
        db.session.add(ListingCase(code="case", product_id=product, why=[], opened_at=clock.now()))
        paper = papers.keep(shop, PaperKind.FRONT, Read("jpeg", (b"a page",), b""), b"mark")
        paper.valid_until = clock.now().date() - timedelta(days=2)
        db.session.commit()
    assert set(dict(re.findall(counted, rex.get("/moderation").text)).values()) == {"1"}


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("verdict", "given", "words"),
    [
        ("approved", {}, "7 items are not accepted"),
        ("needs_fixing", {}, "Say first, at an item"),
        ("refused", {"words": "We do not sell this.", "reason": ""}, "Choose the reason."),
        ("refused", {"words": "no", "reason": "untrue"}, "at least 10 characters"),
        ("suspended", {"words": "We do not like them."}, "Choose what to do with this application."),
        ("", {}, "Choose what to do with this application."),
    ],
)
def test_a_decision_without_its_ground_changes_nothing(app, rex, waiting, verdict, given, words, headers):
    claimed(rex)
    form = {"verdict": verdict, "seen": seen(rex), **given}
    answer = rex.post("/moderation/sellers/mina/decision", data=form, headers=headers)
    assert answer.status_code == 422
    assert words in answer.text
    assert kept(app, Seller.vetting) == [("waiting",)]
    assert kept(app, Statement.id) == []


def test_a_refusal_says_why_and_is_objected_to_once_before_another_moderator(app, rex, waiting, signed_in_as, letters):
    decided(rex, "refused", "We do not sell this kind of goods.")
    mina = signed_in_as("mina")
    page = mina.get("/sell").text
    assert "We do not sell this kind of goods." in page
    assert mina.post("/sell/objection", data={"words": "short"}).status_code == 422
    about = f'<a href="/statements/{kept(app, Statement.code)[0][0]}">Refused, '
    assert ("It is about this decision: " + about in page, 'href="/statements"' in page) == (True, True)
    assert 'href="/statements"' in mina.get("/account").text
    letters()
    assert mina.post("/sell/objection", data={"words": "They are only mugs, look."}).status_code == 303
    assert "Your objection is about this decision: " + about in mina.get("/sell").text
    assert [mail["Subject"] for mail in letters()] == ["We have your objection"]
    assert "They are only mugs, look." in rex.get("/moderation/sellers/mina").text
    assert ">Appeal</span>" in rex.get("/moderation").text
    assert 'name="verdict"' not in rex.get("/moderation/sellers/mina").text
    assert decided(rex, "refused", "We still do not sell this.").status_code == 403
    ada = signed_in_as("ada", Role.ADMIN)
    assert decided(ada, "refused", "They are not mugs at all.").location == "/moderation?done=proposed"
    assert kept(app, Seller.vetting) == [("waiting",)]
    code = kept(app, Proposal.code)[0][0]
    assert "I confirm it" not in ada.get("/moderation/proposals").text
    assert ada.post(f"/moderation/proposals/{code}/confirmation").status_code == 403
    assert "I confirm it" in rex.get("/moderation/proposals").text
    assert rex.post(f"/moderation/proposals/{code}/confirmation").status_code == 303
    assert 'action="/sell/objection"' not in mina.get("/sell").text
    assert mina.post("/sell/objection", data={"words": "They are only mugs, look."}).status_code == 409
    assert kept(app, Seller.vetting) == [("refused",)]


def test_what_takes_two_wants_a_fresh_proof(app, rex, waiting, signed_in_as, pass_time):
    ada = signed_in_as("ada", Role.ADMIN)
    pass_time(minutes=16)
    for address in ("ban", "payout-stop", "payout-return"):
        assert rex.post(f"/moderation/sellers/mina/{address}").location.startswith("/sign-in/proof")
    for address in ("x/confirmation", "x/decline"):
        assert ada.post(f"/moderation/proposals/{address}").location.startswith("/sign-in/proof")
    assert ada.post("/moderation/appeals/x/outcome").location.startswith("/sign-in/proof")


def test_a_moderator_who_sells_reads_nothing_of_what_is_planned_about_their_own_shop(app, rex, signed_in_as):
    with app.test_request_context(method="POST"):
        mine = an_applicant()
        an_applicant("lars", "Lars")
        db.session.execute(update(Paper).values(file_mark=b"the same"))
        user = accounts.called("mina@example.com")
        user.roles = [RoleGrant(role=Role.MODERATOR, granted_at=clock.now())]
        by = accounts.as_actor(accounts.called("rex@example.com"))
        sanctions.propose_ban(mine, by=by, reason="forged", words=Words(en="The paper is a copy."))
        statements.write(mine, Verdict.SUSPENDED, by=by, reason=reasons.SUSPENSIONS["not_sent"], words=Words(en=WHY))
        code = db.session.scalars(select(Statement.code)).one()
        appeals.lodge(code, by=accounts.as_actor(user), words="They were sent, look.")
        db.session.commit()
    planned = ("proposes something", "The same paper", "The paper is a copy.", f"/moderation/appeals/{code}")
    for browser, is_told in ((rex, True), (signed_in_as("mina"), False)):
        pages = [browser.get(f"/moderation{one}") for one in ("", "/sellers/mina", "/proposals", "/appeals")]
        assert [page.status_code for page in pages] == [200] * 4
        text = "".join(page.text for page in pages)
        assert [words for words in planned if words in text] == (list(planned) if is_told else [])
        with app.test_request_context():
            who = accounts.called("rex@example.com" if is_told else "mina@example.com")
            assert (proposals.how_many(who), appeals.waiting(who)) == (int(is_told), int(is_told))


def test_two_moderators_do_not_decide_twice(app, rex, waiting, signed_in_as):
    claimed(rex)
    stamp = seen(rex)
    form = {"verdict": "refused", "words": "We do not sell this.", "reason": "untrue", "seen": stamp}
    assert rex.post("/moderation/sellers/mina/decision", data=form).status_code == 303
    assert rex.post("/moderation/sellers/mina/decision", data=form).status_code == 409
    assert kept(app, Statement.verdict) == [("refused",)]


def test_the_desk_is_not_there_for_others(waiting, signed_in_as):
    for browser in (signed_in_as("mina"), signed_in_as("kai", Role.CREATOR)):
        for address in ("", "/sellers/mina", "/appeals", "/proposals"):
            assert browser.get(f"/moderation{address}").status_code == 404
        for address in ("decision", "claim", "items/goods", "ban"):
            assert browser.post(f"/moderation/sellers/mina/{address}").status_code == 404


def test_an_unknown_application_is_a_404(rex):
    assert rex.get("/moderation/sellers/nobody").status_code == 404


def test_all_the_evidence_stands_beside_what_was_told_in_one_look(app, rex):
    """A register that says no, a bank that nearly agrees, somebody with the same telephone, and an open paper."""
    with app.test_request_context(method="POST"):
        facts = {"kind": "business", "company_register": "KVK", "company_number": "68750110"}
        mina = an_applicant(**facts)
        marks.keep(mina)
        marks.keep(an_applicant("kira", "Kira Keramiek", **facts | {"company_number": "12345678"}))
        said = {"name": "Bakkerij Smit", "why": "name"}
        asked = {"kind": "company", "source": "kvk", "asked": "68750110", "result": "no_match", "answer": said}
        db.session.add(LookUp(seller_id=mina.id, at=clock.now(), **asked))
        db.session.execute(update(BankAccount).values(payee_check="close", payee_name="M. de Vries-Bos"))
        code = papers.keep(mina.id, PaperKind.EXTRACT, Read("jpeg", (jpeg(),), bytes(8)), b"extract").code
        db.session.commit()
    claimed(rex)
    opened = rex.post(f"/moderation/papers/{code}/opening", data={"reason": "First look at this application."})
    assert opened.status_code == 303
    written = kept(app, AuditEntry.seq)
    page = rex.get("/moderation/sellers/mina")
    places = {
        name: page.text.partition(f'id="item-{name}"')[2].partition("</section>")[0] for name in ("register", "bank")
    }
    told = {
        "register": ("68750110", "Does not agree", "Bakkerij Smit", f'src="/moderation/papers/{code}/1"'),
        "bank": ("4300", "Almost agrees", "M. de Vries-Bos"),
    }
    assert {name: [one for one in told[name] if one not in places[name]] for name in told} == {
        "register": [],
        "bank": [],
    }
    twin = page.text.partition('href="/moderation/sellers/kira"')[2].partition("</p>")[0]
    assert "the same address, telephone" in " ".join(twin.split())
    picture = rex.get(f"/moderation/papers/{code}/1")
    assert (picture.status_code, picture.headers["Cache-Control"]) == (200, "no-store")
    assert kept(app, AuditEntry.seq) == written  # the opening was written down once; to look is not another one
    rex.post(f"/moderation/papers/{code}/closing")
    assert f'src="/moderation/papers/{code}/1"' not in rex.get("/moderation/sellers/mina").text


# Statements and appeals


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_statement_is_read_and_appealed_by_who_it_is_about(app, selling, rex, signed_in_as, headers):
    judged(rex, "suspension")
    address = f"/statements/{kept(app, Statement.code)[0][0]}"
    mina = signed_in_as("mina")
    assert signed_in_as("noor").get(address).status_code == 404
    assert app.test_client().get(address).location.startswith("/sign-in")
    assert address in mina.get("/statements").text
    page = mina.get(address).text
    assert WHY in page
    assert "A person, not a computer" in page
    wrong = mina.post(f"{address}/appeal", data={"words": "no"}, headers=headers)
    assert (wrong.status_code, "at least 10 characters" in wrong.text) == (422, True)
    answer = mina.post(f"{address}/appeal", data={"words": "They were sent, look."}, headers=headers)
    assert (answer.location or answer.headers["HX-Redirect"]) == address
    assert "It waits for somebody" in mina.get(address).text
    assert "They were sent, look." in rex.get(address).text
    assert mina.post(f"{address}/appeal", data={"words": "They were sent, look."}).status_code == 409
    ada = signed_in_as("ada", Role.ADMIN)
    code = address.rpartition("/")[2]
    assert f"/moderation/appeals/{code}" in ada.get("/moderation/appeals").text
    assert "for another moderator to decide" in rex.get(f"/moderation/appeals/{code}").text
    ending = f"/moderation/appeals/{code}/outcome"
    wrong = ada.post(ending, data={"outcome": "granted", "words": ""}, headers=headers)
    assert (wrong.status_code, "Say more" in wrong.text) == (422, True)
    assert kept(app, Seller.vetting) == [("suspended",)]
    answer = ada.post(ending, data={"outcome": "granted", "words": "All three are there."}, headers=headers)
    assert (answer.location or answer.headers["HX-Redirect"]) == "/moderation/appeals"
    assert kept(app, Seller.vetting) == [("approved",)]


def test_what_is_decided_is_counted_for_everybody_and_nobody_is_named(app, client, rex, waiting, queries):
    decided(rex, "refused", "We do not sell this kind of goods.")
    app.extensions.pop("shop.transparency", None)
    with queries() as asked:
        page = client.get("/transparency").text
    assert len([one for one in asked if "statements" in one]) == 3
    with queries() as asked:
        assert client.get("/transparency").text.count("refused") == page.count("refused")
    assert [one for one in asked if "statements" in one] == []
    assert "What you want to sell is not allowed here." in page
    assert "Mina" not in page
    assert "Rex" not in page
    assert 'href="/transparency"' in client.get("/cart").text
    app.extensions.pop("shop.transparency", None)


# Stopping somebody's sales, and letting them go on

WHY = "Three parcels were never sent."


def judged(browser, what, words=WHY, handle="mina", **more):
    name, reason = {"suspension": ("stop", "not_sent"), "return": ("lifting", "put_right")}[what]
    form = {f"{name}-words": words, f"{name}-reason": reason}
    return browser.post(f"/moderation/sellers/{handle}/{what}", data=form, **more)


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
    assert "No longer for sale, so it is not counted." in client.get("/cart").text
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
    assert ("lifted", "What was wrong has been put right.\nAll three have arrived after all.") in kept(
        app, Event.became, Event.note
    )
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


BEFORE = (Vetting.DRAFT, Vetting.WAITING, Vetting.NEEDS_FIXING, Vetting.REFUSED)  # they never sold


def everything_in(app):
    with app.app_context():
        return repr([db.session.execute(table.select()).all() for table in db.metadata.sorted_tables]).lower()


def test_the_number_of_a_paper_is_kept_as_a_mark_and_stands_nowhere(app, waiting, rex, capfd):
    claimed(rex)
    asked = rex.get("/moderation/sellers/mina").text
    assert 'name="document" maxlength="30" autocomplete="off"' in asked
    for wrong, words in [("111222333", "citizen service number"), ("x1", "no number of a paper"), ("7" * 31, "30")]:
        answer = accept(rex, "identity", valid_until="2031-05-01", document=wrong)
        assert (answer.status_code, words in answer.text, f'value="{wrong}"' in answer.text) == (422, True, False)
        assert kept(app, SellerMark.kind) == []
    assert accept(rex, "identity", valid_until="2031-05-01", document="SPECI 2014Q").status_code == 303
    assert kept(app, SellerMark.kind) == [("document",)]
    shown = rex.get("/moderation/sellers/mina").text.lower()
    said = "".join(capfd.readouterr()).lower()
    assert [number in place for number in ("speci", "2014q") for place in (everything_in(app), shown, said)] == [
        False
    ] * 6


def test_who_has_accepted_a_paper_without_reading_its_number_keeps_what_is_known(app, waiting, rex):
    claimed(rex)
    accept(rex, "identity", valid_until="2031-05-01", document="SPECI2014Q")
    before = kept(app, SellerMark.mark)
    assert accept(rex, "identity", valid_until="2031-05-01", document=" ").status_code == 303
    assert kept(app, SellerMark.mark) == before


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


@pytest.mark.parametrize(
    ("vetting", "before", "days"),
    [*((vetting, None, 90) for vetting in BEFORE), ("approved", None, None), ("waiting", 180, 90), ("refused", 10, 10)],
)
def test_whose_shop_closes_has_papers_and_account_kept_for_six_months_or_as_of_who_was_refused(
    app, selling, signed_in_as, vetting, before, days
):
    with app.test_request_context(method="POST"):
        mine = db.session.scalars(select(Seller)).one()
        now = clock.now()
        papers.keep(mine.id, PaperKind.FRONT, Read("jpeg", (b"a page",), b"12345678"), b"mark")
        papers.keep_until(mine.id, now + timedelta(days=before) if before else None)
        given = payees.Checked("NL91ABNA0417164300", "Mina", "nobody", bank_port.Verdict(LookUpResult.CANNOT_CHECK))
        person = SimpleNamespace(id=accounts.called("mina@example.com").id)
        payees.keep(mine.id, BankState.CURRENT, given, by=person)
        db.session.get_one(Seller, mine.id).vetting = vetting
        db.session.flush()
        sellers.leave(person)
        db.session.commit()
    ((until,),), ((ended,),) = kept(app, Paper.keep_until), kept(app, Seller.ended_at)
    assert (until and round((until - now) / timedelta(days=1)), ended is not None) == (days, True)
    assert kept(app, BankAccount.state) == [("replaced",)]


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
