"""A shop with somebody of each kind, and for every kind of thing one of each owner: to try whose things one can reach.

`build` makes it once, and commits. A thing is known by the arguments that its addresses have.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from flask import Flask

from shop import (
    accounts,
    answers,
    appeals,
    clock,
    contact_mail,
    gateways,
    payees,
    proofs,
    questions,
    reasons,
    sanctions,
    sellers,
    statements,
    uploads,
)
from shop.database import db, let_go
from shop.gateways import storage_disk
from shop.gateways.bank_port import Verdict as Answer
from shop.gateways.payment_port import AccountRequest, Request
from shop.models import (
    BankState,
    CatalogueImport,
    Difference,
    ImportState,
    Invitation,
    ListingCase,
    LookUpResult,
    Order,
    Paper,
    PaperKind,
    Passkey,
    PasswordReset,
    PaymentAttempt,
    Profile,
    Proposal,
    Refund,
    RefundState,
    Role,
    RoleGrant,
    SavedMethod,
    SecondLook,
    Upload,
    User,
    Variant,
    Verdict,
    Vetting,
)
from shop.money import Money
from shop.payees import Checked
from shop.words import Words
from tests.bookkeeping import bought
from tests.cast import a_clip, a_product, a_profile, a_seller, a_variant

# The eight who knock at every door.
ACTORS: dict[str, tuple[Role, ...]] = {
    "anonymous": (),
    "noor": (),
    "lotte": (),
    "kai": (Role.CREATOR,),
    "mina": (Role.SELLER,),
    "lars": (Role.SELLER,),
    "rex": (Role.MODERATOR,),
    "ada": (Role.ADMIN,),
}
Arguments = dict[str, Any]
# One thing for whoever may see it at all, which is nobody's in particular.
SHARED = "everybody"


class World(NamedTuple):
    """Who is there, with the cookie of each, and what there is: `things["clip"]["kai"]` is what its address needs."""

    cookies: dict[str, str]
    things: dict[str, dict[str, Arguments]]


def build(app: Flask) -> World:
    """Make it, in an empty shop."""
    with app.test_request_context(method="POST"):
        people = {name: _person(name, roles) for name, roles in ACTORS.items() if name != "anonymous"}
        db.session.commit()
        things = {**_goods(people), **_of_shoppers(people), **_of_applicants(people)}
        db.session.commit()
        things |= {**_money(people), **_asked(people), **_judged(people), **_links(people), **_devices(people)}
        tokens = {name: accounts.open_session(user, is_proven=True).get_id() for name, user in people.items()}
        db.session.commit()
    return World({name: _cookie(app, token) for name, token in tokens.items()} | {"anonymous": ""}, things)


def _person(name: str, roles: tuple[Role, ...]) -> User:
    now = clock.now()
    user = User(email=f"{name}@example.com", name=name.title(), password_hash="none", created_at=now, confirmed_at=now)
    user.roles = [RoleGrant(role=role, granted_at=now) for role in roles]
    db.session.add(user)
    db.session.flush()
    return user


def _cookie(app: Flask, token: str) -> str:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = token
    kept = client.get_cookie("session") or client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    return f"{kept.key}={kept.value}"


def _goods(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Mina's mug and Lars's lamp, a clip of each who films; a film and a file with products that are on their way."""
    found: dict[str, dict[str, Arguments]] = {name: {} for name in ("product", "clip", "window", "upload", "import")}
    for name, code in (("mina", "mug"), ("lars", "lamp")):
        profile = a_profile(name, name.title(), user_id=people[name].id)
        seller = a_seller(name, name.title(), profile=profile)
        product = a_product(seller, code, code.title(), [a_variant(f"{code}-s", "Small", 2450, stock=9)])
        db.session.add(product)
        db.session.flush()
        found["product"][name] = {"code": code, "variant": f"{code}-s", "section": "what", "number": 0}
        found["window"][name] = {"handle": name}
        sent = {
            "seller_id": seller.id,
            "user_id": people[name].id,
            "language": "en",
            "name": "mine.csv",
            "content": b"",
        }
        db.session.add(CatalogueImport(code=f"{name}-import", state=ImportState.READY, at=clock.now(), **sent))
        found["import"][name] = {"code": f"{name}-import"}
        clip = a_clip(profile, f"{name}-clip", product)
        db.session.add(clip)
        found["clip"][name] = {"code": clip.code, "tag": clip.tags[0].code, "language": "nl"}
    db.session.add(ListingCase(code="case", product_id=product.id, opened_at=clock.now()))
    found["case"] = {SHARED: {"code": "case"}}
    kai = a_profile("kai", "Kai", user_id=people["kai"].id)
    db.session.add(clip := a_clip(kai, "kai-clip", product))
    found["clip"]["kai"] = {"code": clip.code, "tag": clip.tags[0].code, "language": "nl"}
    for name in ("kai", "mina"):
        code, now = secrets.token_hex(16), clock.now()
        uploads.path_of(code).parent.mkdir(exist_ok=True)
        uploads.path_of(code).touch()
        db.session.add(Upload(code=code, user_id=people[name].id, size=100, created_at=now, seen_at=now))
        found["upload"][name] = {"code": code}
    return found


def _of_shoppers(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """What both shoppers keep with us: a card and a passkey; and an app for codes."""
    found: dict[str, dict[str, Arguments]] = {"card": {}, "passkey": {}}
    for name in ("noor", "lotte"):
        user, now = people[name].id, clock.now()
        card = {"gateway": "sandbox", "gateway_id": f"card-{name}", "name": "Visa 4242"}
        db.session.add(SavedMethod(code=f"card-{name}", user_id=user, created_at=now, **card))
        key = {"credential_id": name.encode() * 8, "public_key": b"key", "name": "Phone"}
        db.session.add(Passkey(code=f"key-{name}", user_id=user, created_at=now, **key))
        proofs.give_demo_app(user)
        found["card"][name], found["passkey"][name] = {"code": f"card-{name}"}, {"code": f"key-{name}"}
    return found


def _of_applicants(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Both shoppers would like to sell and wait for a decision; Kai has begun. Each has sent a paper."""
    found: dict[str, dict[str, Arguments]] = {"paper": {}, "applicant": {}, "step": {"kai": {"item": "goods"}}}
    films = db.session.scalars(db.select(Profile).where(Profile.handle == "kai")).one()
    for name in ("noor", "lotte", "kai"):
        profile = films if name == "kai" else a_profile(name, name.title(), user_id=people[name].id)
        vetting = Vetting.DRAFT if name == "kai" else Vetting.WAITING
        seller = a_seller(name, name.title(), profile=profile, vetting=vetting, decided_at=None)
        db.session.add(seller)
        db.session.flush()
        sealed = {"wrapped_key": b"key", "key_id": "none", "file_mark": name.encode(), "picture_mark": name.encode()}
        facts = {"kind": PaperKind.EXTRACT, "came_as": "jpeg", "pages": 1, "size": 10, "sent_at": clock.now()}
        facts["keep_until"] = clock.now() + timedelta(days=90)
        db.session.add(Paper(code=f"paper-{name}", seller_id=seller.id, **facts, **sealed))
        found["paper"][name] = {"code": f"paper-{name}", "number": 1}
        found["applicant"][name] = {"handle": name, "item": "returns"}
    del found["applicant"]["kai"]  # a draft is nobody's but its owner's
    return {**found, "contact link": {SHARED: {"token": contact_mail.link_for(seller)}}}


def _money(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Noor bought Mina's mug, Lotte Lars's lamp, and somebody without an account the mug, too."""
    variants = dict(db.session.execute(db.select(Variant.code, Variant.id)).all())
    found: dict[str, dict[str, Arguments]] = {name: {} for name in ("purchase", "order", "sale")}
    for buyer, variant, seller in (
        ("noor", "mug-s", "mina"),
        ("lotte", "lamp-s", "lars"),
        ("anonymous", "mug-s", "mina"),
    ):
        user = people[buyer].id if buyer in people else None
        _purchase, order = bought({variants[variant]: 1}, user_id=user)
        row = db.session.get_one(Order, order)
        found["purchase"][buyer] = {"code": row.purchase.code}
        found["order"][buyer] = {"code": row.code}
        found["sale"][seller] = {"number": row.code[:8], "code": row.code}
    attempt = db.session.scalars(db.select(PaymentAttempt).order_by(PaymentAttempt.id)).first()
    facts = {"payment_id": attempt.payment_id, "attempt_id": attempt.id, "idempotency_key": "refund"}
    failed = {"state": RefundState.FAILED, "amount": Money(100, "EUR"), "created_at": clock.now(), "reason": "goodwill"}
    db.session.add(Refund(code="refund", **facts, **failed))
    odd = {"scope": "books", "kind": "payment", "subject": "pi_1", "ours": "1", "theirs": "2", "evidence": {}}
    db.session.add(Difference(code="difference", first_seen=clock.now(), last_seen=clock.now(), **odd))
    return {**found, "refund": {SHARED: {"code": "refund"}}, "difference": {SHARED: {"code": "difference"}}}


def _asked(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Noor asked about Mina's mug and Lotte about Lars's lamp, and both were answered; who bought asked about that."""
    found: dict[str, dict[str, Arguments]] = {"question": {}, "asked": {}}
    for asker, product, seller in (("noor", "mug", "mina"), ("lotte", "lamp", "lars")):
        about = questions.about(product)
        code = questions.ask(accounts.as_actor(people[asker]), about, f"Is this {product} made of clay?")
        answers.answer(answers.own(code, about.seller_id), "It is.")
        found["question"][asker] = found["asked"][seller] = {"code": code}
    for order in db.session.scalars(db.select(Order)):
        questions.ask_about(order, "When will you send it?")
    return found


def _judged(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Mina wants to be paid elsewhere and appeals against a statement; Lars has one, too, and rex would ban him."""
    found: dict[str, dict[str, Arguments]] = {name: {} for name in ("statement", "appeal", "proposal")}
    rex, no = accounts.as_actor(people["rex"]), Verdict.PAYOUTS_STOPPED
    for name in ("mina", "lars"):
        seller, person = sellers.called(name), accounts.as_actor(people[name])
        account = Checked("NL91ABNA0417164300", name.title(), "sandbox", Answer(LookUpResult.MATCH))
        payees.keep(seller.id, BankState.CURRENT, account, by=person)
        statement = statements.write(seller, no, by=rex, reason=reasons.PAYOUTS["fraud_suspected"], is_told=False)
        found["statement"][name] = {"code": statement.code}
    other = Checked("NL02ABNA0123456789", "Mina", "sandbox", Answer(LookUpResult.MATCH))
    mina, lars = sellers.called("mina"), sellers.called("lars")
    payees.keep(mina.id, BankState.WAITING, other, by=accounts.as_actor(people["mina"]))
    code = statements.write(mina, no, by=rex, reason=reasons.PAYOUTS["fraud_suspected"], is_told=False).code
    appeals.lodge(code, by=accounts.as_actor(people["mina"]), words="There is nothing to inquire.")
    words = Words(en="Copies, and again copies.")
    sanctions.propose_ban(lars, by=rex, reason=next(iter(reasons.BANS)), words=words)
    proposal = db.session.scalars(db.select(Proposal.code)).one()
    db.session.commit()
    approved = statements.write(sellers.called("noor"), Verdict.APPROVED, by=rex, is_told=False)
    db.session.add(SecondLook(code="look", statement_id=approved.id, drawn_at=clock.now()))
    db.session.commit()
    found["second look"], found["shelf"] = {SHARED: {"code": "look"}}, {SHARED: {"which": "sold-out"}}
    return {**found, "appeal": {SHARED: {"code": code}}, "proposal": {SHARED: {"code": proposal}}}


def _links(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """What opens by its name alone: links that were mailed, a file, the sandbox's pages."""
    now = clock.now()
    until = now + timedelta(hours=1)
    for table, whose in ((PasswordReset, "noor"), (Invitation, "rex")):
        opens = sha256(f"{table.__tablename__}-token".encode()).digest()
        db.session.add(table(token_hash=opens, user_id=people[whose].id, created_at=now, expires_at=until))
    name = storage_disk.store(b"a picture", ".webp")
    db.session.commit()
    let_go()
    sandbox = gateways.payment()
    sandbox.create_payment(Request("world", 2845, "EUR", "ideal", "world", "/", is_hosted=True))
    account = sandbox.open_account(AccountRequest("world:account", "mina", "Mina", "mina@example.com", "NL", False))
    sandbox.onboarding_link(account.id, again_path="/", return_path="/")
    pages = db.session.execute(db.text("SELECT kind, name FROM sandbox_objects WHERE kind IN ('page', 'link')"))
    named = {kind: {SHARED: {"code": code}} for kind, code in pages}
    return {
        "bank page": named["page"],
        "desk link": named["link"],
        "reset link": {SHARED: {"token": "password_resets-token"}},
        "invitation": {SHARED: {"token": "invitations-token"}},
        "file": {SHARED: {"name": name}},
        "gateway": {SHARED: {"gateway": "sandbox"}},
    }


def _devices(people: dict[str, User]) -> dict[str, dict[str, Arguments]]:
    """Everybody is signed in elsewhere, too."""
    found: dict[str, Arguments] = {}
    for name, user in people.items():
        token = accounts.open_session(user, is_proven=True).token
        found[name] = {"code": sha256(token.encode()).digest().hex()[:16]}
    return {"device": found}
