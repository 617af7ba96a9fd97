"""Promise 2: a basket of several sellers is bought wholly or not at all, and nobody waits in a circle."""

import pytest
from sqlalchemy import func, select, text

from shop import ledger, trial_balance
from shop.database import db
from shop.models import LedgerEntry, Order, OrderStatus, StockHold, Variant
from tests.cast import a_product, a_seller, a_variant
from tests.faults import forked

SELLERS, VARIANTS, STOCK = 6, 4, 60


@pytest.fixture
def market(app):
    """Six sellers with four things each, of which there are sixty."""
    with app.test_request_context(method="POST"):
        for seller in range(SELLERS):
            sold = [a_variant(f"v{seller}{n}", f"No. {n}", 1000 + 37 * n, STOCK, n) for n in range(VARIANTS)]
            db.session.add(a_product(a_seller(f"s{seller}", f"Seller {seller}"), f"p{seller}", f"Thing {seller}", sold))
        db.session.commit()


def left_over(app):
    """What must not be: purchases that are only partly bought, things that are lost, cents that nobody has."""
    with app.app_context():
        partly = db.session.execute(
            select(Order.purchase_id).group_by(Order.purchase_id).having(func.count(Order.status.distinct()) > 1)
        ).all()
        odd = db.session.execute(
            select(StockHold.purchase_id)
            .group_by(StockHold.purchase_id)
            .having((func.count() != 5) | (func.count(StockHold.state.distinct()) > 1))
        ).all()
        taken, held = db.session.execute(
            select(SELLERS * VARIANTS * STOCK - func.sum(Variant.stock), func.sum(Variant.held))
        ).one()
        sold = db.session.execute(
            select(func.count(), func.sum(Order.goods_minor + Order.delivery_minor)).where(
                Order.status == OrderStatus.PAID
            )
        ).one()
        bodies = db.session.execute(text("SELECT body FROM sandbox_objects WHERE kind = 'payment'")).scalars()
        booked = select(-func.sum(LedgerEntry.amount_minor)).where(
            LedgerEntry.account == "gateway", LedgerEntry.purpose == "payment"
        )
        return {
            "booked": int(db.session.scalar(booked) or 0),
            "odd": [*trial_balance.off(), *ledger.odd()],
            "partly": len(partly) + len(odd),
            "taken": taken,
            "held": held,
            "sold": tuple(sold),
            "bodies": [*bodies],
        }


def charged(bodies):
    import json

    intents = [json.loads(body) if isinstance(body, str) else body for body in bodies]
    return sum(intent["amount"] for intent in intents if intent["status"] == "succeeded")


def bought_at_once(app, people, baskets):
    told = forked.run("baskets", app, people, baskets)
    found = left_over(app)
    cents = int(found["sold"][1] or 0)
    kept = (
        told["errors"] == []
        and found["partly"] == 0
        and found["taken"] == 5 * told["bought"]
        # a computer so busy that paying had to be asked again leaves the first try's whole basket held, for its minutes
        and found["held"] in range(0, 5 * told["again"] + 1, 5)
        and found["sold"][0] == 3 * told["bought"]
        and cents == found["booked"] == charged(found["bodies"])
        and found["odd"] == []
        and told["bought"] + told["refused"] == baskets
    )
    figure = (
        f"{told['bought']} bought, {told['refused']} sold out, {found['partly']} partial, {told['again']} asked again, "
        f"{len(told['errors'])} unresolved, {cents} cents sold "
        f"= {found['booked']} in the ledger = {charged(found['bodies'])} charged, "
        f"{len(found['odd'])} odd sums, {found['taken']} taken, {found['held']} held, {found['sold'][0]} orders"
    )
    return kept, figure


@pytest.mark.faults
def test_baskets_of_three_sellers_are_bought_whole(app, market):
    kept, figure = bought_at_once(app, 4, 16)
    assert kept, figure


@pytest.mark.slow
def test_five_hundred_baskets_of_sixteen_people(app, market, promise):
    kept, figure = bought_at_once(app, 16, 512)
    name = app.extensions["shop.engines"]["write"].dialect.name
    promise(
        "2",
        f"512 baskets of 5 from 3 sellers by 16 at once, {name}",
        figure,
        "0 partial, 0 unresolved, equal, books even",
        kept,
    )
