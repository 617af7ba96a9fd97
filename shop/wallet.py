"""Wallet: what one can pay with. What the shop offers, and what somebody has kept for next time.

A card itself is never here: the gateway keeps it, and we know what it is called. What is kept with one gateway is of no
use to another, so it is neither offered nor used there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from flask import current_app
from sqlalchemy import Row, bindparam, delete, select, update

from shop import clock, gateways, jobs, turn
from shop.database import connection, first, insert, let_go, rows
from shop.errors import NotFound
from shop.gateways.payment_port import GatewayError, UnreachableError
from shop.i18n import _, language
from shop.models import GatewayCustomer, SavedMethod, User

# What the gateway's own script and page see to. Without that script both of the first end at the gateway's page.
BY_FIELDS = ("card", "wallet")
ON_ITS_PAGE = "other"
AGAIN = timedelta(hours=1)  # until a gateway that does not answer is asked again to forget

log = structlog.get_logger()

saved, customers, users = SavedMethod.__table__, GatewayCustomer.__table__, User.__table__
_KEPT = (
    select(saved)
    .where(
        saved.c.user_id == bindparam("user"), saved.c.gateway == bindparam("gateway"), saved.c.forgotten_at.is_(None)
    )
    .order_by(saved.c.id.desc())
)
_ALL = select(saved.c.code).where(saved.c.user_id == bindparam("user"), saved.c.forgotten_at.is_(None))
_CUSTOMER = select(customers.c.gateway_id).where(
    customers.c.user_id == bindparam("user"), customers.c.gateway == bindparam("gateway")
)
_STRANGER = select(users.c.email).where(users.c.id == bindparam("user"), ~_CUSTOMER.exists())
# The name goes, and the row stays: else a report that is still on its way would bring the card back.
_FORGET = (
    update(saved)
    .where(saved.c.user_id == bindparam("user"), saved.c.code == bindparam("method"), saved.c.forgotten_at.is_(None))
    .values(name="", forgotten_at=bindparam("now"))
    .returning(saved.c.gateway, saved.c.gateway_id)
)
_FORGET_CUSTOMER = (
    delete(customers)
    .where(customers.c.user_id == bindparam("user"))
    .returning(customers.c.gateway, customers.c.gateway_id)
)


class Method(NamedTuple):
    """A way to pay, as the page offers it."""

    code: str
    name: str
    can_be_saved: bool = False
    is_test: bool = False  # an outcome that only the sandbox knows
    fields: str = ""  # which of the gateway's own fields it opens: "card" or "wallet"

    @property
    def is_kept(self) -> bool:
        """Is it one that this person has paid with before?"""
        return self.code.startswith("saved:")


class Means(NamedTuple):
    """What somebody pays with, this time."""

    method: str  # the code of a `Method`
    card: str = ""  # what the gateway's own fields in the page made of a card or a wallet
    wants_saving: bool = False


def methods(user: int | None = None) -> list[Method]:
    """What the page offers, in its order: what this person kept, then what the shop takes."""
    mine = [Method(f"saved:{row.code}", row.name) for row in kept(user)] if user else []
    has_fields, is_sandbox = bool(gateways.payment().publishable_key), gateways.sandbox() is not None
    return [
        *mine,
        *_offered(language(), tuple(current_app.config["PAYMENT_METHODS"]), user is None, has_fields, is_sandbox),
    ]


@lru_cache(maxsize=64)
def _offered(
    _code: str, taken: tuple[tuple[str, str], ...], is_guest: bool, has_fields: bool, is_sandbox: bool
) -> tuple[Method, ...]:
    # Only called by `methods`, which has just asked for the language: the words are in that one.
    names = {
        "ideal": "iDEAL | Wero",
        "bancontact": "Bancontact",
        "wallet": "Apple Pay, Google Pay",
        "card": _("Card"),
        ON_ITS_PAGE: _("Other ways to pay"),
    }
    offered = [
        Method(
            code,
            name or names.get(code, code),
            can_be_saved=code == "card" and not is_guest,
            fields=code if has_fields and code in BY_FIELDS else "",
        )
        for code, name in taken
        if code != "wallet" or has_fields  # the sandbox knows no telephone's wallet
    ]
    return (*offered, *(_tests() if is_sandbox else ()))


def _tests() -> list[Method]:
    words = {
        "card_declined": _("Test: the bank declines the card"),
        "insufficient_funds": _("Test: not enough money on the card"),
        "authentication_required": _("Test: the bank asks for a confirmation"),
        "slow_success": _("Test: takes a while, then works"),
        "slow_failure": _("Test: takes a while, then fails"),
    }
    return [Method(code, name, is_test=True) for code, name in words.items()]


def kept(user: int) -> Sequence[Row[Any]]:
    """What somebody kept with the gateway that we have, the newest first."""
    return rows(_KEPT, user=user, gateway=gateways.payment().name)


def customer(user: int) -> str:
    """The gateway's own id of somebody; empty as long as it does not know them."""
    row = first(_CUSTOMER, user=user, gateway=gateways.payment().name)
    return str(row.gateway_id) if row else ""


def introduce(user: int) -> None:
    """Make the gateway know somebody, once, so that it can keep their card; the caller commits.

    By the address of their account, which is the same each time: a key stands for one request. It ends the present
    transaction before it calls. Where the gateway cannot do it now, the card is not kept: nobody has to wait for that
    to pay.
    """
    stranger = first(_STRANGER, user=user, gateway=gateways.payment().name)
    if stranger is None:
        return
    email = str(stranger.email)
    let_go()
    gateway = gateways.payment()
    try:
        with turn.aside():
            known_as = gateway.open_customer(f"user:{user}", email, key=f"user:{user}:customer")
    except GatewayError as error:
        log.warning("the gateway does not take somebody in", error=repr(error))
        return
    row = {"user_id": user, "gateway": gateway.name, "gateway_id": known_as, "created_at": clock.now()}
    connection().execute(insert(customers).values(row).on_conflict_do_nothing())


def forget(user: int, method: str) -> None:
    """Forget what somebody kept: here at once, at the gateway as soon as it answers. `NotFound` if it is not theirs."""
    gone = first(_FORGET, user=user, method=method, now=clock.now())
    if gone is None:
        raise NotFound(_("This is not kept any more."))
    jobs.later(forget_at_gateway, gateway=gone.gateway, method=gone.gateway_id)


def forget_all(user: int) -> None:
    """Forget all that somebody kept, with whichever gateway, and who they are there: their account is closed."""
    for row in rows(_ALL, user=user):
        forget(user, row.code)
    for row in rows(_FORGET_CUSTOMER, user=user):
        jobs.later(forget_customer_at_gateway, gateway=row.gateway, customer=row.gateway_id)


@jobs.handler
def forget_at_gateway(gateway: str, method: str) -> None:
    """Have the gateway forget it too; what another one keeps is not ours to reach."""
    if not _forgets(gateway, "forget_method", method):
        jobs.later(forget_at_gateway, delay=AGAIN, gateway=gateway, method=method)


@jobs.handler
def forget_customer_at_gateway(gateway: str, customer: str) -> None:
    """Have the gateway forget somebody, with all that it still keeps for them."""
    if not _forgets(gateway, "forget_customer", customer):
        jobs.later(forget_customer_at_gateway, delay=AGAIN, gateway=gateway, customer=customer)


def _forgets(gateway: str, how: str, what: str) -> bool:
    """Did the gateway answer? Forgetting twice does no harm."""
    let_go()
    if gateways.payment().name == gateway:
        try:
            getattr(gateways.payment(), how)(what)
        except UnreachableError as error:
            log.warning("the gateway does not forget yet", what=how, error=repr(error))
            return False
    return True
