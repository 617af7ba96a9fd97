"""Many who buy five things of three sellers at once: `python -m tests.faults.baskets INSTANCE DATABASE PEOPLE BASKETS`.

Each basket is tried once, in an order of its own; a database that says "not now" (a deadlock, a lock that took too
long) is asked again, at most three times. Prints what each of them met.
"""

from __future__ import annotations

import json
import random
import sys

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from shop import payments, settlement, stock
from shop.database import db, is_busy
from shop.models import Product, Variant
from tests.cast import a_purchase
from tests.faults import forked

TRIES = 3


def shelves(app):
    """The variants of each seller."""
    with app.app_context():
        found = db.session.execute(
            select(Product.seller_id, Variant.id).join(Variant, Variant.product_id == Product.id)
        )
        by_seller = {}
        for seller, variant in found:
            by_seller.setdefault(seller, []).append(variant)
        db.session.rollback()
    app.extensions["shop.engines"]["write"].dispose()  # the children make connections of their own
    return list(by_seller.values())


def a_basket(chance, by_seller):
    """Five variants of three sellers, in any order."""
    first, second, third = chance.sample(by_seller, 3)
    chosen = [*chance.sample(first, 2), *chance.sample(second, 2), chance.choice(third)]
    chance.shuffle(chosen)
    return dict.fromkeys(chosen, 1)


def buy(wanted):
    purchase = a_purchase(wanted)
    attempt = payments.open(purchase, "card")
    stock.hold(purchase.id, wanted)
    db.session.commit()
    assert settlement.pay(attempt) == payments.Paid()
    db.session.commit()


def shop_around(app, by_seller, number, baskets):
    chance, told = random.Random(number), {"bought": 0, "refused": 0, "again": 0, "errors": []}
    for _basket in range(baskets):
        wanted = a_basket(chance, by_seller)
        for left in reversed(range(TRIES)):
            with app.test_request_context(method="POST"):
                try:
                    buy(wanted)
                    told["bought"] += 1
                    break
                except stock.SoldOut:
                    db.session.rollback()
                    told["refused"] += 1
                    break
                except OperationalError as error:
                    db.session.rollback()
                    if not (left and is_busy(error)):
                        told["errors"].append(repr(error))
                        break
                    told["again"] += 1
    return told


def main(instance, url, people, baskets):
    app = forked.opened(instance, url)
    by_seller = shelves(app)
    each = int(baskets) // int(people)
    told = forked.crowd(int(people), lambda number: shop_around(app, by_seller, number, each))
    sums = {what: sum(one[what] for one in told) for what in ("bought", "refused", "again")}
    print(json.dumps(sums | {"errors": [error for one in told for error in one["errors"]]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
