"""Promise 4, and 6: pressing again is safe, and a forged call does nothing; as tables, with their figures."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from shop import gateways, jobs, reconcile, settlement
from shop.database import db
from shop.gateways.payment_port import UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import Base, Order, PaymentAttempt, Purchase
from tests.routes.conftest import NOOR, counts, filled, hidden, press  # noqa: F401  fixtures
from tests.routes.test_webhooks import FORGERIES
from tests.till import placed

pytestmark = pytest.mark.faults


def made(app):
    """Purchases, orders that are paid, attempts, and what the payment company made."""
    with app.app_context():
        asked = "SELECT count(*) FROM sandbox_objects WHERE kind = 'payment'"
        return (
            db.session.scalar(select(func.count()).select_from(Purchase)),
            db.session.scalar(select(func.count()).where(Order.status == "paid")),
            db.session.scalar(select(func.count()).select_from(PaymentAttempt)),
            db.session.scalar(text(asked)),
        )


def test_however_often_one_presses_it_is_bought_once(app, client, post, press, filled, promise):  # noqa: F811
    page = client.get("/checkout").text
    form = {**NOOR, "method": "card", **hidden(page)}
    headers = {"Cookie": f"session={client.get_cookie('session').value}", "Sec-Fetch-Site": "same-origin"}

    def send(_press):
        return app.test_client(use_cookies=False).post("/checkout", data=form, headers=headers)

    with ThreadPoolExecutor(20) as hands:
        answers = list(hands.map(send, range(20)))
    again = [press(page), press(page, htmx=True)]  # a second click, and the back button
    places = {answer.location for answer in answers} | {again[0].location, again[1].headers["HX-Redirect"]}
    found, name = made(app), app.extensions["shop.engines"]["write"].dialect.name
    figure = f"{len(places)} page, {found[0]} purchase, {found[1]} paid orders, {found[3]} charge"
    kept = len(places) == 1 and found == (1, 2, 1, 1)
    promise("4", f"20 parallel presses, a second click and Back, {name}", figure, "1 of each, of 2 sellers", kept)


def test_the_same_form_with_another_cart_is_refused(app, client, post, press, filled):  # noqa: F811
    page = client.get("/checkout").text
    assert press(page, method="ideal").status_code == 303
    before = made(app)
    post("/cart/lines", variant="mug-s", quantity="1")
    assert press(page, method="card").status_code == 409
    assert made(app) == before


@pytest.fixture(params=["a card", "a hosted page", "a kept card"])
def way(request, noor_s_card, noor):
    """A way to pay, and whose it is."""
    return {
        "a card": ("card", {}),
        "a hosted page": ("other", {}),
        "a kept card": ("saved:noor-s-card", {"user_id": noor.id}),
    }[request.param]


def test_after_a_time_out_the_same_key_is_sent(app, mug, way, at_the_desk, monkeypatch, pass_time, promise):
    sent, really, (method, whose) = [], SandboxGateway.create_payment, way

    def lost(self, request):
        sent.append(request)
        answer = really(self, request) if len(sent) != 1 else None  # the first never arrives; of the second the answer
        if len(sent) < 3:
            raise UnreachableError
        return answer

    monkeypatch.setattr(SandboxGateway, "post", lambda *_call: False)  # nor does it tell of its own accord
    before = charges()
    monkeypatch.setattr(SandboxGateway, "create_payment", lost)
    _purchase, attempt = placed({mug.small: 1}, method, **whose)
    settlement.pay(attempt)
    db.session.commit()
    for _try in range(3):
        pass_time(minutes=3)
        reconcile.catch_up()
        db.session.commit()
        jobs.run_due()
    db.session.rollback()
    name, same = app.extensions["shop.engines"]["write"].dialect.name, len({request.key for request in sent})
    figure = f"{len(sent)} requests, {same} key, {len(set(sent))} content, {charges() - before} charge"
    kept = (len(sent), same, len(set(sent)), charges() - before) == (3, 1, 1, 1)
    promise("4", f"a request and an answer that get lost, {method}, {name}", figure, "3, 1, 1, 1", kept)


def charges():
    """What the payment company made: payments, and pages on which one is waited for."""
    made = text("SELECT count(*) FROM sandbox_objects WHERE kind IN ('payment', 'page')")
    return db.session.execute(made).scalar()


def test_forged_calls_end_as_the_table_says(app, promise):
    with app.app_context():
        own = gateways.payment()._secrets["payments"][0]

    def rows():
        with app.app_context():
            return sum(db.session.scalar(select(func.count()).select_from(t)) for t in Base.metadata.sorted_tables)

    before, statuses = rows(), []
    for forge in FORGERIES.values():
        body, header = forge(own)
        headers = {"Stripe-Signature": header} if header is not None else {}
        statuses.append(app.test_client().post("/webhooks/sandbox", data=body, headers=headers).status_code)
    name = app.extensions["shop.engines"]["write"].dialect.name
    figure = f"{statuses.count(400)} of {len(statuses)} refused, {rows() - before} rows written"
    promise("6", f"forged calls, {name}", figure, "all, 0", set(statuses) == {400} and rows() == before)
