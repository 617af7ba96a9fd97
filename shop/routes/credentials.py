"""The door: sign in and out, sign up, and a forgotten password."""

from __future__ import annotations

import secrets
from typing import Any, TypeVar

from flask import Blueprint, current_app, request, session, url_for
from flask_login import current_user, login_user, logout_user
from wtforms import EmailField, HiddenField, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Regexp

from shop import accounts, cart, clock, credentials, i18n, limits, mailbox, passwords, proofs
from shop.access import home_address
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, Form, at_most, leave, page, secret
from shop.i18n import _, _l
from shop.notifications import wait_in_a_folder

bp = Blueprint("credentials", __name__)

YEAR = 365 * 24 * 60 * 60
LONGEST = 500  # characters of an address that one was going to
IS_AN_ADDRESS = Regexp(mailbox.ADDRESS, message=_l("This does not look like an e-mail address."))
EMAIL = (InputRequired(_l("Fill in your e-mail address.")), at_most(254), IS_AN_ADDRESS)
WHY = {
    "like": _l("To like a clip you sign in first. After that, press the heart once more."),
    "ask": _l("To ask a seller something you sign in first. What you wrote is kept, and you send it after that."),
}
PASSWORD = (InputRequired(_l("Fill in your password.")), at_most(128))


def _ours(address: str | None) -> str:
    """Where one was going, if that is a page of ours, and no longer than our own pages are."""
    return home_address(address, "") if address and len(address) <= LONGEST else ""


class DoorForm(Form):
    """Where one was going: it goes along from page to page, and into the mail, until one is in."""

    next = HiddenField(filters=(_ours,))

    def to(self, page: str, **more: Any) -> str:
        """The address of another page at the door, from which one goes on to the same place."""
        return url_for(f"credentials.{page}", **more, next=self.next.data or None)


Door = TypeVar("Door", bound=DoorForm)


class SignInForm(DoorForm):
    """Who one is, and the proof; also the proof that one reads this mail."""

    email = EmailField(_l("E-mail address"), validators=[InputRequired(_l("Fill in your e-mail address."))])
    password = PasswordField(_l("Password"), validators=PASSWORD)
    confirm = HiddenField()


class SignUpForm(DoorForm):
    """A new account."""

    name = StringField(_l("Your name"), validators=[DataRequired(_l("What may we call you?")), at_most(80)])
    email = EmailField(_l("E-mail address"), validators=EMAIL)
    password = PasswordField(_l("Password"), validators=PASSWORD)

    def validate_password(self, field: PasswordField) -> None:
        """So that everything that is wrong is said at once."""
        try:
            passwords.check(field.data, self.name.data or "", self.email.data or "")
        except Refused as no:
            raise ValidationError(no.words) from no


class ForgottenForm(DoorForm):
    """Where the link should go."""

    email = EmailField(_l("E-mail address"), validators=EMAIL)


class NewPasswordForm(DoorForm):
    """What it shall be from now on."""

    password = PasswordField(_l("New password"), validators=PASSWORD)


def _going(kind: type[Door]) -> Door:
    """An empty form that knows where one was going."""
    return kind(None, next=request.args.get("next"))


@bp.get("/sign-in")
def sign_in() -> Answer:
    """The door; `next` is where one was going."""
    form = SignInForm(request.args)
    form.password.data = None
    is_changed, is_closed = ("changed" in request.args, "closed" in request.args)
    why = WHY.get(request.args.get("why", ""))
    facts: dict[str, Any] = {"is_changed": is_changed, "is_closed": is_closed, "why": why}
    is_ended = "_user_id" in session and not current_user.is_authenticated
    return page("credentials/sign_in.html", "form", form=form, is_ended=is_ended, **facts)


@bp.post("/sign-in")
def sign_in_now() -> Answer:
    """Open it: a new session, so that a cookie from before is worth nothing."""
    form = SignInForm()
    if not form.validate():
        return page("credentials/sign_in.html", "form", status=422, form=form)
    limits.spend(credentials.TRIES, "sign-in address", limits.who_asks())
    device = request.cookies.get(_cookie("device")) or secrets.token_urlsafe(32)
    try:
        person = _opened(form, device)
    except Refused as no:
        form.password.errors = [no.words]
        return page("credentials/sign_in.html", "form", status=no.status, form=form)
    home = form.next.data or url_for("accounts.show")
    if isinstance(person, credentials.Half):
        home = url_for("proofs.show", next=home)
    return _remember(leave(home), device, person)


def _opened(form: SignInForm, device: str) -> accounts.Person | credentials.Half:
    person = credentials.sign_in(
        form.email.data,
        form.password.data,
        device=device,
        browser=request.user_agent.string,
        confirmation=form.confirm.data or "",
        language=i18n.language(),
    )
    if isinstance(person, credentials.Half):
        db.session.commit()
        wait_half_way(person)
    else:
        come_in(person)
    return person


def come_in(person: accounts.Person) -> None:
    """Commit the new session, with the cart of this browser, and let its owner in."""
    home = cart.merge(session.get("cart", ""), person.id)
    db.session.commit()
    begin_anew(person, home)


def wait_half_way(half: credentials.Half) -> None:
    """Remember in the signed cookie, for ten minutes, that this browser knew the password; it opens nothing."""
    kept = {name: session[name] for name in ("cart", "invited") if session.get(name)}
    session.clear()
    until = clock.now().timestamp() + proofs.HALF_WAY
    session["half"] = [half.user_id, half.mark, secrets.token_urlsafe(12), until]
    session.update(kept)


def begin_anew(person: accounts.Person, home: str) -> None:
    """Nothing but the cart crosses the door: a session planted by somebody else stays outside."""
    session.clear()
    login_user(person)
    if home:
        session["cart"] = home


def _remember(answer: Answer, device: str, person: accounts.Person | credentials.Half) -> Answer:
    """Know this browser again, and speak the person's language where nobody chose another here."""
    keep = {"max_age": YEAR, "secure": current_app.config["SESSION_COOKIE_SECURE"], "httponly": True, "samesite": "Lax"}
    answer.set_cookie(_cookie("device"), device, **keep)
    if person.language and i18n.COOKIE not in request.cookies:
        answer.set_cookie(i18n.COOKIE, person.language, **keep)
    return answer


def _cookie(name: str) -> str:
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


@bp.post("/sign-out")
def sign_out() -> Answer:
    """Close the door behind one."""
    accounts.sign_out(current_user)
    db.session.commit()
    logout_user()
    session.clear()
    return leave(url_for("shop.index"))


@bp.get("/sign-up")
def sign_up() -> Answer:
    """A new account."""
    return page("credentials/sign_up.html", "form", form=_going(SignUpForm))


@bp.post("/sign-up")
def sign_up_now() -> Answer:
    """Make it; what happens next is said in a mail."""
    form = SignUpForm()
    if not form.validate():
        return page("credentials/sign_up.html", "form", status=422, form=form)
    limits.spend("20 per hour", "sign-up address", limits.who_asks())
    said = {"language": i18n.language(), "going": form.next.data}
    credentials.sign_up(form.email.data, form.name.data, form.password.data, **said)
    db.session.commit()
    return leave(form.to("mailed"))


@bp.get("/mailed")
def mailed() -> Answer:
    """Look in your mail."""
    facts: dict[str, Any] = {"wait_in_a_folder": wait_in_a_folder(), "form": _going(DoorForm)}
    return page("credentials/mailed.html", "mailed", **facts)


@bp.get("/reset")
def forgotten() -> Answer:
    """A forgotten password."""
    return page("credentials/forgotten.html", "form", form=_going(ForgottenForm))


@bp.post("/reset")
def ask_for_reset() -> Answer:
    """Mail a link, if there is somebody to mail it to."""
    form = ForgottenForm()
    if not form.validate():
        return page("credentials/forgotten.html", "form", status=422, form=form)
    limits.spend("20 per hour", "reset address", limits.who_asks())
    credentials.ask_for_reset(form.email.data, going=form.next.data)
    db.session.commit()
    return leave(form.to("mailed"))


@bp.get("/reset/<token>")
def choose(token: str) -> Answer:
    """Choose a new password. To look does not use the link up: mail programs look, too."""
    if not credentials.is_reset_open(token):
        raise Refused(_("This link has been used, or it is older than an hour. Ask for a new one."), 410)
    return secret(page("credentials/choose.html", "form", form=_going(NewPasswordForm), token=token))


@bp.post("/reset/<token>")
def reset(token: str) -> Answer:
    """It is chosen: all devices are signed out, and one signs in with it."""
    form = NewPasswordForm()
    if not form.validate():
        return secret(page("credentials/choose.html", "form", status=422, form=form, token=token))
    try:
        credentials.reset(token, form.password.data)
    except Refused as no:
        form.password.errors = [no.words]
        return secret(page("credentials/choose.html", "form", status=no.status, form=form, token=token))
    db.session.commit()
    return leave(form.to("sign_in", changed=1))
