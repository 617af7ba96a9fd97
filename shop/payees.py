"""Payees: the number of an account as it lies here, sealed, and what its bank says of the name that it is on.

The seal has a key of its own, which the vault wraps. In clear there are the last four figures, by which its owner knows
the account, and a mark, by which the same account is seen twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import and_, bindparam, func, or_, select, update

from shop import clock, gateways, jobs, limits, look_ups, marks, papers, turn, vault
from shop.accounts import Person
from shop.contested import is_contested
from shop.database import connection, db, first, let_go, rows
from shop.errors import Refused
from shop.gateways.bank_port import BankSilentError, Verdict
from shop.i18n import _
from shop.models import BankAccount, BankState, LookUpKind, LookUpResult, Seller, Vetting
from shop.registers import bank_of, iban_error, normal_iban

log = structlog.get_logger()

TRIES = "10 per hour"  # of one person: nobody asks a bank for names through us
AGAIN_AFTER, AGAIN_FOR = timedelta(hours=1), timedelta(days=3)
KEPT = papers.ENDED  # one that is no longer used, for who asks where money went

accounts, sellers = BankAccount.__table__, Seller.__table__
_SEALED = select(*accounts.c["id", "seller_id", "sealed_iban", "wrapped_key", "last4", "holder", "payee_check"]).where(
    accounts.c.id == bindparam("account")
)
_is_open = or_(
    accounts.c.state == BankState.WAITING,
    and_(accounts.c.state == BankState.CURRENT, sellers.c.vetting == Vetting.WAITING),
)
_UNCHECKED = (
    select(accounts.c.id)
    .join(sellers, sellers.c.id == accounts.c.seller_id)
    .where(
        accounts.c.payee_check == LookUpResult.CANNOT_CHECK,
        accounts.c.set_at > bindparam("since", type_=accounts.c.set_at.type),
        _is_open,
    )
    .limit(100)
)
_ended_at = func.coalesce(accounts.c.decided_at, accounts.c.set_at)
_DUE = (
    select(accounts.c.id)
    .join(sellers, sellers.c.id == accounts.c.seller_id)
    .where(
        accounts.c.wrapped_key.is_not(None),
        ~is_contested(accounts.c.seller_id),
        or_(
            sellers.c.ended_at < bindparam("unused"),
            and_(accounts.c.state.in_((BankState.REPLACED, BankState.REFUSED)), _ended_at < bindparam("unused")),
            and_(sellers.c.vetting == Vetting.REFUSED, sellers.c.decided_at < bindparam("refused")),
            and_(
                sellers.c.vetting.in_((Vetting.DRAFT, Vetting.NEEDS_FIXING)),
                accounts.c.set_at < bindparam("undecided"),
            ),
        ),
    )
    .limit(500)
)


class Checked(NamedTuple):
    """A right IBAN, on whose name it was given, and what its bank says of that."""

    iban: str
    holder: str
    source: str  # who asked the bank
    verdict: Verdict


# The bank's answer


def checked(iban: str, holder: str, *, by: Person) -> Checked:
    """Look at the number, and let its bank be asked; it ends the present transaction."""
    holder = " ".join(holder.split())
    if wrong := iban_error(iban):
        raise Refused(wrong, 422)
    if not 2 <= len(holder) <= 120:
        raise Refused(_("Fill in on whose name the account is, as the bank has it."), 422)
    let_go()
    limits.spend(TRIES, "bank account", str(by.id))
    return _ask(normal_iban(iban), holder)


def _ask(iban: str, holder: str) -> Checked:
    """With no transaction open. Who does not answer in time, and nobody to ask, is "cannot be checked"."""
    check = gateways.bank()
    if check is None:
        return Checked(iban, holder, look_ups.NOBODY, Verdict(LookUpResult.CANNOT_CHECK))
    try:
        with turn.aside():
            said = check.check(iban, holder)
    except BankSilentError as error:
        log.warning("no bank says on whose name an account is", source=check.name, error=type(error).__name__)
        return Checked(iban, holder, check.name, Verdict(LookUpResult.CANNOT_CHECK))
    name = said.name[:120] if said.result == LookUpResult.CLOSE else ""
    return Checked(iban, holder, check.name, Verdict(said.result, name))


def _note_answer(seller_id: int, found: Checked) -> None:
    said, answer = found.verdict.result, {"name": found.verdict.name}
    look_ups.note(seller_id, LookUpKind.PAYEE, source=found.source, asked=found.iban[-4:], result=said, answer=answer)


@jobs.regularly(AGAIN_AFTER)
def ask_again() -> None:
    """Where it could not be checked, and somebody still has to decide on it, the bank is asked again."""
    if gateways.bank() is not None:
        for row in rows(_UNCHECKED, since=clock.now() - AGAIN_FOR):
            jobs.later(look_again, account=row.id)


@jobs.handler
def look_again(account: int) -> None:
    """Ask the bank of one account once more, and keep what it says, if it says anything now."""
    row = first(_SEALED, account=account)
    if row is None or row.wrapped_key is None or row.payee_check != LookUpResult.CANNOT_CHECK:
        return
    iban = opened(account)
    let_go()
    found = _ask(iban, row.holder)
    if found.verdict.result == LookUpResult.CANNOT_CHECK:
        return
    same = (accounts.c.id == account, accounts.c.holder == row.holder)
    told = {"payee_check": found.verdict.result, "payee_name": found.verdict.name}
    if connection().execute(update(accounts).where(*same).values(told)).rowcount == 1:
        _note_answer(row.seller_id, found)


# The seal


def keep(seller_id: int, state: BankState, found: Checked, *, by: Person, frozen_for: timedelta | None = None) -> None:
    """Seal an account and keep it, with its mark and with what its bank said."""
    key, last4, bank = vault.new_key(), found.iban[-4:], bank_of(found.iban)
    wrapped, now = vault.wrap(key), clock.now()
    row = {
        "seller_id": seller_id,
        "state": state,
        "sealed_iban": vault.seal(key, _sealed_as(seller_id, last4), found.iban.encode()),
        "wrapped_key": wrapped.secret,
        "key_id": wrapped.key_id,
        "last4": last4,
        "country": found.iban[:2],
        "bank": bank.name[:120],
        "bic": bank.bic[:11],
        "holder": found.holder,
        "payee_check": found.verdict.result,
        "payee_name": found.verdict.name,
        "set_by_id": by.id,
        "set_at": now,
        "frozen_until": now + frozen_for if frozen_for else None,
    }
    connection().execute(accounts.insert(), row)
    marks.keep_iban(seller_id, found.iban)
    _note_answer(seller_id, found)
    db.session.expire_all()


def opened(account: int) -> str:
    """The IBAN itself, for who sends money there or compares it. It is shown to nobody and written nowhere."""
    row = first(_SEALED, account=account)
    if row is None or row.wrapped_key is None:
        raise LookupError(f"there is no account {account}, or it was shredded")
    return vault.unseal(vault.unwrap(row.wrapped_key), _sealed_as(row.seller_id, row.last4), row.sealed_iban).decode()


def _sealed_as(seller_id: int, last4: str) -> str:
    """What the seal is bound to: an account that somebody puts in another's place does not open."""
    return f"iban of {seller_id} ending {last4}"


def retire(seller_id: int) -> None:
    """Its owner has closed the account: it is kept as long as one that another one has replaced."""
    live = (accounts.c.seller_id == seller_id, accounts.c.state.in_((BankState.CURRENT, BankState.WAITING)))
    ended = {"state": BankState.REPLACED, "decided_at": clock.now()}
    connection().execute(update(accounts).where(*live).values(ended))


@jobs.regularly(timedelta(days=1))
def shred_due() -> None:
    """Forget the keys of accounts that nobody needs any more, as with papers: then nobody reads the number."""
    now = clock.now()
    until = {"unused": now - KEPT, "refused": now - papers.REFUSED, "undecided": now - papers.UNDECIDED}
    due = [row.id for row in rows(_DUE, **until)]
    gone = {"wrapped_key": None, "sealed_iban": b"", "holder": "", "payee_name": "", "state": BankState.REPLACED}
    if due:
        connection().execute(update(accounts).where(accounts.c.id.in_(due)).values(gone))
