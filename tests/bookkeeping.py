"""At the bookkeeper's: what stands in the books, and what is bought, given back and sent there."""

from collections import defaultdict

from sqlalchemy import func, select

from shop import clock, gateways, ledger, payouts, refunds, transfers
from shop.database import db, let_go
from shop.models import (
    LedgerEntry,
    Order,
    PayoutAccount,
    Profile,
    RefundLine,
    Seller,
    User,
)
from tests.till import news, paid, placed


def journals():
    """Every journal by its name without the number behind it: `{account: minor}`, or with `/purpose` where it helps."""
    found = defaultdict(dict)
    for row in db.session.execute(select(LedgerEntry).order_by(LedgerEntry.id)).scalars():
        found[row.journal.partition(":")[0]][row.account] = row.amount_minor
    return dict(found)


def accounts():
    """What everybody has coming by now, nothing left out."""
    minor = func.sum(LedgerEntry.amount_minor)
    rows = db.session.execute(select(LedgerEntry.account, minor).group_by(LedgerEntry.account)).all()
    assert ledger.odd() == []
    return {account: int(total) for account, total in rows if total}


def order_of(purchase, n=0):
    return db.session.scalars(select(Order.id).where(Order.purchase_id == purchase).order_by(Order.id)).all()[n]


def bought(wanted, **given):
    purchase, attempt = placed(wanted, **given)
    paid(attempt)
    return purchase, order_of(purchase)


def give(order, *amount, **how):
    refund = refunds.give(order, *amount, **how)
    db.session.commit()
    return refund


def pieces(refund):
    rows = select(RefundLine).where(RefundLine.refund_id == refund).order_by(RefundLine.id)
    return [
        (row.amount_minor, row.seller_minor, row.creator_minor, row.platform_minor, row.tax_minor, row.quantity)
        for row in db.session.scalars(rows)
    ]


def payable(seller):
    """Somebody sells under this id who has an account with the gateway that is complete; gives the account's id."""
    profile = db.session.get(Seller, seller).profile
    return payable_profile(profile.id)


def payable_profile(profile):
    person = db.session.get(Profile, profile)
    if person.user_id is None:
        now = clock.now()
        user = User(email=f"{person.handle}@example.com", name=person.name, password_hash="none", created_at=now)
        person.user = user
        db.session.flush()
    account = payouts.open_account(person.user_id)
    db.session.commit()
    payouts.introduce(account)
    db.session.commit()
    code = db.session.get(PayoutAccount, account).gateway_id
    let_go()
    gateways.payment().activate(code)
    payouts.look_at_account(code)
    db.session.commit()
    return code


def send_due():
    """What is due is sent, and the gateway tells."""
    transfers.send_due()
    db.session.commit()
    news()
