"""What the pages of buying have in common: a full cart, the form of the checkout, and where an answer leads."""

import re

import pytest
from sqlalchemy import text, update

from shop import accounts
from shop.database import db
from shop.models import Profile, Role

NOOR = {
    "email": "noor@example.com",
    "name": "Noor de Wit",
    "country": "NL",
    "postcode": "3511 aa",
    "house_number": "1",
    "street": "Oudegracht",
    "city": "Utrecht",
}
TABLES = ("purchases", "orders", "order_lines", "stock_holds", "payments", "payment_attempts", "events")


@pytest.fixture
def filled(post, mug, lamp):
    """Two small mugs and a lamp: EUR 109.40 with delivery."""
    post("/cart/lines", variant="mug-s", quantity="2")
    post("/cart/lines", variant="lamp-oak", quantity="1")


@pytest.fixture
def mina(app, mug, signed_in_as):
    """Mina's browser. Her shop sells the mug."""
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        person = accounts.called("mina@example.com").id
        db.session.execute(update(Profile).where(Profile.handle == "mina").values(user_id=person))
        db.session.commit()
    return client


@pytest.fixture
def counts(app):
    def look():
        with app.app_context():
            return {table: db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in TABLES}

    return look


def hidden(page):
    """The fields of the form that nobody types."""
    return dict(re.findall(r'<input type="hidden" name="(token|tries|seen)" value="([^"]*)">', page))


@pytest.fixture
def press(client, post):
    """Open the checkout and press the button, with these fields in place of noor's."""

    def send(page=None, *, htmx=False, **fields):
        page = page or client.get("/checkout").text
        return post("/checkout", htmx=htmx, **{**NOOR, "method": "card", **hidden(page), **fields})

    return send


def there(answer, htmx):
    """Where an answer sends one."""
    assert answer.status_code == (204 if htmx else 303)
    return answer.headers["HX-Redirect" if htmx else "Location"]
