"""Commands for who keeps the shop: who may do what, and whether what was done stands as it was written."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop import accounts, alarm, audit
from shop.database import db
from shop.models import Role, User


@click.group(cls=AppGroup)
def staff() -> None:
    """Say who may do what: roles of people who have an account."""


ROLE = click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
REASON = click.option("--reason", default="", help="Why; it is kept in the audit.")


@staff.command()
@click.argument("email")
@ROLE
@REASON
def add(email: str, role: str, reason: str) -> None:
    """Give the person with this EMAIL a role; they have to sign in again."""
    accounts.grant(_account(email), Role(role), reason=reason)
    db.session.commit()
    click.echo(f"{email} is {role} now.")


@staff.command()
@click.argument("email")
@ROLE
@REASON
def remove(email: str, role: str, reason: str) -> None:
    """Take a role away from the person with this EMAIL, at once."""
    accounts.revoke(_account(email), Role(role), reason=reason)
    db.session.commit()
    click.echo(f"{email} is no longer {role}.")


@staff.command("sign-out")
@click.argument("email")
@REASON
def sign_out(email: str, reason: str) -> None:
    """Sign the person with this EMAIL out everywhere, at once."""
    accounts.end_sessions(_account(email), by=None, reason=reason)
    db.session.commit()
    click.echo(f"{email} is signed out everywhere.")


def _account(email: str) -> User:
    user = accounts.called(email)
    if user is None:
        raise click.ClickException(f"Nobody has an account with {email}; let them sign up first.")
    return user


@click.group("audit", cls=AppGroup)
def chain() -> None:
    """Look at the audit: what was done by those who may do more than others."""


@chain.command()
@click.option("--contains", default="", metavar="HASH", help="A hash from an earlier mail, which has to be in it.")
def verify(contains: str) -> None:
    """Check that each entry stands as it was written; exit status 1 names the first that does not."""
    found = audit.verify(contains.strip())
    if found.broken is not None:
        raise click.ClickException(f"The audit is broken at entry {found.broken}: {found.how}.")
    click.echo(f"{found.entries} entries, each as it was written. The last hash: {found.hash}")


@chain.command()
def mail() -> None:
    """Check it now, and mail its last hash to the operator, as happens once a day."""
    alarm.look_at_the_audit()
    db.session.commit()
    click.echo("It is on its way.")
