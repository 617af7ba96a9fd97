"""Second proofs: giving one at the door or once more, and setting one up."""

from __future__ import annotations

from typing import Any, NamedTuple

import segno
from flask import Blueprint, make_response, render_template, request, session, url_for
from flask_login import current_user
from wtforms import PasswordField

from shop import accounts, clock, credentials, invitations, otp, proofs
from shop.access import home_address, is_fresh
from shop.accounts import Person
from shop.database import db, let_go
from shop.errors import Refused
from shop.hypermedia import Answer, Form, leave, page, secret
from shop.i18n import _, _l
from shop.models import User
from shop.routes.credentials import PASSWORD, come_in

bp = Blueprint("proofs", __name__, url_prefix="/sign-in")


class AgainForm(Form):
    """The password, of who is signed in."""

    password = PasswordField(_l("Your password"), validators=PASSWORD, id="again")


class Asked(NamedTuple):
    """Of whom a proof is asked: half-way in, or signed in already (`person`). `salt` is of this sign-in alone."""

    user: User
    salt: str
    person: Person | None


def _asked() -> Asked | None:
    if current_user.is_authenticated:
        person: Person = current_user._get_current_object()
        return Asked(accounts.own(person), accounts.salt_of(person), person)
    user_id, mark, salt, until = session.get("half") or (0, "", "", 0.0)
    user = credentials.half_way(user_id, mark) if clock.now().timestamp() < until else None
    return Asked(user, salt, None) if user is not None else None


def _next() -> str:
    return home_address(request.values.get("next", ""), url_for("accounts.show"))


def _to_the_door() -> Answer:
    return leave(url_for("credentials.sign_in", next=_next()))


# Giving one


@bp.get("/proof")
def show() -> Answer:
    """Ask for the second proof; who has none is led to setting one up, or when signed in gives the password again."""
    asked = _asked()
    if asked is None:
        return _to_the_door()
    if proofs.ways_of(asked.user.id).are_there:
        return _question(asked)
    if asked.person is None:
        return leave(url_for(".set_up", next=_next()))
    return _password_page(AgainForm(None))


def _password_page(form: AgainForm, status: int = 200) -> Answer:
    return secret(page("proofs/password.html", "proof", status=status, next=_next(), form=form))


def _question(asked: Asked, status: int = 200, error: str = "") -> Answer:
    ways, options = proofs.ways_of(asked.user.id), proofs.asked_for_use(asked.user.id, asked.salt)
    facts: dict[str, Any] = {
        "ways": ways,
        "options": options,
        "demo_code": proofs.demo_code(asked.user.id),
        "error": error,
    }
    return secret(page("proofs/show.html", "proof", status=status, next=_next(), **facts))


@bp.post("/proof")
def check() -> Answer:
    """Look at a code, and open the door."""
    asked = _asked()
    if asked is None:
        return _to_the_door()
    try:
        proofs.check_code(asked.user, request.form.get("code", ""))
    except Refused as no:
        let_go()
        return _question(asked, no.status, no.words)
    return _open(asked)


@bp.post("/proof/password")
def check_password() -> Answer:
    """The password once more, of who has nothing else: this browser gets a new session, and goes on."""
    form = AgainForm()
    if not form.validate():
        return _password_page(form, 422)
    try:
        credentials.prove(current_user, form.password.data)
    except credentials.WrongPassword as no:
        form.password.errors = [no.words]
        return _password_page(form, no.status)
    come_in(proofs.let_in(current_user.id, request.user_agent.string, instead=current_user, is_proven=False))
    return leave(_next())


@bp.post("/proof/passkey")
def check_passkey() -> Answer:
    """Look at what a passkey has signed, and open the door."""
    asked = _asked()
    if asked is None:
        return _to_the_door()
    challenge = proofs.challenge_for(asked.user.id, asked.salt)
    try:
        proofs.check_passkey(asked.user, request.form.get("answer", ""), challenge)
    except Refused as no:
        let_go()
        return _question(asked, no.status, no.words)
    return _open(asked)


def _open(asked: Asked) -> Answer:
    come_in(proofs.let_in(asked.user.id, request.user_agent.string, instead=asked.person))
    return leave(_next())


# Setting one up


@bp.get("/invitation/<token>")
def invited(token: str) -> Answer:
    """The link of somebody new among the staff: this browser keeps it in its cookie, and goes on to the password."""
    if not invitations.is_open(token):
        raise Refused(invitations.no_longer(), 410)
    session["invited"] = token
    return secret(leave(url_for("credentials.sign_in", next=url_for(".set_up"))))


@bp.get("/set-up")
def set_up() -> Answer:
    """An app or a passkey; the first one of staff with an invitation, another one only after a fresh proof."""
    asked = _asked()
    if asked is None:
        return _to_the_door()
    if _may_set_up(asked):
        return _offer(asked)
    if asked.person is None and not proofs.ways_of(asked.user.id).are_there:
        raise Refused(_("You set up your first proof with a link. Ask who runs this shop for it."), 403)
    return leave(url_for(".show", next=url_for(".set_up")))


def _may_set_up(asked: Asked) -> bool:
    """Who is in and vouched for themselves just now; and who typed the password, has nothing, and was invited."""
    if asked.person is not None:
        return is_fresh(asked.person.vouched_at)
    return not proofs.ways_of(asked.user.id).are_there and invitations.is_open(_invitation(), asked.user.id)


def _invitation() -> str:
    return str(session.get("invited", ""))


def _offer(asked: Asked, status: int = 200, error: str = "", passkey_error: str = "") -> Answer:
    seed = proofs.seed_for(asked.user.id, asked.salt)
    drawn = segno.make(otp.address(seed, "Etalage", asked.user.email)).svg_data_uri(scale=5, border=3)
    facts: dict[str, Any] = {"seed": otp.written(seed), "drawn": drawn, "error": error, "passkey_error": passkey_error}
    facts |= {"options": proofs.asked_for_new(asked.user, asked.salt), "ways": proofs.ways_of(asked.user.id)}
    keys = proofs.passkeys_of(asked.user.id)
    is_in = asked.person is not None
    return secret(page("proofs/set_up.html", "set_up", status=status, next=_next(), keys=keys, is_in=is_in, **facts))


@bp.post("/set-up")
def add_app() -> Answer:
    """An app that has shown its first code."""
    asked = _asked()
    if asked is None or not _may_set_up(asked):
        return _to_the_door()
    seed = proofs.seed_for(asked.user.id, asked.salt)
    try:
        fresh = proofs.add_app(asked.user, seed, request.form.get("code", ""))
    except Refused as no:
        let_go()
        return _offer(asked, no.status, error=no.words)
    return _done(asked, fresh)


@bp.post("/set-up/passkey")
def add_passkey() -> Answer:
    """A passkey that was made just now."""
    asked = _asked()
    if asked is None or not _may_set_up(asked):
        return _to_the_door()
    challenge, given = proofs.challenge_for(asked.user.id, asked.salt), request.form
    try:
        fresh = proofs.add_passkey(asked.user, given.get("answer", ""), challenge, given.get("name", ""))
    except Refused as no:
        let_go()
        return _offer(asked, no.status, passkey_error=no.words)
    return _done(asked, fresh)


def _done(asked: Asked, fresh: list[str]) -> Answer:
    """In, with a new session; and the recovery codes, this once."""
    if asked.person is None:
        invitations.use(_invitation(), asked.user.id)
    come_in(proofs.let_in(asked.user.id, request.user_agent.string, instead=asked.person))
    return secret(make_response(render_template("proofs/codes.html", codes=fresh, next=_next())))


@bp.post("/passkeys/<code>/removal")
def remove(code: str) -> Answer:
    """Forget a passkey."""
    proofs.remove_passkey(current_user, code)
    db.session.commit()
    return leave(url_for(".set_up"))


@bp.post("/app/removal")
def remove_app() -> Answer:
    """Forget the app that makes codes."""
    proofs.remove_app(current_user)
    db.session.commit()
    return leave(url_for(".set_up"))
