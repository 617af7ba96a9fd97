"""Every page of the shop as files of HTML, for programs that read HTML: `python -m tests.pages FOLDER`.

The list is made from the route map, so that no page can be left out: a route that wants to know *which* one (product,
clip, order) gets it from `EXAMPLES`, and a route that is in neither place is an error. What is not a page says so by
its content type.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}

# Endpoint -> a query for the arguments of one example, or None where the shop has none to show on its first day.
EXAMPLES: dict[str, str | None] = {
    "products.show": "SELECT code FROM products ORDER BY id LIMIT 1",
}
# What is served, but is no page.
NO_PAGES = frozenset(("static", "health.livez", "health.readyz"))


class Unlisted(Exception):
    """A route with arguments for which nobody gave an example."""


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """Each page's name and an address where it can be seen."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint in NO_PAGES or "GET" not in (rule.methods or ()):
            continue
        if (address := _address(app, rule)) is not None:
            yield rule.endpoint, address


def _address(app: Flask, rule: Rule) -> str | None:
    arguments: dict[str, object] = {}
    if rule.arguments - set(rule.defaults or {}):
        if rule.endpoint not in EXAMPLES:
            raise Unlisted(f"tests/pages.py has no example for {rule.endpoint} ({rule.rule})")
        query = EXAMPLES[rule.endpoint]
        found = _first(app, query) if query else None
        if found is None:
            return None
        arguments = dict(zip(sorted(rule.arguments), found, strict=True))
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, arguments)
    return str(built)


def _first(app: Flask, query: str) -> tuple[object, ...] | None:
    from shop.database import db

    with app.app_context():
        row = db.session.execute(text(query)).first()
    return tuple(row) if row else None


def visit(client: FlaskClient, address: str, **headers: str) -> str | None:
    """What a browser gets there in the end, when that is HTML."""
    answer = client.get(address, headers=headers, follow_redirects=True)
    return answer.get_data(as_text=True) if answer.mimetype == "text/html" else None


def rendered(app: Flask) -> Iterator[tuple[str, str]]:
    """Each page, and the page of an error, in each language; then the same for who has signed in."""
    for name, enter in VISITORS.items():
        client = app.test_client()
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        enter(client)
        for language in ("en", "nl"):
            for endpoint, address in [*addresses(app), ("errors.404", "/no-such-page")]:
                if page := visit(client, address, **{"Accept-Language": language}):
                    yield f"{endpoint}-{name}-{language}", page


VISITORS: dict[str, Callable[[FlaskClient], object]] = {
    "stranger": lambda _client: None,
    "noor": lambda client: client.post("/sign-in", data={"email": "noor@example.com", "password": "twelve letters"}),
}


def furnished(folder: str) -> Flask:
    """A shop with something on its shelves, and noor, who has an account."""
    import flask_migrate

    from app import create_app
    from shop import accounts, settings
    from shop.database import db
    from tests.cast import fill_shelf

    app = create_app(settings.read({"INSTANCE_PATH": folder}))
    app.config.update(TESTING=True)
    with app.app_context():
        flask_migrate.upgrade()
        fill_shelf(products=48, clips=12)
        accounts.register("noor@example.com", "Noor", "twelve letters")
        db.session.commit()
    return app


def main(folder: str) -> None:
    """Write the files, and say how many."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as instance:
        pages = list(rendered(furnished(instance)))
    for name, page in pages:
        (target / (re.sub(r"[^\w.-]", "_", name) + ".html")).write_text(page)
    print(f"{len(pages)} pages", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
