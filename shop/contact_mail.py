"""Contact mail: that the e-mail address of an application answers, by a link or by six figures that were mailed to it.

Neither stands in a table: both follow from the shop's own key, the application and the address, so that they work on
any device, and are worth nothing once the address is another one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Row, bindparam, select, update

from shop import accounts, application, clock, jobs, limits, notifications
from shop.accounts import Person, plain
from shop.checklist import Item
from shop.database import connection, db, first
from shop.errors import Refused
from shop.i18n import _
from shop.models import Profile, Seller

MAILS = "5 per day"  # to one address
ASKED = "10 per day"  # by one person, whatever the addresses: else we write to anybody at anybody's request
TRIES = "10 per hour"  # at the six figures, of one person
WINDOW = 30 * 60  # seconds: the figures of the present and of the last half hour are right
LINK_WITHIN = 24 * 60 * 60  # seconds

table, profiles = Seller.__table__, Profile.__table__
_SHOP = (
    select(table.c.email, table.c.email_confirmed_at, profiles.c.name)
    .join_from(table, profiles, table.c.profile_id == profiles.c.id)
    .where(table.c.id == bindparam("seller"))
)


def is_own(person: Person, email: str) -> bool:
    """Is it the address with which they signed up, and which they confirmed then?"""
    account = accounts.own(person)
    return account.confirmed_at is not None and plain(email) == account.email


def tell(person: Person, facts: dict[str, Any]) -> None:
    """Keep who they are and where; an address that is neither confirmed nor the account's own is written to."""
    before = application.asked(person, Item.CONTACT)
    confirmed = before.email_confirmed_at if plain(before.email) == plain(facts["email"]) else None
    if confirmed is None and is_own(person, facts["email"]):
        confirmed = clock.now()
    application.tell(person, Item.CONTACT, {**facts, "email_confirmed_at": confirmed})
    if confirmed is None:
        ask(person)


def ask(person: Person) -> None:
    """Mail the figures and the link to the address of this person's application, where it is not confirmed yet."""
    seller = application.asked(person, Item.CONTACT)
    if seller.email and seller.email_confirmed_at is None:
        limits.spend(ASKED, "contact mails of", str(person.id))
        limits.spend(MAILS, "contact mail", plain(seller.email))
        jobs.later(mail_figures, seller_id=seller.id, email=seller.email, about=secrets.token_hex(8))


@jobs.patient_handler
def mail_figures(seller_id: int, email: str, about: str) -> None:
    """Write to the address, if it is still the one."""
    seller = db.session.get(Seller, seller_id)
    if seller is None or seller.email != email or seller.profile.user is None:
        return
    owner, link = seller.profile.user, f"{current_app.config['BASE_URL']}/sell/address/{link_for(seller)}"
    letter = {"to": email, "language": owner.language, "name": owner.name, "shop": seller.profile.name}
    notifications.mail(
        kind="contact", about=about, template="contact", link=link, figures=figures_for(seller), **letter
    )


def confirm(person: Person, figures: str) -> None:
    """The six figures from the mail."""
    seller = application.asked(person, Item.CONTACT)
    limits.spend(TRIES, "contact figures", str(person.id))
    given = re.sub("[^0-9]", "", figures)
    right = [hmac.compare_digest(figures_for(seller, ago=n), given) for n in (0, 1)]
    if not seller.email or not any(right):
        raise Refused(_("These are not the figures from our last mail. Look again, or ask for a new mail."), 422)
    _confirmed(seller.id, seller.email)


def asked_by(token: str) -> Row[tuple[str, str]]:
    """Which shop asks, with the address: for the page behind the link. To look at it confirms nothing."""
    seller, email = _read(token)
    found = first(_SHOP, seller=seller)
    if found is None or found.email != email:
        raise Refused(_too_old(), 410)
    return found


def confirm_by(token: str) -> None:
    """The link from the mail, on whatever device: who holds it reads this mail."""
    asked_by(token)
    _confirmed(*_read(token))


def _confirmed(seller: int, email: str) -> None:
    mine = update(table).where(table.c.id == seller, table.c.email == email)
    if connection().execute(mine.values(email_confirmed_at=clock.now())).rowcount != 1:
        raise Refused(_("This address has just changed. Please look again."))
    db.session.expire_all()


def _read(token: str) -> tuple[int, str]:
    try:
        seller, email, until = _signer().loads(token)
    except BadData:
        raise Refused(_too_old(), 410) from None
    if clock.now().timestamp() > until:
        raise Refused(_too_old(), 410)
    return int(seller), str(email)


def _too_old() -> str:
    return _("This link is too old, or the address is another one by now. Ask for a new mail.")


def link_for(seller: Seller) -> str:
    """The secret part of the link, which works for a day."""
    until = int(clock.now().timestamp()) + LINK_WITHIN
    return str(_signer().dumps([seller.id, seller.email, until]))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="contact")


def figures_for(seller: Seller, ago: int = 0) -> str:
    """The six figures of this half hour, or of so many before."""
    window = int(clock.now().timestamp()) // WINDOW - ago
    key = current_app.config["SECRET_KEY"].encode()
    digest = hmac.new(key, f"contact {seller.id} {seller.email} {window}".encode(), "sha256").digest()
    return str(int.from_bytes(digest[:8], "big") % 1_000_000).zfill(6)
