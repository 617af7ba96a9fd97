"""Commands for who keeps the shop: who may do what, and whether what was done stands as it was written."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from shop import accounts, audit, chain_check, invitations, papers, proofs, vault
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
    """Give the person with this EMAIL a role; they have to sign in again.

    Of staff a second proof is asked, which they set up with the link that this prints. Say it again for a new link.
    """
    accounts.grant(_account(email), Role(role), reason=reason)
    db.session.commit()
    click.echo(f"{email} is {role} now.")
    if role in accounts.STAFF:
        _invite(_account(email))


def _invite(user: User) -> None:
    """Say with which link they set up their first proof, unless they have one."""
    if proofs.ways_of(user.id).are_there:
        click.echo("They have a second proof already, and are asked for it at the next sign-in.")
        return
    token = invitations.invite(user.id)
    audit.note("set-up link made", f"user:{user.id}", by=None, before={"email": audit.masked(user.email)})
    db.session.commit()
    click.echo("Before they see anything they set up a passkey or an app for codes. Hand them this link, and to nobody")
    click.echo("else; together with their password it works once, until this time tomorrow:")
    click.echo(f"{current_app.config['BASE_URL']}/sign-in/invitation/{token}")


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


@staff.command("reset-proofs")
@click.argument("email")
@REASON
def reset_proofs(email: str, reason: str) -> None:
    """Forget the passkeys and codes of the person with this EMAIL, who has lost them; they set up new ones."""
    proofs.forget_all(_account(email), reason=reason)
    db.session.commit()
    click.echo(f"{email} has no second proof any more.")
    if accounts.as_actor(_account(email)).is_staff:
        _invite(_account(email))


@staff.command()
@click.argument("email")
@REASON
def unlock(email: str, reason: str) -> None:
    """Let the person with this EMAIL open identity papers again, who had opened many."""
    papers.unlock(_account(email), by=None, reason=reason)
    db.session.commit()
    click.echo(f"{email} may open papers again.")


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
    chain_check.look_at_the_audit()
    db.session.commit()
    click.echo("It is on its way.")


@click.group(cls=AppGroup)
def keys() -> None:
    """The keys of the vault, which open identity papers. Keep a copy of them apart from the backup of the database.

    They lie in instance/keys, unless PAPER_KEYS holds them (name:key, the newest first). Two are live at a time: the
    newest wraps, the one before still opens. Without them nobody reads a paper again, and that is what they are for.
    """


@keys.command("list")
def listed() -> None:
    """Say which keys are live, the newest first."""
    for name in vault.key_ids():
        click.echo(name)


@keys.command()
def rotate() -> None:
    """Make a new key and wrap everything with it, while the shop is open; the one before last is thrown away.

    With PAPER_KEYS: put the new key first, start the shop anew, and then run this.
    """
    if not current_app.config["PAPER_KEYS"]:
        vault.add_key()
    done = 0
    while wrapped := vault.rewrap():
        db.session.commit()
        done += wrapped
    gone = vault.forget_old_keys()
    audit.note("keys rotated", "vault", by=None, after={"wrapped": done, "live": vault.key_ids(), "thrown away": gone})
    db.session.commit()
    click.echo(f"{done} wrapped with the new key {vault.key_ids()[0]}. Thrown away: {', '.join(gone) or 'none'}.")
