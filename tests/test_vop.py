"""The scheme in which banks ask each other for the name on an account, played here as its message is written."""

import json
import threading
import uuid
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from shop import gateways
from shop.gateways import bank_port
from shop.gateways.bank_port import BankSilentError, Verdict
from shop.gateways.bank_vop import Contract, VopCheck
from shop.models import LookUpResult
from tests.drips import dripping

# By account: what its bank answers. Every other bank takes no part in the scheme.
BANKS = {
    "NL91ABNA0417164300": (200, {"partyNameMatch": "MTCH"}),
    "NL39RABO0300065264": (200, {"partyNameMatch": "CMTC", "matchedName": "Mina de Groot-Bakker"}),
    "NL20INGB0001234567": (200, {"partyNameMatch": "NMTC", "matchedName": "Somebody Else"}),
}
SILENT = "NL69INGB0123456789"
ACCOUNT = "NL91ABNA0417164300"


class Scheme(BaseHTTPRequestHandler):
    """It refuses whatever is not written as the scheme has it, so that a mistake of ours is no answer."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        status, told = self._token(body) if self.path == "/token" else self._verify(body)
        with dripping(self) as begin:
            begin("head")
            self.send_response(status)
            self.end_headers()
            begin("body")
            self.wfile.write(told if isinstance(told, bytes) else json.dumps(told).encode())

    def _token(self, body):
        form = {name: value for name, (value,) in parse_qs(body.decode()).items()}
        is_right = self.headers["Authorization"] == "Basic ZXRhbGFnZTpzJTNBY3JldA=="  # etalage:s%3Acret
        if not is_right or form != {"grant_type": "client_credentials", "scope": "vop"}:
            return 401, {}
        self.server.passes += 1
        return 200, {"access_token": f"pass-{self.server.passes}", "token_type": "Bearer", "expires_in": 3600}

    def _verify(self, body):
        uuid.UUID(self.headers["X-Request-ID"])
        assert datetime.fromisoformat(self.headers["X-Request-Timestamp"]).utcoffset() == timedelta()
        if self.headers["Authorization"] != f"Bearer pass-{self.server.passes}":
            return 401, {"code": "UNAUTHORIZED"}
        told = json.loads(body)
        if set(told) - {"partyAgent"} != {"party", "partyAccount", "requestingAgent"} or set(told["party"]) != {"name"}:
            return 400, {"code": "FORMAT_ERROR"}
        iban = told["partyAccount"]["iban"]
        if iban == SILENT:
            return self.server.silence
        return BANKS.get(iban, (200, {"partyNameMatch": "NOAP"}))

    def log_message(self, *_given):
        pass


@pytest.fixture
def scheme():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scheme)
    server.asked, server.passes, server.drips, server.silence = [], 0, "", (500, {"code": "INTERNAL_SERVER_ERROR"})
    url = f"http://127.0.0.1:{server.server_port}"
    contract = Contract(f"{url}/vop/v1/payee-verifications", "DEUTDEFF", "", f"{url}/token", "etalage", "s:cret", "vop")
    server.check = VopCheck(contract)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("iban", "verdict"),
    [
        (ACCOUNT, Verdict(LookUpResult.MATCH)),
        ("NL39RABO0300065264", Verdict(LookUpResult.CLOSE, "Mina de Groot-Bakker")),
        ("NL20INGB0001234567", Verdict(LookUpResult.NO_MATCH)),  # the name of somebody else is not for us to know
        ("LU280019400644750000", Verdict(LookUpResult.CANNOT_CHECK)),
    ],
)
def test_each_of_the_four_answers_is_ours(scheme, iban, verdict):
    assert scheme.check.check(iban, "Mina de Groot") == verdict


def test_the_message_is_that_of_the_scheme_with_the_bank_of_the_account(scheme):
    scheme.check.check(ACCOUNT, "Mina de Groot")
    path, headers, body = scheme.asked[-1]
    assert (path, headers["Content-Type"]) == ("/vop/v1/payee-verifications", "application/json")
    assert json.loads(body) == {
        "party": {"name": "Mina de Groot"},
        "partyAccount": {"iban": ACCOUNT},
        "partyAgent": {"financialInstitutionId": {"bicfi": "ABNANL2A"}},
        "requestingAgent": {"financialInstitutionId": {"bicfi": "DEUTDEFF"}},
    }


def test_one_token_is_good_for_many_questions_and_one_that_is_not_taken_is_asked_for_anew(scheme):
    for _n in range(3):
        scheme.check.check(ACCOUNT, "Mina de Groot")
    assert [path for path, *_rest in scheme.asked].count("/token") == 1
    scheme.passes = 7  # it was taken back
    with pytest.raises(BankSilentError, match="401"):
        scheme.check.check(ACCOUNT, "Mina de Groot")
    assert scheme.check.check(ACCOUNT, "Mina de Groot").result == LookUpResult.MATCH
    assert scheme.passes == 8


@pytest.mark.parametrize(
    "silence",
    [
        (500, {"message": "Mina de Groot has no account here"}),
        (302, b""),
        (200, b"<html>"),
        (200, b"[" * 60_000),
        (200, []),
        (200, {}),
        (200, {"partyNameMatch": "YES"}),
        (200, {"partyNameMatch": "CMTC"}),
        (200, b'{"partyNameMatch": "MTCH", "more": "' + b"x" * 70_000 + b'"}'),
    ],
)
def test_what_is_none_of_the_four_answers_is_none_and_repeats_no_name(scheme, silence):
    scheme.silence = silence
    with pytest.raises(BankSilentError) as told:
        scheme.check.check(SILENT, "Mina de Groot")
    assert "Mina" not in str(told.value)


def test_who_does_not_answer_in_time_is_not_waited_for(scheme, monkeypatch):
    monkeypatch.setattr(bank_port, "PATIENCE", 0)
    with pytest.raises(BankSilentError, match="TimeoutError"):
        scheme.check.check(ACCOUNT, "Mina de Groot")
    assert scheme.asked == []


@pytest.mark.parametrize("part", ["head", "body"])
def test_who_answers_a_byte_at_a_time_is_not_listened_to_for_ever(scheme, monkeypatch, part):
    scheme.check.check(ACCOUNT, "Mina de Groot")  # it has a token by now
    scheme.drips = part
    monkeypatch.setattr(bank_port, "PATIENCE", 0.1)
    with pytest.raises(BankSilentError, match="TimeoutError"):
        scheme.check.check(ACCOUNT, "Mina de Groot")
    assert len(scheme.asked) == 3


def test_what_opens_the_door_is_in_no_repr():
    contract = Contract("https://vop.example/", "DEUTDEFF", "/k.pem", "https://vop.example/token", "etalage", "s:cret")
    assert "s:cret" not in repr(contract) + repr(VopCheck(contract))


def test_the_one_who_was_chosen_is_asked_and_keeps_the_token(app, monkeypatch):
    monkeypatch.setitem(app.config, "BANK_CHECK", "vop")
    contract = Contract("https://vop.example/", "DEUTDEFF")
    monkeypatch.setattr(gateways, "Contract", lambda *_given: contract)
    with app.app_context():
        assert isinstance(gateways.bank(), VopCheck)
        assert gateways.bank() is gateways.bank()
    app.extensions.pop("shop.vop")
