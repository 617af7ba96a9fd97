"""Paid money becomes sold goods, once."""

import pytest
from sqlalchemy import select

from shop import payments, settlement, stock
from shop.database import db
from shop.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentState,
    Purchase,
    Variant,
)
from tests.cast import a_purchase

pytestmark = pytest.mark.usefixtures("at_the_desk")


def placed(wanted, method="card", **given):
    """A purchase whose goods are held and whose first attempt to pay is written down; gives both ids."""
    purchase = a_purchase(wanted, **given)
    stock.hold(purchase.id, wanted)
    attempt = payments.open(purchase, method)
    db.session.commit()
    return purchase.id, attempt


def shelf(variant):
    return tuple(db.session.execute(select(Variant.stock, Variant.held).where(Variant.id == variant)).one())


def test_a_card_that_works_pays_and_sells(mug):
    purchase, attempt = placed({mug.small: 2})
    assert settlement.pay(attempt) == payments.Paid()
    db.session.commit()
    assert shelf(mug.small) == (1, 0)
    assert db.session.scalars(select(Order.status)).all() == [OrderStatus.PAID]
    assert db.session.scalar(select(Payment.state)) == PaymentState.PAID
    assert db.session.get(Purchase, purchase).settled_at is not None
