"""Every page of the shop, without a browser: it answers, in the language asked for, and nothing on it is dead."""

from collections import Counter, deque
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import pytest
from sqlalchemy import select
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from shop.database import db
from shop.models import CatalogueImport, Paper, Rendition
from tests.html import Page
from tests.pages import LANGUAGES, NO_PAGES, VISITORS, browser_of, listed

MOST = 3000  # addresses; more means that some link makes new ones for ever


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("visitor", VISITORS)
def test_every_page_answers_in_the_language_that_was_asked_for(demo_shop, visitor, language):
    client = browser_of(demo_shop, visitor, language)
    wrong = []
    for page in listed(demo_shop):
        if page.visitor != visitor:
            continue
        answer = client.get(page.address, follow_redirects=True)
        if answer.status_code != (404 if page.name == "errors.404" else 200):
            wrong.append(f"{page.address}: {answer.status}")
        elif answer.mimetype != "text/html":
            wrong.append(f"{page.address}: {answer.mimetype} and not a page")
        else:
            read = Page(answer.get_data(as_text=True))
            if (read.language, read.headings) != (language, 1) or not read.title.strip():
                wrong.append(f"{page.address}: lang={read.language}, {read.headings} h1, title {read.title!r}")
            if twice := {name for name in read.ids if read.ids.count(name) > 1}:
                wrong.append(f"{page.address}: twice the id {twice}")
    assert not wrong, "\n".join(wrong)


# Who looks, and at how many of the pages that are alike: a stranger at all of them, so that no product is left out.
WALKS = [*((visitor, MOST if visitor == "stranger" else 3) for visitor in VISITORS)]
WALKS += [pytest.param(visitor, MOST, marks=pytest.mark.slow) for visitor in VISITORS if visitor != "stranger"]


@pytest.mark.parametrize(("visitor", "alike"), WALKS)
def test_no_link_is_dead_and_every_form_leads_somewhere(demo_shop, visitor, alike):
    """From every page, along every link, picture, film and form, as far as it goes: so also without JavaScript."""
    client = browser_of(demo_shop, visitor, "nl")
    starts = [page.address for page in listed(demo_shop) if page.visitor == visitor and page.name != "errors.404"]
    found = Walk(demo_shop, client, alike).from_each(starts)
    assert not found, "\n".join(found)


class Walk:
    """A visitor who tries everything once, and writes down what is dead."""

    def __init__(self, shop, client, alike):
        self.client, self.router = client, shop.url_map.bind("localhost")
        self.waiting, self.known, self.tried, self.dead = deque(), set(), set(), []
        self.alike, self.seen = alike, Counter()

    def from_each(self, starts):
        for start in starts:
            self.remember(start, "the list")
        while self.waiting:
            self.look_at(*self.waiting.popleft())
            assert len(self.known) < MOST, sorted(self.known)[:: MOST // 50]
        return self.dead

    def remember(self, address, seen_on):
        if address not in self.known and urlsplit(address).path != "/sign-out":
            self.known.add(address)
            kind = self.kind_of(address)
            self.seen[kind] += 1
            if self.seen[kind] <= self.alike or seen_on == "the list":
                self.waiting.append((address, seen_on))

    def kind_of(self, address):
        """The route, and which questions are asked of it; what leads nowhere is of no kind but its own."""
        there = urlsplit(address)
        try:
            return self.router.match(there.path)[0], tuple(sorted(parse_qs(there.query)))
        except (RequestRedirect, NotFound, MethodNotAllowed):
            return address

    def look_at(self, address, seen_on):
        answer = self.client.get(address, follow_redirects=True)
        if answer.status_code >= 400:
            self.dead.append(f"{address} on {seen_on}: {answer.status}")
        elif answer.mimetype == "text/html":
            read = Page(answer.get_data(as_text=True))
            base = answer.request.full_path.rstrip("?")
            self.follow(read, address, base)
            self.try_forms(read, address, base)
        answer.close()  # an answer that is still being read counts against its reader

    def follow(self, read, address, base):
        for link in read.links:
            to, anchor = urldefrag(urljoin(base, link))
            if urlsplit(to).netloc:
                continue  # another shop's business
            if to == base and anchor and anchor not in read.ids:
                self.dead.append(f"#{anchor} on {address}: there is no such place")
            self.remember(to, address)

    def try_forms(self, read, address, base):
        for method, action in read.forms:
            to = (method, urljoin(base, action))
            if to not in self.tried and method != "DIALOG" and not self.leads(*to):
                self.dead.append(f"{method} {to[1]} on {address}: no such route")
            self.tried.add(to)

    def leads(self, method, action):
        try:
            self.router.match(urlsplit(action).path, method=method)
        except RequestRedirect:
            return True
        except (NotFound, MethodNotAllowed):
            return False
        return True


def test_every_route_that_can_be_looked_at_is_on_the_list(demo_shop):
    there = {rule.endpoint for rule in demo_shop.url_map.iter_rules() if "GET" in rule.methods}
    assert {page.name for page in listed(demo_shop)} == there - NO_PAGES | {"errors.404"}


def test_what_is_not_on_the_list_is_no_page(demo_shop):
    kai, mina, rex = (browser_of(demo_shop, name, "en") for name in ("kai", "mina", "rex"))
    with demo_shop.app_context():
        film = db.session.scalar(select(Rendition.name).limit(1))
        paper = db.session.scalar(select(Paper.code).limit(1))
        sent = db.session.scalar(select(CatalogueImport.code).limit(1))
    sending = kai.post("/uploads", data={"size": 1000}).headers["Location"]
    rex.post(f"/moderation/papers/{paper}/opening", data={"reason": "A test of what is a page."})
    given = {"filename": "icons.svg", "name": film, "code": sending.rsplit("/", 1)[1], "number": "1"}
    askers = {"payouts.seller": (mina, given), "papers.picture": (rex, {**given, "code": paper})}
    askers |= {"tax.table": (mina, given)}
    askers |= {f"catalogue.{name}": (mina, {**given, "code": sent}) for name in ("export", "template", "report")}
    for rule in demo_shop.url_map.iter_rules():
        if rule.endpoint in NO_PAGES:
            browser, known = askers.get(rule.endpoint.removesuffix("_csv"), (kai, given))
            address = demo_shop.url_map.bind("").build(rule.endpoint, {name: known[name] for name in rule.arguments})
            answer = browser.get(address)
            # A fragment leads to its page, where there is no htmx.
            assert answer.status_code in (200, 204, 303), address
            assert (answer.status_code, answer.mimetype) != (200, "text/html"), address
    rex.post(f"/moderation/papers/{paper}/closing")


def test_a_route_without_an_example_is_noticed(demo_shop, monkeypatch):
    from tests import pages

    monkeypatch.delitem(pages.EXAMPLES, "products.show")
    with pytest.raises(pages.Unlisted, match=r"no example for products\.show"):
        listed(demo_shop)
