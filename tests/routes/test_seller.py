"""The seller centre: its home, its orders, its papers; and what a buyer sees of a parcel."""

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, update

from shop import accounts, checklist, clock, i18n, papers
from shop.checklist import Item
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import (
    BankAccount,
    Event,
    ItemState,
    Order,
    Paper,
    PaperKind,
    Profile,
    Role,
    Seller,
    SellerKind,
    Vetting,
)
from tests.bookkeeping import bought
from tests.conftest import HTMX
from tests.papers import jpeg
from tests.routes.conftest import there

BOTH = pytest.mark.parametrize("htmx", [False, True])


@pytest.fixture
def mina(mina, lamp):
    """Mina's browser. Her shop sells the mug; lars sells the lamp."""
    return mina


@pytest.fixture
def order(app, mina, mug):
    """The code of an order of one small mug, paid."""
    return buy(app, {mug.small: 1})


def buy(app, wanted):
    with app.test_request_context(method="POST"):
        return db.session.get_one(Order, bought(wanted)[1]).code


def kept(app):
    with app.app_context():
        return db.session.execute(select(Order.status, Order.carrier, Order.tracking)).one()


def send(client, address, htmx=False, **form):
    return client.post(address, data=form, headers=HTMX if htmx else {})


def test_home_asks_six_questions_whether_much_or_nothing_has_to_be_done(app, mina, mug, queries):
    with queries() as empty:
        page = mina.get("/seller").text
    assert 'href="/seller/stock?which=running-out"' in page
    assert "1 left" in mina.get("/seller/stock?which=running-out").text
    assert mina.get("/seller/stock?which=nonsense").status_code == 404
    for _n in range(3):
        buy(app, {mug.small: 1})
    with queries() as full:
        page = mina.get("/seller").text
    assert "<b>3</b> orders to pack" in page
    assert (len(empty), len(full)) == (6, 6)


def test_home_says_what_has_to_be_done_with_the_way_to_it_and_draws_thirty_days(app, mina, order):
    with app.test_request_context(method="POST"):
        db.session.execute(update(Order).values(send_until=clock.now() - timedelta(days=2)))
        db.session.commit()
    page = mina.get("/seller").text
    assert 'href="/seller/orders?show=late"' in page
    assert "order is late: it had to leave before today" in page
    assert "account to finish, so that you can be paid" in page
    assert page.count("<rect") == 2  # what came in, and how many orders: today
    assert ("Sold in 30 days: €24.50" in page, "1 order in 30 days" in page) == (True, True)
    assert page.count("<tr>") == 2 * 31  # a table beside each drawing, a row for each day


def test_home_has_a_kind_word_when_there_is_nothing(app, mina):
    with app.test_request_context(method="POST"):
        from shop.models import PayoutAccount, Product

        db.session.execute(update(Product).values(sold=0))
        profile = db.session.scalar(select(Profile.id).where(Profile.handle == "mina"))
        facts = {"gateway": "sandbox", "request": {}, "opened_at": clock.now(), "changed_at": clock.now()}
        db.session.add(PayoutAccount(profile_id=profile, state="active", gateway_id="acct_1", **facts))
        db.session.commit()
    assert "form to fill in: your tax details" in mina.get("/seller").text
    mina.post("/seller/tax", data={"country": "NL", "number": "999999990"})
    assert "Have a coffee: you have earned it." in mina.get("/seller").text


def test_the_way_from_a_count_of_products_leads_to_exactly_those(app, mina):
    with app.test_request_context(method="POST"):
        from shop.models import Product

        db.session.execute(update(Product).where(Product.code == "mug").values(status="draft"))
        db.session.commit()
    assert 'href="/seller/products?show=draft"' in mina.get("/seller").text
    assert "listed__link" in mina.get("/seller/products?show=draft").text
    assert "listed__link" not in mina.get("/seller/products?show=review").text


def test_home_tells_who_is_new_how_far_they_are(app, mina):
    with app.test_request_context(method="POST"):
        db.session.execute(update(Seller).values(established_at=None))
        db.session.commit()
    assert "orders of 0 of 10 different buyers have arrived" in mina.get("/seller").text


@pytest.mark.parametrize("address", ["/seller", "/seller/orders", "/seller/papers"])
def test_who_does_not_sell_finds_nothing_there(signed_in_as, mug, address):
    assert signed_in_as("noor").get(address).status_code == 404


def test_the_list_shows_what_to_pack_and_finds_by_number_and_name(app, mina, order):
    page = mina.get("/seller/orders").text
    assert ("1 &times; Mug &lt;b&gt;, Small" in page, "<b>Noor</b>" in page) == (True, True)
    assert order not in page  # the whole code is the buyer's
    assert mina.get(f"/seller/orders?q={order[:8]}").location == f"/seller/orders/{order[:8]}"
    assert "<b>Noor</b>" in mina.get("/seller/orders?q=noo").text
    assert "No order with this number or name" in mina.get("/seller/orders?q=kai").text
    assert mina.get("/seller/orders?show=nonsense").status_code == 404


@BOTH
def test_an_order_is_packed_and_sent_and_the_buyer_follows_it(app, mina, client, order, htmx):
    home = f"/seller/orders/{order[:8]}"
    page = mina.get(home).text
    assert [words for words in ("What to pack", "Oudegracht 1", "3511 AA Utrecht", "mug-s") if words not in page] == []
    there(send(mina, f"{home}/packing", htmx), htmx)
    there(send(mina, f"{home}/shipment", htmx, carrier="postnl", tracking="3s abc 123"), htmx)
    assert kept(app) == ("shipped", "postnl", "3SABC123")
    link = 'href="https://postnl.nl/tracktrace/?B=3SABC123&amp;P=3511AA&amp;D=NL&amp;T=C"'
    assert link in mina.get(home).text
    assert link in client.get(f"/orders/{order}").text
    assert "The buyer is told by mail in a quarter of an hour" in mina.get(f"{home}?done=shipped").text
    there(send(client, f"/orders/{order}/receipt", htmx), htmx)
    assert kept(app).status == "delivered"
    assert "I have received it" not in client.get(f"/orders/{order}").text


@BOTH
def test_a_number_that_is_none_is_said_beside_its_field_and_nothing_is_sent(app, mina, order, htmx):
    answer = send(mina, f"/seller/orders/{order[:8]}/shipment", htmx, carrier="postnl", tracking="<b>")
    assert answer.status_code == 422
    assert 'aria-describedby="tracking-hint tracking-errors"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert kept(app) == ("paid", "", "")


@BOTH
def test_nothing_is_sent_before_somebody_says_who_brings_it_and_under_which_number(app, mina, order, htmx):
    home = f"/seller/orders/{order[:8]}"
    page = send(mina, f"{home}/shipment", htmx, carrier="", tracking="").text
    assert "Choose who brings it." in page
    page = send(mina, f"{home}/shipment", htmx, carrier="postnl", tracking=" ").text
    assert "Fill in the number of the parcel, or say that it has none." in page
    assert '<option selected value="postnl">' in page
    assert kept(app) == ("paid", "", "")
    there(send(mina, f"{home}/shipment", htmx, carrier="postnl", tracking="", is_letter="y"), htmx)
    assert kept(app) == ("shipped", "postnl", "")


@BOTH
def test_a_mistake_is_taken_back_or_its_number_corrected(app, mina, order, htmx):
    home = f"/seller/orders/{order[:8]}"
    there(send(mina, f"{home}/shipment", htmx, carrier="postnl", tracking="3SWRONG1"), htmx)
    page = mina.get(home).text
    assert ("It has not left yet" in page, 'value="3SWRONG1"' in page) == (True, True)
    assert "no parcel&#39;s number" in send(mina, f"{home}/tracking", htmx, carrier="dhl", tracking="1").text
    there(send(mina, f"{home}/tracking", htmx, carrier="dhl", tracking="JJD0001"), htmx)
    assert kept(app) == ("shipped", "dhl", "JJD0001")
    there(send(mina, f"{home}/return-to-packing", htmx), htmx)
    assert kept(app) == ("packed", "", "")
    assert send(mina, f"{home}/return-to-packing", htmx).status_code == 409


def test_another_shop_finds_nothing_and_changes_nothing(app, mina, lamp):
    code = buy(app, {lamp.oak: 1})
    for part in ("", "/slip", "/money"):
        assert mina.get(f"/seller/orders/{code[:8]}{part}").status_code == 404
    for part in ("packing", "shipment", "delivery", "tracking", "return-to-packing"):
        answer = send(mina, f"/seller/orders/{code[:8]}/{part}", carrier="postnl", tracking="3SABC123")
        assert answer.status_code == 404
    assert kept(app) == ("paid", "", "")


def test_a_stranger_does_not_receive_somebody_elses_parcel(app, client, mina, order, noor):
    with app.test_request_context(method="POST"):
        found = db.session.scalars(select(Order)).one()
        found.purchase.user_id, found.status = noor.id, "shipped"
        db.session.commit()
    assert send(client, f"/orders/{order}/receipt").status_code == 404
    assert kept(app).status == "shipped"


def test_who_was_stopped_sends_and_does_not_list(app, mina, order, signed_in_as):
    with app.test_request_context(method="POST"):
        db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
        db.session.commit()
    assert "What was paid has to be sent all the same." in mina.get("/seller").text
    there(send(mina, f"/seller/orders/{order[:8]}/shipment", carrier="postnl", tracking="3SABC123"), False)
    assert kept(app).status == "shipped"
    assert app.test_client().get("/p/mug").status_code == 404


def test_the_slip_says_what_goes_where_and_no_prices(mina, order):
    answer = mina.get(f"/seller/orders/{order[:8]}/slip")
    assert [words for words in ("Packing slip", "Noor", "mug-s") if words not in answer.text] == []
    assert "24.50" not in answer.text
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_three_months_after_it_arrived_nobody_sees_where_it_went(app, mina, order):
    with app.test_request_context(method="POST"):
        db.session.execute(update(Order).values(status="delivered", delivered_at=clock.now() - timedelta(days=91)))
        db.session.commit()
    page = mina.get(f"/seller/orders/{order[:8]}").text
    assert ("no longer shown" in page, "Oudegracht" in page, "Noor" in page) == (True, False, False)
    assert "Noor" not in mina.get("/seller/orders?show=delivered").text
    assert mina.get(f"/seller/orders/{order[:8]}/slip").status_code == 404


# Papers


@pytest.fixture
def paper(app, mina):
    """The front of mina's identity paper, which runs out in five days."""
    with app.test_request_context(method="POST"):
        seller = db.session.scalar(select(Seller.id).join(Profile).where(Profile.handle == "mina"))
        papers.keep(seller, PaperKind.FRONT, Read("jpeg", (b"a page",), b""), b"mark")
        db.session.execute(update(Paper).values(valid_until=clock.now().date() + timedelta(days=5)))
        db.session.commit()


@BOTH
def test_a_paper_that_runs_out_is_sent_anew_and_looked_at(app, mina, paper, signed_in_as, htmx):
    assert 'href="/seller/papers"' in mina.get("/seller").text
    assert "It runs out on" in mina.get("/seller/papers").text
    file = {"kind": "front", "file": (BytesIO(jpeg()), "front.jpg")}
    there(mina.post("/seller/papers", data=file, headers=HTMX if htmx else {}), htmx)
    page = mina.get("/seller/papers").text
    stops = (clock.now() + timedelta(days=5 + 28)).date()
    assert "It runs out on" not in page
    with app.test_request_context():
        assert f"where nobody has by {i18n.long_date(stops)}, your sales stop." in page
    assert "your sales stop 14 days after that day" in page
    rex = signed_in_as("rex", Role.MODERATOR)
    page = rex.get("/moderation/rechecks").text
    assert "Atelier Mina" in page
    assert "14 days after that day; 28 days after it where a new one waits for us" in page
    with app.app_context():
        code = db.session.scalar(select(Paper.code).where(Paper.state == "sealed"))
    assert send(rex, f"/moderation/rechecks/{code}", htmx, until="soon").status_code == 422
    there(send(rex, f"/moderation/rechecks/{code}", htmx, until="2032-01-01"), htmx)
    assert "No paper waits" in rex.get("/moderation/rechecks").text
    with app.app_context():
        assert db.session.scalar(select(Event.became).where(Event.became == "sent_anew")) == "sent_anew"


@BOTH
def test_a_moderator_turns_a_new_paper_down_in_words(app, mina, paper, signed_in_as, htmx):
    mina.post("/seller/papers", data={"kind": "front", "file": (BytesIO(jpeg()), "front.jpg")})
    rex = signed_in_as("rex", Role.MODERATOR)
    with app.app_context():
        code = db.session.scalar(select(Paper.code).where(Paper.state == "sealed"))
    again = send(rex, f"/moderation/rechecks/{code}/refusal", htmx, words="a <cat>")
    assert (again.status_code, "a &lt;cat&gt;</textarea>" in again.text) == (422, True)
    there(send(rex, f"/moderation/rechecks/{code}/refusal", htmx, words="This is a cat, no paper."), htmx)
    assert "No paper waits" in rex.get("/moderation/rechecks").text
    assert "It runs out on" in mina.get("/seller/papers").text


def test_a_file_that_is_none_is_refused_in_its_place(app, mina, paper):
    answer = mina.post("/seller/papers", data={"kind": "front", "file": (BytesIO(b"hello"), "x.txt")})
    assert (answer.status_code, 'id="file-front-errors"' in answer.text) == (415, True)


# What a buyer is told about who sells


def judged(app, *items, **given):
    with app.test_request_context(method="POST"):
        seller = db.session.scalars(select(Seller).join(Profile).where(Profile.handle == "mina")).one()
        rex = accounts.as_actor(accounts.called("mina@example.com"))
        for item in items:
            checklist.judge(seller, item, ItemState.ACCEPTED, by=rex)
        db.session.execute(update(Seller).where(Seller.id == seller.id).values(**given or {"phone": "030 1234567"}))
        facts = {"sealed_iban": b"x", "key_id": "k", "last4": "4300", "country": "NL", "holder": "Mina"}
        bank = {"state": "current", "payee_check": "match", "set_at": clock.now()}
        db.session.add(BankAccount(seller_id=seller.id, **facts, **bank))
        db.session.commit()


@pytest.mark.parametrize("address", ["/p/mug", "/@mina"])
def test_what_was_checked_stands_beside_the_goods(app, mina, client, address, queries):
    with queries() as before:
        assert "by a moderator of this shop<" in client.get(address).text
    judged(app, Item.REGISTER, Item.BANK, Item.GOODS)
    with queries() as asked:
        page = client.get(address).text
    assert "by a moderator of this shop: trade register, bank account, whose holder the bank confirms<" in page
    assert ("68750110" in page, "NL999999990B51" in page, "030 1234567" in page) == (True, True, True)
    assert "you may change your mind within 14 days" in page
    assert len(asked) == len(before) == 3


def test_of_a_private_person_the_street_and_the_telephone_are_not_for_everybody(app, mina, client):
    judged(app, Item.IDENTITY, kind=SellerKind.INDIVIDUAL, phone="030 1234567", legal_name="Mina de Vries")
    page = client.get("/@mina").text
    assert ("Mina de Vries" in page, "Utrecht" in page, "identity paper" in page) == (True, True, True)
    assert ("Oudegracht" in page, "030 1234567" in page) == (False, False)
    assert "The consumer law of the EU" in page
