"""The sandbox's pages: a bank that asks a buyer, a desk that asks a seller; the shop hears of it by a signed call."""

import pytest
from sqlalchemy import func, select

from shop import gateways, jobs, payments, settlement, stock
from shop.database import db
from shop.gateways.payment_port import AccountRequest
from shop.models import Base, Order, PaymentAttempt, SandboxObject
from tests.cast import a_purchase
from tests.conftest import HTMX


@pytest.fixture
def bank(app, mug):
    """Noor is sent to her bank for a small mug, EUR 28.45; gives the address of its page and of her purchase."""
    with app.test_request_context(method="POST"):
        purchase = a_purchase({mug.small: 1})
        attempt = payments.open(purchase, "ideal")
        stock.hold(purchase.id, {mug.small: 1})
        code = purchase.code
        db.session.commit()
        outcome = settlement.pay(attempt)
        db.session.commit()
        return outcome.url, f"/purchases/{code}"


def news(app):
    with app.app_context():
        while jobs.run_due():
            pass


def order(app):
    with app.test_request_context():
        return db.session.scalar(select(Order.status))


def attempt(app):
    with app.test_request_context():
        return db.session.execute(select(PaymentAttempt.state, PaymentAttempt.failure)).one()


def test_the_bank_says_what_is_asked_and_that_it_is_none(client, bank):
    page = client.get(bank[0])
    assert page.status_code == 200
    for words in ("Test bank", "This is not a bank", "Etalage", "€28.45", "TEST MODE"):
        assert words in page.text
    assert page.text.count(f'action="{bank[0]}/answer"') == 1


def test_looking_at_the_bank_changes_nothing(app, client, bank):
    def counted():
        with app.test_request_context():
            return [db.session.scalar(select(func.count()).select_from(t)) for t in Base.metadata.sorted_tables]

    before = counted()
    client.get(bank[0])
    client.get(bank[0], headers=HTMX)
    assert counted() == before


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        ("approved", ("paid", "")),
        ("cancelled", ("cancelled", "abandoned")),
        ("failed", ("failed", "card_declined")),
        ("expired", ("failed", "payment_intent_payment_attempt_expired")),
    ],
)
def test_each_answer_leads_back_to_the_shop_which_hears_of_it(app, post, bank, htmx, answer, ends):
    address, back = bank
    gone = post(f"{address}/answer", htmx=htmx, answer=answer)
    assert (gone.headers["HX-Redirect"] if htmx else gone.location) == back
    assert gone.status_code == (204 if htmx else 303)
    news(app)
    assert tuple(attempt(app)) == ends
    assert order(app) == ("paid" if answer == "approved" else "pending_payment")


def test_an_answer_counts_once(app, client, post, bank):
    address, back = bank
    post(f"{address}/answer", answer="cancelled")
    assert post(f"{address}/answer", answer="approved").location == back
    news(app)
    assert (attempt(app).state, order(app)) == ("cancelled", "pending_payment")
    page = client.get(address).text
    assert "This payment has been answered." in page
    assert f'href="{back}"' in page


def test_after_a_quarter_of_an_hour_the_bank_waits_no_longer(app, client, post, bank, pass_time):
    address, _back = bank
    pass_time(minutes=15, seconds=1)
    assert "This payment has been answered." in client.get(address).text
    post(f"{address}/answer", answer="approved")
    news(app)
    assert (attempt(app).state, order(app)) == ("failed", "pending_payment")


@pytest.mark.parametrize("answer", ["", "paid", "succeeded", "APPROVED"])
def test_another_answer_is_none(app, post, bank, answer):
    assert post(f"{bank[0]}/answer", htmx=True, answer=answer).status_code == 422
    news(app)
    assert attempt(app).state == "requires_action"


@pytest.mark.parametrize("code", ["sbx_pi_nothing", "sbx_evt_1", "key:co:1:pay:1"])
def test_a_payment_that_is_not_there_is_a_404(app, client, post, mug, code):
    assert client.get(f"/sandbox/bank/{code}").status_code == 404
    assert post(f"/sandbox/bank/{code}/answer", answer="approved").status_code == 404


def test_calls_that_are_not_taken_in_go_out_again_later(app, post, bank, monkeypatch, pass_time):
    from shop.gateways.payment_sandbox import SandboxGateway

    calls = []
    with monkeypatch.context() as closed:
        closed.setattr(SandboxGateway, "post", lambda _self, _address, body, _signature: calls.append(body))
        post(f"{bank[0]}/answer", answer="approved")
        news(app)
        first = len(calls)
        assert first == 2  # the bank is asked; it says yes
        assert order(app) == "pending_payment"
        with app.test_request_context(method="POST"):
            payments.send_sandbox_events()
        assert len(calls) == first
        pass_time(seconds=6)
        with app.test_request_context(method="POST"):
            payments.send_sandbox_events()
        assert len(calls) == 2 * first
    pass_time(seconds=20)
    with app.test_request_context(method="POST"):
        payments.send_sandbox_events()
    news(app)
    assert order(app) == "paid"
    with app.test_request_context():
        due = select(func.count()).where(SandboxObject.kind == "event", SandboxObject.due_at.is_not(None))
        assert db.session.scalar(due) == 0


# The desk for sellers


@pytest.fixture
def desk(app):
    """Mina has opened an account; gives its id, and the address of the page where she completes it."""
    with app.test_request_context(method="POST"):
        gateway = gateways.payment()
        account = gateway.open_account(AccountRequest("a:1", "mina", "Mina", "mina@example.com", "NL", False)).id
        return account, gateway.onboarding_link(account, again_path="/seller/again", return_path="/seller")


def standing(app, account):
    with app.test_request_context(method="POST"):
        return gateways.payment().get_account(account).state


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(("answer", "state"), [("complete", "active"), ("leave", "pending")])
def test_a_seller_completes_an_account_or_leaves_it_for_later(app, client, post, desk, htmx, answer, state):
    account, address = desk
    page = client.get(address)
    for words in ("Test account", "no money moves", "TEST MODE"):
        assert words in page.text
    gone = post(f"{address}/answer", htmx=htmx, answer=answer)
    assert (gone.headers["HX-Redirect"] if htmx else gone.location) == "/seller"
    assert standing(app, account) == state


def test_a_link_that_was_used_or_is_old_leads_to_a_new_one(app, client, post, desk, pass_time):
    account, address = desk
    post(f"{address}/answer", answer="leave")
    assert (client.get(address).status_code, client.get(address).location) == (303, "/seller/again")
    assert post(f"{address}/answer", answer="complete").location == "/seller/again"
    assert standing(app, account) == "pending"


def test_after_five_minutes_the_desk_knows_the_link_no_more(app, client, post, desk, pass_time):
    account, address = desk
    pass_time(minutes=5, seconds=1)
    assert client.get(address).location == "/seller/again"
    assert post(f"{address}/answer", answer="complete").location == "/seller/again"
    assert standing(app, account) == "pending"


@pytest.mark.parametrize("answer", ["", "active", "COMPLETE"])
def test_another_answer_at_the_desk_is_none(app, post, desk, answer):
    assert post(f"{desk[1]}/answer", htmx=True, answer=answer).status_code == 422
    assert standing(app, desk[0]) == "pending"


def test_a_link_that_is_not_there_is_a_404(client, post, desk):
    assert client.get("/sandbox/account/sbx_link_none").status_code == 404
    assert post("/sandbox/account/sbx_link_none/answer", answer="complete").status_code == 404
    assert client.get(f"/sandbox/account/{desk[0]}").status_code == 404


def test_a_shop_of_real_money_has_no_such_pages(client, post, bank, desk, monkeypatch):
    monkeypatch.setattr(gateways, "sandbox", lambda: None)
    assert [client.get(address).status_code for address in (bank[0], desk[1])] == [404, 404]
    assert post(f"{bank[0]}/answer", answer="approved").status_code == 404
    assert post(f"{desk[1]}/answer", answer="complete").status_code == 404


def test_on_a_hosted_page_one_pays_as_at_the_bank(app, client, post, mug):
    from shop.gateways.payment_port import Request

    with app.test_request_context(method="POST"):
        asked = Request("k", 2845, "EUR", "card", "purchase", "/purchases/purchase", is_hosted=True)
        page = gateways.payment().create_payment(asked)
    assert "\u20ac28.45" in client.get(page.redirect_url).text
    assert post(f"{page.redirect_url}/answer", answer="approved").location == "/purchases/purchase"
    assert "This payment has been answered." in client.get(page.redirect_url).text
    with app.test_request_context(method="POST"):
        assert gateways.payment().get_payment(page.id).state == "paid"
