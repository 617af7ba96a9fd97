"""A seller's own products: drafts, the grid of sizes and colours, stock, prices, delivery, and going live."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from shop import assortment, clock, delivery_tables, jobs, listing_cases, listing_facts, listings, pictures
from shop.database import db
from shop.delivery_tables import Stretch
from shop.errors import NotFound, Refused
from shop.grid import Cell
from shop.models import ListingCase, Picture, PriceChange, Product, Role, Seller, SellerKind, User, Variant, Vetting
from shop.money import Money
from shop.words import Words
from tests.cast import STREET, a_category, a_profile, a_seller, both

LILAC, MINT = Words(nl="lila", en="lilac"), Words(nl="mint", en="mint")
PLAIN = Words()
MAKER = {"name": "Wolkstap", "email": "wolk@maker.example", "address": STREET}


def euros(minor):
    return Money(minor, "EUR")


@pytest.fixture
def mina(app, at_the_desk, signed_in_as):
    """Mina sells from Utrecht, and sends to the Netherlands and Belgium."""
    signed_in_as("mina", Role.SELLER)
    user = db.session.scalar(db.select(User).where(User.email == "mina@example.com"))
    seller = a_seller("mina", "Atelier Mina", profile=a_profile("mina", "Atelier Mina", user_id=user.id))
    db.session.add_all([seller, a_category("shoes", "Shoes")])
    db.session.flush()
    delivery_tables.lay(seller, [Stretch("NL", 1, 2, 395, 5000, 2000), Stretch("BE", 2, 3, 595, None, 2000)])
    return SimpleNamespace(id=user.id, roles=(Role.SELLER,), seller=seller)


@pytest.fixture
def shoe(mina):
    """A draft that lacks nothing."""
    product = listings.draft(mina.seller, title=Words(nl="Wolkschoen"), category="shoes", by=mina)
    facts = {"description": Words(en="Light."), "maker": MAKER, "weight_grams": 800, "specs": {"material": "felt"}}
    listings.change(product, facts, by=mina)
    product.pictures = [Picture(position=0, name="a.webp", width=900, height=900, alt=both("A shoe"))]
    listings.set_variants(product, [cell("38", 7995, 5, LILAC), cell("39", 8495, 2, LILAC)], by=mina)
    return product


def cell(size, minor, stock, color=PLAIN, **more):
    return Cell(euros(minor), stock, color, size, **more)


def offered(product):
    return [(one.color.said("en"), one.size, one.price.minor, one.stock) for one in listings.offered(product)]


def test_a_draft_comes_from_where_its_seller_is_and_nobody_else_finds_it(mina):
    product = listings.draft(mina.seller, title=Words(nl=" Wolkschoen "), category="shoes", by=mina)
    assert (product.status, product.title, product.vat_rate) == ("draft", {"nl": "Wolkschoen"}, 2100)
    assert (product.ships_from_country, product.ships_from_city) == ("NL", "Utrecht")
    assert listings.find(mina, product.code) is product
    with pytest.raises(NotFound):
        listings.find(SimpleNamespace(id=mina.id + 1), product.code)


def test_the_grid_offers_what_is_in_it_and_a_sold_size_is_kept_out_of_sale(mina, shoe):
    listings.publish(shoe, by=mina)
    first = listings.offered(shoe)[0].id
    listings.set_variants(shoe, [cell("39", 8495, 2, LILAC), cell("38", 7995, 4, MINT)], by=mina)
    assert offered(shoe) == [("lilac", "39", 8495, 2), ("mint", "38", 7995, 4)]
    kept = db.session.get(Variant, first)
    assert (kept.is_offered, kept.position) == (False, 2)
    assert shoe.price_minor == 8495
    listings.set_variants(shoe, [cell("38", 7995, 5, LILAC)], by=mina)
    assert [one.id for one in listings.offered(shoe)] == [first]


def test_a_draft_forgets_the_sizes_that_nobody_saw(mina, shoe):
    listings.set_variants(shoe, [cell("38", 7995, 5, LILAC)], by=mina)
    assert db.session.scalar(text("SELECT count(*) FROM variants")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        [cell("38", 0, 1)],
        [cell("38", -100, 1)],
        [cell("38", 10**9, 1)],
        [cell("38", 100, -1)],
        [cell("38", 100, 10**7)],
        [cell("38", 100, 1), cell("38", 200, 1)],
        [cell("x" * 31, 100, 1)],
        [cell(str(n), 100, 1) for n in range(101)],
        [],
        [Cell(Money(100, "USD"), 1)],
    ],
)
def test_what_can_be_no_grid_is_refused_and_nothing_changes(mina, shoe, wrong):
    with pytest.raises(Refused) as no:
        listings.set_variants(shoe, wrong, by=mina)
    assert no.value.status == 422
    assert offered(shoe) == [("lilac", "38", 7995, 5), ("lilac", "39", 8495, 2)]


def test_stock_is_counted_with_what_was_seen_and_never_below_what_is_being_paid_for(mina, shoe):
    small = listings.offered(shoe)[0].id
    db.session.execute(text("UPDATE variants SET held = 3 WHERE id = :id"), {"id": small})
    grid_of = [cell("38", 7995, 4, LILAC, seen=5), cell("39", 8495, 2, LILAC, seen=2)]
    listings.set_variants(shoe, grid_of, by=mina)
    assert offered(shoe)[0] == ("lilac", "38", 7995, 4)
    db.session.commit()
    for stock, seen, status in ((6, 5, 409), (2, 4, 422)):
        with pytest.raises(Refused) as no:
            listings.set_variants(shoe, [cell("38", 7995, stock, LILAC, seen=seen)], by=mina)
        assert no.value.status == status
        db.session.rollback()
        assert offered(shoe) == [("lilac", "38", 7995, 4), ("lilac", "39", 8495, 2)]


def test_who_leaves_the_stock_alone_does_not_take_back_what_was_sold_meanwhile(mina, shoe):
    small = listings.offered(shoe)[0].id
    db.session.execute(text("UPDATE variants SET stock = 1 WHERE id = :id"), {"id": small})
    listings.set_variants(shoe, [cell("38", 6995, 5, LILAC, seen=5)], by=mina)
    assert offered(shoe) == [("lilac", "38", 6995, 1)]


def test_only_prices_that_were_asked_are_history(mina, shoe, pass_time):
    def history():
        asked = db.select(PriceChange.price_minor).join(Variant, Variant.id == PriceChange.variant_id)
        return list(db.session.scalars(asked.where(Variant.size == "38").order_by(PriceChange.id)))

    def ask(minor):
        listings.set_variants(shoe, [cell("38", minor, 5, LILAC)], by=mina)
        return listings.offered(shoe)[0]

    ask(99900)
    assert history() == []
    ask(7995)
    listings.publish(shoe, by=mina)
    assert history() == [7995]
    pass_time(days=31)
    assert (ask(5995).prior_minor, history()) == (7995, [7995, 5995])
    listings.pause(shoe, by=mina)
    assert ask(99900).prior_minor is None
    assert ask(4995).prior_minor is None
    listings.resume(shoe, by=mina)
    assert (listings.offered(shoe)[0].prior_minor, history()) == (None, [7995, 5995, 4995])


def test_what_a_moderator_has_to_look_at_first_asks_its_price_from_the_moment_on_which_it_is_for_sale(mina, shoe):
    db.session.add(User(email="rex@example.com", name="Rex", password_hash="none", created_at=clock.now()))
    db.session.flush()
    rex = SimpleNamespace(id=db.session.scalar(text("SELECT max(id) FROM users")), roles=(Role.MODERATOR,), name="Rex")
    listings.change(shoe, {"title": both("Nike schoen")}, by=mina)
    listings.publish(shoe, by=mina)
    assert (shoe.status, db.session.scalar(text("SELECT count(*) FROM price_changes"))) == ("review", 0)
    listings.set_variants(shoe, [cell("38", 6995, 5, LILAC)], by=mina)
    case = db.session.scalar(db.select(ListingCase))
    seen = listing_cases.as_it_stands(shoe)
    listing_cases.decide(case, "approved", by=rex, reason="", words=Words(), seen=seen)
    assert (shoe.status, db.session.scalar(text("SELECT price_minor FROM price_changes"))) == ("live", 6995)


def test_delivery_is_read_from_the_table_by_weight_and_follows_it(mina, shoe):
    def delivery():
        return [(rate.country, rate.min_days, rate.max_days, rate.cost.minor) for rate in shoe.delivery]

    assert delivery() == [("BE", 2, 3, 595), ("NL", 1, 2, 395)]
    table = [Stretch("NL", 1, 2, 295, None, 500), Stretch("NL", 1, 3, 695, None, 10_000), Stretch("DE", 3, 5, 995)]
    listings.set_table(mina.seller, table, by=mina)
    assert delivery() == [("DE", 3, 5, 995), ("NL", 1, 3, 695)]
    listings.change(shoe, {"weight_grams": 500}, by=mina)
    assert delivery() == [("DE", 3, 5, 995), ("NL", 1, 2, 295)]
    listings.set_delivery(shoe, [Stretch("NL", 0, 1, 0)], by=mina)
    listings.set_table(mina.seller, table[:1], by=mina)
    assert delivery() == [("NL", 0, 1, 0)]
    listings.set_delivery(shoe, [], by=mina)
    assert (delivery(), shoe.has_own_delivery) == ([("NL", 1, 2, 295)], False)


def test_a_long_list_follows_the_table_by_jobs_and_what_lost_its_delivery_is_said_to_lack_it(mina, shoe, monkeypatch):
    monkeypatch.setattr(delivery_tables, "AT_ONCE", 1)
    monkeypatch.setattr(listings, "LOOKED_AT", 1)
    copies = [listings.duplicate(shoe, by=mina) for _n in range(2)]
    listings.set_table(mina.seller, [Stretch("NL", 1, 2, 595, None, 1000)], by=mina)
    listings.change(copies[1], {"weight_grams": 1500}, by=mina)
    db.session.commit()
    jobs.run_due()
    assert [[rate.cost.minor for rate in one.delivery] for one in (shoe, *copies)] == [[595], [595], []]
    assert [one.is_complete for one in (shoe, *copies)] == [True, True, False]
    listings.set_table(mina.seller, [Stretch("NL", 1, 2, 695)], by=mina)
    db.session.commit()
    jobs.run_due()
    assert [one.is_complete for one in (shoe, *copies)] == [True, True, True]


@pytest.mark.parametrize(
    "wrong",
    [
        [Stretch("NL", 3, 2, 395)],
        [Stretch("NL", 1, 61, 395)],
        [Stretch("NL", 1, 2, -1)],
        [Stretch("NL", 1, 2, 395, -5)],
        [Stretch("NL", 1, 2, 395, None, 0)],
        [Stretch("NL", 1, 2, 395), Stretch("NL", 1, 2, 495)],
        [Stretch("NL", 1, 2, 395, None, n + 1) for n in range(61)],
    ],
)
def test_a_table_that_cannot_be_is_refused_and_the_old_one_stays(mina, shoe, wrong):
    db.session.commit()
    with pytest.raises(Refused) as no:
        listings.set_table(mina.seller, wrong, by=mina)
    assert no.value.status == 422
    db.session.rollback()
    assert [(row.country, row.cost_minor) for row in delivery_tables.of(mina.seller.id)] == [("BE", 595), ("NL", 395)]
    assert len(shoe.delivery) == 2


def test_what_lacks_a_fact_does_not_go_live_and_what_is_live_does_not_lose_one(mina, shoe):
    shoe.description = Words()
    db.session.commit()
    with pytest.raises(Refused) as no:
        listings.publish(shoe, by=mina)
    assert (no.value.status, shoe.status) == (422, "draft")
    listings.change(shoe, {"description": both("Light.")}, by=mina)
    assert shoe.is_complete
    listings.publish(shoe, by=mina)
    db.session.commit()
    with pytest.raises(Refused) as no:
        listings.change(shoe, {"description": Words()}, by=mina)
    db.session.rollback()
    assert (no.value.status, shoe.status, shoe.description) == (422, "live", both("Light."))


def test_a_stopped_seller_changes_nothing_from_that_moment_on(mina, shoe):
    db.session.execute(db.update(Seller).values(vetting=Vetting.SUSPENDED))
    db.session.commit()
    before = (shoe.status, dict(shoe.title), offered(shoe))
    for attempt in (
        lambda: listings.draft(mina.seller, title=both("More"), category="shoes", by=mina),
        lambda: listings.change(shoe, {"title": both("Other")}, by=mina),
        lambda: listings.set_variants(shoe, [cell("38", 100, 1)], by=mina),
        lambda: listings.set_table(mina.seller, [], by=mina),
        lambda: listings.publish(shoe, by=mina),
        lambda: listings.duplicate(shoe, by=mina),
        lambda: listings.remove_picture(shoe, 0, by=mina),
    ):
        with pytest.raises(Refused) as no:
            attempt()
        assert no.value.status == 403
        db.session.rollback()
    assert (shoe.status, dict(shoe.title), offered(shoe)) == before
    assert db.session.scalar(text("SELECT count(*) FROM products")) == 1


def test_a_product_pauses_and_goes_on_once_each(mina, shoe):
    listings.publish(shoe, by=mina)
    with pytest.raises(Refused):
        listings.resume(shoe, by=mina)
    listings.pause(shoe, by=mina)
    with pytest.raises(Refused):
        listings.pause(shoe, by=mina)
    listings.resume(shoe, by=mina)
    steps = db.session.execute(text("SELECT was, became FROM events WHERE subject = 'product' ORDER BY id")).all()
    assert [tuple(step) for step in steps] == [("", "draft"), ("draft", "live"), ("live", "paused"), ("paused", "live")]


def test_a_duplicate_is_a_draft_with_everything_but_stock_and_history(mina, shoe):
    pictures.show_colors(shoe, shoe.pictures[0], [LILAC])
    listings.publish(shoe, by=mina)
    copy = listings.duplicate(shoe, by=mina)
    assert (copy.status, copy.title, copy.maker, copy.searched) == ("draft", shoe.title, MAKER, "wolkschoen")
    assert offered(copy) == [("lilac", "38", 7995, 0), ("lilac", "39", 8495, 0)]
    assert [one.picture_id for one in copy.variants] == [copy.pictures[0].id] * 2
    assert copy.pictures[0].id != shoe.pictures[0].id
    assert len({one.code for one in (*copy.variants, *shoe.variants)}) == 4
    assert [rate.cost.minor for rate in copy.delivery] == [595, 395]
    assert db.session.scalar(text("SELECT count(*) FROM price_changes")) == 2
    assert listings.lacking(copy) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"vat_rate": 1900},
        {"vat_rate": -1},
        {"creator_rate": 5001},
        {"handling_days": 61},
        {"weight_grams": 0},
        {"title": Words()},
        {"title": Words(en="x" * 121)},
        {"category": "weapons"},
        {"stock_kind": "stolen"},
        {"maker": {"name": "x", "email": "nobody"}},
        {"ships_from_country": "nl"},
    ],
)
def test_facts_that_cannot_be_are_refused_and_nothing_changes(mina, shoe, wrong):
    db.session.commit()
    with pytest.raises(Refused) as no:
        listings.change(shoe, {"description": both("Other."), **wrong}, by=mina)
    assert no.value.status == 422
    db.session.rollback()
    assert (shoe.description, shoe.vat_rate, shoe.weight_grams) == ({"en": "Light."}, 2100, 800)


def test_a_private_person_promises_no_guarantee_that_the_law_asks_of_a_business(mina, shoe):
    shoe.seller.kind, shoe.guarantee = SellerKind.INDIVIDUAL, Words(nl="Een jaar op de zool")
    db.session.flush()
    for code, words in (("nl", "Wettelijke garantie (2 jaar)"), ("en", "Statutory guarantee"), ("en", "As is by law.")):
        with pytest.raises(Refused, match="gives no legal guarantee") as no:
            listings.change(shoe, {"guarantee": {code: words}}, by=mina)
        assert (no.value.status, shoe.guarantee) == (422, {"nl": "Een jaar op de zool"})
    listings.change(shoe, {"guarantee": {"en": "I mend the sole for a year."}}, by=mina)
    shoe.seller.kind = SellerKind.BUSINESS
    listings.change(shoe, {"guarantee": {"nl": "Wettelijke garantie (2 jaar)"}}, by=mina)
    assert shoe.guarantee == {"nl": "Wettelijke garantie (2 jaar)"}
    assert listing_facts.own_promise(shoe.guarantee, SellerKind.BUSINESS) == {"nl": "Wettelijke garantie (2 jaar)"}
    assert listing_facts.own_promise(shoe.guarantee, SellerKind.INDIVIDUAL) == {}


def test_another_category_asks_other_things(mina, shoe):
    db.session.add(a_category("home", "Home"))
    db.session.get(Product, shoe.id).category.specs = [{"key": "sole", "name": {"en": "Sole"}}]
    listings.change(shoe, {"specs": {"sole": "cork", "material": "felt"}}, by=mina)
    assert shoe.specs == {"sole": "cork"}
    listings.change(shoe, {"category": "home"}, by=mina)
    assert shoe.specs == {}


def test_pictures_are_put_in_order_and_taken_away(mina, shoe):
    for n in (1, 2):
        db.session.add(Picture(product_id=shoe.id, position=n, name=f"{n}.webp", width=9, height=9))
    db.session.flush()
    db.session.expire_all()

    def order():
        return [(picture.position, picture.name) for picture in shoe.pictures]

    listings.describe_picture(shoe, 2, both("A shoe"), [LILAC], 0, by=mina)
    assert order() == [(0, "2.webp"), (1, "a.webp"), (2, "1.webp")]
    assert [one.picture_id for one in shoe.variants] == [shoe.pictures[0].id] * 2
    listings.remove_picture(shoe, 0, by=mina)
    assert order() == [(0, "a.webp"), (1, "1.webp")]
    assert [one.picture_id for one in shoe.variants] == [None, None]
    with pytest.raises(NotFound):
        listings.remove_picture(shoe, 2, by=mina)


def test_a_full_shop_begins_no_product_and_copies_none(mina, shoe, monkeypatch):
    monkeypatch.setattr(listings, "MOST", db.session.scalar(text("SELECT count(*) FROM products")))
    for begin in (
        lambda: listings.duplicate(shoe, by=mina),
        lambda: listings.draft(shoe.seller, title=both("Boot"), category=shoe.category.slug, by=mina),
    ):
        with pytest.raises(Refused, match="at most 20,000 products"):
            begin()
    assert db.session.scalar(text("SELECT count(*) FROM products")) == listings.MOST


def test_mina_finds_her_products_by_title_and_state_a_page_at_a_time(mina, shoe):
    for n in range(40):
        listings.draft(mina.seller, title=Words(nl=f"Mok {n}", en=f"MUG 100% no. {n}"), category="shoes", by=mina)
    listings.publish(shoe, by=mina)
    first = assortment.page_of(mina)
    rest = assortment.page_of(mina, after=first.more)
    assert (len(first.rows), first.rows[0].title["nl"], len(rest.rows), rest.more) == (30, "Mok 39", 11, "")
    assert rest.rows[-1].prices == [euros(7995), euros(8495)]
    assert (rest.rows[-1].left, rest.rows[-1].picture) == (7, "a.webp")
    assert [row.code for row in assortment.page_of(mina, state="live").rows] == [shoe.code]
    assert [row.title["nl"] for row in assortment.page_of(mina, words="mug 100% NO. 7").rows] == ["Mok 7"]
    assert assortment.page_of(mina, words="100_").rows == []
    assert len(assortment.page_of(mina, state="lacks").rows) == 30
    shoe.sold = 3
    db.session.execute(text("UPDATE variants SET stock = 9 WHERE size = '38'"))
    db.session.flush()
    found = {state: [row.code for row in assortment.page_of(mina, state=state).rows] for state in assortment.STATES}
    assert (found["running_out"], found["sold_out"]) == ([shoe.code], [])
    db.session.execute(text("UPDATE variants SET stock = 0 WHERE size = '39'"))
    found = {state: [row.code for row in assortment.page_of(mina, state=state).rows] for state in assortment.STATES}
    assert (found["running_out"], found["sold_out"]) == ([], [shoe.code])
    assert assortment.page_of(SimpleNamespace(id=mina.id + 1)).rows == []
