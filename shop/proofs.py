"""Second proofs: a passkey, a one-time code from an app, or a recovery code on paper.

Who judges others has to give one at each sign-in, and so does everybody who has set one up. A password alone opens
nothing then: only when both are there does a session begin.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import Row, bindparam, delete, func, select, update
from werkzeug.exceptions import TooManyRequests

from shop import alerts, audit, clock, limits, otp, vault, webauthn
from shop.accounts import STAFF, Person, as_actor, open_session, sign_out, sign_out_everywhere
from shop.database import connection, db, first, let_go, rows
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.models import CodeApp, Invitation, Passkey, RecoveryCode, User

TRIES = ("5 per 5 minutes", "20 per hour", "50 per day")
HALF_WAY = 600  # seconds between password and second proof
RECOVERY_CODES = 10
MOST_PASSKEYS = 10
# The seed of the demo's staff, which everybody may know, and which opens nothing in production.
DEMO_SEED = base64.b32decode("ETALAGEDEMOSEEDETALAGEDEMOSEED23")

keys, apps, codes, users = Passkey.__table__, CodeApp.__table__, RecoveryCode.__table__, User.__table__
_WAYS = select(
    select(func.count()).where(keys.c.user_id == bindparam("user")).scalar_subquery().label("passkeys"),
    select(func.count()).where(apps.c.user_id == bindparam("user")).scalar_subquery().label("apps"),
    select(func.count())
    .where(codes.c.user_id == bindparam("user"), codes.c.used_at.is_(None))
    .scalar_subquery()
    .label("codes"),
)
_APP = select(apps.c.wrapped_seed, apps.c.last_step).where(apps.c.user_id == bindparam("user"))
_KEYS = (
    select(keys.c.code, keys.c.name, keys.c.credential_id, keys.c.created_at, keys.c.used_at)
    .where(keys.c.user_id == bindparam("user"))
    .order_by(keys.c.id)
)
_KEY = select(keys).where(keys.c.user_id == bindparam("user"), keys.c.credential_id == bindparam("credential"))


class Ways(NamedTuple):
    """By what somebody can prove a second time who they are."""

    passkeys: int
    apps: int
    codes: int

    @property
    def are_there(self) -> bool:
        """Is there any? Recovery codes come with the others."""
        return bool(self.passkeys or self.apps)


def ways_of(user_id: int) -> Ways:
    """What this person has set up."""
    found = first(_WAYS, user=user_id)
    return Ways(found.passkeys, found.apps, found.codes) if found else Ways(0, 0, 0)


def is_asked_of(user: User) -> bool:
    """Does a password not do for this person? It does not for staff, nor for who has set up more."""
    return bool({held.role for held in user.roles} & STAFF) or ways_of(user.id).are_there


def let_in(user_id: int, browser: str, instead: Person | None = None, *, is_proven: bool = True) -> Person:
    """Open a session after both proofs, or after all that is asked of who has only a password (not `is_proven`).

    The one before, if there was one, is worth nothing from now on.
    """
    if instead is not None:
        sign_out(instead)
    return open_session(db.session.get_one(User, user_id), browser, is_proven=is_proven)


# Set-up


def seed_for(user_id: int, salt: str) -> bytes:
    """The seed that is offered at set-up. It follows from the shop's key, so to look writes nothing."""
    return _derived(f"seed {user_id} {salt}")[:20]


def challenge_for(user_id: int, salt: str) -> bytes:
    """What a passkey has to sign; another one for each sign-in, and good once."""
    return _derived(f"challenge {user_id} {salt}")


def _derived(what: str) -> bytes:
    return hmac.new(current_app.config["SECRET_KEY"].encode(), what.encode(), "sha256").digest()


def add_app(user: User, seed: bytes, given: str) -> list[str]:
    """Set up an app that makes codes, once it has shown one; gives new recovery codes."""
    _count_try(user.id, user.name)
    step = otp.step_of(seed, _bare(given), clock.now())
    if step is None:
        raise Refused(_("This is not the code of this moment. Look at the app again."), 422)
    had, wrapped = ways_of(user.id), vault.wrap(seed)
    db.session.execute(delete(CodeApp).where(CodeApp.user_id == user.id))
    facts = {"wrapped_seed": wrapped.secret, "key_id": wrapped.key_id, "last_step": step}
    db.session.add(CodeApp(user_id=user.id, created_at=clock.now(), **facts))
    return _set_up(user, had, "code app set up")


def add_passkey(user: User, answer: str, challenge: bytes, name: str) -> list[str]:
    """Keep the public half of a new passkey; gives new recovery codes."""
    had = ways_of(user.id)
    if had.passkeys >= MOST_PASSKEYS:
        raise Refused(_("You have ten passkeys already; remove one first."))
    try:
        made = webauthn.made(answer, challenge=challenge, site=site())
    except webauthn.WrongProofError as error:
        raise Refused(_("This passkey could not be set up. Please try again."), 422) from error
    _use_up(challenge)
    db.session.add(
        Passkey(
            code=secrets.token_urlsafe(12),
            user_id=user.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            uses=made.uses,
            name=name.strip()[:60] or _("Passkey"),
            created_at=clock.now(),
        )
    )
    return _set_up(user, had, "passkey set up")


def _set_up(user: User, had: Ways, action: str) -> list[str]:
    """New recovery codes take the place of the old ones; of them too only hashes are kept.

    Who had nothing before is signed out everywhere: those sessions began with a password alone.
    """
    if not had.are_there:
        sign_out_everywhere(user.id)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    fresh = [_written(secrets.token_bytes(10)) for _n in range(RECOVERY_CODES)]
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(one)) for one in fresh)
    db.session.flush()
    audit.note(action, f"user:{user.id}", by=as_actor(user), before={"email": audit.masked(user.email)})
    return fresh


def _written(chance: bytes) -> str:
    text = base64.b32encode(chance).decode()
    return "-".join(text[n : n + 4] for n in range(0, 16, 4))


def passkeys_of(user_id: int) -> list[Row[Any]]:
    """This person's passkeys, the oldest first."""
    return list(rows(_KEYS, user=user_id))


def remove_passkey(person: Person, code: str) -> None:
    """Forget a passkey; not the last proof of somebody who has to give one."""
    _keep_one(person)
    gone = connection().execute(delete(keys).where(keys.c.user_id == person.id, keys.c.code == code))
    if gone.rowcount != 1:
        raise NotFound(_("This passkey is not here any more."))
    audit.note("passkey removed", f"user:{person.id}", by=person)


def remove_app(person: Person) -> None:
    """Forget the app that makes codes; not the last proof of somebody who has to give one."""
    _keep_one(person)
    if connection().execute(delete(apps).where(apps.c.user_id == person.id)).rowcount != 1:
        raise NotFound(_("This app is not here any more."))
    audit.note("code app removed", f"user:{person.id}", by=person)


def _keep_one(person: Person) -> None:
    ways = ways_of(person.id)
    if person.is_staff and ways.passkeys + ways.apps < 2:
        raise Refused(_("Set up another proof first: without one you could not sign in any more."))


def forget_all(user: User, *, reason: str) -> None:
    """Somebody has lost phone and paper, and the operator is sure who they are: they set up anew."""
    leave(user.id)
    sign_out_everywhere(user.id)
    audit.note("proofs forgotten", f"user:{user.id}", by=None, reason=reason)


def leave(user_id: int) -> None:
    """Who is gone leaves no proof behind, nor a link to set one up."""
    for table in (Passkey, CodeApp, RecoveryCode, Invitation):
        db.session.execute(delete(table).where(table.user_id == user_id))


# The proof


def check_code(user: User, given: str) -> None:
    """A code from the app, or one from paper; each works once, and there are only so many tries."""
    user_id, name = user.id, user.name
    let_go()
    _count_try(user_id, name)
    bare = _bare(given)
    is_right = _is_of_app(user_id, bare) if len(bare) == otp.DIGITS else _is_of_paper(user_id, bare)
    if not is_right:
        raise Refused(_("This code is wrong, or it was used already. Wait for the next one."), 422)


def _count_try(user_id: int, name: str) -> None:
    for rule in TRIES:
        try:
            limits.spend(rule, "second proof", str(user_id))
        except TooManyRequests:
            if rule == TRIES[-1]:
                alerts.tell_once("locked-out", f"{user_id} {clock.now():%Y-%m-%d}", person=name)
                db.session.commit()  # what is refused is rolled back, and this has to be told
            raise


def _is_of_app(user_id: int, given: str) -> bool:
    found = first(_APP, user=user_id)
    if found is None:
        return False
    seed = vault.unwrap(found.wrapped_seed)
    is_demos = hmac.compare_digest(seed, DEMO_SEED)
    step = otp.step_of(seed, given, clock.now())
    if step is None or (is_demos and current_app.config["APP_ENV"] == "production"):
        return False
    unused = update(apps).where(apps.c.user_id == user_id, apps.c.last_step < step)
    return connection().execute(unused.values(last_step=step)).rowcount == 1


def _is_of_paper(user_id: int, given: str) -> bool:
    unused = update(codes).where(
        codes.c.user_id == user_id, codes.c.code_hash == _hash(given), codes.c.used_at.is_(None)
    )
    return connection().execute(unused.values(used_at=clock.now())).rowcount == 1


def check_passkey(user: User, answer: str, challenge: bytes) -> None:
    """A passkey of this person has signed what we asked for, once."""
    user_id, name = user.id, user.name
    let_go()
    _count_try(user_id, name)
    try:
        key = first(_KEY, user=user_id, credential=webauthn.name_in(answer))
        if key is None:
            raise webauthn.WrongProofError("not a key of theirs")
        facts: dict[str, Any] = {"public_key": key.public_key, "uses": key.uses}
        uses = webauthn.used(answer, challenge=challenge, site=site(), **facts)
    except webauthn.WrongProofError as error:
        raise Refused(_("This passkey does not fit. Try again, or use a code."), 422) from error
    _use_up(challenge)
    connection().execute(update(keys).where(keys.c.id == key.id).values(uses=uses, used_at=clock.now()))


def _use_up(challenge: bytes) -> None:
    if not limits.may_spend("1 per 20 minutes", "challenge", challenge.hex()[:32]):
        raise Refused(_("This passkey does not fit. Try again, or use a code."), 422)


def demo_code(user_id: int) -> str:
    """The code of this moment, for who has the demo's seed: there is no phone to look at. Never in production."""
    found = first(_APP, user=user_id) if current_app.config["APP_ENV"] != "production" else None
    if found is None or vault.unwrap(found.wrapped_seed) != DEMO_SEED:
        return ""
    return otp.code(DEMO_SEED, max(otp.step_at(clock.now()), found.last_step + 1))


def give_demo_app(user_id: int) -> None:
    """Set the demo's app up for one of the demo's staff."""
    wrapped = vault.wrap(DEMO_SEED)
    facts = {"wrapped_seed": wrapped.secret, "key_id": wrapped.key_id}
    db.session.add(CodeApp(user_id=user_id, created_at=clock.now(), **facts))
    db.session.flush()


# What the browser is asked


def site() -> webauthn.Site:
    """For whom a passkey is meant: this shop, under the name that it has."""
    address = urlsplit(current_app.config["BASE_URL"])
    return webauthn.Site(f"{address.scheme}://{address.netloc}", address.hostname or "localhost")


def asked_for_new(user: User, salt: str) -> str:
    """What a browser needs to make a passkey, as JSON."""
    who: dict[str, Any] = {"handle": _derived(f"handle {user.id}"), "email": user.email, "name": user.name}
    challenge = challenge_for(user.id, salt)
    return webauthn.asked_for_new(site(), challenge=challenge, not_these=_named(user.id), **who)


def asked_for_use(user_id: int, salt: str) -> str:
    """What a browser needs to use a passkey, as JSON."""
    return webauthn.asked_for_use(site(), challenge=challenge_for(user_id, salt), one_of=_named(user_id))


def _named(user_id: int) -> list[bytes]:
    return [key.credential_id for key in passkeys_of(user_id)]


def _bare(given: str) -> str:
    return given.replace(" ", "").replace("-", "").upper()[:40]


def _hash(code: str) -> bytes:
    return sha256(_bare(code).encode()).digest()
