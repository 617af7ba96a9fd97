"""A seller's own products: drafts, the grid of sizes and colours, stock, prices, delivery, and going live."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from shop import delivery_tables, listings
from shop.database import db
from shop.delivery_tables import Stretch
from shop.errors import NotFound, Refused
from shop.grid import Cell
from shop.models import Picture, Role, User, Variant
from shop.money import Money
from shop.words import Words
from tests.cast import STREET, a_category, a_profile, a_seller

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
    product.pictures = [Picture(position=0, name="a.webp", width=900, height=900, alt=Words(nl="Een schoen"))]
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
