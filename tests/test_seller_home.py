"""A seller's home: what has to be done, each with its count, and thirty days of figures; always as many questions."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from shop import accounts, clock, payouts, plots, seller_home
from shop.database import db
from shop.delivery import begin_of
from shop.errors import NotFound
from shop.models import (
    Account,
    BankAccount,
    Order,
    OrderStatus,
    Paper,
    PaperKind,
    Product,
    ProductStatus,
    Profile,
    Seller,
    Variant,
    Vetting,
)
from shop.seller_home import Count
from tests.bookkeeping import bought
from tests.cast import a_product, a_variant

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def mina(mug, signed_in_as):
    """The id of mina, whose shop sells the mug."""
    signed_in_as("mina")
    person = accounts.called("mina@example.com").id
    db.session.execute(update(Profile).values(user_id=person))
    db.session.commit()
    return person


def home(person):
    db.session.commit()
    return seller_home.of(person)


def test_who_does_not_sell_has_no_home(mina, noor):
    with pytest.raises(NotFound):
        seller_home.of(noor.id)


@pytest.mark.parametrize("state", [Vetting.WAITING, Vetting.REFUSED, Vetting.DRAFT])
def test_who_may_not_sell_yet_has_no_home_either(mina, state):
    db.session.execute(update(Seller).values(vetting=state))
    with pytest.raises(NotFound):
        home(mina)


def test_who_was_stopped_still_sees_what_has_to_be_sent(mina, mug):
    bought({mug.small: 1})
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    assert home(mina).counted("to_pack").n == 1


def test_orders_to_pack_are_counted_with_the_first_day_and_those_of_before_today_as_late(mina, mug):
    first, second, _third = (bought({variant: 1})[1] for variant in (mug.small, mug.small, mug.large))
    bought_and_sent = bought({mug.small: 1})[1]
    yesterday, today = clock.now() - timedelta(days=1), clock.now()
    db.session.execute(update(Order).where(Order.id == first).values(send_until=yesterday))
    db.session.execute(update(Order).where(Order.id == second).values(send_until=today, status=OrderStatus.PACKED))
    db.session.execute(update(Order).where(Order.id == bought_and_sent).values(status=OrderStatus.SHIPPED))
    found = home(mina)
    assert found.counted("to_pack") == Count(3, yesterday)
    assert found.counted("late") == Count(1, yesterday)


def test_what_sold_before_and_runs_out_or_is_gone_is_counted_once_for_each_product(mina, mug):
    assert (home(mina).counted("running_out").n, home(mina).counted("sold_out").n) == (1, 0)  # 3 and 1 are left
    db.session.execute(update(Variant).where(Variant.id == mug.large).values(stock=0))
    assert (home(mina).counted("running_out").n, home(mina).counted("sold_out").n) == (0, 1)
    db.session.execute(update(Variant).where(Variant.id == mug.large).values(stock=6, held=1))
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(stock=6))
    assert (home(mina).counted("running_out").n, home(mina).counted("sold_out").n) == (1, 0)
    db.session.execute(update(Variant).where(Variant.id == mug.large).values(held=0))
    assert (home(mina).counted("running_out").n, home(mina).counted("sold_out").n) == (0, 0)


def test_the_way_from_a_count_leads_to_exactly_those(mina, mug, lamp):
    seller = db.session.scalar(select(Product.seller_id).where(Product.code == "mug"))
    db.session.execute(update(Product).where(Product.code == "lamp").values(sold=5))
    db.session.execute(update(Variant).where(Variant.id == mug.small).values(stock=6))
    db.session.commit()
    kinds = [
        (row.code, row.name.said("en"), row.left) for each in seller_home.short(seller, is_out=False)[0] for row in each
    ]
    assert (kinds, seller_home.short(seller, is_out=True)) == ([("mug", "Large", 1)], ([], ""))
    assert seller_home.short(seller, is_out=False, after="mug") == ([], "")


def test_stock_is_watched_of_what_sells_best_so_that_it_ends(mina):
    seller = db.session.scalars(select(Seller)).one()
    db.session.add(a_product(seller, "bowl", "Bowl", [a_variant("bowl-1", "One", 100, 1)], sold=10_000))
    db.session.flush()
    assert home(mina).counted("running_out").n == 2
    assert ["limit 500" in str(each).lower() for each in (seller_home._COUNTED, seller_home._SHORT)] == [True, True]


def test_a_kind_that_is_no_longer_offered_does_not_run_out(mina, mug):
    db.session.execute(update(Variant).values(is_offered=False))
    assert home(mina).counted("running_out").n == 0


@pytest.mark.parametrize("given", [{"sold": 0}, {"status": ProductStatus.PAUSED}])
def test_what_never_sold_or_is_not_for_sale_does_not_run_out(mina, mug, given):
    db.session.execute(update(Product).values(**given))
    assert home(mina).counted("running_out").n == 0


def test_listings_are_counted_by_their_state(mina, mug):
    seller = db.session.scalars(select(Seller)).one()
    for n in range(2):
        db.session.add(a_product(seller, f"d{n}", "Bowl", [a_variant(f"d{n}", "One", 100, 1)], status="draft"))
    db.session.flush()
    found = home(mina)
    assert found.counted("product:draft") == Count(2, None)
    assert [found.counted(f"product:{state}") for state in ("live", "paused", "down")] == [Count(0, None)] * 3
    db.session.execute(update(Product).where(Product.code == "d1").values(is_complete=False))
    assert home(mina).counted("product:lacks").n == 1


def test_a_bank_account_that_waits_or_is_frozen_is_told(mina):
    seller = db.session.scalar(select(Seller.id))
    until = clock.now() + timedelta(days=7)
    facts = {
        "seller_id": seller,
        "sealed_iban": b"x",
        "key_id": "k",
        "last4": "4300",
        "country": "NL",
        "holder": "Mina",
    }
    db.session.add(BankAccount(state="waiting", payee_check="match", set_at=clock.now(), frozen_until=until, **facts))
    found = home(mina)
    assert (found.shop.banks_waiting, found.frozen_until) == (1, until)
    db.session.execute(update(BankAccount).values(state="replaced"))
    assert (home(mina).shop.banks_waiting, home(mina).frozen_until) == (0, None)


@pytest.mark.parametrize(("days", "is_told"), [(31, False), (30, True), (0, True), (-3, True)])
def test_a_paper_that_runs_out_within_a_month_is_told(mina, days, is_told):
    until = date(2026, 11, 28) + timedelta(days=days)
    seller = db.session.scalar(select(Seller.id))
    facts = {"came_as": "jpeg", "pages": 1, "size": 1, "key_id": "k", "file_mark": b"", "picture_mark": b""}
    row = {"code": "p", "kind": PaperKind.FRONT, "wrapped_key": b"k", "sent_at": clock.now(), "valid_until": until}
    db.session.add(Paper(seller_id=seller, **facts, **row))
    with clock.at(clock.datetime(2026, 11, 28, 12, tzinfo=clock.UTC)):
        assert home(mina).paper_until == (until if is_told else None)


def test_thirty_days_begin_and_end_at_midnight_in_amsterdam(mina, mug):
    orders = [bought({mug.small: 1})[1] for _n in range(3)]
    now = clock.datetime(2026, 11, 28, 12, tzinfo=clock.UTC)
    moments = [(2026, 11, 26, 22, 59), (2026, 11, 26, 23, 1), (2026, 10, 29, 22, 59)]  # UTC: an hour behind in winter
    for order, moment in zip(orders, moments, strict=True):
        paid_at = clock.datetime(*moment, tzinfo=clock.UTC)
        db.session.execute(update(Order).where(Order.id == order).values(paid_at=paid_at))
    with clock.at(now):
        found = home(mina).days
    assert (len(found), found[0].day, found[-1].day) == (30, date(2026, 10, 30), date(2026, 11, 28))
    assert [(day.day.day, day.orders, day.minor) for day in found if day.orders] == [(26, 1, 2450), (27, 1, 2450)]


def test_what_was_cancelled_is_not_sold(mina, mug):
    _purchase, order = bought({mug.small: 1})
    assert [day.orders for day in home(mina).days][-1] == 1
    db.session.execute(update(Order).where(Order.id == order).values(status=OrderStatus.CANCELLED))
    assert sum(day.orders for day in home(mina).days) == 0


def test_what_comes_in_is_what_waits_as_the_page_of_the_money_has_it(mina, mug, pass_time):
    seller = db.session.scalar(select(Seller.id))
    bought({mug.small: 1})
    assert (home(mina).payable, home(mina).on_hold) == (0, 2722) == payouts.standing(Account.SELLER, seller)[:2]
    pass_time(days=18)
    assert (home(mina).payable, home(mina).on_hold) == (2722, 0) == payouts.standing(Account.SELLER, seller)[:2]


def test_others_have_their_own_figures(mina, mug, lamp):
    bought({lamp.oak: 1})
    found = home(mina)
    assert (found.counted("to_pack").n, sum(day.orders for day in found.days), found.on_hold) == (0, 0, 0)
    assert [row.code for row in found.best] == ["mug"]


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (date(2026, 3, 29), "2026-03-28 23:00"),
        (date(2026, 3, 30), "2026-03-29 22:00"),
        (date(2026, 10, 25), "2026-10-24 22:00"),
        (date(2026, 10, 26), "2026-10-25 23:00"),
    ],
)
def test_a_day_begins_at_midnight_also_when_the_clocks_change(day, begins):
    assert f"{begin_of(day):%Y-%m-%d %H:%M}" == begins


# The drawing


def test_a_scale_ends_at_a_round_number_that_nothing_is_higher_than():
    assert [plots.top(most) for most in (0, 1, 2, 3, 5, 6, 99, 100, 101, 4999)] == [
        *(1, 1, 2, 5, 5, 10, 100, 100, 200, 5000)
    ]


def test_bars_stand_on_the_floor_and_the_highest_is_as_high_as_its_part_of_the_scale():
    drawn = plots.bars([plots.Point(str(n), str(n), n, f"{n}!") for n in (0, 5, 10)])
    assert [(bar.y, bar.height) for bar in drawn.bars] == [(130.0, 0.0), (72.2, 57.8), (14.5, 115.5)]
    assert [line.words for line in drawn.lines] == ["0", "5", "10"]
    assert all(bar.x >= 0 and bar.x + bar.width <= plots.WIDTH for bar in drawn.bars)
    assert not drawn.is_empty


def test_the_last_of_thirty_bars_has_a_word_and_no_more_do_than_there_is_room_for():
    drawn = plots.bars([plots.Point(str(n), str(n), 0, "0") for n in range(30)])
    assert [mark.words for mark in drawn.words] == ["4", "9", "14", "19", "24", "29"]
    assert drawn.is_empty


def test_nothing_at_all_can_be_drawn_too():
    drawn = plots.bars([])
    assert (drawn.bars, drawn.words, drawn.is_empty) == ((), (), True)
