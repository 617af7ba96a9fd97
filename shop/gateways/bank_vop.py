"""The Verification Of Payee of the European Payments Council, asked of whoever an operator has a contract with.

Banks ask each other with this message (EPC "Verification Of Payee Scheme Inter-PSP API Specifications": JSON over
https, four answers), and companies that resell the check take the same one from others. They want a client's
certificate, or a token that OAuth 2.0 gives for a secret, or both; which, and at which address, is in the contract.
"""

from __future__ import annotations

import base64
import json
import ssl
import uuid
from http.client import HTTPException
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import OpenerDirector, Request

from shop import clock
from shop.gateways import bank_port, in_time
from shop.gateways.bank_port import BankSilentError, Verdict
from shop.models import LookUpResult

LARGEST = 64 * 1024  # bytes; an answer has a few hundred
LONGEST_NAME = 140  # of a payee, as the scheme has it
TOKEN_FOR = 30.0  # seconds before its end a token is asked for anew
RESULTS = {
    "MTCH": LookUpResult.MATCH,
    "CMTC": LookUpResult.CLOSE,
    "NMTC": LookUpResult.NO_MATCH,
    "NOAP": LookUpResult.CANNOT_CHECK,
}


class Contract(NamedTuple):
    """What the one who checks has given: where to ask, as whom, and how one shows who one is."""

    address: str  # the whole of it, to `/payee-verifications`
    bic: str  # of the payment company that asks for us
    certificate: str = ""  # a file: a client's certificate with its key
    token_address: str = ""
    client: str = ""
    secret: str = ""
    scope: str = ""

    def __repr__(self) -> str:
        """Nothing that opens anything."""
        return f"Contract({self.address!r})"


class VopCheck:
    """Whoever asks the banks for us, by a contract."""

    name = "vop"

    def __init__(self, contract: Contract) -> None:
        self._contract, self._lock = contract, Lock()
        self._token, self._until = "", 0.0
        self._line: OpenerDirector | None = None

    def check(self, iban: str, holder: str) -> Verdict:
        """Ask once; the name comes back only where it is nearly right."""
        until = monotonic() + bank_port.PATIENCE
        moment = clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        headers = {"X-Request-ID": str(uuid.uuid4()), "X-Request-Timestamp": moment, "Content-Type": "application/json"}
        if self._contract.token_address:
            headers["Authorization"] = f"Bearer {self._pass(until)}"
        body = json.dumps(_asked(iban, holder[:LONGEST_NAME], self._contract.bic)).encode()
        return _read(self._send(self._contract.address, body, headers, until))

    def _pass(self, until: float) -> str:
        """The token; one is good for many questions."""
        with self._lock:
            if monotonic() < self._until:
                return self._token
        given = f"{quote(self._contract.client, safe='')}:{quote(self._contract.secret, safe='')}"  # RFC 6749, 2.3.1
        headers = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}
        form = {"grant_type": "client_credentials"} | ({"scope": self._contract.scope} if self._contract.scope else {})
        told = self._send(self._contract.token_address, urlencode(form).encode(), headers, until)
        try:
            token, lasts = str(told["access_token"]), float(told.get("expires_in", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise BankSilentError("no token") from error
        with self._lock:
            self._token, self._until = token, monotonic() + lasts - TOKEN_FOR
        return token

    def _send(self, address: str, body: bytes, headers: dict[str, str], until: float) -> dict[str, Any]:
        request = Request(address, body, {"Accept": "application/json", **headers})  # noqa: S310  the operator's own
        try:
            if (left := until - monotonic()) <= 0:
                raise TimeoutError
            with self._opener().open(request, timeout=left) as answer:
                told = json.loads(answer.read(LARGEST))
        except HTTPError as error:
            with error:
                self._forget(error.code)
                raise BankSilentError(str(error.code)) from None  # its words may repeat the name
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            raise BankSilentError(type(error).__name__) from None
        if not isinstance(told, dict):
            raise BankSilentError("no object")
        return told

    def _forget(self, status: int) -> None:
        """A token that is not taken any more is asked for anew, next time."""
        if status in (401, 403):
            with self._lock:
                self._until = 0.0

    def _opener(self) -> OpenerDirector:
        """With our certificate, if there is one; read once, so one that is changed wants a restart."""
        if self._line is None:
            shown = ssl.create_default_context()
            if self._contract.certificate:
                shown.load_cert_chain(self._contract.certificate)
            self._line = in_time.opener(shown)
        return self._line


def _asked(iban: str, holder: str, bic: str) -> dict[str, Any]:
    """The message. Of a bank that we do not know, whoever routes it has to know the way by the account."""
    asked: dict[str, Any] = {
        "party": {"name": holder},
        "partyAccount": {"iban": iban},
        "requestingAgent": {"financialInstitutionId": {"bicfi": bic}},
    }
    if theirs := _bic(iban):
        asked["partyAgent"] = {"financialInstitutionId": {"bicfi": theirs}}
    return asked


def _bic(iban: str) -> str:
    from schwifty import IBAN  # noqa: PLC0415  it weighs 14 MB, and most processes never see an IBAN
    from schwifty.exceptions import SchwiftyException  # noqa: PLC0415

    try:
        return str(IBAN(iban).bic or "")
    except SchwiftyException:
        return ""


def _read(told: dict[str, Any]) -> Verdict:
    """`{"partyNameMatch": "CMTC", "matchedName": "..."}`; the name of any other answer is not for us to know."""
    result = RESULTS.get(str(told.get("partyNameMatch")))
    if result is None:
        raise BankSilentError("no answer that we know")
    if result != LookUpResult.CLOSE:
        return Verdict(result)
    name = " ".join(str(told.get("matchedName") or "").split())[:LONGEST_NAME]
    if not name:
        raise BankSilentError("close to no name")
    return Verdict(result, name)
