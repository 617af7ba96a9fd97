"""Promise 7: the price is the server's. Whatever else a form is made to say, it is refused or makes no difference.

Each post of the checkout has a fresh token, so each would be a purchase of its own.
"""

import json
import re
import secrets
from collections import Counter

import pytest
from sqlalchemy import select, text, update

from shop import limits, tries
from shop.database import db
from shop.models import Order, Payment, Role, Variant
from tests.bookkeeping import bought
from tests.routes.conftest import NOOR, hidden
from tests.routes.test_checkout import FORGED, INVENTED, ODD

pytestmark = pytest.mark.faults

REFUSED = (303, 400, 403, 404, 405, 409, 422)  # 303: back to the page, as after a press that changed nothing
TABLES = (
    *("purchases", "orders", "order_lines", "stock_holds", "payments", "payment_attempts", "refunds", "refund_lines"),
    *("ledger_entries", "transfers", "sandbox_objects"),
)
# All that a purchase is, but for whose it is and when.
SAID = {
    "purchases": "total_minor, total_currency, user_id, country, settled_at",
    "orders": "seller_id, status, goods_minor, goods_currency, delivery_minor, delivery_currency, paid_at, carrier",
    "order_lines": "variant_id, quantity, price_minor, price_currency, vat_rate, platform_minor, tax_minor, "
    "creator_minor, creator_id, clip_id",
    "payments": "state, amount_minor, amount_currency, refunded_minor, given_back_minor, is_disputed",
    "payment_attempts": "state, number, method, is_surplus, refunded_minor, failure",
}
NEW_EACH_TIME = ("key", "purchase", "group", "return_path")


@pytest.fixture
def no_limits(monkeypatch):
    """Nobody counts how often somebody buys: it is about what is said."""
    monkeypatch.setattr(tries, "begin", lambda *_whose: None)
    monkeypatch.setattr(tries, "declined", lambda *_whose: None)
    monkeypatch.setattr(limits, "may_spend", lambda *_what: True)


@pytest.fixture
def shop(app, client, mug, lamp, signed_in_as, no_limits):
    """Two mugs and a lamp in a guest's cart, and an order of a mug that was paid, with its moderator and its seller."""
    for variant, quantity in (("mug-s", "1"), ("lamp-oak", "1")):
        client.post("/cart/lines", data={"variant": variant, "quantity": quantity})
    with app.test_request_context(method="POST"):
        _purchase, order = bought({mug.large: 1})
        code = db.session.get(Order, order).code
        db.session.execute(update(Variant).values(stock=10_000))  # a guest's purchase of one thing frees no other
        db.session.commit()
    return Shop(app, client, signed_in_as("rex", Role.MODERATOR), code)


class Shop:
    """The doors at which money is spoken about."""

    def __init__(self, app, guest, staff, order):
        self.app, self.guest, self.staff, self.order = app, guest, staff, order
        self.pages = {"/checkout": guest.get("/checkout").text}
        self.pages["/checkout/now"] = guest.get("/checkout/now?variant=mug-s").text

    def buy(self, address, **fields):
        """Press the button of a page that nobody has used yet."""
        form = {**NOOR, **hidden(self.pages[address]), "variant": "mug-s", "method": "ideal"}
        return self.guest.post(address, data={**form, "token": secrets.token_urlsafe(16), **fields})

    def rows(self):
        """How many rows there are of everything that is about money."""
        with self.app.app_context():
            count = "SELECT count(*) FROM "
            return {table: db.session.execute(text(count + table)).scalar() for table in TABLES}

    def states(self):
        """How every payment and every order stands, and what is on the shelf."""
        with self.app.app_context():
            each = (Payment.state, Order.status, Variant.stock, Variant.held)
            return [list(db.session.scalars(select(one).order_by(one.class_.id))) for one in each]

    def in_the_cart(self):
        return re.findall(r"€[\d.,]+", self.guest.get("/checkout").text)

    def written(self, since):
        """What each purchase after the first so many says, as a set: of those that are the same there is one."""
        with self.app.app_context():
            old = {table: f"id > (SELECT max(id) FROM {table}) - :new" for table in SAID}
            now = self.rows()
            found = {}
            for table, columns in SAID.items():
                new = now[table] - since[table]
                each = db.session.execute(text(f"SELECT {columns} FROM {table} WHERE {old[table]}"), {"new": new})
                found[table] = Counter(map(tuple, each))
            asked = db.session.execute(text("SELECT request FROM payment_attempts ORDER BY id")).scalars()
            found["asked"] = {_without_names(each) for each in list(asked)[since["payment_attempts"] :]}
            return found


def _without_names(request):
    asked = json.loads(request) if isinstance(request, str) else request
    return json.dumps({name: said for name, said in asked.items() if name not in NEW_EACH_TIME}, sort_keys=True)


def refused(shop, posts):
    """Which of the posts were not refused, or wrote something after all."""
    before, accepted = (shop.rows(), shop.states()), []
    for name, send in posts:
        status = send().status_code
        if status not in REFUSED:
            accepted.append((name, status))
    now = (shop.rows(), shop.states())
    return accepted if now == before else [*accepted, now]


def ineffective(shop, posts, address):
    """Which of the posts bought something else, or for other money, than the one without them."""
    start = shop.rows()
    assert shop.buy(address).status_code == 303
    honest, before = shop.written(start), shop.rows()
    wrong = [(name, status) for name, send in posts if (status := send().status_code) != 303]
    found = shop.written(before)
    asked = found.pop("asked") - honest.pop("asked")
    times = len(posts)
    other = {
        table for table, said in honest.items() if found[table] != Counter({k: n * times for k, n in said.items()})
    }
    return [*wrong, *sorted(asked), *sorted(other)]


def at_the_cart(shop):
    """Quantities and things that nobody can have; what is in the cart stays what it is."""
    odd = [value for value in ODD if value != "1"]
    adds = [("quantity", value) for value in [*odd, "100", "1.5", "0x1", "³"]]
    changes = [("change", value) for value in [*odd, "100", "-0.5", "1,5"] if value != "0"]
    codes = [("variant", value) for value in [*ODD, "MUG-S", "mug-s%00", "a" * 13, "../mug-s", "mug"]]
    for name, value in [*adds, *codes]:
        form = {"variant": "mug-s", "quantity": "1", name: value}
        yield f"cart {name} {value}", lambda form=form: shop.guest.post("/cart/lines", data=form)
    for name, value in changes:
        form = {"quantity": value}
        yield f"cart {name} {value}", lambda form=form: shop.guest.post("/cart/lines/mug-s", data=form)


def at_the_till(shop, address):
    """The form's own fields with what cannot be in them."""
    more = [("variant", value) for value in [*ODD, "lamp-oak", "MUG-S", "a" * 13]] if address.endswith("now") else []
    for name, value in [*FORGED, *more]:
        yield f"{address} {name} {value}", lambda said={name: value}: shop.buy(address, **said)


def beside_the_form(shop, address):
    """Fields that nobody asked for."""
    for name in INVENTED:
        for value in ODD:
            yield f"{address} {name} {value}", lambda said={name: value}: shop.buy(address, **said)


def at_the_refund_desk(shop):
    """More than came, less than a cent, of other things, for other reasons; by staff and by who is none."""
    odd = [value for value in ODD if value not in ("1", "9.99", "0.01")]
    wishes = [{"amount": value} for value in [*odd, "32.96", "12.5", "1.234", "10**9", "9" * 12]]
    wishes += [{"how": "lines", "quantity-0": value} for value in [*odd, "2", "1.5"]]
    wishes += [{"how": value} for value in odd] + [{"reason": value} for value in [*ODD, "sold_out", "paid_twice"]]
    address = f"/moderation/orders/{shop.order}/refunds"
    for wish in wishes:
        form = {"how": "amount", "amount": "1,00", "reason": "goodwill", **wish}
        yield f"refund {wish}", lambda form=form: shop.staff.post(address, data=form)
    fine = {"how": "all", "reason": "goodwill"}
    for name in ("seller_id", "by", "status", "state", "user_id"):
        yield f"a guest's refund {name}", lambda form={**fine, name: "1"}: shop.guest.post(address, data=form)


def at_the_bank(shop):
    """What is no answer, for a payment that waits."""
    bank = shop.buy("/checkout").location
    for value in [*ODD, "paid", "succeeded", "approve", "APPROVED", "approved "]:
        yield f"bank {value}", lambda value=value: shop.guest.post(f"{bank}/answer", data={"answer": value})
    for code in ("sbx_pi_0", "1", "..", "sbx_re_1"):
        address = f"/sandbox/bank/{code}/answer"
        yield f"bank of {code}", lambda address=address: shop.guest.post(address, data={"answer": "approved"})


def paying_again(shop):
    """The form of a purchase that could not be paid yet."""
    shop.buy("/checkout")
    with shop.app.app_context():
        code = db.session.scalar(select(text("code")).select_from(text("purchases")).order_by(text("id DESC")).limit(1))
    for name, value in FORGED:
        if name in ("method", "tries", "card"):
            form = {"method": "card", "tries": "1", name: value}
            yield f"again {name} {value}", lambda form=form: shop.guest.post(f"/purchases/{code}/payments", data=form)


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_no_tampered_post_is_accepted(request, shop, promise, step):
    in_the_cart = shop.in_the_cart()
    doors = [at_the_cart(shop), at_the_refund_desk(shop), at_the_bank(shop), paying_again(shop)]
    doors += [at_the_till(shop, address) for address in shop.pages]
    posts = [post for door in doors for post in list(door)[::step]]
    accepted = refused(shop, posts)
    for address in shop.pages:
        beside = list(beside_the_form(shop, address))[::step]
        accepted += ineffective(shop, beside, address)
        posts += beside
    assert shop.in_the_cart() == in_the_cart
    count = len({name for name, _send in posts})
    words = (
        f"{count} tampered posts to cart, checkout, buy now, bank and refunds, {request.node.callspec.params['built']}"
    )
    kept = accepted == [] and count == len(posts) and count >= (300 if step == 1 else 40)
    promise("7", words, f"{len(accepted)} accepted {accepted[:3] or ''}".strip(), "0 of 300 or more", kept)
