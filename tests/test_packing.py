"""Orders on their way: packed, sent and received, once each; who sees where they go; what it means for the money."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shop import carriers, clock, packing, purchases, refunds, shipping
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import Event, Job, Order, Profile, Seller, Transfer, TransferState, Vetting
from tests.bookkeeping import bought, order_of
from tests.till import placed

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def mina(mug, noor):
    """The id of mina, who is whoever noor is in other tests: her shop sells the mug."""
    db.session.execute(update(Profile).where(Profile.handle == "mina").values(user_id=noor.id))
    db.session.commit()
    return noor.id


@pytest.fixture
def order(mina, mug):
    """One small mug, paid."""
    return again(bought({mug.small: 1})[1])


def again(order):
    return db.session.get_one(Order, order, populate_existing=True)


def shop(person):
    return packing.shop_of(person)


def sent(order, mina, carrier="postnl", tracking="3SABC123456789"):
    packing.ship(order, carrier, tracking, by=mina, is_followed=bool(tracking))
    db.session.commit()
    return again(order.id)


def steps(order):
    db.session.commit()
    asked = select(Event.became, Event.user_id).where(Event.subject == "order", Event.subject_id == order.id)
    return [tuple(row) for row in db.session.execute(asked.order_by(Event.id))]


def mails():
    return db.session.scalar(select(func.count(Job.id)).where(Job.handler == "shop.packing.tell_of_shipping"))


# From paid to sent


def test_it_has_to_leave_by_the_day_that_the_promise_is_made_from(order):
    assert order.send_until < order.deliver_from


def test_it_is_packed_and_then_sent_with_a_number_and_each_is_written_down(order, mina):
    packing.pack(order, by=mina)
    db.session.commit()
    order = sent(again(order.id), mina, tracking="3s abc-123.456 789")
    assert (order.status, order.carrier, order.tracking) == ("shipped", "postnl", "3SABC123456789")
    assert order.shipped_at is not None
    assert steps(order) == [("paid", None), ("packed", mina), ("shipped", mina)]
    assert mails() == 1


def test_what_is_packed_in_one_go_has_both_steps(order, mina):
    assert steps(sent(order, mina)) == [("paid", None), ("packed", mina), ("shipped", mina)]


@pytest.mark.parametrize(
    ("carrier", "tracking", "words"),
    [
        ("pigeon", "3SABC123", "Choose who brings it."),
        ("postnl", "3S<b>", "no parcel's number"),
        ("dhl", "12", "no par"),
        ("dhl", " ", "or say that it has none"),
    ],
)
def test_what_cannot_be_a_parcel_is_refused_and_nothing_changes(order, mina, carrier, tracking, words):
    with pytest.raises(Refused, match=words) as no:
        packing.ship(order, carrier, tracking, by=mina)
    db.session.rollback()
    assert (no.value.status, again(order.id).status, again(order.id).carrier, mails()) == (422, "paid", "", 0)


def test_it_is_sent_once_however_often_it_is_pressed(order, mina):
    seen_twice = again(order.id)
    db.session.expunge(seen_twice)
    sent(again(order.id), mina)
    with pytest.raises(Refused):
        packing.ship(seen_twice, "dhl", "JJD0001", by=mina)
    db.session.rollback()
    assert (again(order.id).carrier, mails(), len(steps(order))) == ("postnl", 1, 3)


def test_what_was_given_back_whole_is_not_sent_any_more(order, mina):
    refunds.give(order.id)
    db.session.commit()
    with pytest.raises(Refused, match="cancelled"):
        packing.ship(again(order.id), "postnl", "3SABC123", by=mina)


def test_what_is_not_paid_is_nobodys_order_yet(mina, mug):
    purchase, _attempt = placed({mug.small: 1})
    code = db.session.get_one(Order, order_of(purchase)).code
    with pytest.raises(NotFound):
        packing.own(code[:8], shop(mina).id)


def test_another_shop_does_not_find_it(order, mina, lamp):
    with pytest.raises(NotFound):
        packing.own(order.code[:8], lamp.seller)
    assert packing.own(order.code[:8], shop(mina).id).id == order.id


def test_who_was_stopped_sends_what_was_paid_all_the_same(order, mina):
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    assert sent(packing.own(order.code[:8], shop(mina).id), mina).status == "shipped"


def of_the_parcel(letters):
    return [letter for letter in letters() if letter["Subject"].startswith("Your order from")]


def test_the_buyer_is_told_once_where_it_can_be_followed(order, mina, letters, pass_time):
    sent(order, mina)
    db.session.remove()
    pass_time(minutes=15)
    (letter,) = of_the_parcel(letters)
    words = letter.get_body(("plain",)).get_content()
    assert letter["Subject"] == "Your order from Atelier Mina is on its way"
    assert "https://postnl.nl/tracktrace/?B=3SABC123456789&P=3511AA&D=NL&T=C" in words
    assert f"/orders/{order.code}" in words


# Put right


def test_what_was_called_sent_by_mistake_lies_packed_again_and_its_buyer_hears_nothing(order, mina, letters, pass_time):
    due = db.session.scalar(select(Transfer.due_at))
    sent(order, mina)
    pass_time(minutes=14)
    shipping.take_back(again(order.id), by=mina)
    db.session.commit()
    order = again(order.id)
    assert (order.status, order.carrier, order.tracking, order.shipped_at) == ("packed", "", "", None)
    assert [became for became, _by in steps(order)] == ["paid", "packed", "shipped", "packed"]
    assert (packing.listed(shop(mina).id, "to-pack").orders[0].row.id, due) == (
        *(order.id, db.session.scalar(select(Transfer.due_at))),
    )
    db.session.remove()
    pass_time(minutes=2)
    assert of_the_parcel(letters) == []


def test_after_a_quarter_of_an_hour_or_when_it_has_arrived_there_is_no_way_back(order, mina, pass_time):
    order = sent(order, mina)
    pass_time(minutes=15)
    with pytest.raises(Refused, match="cannot be taken back any more"):
        shipping.take_back(again(order.id), by=mina)
    with pytest.raises(Refused, match="just changed"):
        packing.pack(again(order.id), by=mina)
    db.session.rollback()
    assert again(order.id).status == "shipped"
    packing.receive(again(order.id), by=None)
    db.session.commit()
    with pytest.raises(Refused):
        shipping.take_back(again(order.id), by=mina)


def test_what_was_taken_back_and_sent_again_is_told_once_with_its_own_number(order, mina, letters, pass_time):
    sent(order, mina, tracking="3SWRONG1")
    pass_time(minutes=10)
    shipping.take_back(again(order.id), by=mina)
    sent(again(order.id), mina, tracking="3SRIGHT1")
    told = []
    for _quarter in range(2):
        db.session.remove()
        pass_time(minutes=10)
        told += of_the_parcel(letters)
    assert [("3SRIGHT1" in words, "3SWRONG1" in words) for words in map(str, told)] == [(True, False)]


def test_a_number_that_is_corrected_in_time_is_the_only_one_that_the_buyer_hears_of(order, mina, letters, pass_time):
    shipping.correct(sent(order, mina, tracking="3SWRONG1"), "dhl", "JJD 0001", by=mina)
    db.session.commit()
    assert (again(order.id).carrier, again(order.id).tracking) == ("dhl", "JJD0001")
    db.session.remove()
    pass_time(minutes=15)
    assert ["JJD0001" in str(letter) for letter in of_the_parcel(letters)] == [True]


def test_a_number_that_is_added_later_is_mailed_and_changes_no_day(order, mina, letters, pass_time):
    order = sent(order, mina, tracking="")
    was, due = order.shipped_at, db.session.scalar(select(Transfer.due_at))
    number = order.id
    db.session.remove()
    pass_time(hours=1)
    assert len(of_the_parcel(letters)) == 1
    shipping.correct(again(number), "postnl", "3SABC123", by=mina)
    shipping.correct(again(number), "postnl", "3s abc 123", by=mina)  # the same again: nobody is told
    db.session.commit()
    order = again(number)
    assert (order.shipped_at, db.session.scalar(select(Transfer.due_at))) == (was, due)
    assert [step.became for step in purchases.steps([order])[order.id]] == ["paid", "packed", "shipped"]
    assert not packing.is_sellers_word(order, shop(mina))
    db.session.remove()
    subjects = [letter["Subject"] for letter in of_the_parcel(letters)]
    assert subjects == ["Your order from Atelier Mina: another number of the parcel"]


@pytest.mark.parametrize(("number", "words"), [("", "or say that it has none"), ("<b>", "no parcel's number")])
def test_a_number_is_corrected_and_never_taken_away(order, mina, number, words):
    sent(order, mina)
    with pytest.raises(Refused, match=words):
        shipping.correct(again(order.id), "postnl", number, by=mina)
    assert again(order.id).tracking == "3SABC123456789"


@pytest.mark.parametrize("state", ["paid", "packed", "delivered", "cancelled"])
def test_only_what_is_on_its_way_gets_another_number(order, mina, state):
    db.session.execute(update(Order).values(status=state))
    db.session.commit()
    with pytest.raises(Refused, match="on its way"):
        shipping.correct(again(order.id), "postnl", "3SABC123", by=mina)
    db.session.rollback()
    assert again(order.id).tracking == ""


# Arrived


def test_the_buyer_says_that_it_has_arrived_and_the_money_waits_from_then(order, mina, pass_time):
    order = sent(order, mina)
    pass_time(days=10)
    packing.receive(order, by=None)
    db.session.commit()
    assert (again(order.id).status, again(order.id).delivered_at) == ("delivered", clock.now())
    assert steps(order)[-1] == ("delivered", None)
    assert db.session.scalar(select(Transfer.due_at)) == clock.now() + timedelta(days=14)


def test_what_arrives_early_brings_its_money_no_earlier_than_was_agreed(order, mina):
    due = db.session.scalar(select(Transfer.due_at))
    packing.receive(sent(order, mina), by=None)
    db.session.commit()
    assert db.session.scalar(select(Transfer.due_at)) == due == order.deliver_until + timedelta(days=14)


def test_a_share_that_has_left_stays_where_it_is(order, mina):
    due = db.session.scalar(select(Transfer.due_at))
    db.session.execute(update(Transfer).values(state=TransferState.DONE, due_at=due - timedelta(days=60)))
    packing.receive(sent(order, mina), by=None)
    assert db.session.scalar(select(Transfer.due_at)) == due - timedelta(days=60)


@pytest.mark.parametrize("state", ["paid", "packed", "delivered", "cancelled"])
def test_only_what_is_on_its_way_arrives(order, state):
    db.session.execute(update(Order).values(status=state))
    db.session.commit()
    with pytest.raises(Refused):
        packing.receive(again(order.id), by=None)
    db.session.rollback()
    assert (again(order.id).status, again(order.id).delivered_at) == (state, None)


def test_its_seller_says_so_only_where_no_carrier_can(order, mina):
    order = sent(order, mina)
    with pytest.raises(Refused, match="for the buyer to say"):
        packing.hand_over(order, shop(mina), by=mina)
    db.session.rollback()
    assert again(order.id).status == "shipped"
    db.session.execute(update(Order).values(tracking=""))
    db.session.commit()
    packing.hand_over(again(order.id), shop(mina), by=mina)
    assert again(order.id).status == "delivered"


def test_who_is_new_here_does_not_say_it_at_all(order, mina):
    db.session.execute(update(Seller).values(established_at=None))
    order = sent(order, mina, tracking="")
    with pytest.raises(Refused, match="for the buyer to say"):
        packing.hand_over(order, shop(mina), by=mina)
    db.session.rollback()
    assert again(order.id).status == "shipped"


@pytest.mark.parametrize(("days", "state"), [(16, "shipped"), (18, "delivered")])
def test_two_weeks_after_the_last_day_without_a_word_it_has_arrived(order, mina, pass_time, days, state):
    sent(order, mina)  # the last day is in three days
    pass_time(days=days)
    packing.believe_the_silent()
    db.session.commit()
    assert again(order.id).status == state


def test_what_left_late_has_its_two_weeks_too(order, mina, pass_time):
    pass_time(days=30)
    sent(order, mina)
    pass_time(days=13)
    packing.believe_the_silent()
    db.session.commit()
    assert again(order.id).status == "shipped"


# Who sees where it goes


@pytest.mark.parametrize(
    ("state", "days", "is_shown"),
    [
        ("paid", 0, True),
        ("shipped", 0, True),
        ("delivered", 89, True),
        ("delivered", 91, False),
        ("cancelled", 0, False),
    ],
)
def test_a_seller_sees_the_address_until_90_days_after_it_arrived(order, mina, pass_time, state, days, is_shown):
    db.session.execute(update(Order).values(status=state, delivered_at=clock.now()))
    db.session.commit()
    pass_time(days=days)
    assert packing.shows_address(again(order.id)) == is_shown
    seller = shop(mina).id
    lists = [one for show in packing.SHOWS for one in packing.listed(seller, show).orders]
    assert [one.name for one in lists] == (["Noor"] if is_shown else [""])
    assert [one.number for one in packing.named(seller, "oo").orders] == ([order.code[:8]] if is_shown else [])


@pytest.mark.parametrize("asked", ["%", "_", "\\", "noor%", "n__r"])
def test_a_name_is_looked_for_as_it_is_written(order, mina, asked):
    assert packing.named(shop(mina).id, asked).orders == []


def test_a_name_is_found_in_small_and_capital_letters_and_only_in_ones_own_shop(order, mina, lamp):
    bought({lamp.oak: 1})
    assert len(packing.named(shop(mina).id, "NOOR").orders) == 1


# Lists


def test_lists_go_on_where_the_last_page_ended_and_nobody_is_shown_twice(mina, mug, monkeypatch):
    monkeypatch.setattr(packing, "PAGE", 2)
    statements = {
        show: packing._leaf(states, is_oldest_first=show == "to-pack") for show, states in packing.SHOWS.items()
    }
    monkeypatch.setattr(packing, "LISTS", statements)
    now = clock.now()
    orders = [bought({mug.small: 1}, code=f"p{n}", token=f"t{n}")[1] for n in range(3)]
    orders.append(bought({mug.large: 1})[1])
    for n, (order, state) in enumerate(zip(orders, ("paid", "packed", "paid", "packed"), strict=True)):
        values = {"status": state, "send_until": now + timedelta(days=min(n, 2))}
        db.session.execute(update(Order).where(Order.id == order).values(values))
    db.session.commit()
    seller, seen, after = shop(mina).id, [], ""
    while True:
        leaf = packing.listed(seller, "to-pack", after)
        seen += [one.row.id for one in leaf.orders]
        if not (after := leaf.more):
            break
    assert seen == orders


def test_a_place_that_nobody_gave_out_begins_at_the_beginning(order, mina):
    for after in ("x", "1-", "-", "nan-1", "1e400-2", "1-99999999999999999999999"):
        assert len(packing.listed(shop(mina).id, "to-pack", after).orders) in (0, 1)


def test_late_is_what_had_to_leave_before_today(order, mina):
    seller = shop(mina).id
    assert packing.listed(seller, "late").orders == []
    db.session.execute(update(Order).values(send_until=clock.now() - timedelta(days=2)))
    db.session.commit()
    assert [one.is_late for one in packing.listed(seller, "late").orders] == [True]


# Carriers


@pytest.mark.parametrize(
    ("code", "number"), [("other", "3SABC"), ("nobody", "3SABC"), ("postnl", ""), ("postnl", "a/b")]
)
def test_without_a_known_carrier_and_a_number_there_is_no_page(code, number):
    assert carriers.page_of(code, number, "3511 AA", "NL") == ""


def test_every_carrier_of_the_table_has_a_page_with_the_number_in_it():
    for code, carrier in carriers.CARRIERS.items():
        page = carriers.page_of(code, "3SABC12345", "3511 AA", "NL")
        assert (page.startswith("https://") and "3SABC12345" in page) or not carrier.name


def test_the_buyers_page_knows_all_states(order, mina):
    packing.receive(sent(order, mina), by=None)
    db.session.commit()
    assert [step.became for step in purchases.steps([order])[order.id]] == ["paid", "packed", "shipped", "delivered"]


def test_who_is_told_at_once_that_it_has_arrived_still_hears_that_it_was_sent(order, mina, letters, pass_time):
    packing.hand_over(again(sent(order, mina, tracking="").id), shop(mina), by=mina)
    db.session.commit()
    db.session.remove()
    pass_time(minutes=15)
    assert len(of_the_parcel(letters)) == 1


def test_what_was_given_back_whole_and_has_not_left_after_all_is_off(order, mina):
    order = sent(order, mina)
    refunds.give(order.id)
    db.session.commit()
    shipping.take_back(again(order.id), by=mina)
    db.session.commit()
    assert again(order.id).status == "cancelled"
