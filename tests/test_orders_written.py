"""What is written down at the till, column by column; and what is said to who cannot buy."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from shop import cart, checkout, clock, purchases, settlement
from shop.addresses import Buyer
from shop.chosen import One
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import Paid
from shop.models import (
    Cart,
    Order,
    OrderLine,
    PaymentAttempt,
    Product,
    ProductStatus,
    Purchase,
    SavedMethod,
    Seller,
    SellerKind,
    StockHold,
    Variant,
)
from shop.words import Words
from tests.cast import a_clip, a_profile
from tests.till import placed as written_by_hand

pytestmark = pytest.mark.usefixtures("at_the_desk")

NOOR = Buyer("noor@example.com", "Noor", "Oudegracht", "1", "3511 AA", "Utrecht", "NL")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
PLACED = {"purchases": 1, "orders": 1, "order_lines": 1, "stock_holds": 1, "payment_attempts": 1}


@pytest.fixture(autouse=True)
def _tuesday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TUESDAY)


@pytest.fixture
def hers(mug):
    """A guest's cart with two small mugs: EUR 49.00 + 3.95."""
    code = cart.open_for(None)
    cart.add(code, "mug-s", 2)
    db.session.commit()
    return code


def press(wanted, *, token="a" * 22, seen=None, buyer=NOOR, method="card", person=None, **more):
    seen = seen or checkout.offer(wanted, person, buyer.country).seen
    placed = checkout.place(wanted, buyer, token=token, seen=seen, method=method, person=person, **more)
    db.session.commit()
    return placed


def only(table):
    return db.session.scalars(select(table)).one()


def written():
    tables = (Purchase, Order, OrderLine, StockHold, PaymentAttempt)
    return {table.__tablename__: db.session.scalar(select(func.count()).select_from(table)) for table in tables}


def columns(row, *left_out):
    return {key: value for key, value in row._mapping.items() if key not in ("id", *left_out)}


def kept(table, *left_out):
    return columns(db.session.execute(select(table.__table__)).one(), *left_out)


# What is written down


def test_a_purchase_is_written_whole(hers):
    placed = press(hers, language="nl")
    row = kept(Purchase, "fingerprint")
    code = row.pop("code")
    assert (code, len(code)) == (placed.purchase.code, 22)
    assert row == {
        "token": "a" * 22,
        "cart_id": db.session.scalar(select(Cart.id)),
        "user_id": None,
        "language": "nl",
        **NOOR._asdict(),
        "total_minor": 5295,
        "total_currency": "EUR",
        "placed_at": TUESDAY,
        "settled_at": None,
    }
    assert (placed.number, placed.is_new, placed.attempt) == (1, True, only(PaymentAttempt).id)
    asked = only(PaymentAttempt).request
    assert (asked["payer_name"], asked["payer_email"]) == ("Noor", "noor@example.com")


def test_who_says_no_language_is_written_to_in_english(hers):
    assert press(hers).purchase.language == "en"


def test_an_order_is_written_whole_with_its_seller_as_they_stood_on_the_page(hers, mug):
    placed = press(hers)
    seller = only(Seller)
    row = kept(Order)
    assert len(row.pop("code")) == 22
    assert row == {
        "purchase_id": placed.purchase.id,
        "seller_id": seller.id,
        "status": "pending_payment",
        "seller_snapshot": {
            "name": "Atelier Mina",
            "handle": "mina",
            "kind": "business",
            "legal_name": "Atelier Mina B.V.",
            "company_register": "KVK",
            "company_number": "68750110",
            "vat_number": "NL999999990B51",
            "email": "mina@shop.example",
            "phone": seller.phone,
            "street": "Oudegracht 1",
            "postcode": "3511 AA",
            "city": "Utrecht",
            "country": "NL",
            "returns_days": 14,
            "returns_paid_by": "buyer",
            "returns_address": "Oudegracht 1, 3511 AA Utrecht",
            "returns_note": seller.returns_note,
        },
        "goods_minor": 4900,
        "goods_currency": "EUR",
        "delivery_minor": 395,
        "delivery_currency": "EUR",
        "deliver_from": datetime(2026, 11, 26, 12, tzinfo=UTC),
        "deliver_until": datetime(2026, 11, 27, 12, tzinfo=UTC),
        "send_until": datetime(2026, 11, 25, 12, tzinfo=UTC),
        **dict.fromkeys(("paid_at", "shipped_at", "delivered_at")),
        **dict.fromkeys(("carrier", "tracking", "kin"), ""),
    }


def test_a_private_person_promises_nothing_that_only_a_business_owes(hers):
    db.session.execute(update(Seller).values(kind=SellerKind.INDIVIDUAL))
    db.session.execute(update(Product).values(guarantee=Words(nl="Twee jaar.", en="Two years of legal guarantee.")))
    press(hers)
    assert only(OrderLine).guarantee == Words(nl="Twee jaar.")


def test_a_line_is_written_whole(hers, mug):
    press(hers)
    row = kept(OrderLine)
    words = {name: row.pop(name) for name in ("title", "variant_name", "guarantee")}
    assert {name: (text["nl"], text["en"]) for name, text in words.items()} == {
        "title": ("Mug <b>", "Mug <b>"),
        "variant_name": ("Small", "Small"),
        "guarantee": ("Two years.", "Two years."),
    }
    assert row == {
        "order_id": only(Order).id,
        "variant_id": mug.small,
        "product_code": "mug",
        "sku": "mug-s",
        "picture": "",
        "quantity": 2,
        "price_minor": 2450,
        "price_currency": "EUR",
        "vat_rate": 2100,
        "ships_from_country": "NL",
        "ships_from_city": "Utrecht",
        "stock_kind": "own_stock",
        "returns_days": 14,
        "returns_paid_by": "buyer",
        "clip_id": None,
        "platform_minor": 202,
        "tax_minor": 43,
        "creator_minor": 0,
        "creator_id": None,
    }


def test_the_line_knows_the_clip_that_led_to_it_and_its_maker(mug):
    kai = a_profile("kai", "Kai")
    product = db.session.get(Product, mug.id)
    product.creator_rate = 1000
    clip = a_clip(kai, "kais", product)
    db.session.add(clip)
    db.session.commit()
    press(One("mug-s", "kais"))
    line = only(OrderLine)
    assert (line.clip_id, line.creator_id, line.creator_minor) == (clip.id, kai.id, 245)


# One thing alone


def test_one_thing_alone_has_no_cart_and_belongs_to_who_is_signed_in(mug, noor):
    placed = press(One("mug-s"), person=noor.id)
    assert (placed.purchase.cart_id, placed.purchase.user_id, written()) == (None, noor.id, PLACED)
    again = press(One("mug-s"), person=noor.id)
    assert (again.purchase.id, again.attempt, again.number, again.is_new) == (
        placed.purchase.id,
        placed.attempt,
        1,
        False,
    )
    with pytest.raises(checkout.Changed):
        press(One("mug-s"))
    assert written() == PLACED


def test_one_thing_alone_pressed_twice_is_bought_once_by_a_guest_too(mug, hers):
    placed = press(One("mug-s"))
    assert press(One("mug-s")).purchase.id == placed.purchase.id
    with pytest.raises(checkout.Changed):
        press(hers)
    assert written() == PLACED


# Who pays with what


def test_what_somebody_kept_is_theirs_to_pay_with(hers, noor):
    card = {"code": "hers", "gateway": "sandbox", "gateway_id": "pm_hers", "name": "Visa 4242"}
    db.session.add(SavedMethod(user_id=noor.id, created_at=TUESDAY, **card))
    db.session.commit()
    press(hers, person=noor.id, method="saved:hers")
    assert only(PaymentAttempt).request["saved_method"] == "pm_hers"


def test_what_one_pays_with_comes_through(hers, monkeypatch):
    asked = []
    for name in ("begin", "open"):
        real = getattr(checkout.payments, name)
        noted = lambda purchase, real=real, **how: asked.append(how) or real(purchase, **how)  # noqa: E731
        monkeypatch.setattr(checkout.payments, name, noted)
    placed = press(hers, card="tok_1", wants_saving=True)
    assert asked == [{"method": "card", "card": "tok_1", "wants_saving": True}]
    only(PaymentAttempt).state = "failed"
    db.session.commit()
    checkout.pay_again(placed.purchase, "ideal", 1, card="tok_2")
    assert asked[1:] == [{"method": "ideal", "card": "tok_2", "wants_saving": False}]
    db.session.execute(update(PaymentAttempt).values(state="failed"))
    checkout.pay_again(placed.purchase, "card", 2)
    assert asked[2:] == [{"method": "card", "card": "", "wants_saving": False}]


def test_nobody_keeps_a_card_who_did_not_say_so(hers, monkeypatch):
    asked = []
    for name in ("begin", "open"):
        real = getattr(checkout.payments, name)
        noted = lambda purchase, real=real, **how: asked.append(how) or real(purchase, **how)  # noqa: E731
        monkeypatch.setattr(checkout.payments, name, noted)
    press(hers)
    assert asked == [{"method": "card", "card": "", "wants_saving": False}]
    assert db.session.scalar(select(SavedMethod.id)) is None


def test_of_two_presses_at_the_same_moment_the_slower_one_gets_what_the_quicker_one_wrote(hers, monkeypatch):
    seen = checkout.offer(hers, None, "NL").seen
    real, quicker = checkout.offer, []

    def meanwhile(*given):
        monkeypatch.setattr(checkout, "offer", real)
        quicker.append(press(hers, seen=seen))
        return real(*given)

    monkeypatch.setattr(checkout, "offer", meanwhile)
    slower = press(hers, seen=seen)
    assert (slower.id, slower.code, slower.attempt) == (quicker[0].id, quicker[0].code, quicker[0].attempt)
    assert (slower.is_new, slower.number, written()) == (False, 1, PLACED)


def test_one_thing_alone_that_is_paid_stays_bought_however_little_is_left(mug):
    seen = checkout.offer(One("mug-l"), None, "NL").seen
    placed = press(One("mug-l"), seen=seen)
    settlement.pay(placed.attempt)
    db.session.commit()
    db.session.expire_all()
    again = press(One("mug-l"), seen=seen)
    assert (again.id, again.code, again.is_new) == (placed.id, placed.purchase.code, False)
    assert placed.code == placed.purchase.code


def test_another_try_holds_all_of_it_again_and_has_the_next_number(mug, hers):
    cart.add(hers, "mug-l", 1)
    db.session.commit()
    placed = press(hers, method="card_declined")
    settlement.pay(placed.attempt)
    db.session.commit()
    again = checkout.pay_again(purchases.find(placed.purchase.code, None), "card", 1)
    held = db.session.execute(select(Variant.id, Variant.held).order_by(Variant.id)).all()
    assert [tuple(row) for row in held] == [(mug.small, 2), (mug.large, 1)]
    assert (again.purchase.id, again.number, again.is_new) == (placed.purchase.id, 2, True)
    assert again.attempt == db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.number == 2))


def test_what_is_on_two_lines_is_held_as_their_sum(mug):
    purchase, _attempt = written_by_hand({mug.small: 1})
    line = db.session.execute(select(OrderLine.__table__)).one()
    db.session.execute(OrderLine.__table__.insert().values(columns(line)))
    db.session.execute(update(PaymentAttempt).values(state="failed"))
    db.session.commit()
    checkout.pay_again(db.session.get(Purchase, purchase), "card", 1)
    assert db.session.scalar(select(Variant.held).where(Variant.id == mug.small)) == 2


def test_who_has_paid_gets_what_they_have_however_many_tries_they_know_of(hers):
    placed = press(hers)
    assert settlement.pay(placed.attempt) == Paid()
    db.session.commit()
    db.session.expire_all()
    late = checkout.pay_again(placed.purchase, "card", 5)
    assert (late.attempt, late.number, late.is_new) == (placed.attempt, 1, False)


# What is said


def refusal(call, *given, **more):
    with pytest.raises(Refused) as no:
        call(*given, **more)
    db.session.rollback()
    return type(no.value), no.value.words, no.value.status


def test_each_refusal_says_what_is_the_matter(hers, mug):
    seen = checkout.offer(hers, None, "NL").seen
    assert refusal(press, "", seen=seen) == (Refused, "Your cart is empty.", 409)
    changed = "Something has changed: the total is €52.95 now. Please look again."
    assert refusal(press, hers, seen="another") == (checkout.Changed, changed, 409)
    db.session.execute(update(Product).values(status=ProductStatus.PAUSED))
    db.session.commit()
    gone = "This cannot be bought at this moment."
    assert refusal(press, hers, seen=seen) == (checkout.Changed, gone, 409)
    db.session.execute(update(Product).values(status=ProductStatus.LIVE))
    db.session.commit()
    press(hers)
    elsewhere = NOOR._replace(street="Elsewhere")
    other = "Your order has changed since you opened this page. Please look at it again."
    assert refusal(press, hers, seen=seen, buyer=elsewhere) == (checkout.Changed, other, 409)


@pytest.mark.parametrize(
    ("is_alone", "words"),
    [
        (False, "This offer has run out. What you chose is still in your cart: please order it again."),
        (True, "This offer has run out. Please order it again."),
    ],
)
def test_an_offer_that_has_run_out_says_where_the_things_are(hers, monkeypatch, is_alone, words):
    placed = press(One("mug-s") if is_alone else hers, method="card_declined")
    settlement.pay(placed.attempt)
    db.session.commit()
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(days=1))
    assert refusal(checkout.pay_again, placed.purchase, "card", 1) == (checkout.Changed, words, 409)
    assert written() == PLACED


def test_on_the_same_day_an_offer_still_holds_until_the_cut_off_hour(hers, monkeypatch):
    placed = press(hers, method="card_declined")
    settlement.pay(placed.attempt)
    db.session.commit()
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(hours=5, minutes=59))
    assert checkout.pay_again(placed.purchase, "card", 1).is_new
