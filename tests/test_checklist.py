"""The checklist: what is asked of whom, and how each item stands."""

import pytest

from shop import accounts, checklist, clock
from shop.checklist import Item, State
from shop.database import db
from shop.models import ItemState, SellerKind
from shop.words import Words
from tests.cast import a_seller

EACH = [Item.CONTACT, Item.BANK, Item.TAX, Item.GOODS, Item.RETURNS, Item.PROMISE]
BUSINESS = [Item.REGISTER, Item.VAT, Item.REPRESENTATIVE]


@pytest.mark.parametrize(
    ("kind", "country", "more"),
    [
        (SellerKind.INDIVIDUAL, "NL", [Item.IDENTITY]),
        (SellerKind.INDIVIDUAL, "DE", [Item.IDENTITY]),
        (SellerKind.INDIVIDUAL, "CN", [Item.IDENTITY, Item.EU_RESPONSIBLE]),
        (SellerKind.BUSINESS, "NL", BUSINESS),
        (SellerKind.BUSINESS, "BE", BUSINESS),
        (SellerKind.BUSINESS, "DE", [*BUSINESS, Item.PACKAGING]),
        (SellerKind.BUSINESS, "FR", [*BUSINESS, Item.PACKAGING]),
        (SellerKind.BUSINESS, "IT", BUSINESS),
        (SellerKind.BUSINESS, "GB", [*BUSINESS, Item.LICENCE, Item.EU_RESPONSIBLE]),
        (SellerKind.BRAND, "NL", [*BUSINESS, Item.MARK]),
    ],
)
def test_what_is_asked_differs_by_kind_and_country(kind, country, more):
    assert set(checklist.asked_of(kind, country)) == {*EACH, *more}


def test_there_are_27_member_states():
    assert len(checklist.EU) == 27


def test_an_item_is_missing_then_given_then_accepted_and_given_again_after_a_change(app):
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina")
        mina.sells_what = ""
        db.session.add(mina)
        db.session.commit()
        rex = accounts.as_actor(accounts.register("rex@example.com", "Rex", "hash"))

        def state():
            return next(step for step in checklist.of(mina) if step.item == Item.GOODS)

        assert state().state == State.MISSING
        mina.sells_what = "Mugs"
        db.session.flush()
        assert state().state == State.GIVEN
        checklist.judge(mina, Item.GOODS, ItemState.FIX, by=rex, reason="goods_vague", words=Words(en="Say which mugs"))
        assert state() == (Item.GOODS, State.FIX, "goods_vague", Words(en="Say which mugs"))
        assert Item.GOODS in checklist.missing(mina)
        checklist.judge(mina, Item.GOODS, ItemState.ACCEPTED, by=rex)
        assert state() == (Item.GOODS, State.ACCEPTED, "", Words())
        checklist.changed(mina.id, Item.GOODS)
        assert state().state == State.GIVEN


def test_an_address_that_nobody_confirmed_is_no_contact(app):
    with app.test_request_context(method="POST"):
        mina = a_seller("mina", "Atelier Mina")
        mina.phone = "+31 6 12345678"
        db.session.add(mina)
        db.session.commit()
        assert Item.CONTACT in checklist.missing(mina)
        mina.email_confirmed_at = clock.now()
        assert Item.CONTACT not in checklist.missing(mina)
