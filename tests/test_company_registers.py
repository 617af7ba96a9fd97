"""Whose is a number? Asked of KVK and VIES as they answer, on this computer, and of the sandbox."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shop.gateways import company_port
from shop.gateways.bank_port import BankSilentError, Verdict
from shop.gateways.bank_sandbox import SILENT as SILENT_BANK
from shop.gateways.bank_sandbox import TABLE as BANKS
from shop.gateways.bank_sandbox import SandboxPayeeCheck
from shop.gateways.company_kvk import KvkRegister
from shop.gateways.company_port import Entry, RegisterSilentError
from shop.gateways.company_sandbox import SILENT, SandboxRegister
from shop.gateways.company_vies import ViesRegister
from shop.models import LookUpResult
from shop.registers import iban_error

KEY = "l7xx0000000000000000000000000000"
# As KVK's own test service answers, without what we do not read.
DONALD = {
    "kvkNummer": "68750110",
    "naam": "Test BV Donald",
    "statutaireNaam": "Test BV Donald",
    "materieleRegistratie": {"datumAanvang": "20150101"},
    "handelsnamen": [{"naam": "Test BV Donald", "volgorde": 0}, {"naam": "Donald's Goods", "volgorde": 1}],
    "_embedded": {
        "hoofdvestiging": {
            "adressen": [
                {"type": "correspondentieadres", "indAfgeschermd": "Nee", "volledigAdres": "Postbus 200   1000AE R."},
                {"type": "bezoekadres", "indAfgeschermd": "Nee", "volledigAdres": "Hizzaarderlaan 3 A  8823SJ Lollum"},
            ]
        }
    },
}
VALID = {
    "isValid": True,
    "requestDate": "2026-11-28T09:00:00.000Z",
    "userError": "VALID",
    "name": "WOLKSTAP B.V.",
    "address": "\nWOLKENKADE 00008\n3511ZZ UTRECHT\n",
    "requestIdentifier": "",
    "vatNumber": "999999990B51",
}


@pytest.fixture
def register():
    """A register on this computer: `answers` is what it says, `asked` what it was asked."""

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append((self.path, self.headers.get("apikey")))
            status, body = self.server.answers
            if status:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

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


def test_kvk_is_told_a_number_and_the_key_and_nothing_else(register):
    register.answers = (200, DONALD)
    found = KvkRegister(KEY, register.url).find("68750110")
    assert found == Entry(("Test BV Donald", "Donald's Goods"), "Hizzaarderlaan 3 A 8823SJ Lollum", is_active=True)
    assert register.asked == [("/basisprofielen/68750110", KEY)]


def test_a_company_that_has_ended_and_one_that_hides_its_address_say_so(register):
    shielded = {"adressen": [{"type": "bezoekadres", "indAfgeschermd": "Ja", "volledigAdres": "x"}]}
    ended = {"datumAanvang": "20150101", "datumEinde": "20240101"}
    register.answers = (200, DONALD | {"materieleRegistratie": ended, "_embedded": {"hoofdvestiging": shielded}})
    found = KvkRegister(KEY, register.url).find("68750110")
    assert (found.address, found.is_active) == ("", False)


def test_a_number_that_kvk_does_not_know_is_nobody_s(register):
    register.answers = (404, {"fout": [{"code": "IPD0005", "omschrijving": "Het KVK-nummer is niet gevonden."}]})
    assert KvkRegister(KEY, register.url).find("12345678") is None


def test_what_is_no_number_is_not_asked(register):
    assert KvkRegister(KEY, register.url).find("../geheim") is None
    assert register.asked == []


def test_vies_says_whether_a_number_is_valid_and_whose(register):
    register.answers = (200, VALID)
    found = ViesRegister(register.url).find("NL999999990B51")
    assert found == Entry(("WOLKSTAP B.V.",), "WOLKENKADE 00008 3511ZZ UTRECHT")
    assert register.asked == [("/ms/NL/vat/999999990B51", None)]


def test_a_country_that_keeps_names_to_itself_tells_none(register):
    register.answers = (200, VALID | {"name": "---", "address": "---"})
    assert ViesRegister(register.url).find("DE123456788") == Entry((), "")


def test_a_number_that_is_not_valid_is_nobody_s(register):
    register.answers = (200, VALID | {"isValid": False, "userError": "INVALID", "name": "---", "address": "---"})
    assert ViesRegister(register.url).find("NL999999990B52") is None


@pytest.mark.parametrize("why", ["MS_UNAVAILABLE", "MS_MAX_CONCURRENT_REQ", "TIMEOUT", "SERVICE_UNAVAILABLE"])
def test_a_tax_office_that_does_not_answer_says_nothing_about_a_number(register, why):
    register.answers = (200, VALID | {"isValid": False, "userError": why})
    with pytest.raises(RegisterSilentError, match=why):
        ViesRegister(register.url).find("NL999999990B51")


@pytest.mark.parametrize(
    "answers",
    [
        (500, b"{}"),
        (401, b"{}"),
        (429, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"{}"),
        (200, b'{"isValid": "yes", "naam": 1, "handelsnamen": 3}'),
        (200, b'{"isValid": false, "naam": "x", "_embedded": {"hoofdvestiging": {"adressen": ["x"]}}}'),
        (200, b'{"naam": "' + b"x" * 300_000 + b'"}'),
        (0, b""),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(register, answers):
    register.answers = answers
    for one in (KvkRegister(KEY, register.url), ViesRegister(register.url)):
        with pytest.raises(RegisterSilentError):
            one.find("68750110")


def test_vies_itself_is_not_there(register):
    register.answers = (404, b"")
    with pytest.raises(RegisterSilentError):
        ViesRegister(register.url).find("NL999999990B51")


def test_who_does_not_answer_in_time_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(company_port, "PATIENCE", 0.05)
    silent = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # listens, and never accepts
    with pytest.raises(RegisterSilentError):
        KvkRegister(KEY, f"http://127.0.0.1:{silent.server_port}").find("68750110")
    silent.server_close()


def test_the_sandbox_knows_the_companies_of_the_demo_and_one_that_is_silent():
    assert SandboxRegister().find("69599084").names == ("Kira Keramiek",)
    assert SandboxRegister().find("11111111") is None
    with pytest.raises(RegisterSilentError):
        SandboxRegister().find(SILENT)


def test_every_account_of_the_sandbox_is_a_right_number_and_its_answer_is_one_of_four():
    check = SandboxPayeeCheck()
    assert [iban for iban in (*BANKS, SILENT_BANK) if iban_error(iban)] == []
    assert {check.check(iban, "Anybody").result for iban in BANKS} == set(LookUpResult)
    assert check.check("NL02ABNA0123456789", "Anybody") == Verdict(LookUpResult.CANNOT_CHECK)
    with pytest.raises(BankSilentError):
        check.check(SILENT_BANK, "Anybody")
