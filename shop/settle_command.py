"""`flask settle`: end by hand what the payment company never answered, after a look at its own pages."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from shop import by_hand
from shop.database import db
from shop.errors import Refused
from shop.gateways.payment_port import GatewayError

DONE = "It is settled, and stands in the audit."


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
    try:
        by_hand.settle(what, number, it_is, because)
    except Refused as no:
        raise click.ClickException(no.words) from no
    except GatewayError as error:
        raise click.ClickException(f"The payment company does not answer: {error!r}") from error
    db.session.commit()
    click.echo(DONE)
