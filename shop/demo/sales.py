"""The demo's first sales, so that the books have something to show: bought, paid, given back and sent by the rules.

It speaks with the gateway, so it commits as it goes; only the sandbox will do, and what was sold is not sold again.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from shop import cart, checkout, clock, gateways, packing, payouts, refunds, settlement, transfers
from shop.addresses import Buyer
from shop.database import db
from shop.demo import catalogue, people
from shop.demo.people import ACCOUNTS
from shop.models import Clip, Job, Order, Product, Purchase, Seller, Tag, Transfer, User, Variant

NOOR, MINA = ACCOUNTS[0], ACCOUNTS[2]
HOME = Buyer(NOOR.email, "Noor Fictief", "Oudegracht", "145", "3511 AJ", "Utrecht", "NL")
TOKEN = "demo-sale-{}-of-the-made-up-shop"  # noqa: S105  of a form
LETTERS = (
    "shop.purchases.confirm",
    "shop.purchases.tell_of_refund",
    "shop.packing.tell_of_shipping",
)  # to people who do not exist


def add() -> None:
    """Let noor buy from mina four times: one has arrived and its share was sent, of two something went back."""
    if gateways.sandbox() is None or catalogue.is_there(Purchase, Purchase.token == TOKEN.format(0)):
        return
    mina = people.profile_of(MINA.handle or "")
    seller = db.session.scalars(select(Seller).where(Seller.profile_id == mina.id)).one()
    _open_account(mina.user_id or 0)
    orders = [_sell(n, *chosen) for n, chosen in enumerate(_choice(seller.id))]
    _deliver(orders[0], mina.user_id or 0)
    _let_time_pass(orders[0])
    _spread(orders)
    given = [refunds.give(orders[1], 500, reason="goodwill"), refunds.give(orders[2], reason="cancelled")]
    db.session.commit()
    for refund in given:
        refunds.send(refund)
        db.session.commit()
    bought = db.session.scalars(select(Order.purchase_id).where(Order.id.in_(orders))).all()
    told = [{"purchase": purchase} for purchase in bought] + [{"refund": refund} for refund in given]
    _write_to_nobody([*told, {"order": orders[0]}])
    db.session.commit()


def _write_to_nobody(about: list[dict[str, int]]) -> None:
    """The letters about these purchases and refunds are not sent."""
    waiting = db.session.execute(select(Job.id, Job.arguments).where(Job.handler.in_(LETTERS))).all()
    ours = [job for job, arguments in waiting if arguments in about]
    db.session.execute(delete(Job).where(Job.id.in_(ours)))


def _choice(seller: int) -> list[tuple[str, str]]:
    """Four variants of hers that are in stock, each with the clip of somebody else that shows it, if there is one."""
    clip = (
        select(Clip.code)
        .join(Tag, Tag.clip_id == Clip.id)
        .join(Seller, Seller.id == seller)
        .where(Tag.product_id == Product.id, Clip.profile_id != Seller.profile_id)
        .order_by(Clip.id)
        .limit(1)
        .scalar_subquery()
    )
    hers = (
        select(Variant.code, clip)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.seller_id == seller, Product.status == "live", Variant.stock > 2)
        .order_by(clip.is_(None), Variant.id)
        .limit(4)
    )
    return [(code, shown or "") for code, shown in db.session.execute(hers).all()]


def _sell(number: int, variant: str, clip: str) -> int:
    """Noor puts it in a cart, buys and pays; gives the order's id."""
    noor = db.session.scalars(select(User.id).where(User.email == NOOR.email)).one()
    code = cart.open_for(None)
    cart.add(code, variant, 1, clip=clip)
    seen = checkout.offer(code, None, HOME.country).seen
    token = TOKEN.format(number)
    placed = checkout.place(code, HOME, token=token, seen=seen, method="card", language="nl")
    placed.purchase.user_id = noor
    db.session.commit()
    settlement.pay(placed.attempt)
    db.session.commit()
    return db.session.scalars(select(Order.id).where(Order.purchase_id == placed.purchase.id)).one()


def _open_account(person: int) -> None:
    account = payouts.open_account(person)
    db.session.commit()
    payouts.introduce(account)
    db.session.commit()
    there = payouts.payee(person).gateway_id or ""
    db.session.commit()
    if sandbox := gateways.sandbox():
        sandbox.activate(there)
    payouts.look_at_account(there)
    db.session.commit()


def _deliver(order: int, person: int) -> None:
    """Mina has sent it, and noor has it."""
    packing.ship(db.session.get_one(Order, order), "postnl", "3SDEMO0000001", by=person)
    db.session.commit()
    packing.receive(db.session.get_one(Order, order, populate_existing=True), by=None)
    db.session.commit()


def _spread(orders: list[int]) -> None:
    """As if they had not all been bought today: so there is something to see in a drawing of thirty days."""
    for n, order in enumerate(orders):
        bought = {"paid_at": catalogue.ago(3 + 7 * (len(orders) - 1 - n)), "send_until": catalogue.ago(-n)}
        db.session.execute(update(Order).where(Order.id == order).values(bought))
    db.session.commit()


def _let_time_pass(order: int) -> None:
    """As if it had been delivered weeks ago."""
    waits = (Transfer.order_id == order, Transfer.account == "seller")
    db.session.execute(update(Transfer).where(*waits).values(due_at=clock.now() - timedelta(days=1)))
    transfers.send(db.session.scalars(select(Transfer.id).where(*waits)).one())
    db.session.commit()
