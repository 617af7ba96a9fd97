"""Credentials: sign up, sign in, a forgotten password, another password.

What these say to a stranger is the same whether somebody is a customer or not.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Row, bindparam, delete, select, update

from shop import accounts, audit, clock, jobs, limits, notifications, passwords, proofs
from shop.accounts import Person, as_actor, called, open_session, plain, sign_out_everywhere
from shop.browsers import device_name
from shop.database import connection, db, first, let_go
from shop.errors import Refused
from shop.i18n import _, long_day, speaking
from shop.models import KnownDevice, PasswordReset, User

CONFIRM_WITHIN = 24 * 60 * 60  # seconds
TRIES = "10 per 5 minutes"
RESET_WITHIN = timedelta(hours=1)
MAILS = "5 per day"  # of one kind to one address


class WrongPassword(Refused):
    """The present password is not the present one."""


users = User.__table__
_AT_THE_DOOR = (
    select(
        users.c.id,
        users.c.password_hash,
        users.c.confirmed_at,
        users.c.is_active,
        select(KnownDevice.id)
        .where(KnownDevice.user_id == users.c.id, KnownDevice.token_hash == bindparam("device"))
        .exists()
        .label("is_known"),
    )
).where(users.c.email == bindparam("email"))
resets = PasswordReset.__table__
_OPEN_RESET = (
    select(resets.c.id, resets.c.user_id, users.c.name, users.c.email)
    .join_from(resets, users, resets.c.user_id == users.c.id)
    .where(
        resets.c.token_hash == bindparam("token_hash"),
        resets.c.used_at.is_(None),
        resets.c.expires_at > bindparam("now"),
        users.c.is_active,
    )
)


def sign_up(email: str, name: str, password: str, *, language: str, going: str = "") -> None:
    """Make an account that opens when its owner answers the mail.

    Nobody learns from this who is a customer: where there is an account already, its owner gets another mail, and
    all else looks and lasts the same. Until the mail is answered, who signs up last is who it will be. `going` is the
    page of ours that they were on their way to: from the mail they get there.
    """
    passwords.check(password, name, email)
    limits.spend(MAILS, "sign-up", plain(email))
    kept, now = passwords.hashed(password), clock.now()
    user = called(email)
    if user is None:
        user = User(email=plain(email), created_at=now, confirmed_at=None)
        db.session.add(user)
    if user.confirmed_at is None:
        user.name, user.password_hash, user.language = name, kept, language
    db.session.flush()
    jobs.later(mail_after_sign_up, user_id=user.id, about=secrets.token_hex(8), going=going)


@jobs.patient_handler
def mail_after_sign_up(user_id: int, about: str, going: str = "") -> None:
    """Ask the owner of a new account to confirm it; tell the owner of an old one that they have it."""
    user = db.session.get_one(User, user_id)
    letter: dict[str, Any] = {"about": about, "to": user.email, "language": user.language, "name": user.name}
    if user.confirmed_at:
        links = {"link": _door("/sign-in", next=going), "reset": _door("/reset", next=going)}
        notifications.mail(kind="already-here", template="already_here", **links, **letter)
    else:
        link = _door("/sign-in", confirm=_confirmation(user.id, user.password_hash), next=going)
        notifications.mail(kind="confirm", template="confirm", link=link, **letter)


def _door(path: str, **told: str) -> str:
    """The whole address of a page at the door, with what is told there."""
    said = urlencode({name: text for name, text in told.items() if text})
    return f"{current_app.config['BASE_URL']}{path}" + (f"?{said}" if said else "")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="confirm")


def _confirmation(user_id: int, password_hash: str) -> str:
    """Proof that one reads this account's mail. It is worth nothing without the password, nor after another one.

    So nobody can sign up as somebody else and have *them* open the account by following a link.
    """
    return str(_signer().dumps([user_id, sha256(password_hash.encode()).hexdigest()[:16]]))


def _is_confirmed_by(confirmation: str, user: Row[Any]) -> bool:
    try:
        told = _signer().loads(confirmation, max_age=CONFIRM_WITHIN)
    except BadData:
        return False
    return bool(told == [user.id, sha256(user.password_hash.encode()).hexdigest()[:16]])


class Half(NamedTuple):
    """Somebody who knows the password and has to prove once more who they are; `mark` ends with that password."""

    user_id: int
    mark: str
    language: str


def sign_in(
    email: str, password: str, *, device: str = "", browser: str = "", confirmation: str = "", language: str = ""
) -> Person | Half:
    """Open a session for whoever knows the password; unknown people and wrong passwords look and last the same.

    Of whom a second proof is asked (`proofs.is_asked_of`), gets half of it.

    `device` is this browser's own secret. One in which this person has signed in before has tries of its own, so
    that a thousand guesses from elsewhere do not lock the owner out. Who never chose a language is written to in
    the `language` that they read now.
    """
    user = first(_AT_THE_DOOR, email=plain(email), device=_device(email, device))
    is_known = user is not None and bool(user.is_known)
    let_go()
    limits.spend(TRIES, *(("sign-in device", device) if is_known else ("sign-in", plain(email)[:100])))
    fits = passwords.is_right(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        raise Refused(_("This e-mail address and password do not belong together."), 422)
    if user.confirmed_at is None and not _is_confirmed_by(confirmation, user):
        raise Refused(_("This account is not open yet: follow the link in the mail that we have sent you."), 422)
    fresh = passwords.hashed(password) if passwords.is_dated(user.password_hash) else user.password_hash
    known = _device(email, device) if device and not is_known else None
    return _let_in(user, fresh, known=known, browser=browser, language=language)


def _let_in(found: Row[Any], fresh: str, *, known: bytes | None, browser: str, language: str) -> Person | Half:
    user = db.session.get_one(User, found.id)
    if user.password_hash == found.password_hash:  # it may have changed while we were counting
        user.password_hash = fresh
    is_first = user.confirmed_at is None  # who answers our mail is expected
    user.confirmed_at = user.confirmed_at or clock.now()
    user.language = user.language or language
    is_half = proofs.is_asked_of(user)
    if known:
        db.session.add(KnownDevice(token_hash=known, user_id=user.id, created_at=clock.now()))
        if not is_first:
            _tell_of_new_device(user, browser, is_half=is_half)
    if is_half:
        return Half(user.id, _mark(user), user.language)
    return open_session(user, browser)


def _tell_of_new_device(user: User, browser: str, *, is_half: bool) -> None:
    """Somebody knew the password in a browser that has not been here: its owner hears of it, and what to do."""
    with speaking(user.language):
        at = long_day(clock.now())
    _tell(user, "new-device", "new_device", device=device_name(browser), at=at, is_half=is_half)


def half_way(user_id: int, mark: str) -> User | None:
    """Who knew the password a moment ago, if it is still their password and their account is open."""
    user = db.session.get(User, user_id)
    return user if user is not None and user.is_active and hmac.compare_digest(mark, _mark(user)) else None


def _mark(user: User) -> str:
    return hmac.new(current_app.config["SECRET_KEY"].encode(), user.password_hash.encode(), "sha256").hexdigest()[:24]


# A forgotten password, and another one


def ask_for_reset(email: str, *, going: str = "") -> None:
    """Mail a link with which to choose a new password, if this is a customer's address; nobody else learns whether.

    After five mails in a day there come no more; the ones that came work for an hour.
    """
    user = called(email)
    if limits.may_spend(MAILS, "reset", plain(email)) and user is not None and user.is_active:
        jobs.later(mail_reset, user_id=user.id, about=secrets.token_hex(16), going=going)


@jobs.patient_handler
def mail_reset(user_id: int, about: str, going: str = "") -> None:
    """Mail the link. Its secret follows from the shop's own key, so it stands in no table, and a second try of this
    job, after a mail server that did not answer, sends the same one. It works for an hour from when it went out."""
    user = db.session.get_one(User, user_id)
    key = current_app.config["SECRET_KEY"].encode()
    token = hmac.new(key, f"reset {user_id} {about}".encode(), "sha256").hexdigest()
    link = _door(f"/reset/{token}", next=going)
    to = {"to": user.email, "language": user.language, "name": user.name}
    notifications.mail(kind="reset", about=about, template="reset", link=link, **to)
    now = clock.now()
    if not db.session.scalar(select(PasswordReset.id).where(PasswordReset.token_hash == _hash(token))):
        expires = now + RESET_WITHIN
        db.session.add(PasswordReset(token_hash=_hash(token), user_id=user_id, created_at=now, expires_at=expires))


def is_reset_open(token: str) -> bool:
    """Can a new password be chosen with this link?"""
    return first(_OPEN_RESET, token_hash=_hash(token), now=clock.now()) is not None


def reset(token: str, password: str) -> None:
    """Choose a new password with a link that was mailed: it works once, and signs all devices out."""
    asked = first(_OPEN_RESET, token_hash=_hash(token), now=clock.now())
    let_go()
    if asked is None:
        raise Refused(_("This link has been used, or it is older than an hour. Ask for a new one."), 410)
    passwords.check(password, asked.name, asked.email)
    kept = passwords.hashed(password)
    free = (resets.c.id == asked.id, resets.c.used_at.is_(None))
    if connection().execute(update(resets).where(*free).values(used_at=clock.now())).rowcount != 1:
        raise Refused(_("This link has been used, or it is older than an hour. Ask for a new one."), 410)
    _write_down("password reset", _replace(asked.user_id, kept))


def change(person: Person, old: str, new: str, browser: str = "") -> Person:
    """Another password for who knows the present one: all sign-ins end, and this browser gets a new one."""
    user = db.session.execute(select(users).where(users.c.id == person.id)).one()
    let_go()
    limits.spend(TRIES, "change", str(person.id))
    if not passwords.is_right(old, user.password_hash):
        raise WrongPassword(_("This is not your present password."), 422)
    passwords.check(new, user.name, user.email)
    owner = _replace(user.id, passwords.hashed(new))
    _write_down("password changed", owner)
    return accounts.carry_on(owner, person, browser)


def prove(person: Person, password: str) -> None:
    """Say once more who one is, with the password; whoever has a second proof gives that instead."""
    kept = db.session.execute(select(users.c.password_hash).where(users.c.id == person.id)).scalar_one()
    has_more = proofs.ways_of(person.id).are_there
    let_go()
    if has_more:
        raise Refused(_("A password alone does not do for this any more. Give your second proof."))
    limits.spend(TRIES, "change", str(person.id))
    if not passwords.is_right(password, kept):
        raise WrongPassword(_("This is not your password."), 422)


def _write_down(action: str, user: User) -> None:
    """Another password of somebody who may judge others is for the audit, too."""
    owner = as_actor(user)
    if owner.is_staff:
        db.session.flush()
        audit.note(action, f"user:{user.id}", by=owner, before={"email": audit.masked(user.email)})


def close(person: Person, password: str) -> None:
    """Close the account of who knows its password, and say so by mail, in case it was somebody else."""
    user = db.session.execute(select(users).where(users.c.id == person.id)).one()
    let_go()
    limits.spend(TRIES, "change", str(person.id))
    if not passwords.is_right(password, user.password_hash):
        raise WrongPassword(_("This is not your password."), 422)
    accounts.close(accounts.own(person))
    proofs.leave(person.id)
    _tell(user, "account-closed", "account_closed")


def _replace(user_id: int, kept: str) -> User:
    user = db.session.get_one(User, user_id)
    user.password_hash, user.confirmed_at = kept, user.confirmed_at or clock.now()
    db.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None)))
    sign_out_everywhere(user_id)
    _tell(user, "password-changed", "password_changed")
    return user


def _tell(user: Any, kind: str, template: str, **facts: Any) -> None:
    to = {"to": user.email, "language": user.language, "name": user.name, **facts}
    jobs.later(notifications.mail, kind=kind, about=secrets.token_hex(8), template=template, **to)


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _device(email: str, device: str) -> bytes:
    """One browser may be known to several people; whose it is, is part of what is kept."""
    return sha256(f"{plain(email)} {device}".encode()).digest()
