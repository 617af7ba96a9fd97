"""Books: what a payment, a sale and money that goes back mean for everybody's account.

`book` writes down whatever has happened to a payment and is not in the books yet; it looks at the rows, so it may be
called at any time and as often as one likes. Each journal is described, with figures, in `docs/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Row, String, and_, bindparam, cast, exists, func, literal, or_, select

from shop import clock, ledger, newcomers
from shop.database import connection, insert, rows
from shop.inbox import CAME_IN
from shop.ledger import Entry, Journal, UnbalancedError
from shop.models import (
    Account,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentAttempt,
    Purchase,
    RefundLine,
    Seller,
    Transfer,
    TransferState,
)
from shop.shares import Part, Shares

entries, transfers = LedgerEntry.__table__, Transfer.__table__
payments, attempts = Payment.__table__, PaymentAttempt.__table__
purchases, orders, lines, sellers = Purchase.__table__, Order.__table__, OrderLine.__table__, Seller.__table__
given = RefundLine.__table__


def _is_posted(kind: str, number: Any) -> Any:
    return exists().where(entries.c.journal == literal(f"{kind}:") + cast(number, String))


_CAME_IN = (
    select(
        *attempts.c["id", "fee_minor", "fee_currency"], *payments.c["amount_minor", "amount_currency", "purchase_id"]
    )
    .join(payments, payments.c.id == attempts.c.payment_id)
    .where(
        attempts.c.payment_id == bindparam("payment"),
        attempts.c.state.in_(CAME_IN),
        or_(
            ~_is_posted("paid", attempts.c.id),
            and_(attempts.c.fee_minor > 0, ~_is_posted("fee", attempts.c.id)),
        ),
    )
)
_SOLD = (
    select(
        *orders.c["purchase_id", "seller_id", "goods_minor", "delivery_minor", "goods_currency", "deliver_until"],
        orders.c.id.label("order"),
        sellers.c.profile_id,
        newcomers.is_new.label("is_new"),
        *lines.c["quantity", "price_minor", "platform_minor", "tax_minor", "creator_minor", "creator_id"],
        purchases.c.total_minor,
    )
    .join(lines, lines.c.order_id == orders.c.id)
    .join(sellers, sellers.c.id == orders.c.seller_id)
    .join(purchases, purchases.c.id == orders.c.purchase_id)
    .join(payments, payments.c.purchase_id == purchases.c.id)
    .where(payments.c.id == bindparam("payment"), purchases.c.settled_at.is_not(None), ~_is_posted("sale", orders.c.id))
    .order_by(orders.c.id, lines.c.id)
)
_LINES = (
    select(
        lines.c.id,
        *lines.c["quantity", "price_minor", "platform_minor", "tax_minor", "creator_minor", "creator_id"],
        orders.c.delivery_minor,
    )
    .join(orders, orders.c.id == lines.c.order_id)
    .where(lines.c.order_id == bindparam("order"))
    .order_by(lines.c.id)
)
_OF_A_SHARE = ("sale", "refund", "dispute_lost")
_SHARES = ("seller_minor", "creator_minor", "platform_minor", "tax_minor")
_GIVEN = (
    select(given.c.line_id, *(func.sum(given.c[name]).label(name) for name in _SHARES))
    .where(given.c.order_id == bindparam("order"))
    .group_by(given.c.line_id)
)


# What comes in, and what is sold


def book(payment: int) -> None:
    """Write down what came in, what the gateway kept of it, and what was sold: all that is not in the books yet."""
    journals = [journal for row in rows(_CAME_IN, payment=payment) for journal in _came_in(row)]
    sold = [list(each) for _order, each in groupby(rows(_SOLD, payment=payment), lambda row: row.order)]
    if sold:
        _check(sold)
        journals += [_sale(each) for each in sold]
        row = [one for each in sold for one in _shares_to_send(each)]
        connection().execute(insert(transfers).values(row).on_conflict_do_nothing())
    ledger.post(*journals)


def _came_in(row: Row[Any]) -> list[Journal]:
    """Money that nobody has a right to but the buyer, until the goods are theirs; and the gateway's fee."""
    came = [
        Entry(Account.GATEWAY, -row.amount_minor, "payment"),
        Entry(Account.BUYER, row.amount_minor, "payment", row.purchase_id),
    ]
    journals = [Journal(f"paid:{row.id}", row.amount_currency, came)]
    if row.fee_minor:
        kept = [Entry(Account.GATEWAY, row.fee_minor, "fee"), Entry(Account.PROVIDER_FEE, -row.fee_minor, "fee")]
        journals.append(Journal(f"fee:{row.id}", row.fee_currency, kept))
    return journals


def _check(sold: list[list[Row[Any]]]) -> None:
    """What the sellers' orders come to is what was charged, to the cent."""
    together = sum(order[0].goods_minor + order[0].delivery_minor for order in sold)
    if together != sold[0][0].total_minor:
        raise UnbalancedError(f"purchase {sold[0][0].purchase_id}: {together} was sold")


def _sale(order: list[Row[Any]]) -> Journal:
    head = order[0]
    shares = [(_agreed(line), line.creator_id) for line in order] + [(Shares(head.delivery_minor), None)]
    paid = Entry(Account.BUYER, -(head.goods_minor + head.delivery_minor), "sale", head.purchase_id, order=head.order)
    return Journal(
        f"sale:{head.order}",
        head.goods_currency,
        [paid, *_entries(shares, head.seller_id, head.order, sign=1, purpose="sale")],
    )


def _agreed(line: Row[Any]) -> Shares:
    others = (line.creator_minor, line.platform_minor, line.tax_minor)
    return Shares(line.price_minor * line.quantity - sum(others), *others)


def _entries(
    shares: Iterable[tuple[Shares, int | None]], seller: int, order: int, *, sign: int, purpose: str
) -> list[Entry]:
    """Shares as lines of a journal: one for the seller, the platform and the tax, and one for each creator."""
    held: dict[tuple[Account, int], int] = {}
    for share, creator in shares:
        for account, holder, minor in (
            (Account.SELLER, seller, share.seller),
            (Account.CREATOR, creator or 0, share.creator),
            (Account.PLATFORM, 0, share.platform),
            (Account.TAX, 0, share.tax),
        ):
            held[account, holder] = held.get((account, holder), 0) + sign * minor
    return [Entry(account, minor, purpose, holder, order) for (account, holder), minor in held.items()]


def _shares_to_send(order: list[Row[Any]]) -> list[dict[str, Any]]:
    """The seller's share and each creator's, to be sent when what was bought can no longer be returned."""
    head = order[0]
    due = max(clock.now(), head.deliver_until) + timedelta(days=newcomers.hold(is_new=head.is_new))
    row = {
        "order_id": head.order,
        "state": TransferState.WAITING,
        "due_at": due,
        "amount_minor": 0,
        "amount_currency": head.goods_currency,
        "tries": 0,
        "last_error": "",
        "changed_at": clock.now(),
    }
    creators = dict.fromkeys(line.creator_id for line in order if line.creator_minor)
    return [
        {**row, "account": Account.SELLER, "holder_id": head.seller_id, "profile_id": head.profile_id},
        *({**row, "account": Account.CREATOR, "holder_id": one, "profile_id": one} for one in creators),
    ]


# What goes back


def left(order: int) -> list[Part]:
    """What is left of an order, line by line and then the delivery; ask while the purchase is locked."""
    gone = {row.line_id: Shares(*(int(row._mapping[name]) for name in _SHARES)) for row in rows(_GIVEN, order=order)}
    found = rows(_LINES, order=order)
    parts = [
        Part(
            line.id, _agreed(line).less(gone.get(line.id, Shares(0))), line.creator_id, line.price_minor, line.quantity
        )
        for line in found
    ]
    return [*parts, Part(None, Shares(found[0].delivery_minor).less(gone.get(None, Shares(0))))]


def take_back(
    name: str, order: Row[Any], pieces: Sequence[tuple[Part, Shares, int]], to: Entry, purpose: str, **cause: int
) -> None:
    """Take pieces (a part, what of it, how many) of an order's shares back, for a purpose, and give them to an account.

    `order` has its id, seller_id and currency; `cause` is the refund or the dispute.
    """
    row = {"refund_id": None, "dispute_id": None, "order_id": order.id, **cause}
    connection().execute(
        given.insert(),
        [
            {
                **row,
                "line_id": part.line,
                "quantity": quantity,
                "amount_minor": share.total,
                **dict(zip(_SHARES, share, strict=True)),
            }
            for part, share, quantity in pieces
        ],
    )
    back = [(share, part.creator) for part, share, _quantity in pieces]
    lines_ = _entries(back, order.seller_id, order.id, sign=-1, purpose=purpose)
    ledger.post(Journal(name, order.currency, [to, *lines_]))


class Went(NamedTuple):
    """Where the money of an order is: with whom, in minor units, after what went back."""

    seller: int
    creator: int
    platform: int
    tax: int
    buyer: int  # what went back, or is on its way


def where_it_went(order: int) -> Went:
    """The shares in an order as they are now, whether they have been sent already or not."""
    found = ledger.of_order(order)

    def share(account: Account) -> int:
        return sum(minor for (whose, what), minor in found.items() if whose == account and what in _OF_A_SHARE)

    return Went(
        seller=share(Account.SELLER),
        creator=share(Account.CREATOR),
        platform=share(Account.PLATFORM),
        tax=share(Account.TAX),
        buyer=found.get((Account.BUYER, "refund"), 0),
    )
