"""Goods drawn by lot are held against the official list of unsafe products; a person looks at what may be on it."""

import random
import threading
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, update

from shop import alike, clock, gateways, jobs, listing_cases, listings, safety_checks, settings, transparency
from shop.database import connection, db
from shop.gateways import recalls_port
from shop.gateways.recalls_feed import SafetyGateFeed, SafetyGateFiles
from shop.gateways.recalls_port import Alert, RecallsSilentError
from shop.gateways.recalls_sandbox import RECORDED, SandboxRecalls
from shop.models import ListingCase, Picture, Product, Role, SafetyCheck, SentMail, User
from shop.words import Words
from tests.cast import STREET, a_category, a_product, a_profile, a_seller, a_variant, both
from tests.drips import dripping

BEAR = "TEST/00001/26"
UNSAFE = {"reason": "unsafe", "words": Words(en="It is the very bear of the alert.")}


# What is alike


def alert(**given):
    none = dict.fromkeys(Alert._fields, "")
    return Alert(**{**none, "number": "SR/1/26", "brand": "Voltje", "name": "Unknown thing", **given})


def by(given, title="A thing", maker="", *texts):
    found = alike.alike(alike.told(title, maker, texts), alike.mark(alert(**given)))
    return found and tuple(found)


@pytest.mark.parametrize(
    ("given", "listing", "found"),
    [
        ({"numbers": "4006381333931"}, ("A thing", "", "EAN 4 006381 333931"), ("barcode", "4006381333931")),
        ({"numbers": "0400 6381 3339 31"}, ("A thing", "", "4006381333931"), ("barcode", "4006381333931")),
        ({"numbers": "4006381333932"}, ("A thing", "", "4006381333932"), None),  # no such barcode: the last is wrong
        ({"numbers": "4006381333931", "brand": ""}, ("A thing", "", "4006381333931"), ("barcode", "4006381333931")),
        ({"models": "VT-2201"}, ("Voltje adaptor", "", "type VT 2201"), None),
        ({"models": "VT-2201"}, ("Voltje adaptor", "", "vt-2201"), ("number", "vt2201")),
        ({"models": "VT-2201; VT-2202"}, ("Adaptor", "VOLTJÉ B.V.", "VT.2202"), ("number", "vt2202")),
        ({"models": "VT-2201"}, ("Adaptor", "Somebody", "VT-2201"), None),  # so short a number is anybody's
        ({"numbers": "Lot B7731"}, ("Voltje adaptor", "", "lot b7731"), ("number", "b7731")),
        ({"name": "Travel adaptor"}, ("The Voltje travel adaptor", ""), ("name", "Travel adaptor")),
        ({"name": "Travel adaptor"}, ("The Voltje travel lamp", ""), None),
        ({"name": "", "product": "Adaptor"}, ("Adaptor", "Voltje"), ("name", "Adaptor")),
        ({"name": "Adaptor", "brand": "Unknown"}, ("Unknown adaptor", ""), ("name", "Adaptor")),
        ({"name": "Adaptor", "brand": "No name"}, ("No name adaptor", ""), None),
        ({"name": "Adaptor", "brand": "X"}, ("X adaptor", ""), None),
        ({"name": "Adaptor", "brand": "Big Volt"}, ("Volt big adaptor", ""), None),
        ({"name": "Voltje"}, ("Voltje", "Voltje"), None),  # a brand alone is no product
    ],
)
def test_a_barcode_says_it_alone_and_numbers_and_names_only_with_the_brand(given, listing, found):
    assert by(given, *listing) == found


# The list


WEEK = b"""<weeklyReport><notifications>
<caseNumber><![CDATA[SR/0%d/26]]></caseNumber><brand><![CDATA[Volt<font col]]></brand><name><![CDATA[Unknown]]></name>
<product><![CDATA[Adaptor &amp; plug]]></product><batchNumber>Lot 7</batchNumber><barcode>4006381333931</barcode>
<reference><![CDATA[javascript:alert(1)]]></reference><danger><![CDATA[null   It burns.]]></danger>
</notifications><notifications><caseNumber></caseNumber><brand>Nobody</brand></notifications></weeklyReport>"""


NESTED = (
    '<!DOCTYPE a [<!ENTITY b "SR/9/26"><!ENTITY c "&b;&b;">]>'
    "<weeklyReports><notifications><caseNumber>&c;</caseNumber></notifications></weeklyReports>"
)


@pytest.fixture
def gate():
    """The Safety Gate on this computer: `weeks` by their number, `asked` what it was asked."""

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            status, told = self.server.answers.get(self.path, (404, b""))
            with dripping(self) as begin:
                begin("head")
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/1")
                self.end_headers()
                begin("body")
                self.wfile.write(told)

        def log_message(self, *_given):
            pass

    server = HTTPServer(("127.0.0.1", 0), Desk)
    server.asked, server.drips, server.host = [], "", f"127.0.0.1:{server.server_port}"

    def publish(weeks, more=""):
        entries = "".join(
            f"<weeklyReport><reference>R{n}</reference><publicationDate>{n:02}/11/2026</publicationDate>"
            f"<URL>http://{server.host}/{n}</URL></weeklyReport>"
            for n in range(1, weeks + 1)
        )
        server.answers = {f"/{n}": (200, WEEK % n) for n in range(1, weeks + 1)}
        server.answers["/list"] = (200, f"<weeklyReports>{entries}{more}</weeklyReports>".encode())

    server.publish = publish
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_report_is_read_as_it_is_written_and_what_slipped_in_is_left_out(gate, tmp_path):
    gate.publish(1)
    (found,) = SafetyGateFeed(f"http://{gate.host}/list", tmp_path).alerts()
    assert found == Alert(
        number="SR/01/26", address="", published="2026-11-01", brand="Volt", name="", product="Adaptor & plug",
        models="", numbers="4006381333931, Lot 7", danger="It burns.", measures="",
    )  # fmt: skip


def test_past_weeks_are_asked_for_once_thirty_at_a_time_and_the_last_two_each_time(gate, tmp_path, monkeypatch):
    monkeypatch.setattr("shop.gateways.recalls_feed.AT_ONCE", 3)
    gate.publish(6)
    feed = SafetyGateFeed(f"http://{gate.host}/list", tmp_path)
    assert [each.number for each in feed.alerts()] == ["SR/06/26", "SR/05/26", "SR/04/26"]
    assert len(feed.alerts()) == 4
    assert len(feed.alerts()) == 5
    assert gate.asked[:4] == ["/list", "/6", "/5", "/4"]
    assert Counter(gate.asked) == {"/list": 3, "/6": 3, "/5": 3, "/4": 1, "/3": 1, "/2": 1}


def test_the_list_cannot_send_us_to_a_neighbour(gate, tmp_path):
    gate.publish(1, "<weeklyReport><URL>http://127.0.0.1:1/secret</URL><publicationDate/></weeklyReport>")
    feed = SafetyGateFeed(f"http://{gate.host}/list", tmp_path)
    assert [each.number for each in feed.alerts()] == ["SR/01/26"]
    gate.answers["/list"] = (302, b"")
    with pytest.raises(RecallsSilentError, match="302"):
        feed.alerts()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/list", (500, b"")),
        ("/list", (200, b"<html>")),
        ("/list", (200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')),
        ("/list", (200, NESTED.encode("utf-16"))),
        ("/list", (200, NESTED.encode("utf-16-le"))),
        ("/list", (200, NESTED.encode("utf-16-be"))),
        ("/list", (200, b"<weeklyReports>caf\xe9</weeklyReports>")),
        ("/1", (404, b"")),
        ("/1", (200, b"not yet")),
    ],
)
def test_a_list_that_does_not_answer_wholly_gives_nothing_and_keeps_nothing(gate, tmp_path, path, answer):
    gate.publish(1)
    gate.answers[path] = answer
    with pytest.raises(RecallsSilentError):
        SafetyGateFeed(f"http://{gate.host}/list", tmp_path).alerts()
    assert list(tmp_path.iterdir()) == []


def test_what_a_report_says_that_it_is_written_in_changes_nothing_of_what_is_read(tmp_path):
    report = '<?xml version="1.0" encoding="ISO-8859-1"?>' + (WEEK % 1).decode().replace("It burns", "Café")
    (tmp_path / "a.xml").write_text(report, encoding="utf-8-sig")
    assert [each.danger for each in SafetyGateFiles(tmp_path).alerts()] == ["Café."]


def test_who_does_not_answer_in_time_is_not_waited_for(gate, tmp_path, monkeypatch):
    gate.publish(1)
    monkeypatch.setattr(recalls_port, "PATIENCE", 0)
    with pytest.raises(RecallsSilentError, match="TimeoutError"):
        SafetyGateFeed(f"http://{gate.host}/list", tmp_path).alerts()
    assert gate.asked == []


@pytest.mark.parametrize("part", ["head", "body"])
def test_who_answers_a_byte_at_a_time_is_not_listened_to_for_ever(gate, tmp_path, monkeypatch, part):
    gate.publish(0)
    gate.answers["/list"] = (200, WEEK % 1)
    gate.drips = part
    monkeypatch.setattr(recalls_port, "PATIENCE", 0.1)
    with pytest.raises(RecallsSilentError, match="TimeoutError"):
        SafetyGateFeed(f"http://{gate.host}/list", tmp_path).alerts()
    assert gate.asked == ["/list"]


def test_an_operator_may_put_reports_in_a_folder_and_a_changed_alert_counts_once(tmp_path):
    with pytest.raises(RecallsSilentError):
        SafetyGateFiles(tmp_path).alerts()
    for name, number in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / f"{name}.xml").write_bytes(WEEK % number)
    assert [each.number for each in SafetyGateFiles(tmp_path).alerts()] == ["SR/01/26", "SR/02/26"]
    assert [each.number for each in SafetyGateFiles(RECORDED).alerts()] == [
        each.number for each in SandboxRecalls().alerts()
    ]
    with pytest.raises(RecallsSilentError):
        SafetyGateFiles(tmp_path / "gone").alerts()


def test_the_list_is_the_operators_choice_and_made_up_alerts_are_none_in_production(tmp_path):
    here = {"INSTANCE_PATH": str(tmp_path)}
    assert settings.read(here).outside[-2:] == ("sandbox", 20)
    chosen = settings.read({**here, "RECALLS_FEED": "/srv/alerts", "RECALL_CHECKS": "50"})
    assert chosen.outside[-2:] == ("/srv/alerts", 50)
    for wrong in (
        {"RECALLS_FEED": "ftp://x"},
        {"RECALL_CHECKS": "0"},
        {"RECALLS_FEED": "sandbox", "APP_ENV": "production"},
    ):
        with pytest.raises(settings.SettingsError, match="RECALL"):
            settings.read({**here, **wrong})


# The lot


@pytest.fixture
def shelf(app, at_the_desk, signed_in_as, monkeypatch):
    """Mina's shelf with a bear that is on the list, and a mug that is not; rex moderates."""
    monkeypatch.setattr(safety_checks, "lot", random.Random(7))
    monkeypatch.setitem(app.config, "RECALLS_FEED", "sandbox")
    for name, role in (("mina", Role.SELLER), ("rex", Role.MODERATOR)):
        signed_in_as(name, role)
    users = {user.name.lower(): user for user in db.session.scalars(select(User))}
    mina = a_seller("mina", "Mina", profile=a_profile("mina", "Mina", user_id=users["mina"].id))
    kind = a_category("toys", "Toys")

    def put_up(code, title, **given):
        variants = [a_variant(f"{code}-v", "One", 1995, stock=5)]
        product = a_product(mina, code, title, variants, category=kind, **given)
        product.pictures = [Picture(position=0, name=f"{code}.webp", width=9, height=9, alt=both("A thing"))]
        db.session.add(product)
        db.session.commit()
        return product

    maker = {"name": "Lantern Harbour Electronics Co., Ltd.", "address": STREET, "email": "maker@maker.example"}
    bear, mug = put_up("bear", "Bram the bear 32 cm", maker=maker), put_up("mug", "Mug")
    actors = {name: SimpleNamespace(id=user.id, roles=(user.roles[0].role,)) for name, user in users.items()}
    return SimpleNamespace(bear=bear, mug=mug, put_up=put_up, **actors)


def checked():
    done = safety_checks.check(20)
    db.session.commit()
    return done


def waiting(product):
    found = select(ListingCase).where(ListingCase.product_id == product.id, ListingCase.state == "waiting")
    return db.session.scalars(found).all()


def decide(product, verdict, by, **why):
    (case,) = waiting(product)
    given = {"reason": "", "words": Words(), "seen": listing_cases.as_it_stands(product), **why}
    listing_cases.decide(case, verdict, by=by, **given)
    db.session.commit()


def test_what_may_be_unsafe_waits_for_a_moderator_with_the_alert_and_is_for_sale_meanwhile(shelf):
    done = checked()
    assert (done.source, done.alerts, done.looked_at, done.pointed_out) == ("sandbox", 3, 2, ("bear",))
    (case,) = waiting(shelf.bear)
    (why,) = case.why
    assert (why["code"], why["found"]) == ("recalled", BEAR)
    assert (why["alert"]["by"], why["alert"]["what"], why["alert"]["product"]) == ("name", "Bram the bear", "Soft toy")
    assert why["alert"]["danger"].startswith("The eyes come off")
    assert (shelf.bear.status, shelf.mug.status, waiting(shelf.mug)) == ("live", "live", [])
    rows = db.session.execute(select(SafetyCheck.product_id, SafetyCheck.alerts, SafetyCheck.alike)).all()
    assert sorted(map(tuple, rows)) == sorted([(shelf.bear.id, 3, 1), (shelf.mug.id, 3, 0)])
    assert safety_checks.last().alerts == 3


def test_the_moderator_reads_the_alert_beside_the_listing_and_everybody_how_many_were_checked(app, shelf, signed_in_as):
    app.extensions.pop("shop.transparency", None)
    checked()
    rex = signed_in_as("rex", Role.MODERATOR)
    assert "held against the list of unsafe products on" in rex.get("/moderation/products").text
    shown = rex.get(f"/moderation/products/{waiting(shelf.bear)[0].code}").text
    for words in (f"alert {BEAR} calls unsafe", "The eyes come off easily", "The same brand and name", "Bram the bear"):
        assert words in shown
    assert 'href="https://ec.europa.eu/safety-gate-alerts/screen/webReport"' in shown
    assert "Looked like one on the list" in rex.get("/transparency").text
    app.extensions.pop("shop.transparency", None)


def test_another_check_opens_no_second_case_and_what_was_approved_is_not_asked_again(shelf):
    checked()
    assert checked().pointed_out == ()
    assert len(waiting(shelf.bear)) == 1
    decide(shelf.bear, "approved", shelf.rex)
    assert shelf.bear.status == "live"
    jobs.run_due()
    assert db.session.scalars(select(SentMail.kind)).all() == []  # the seller never knew, so nothing is to tell
    assert (checked().pointed_out, waiting(shelf.bear)) == ((), [])
    assert db.session.scalar(select(func.count()).select_from(SafetyCheck)) == 6


def test_a_moderator_takes_down_what_is_the_very_product(shelf):
    checked()
    decide(shelf.bear, "taken_down", shelf.rex, **UNSAFE)
    assert (shelf.bear.status, waiting(shelf.bear)) == ("down", [])
    assert checked().looked_at == 1  # what is down is drawn no more


def test_what_is_taken_down_while_it_is_looked_at_gets_no_case(shelf, monkeypatch):
    alone = listing_cases.alone

    def after_rex(product):
        connection().execute(update(Product.__table__).values(status="down"))  # seen by nobody's session
        alone(product)

    monkeypatch.setattr(listing_cases, "alone", after_rex)
    assert shelf.bear.status == "live"
    assert (checked().pointed_out, waiting(shelf.bear), shelf.bear.status) == ((), [], "down")


def test_who_takes_it_down_has_it_alone_before_the_cases_are_withdrawn(shelf, monkeypatch):
    def after_the_check(product):
        monkeypatch.undo()
        assert listing_cases.point_out(product, [{"code": "recalled", "field": "title", "found": BEAR}])

    monkeypatch.setattr(listing_cases, "alone", after_the_check)
    listing_cases.take_down(shelf.bear, by=shelf.rex, **UNSAFE)
    assert sorted(db.session.scalars(select(ListingCase.state))) == ["taken_down", "withdrawn"]
    assert shelf.bear.status == "down"


def test_its_seller_gets_no_case_out_of_the_queue_by_a_change_or_a_pause(shelf):
    checked()
    listings.change(shelf.bear, {"title": both("Another bear")}, by=shelf.mina)
    assert ([each["found"] for each in waiting(shelf.bear)[0].why], shelf.bear.status) == ([BEAR], "live")
    listings.change(shelf.bear, {"title": both("Eco bear")}, by=shelf.mina)
    assert ([each["code"] for each in waiting(shelf.bear)[0].why], shelf.bear.status) == (
        ["green_claim", "recalled"], "review")  # fmt: skip
    listings.pause(shelf.bear, by=shelf.mina)
    assert [each["code"] for each in waiting(shelf.bear)[0].why] == ["recalled"]
    decide(shelf.bear, "approved", shelf.rex)
    assert shelf.bear.status == "paused"


def test_what_had_to_be_changed_is_looked_at_again_before_it_is_for_sale(shelf):
    checked()
    decide(shelf.bear, "fix", shelf.rex, **UNSAFE)
    assert shelf.bear.status == "paused"
    assert listing_cases.look_at(shelf.bear) == "review"
    assert [each["found"] for each in waiting(shelf.bear)[0].why] == [BEAR]


def test_what_was_not_looked_at_for_long_is_drawn_far_more_often(shelf, app):
    fresh = [shelf.put_up(f"f{n}", f"Thing {n}").id for n in range(4)]
    for product in (shelf.bear, shelf.mug):
        at = clock.now() - timedelta(days=2)
        db.session.add(SafetyCheck(product_id=product.id, at=at, source="sandbox", alerts=3, alike=0))
    db.session.commit()
    drawn = Counter(product.id for _n in range(100) for product in safety_checks._draw(2))
    assert sum(drawn.values()) == 200
    assert sum(drawn[each] for each in fresh) > 190
    assert drawn[shelf.bear.id] + drawn[shelf.mug.id] > 0  # nobody is sure not to be drawn again


def test_a_list_that_is_silent_or_empty_leaves_no_check(shelf, app, monkeypatch, tmp_path):
    monkeypatch.setitem(app.config, "RECALLS_FEED", str(tmp_path))
    with pytest.raises(RecallsSilentError):
        checked()
    (tmp_path / "empty.xml").write_bytes(b"<weeklyReport/>")
    with pytest.raises(RecallsSilentError, match="no alerts"):
        checked()
    assert db.session.scalars(select(SafetyCheck.id)).all() == []
    monkeypatch.setitem(app.config, "RECALLS_FEED", "off")
    assert checked() is None


def test_it_is_done_each_day_forgotten_after_a_year_told_to_everybody_and_by_a_command(app, shelf, pass_time, client):
    app.extensions.pop("shop.transparency", None)
    jobs.plan_regular()
    jobs.run_due()
    assert safety_checks.last() is not None
    counts = transparency.report().checks
    assert (counts.drawn, counts.products, counts.alike) == (2, 2, 1)
    pass_time(days=401)
    told = app.test_cli_runner().invoke(args=["recalls", "check", "--most", "1"])
    assert told.output == "1 listings held against 3 alerts (sandbox).\n"
    safety_checks.check_some()
    db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(SafetyCheck)) == 3
    app.extensions.pop("shop.transparency", None)


def test_the_gateway_is_the_one_that_was_chosen(app, monkeypatch):
    with app.app_context():
        for chosen, kind in (
            ("safety-gate", SafetyGateFeed),
            ("https://x.example/l", SafetyGateFeed),
            ("/x", SafetyGateFiles),
        ):
            monkeypatch.setitem(app.config, "RECALLS_FEED", chosen)
            assert type(gateways.recalls()) is kind
