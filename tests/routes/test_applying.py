"""Applying to sell, page by page: a checklist, one short form for each step, and sending it in."""

import re
from io import BytesIO

import pytest
from sqlalchemy import func, select

from shop import accounts, application, checklist, contact_mail, sellers
from shop.checklist import Item
from shop.database import db
from shop.models import BankAccount, Event, ItemState, Paper, Profile, Role, Seller, Vetting
from shop.routes.sell_trade_forms import FORMS
from shop.words import Words
from tests.applying import BUSINESS, PERSON, begun, tell_all, who
from tests.cast import a_profile
from tests.conftest import HTMX
from tests.papers import jpeg

BEGIN = {"kind": "individual", "country": "NL", "shop_name": "Atelier Mina", "handle": "mina"}
CONTACT = {
    "legal_name": " Mina de Vries ",
    "street": "Oudegracht 1",
    "postcode": "3511aa",
    "city": "Utrecht",
    "phone": "+31 30 123 45 67",
    "email": "mina@example.com",
}
RETURNS = {
    "returns_address": "Oudegracht 1,\r\n3511 AA Utrecht",
    "returns_country": "BE",
    "returns_days": "30",
    "returns_paid_by": "seller",
}


@pytest.fixture
def mina(signed_in_as):
    return signed_in_as("mina")


def kept(app, *columns):
    with app.test_request_context():
        return [tuple(row) for row in db.session.execute(select(*columns)).all()]


def told(browser, *, but=()):
    """All that is asked is told, but for these."""
    with browser.application.test_request_context():
        person = who(browser)
    with browser.application.test_request_context(method="POST"):
        tell_all(person, but=but)
        db.session.commit()


def there(answer):
    return answer.location or answer.headers.get("HX-Redirect")


# To begin


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_has_not_begun_sees_what_they_need_and_begins_with_four_answers(app, mina, headers):
    page = mina.get("/sell").text
    assert "Your passport, identity card or driving licence" in page
    assert "It takes about 9 minutes." in page
    assert "kept for 180 days" in page
    answer = mina.post("/sell", data=BEGIN, headers=headers)
    assert there(answer) == "/sell/contact"
    assert kept(app, Seller.vetting, Seller.kind, Seller.country) == [("draft", "individual", "NL")]
    assert kept(app, Profile.handle, Profile.name) == [("mina", "Atelier Mina")]
    assert kept(app, Event.id) == []


def test_another_kind_or_country_is_asked_other_things_before_one_begins_and_nothing_typed_is_lost(app, mina):
    page = mina.get("/sell?kind=business&country=DE&shop_name=Half+typed&handle=").text
    assert "Your number in the packaging register of your country" in page
    assert "Your passport" not in page
    assert "It takes about 12 minutes." in page
    assert 'value="Half typed"' in page
    assert mina.get("/sell?kind=nonsense&country=XX").status_code == 200
    assert kept(app, Seller.id) == []


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("shop_name", "", "Fill this in."),
        ("handle", "Mi na", "Use 3 to 30 small letters"),
        ("handle", "admin", "This name is taken."),
        ("kind", "admin", "Not a valid choice."),
        ("country", "KP", "Not a valid choice."),
    ],
)
def test_what_is_wrong_at_the_beginning_stands_beside_the_field(app, mina, field, value, words, headers):
    answer = mina.post("/sell", data=BEGIN | {field: value}, headers=headers)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-errors"' in answer.text
    assert (kept(app, Seller.id), kept(app, Profile.id)) == ([], [])


def test_one_begins_once_and_not_under_the_name_of_another(app, mina, signed_in_as):
    mina.post("/sell", data=BEGIN)
    assert mina.post("/sell", data=BEGIN).status_code == 409
    answer = signed_in_as("olga").post("/sell", data=BEGIN)
    assert answer.status_code == 422
    assert "This name is taken." in answer.text
    assert kept(app, func.count(Seller.id)) == [(1,)]


def test_who_has_a_window_sells_under_its_name(app, signed_in_as):
    kai = signed_in_as("kai", Role.CREATOR)
    with app.test_request_context(method="POST"):
        db.session.add(a_profile("kai", "Kai films", user_id=accounts.called("kai@example.com").id))
        db.session.commit()
    assert 'name="handle"' not in kai.get("/sell").text
    assert there(kai.post("/sell", data={"kind": "individual", "country": "NL"})) == "/sell/contact"
    assert kept(app, Profile.handle, Profile.name) == [("kai", "Kai films")]


def test_kind_and_country_are_changed_on_a_page_of_their_own(app, mina):
    begun(mina)
    assert 'value="NL"' in mina.get("/sell/kind").text
    assert "A certificate of your mark" in mina.get("/sell/kind?kind=brand&country=FR").text
    assert mina.post("/sell/kind", data={"kind": "brand", "country": "KP"}).status_code == 422
    assert there(mina.post("/sell/kind", data={"kind": "brand", "country": "FR"})) == "/sell"
    assert kept(app, Seller.kind, Seller.country) == [("brand", "FR")]
    assert "Packaging register" in mina.get("/sell").text


# The checklist


def test_what_nobody_has_looked_at_yet_is_no_moderator_s_wish(mina):
    begun(mina)
    assert "A moderator asks you" not in mina.get("/sell").text
    assert "A moderator asks you" not in mina.get("/sell/goods").text


def test_the_checklist_says_what_is_missing_how_long_it_takes_and_where_to_go_on(mina):
    begun(mina)
    told(mina, but=(Item.IDENTITY, Item.BANK))
    page = mina.get("/sell").text
    assert "5 of 7 done" in page
    assert "about 3 minutes left" in page
    assert '<progress class="progress" max="7" value="5"' in page
    assert 'href="/sell/identity">Go on: Identity paper</a>' in page
    assert "Still to do: Identity paper, Bank account." in page
    assert "disabled" in page.partition('action="/sell/sending"')[2].partition("</form>")[0]


# The steps


STEPS = [
    (PERSON, "contact", CONTACT, {"legal_name": "Mina de Vries", "postcode": "3511 AA", "email": "mina@example.com"}),
    (
        PERSON,
        "goods",
        {"sells_what": "Mugs and bowls.", "stock_kind": "made_to_order"},
        {"stock_kind": "made_to_order"},
    ),
    (PERSON, "returns", RETURNS, {"returns_address": "Oudegracht 1, 3511 AA Utrecht, BE", "returns_days": 30}),
    (PERSON, "promise", {"is_self_certified": "y", "terms": "y"}, {"terms_version": "2026-11"}),
    (
        BUSINESS,
        "register",
        {"company_register": "KVK", "company_number": "6875 0110"},
        {"company_register": "KVK", "company_number": "6875 0110"},
    ),
    (BUSINESS, "vat", {"vat_number": "nl 999999990 b51"}, {"vat_number": "NL999999990B51", "is_small_business": False}),
    (BUSINESS, "vat", {"is_small_business": "y"}, {"vat_number": "", "is_small_business": True}),
    (BUSINESS, "representative", {"represented_by": "Mina", "represented_as": "owner"}, {"represented_by": "Mina"}),
    (
        PERSON | {"country": "US"},
        "eu_responsible",
        {"name": "Europa", "address": "Kade 1", "email": "e@u.eu"},
        {"eu_responsible": {"name": "Europa", "address": "Kade 1", "email": "e@u.eu"}},
    ),
    (
        BUSINESS | {"country": "FR"},
        "packaging",
        {"number": "fr123456_01abcd"},
        {"packaging": {"FR": "FR123456_01ABCD"}},
    ),
]


@pytest.mark.parametrize(("facts", "item", "form", "columns"), STEPS)
def test_a_step_is_kept_shown_again_and_leads_to_the_next_that_is_missing(app, mina, facts, item, form, columns):
    begun(mina, facts)
    asked = checklist.asked_of(facts["kind"], facts["country"])
    answer = mina.post(f"/sell/{item}", data=form)
    after = asked[asked.index(Item(item)) + 1 :]
    half = item == "register"  # its paper is still missing
    assert there(answer) == f"/sell/{item if half else (after or asked)[0]}"
    assert kept(app, *(getattr(Seller, name) for name in columns)) == [tuple(columns.values())]
    shown = mina.get(f"/sell/{item}")
    assert all(str(text).strip() in shown.text for name, text in form.items() if name in ("street", "represented_by"))


WRONG = [
    (PERSON, "contact", CONTACT | {"email": "mina"}, "email", "This does not look like an e-mail address."),
    (PERSON, "contact", CONTACT | {"phone": "call me"}, "phone", "This does not look like a telephone number."),
    (PERSON, "contact", CONTACT | {"postcode": "35111 AA"}, "postcode", "A postcode in this country looks different."),
    (PERSON, "goods", {"sells_what": "mugs"}, "sells_what", "Tell us in 10 to 500 characters."),
    (PERSON, "returns", RETURNS | {"returns_country": "CN"}, "returns_country", "Not a valid choice."),
    (PERSON, "returns", RETURNS | {"returns_days": "13"}, "returns_days", "Here buyers have 14 days at least"),
    (PERSON, "promise", {"is_self_certified": "y"}, "terms", "Nobody sells here without these terms."),
    (PERSON, "bank", {"iban": "NL91ABNA0417164301", "holder": "Mina"}, "iban", ""),
    (BUSINESS, "register", {"company_register": "KVK", "company_number": "6875011"}, "company_number", ""),
    (BUSINESS, "vat", {"vat_number": "NL99999999B51"}, "vat_number", ""),
    (BUSINESS, "vat", {}, "is_small_business", "Fill in the number, or say that you have none; not both."),
    (BUSINESS | {"country": "DE"}, "packaging", {"number": "DE123"}, "number", "looks different"),
]


@pytest.mark.parametrize(("facts", "item", "form", "field", "words"), WRONG)
def test_what_is_wrong_stands_beside_the_field_with_what_was_typed_and_nothing_is_kept(
    app, mina, facts, item, form, field, words
):
    begun(mina, facts)
    before = kept(app, *Seller.__table__.c)
    for headers in ({}, HTMX):
        answer = mina.post(f"/sell/{item}", data=form, headers=headers)
        assert answer.status_code == 422
        assert f'id="{field}-errors"' in answer.text
        assert words in answer.text
        assert all(text in answer.text for name, text in form.items() if name != "returns_country")
    assert kept(app, *Seller.__table__.c) == before
    assert kept(app, BankAccount.id) == []


def test_a_step_that_is_not_asked_is_not_there(app, mina, signed_in_as):
    begun(mina)
    before = kept(app, *Seller.__table__.c)
    for item in ("register", "packaging", "nonsense", "state", "vetting"):
        assert mina.get(f"/sell/{item}").status_code == 404
        assert mina.post(f"/sell/{item}", data={"company_number": "68750110", "vetting": "approved"}).status_code == 404
    assert mina.post("/sell/identity", data={}).status_code == 404  # papers have their own address
    assert signed_in_as("olga").post("/sell/goods", data={"sells_what": "Mugs and bowls."}).status_code == 404
    extra = {"sells_what": "Mugs and bowls.", "stock_kind": "own_stock", "vetting": "approved", "seller_id": "1"}
    assert mina.post("/sell/goods", data=extra).status_code == 303
    assert kept(app, Seller.vetting) == [("draft",)]
    assert before[0][0] == kept(app, Seller.id)[0][0]


def test_papers_lead_on_and_are_only_their_owner_s(app, mina, signed_in_as):
    begun(mina)
    answers = []
    for kind in ("front", "back"):
        file = {"kind": kind, "file": (BytesIO(jpeg(kind)), "card.jpg")}
        answers.append(there(mina.post("/sell/papers", data=file)))
    assert answers == ["/sell/identity", "/sell/bank"]
    olga = signed_in_as("olga")
    begun(olga, PERSON | {"handle": "olga"})
    code = kept(app, Paper.code)[0][0]
    assert olga.post(f"/sell/papers/{code}/removal").status_code == 404
    assert code not in olga.get("/sell/identity").text
    assert there(mina.post(f"/sell/papers/{code}/removal")) == "/sell/identity"
    assert sorted(kept(app, Paper.state)) == [("sealed",), ("shredded",)]


def test_the_bank_says_whether_the_name_fits_and_a_nearly_right_one_is_taken_over(app, mina):
    begun(mina)
    close = {"iban": "NL39 RABO 0300 0652 64", "holder": "Mina Bakker"}
    assert there(mina.post("/sell/bank", data=close)) == "/sell/bank"
    page = mina.get("/sell/bank").text
    assert "Nearly: the bank says that the account is on the name of Mina de Groot-Bakker." in page
    assert "RABO 0300" not in page
    assert there(mina.post("/sell/bank/name")) == "/sell/tax"
    assert kept(app, BankAccount.holder, BankAccount.payee_check) == [("Mina de Groot-Bakker", "match")]
    assert mina.post("/sell/bank/name").status_code == 409
    assert there(mina.post("/sell/bank", data={"iban": "NL20INGB0001234567", "holder": "Mina"})) == "/sell/bank"
    assert "The bank says that this account is on another name." in mina.get("/sell/bank").text
    assert there(mina.post("/sell/bank", data={"iban": "NL91ABNA0417164300", "holder": "Mina"})) == "/sell/tax"
    assert "The bank says that the name fits." in mina.get("/sell/bank").text
    assert kept(app, BankAccount.last4) == [("4300",)]


def test_the_account_with_the_payment_company_is_opened_on_the_way_with_a_proof(app, mina, pass_time):
    begun(mina)
    assert "/payouts/account" not in mina.get("/sell/bank").text  # the sandbox needs none
    assert there(mina.post("/payouts/account", data={"from": "sell"})) == "/sell/bank"
    page = mina.get("/sell/bank").text
    assert "The payment company still wants to know something." in page
    assert '<input type="hidden" name="from" value="sell">' in page
    assert there(mina.post("/payouts/look", data={"from": "sell"})) == "/sell/bank"
    assert there(mina.post("/payouts/onboarding", data={"from": "sell"})).startswith("/sandbox/account/")
    pass_time(minutes=16)
    assert 'href="/sign-in/proof?next=/sell/bank"' in mina.get("/sell/bank").text
    assert there(mina.post("/payouts/onboarding", data={"from": "sell"})).startswith("/sign-in/proof")


# The e-mail address for buyers


def test_another_address_is_confirmed_on_another_device(app, mina, letters, client):
    begun(mina)
    assert there(mina.post("/sell/contact", data=CONTACT | {"email": "shop@mina.example"})) == "/sell/contact"
    (mail,) = letters()
    page = mina.get("/sell/contact").text
    assert "We have mailed six figures to shop@mina.example." in page
    wrong = mina.post("/sell/contact/figures", data={"figures": "12 34"})
    assert (wrong.status_code, 'value="12 34"' in wrong.text) == (422, True)
    link = mail.get_body(("plain",)).get_content().partition("/sell/address/")[2].split()[0]
    seen = client.get(f"/sell/address/{link}")  # who reads the mail need not be signed in
    assert "Atelier Mina wants to sell at Etalage" in seen.text
    assert seen.headers["Cache-Control"] == "no-store"
    assert kept(app, Seller.email_confirmed_at) == [(None,)]
    assert client.post(f"/sell/address/{link}").status_code == 303
    assert "This address is confirmed." in client.get(f"/sell/address/{link}").text
    assert client.post("/sell/address/nonsense").status_code == 410
    assert "We have mailed six figures" not in mina.get("/sell/contact").text


def test_the_figures_lead_on_and_a_new_mail_is_asked_for_five_times_a_day(app, mina, letters):
    begun(mina)
    mina.post("/sell/contact", data=CONTACT | {"email": "shop@mina.example"})
    again = [mina.post("/sell/contact/mail").status_code for _time in range(5)]
    assert again == [303] * 4 + [429]
    assert len(letters()) == 5
    with app.test_request_context():
        figures = contact_mail.figures_for(db.session.scalars(select(Seller)).one())
    assert there(mina.post("/sell/contact/figures", data={"figures": figures}, headers=HTMX)) == "/sell/identity"
    assert kept(app, Seller.email_confirmed_at) != [(None,)]


# Sending it in


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_mina_sends_it_in_waits_and_takes_it_back(app, mina, headers, letters):
    begun(mina)
    told(mina)
    letters()
    page = mina.get("/sell").text
    assert "7 of 7 done" in page
    assert "Everything is here." in page
    assert there(mina.post("/sell/sending", headers=headers)) == "/sell"
    assert [mail["Subject"] for mail in letters()] == ["We have your application"]
    page = mina.get("/sell").text
    assert "Your application waits for a moderator. You cannot sell yet." in page
    assert "Yours is the first in the row." in page
    assert "We aim at three working days, so by" in page
    assert 'href="/sell/contact"' not in page
    assert there(mina.get("/sell/contact")) == "/sell"
    assert (
        mina.post("/sell/goods", data={"sells_what": "Knives and swords.", "stock_kind": "own_stock"}).status_code
        == 409
    )
    assert mina.post("/sell/kind", data={"kind": "brand", "country": "FR"}).status_code == 409
    assert mina.post("/sell/sending").status_code == 409
    assert kept(app, Seller.vetting, Seller.sells_what) == [("waiting", PERSON["sells_what"])]
    assert there(mina.post("/sell/return", headers=headers)) == "/sell"
    assert mina.post("/sell/return").status_code == 409
    assert kept(app, Seller.vetting) == [("draft",)]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_with_something_missing_nothing_is_sent_in(app, mina, headers):
    begun(mina)
    told(mina, but=(Item.PROMISE,))
    answer = mina.post("/sell/sending", headers=headers)
    assert answer.status_code == 422
    assert "1 thing is still missing." in answer.text
    assert (kept(app, Seller.vetting), kept(app, Event.id)) == ([("draft",)], [])


def test_a_later_applicant_is_told_how_many_come_first(mina, signed_in_as):
    olga = signed_in_as("olga")
    for browser, handle in ((mina, "mina"), (olga, "olga")):
        begun(browser, PERSON | {"handle": handle})
        told(browser)
        browser.post("/sell/sending")
    assert "1 application is looked at before yours." in olga.get("/sell").text


def test_what_has_to_be_fixed_is_asked_first_with_the_moderators_words_beside_it(app, mina, signed_in_as):
    begun(mina)
    told(mina)
    mina.post("/sell/sending")
    signed_in_as("rex", Role.MODERATOR)
    with app.test_request_context(method="POST"):
        rex = accounts.as_actor(accounts.called("rex@example.com"))
        seller = sellers.called("mina")
        for item in checklist.asked_of(seller.kind, seller.country):
            checklist.judge(seller, item, ItemState.ACCEPTED, by=rex)
        words = Words(en="Which <b>mugs</b>?", nl="Welke <b>mokken</b>?")
        checklist.judge(seller, Item.GOODS, ItemState.FIX, by=rex, reason="vague", words=words)
        sellers.move(seller, Vetting.NEEDS_FIXING, by=rex, note="", is_told=False)
        db.session.commit()
    page = mina.get("/sell").text
    assert "6 of 7 done" in page
    assert "Which &lt;b&gt;mugs&lt;/b&gt;?" in page
    assert 'href="/sell/goods">Go on: What you sell</a>' in page
    whole = "Tell us more about it. Which &lt;b&gt;mugs&lt;/b&gt;?"  # the reason that was chosen, and the own words
    assert whole in page
    assert whole in mina.get("/sell/goods").text
    assert "A moderator has accepted this." in mina.get("/sell/returns").text
    assert mina.post("/sell/sending").status_code == 422
    answer = mina.post("/sell/goods", data={"sells_what": "Stoneware mugs and bowls.", "stock_kind": "own_stock"})
    assert there(answer) == "/sell"
    assert there(mina.post("/sell/sending")) == "/sell"
    with app.test_request_context():
        stands = {step.item: str(step.state) for step in checklist.of(sellers.called("mina"))}
    assert stands == dict.fromkeys(stands, "accepted") | {Item.GOODS: "given"}


def test_a_draft_is_not_there_for_moderators(mina, signed_in_as):
    begun(mina)
    rex = signed_in_as("rex", Role.MODERATOR)
    assert rex.get("/moderation/sellers/mina").status_code == 404
    assert "Atelier Mina" not in rex.get("/moderation").text


def test_steps_ask_for_a_fixed_number_of_queries(mina, queries):
    begun(mina, BUSINESS)
    counts = {}
    for address in ("/sell", "/sell/contact", "/sell/register", "/sell/bank"):
        mina.get(address)
        with queries() as asked:
            assert mina.get(address).status_code == 200
        counts[address] = len(asked)
    assert max(counts.values()) <= 12, counts


def test_the_terms_for_sellers_are_there_for_everybody(client):
    page = client.get("/terms").text
    assert f"Version {application.TERMS}." in page
    assert "30 days before" in page
    assert "Object on the page of your shop." in page


def test_applying_in_dutch(mina):
    dutch = {"Accept-Language": "nl"}
    assert "Wat je bij de hand moet hebben" in mina.get("/sell", headers=dutch).text
    begun(mina)
    assert "nog ongeveer 9 minuten" in mina.get("/sell", headers=dutch).text
    assert "Voorwaarden voor verkopers" in mina.get("/terms", headers=dutch).text


def test_beside_every_field_stands_what_it_is_for_and_until_when_it_is_kept(signed_in_as):
    seen = set()
    for handle, facts in (("ada", BUSINESS), ("ben", PERSON), ("cem", BUSINESS | {"country": "TR"})):
        browser = signed_in_as(handle)
        begun(browser, facts | {"handle": handle})
        _reads_each_step(browser, seen)
    france = signed_in_as("dom")
    begun(france, BUSINESS | {"handle": "dom", "country": "FR"})
    _reads_each_step(france, seen)
    assert seen == {(item, name) for item, form in FORMS.items() for name in _fields(form)}


def _fields(form):
    return [name for name, field in vars(form).items() if hasattr(field, "field_class")]


def _reads_each_step(browser, seen):
    for item, form in FORMS.items():
        answer = browser.get(f"/sell/{item}")
        if answer.status_code != 200:
            continue
        for name in (name for name in _fields(form) if f'name="{name}"' in answer.text):
            seen.add((item, name))
            (said,) = re.findall(rf'id="{name}-hint">([^<]*)<', answer.text)
            assert re.search(
                r"Kept as long as the account|[Gg]one (six months|seven years) after [^,]*, or [^,]*after a refusal",
                said,
            ), (item, name, said)
            assert re.search(rf'aria-describedby="[^"]*\b{name}-hint\b', answer.text), (item, name)


def test_what_a_business_is_asked_first_is_not_what_a_private_person_is_asked_after_it(signed_in_as):
    vars(FORMS[Item.CONTACT].legal_name).pop("as_bound", None)  # as in a shop that has just opened
    asked = {}
    for handle, facts in (("olga", BUSINESS), ("noor", PERSON)):
        browser = signed_in_as(handle)
        begun(browser, facts | {"handle": handle})
        asked[handle] = re.search(r'<label for="legal_name">([^<]*)<', browser.get("/sell/contact").text)[1]
    assert asked == {
        "olga": "Name of the business, as in the register",
        "noor": "Your full name, as on your identity paper",
    }
