"""What one can and cannot put in a cart, what its lines say, and how two carts become one."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from shop import cart, clock, parcels
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import (
    Cart,
    CartLine,
    HoldState,
    Picture,
    Product,
    ProductStatus,
    Seller,
    StockHold,
    Variant,
    Vetting,
)
from shop.money import Money
from tests.cast import a_clip, a_product, a_profile, a_purchase, a_variant

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def hers(mug):
    """A guest's cart with two small mugs."""
    code = cart.open_for(None)
    cart.add(code, "mug-s", 2)
    return code


def held(cart_code, variant, quantity, minutes=10):
    """Somebody pays for `quantity` of it at this moment, from this cart."""
    owner = db.session.scalar(db.select(Cart.id).where(Cart.code == cart_code))
    purchase = a_purchase({variant: quantity}, cart_id=owner)
    db.session.execute(update(Variant).where(Variant.id == variant).values(held=Variant.held + quantity))
    until = clock.now() + timedelta(minutes=minutes)
    db.session.add(StockHold(purchase_id=purchase.id, variant_id=variant, quantity=quantity, expires_at=until))
    db.session.flush()


def quantities(code, person=None):
    return {line.code: line.quantity for line in cart.lines(code, person)}


def test_a_line_says_what_it_costs_and_who_sends_it(hers):
    (line,) = cart.lines(hers)
    assert (line.quantity, line.price, line.free, line.counted) == (2, Money(2450, "EUR"), 3, 2)
    assert (line.seller_name, line.handle, line.ships_from_city, line.cost_minor) == (
        "Atelier Mina",
        "mina",
        "Utrecht",
        395,
    )
    assert line.total == Money(4900, "EUR")


def test_lines_come_seller_by_seller(hers, lamp):
    cart.add(hers, "lamp-oak", 1)
    cart.add(hers, "mug-l", 1)
    assert [[line.code for line in parcel.lines] for parcel in parcels.by_seller(cart.lines(hers))] == [
        ["mug-s", "mug-l"],
        ["lamp-oak"],
    ]


def test_the_picture_of_a_variant_comes_before_that_of_the_product(hers, mug):
    shared = [Picture(product_id=mug.id, position=n, name=f"{n}.webp", width=9, height=9) for n in range(2)]
    db.session.add_all(shared)
    db.session.flush()
    assert cart.lines(hers)[0].picture == "0.webp"
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(picture_id=shared[1].id))
    assert cart.lines(hers)[0].picture == "1.webp"


def test_what_is_not_delivered_in_a_country_is_not_counted(hers, lamp):
    cart.add(hers, "lamp-oak", 1)
    at_home, abroad = (cart.lines(hers, country=country) for country in ("NL", "BE"))
    assert [line.counted for line in at_home] == [2, 1]
    assert [line.counted for line in abroad] == [2, 0]


@pytest.mark.parametrize("changes", [{"status": ProductStatus.PAUSED}, {"status": ProductStatus.DRAFT}])
def test_a_product_that_is_not_live_goes_in_no_cart(hers, mug, changes):
    db.session.execute(update(Product).where(Product.id == mug.id).values(**changes))
    with pytest.raises(NotFound):
        cart.add(hers, "mug-l", 1)
    assert quantities(hers) == {"mug-s": 2}
    assert [line.counted for line in cart.lines(hers)] == [0]


def test_what_a_suspended_seller_sells_is_no_longer_counted(hers):
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    assert [(line.is_for_sale, line.counted) for line in cart.lines(hers)] == [(False, 0)]
    with pytest.raises(NotFound):
        cart.add(hers, "mug-l", 1)


def test_what_is_sold_out_goes_in_no_cart_and_says_so(hers, mug):
    db.session.execute(update(Variant).where(Variant.id == mug.large).values(stock=0))
    with pytest.raises(Refused) as no:
        cart.add(hers, "mug-l", 1)
    assert (no.value.words, no.value.status) == ("This is sold out.", 409)
    assert quantities(hers) == {"mug-s": 2}


def test_what_somebody_else_pays_for_is_not_free_but_ones_own_hold_is(hers, mug):
    other = cart.open_for(None)
    held(other, mug.small, 2)
    assert [(line.free, line.counted) for line in cart.lines(hers)] == [(1, 1)]
    cart.add(other, "mug-s", 3)
    assert [(line.free, line.counted) for line in cart.lines(other)] == [(3, 3)]


def test_what_is_not_in_stock_is_no_number_on_the_cart(hers, mug):
    cart.change(hers, "mug-s", 99)
    assert cart.size(hers) == 3
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(stock=0))
    assert cart.size(hers) == 0


@pytest.mark.parametrize(("on_the_shelf", "left"), [(3, {}), (4, {"mug-s": 96})])
def test_pieces_that_are_sold_out_do_not_stay_when_the_others_are_bought(hers, mug, on_the_shelf, left):
    cart.change(hers, "mug-s", 99)
    held(hers, mug.small, 3)
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(stock=on_the_shelf))
    cart.take_out(db.session.scalar(db.select(Cart.id).where(Cart.code == hers)), {mug.small: 3})
    assert quantities(hers) == left


def test_a_hold_that_ran_out_is_in_nobodys_way(hers, mug):
    held(cart.open_for(None), mug.small, 3, minutes=-1)
    assert [line.free for line in cart.lines(hers)] == [3]
    db.session.execute(update(StockHold).values(state=HoldState.RELEASED))
    assert [line.free for line in cart.lines(hers)] == [0]


def test_a_changed_price_is_said_until_it_has_been_seen(hers, mug):
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(price_minor=2600))
    (line,) = cart.lines(hers)
    assert (line.was, line.price) == (Money(2450, "EUR"), Money(2600, "EUR"))
    cart.note_prices(hers)
    assert cart.lines(hers)[0].was is None


def test_a_cart_holds_fifty_different_things_at_most(hers, mug):
    sizes = [a_variant(f"cup-{n}", str(n), 100, stock=1, position=n) for n in range(50)]
    db.session.add(a_product(db.session.get(Product, mug.id).seller, "cup", "Cup", sizes))
    db.session.flush()
    for n in range(49):
        cart.add(hers, f"cup-{n}", 1)
    with pytest.raises(Refused, match="at most 50"):
        cart.add(hers, "cup-49", 1)
    assert cart.add(hers, "cup-48", 3)
    assert len(quantities(hers)) == 50
    assert quantities(hers)["cup-48"] == 4


def test_the_clip_that_led_here_is_remembered_also_when_a_line_is_put_back(hers):
    db.session.add(a_clip(a_profile("kai", "Kai"), "clip-1"))
    db.session.flush()
    cart.add(hers, "mug-s", 1, clip="clip-1")
    cart.add(hers, "mug-s", 1, clip="no-such-clip")
    assert cart.lines(hers)[0].clip_code == "clip-1"
    assert cart.remove(hers, "mug-s") == {"quantity": 4, "clip": "clip-1"}


@pytest.mark.parametrize(("quantity", "becomes"), [(1, 1), (99, 99), (7, 7)])
def test_a_number_is_set(hers, quantity, becomes):
    cart.change(hers, "mug-s", quantity)
    assert quantities(hers) == {"mug-s": becomes}


def test_steps_count_from_what_is_there_and_stay_between_1_and_99(hers):
    for _tap in range(2):
        cart.change(hers, "mug-s", 2, step=1)
    assert quantities(hers) == {"mug-s": 4}
    for _tap in range(5):
        cart.change(hers, "mug-s", 2, step=-1)
    assert quantities(hers) == {"mug-s": 1}
    cart.change(hers, "mug-s", 99)
    cart.change(hers, "mug-s", 99, step=1)
    assert quantities(hers) == {"mug-s": 99}


@pytest.mark.parametrize("act", [lambda c: cart.change(c, "mug-l", 1), lambda c: cart.remove(c, "mug-l")])
def test_what_is_not_in_the_cart_cannot_be_changed(hers, act):
    with pytest.raises(NotFound):
        act(hers)
    assert quantities(hers) == {"mug-s": 2}


def test_nobody_else_sees_or_changes_the_cart_of_a_person(mug, noor):
    code = cart.open_for(noor.id)
    cart.add(code, "mug-s", 2)
    for stranger in (None, noor.id + 1):
        assert cart.lines(code, stranger) == []
        with pytest.raises(NotFound):
            cart.change(code, "mug-s", 9, person=stranger)
        with pytest.raises(NotFound):
            cart.remove(code, "mug-s", person=stranger)
    assert quantities(code, noor.id) == {"mug-s": 2}


def test_a_person_has_one_cart(noor):
    assert cart.open_for(noor.id) == cart.open_for(noor.id)
    assert cart.open_for(None) != cart.open_for(None)


def test_who_signs_in_for_the_first_time_keeps_the_cart_they_hold(hers, noor):
    assert cart.merge(hers, noor.id) == hers
    assert quantities(hers, noor.id) == {"mug-s": 2}
    assert quantities(hers) == {}


def test_two_carts_become_one_with_at_most_99_of_a_thing(hers, noor, lamp):
    home = cart.open_for(noor.id)
    cart.add(home, "mug-s", 98)
    cart.add(hers, "lamp-oak", 1)
    assert cart.merge(hers, noor.id) == home
    db.session.expire_all()
    assert quantities(home, noor.id) == {"mug-s": 99, "lamp-oak": 1}
    assert db.session.scalar(db.select(db.func.count()).select_from(Cart)) == 1
    assert db.session.scalar(db.select(db.func.count()).select_from(CartLine)) == 2


def test_merging_twice_adds_nothing(hers, noor):
    home = cart.open_for(noor.id)
    for _time in range(2):
        assert cart.merge(hers, noor.id) == home
    assert cart.merge(home, noor.id) == home
    assert quantities(home, noor.id) == {"mug-s": 2}


def test_signing_in_with_somebody_elses_cart_takes_nothing_from_it(mug, noor):
    theirs = cart.open_for(noor.id)
    cart.add(theirs, "mug-s", 2)
    from shop import accounts, passwords

    kai = accounts.register("kai@example.com", "Kai", passwords.hashed("twelve letters")).id
    assert cart.merge(theirs, kai) == ""
    assert quantities(theirs, noor.id) == {"mug-s": 2}


def test_signing_in_without_a_cart_finds_the_one_at_home(noor):
    assert cart.merge("", noor.id) == ""
    home = cart.open_for(noor.id)
    assert cart.merge("", noor.id) == home


# Who earns by it


def who_earns(code, person=None):
    line = cart.lines(code, person)[0]
    return (line.creator, line.creator_rate)


@pytest.fixture
def shown(mug):
    """Kai's clip shows the mug, and Mina offers ten per cent for that."""
    product = db.session.get(Product, mug.id)
    product.creator_rate = 1000
    clip = a_clip(a_profile("kai", "Kai"), "clip-1", product)
    db.session.add(clip)
    db.session.commit()
    return clip


def test_whose_clip_led_here_earns_what_the_product_offers(mug, shown):
    code = cart.open_for(None)
    cart.add(code, "mug-s", 1, clip="clip-1")
    assert who_earns(code) == (shown.profile_id, 1000)


def test_nobody_earns_without_a_clip_or_by_one_that_does_not_show_it(mug, shown):
    code = cart.open_for(None)
    cart.add(code, "mug-s", 1)
    assert who_earns(code) == (None, 1000)
    shown.tags.clear()
    db.session.commit()
    other = cart.open_for(None)
    cart.add(other, "mug-s", 1, clip="clip-1")
    assert who_earns(other) == (None, 1000)


def test_nobody_earns_by_a_clip_that_was_taken_down(mug, shown):
    code = cart.open_for(None)
    cart.add(code, "mug-s", 1, clip="clip-1")
    shown.published_at = None
    db.session.commit()
    assert who_earns(code) == (None, 1000)


def test_a_seller_does_not_earn_twice_by_their_own_clip(mug, shown):
    seller = db.session.get(Product, mug.id).seller
    shown.profile_id = seller.profile_id
    db.session.commit()
    code = cart.open_for(None)
    cart.add(code, "mug-s", 1, clip="clip-1")
    assert who_earns(code) == (None, 1000)


def test_a_creator_does_not_earn_by_their_own_purchase(mug, shown, noor):
    shown.profile.user_id = noor.id
    db.session.commit()
    code = cart.open_for(noor.id)
    cart.add(code, "mug-s", 1, clip="clip-1")
    assert who_earns(code, noor.id) == (None, 1000)
    guest = cart.open_for(None)
    cart.add(guest, "mug-s", 1, clip="clip-1")
    assert who_earns(guest) == (shown.profile_id, 1000)
