"""Who is new here begins small: few listings, little under way, and no money before it has arrived."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shop import cart, checkout, clock, newcomers, packing, payouts
from shop.addresses import Buyer
from shop.database import db
from shop.errors import Refused
from shop.models import Account, Order, Product, Purchase, Seller, Transfer, User, Variant
from shop.money import Money
from tests.bookkeeping import bought, give, payable, send_due
from tests.cast import a_product, a_variant

pytestmark = pytest.mark.usefixtures("at_the_desk")

NOOR = Buyer("noor@example.com", "Noor", "Oudegracht", "1", "3511 AA", "Utrecht", "NL")


@pytest.fixture
def new(app, mug, monkeypatch):
    """Mina is new: after two delivered orders no longer. She may have two listings, and EUR 60 under way."""
    limits = {"NEWCOMER_ORDERS": 2, "NEWCOMER_LISTINGS": 2, "NEWCOMER_OPEN": 6000, "NEWCOMER_HOLD": 21}
    for name, limit in limits.items():
        monkeypatch.setitem(app.config, name, limit)
    db.session.execute(update(Seller).values(established_at=None))
    db.session.commit()
    return db.session.scalar(select(Seller.id))


def delivered(order):
    packing.ship(db.session.get_one(Order, order), "postnl", "3SABC12345", by=None)
    db.session.commit()
    packing.receive(db.session.get_one(Order, order, populate_existing=True), by=None)
    db.session.commit()


def bought_by(email, mug):
    """An order of somebody with this address, however few are left."""
    db.session.execute(update(Variant).values(stock=20))
    purchase, order = bought({mug.small: 1})
    db.session.get_one(Purchase, purchase).email = email
    db.session.commit()
    return order


def since():
    return db.session.scalar(select(Seller.established_at))


# Until so many orders have arrived


def test_after_so_many_delivered_orders_nobody_is_new_any_more(new, mug):
    orders = [bought_by(f"buyer{n}@example.com", mug) for n in range(3)]
    delivered(orders[0])
    assert (since(), newcomers.is_one(new)) == (None, True)
    delivered(orders[1])
    became = since()
    assert (became is not None, newcomers.is_one(new)) == (True, False)
    delivered(orders[2])
    assert since() == became


def test_ten_orders_to_oneself_or_to_one_friend_count_once_at_most(new, mug):
    payable(new)
    mina, noor = db.session.scalars(select(User)).one(), "noor@example.com"
    for email in (mina.email.upper(), mina.email, noor, noor.upper()):
        delivered(bought_by(email, mug))
    purchase, order = bought({mug.small: 1})
    row = db.session.get_one(Purchase, purchase)
    row.email, row.user_id = "another@example.com", mina.id  # signed in as herself
    db.session.commit()
    delivered(order)
    assert newcomers.is_one(new)
    delivered(bought_by("lotte@example.com", mug))
    assert not newcomers.is_one(new)


def test_what_was_wholly_given_back_does_not_count_and_a_part_does_not_matter(new, mug):
    back = bought_by("noor@example.com", mug)
    give(back)
    delivered(bought_by("lotte@example.com", mug))
    db.session.get_one(Order, back).status = "delivered"
    part = bought_by("kai@example.com", mug)
    give(part, 100)
    db.session.commit()
    assert (newcomers.count_delivery(new), newcomers.is_one(new)) == (False, True)
    delivered(part)
    assert not newcomers.is_one(new)


def test_what_is_only_sent_does_not_count(new, mug):
    for n in range(3):
        order = bought_by(f"buyer{n}@example.com", mug)
        packing.ship(db.session.get_one(Order, order), "postnl", "3SABC12345", by=None)
    db.session.commit()
    assert newcomers.count_delivery(new) is False


def test_what_others_delivered_does_not_count(new, lamp):
    for _n in range(3):
        delivered(bought({lamp.oak: 1})[1])
    assert newcomers.is_one(new)


# Listings


def one_more(seller, code):
    db.session.add(a_product(db.session.get_one(Seller, seller), code, "Bowl", [a_variant(code, "One", 100, 1)]))
    db.session.commit()


def test_one_more_than_the_limit_is_refused_and_says_so(new):
    newcomers.refuse_too_many(new)
    one_more(new, "bowl")
    with pytest.raises(
        Refused, match="you may have 2 products for sale; more once orders of 2 different buyers have arrived"
    ) as no:
        newcomers.refuse_too_many(db.session.get_one(Seller, new))
    assert no.value.status == 422


def test_what_is_paused_leaves_room(new):
    one_more(new, "bowl")
    db.session.execute(update(Product).where(Product.code == "bowl").values(status="paused"))
    newcomers.refuse_too_many(new)


def test_what_waits_for_a_moderator_takes_room_so_that_nothing_goes_over_when_it_goes_live(new):
    one_more(new, "bowl")
    db.session.execute(update(Product).where(Product.code == "bowl").values(status="review"))
    assert newcomers.has_room(new) is False
    with pytest.raises(Refused):
        newcomers.refuse_too_many(new)


def test_who_is_established_may_have_as_many_as_they_like(new):
    one_more(new, "bowl")
    db.session.execute(update(Seller).values(established_at=clock.now()))
    newcomers.refuse_too_many(new)


# Under way


def offer(variant="mug-s", quantity=1):
    code = cart.open_for(None)
    cart.add(code, variant, quantity)
    db.session.commit()
    return code, checkout.offer(code, None, "NL")


def place(code, seen):
    return checkout.place(code, NOOR, token="a" * 22, seen=seen, method="card")


def purchases():
    return db.session.scalar(select(func.count(Purchase.id)))


def test_a_basket_up_to_the_limit_is_bought(new, monkeypatch, app):
    code, made = offer(quantity=2)  # EUR 49.00 and 3.95
    monkeypatch.setitem(app.config, "NEWCOMER_OPEN", 5295)
    assert (made.total, made.too_much) == (Money(5295, "EUR"), "")
    place(code, made.seen)
    db.session.commit()
    assert purchases() == 1


def test_a_cent_more_is_refused_in_words_before_anything_is_written(new, monkeypatch, app):
    monkeypatch.setitem(app.config, "NEWCOMER_OPEN", 5294)
    code, made = offer(quantity=2)
    assert made.too_much == "Atelier Mina"
    with pytest.raises(Refused, match=r"Atelier Mina is new here, and may have orders for €52\.94 under way"):
        place(code, made.seen)
    db.session.rollback()
    assert (purchases(), db.session.scalar(select(Variant.held).where(Variant.code == "mug-s"))) == (0, 0)


def test_what_is_paid_packed_and_sent_is_under_way_and_what_has_arrived_is_not(new, mug):
    _purchase, order = bought({mug.small: 1})  # EUR 24.50 and 3.95: with another one of EUR 32.95 it is too much
    for state, is_too_much in (("paid", True), ("packed", True), ("shipped", True), ("delivered", False)):
        db.session.execute(update(Order).where(Order.id == order).values(status=state))
        assert bool(offer("mug-l")[1].too_much) == is_too_much


def test_others_may_sell_as_much_as_they_like_in_the_same_basket(new, mug, lamp):
    code, _made = offer()
    cart.add(code, "lamp-oak", 8)
    db.session.commit()
    assert checkout.offer(code, None, "NL").too_much == ""


def test_nothing_of_it_is_told_to_the_buyer_for_ever(new):
    code, made = offer()
    place(code, made.seen)
    assert "under_way" not in db.session.scalars(select(Order.seller_snapshot)).one()


def test_the_checkout_says_so_before_one_pays_and_asks_no_more_than_before(app, client, new, queries, monkeypatch):
    db.session.commit()
    client.post("/cart/lines", data={"variant": "mug-s", "quantity": 2})
    with queries() as established:
        assert "is new here" not in client.get("/checkout").text
    monkeypatch.setitem(app.config, "NEWCOMER_OPEN", 100)
    with queries() as asked:
        page = client.get("/checkout").text
    assert "Atelier Mina is new here, and may have orders for €1.00 under way" in page
    assert len(asked) == len(established)


# Money


def test_a_share_waits_for_the_longer_hold_after_the_delivery(new, mug):
    _purchase, order = bought({mug.small: 1})
    due = db.session.get_one(Order, order).deliver_until + timedelta(days=21)
    assert db.session.scalar(select(Transfer.due_at)) == due


def test_a_share_does_not_leave_before_it_has_arrived_however_long_that_takes(new, mug, pass_time):
    payable(new)
    _purchase, order = bought({mug.small: 1})
    pass_time(days=90)
    send_due()
    assert db.session.scalar(select(Transfer.state)) == "waiting"
    assert payouts.standing(Account.SELLER, new)[:2] == (0, 2722)
    delivered(order)
    send_due()
    assert db.session.scalar(select(Transfer.state)) == "waiting"
    assert db.session.scalar(select(Transfer.due_at)) == clock.now() + timedelta(days=21)
    pass_time(days=21)
    assert payouts.standing(Account.SELLER, new)[:2] == (2722, 0)
    send_due()
    assert db.session.scalar(select(Transfer.state)) == "done"


def test_of_who_is_established_it_leaves_as_it_was_agreed(mug, pass_time):
    seller = db.session.scalar(select(Seller.id))
    payable(seller)
    bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    assert db.session.scalar(select(Transfer.state)) == "done"
