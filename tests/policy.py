"""The policy: what each of eight people is told at each route about what is theirs, foreign, or not there.

Who may come to a route at all is said in `shop/access.py`, and what everybody else is told follows from that. Here
stands the rest, one line for each route that names a thing or takes a form:

    "order_money.show_own": Line("sale", PAGE)     the address names a sale: its owner sees a page, others 404
    "cart.add": Line(answer="422")                 a form without a thing; sent empty it is refused with words
    "sell.show"                                    a page without a thing needs no line

Whose a thing is, is said in `tests/world.py`. A route without its line fails `test_matrix`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

from shop.access import _HIDDEN, _MAY, ROUTES, Who
from tests.world import ACTORS, SHARED, Arguments, World

# Kinds of answers; a status stands for itself.
PAGE, DOOR, LEADS, DONE = "page", "the door", "leads on", "done"
NO, NOWHERE, NO_METHOD = "403", "404", "405"
MISSING = {"code": "no-such-thing", "variant": "no-such", "handle": "nobody", "number": 99, "tag": "no-such"}
MISSING |= {"item": "no-such", "language": "xx", "name": "0" * 32 + ".webp"}
MISSING |= {"token": "no-such-token", "gateway": "no-such", "section": "no-such", "which": "no-such"}


class Line(NamedTuple):
    """One route. `answer` is for whoever may; `but` says who is told something else, by name or by what it is of.

    `sent` is what goes along, where an empty form would tell little.
    """

    thing: str = ""
    answer: str = PAGE
    but: dict[str, str] = {}  # noqa: RUF012  read only
    sent: dict[str, Any] = {}  # noqa: RUF012


def seen(thing: str, answer: str = PAGE, **sent: Any) -> Line:
    """A thing that is there for everybody who may come to the route."""
    return Line(thing, answer, {"foreign": answer}, sent)


def form(**fields: str) -> dict[str, Any]:
    """A form that is sent along."""
    return {"data": fields}


ONE_EURO = form(how="amount", amount="1", reason="goodwill")
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
A_TAG = form(product="lamp", start="0", end="2")
A_QUESTION = form(words="May it go into the dishwasher?")
A_LOOK = form(verdict="approved", words="All of it fits.")
AT_THE_DOOR = {"anonymous": DOOR}
IS_STAFF = {"rex": "409", "ada": "409"}  # who has to have a proof keeps the last one
LIKE_A_STEP = ("sell.submit", "sell.take_back", "sell.objection", "papers.send")  # `/sell/<item>` takes a GET there
NOT_BEGUN = {"rex": NOWHERE, "ada": NOWHERE}  # who has no application
NO_WINDOW = {"rex": NOWHERE, "ada": NOWHERE}  # who neither sells nor films

NO_SHOP = dict.fromkeys(("noor", "lotte", "kai", "rex", "ada"), NOWHERE)

OWN_GOODS = {"mina own": "422", "lars own": "422"}  # nobody asks themselves

POLICY: dict[str, Line] = {
    # What everybody may look at
    "products.show": seen("product"),
    "questions.ask": seen("product"),
    "questions.send": Line("product", DONE, {**OWN_GOODS, "anonymous foreign": DOOR, "foreign": DONE}, A_QUESTION),
    "questions.shown": seen("product"),
    "showcase.show": seen("window"),
    "showcase.clips": seen("window"),
    "feed.clip": seen("clip"),
    "feed.products": seen("clip"),
    "feed.like": seen("clip", DONE),
    "media.show": seen("file"),
    # The cart and the checkout: of this browser, which has nothing in it
    "cart.size": Line(answer=LEADS),
    "cart.add": Line(answer="422"),
    "cart.change": Line("product", NOWHERE, sent=form(quantity="2")),
    "cart.remove": Line("product", NOWHERE),
    "cart.restore": seen("product", DONE),
    "checkout.one": Line(answer=NOWHERE),
    "checkout.summary": Line(answer=LEADS),
    "checkout.buy": Line(answer=NOWHERE),
    "checkout.find_place": Line(),
    "checkout.create": Line(answer="422"),
    # The door
    "credentials.sign_in_now": Line(answer="422"),
    "credentials.sign_up_now": Line(answer="422"),
    "credentials.ask_for_reset": Line(answer="422"),
    "credentials.choose": Line("reset link", but={"missing": "410"}),
    "credentials.reset": Line("reset link", DONE, {"missing": "410"}, form(password="nine green bottles")),
    "credentials.sign_out": Line(answer=DONE),
    "proofs.invited": Line("invitation", DOOR, {"missing": "410"}),
    "proofs.show": Line(but=AT_THE_DOOR),
    "proofs.set_up": Line(but=AT_THE_DOOR),
    "proofs.check": Line(answer="422", but=AT_THE_DOOR),
    "proofs.check_passkey": Line(answer="422", but=AT_THE_DOOR),
    "proofs.check_password": Line(answer="422"),
    "proofs.add_app": Line(answer="422", but=AT_THE_DOOR),
    "proofs.add_passkey": Line(answer="422", but=AT_THE_DOOR),
    "proofs.remove": Line("passkey", DONE, IS_STAFF),
    "proofs.remove_app": Line(answer=NOWHERE, but={"noor": DONE, "lotte": DONE, **IS_STAFF}),
    # One's own account
    "accounts.speak": Line(answer="422"),
    "accounts.rename": Line(answer="422"),
    "accounts.deliver_at": Line(answer="422"),
    "accounts.change_password": Line(answer="422"),
    "accounts.close": Line(answer="422"),
    "accounts.forget_method": Line("card", DONE),
    "accounts.sign_out_device": Line("device", DONE),
    "accounts.sign_out_everywhere": Line(answer=DONE),
    "purchases.show": Line("purchase"),
    "purchases.look": Line("purchase", LEADS),
    "purchases.pay_again": Line("purchase", DONE, sent=form(method="card")),
    "purchases.order": Line("order"),
    "questions.order": Line("order"),
    "questions.ask_about_order": Line("order", DONE, sent=A_QUESTION),
    "questions.close_order": Line("order", DONE),
    "questions.show": Line("question"),
    "questions.write": Line("question", DONE, sent=A_QUESTION),
    "questions.close": Line("question", DONE),
    "questions.hide": Line("question", DONE),
    # Who films
    "studio.open_up": Line(answer="422"),
    "studio.send": Line(answer="422"),
    "uploads.create": Line(answer="422"),
    "uploads.state": Line("upload", LEADS),
    "uploads.part": Line("upload", DONE, sent={"data": FILM, "headers": {"Upload-Offset": "0"}}),
    "uploads.complete": Line("upload", "409"),
    "uploads.remove": Line("upload", DONE),
    "clip_desk.show": Line("clip"),
    "clip_desk.describe": Line("clip", "422"),
    "clip_desk.tag": Line("clip", DONE, sent=A_TAG),
    "clip_desk.change_tag": Line("clip", DONE, sent=A_TAG),
    "clip_desk.remove_tag": Line("clip", DONE),
    "clip_desk.add_subtitles": Line("clip", "422"),
    "clip_desk.remove_subtitles": Line("clip", DONE),
    "clip_desk.publish": Line("clip", "422"),
    "clip_desk.unpublish": Line("clip", DONE),
    "clip_desk.remove": Line("clip", DONE),
    # Who sells, or would like to
    "sell.begin": Line(answer="422"),
    "sell.kind": Line(answer=LEADS, but={"kai": PAGE}),
    "sell.change_kind": Line(answer="422"),
    "sell.submit": Line(answer="409", but={"kai": "422", **NOT_BEGUN}),
    "sell.take_back": Line(answer="409", but={"noor": DONE, "lotte": DONE}),
    "sell.objection": Line(answer="422", but=IS_STAFF),
    "sell_steps.show": Line("step", PAGE, {"foreign": LEADS}),
    "sell_steps.save": Line("step", "422", {"rex foreign": NOWHERE, "ada foreign": NOWHERE, "foreign": "409"}),
    "sell_steps.take_name": Line(answer="409", but=NOT_BEGUN),
    "sell_steps.mail": Line(answer="409", but={"kai": DONE, **NOT_BEGUN}),
    "sell_steps.confirm": Line(answer="409", but={"kai": "422", **NOT_BEGUN}),
    "sell_steps.address": Line("contact link", but={"missing": "410"}),
    "sell_steps.confirm_address": Line("contact link", DONE, {"missing": "410"}),
    "papers.send": Line(answer="409"),
    "papers.remove": Line("paper", DONE, dict.fromkeys(("noor", "lotte", "mina", "lars"), "409")),  # they wait, or sell
    "order_money.show_own": Line("sale"),
    "order_money.refund_own": Line("sale", DONE, sent=ONE_EURO),
    "catalogue.send": Line(answer="422"),
    "catalogue.show": Line("import"),
    "catalogue.carry_out": Line("import", DONE),
    "catalogue.report": Line("import"),
    "payouts.seller": Line(answer=NOWHERE, but={"mina": PAGE, "lars": PAGE}),
    "payouts.seller_csv": Line(answer=NOWHERE, but={"mina": PAGE, "lars": PAGE}),
    "payouts.open_account": Line(answer=DONE, but=NO_WINDOW),
    "payouts.onboarding": Line(answer=LEADS, but=NO_WINDOW),
    "payouts.look": Line(answer=LEADS, but=NO_WINDOW),
    "bank.change": Line(answer=DONE, sent=form(iban="NL91 ABNA 0417 1643 00", holder="Another")),
    "bank.take_name": Line(answer="409"),
    "bank.withdraw": Line(answer=DONE, but={"lars": "409"}),
    "answers.index": Line(but=NO_SHOP),
    "answers.show": Line("asked"),
    "answers.answer": Line("asked", DONE, sent=A_QUESTION),
    "answers.close": Line("asked", DONE),
    "answers.publish": Line("asked", DONE),
    "answers.hide": Line("asked", DONE),
    "appeals.show": Line("statement", but={"rex foreign": PAGE, "ada foreign": PAGE}),
    "appeals.lodge": Line("statement", DONE, sent=form(words="This is a mistake, and here is why.")),
    "listing_grid.ask": Line("product", PAGE),
    "listing_grid.bring": Line("product", "422"),
    "listing_grid.change": Line(answer=DONE),
    "listing_grid.lay": Line("product", "422"),
    "listing_pictures.add": Line("product", "422"),
    "listing_pictures.describe": Line("product", NOWHERE),
    "listing_pictures.remove": Line("product", NOWHERE),
    "listings.change": Line("product", "422"),
    "listings.create": Line(answer="422"),
    "listings.duplicate": Line("product", DONE),
    "listings.pause": Line("product", DONE),
    "listings.preview": Line("product", but={"rex foreign": PAGE, "ada foreign": PAGE}),
    "listings.publish": Line("product", "409"),
    "listings.resume": Line("product", "409"),
    "listings.show": Line("product"),
    "purchases.receive": Line("order", "409"),
    "rechecks.send": Line(answer="422", but=NO_SHOP),
    "seller.correct": Line("sale", "422"),
    "seller.deliver": Line("sale", "409"),
    "seller.index": Line(but=NO_SHOP),
    "seller.order": Line("sale"),
    "seller.orders": Line(but=NO_SHOP),
    "seller.pack": Line("sale", DONE),
    "seller.ship": Line("sale", "422"),
    "seller.slip": Line("sale"),
    "rechecks.show": Line(but=NO_SHOP),
    "tax.show": Line(but=NO_SHOP),
    "tax.table": Line(but=NO_SHOP),
    "tax.tell": Line(answer=DONE, but=NO_SHOP, sent=form(country="NL", number="999999990")),
    "second_looks.show": Line("second look", but={"rex own": NOWHERE}),  # what he decided himself
    "second_looks.give": Line("second look", DONE, {"rex own": NOWHERE}, A_LOOK),
    "rechecks.accept": seen("paper", NOWHERE, **form(until="2099-01-01")),
    "rechecks.turn_down": seen("paper", NOWHERE, **form(words="This is a cat, no paper.")),
    "seller.take_back": Line("sale", "409"),
    "seller.stock": Line("shelf", but=NO_SHOP),
    # The desks of the staff
    "moderation.seller": seen("applicant"),
    "moderation.decide": seen("applicant", "409"),
    "moderation.claim": seen("applicant", DONE),
    "moderation.release": seen("applicant", DONE),
    "moderation.judge": seen("applicant", "409", **form(state="accepted")),  # nobody has taken it
    "moderation.suspend": seen("applicant", "422"),
    "moderation.lift": seen("applicant", "409"),
    "moderation.ban": seen("applicant", "422"),
    "moderation.stop_payouts": seen("applicant", "422"),
    "moderation.release_payouts": seen("applicant", "422"),
    "listing_desk.case": seen("case"),
    "listing_desk.decide": seen("case", "422"),
    "listing_desk.listing": seen("product"),
    "listing_desk.take_down": seen("product", "422"),
    "appeals.look": seen("appeal"),
    "appeals.decide": Line("appeal", DONE, {"rex own": NO}, form(outcome="dismissed", words="We were not wrong.")),
    "appeals.confirm": Line("proposal", DONE, {"rex own": NO}),
    "appeals.decline": Line("proposal", DONE, {"rex own": NO}, form(words="This goes too far.")),
    "bank.confirm": seen("window", "422"),
    "bank.refuse": seen("window", "422"),
    "bank.look_up": seen("window", DONE),
    "papers.show": seen("paper"),
    "papers.picture": seen("paper", NOWHERE),  # it is not open
    "papers.open_up": seen("paper", DONE, **form(reason="To compare the name.")),
    "papers.close": seen("paper", DONE),
    "order_money.show": seen("sale"),
    "order_money.refund": seen("sale", DONE, **ONE_EURO),
    "order_money.again": seen("refund", DONE),
    "money.note": seen("difference", DONE, **form(words="Looked at.")),
    # Who proves it by a signature, and the sandbox
    "webhooks.payments": Line("gateway", "400"),
    "webhooks.accounts": Line("gateway", "400"),
    "sandbox.bank": Line("bank page"),
    "sandbox.answer": Line("bank page", DONE, sent=form(answer="approved")),
    "sandbox.account": Line("desk link"),
    "sandbox.complete": Line("desk link", DONE, sent=form(answer="complete")),
}


@dataclass(frozen=True, eq=False)
class Knock:
    """One question: who asks what, about whose thing, and what they should be told."""

    actor: str
    method: str
    endpoint: str
    about: str
    address: str
    sent: dict[str, Any]
    expected: str


def needs_a_line(rule: Rule) -> bool:
    """Does this route name a thing, or take a form?"""
    return bool(rule.arguments - set(rule.defaults or {})) or "GET" not in (rule.methods or ())


def undeclared(app: Flask) -> set[str]:
    """Routes that the policy says nothing about, and lines about no route."""
    wanted = {rule.endpoint for rule in app.url_map.iter_rules() if needs_a_line(rule)}
    every = {rule.endpoint for rule in app.url_map.iter_rules()}
    return (wanted - POLICY.keys()) | (POLICY.keys() - every)


def knocks(app: Flask, there: World) -> Iterator[Knock]:
    """Every route x who x whose thing x method, and what should be answered."""
    by_path: dict[str, dict[str, Rule]] = {}
    router = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            by_path.setdefault(rule.rule, {})[method] = rule
    for taken in by_path.values():
        for method in sorted({"GET", "POST", *taken}):
            rule = taken.get(method) or next(iter(taken.values()))
            for knock in _of_rule(rule, method, there, is_taken=method in taken):
                if method in taken or not _leads_elsewhere(router, knock):
                    yield knock


def _leads_elsewhere(router: MapAdapter, knock: Knock) -> bool:
    """Does another route, which has its own line, listen there: as `/sell/<item>` does at the address of a form?"""
    try:
        router.match(urlsplit(knock.address).path, knock.method)
    except HTTPException:
        return False
    return True


def _of_rule(rule: Rule, method: str, there: World, *, is_taken: bool) -> Iterator[Knock]:
    line = POLICY.get(rule.endpoint, Line())
    for actor in ACTORS:
        asked = list(_about(rule, line, actor, there))
        for about, arguments in asked if is_taken else asked[-1:]:  # where nothing listens it does not matter to what
            address = rule.build({name: arguments[name] for name in rule.arguments}, append_unknown=False)[1]
            told = expected(rule.endpoint, line, actor, about) if is_taken else _no_method(rule.endpoint, method, actor)
            yield Knock(actor, method, rule.endpoint, about, f"http://localhost{address}", line.sent, told)


def _no_method(endpoint: str, method: str, actor: str) -> str:
    """What is told where nothing listens to this method."""
    if method == "GET" and endpoint in LIKE_A_STEP:
        return DOOR if actor == "anonymous" else NOWHERE
    return NO_METHOD


def _about(rule: Rule, line: Line, actor: str, there: World) -> Iterator[tuple[str, Arguments]]:
    """What this route can be asked about: one's own thing, somebody else's, none; and one's own with a foreign part."""
    if not rule.arguments:
        yield "", {}
        return
    things = there.things[line.thing]
    own = things.get(actor) or things.get(SHARED)
    foreign = next((things[name] for name in things if name not in (actor, SHARED, "anonymous")), None)
    if own is not None:
        yield "own", own
    if foreign is not None:
        yield "foreign", foreign
    if own is not None and foreign is not None:
        first = next(name for name in own if name in rule.arguments)
        crossed = {**foreign, first: own[first]}
        if any(crossed[name] != own[name] for name in rule.arguments):
            yield "crossed", crossed
    yield "missing", MISSING


def expected(endpoint: str, line: Line, actor: str, about: str) -> str:
    """What this person should be told."""
    who = ROUTES[endpoint]
    if actor == "anonymous" and who not in (Who.ANYONE, Who.SIGNED_WEBHOOK):
        return DOOR
    if who in _MAY and not set(ACTORS[actor]) & _MAY[who]:
        return NOWHERE if who in _HIDDEN else NO
    for name in (f"{actor} {about}", actor, about):
        if name in line.but:
            return line.but[name]
    return line.answer if about in ("own", "") else NOWHERE
