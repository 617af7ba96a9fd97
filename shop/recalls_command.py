"""`flask recalls check`: hold goods against the official list of unsafe products now, and not only once a day."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from shop import safety_checks
from shop.database import db
from shop.gateways.recalls_port import RecallsSilentError


@click.group()
def recalls() -> None:
    """Goods that may be on the official list of unsafe products."""


@recalls.command()
@click.option("--most", type=click.IntRange(1, 20_000), help="So many listings; else RECALL_CHECKS.")
@with_appcontext
def check(most: int | None) -> None:
    """Draw listings by lot and hold them against the list; what may be on it waits for a moderator."""
    try:
        done = safety_checks.check(most or current_app.config["RECALL_CHECKS"])
    except RecallsSilentError as silent:
        raise click.ClickException(f"The list does not answer ({silent}); nothing was checked.") from silent
    if done is None:
        raise click.ClickException("No list was chosen: set RECALLS_FEED=safety-gate.")
    db.session.commit()
    click.echo(f"{done.looked_at} listings held against {done.alerts} alerts ({done.source}).")
    for code in done.pointed_out:
        click.echo(f"Look at this one: {current_app.config['BASE_URL']}/moderation/listings/{code}")
