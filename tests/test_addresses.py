"""Which street is it? Asked of a register that answers, of one that does not, and of none."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from shop import addresses, gateways
from shop.gateways import address_pdok
from shop.gateways.address_pdok import PdokLookUp
from shop.gateways.address_port import Found, LookUpFailedError
from shop.gateways.address_sandbox import SandboxLookUp

# As the Locatieserver writes them, without the headers that we do not read.
ONE = {
    "response": {
        "numFound": 1,
        "start": 0,
        "maxScore": 15.7,
        "numFoundExact": True,
        "docs": [{"straatnaam": "Oudegracht", "woonplaatsnaam": "Utrecht"}],
    }
}
NONE = {"response": {"numFound": 0, "start": 0, "maxScore": 0.0, "numFoundExact": True, "docs": []}}


@pytest.fixture
def register():
    """A register on this computer: `answers` is what it says, `asked` what it was asked."""

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            status, body = self.server.answers
            if status:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_given):
            pass

    server = HTTPServer(("127.0.0.1", 0), Desk)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_pdok_is_told_a_postcode_and_a_number_and_nothing_else(register):
    register.answers = (200, json.dumps(ONE).encode())
    assert PdokLookUp(register.url).find("3511AJ", 145) == Found("Oudegracht", "Utrecht")
    (path,) = register.asked
    assert urlsplit(path).path == "/free"
    assert parse_qs(urlsplit(path).query) == {
        "q": ["postcode:3511AJ and huisnummer:145"],
        "fq": ["type:adres", "postcode:3511AJ", "huisnummer:145"],
        "fl": ["straatnaam,woonplaatsnaam"],
        "rows": ["1"],
    }


def test_an_address_that_is_not_there_is_not_found(register):
    register.answers = (200, json.dumps(NONE).encode())
    assert PdokLookUp(register.url).find("9999ZZ", 1) is None


@pytest.mark.parametrize(
    "answers",
    [
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"response": null}'),
        (200, b'{"response": {"docs": [{}]}}'),
        (200, b'{"response": {"docs": [' + b" " * 70_000 + b"]}}"),
        (0, b""),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(register, answers):
    register.answers = answers
    with pytest.raises(LookUpFailedError):
        PdokLookUp(register.url).find("3511AJ", 145)


def test_who_does_not_answer_in_time_is_not_waited_for(register, monkeypatch):
    monkeypatch.setattr(address_pdok, "PATIENCE", 0.05)
    silent = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # listens, and never accepts
    with pytest.raises(LookUpFailedError):
        PdokLookUp(f"http://127.0.0.1:{silent.server_port}").find("3511AJ", 145)
    silent.server_close()


def test_the_table_of_the_demo_knows_noor_s_street():
    assert SandboxLookUp().find("3511AJ", 145) == Found("Oudegracht", "Utrecht")
    assert SandboxLookUp().find("9999ZZ", 1) is None


@pytest.mark.parametrize(
    ("typed", "number"),
    [("145", 145), (" 145 bis", 145), ("12a", 12), ("0", None), ("a1", None), ("123456", None), ("", None)],
)
def test_the_number_in_a_house_number(typed, number):
    assert addresses.number(typed) == number


def test_a_register_that_fails_leaves_it_to_who_types(app, monkeypatch):
    class Broken:
        def find(self, postcode, number):
            raise LookUpFailedError("TimeoutError")

    monkeypatch.setattr(gateways, "address", Broken)
    with app.test_request_context(method="POST"):
        assert addresses.look_up("3511 AJ", 145) is None
