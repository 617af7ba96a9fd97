"""A cart becomes one purchase with an order for each seller: wholly, once, and as it was shown."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from shop import accounts, cart, checkout, clock, jobs, notifications, payments, purchases, settlement, stock
from shop.addresses import Buyer, known
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.payment_port import Declined, NeedsRedirect, Paid
from shop.models import (
    Cart,
    CartLine,
    DeliveryRate,
    Order,
    OrderLine,
    PaymentAttempt,
    Product,
    ProductStatus,
    Purchase,
    Seller,
    StockHold,
    Variant,
    Vetting,
)
from shop.money import Money
from shop.purchases import Stage

pytestmark = pytest.mark.usefixtures("at_the_desk")

NOOR = Buyer("noor@example.com", "Noor", "Oudegracht", "1", "3511 AA", "Utrecht", "NL")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _tuesday(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TUESDAY)


@pytest.fixture
def hers(mug, lamp):
    """A guest's cart: two small mugs of mina's and a lamp of lars's, together EUR 98.95 + 3.95 + 6.50."""
    code = cart.open_for(None)
    cart.add(code, "mug-s", 2)
    cart.add(code, "lamp-oak", 1)
    db.session.commit()
    return code


def press(code, *, token="a" * 22, seen=None, buyer=NOOR, method="card", tries=0, person=None):
    seen = seen or checkout.offer(code, person, buyer.country).seen
    placed = checkout.place(code, buyer, token=token, seen=seen, method=method, tries=tries, person=person)
    db.session.commit()
    return placed


def paid(placed):
    outcome = settlement.pay(placed.attempt) if placed.is_new else payments.outcome(placed.attempt)
    db.session.commit()
    db.session.expire_all()
    return outcome


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


def stock_and_held(variant):
    return tuple(db.session.execute(select(Variant.stock, Variant.held).where(Variant.id == variant)).one())


def written():
    return {table.__tablename__: count(table) for table in (Purchase, Order, OrderLine, StockHold, PaymentAttempt)}


NOTHING = {"purchases": 0, "orders": 0, "order_lines": 0, "stock_holds": 0, "payment_attempts": 0}


def test_one_purchase_and_one_order_for_each_seller_with_all_that_was_promised(hers, mug, lamp):
    placed = press(hers)
    purchase = purchases.find(placed.purchase.code, None)
    assert purchase.total == Money(10940, "EUR")
    mina, lars = purchase.orders
    assert (mina.goods, mina.delivery) == (Money(4900, "EUR"), Money(395, "EUR"))
    assert (lars.goods, lars.delivery) == (Money(4995, "EUR"), Money(650, "EUR"))
    assert (str(mina.deliver_from.date()), str(mina.deliver_until.date())) == ("2026-11-26", "2026-11-27")
    assert (mina.seller_snapshot["legal_name"], mina.seller_snapshot["company_number"]) == (
        "Atelier Mina B.V.",
        "68750110",
    )
    (line,) = lars.lines
    assert (line.title["en"], line.variant_name["en"], line.quantity, line.price) == (
        "Lamp",
        "Oak",
        1,
        Money(4995, "EUR"),
    )
    assert (line.vat_rate, line.ships_from_city, line.stock_kind, line.returns_days) == (
        900,
        "Antwerp",
        "own_stock",
        14,
    )
    assert line.guarantee["en"] == "Two years."
    assert stock_and_held(mug.small) == (3, 2)
    assert placed.is_new


def test_what_is_paid_is_taken_from_the_shelf_and_out_of_the_cart_once(hers, mug):
    placed = press(hers)
    assert paid(placed) == Paid()
    for _again in range(2):
        settlement.settle(placed.purchase.payment.id)
    db.session.commit()
    assert purchases.stage(purchases.find(placed.purchase.code, None)) is Stage.PAID
    assert stock_and_held(mug.small) == (1, 0)
    assert cart.lines(hers) == []
    assert [[step.became for step in each] for each in purchases.steps(placed.purchase.orders).values()] == [
        ["paid"],
        ["paid"],
    ]


def test_pressing_twice_buys_once_also_when_the_cart_is_empty_by_then(hers):
    first = press(hers)
    seen = checkout.offer(hers, None, "NL").seen
    again = press(hers, seen=seen)
    assert (again.purchase.id, again.attempt, again.is_new) == (first.purchase.id, first.attempt, False)
    paid(first)
    late = press(hers, seen=seen)
    assert (late.purchase.id, late.attempt, late.is_new) == (first.purchase.id, first.attempt, False)
    assert paid(late) == Paid()
    assert written() == {"purchases": 1, "orders": 2, "order_lines": 2, "stock_holds": 2, "payment_attempts": 1}


def test_the_same_form_with_another_cart_or_address_is_refused(hers):
    placed = press(hers)
    seen = checkout.offer(hers, None, "NL").seen
    with pytest.raises(checkout.Changed):
        press(hers, seen=seen, buyer=NOOR._replace(street="Elsewhere"))
    db.session.rollback()
    cart.change(hers, "mug-s", 3)
    db.session.commit()
    for shown in (seen, None):
        with pytest.raises(checkout.Changed):
            press(hers, seen=shown)
        db.session.rollback()
    assert written() == {"purchases": 1, "orders": 2, "order_lines": 2, "stock_holds": 2, "payment_attempts": 1}
    assert purchases.find(placed.purchase.code, None).total == Money(10940, "EUR")


def test_another_cart_cannot_use_the_token_of_this_one(hers):
    press(hers)
    other = cart.open_for(None)
    cart.add(other, "mug-s", 1)
    with pytest.raises(checkout.Changed):
        press(other)


@pytest.mark.parametrize(
    "change",
    [
        update(Variant).where(Variant.code == "mug-s").values(price_minor=2451),
        update(DeliveryRate).values(cost_minor=396),
        update(DeliveryRate).values(max_days=9),
        update(Seller).values(returns_days=15),
        update(Seller).values(returns_paid_by="seller"),
        update(Seller).values(vetting=Vetting.SUSPENDED),
        update(Product).where(Product.code == "mug").values(status=ProductStatus.PAUSED),
        update(Product).values(vat_rate=901),
        update(Product).values(stock_kind="supplier_ships"),
        update(Product).values(ships_from_country="CN"),
        update(Variant).where(Variant.code == "mug-s").values(stock=1),
        update(CartLine).values(quantity=1),
    ],
)
def test_what_changed_after_it_was_shown_is_shown_again_and_nothing_is_written(hers, change):
    seen = checkout.offer(hers, None, "NL").seen
    db.session.execute(change)
    db.session.commit()
    with pytest.raises(checkout.Changed) as no:
        press(hers, seen=seen)
    db.session.rollback()
    assert no.value.status == 409
    assert written() == NOTHING


def test_after_the_cut_off_hour_the_promise_is_another_one(hers, monkeypatch):
    seen = checkout.offer(hers, None, "NL").seen
    monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(hours=9))
    with pytest.raises(checkout.Changed):
        press(hers, seen=seen)


def test_what_cannot_be_bought_is_left_out_and_said(hers, mug):
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(stock=0))
    now = checkout.offer(hers, None, "NL")
    assert ([line.code for line in now.left_out], now.total) == (["mug-s"], Money(5645, "EUR"))
    placed = press(hers)
    assert [order.goods for order in placed.purchase.orders] == [Money(4995, "EUR")]
    paid(placed)
    assert [line.code for line in cart.lines(hers)] == ["mug-s"]


@pytest.mark.parametrize("code", ["", "no-such-cart"])
def test_without_a_cart_there_is_nothing_to_buy(code, mug):
    with pytest.raises(Refused):
        press(code)
    assert written() == NOTHING


def test_a_way_to_pay_that_is_not_offered_writes_nothing(hers, mug):
    for method in ("", "cash", "saved:somebody-elses", "ideal;drop"):
        with pytest.raises(Refused):
            press(hers, method=method)
        db.session.rollback()
    assert written() == NOTHING
    assert stock_and_held(mug.small) == (3, 0)


def test_a_declined_card_keeps_the_cart_frees_the_goods_and_allows_another_try(hers, mug):
    placed = press(hers, method="card_declined")
    assert isinstance(paid(placed), Declined)
    assert stock_and_held(mug.small) == (3, 0)
    assert len(cart.lines(hers)) == 2
    same_press = press(hers, method="card_declined")
    assert (same_press.attempt, same_press.is_new) == (placed.attempt, False)
    again = press(hers, method="card", tries=1)
    assert (again.purchase.id, again.number, again.is_new) == (placed.purchase.id, 2, True)
    assert stock_and_held(mug.small) == (3, 2)
    assert paid(again) == Paid()
    assert written() == {"purchases": 1, "orders": 2, "order_lines": 2, "stock_holds": 2, "payment_attempts": 2}


def test_a_double_press_on_the_way_to_the_bank_goes_to_the_same_page_of_the_bank(hers):
    first = press(hers, method="ideal")
    there = paid(first)
    assert isinstance(there, NeedsRedirect)
    again = press(hers, method="ideal")
    assert paid(again) == there
    assert count(PaymentAttempt) == 1


def test_ones_own_unpaid_purchase_is_never_in_the_way(hers, mug):
    cart.change(hers, "mug-s", 3)
    paid(press(hers, method="ideal"))  # she is at the bank's page, and turns back
    assert [line.free for line in cart.lines(hers) if line.code == "mug-s"] == [3]
    second = press(hers, token="b" * 22)
    assert paid(second) == Paid()
    assert stock_and_held(mug.small) == (0, 0)


def test_what_is_being_paid_is_not_let_go_by_the_next_press(hers, mug):
    """Her card says neither yes nor no yet: it may be hers in a moment, so nobody gets it meanwhile, nor she twice."""
    cart.change(hers, "mug-s", 3)
    first = press(hers, method="slow_success")
    paid(first)
    with pytest.raises(Refused, match=r"^Your payment is on its way. Please wait a moment before you try again\.$"):
        press(hers, token="b" * 22)
    db.session.rollback()
    assert (count(Purchase), stock_and_held(mug.small)) == (1, (3, 3))
    with pytest.MonkeyPatch.context() as later:
        later.setattr(clock, "now", lambda: TUESDAY + timedelta(minutes=1))
        settlement.look(first.attempt)
    db.session.commit()
    assert (payments.outcome(first.attempt), stock_and_held(mug.small)) == (Paid(), (0, 0))


def test_what_was_declined_is_free_for_the_next_press(hers, mug):
    cart.change(hers, "mug-s", 3)
    first = press(hers, method="slow_failure")
    paid(first)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(clock, "now", lambda: TUESDAY + timedelta(minutes=1))
        settlement.look(first.attempt)
    db.session.commit()
    assert paid(press(hers, token="b" * 22)) == Paid()
    assert stock_and_held(mug.small) == (0, 0)


def test_the_last_one_goes_to_whoever_presses_first(mug):
    early, late = cart.open_for(None), cart.open_for(None)
    for code in (early, late):
        cart.add(code, "mug-l", 1)
    seen = checkout.offer(late, None, "NL").seen
    press(early, method="ideal")
    with pytest.raises((checkout.Changed, stock.SoldOut)):
        press(late, token="b" * 22, seen=seen)
    db.session.rollback()
    assert count(Purchase) == 1
    assert stock_and_held(mug.large) == (1, 1)


def test_another_way_to_pay_is_one_tap_away_on_the_purchase(hers):
    placed = press(hers, method="card_declined")
    paid(placed)
    again = checkout.pay_again(purchases.find(placed.purchase.code, None), "card", tries=1)
    db.session.commit()
    assert again.is_new
    assert paid(again) == Paid()


@pytest.mark.parametrize("obstacle", ["another day", "paused"])
def test_an_old_offer_is_not_paid_again(hers, monkeypatch, obstacle):
    placed = press(hers, method="card_declined")
    paid(placed)
    if obstacle == "another day":
        monkeypatch.setattr(clock, "now", lambda: TUESDAY + timedelta(days=1))
    else:
        db.session.execute(update(Product).where(Product.code == "mug").values(status=ProductStatus.PAUSED))
    with pytest.raises(checkout.Changed):
        checkout.pay_again(purchases.find(placed.purchase.code, None), "card", tries=1)
    db.session.rollback()
    assert count(PaymentAttempt) == 1


def test_a_purchase_of_somebody_with_an_account_opens_for_them_alone(mug, noor):
    code = cart.open_for(noor.id)
    cart.add(code, "mug-s", 1)
    purchase = press(code, person=noor.id).purchase
    order = purchase.orders[0].code
    assert purchases.find(purchase.code, noor.id).id == purchase.id
    assert purchases.find_order(order, noor.id).purchase_id == purchase.id
    for stranger in (None, noor.id + 1):
        with pytest.raises(NotFound):
            purchases.find(purchase.code, stranger)
        with pytest.raises(NotFound):
            purchases.find_order(order, stranger)


def test_what_somebody_bought_is_listed_newest_first_when_it_was_paid(mug, lamp, noor):
    code = cart.open_for(noor.id)
    for variant, token in (("mug-s", "a" * 22), ("lamp-oak", "b" * 22)):
        cart.add(code, variant, 1)
        paid(press(code, token=token, person=noor.id))
    cart.add(code, "mug-l", 1)
    press(code, token="c" * 22, person=noor.id, method="ideal")
    assert [(row.total_minor, row.things) for row in purchases.bought_by(noor.id)] == [(5645, 1), (2845, 1)]
    assert [row.title["en"] for row in purchases.bought_by(noor.id)] == ["Lamp", "Mug <b>"]
    assert purchases.bought_by(noor.id + 1) == []


def test_later_changes_of_the_product_do_not_rewrite_what_was_bought(hers):
    placed = press(hers)
    db.session.execute(update(Variant).values(price_minor=1))
    db.session.execute(update(Seller).values(legal_name="Somebody else"))
    db.session.commit()
    db.session.expire_all()
    mina = purchases.find(placed.purchase.code, None).orders[0]
    assert mina.lines[0].price == Money(2450, "EUR")
    assert mina.seller_snapshot["legal_name"] == "Atelier Mina B.V."


def test_an_address_is_kept_and_replaced(noor):
    assert known(noor.id) == Buyer("noor@example.com", "Noor", "", "", "", "", "")
    for place in (NOOR, NOOR._replace(city="Gent", country="BE")):
        accounts.deliver_at(noor, **{name: text for name, text in place._asdict().items() if name != "email"})
        db.session.flush()
    assert known(noor.id) == NOOR._replace(city="Gent", country="BE")
    assert known(None) is None


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_confirmation_carries_everything_that_was_promised_and_goes_once(hers, monkeypatch, language):
    letters = []
    monkeypatch.setattr(notifications, "_send", letters.append)
    placed = press(hers)
    placed.purchase.language = language
    db.session.commit()
    paid(placed)
    for _again in range(2):
        purchases.confirm(purchase=placed.purchase.id)
        db.session.commit()
    (letter,) = letters
    said = {
        "en": ["€109.40", "Atelier Mina", "Thu 26 Nov", "you pay for sending it back", "14 days", "at least two years"],
        "nl": ["€\xa0109,40", "Lars Licht B.V.", "do 26", "terugsturen zelf", "14 dagen", "minstens twee jaar"],
    }
    both = [f"/purchases/{placed.purchase.code}", "68750110", "NL999999990B51", "Oudegracht 1", "3511 AA Utrecht"]
    assert [words for words in said[language] + both if words not in letter.text] == []
    assert [words for words in both if words not in letter.html] == []
    assert letter.to == "noor@example.com"


def test_a_purchase_is_confirmed_by_mail_when_it_is_settled(hers, monkeypatch):
    letters = []
    monkeypatch.setattr(notifications, "_send", letters.append)
    paid(press(hers))
    jobs.run_due()
    jobs.run_due()
    assert [letter.to for letter in letters] == ["noor@example.com"]


def test_the_guest_s_purchase_stays_with_the_cart_when_they_sign_in(hers, noor):
    home = cart.open_for(noor.id)
    placed = press(hers, method="ideal")
    assert cart.merge(hers, noor.id) == home
    db.session.commit()
    db.session.expire_all()
    owner = db.session.scalar(select(Cart.id).where(Cart.code == home))
    assert db.session.get(Purchase, placed.purchase.id).cart_id == owner


def test_the_shares_are_frozen_when_it_is_bought(hers, mug, monkeypatch):
    placed = press(hers)
    frozen = select(OrderLine.platform_minor, OrderLine.tax_minor, OrderLine.creator_minor).order_by(OrderLine.id)
    db.session.execute(update(Seller).values(platform_rate=5000))
    db.session.commit()
    paid(placed)
    assert [tuple(row) for row in db.session.execute(frozen)] == [(202, 43, 0), (207, 43, 0)]


def test_a_sellers_own_rate_holds_and_is_not_shown_to_the_buyer(hers):
    db.session.execute(update(Seller).values(platform_rate=0))
    db.session.commit()
    press(hers)
    assert set(db.session.scalars(select(OrderLine.platform_minor))) == {0}
    assert all("platform_rate" not in order.seller_snapshot for order in db.session.scalars(select(Order)))
