"""`flask settle` and `flask take-in`: what only a person can end, after a look at the payment company's own pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from shop import by_hand, refund_desk
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import GatewayError

DONE = "It is settled, and stands in the audit."
TAKEN = "It is in the books, and stands in the audit."


@click.command()
@click.argument("what", type=click.Choice(list(by_hand.KINDS)))
@click.argument("number", type=click.IntRange(1, 2**62))
@click.option("--it-is", metavar="ID", help="The payment company has made it, under this id (pi_, tr_, re_, trr_).")
@click.option("--nothing", is_flag=True, help="The payment company has made nothing of it.")
@click.option("--because", required=True, metavar="WORDS", help="How you found out; it is kept in the audit.")
@with_appcontext
def settle(what: str, number: int, it_is: str | None, because: str, *, nothing: bool) -> None:
    """End the request NUMBER (an attempt to pay, a transfer, a refund, a reversal) that was never answered for a day.

    Look it up at the payment company first, by the purchase's code or the key on /moderation/money. Of --it-is the
    company is asked, and it has to be what the shop wanted, in amount, currency, group and key.
    """
    if nothing == bool(it_is):
        raise click.UsageError("Say one of the two: --it-is ID or --nothing.")
    with _told():
        by_hand.settle(what, number, it_is, because)
    click.echo(DONE)


@click.command("take-in", context_settings={"ignore_unknown_options": True})  # a code may begin with a dash
@click.argument("order")
@click.argument("refund", metavar="RE_ID")
@click.option("--line", "lines", multiple=True, metavar="CODE=QTY", help="so many of the line with this SKU or product")
@click.option("--reason", type=click.Choice(refund_desk.REASONS), default="goodwill", show_default=True)
@click.option("--because", required=True, metavar="WORDS", help="How you know that it was this order.")
@with_appcontext
def take_in(order: str, refund: str, lines: tuple[str, ...], reason: str, because: str) -> None:
    """Take RE_ID into the books: a part that somebody gave back in the payment company's dashboard was of ORDER.

    No money moves: the company is asked how much it was. It goes out of all shares in the order, or in its --line.
    """
    with _told():
        desk = refund_desk.look(order)
        quantities = refund_desk.quantities(desk, dict(line.partition("=")[::2] for line in lines))
        of = refund_desk.lines_of(desk, quantities)
        by_hand.take_in(desk.order, refund, because, of=of, reason=reason)
    click.echo(TAKEN)


@contextmanager
def _told() -> Iterator[None]:
    """Write it down; what is refused is said in words."""
    try:
        yield
    except Refused as no:
        raise click.ClickException(no.words) from no
    except GatewayError as error:
        raise click.ClickException(f"The payment company does not answer: {error!r}") from error
    db.session.commit()
