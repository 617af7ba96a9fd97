"""Every page of the shop, for whoever has to look at all of them: `python -m tests.pages FOLDER` writes them as files.

The list is made from the route map, so that no page can be left out: a route that wants to know *which* one (product,
clip, order) gets it from `EXAMPLES`, and a route that is in neither place, or has nothing to show, is an error. What is
not a page is named in `NO_PAGES`. The shop is the demo, so the pages have something to show.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule

from shop import demo
from shop.access import ROUTES, Who

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
LANGUAGES = ("en", "nl")
RESET = "the-token-of-a-mailed-link"
INVITED = "the-token-of-an-invitation"

HERS = (
    "SELECT substr(orders.code, 1, 8) FROM orders JOIN sellers ON sellers.id = orders.seller_id"
    " JOIN profiles ON profiles.id = sellers.profile_id JOIN users ON users.id = profiles.user_id"
    " WHERE users.email = 'mina@example.com' ORDER BY orders.id LIMIT 1"
)
MINAS = (
    "SELECT products.code FROM products JOIN sellers ON sellers.id = seller_id"
    " JOIN profiles ON profiles.id = sellers.profile_id JOIN users ON users.id = profiles.user_id"
    " WHERE users.email = 'mina@example.com' ORDER BY products.id LIMIT 1"
)
# What Noor asked Mina, and waits.
ASKED = (
    "SELECT questions.code FROM questions JOIN users ON users.id = user_id"
    " WHERE users.email = 'noor@example.com' AND product_id IS NOT NULL ORDER BY state DESC, questions.id DESC LIMIT 1"
)
GUESTS = (
    "SELECT orders.code FROM orders JOIN purchases ON purchases.id = purchase_id"
    " WHERE user_id IS NULL ORDER BY orders.id LIMIT 1"
)
# Endpoint -> a query for the arguments of one example.
EXAMPLES = {
    "feed.clip": "SELECT code FROM clips WHERE published_at IS NOT NULL ORDER BY published_at DESC LIMIT 1",
    "feed.products": "SELECT code FROM clips WHERE published_at IS NOT NULL ORDER BY published_at DESC LIMIT 1",
    "sell_steps.show": "SELECT 'contact'",
    "moderation.seller": "SELECT handle FROM profiles JOIN sellers ON sellers.profile_id = profiles.id"
    " WHERE vetting = 'waiting' ORDER BY profiles.id LIMIT 1",
    "appeals.show": "SELECT statements.code FROM statements JOIN sellers ON sellers.id = seller_id"
    " JOIN profiles ON profiles.id = profile_id JOIN users ON users.id = user_id"
    " WHERE users.email = 'mina@example.com' ORDER BY statements.id LIMIT 1",
    "appeals.look": "SELECT code FROM statements JOIN appeals ON statement_id = statements.id LIMIT 1",
    "catalogue.show": "SELECT code FROM catalogue_imports ORDER BY id LIMIT 1",
    "listing_desk.case": "SELECT code FROM listing_cases ORDER BY id DESC LIMIT 1",
    "listing_desk.listing": "SELECT code FROM products WHERE status = 'live' ORDER BY id LIMIT 1",
    "papers.show": "SELECT code FROM papers WHERE state = 'sealed' ORDER BY id LIMIT 1",
    "sandbox.bank": "SELECT name FROM sandbox_objects WHERE kind = 'page' LIMIT 1",
    "sandbox.account": "SELECT name FROM sandbox_objects WHERE kind = 'link' LIMIT 1",
    "order_money.show": "SELECT code FROM orders ORDER BY id LIMIT 1",
    "order_money.show_own": HERS,
    "seller.order": HERS,
    "seller.slip": HERS + " OFFSET 3",
    "purchases.show": "SELECT code FROM purchases WHERE user_id IS NULL ORDER BY id LIMIT 1",
    "purchases.order": GUESTS,
    "questions.order": GUESTS,
    "questions.show": ASKED,
    "answers.show": ASKED,
    "questions.ask": "SELECT code FROM products WHERE answers IS NOT NULL LIMIT 1",
    "questions.shown": "SELECT code FROM products WHERE answers IS NOT NULL LIMIT 1",
    "credentials.choose": f"SELECT '{RESET}'",
    "second_looks.show": "SELECT code FROM second_looks WHERE looked_at IS NULL ORDER BY id LIMIT 1",
    "proofs.invited": f"SELECT '{INVITED}'",
    "products.show": "SELECT code FROM products WHERE status = 'live' ORDER BY id LIMIT 1",
    "showcase.show": "SELECT handle FROM profiles JOIN sellers ON sellers.profile_id = profiles.id"
    " WHERE vetting = 'approved' ORDER BY profiles.id LIMIT 1",
    "showcase.clips": "SELECT handle FROM profiles JOIN users ON users.id = user_id WHERE email = 'kai@example.com'",
    "listings.show": MINAS,
    "listings.preview": MINAS,
    "clip_desk.show": "SELECT clips.code FROM clips JOIN profiles ON profiles.id = clips.profile_id"
    " JOIN users ON users.id = profiles.user_id WHERE users.email = 'kai@example.com' ORDER BY clips.id LIMIT 1",
}
IN_STOCK = (
    "SELECT variants.code FROM variants JOIN products ON products.id = product_id "
    "JOIN sellers ON sellers.id = seller_id "
    "WHERE status = 'live' AND vetting = 'approved' AND stock > 9 ORDER BY variants.id LIMIT 1"
)
# Endpoint -> what has to stand behind its question mark, and a query for an example of it.
QUESTIONS = {"checkout.one": ("variant", IN_STOCK)}
# What is served, but is no page.
NO_PAGES = frozenset(
    (
        "static",
        "papers.picture",
        "cart.size",
        "media.show",
        "uploads.state",
        "health.livez",
        "health.readyz",
        "payouts.seller_csv",
        "tax.table",
        "catalogue.export",
        "catalogue.template",
        "catalogue.report",
        "payouts.creator_csv",
    )
)

# Who looks, and with which account.
VISITORS: dict[str, str | None] = {
    "stranger": None,
    "noor": "noor@example.com",
    "kai": "kai@example.com",
    "mina": "mina@example.com",
    "brume": "bonjour@atelierbrume.example",
    "rex": "rex@example.com",
    "ada": "admin@example.com",
}
# Who looks at a page that is for these people; `ONLY` says it where the example is somebody's own.
LOOKS: dict[Who, tuple[str, ...]] = {
    Who.ANYONE: ("stranger", "noor"),
    Who.SIGNED_IN: ("noor", "mina"),
    Who.CREATOR: ("kai",),
    Who.SELLER: ("mina",),
    Who.MODERATOR: ("rex",),
    Who.ADMIN: ("ada",),
}
ONLY: dict[str, tuple[str, ...]] = {"payouts.seller": ("mina",)} | dict.fromkeys(
    ("sell_steps.show", "sell.kind"), ("brume",)
)
ONLY["appeals.show"] = ("mina",)
ONLY["sell.show"] = ("noor", "mina", "brume")
ONLY |= dict.fromkeys(
    ("seller.index", "seller.orders", "seller.order", "seller.slip", "seller.stock", "rechecks.show", "tax.show"),
    ("mina",),
)
ONLY |= {"answers.index": ("mina",), "answers.show": ("mina",), "questions.show": ("noor",)}
ONLY["listings.preview"] = ("mina", "rex")
ONLY["second_looks.show"] = ("ada",)


class Unlisted(Exception):
    """A route with arguments for which there is no example."""


class Page(NamedTuple):
    """One page, as one person sees it."""

    name: str
    address: str
    visitor: str


def listed(app: Flask) -> list[Page]:
    """Each page of the shop, once for everybody who should look at it, and the page of an error."""
    pages = [
        Page(endpoint, address, visitor)
        for endpoint, address in addresses(app)
        for visitor in ONLY.get(endpoint) or LOOKS[ROUTES[endpoint]]
    ]
    return [*pages, Page("errors.404", "/no-such-page", "stranger")]


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """Each page's name and an address where it can be seen."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint in NO_PAGES or "GET" not in (rule.methods or ()):
            continue
        yield rule.endpoint, _address(app, rule)


def _address(app: Flask, rule: Rule) -> str:
    arguments: dict[str, object] = {}
    if rule.arguments - set(rule.defaults or {}):
        query = EXAMPLES.get(rule.endpoint)
        found = first(app, query) if query else None
        if found is None:
            raise Unlisted(f"tests/pages.py has no example for {rule.endpoint} ({rule.rule})")
        arguments = dict(zip(sorted(rule.arguments), found, strict=True))
    if rule.endpoint in QUESTIONS:
        name, query = QUESTIONS[rule.endpoint]
        arguments[name] = (first(app, query) or ("",))[0]
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, arguments)
    return str(built)


def first(app: Flask, query: str) -> tuple[object, ...] | None:
    """The first row that this query finds."""
    from shop.database import db

    with app.app_context():
        row = db.session.execute(text(query)).first()
    return tuple(row) if row else None


def visit(client: FlaskClient, address: str, **headers: str) -> str | None:
    """What a browser gets there in the end, when that is HTML."""
    answer = client.get(address, headers=headers, follow_redirects=True)
    return answer.get_data(as_text=True) if answer.mimetype == "text/html" else None


def browser_of(app: Flask, visitor: str, language: str) -> FlaskClient:
    """A browser in which this person has signed in and put something in the cart, and which asks for this language."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    if email := VISITORS[visitor]:
        _sign_in(app, client, email)
    client.post("/language", data={"language": language})
    _choose(app, client)
    return client


def _choose(app: Flask, client: FlaskClient) -> None:
    """Put one thing in the cart, so that it is not empty."""
    chosen = first(app, IN_STOCK)
    client.post("/cart/lines", data={"variant": chosen[0] if chosen else "", "quantity": "1"})


def _buy(app: Flask, method: str) -> None:
    """Buy it as a guest, so that there is a purchase to look at; or a bank's page, where the method has one."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    _choose(app, client)
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', client.get("/checkout").text)
    address = {"postcode": "3511 AA", "house_number": "1", "street": "Oudegracht", "city": "Utrecht", "country": "NL"}
    guest = {"email": "guest@example.com", "name": "Guest", "method": method, **address}
    assert client.post("/checkout", data={**dict(hidden), **guest}).status_code == 303


def _sign_in(app: Flask, client: FlaskClient, email: str) -> None:
    """By the back door: the front door counts how often somebody knocks."""
    from shop import accounts
    from shop.database import db

    with app.test_request_context(method="POST"):
        person = accounts.open_session(accounts.called(email), is_proven=True)
        db.session.commit()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = person.get_id()


def rendered(app: Flask) -> Iterator[tuple[str, str]]:
    """Each page as each of its visitors sees it, in each language."""
    pages = listed(app)
    for visitor in VISITORS:
        for language in LANGUAGES:
            client = browser_of(app, visitor, language)
            for page in pages:
                if page.visitor == visitor and (html := visit(client, page.address)):
                    yield f"{page.name}-{visitor}-{language}", html


def furnish(app: Flask) -> Flask:
    """Load the demo into an empty shop, with what people leave behind in it."""
    from shop.database import db

    with app.test_request_context(method="POST"):
        demo.load()
        _forget_a_password()
        _let_the_books_differ()
        _keep_a_card()
        _draw_one()
        _let_a_listing_wait()
        _send_products()
        db.session.commit()
        demo.trade()
    for method in ("card", "ideal"):  # the one is paid, the other waits at the bank
        _buy(app, method)
    _wait_at_the_sandbox(app)
    _be_paid_elsewhere(app)
    _leave_a_link(app)
    _keep_the_moderators_busy(app)
    _draw_goods(app)
    return app


def _wait_at_the_sandbox(app: Flask) -> None:
    """A buyer at the bank's page, and a seller at the desk where accounts are completed."""
    from shop import gateways
    from shop.gateways.payment_port import AccountRequest, Request

    with app.test_request_context(method="POST"):
        sandbox = gateways.payment()
        sandbox.create_payment(Request("pages", 2845, "EUR", "card", "pages", "/", is_hosted=True))
        account = sandbox.open_account(AccountRequest("pages:account", "mina", "Mina", "mina@example.com", "NL", False))
        sandbox.onboarding_link(account.id, again_path="/", return_path="/")


def _keep_the_moderators_busy(app: Flask) -> None:
    """Rex has taken Kira's application, a refusal is appealed, and Ada proposes something that takes two."""
    from shop import accounts, sanctions, sellers, verdicts
    from shop.database import db
    from shop.words import Words

    with app.test_request_context(method="POST"):
        rex, ada = (accounts.as_actor(accounts.called(f"{name}@example.com")) for name in ("rex", "admin"))
        verdicts.take(sellers.called("kira.keramiek"), by=rex)
        refused = sellers.called("flitsdeals")
        verdicts.object_to(accounts.as_actor(refused.profile.user), "Our goods are the real ones.")
        words = Words(en="Forty refunds in one night.")
        sanctions.propose_payout_stop(sellers.called("wolkstap"), by=ada, reason="fraud_suspected", words=words)
        db.session.commit()


def _draw_goods(app: Flask) -> None:
    """Goods were drawn by lot, and the bear may be on the list of unsafe products."""
    from shop import safety_checks
    from shop.database import db

    with app.test_request_context(method="POST"):
        safety_checks.check(30)
        db.session.commit()


def _leave_a_link(app: Flask) -> None:
    """Brume gives another address for buyers, and has not confirmed it."""
    from shop import contact_mail
    from shop.database import db
    from shop.demo.people import APPLICANTS
    from shop.models import Profile, Seller

    with app.test_request_context(method="POST"):
        brume = db.session.scalars(db.select(Seller).join(Profile).where(Profile.handle == APPLICANTS[2].handle)).one()
        brume.email, brume.email_confirmed_at = "bonjour@brume.example", None
        db.session.commit()
        token = contact_mail.link_for(brume)
    EXAMPLES["sell_steps.address"] = f"SELECT '{token}'"


def _be_paid_elsewhere(app: Flask) -> None:
    """Mina wants to be paid on another account, whose bank has nearly her name: Rex has to look at it."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    _sign_in(app, client, "mina@example.com")
    client.post("/seller/bank", data={"iban": "NL39 RABO 0300 0652 64", "holder": "Mina de Groot"})


def _forget_a_password() -> None:
    from shop import accounts, clock
    from shop.database import db
    from shop.models import Invitation, PasswordReset

    noor, now = accounts.called("noor@example.com"), clock.now()
    opens, until = sha256(RESET.encode()).digest(), now + timedelta(hours=1)
    db.session.add(PasswordReset(token_hash=opens, user_id=noor.id, created_at=now, expires_at=until))
    opens, rex = sha256(INVITED.encode()).digest(), accounts.called("rex@example.com")
    db.session.add(Invitation(token_hash=opens, user_id=rex.id, created_at=now, expires_at=until))


def _let_the_books_differ() -> None:
    """One of each thing that stands on the operator's desk of money."""
    from shop import clock
    from shop.database import db
    from shop.models import Difference, Job, JobState, WebhookEvent

    now = clock.now()
    sides = {
        "ours": {"row 1": "7 paid 2845 EUR 2026-11-27 10:00:00", "about": "q8yF5sQmXkK1u2vW3xY4zA"},
        "theirs": {"movement 1": "txn_1Q8yF5sQmXkK1u2vW3xY4zA 2844 EUR 2026-11-27 10:00:01"},
    }
    odd = {"scope": "2026-11-27", "kind": "payment", "subject": "pi_3Q8yF5sQmXkK1u2vW3xY4zA5b", "evidence": sides}
    amounts = {"ours": "EUR 28.45", "theirs": "EUR 28.44", "first_seen": now, "last_seen": now}
    db.session.add(Difference(code="d" * 22, **odd, **amounts))
    told = {"gateway": "sandbox", "kind": "payment_intent.succeeded", "body": "{}", "received_at": now}
    db.session.add(WebhookEvent(event_id="evt_3Q8yF5sQmXkK1u2vW3xY4zA5b", state="quarantined", tries=1, **told))
    dead = {"handler": "shop.media.make", "arguments": {}, "state": JobState.DEAD, "run_at": now, "tries": 5}
    db.session.add(Job(**dead, last_error="RuntimeError('each worker that began it has died')"))


def _draw_one() -> None:
    """A verdict of Rex's was drawn for somebody else."""
    from shop import clock
    from shop.database import db
    from shop.models import SecondLook, Statement

    statement = db.session.scalars(db.select(Statement.id).where(Statement.verdict == "approved")).first()
    db.session.add(SecondLook(code="drawn", statement_id=statement, drawn_at=clock.now()))


def _send_products() -> None:
    """Mina has sent a file: a new product, and one whose price cannot be."""
    from shop import accounts, catalogue_imports
    from shop.database import db

    mina = accounts.open_session(accounts.called("mina@example.com"))
    text = "product,sku,category,title_en,price\nlamp-1,lamp-1,home,Lamp,12.50\ncup-1,cup-1,home,Cup,-5\n"
    sent = catalogue_imports.send(mina, text.encode(), "products.csv")
    db.session.commit()
    catalogue_imports.look(number=sent.id)


def _let_a_listing_wait() -> None:
    """Mina's newest bag is called sustainable, and a moderator looks at it first."""
    from sqlalchemy import select

    from shop import listing_cases
    from shop.database import db
    from shop.models import Product, ProductStatus
    from shop.words import Words

    product = db.session.scalars(
        select(Product).where(Product.status == ProductStatus.LIVE).order_by(Product.id.desc())
    ).first()
    product.description = Words(nl="Duurzaam en eco.", en="Sustainable and eco.")
    product.status = listing_cases.look_at(product)


def _keep_a_card() -> None:
    from shop import accounts, clock
    from shop.database import db
    from shop.models import SavedMethod

    noor, card = accounts.called("noor@example.com"), {"gateway": "sandbox", "gateway_id": "sbx_pm_noor"}
    db.session.add(SavedMethod(code="kept", user_id=noor.id, name="Visa 4242", created_at=clock.now(), **card))


def main(folder: str) -> None:
    """Write the files, and say how many."""
    import flask_migrate

    from app import create_app
    from shop import settings

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as instance:
        app = create_app(settings.read({"INSTANCE_PATH": instance}))
        app.config.update(TESTING=True)
        with app.app_context():
            flask_migrate.upgrade()
        pages = list(rendered(furnish(app)))
    for name, page in pages:
        (target / (re.sub(r"[^\w.-]", "_", name) + ".html")).write_text(page)
    print(f"{len(pages)} pages", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
