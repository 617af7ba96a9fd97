"""`flask sandbox`: what a payment company, a bank or a seller might do on a bad day. The shop hears of it by a call."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from shop import gateways, payments
from shop.database import db
from shop.gateways.payment_port import RejectedError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.gateways.sandbox_weather import Weather


@click.group()
def sandbox() -> None:
    """Play with the sandbox, which moves no money."""


@sandbox.command()
@click.argument("code")
@click.option("--end", type=click.Choice(["won", "lost"]), help="CODE is a dispute, which ends so.")
@with_appcontext
def dispute(code: str, end: str | None) -> None:
    """Let the buyer's bank take back the payment CODE (sbx_pi_...), or end the dispute CODE (sbx_du_...)."""
    try:
        if end:
            _gateway().end_dispute(code, is_won=end == "won")
        else:
            click.echo(_gateway().dispute(code))
    except RejectedError as error:
        raise click.ClickException(f"{code}: {error.code}") from error
    _tell()


@sandbox.command()
@click.argument("code")
@with_appcontext
def fail(code: str) -> None:
    """Let the refund CODE (sbx_re_...) come back: it does not reach the buyer."""
    try:
        _gateway().fail_refund(code)
    except RejectedError as error:
        raise click.ClickException(f"{code}: {error.code}") from error
    _tell()


@sandbox.command()
@click.argument("code")
@click.argument("what", type=click.Choice(["activate", "restrict", "pay-out"]))
@with_appcontext
def account(code: str, what: str) -> None:
    """Activate or restrict the seller's account CODE (sbx_acct_...), or pay out all that is in it."""
    gateway = _gateway()
    try:
        if what == "pay-out":
            click.echo(f"{gateway.pay_out(code)} cents")
        else:
            (gateway.activate if what == "activate" else gateway.restrict)(code)
    except RejectedError as error:
        raise click.ClickException(f"{code}: {error.code}") from error
    _tell()


@sandbox.command()
@click.option("--duplicate", default=0, help="Each event is brought so many times more.")
@click.option("--delay", default=0.0, help="Each event is held back for so many seconds.")
@click.option("--reorder", is_flag=True, help="Events that go out together go in another order.")
@click.option("--drop", default=0, help="So many tries get lost before one arrives.")
@click.option("--error", default=0, help="So many answers of the shop count as a 500.")
@with_appcontext
def weather(*, duplicate: int, delay: float, reorder: bool, drop: int, error: int) -> None:
    """Say how events travel from now on; with no option, as they should."""
    _gateway().set_weather(Weather(duplicate, delay, reorder, drop, error))


def _gateway() -> SandboxGateway:
    gateway = gateways.sandbox()
    if gateway is None:
        raise click.ClickException("This shop takes real money: there is no sandbox to play with.")
    return gateway


def _tell() -> None:
    payments.expect_events()
    db.session.commit()
