"""At the till: a purchase is placed and paid, the bank answers, the gateway calls, and what is left of it all."""

from sqlalchemy import select

from shop import gateways, jobs, payments, settlement, stock
from shop.database import db, let_go
from shop.models import Event, Payment, PaymentAttempt, Variant
from tests.cast import a_purchase


def placed(wanted, method="card", **given):
    """A purchase whose goods are held and whose first attempt to pay is written down; gives both ids."""
    purchase = a_purchase(wanted, **given)
    attempt = payments.open(purchase, method)
    stock.hold(purchase.id, wanted)
    db.session.commit()
    return purchase.id, attempt


def paid(attempt):
    outcome = settlement.pay(attempt)
    db.session.commit()
    return outcome


def at_the_bank(attempt, answer):
    """The buyer answers on the bank's page; nobody has told the shop yet."""
    code = db.session.scalar(select(PaymentAttempt.gateway_id).where(PaymentAttempt.id == attempt))
    let_go()
    gateways.payment().answer_at_the_bank(code, answer)


def news():
    """The gateway calls, and the shop does what that leads to."""
    payments.expect_events()
    db.session.commit()
    while jobs.run_due():
        pass
    db.session.expire_all()


def shelf(variant):
    return tuple(db.session.execute(select(Variant.stock, Variant.held).where(Variant.id == variant)).one())


def states(column):
    return list(db.session.scalars(select(column).order_by(column.class_.id)))


def history(subject):
    return [
        (event.was, event.became)
        for event in db.session.scalars(select(Event).where(Event.subject == subject).order_by(Event.id))
    ]


def payment_of(purchase):
    return db.session.scalar(select(Payment.id).where(Payment.purchase_id == purchase))
