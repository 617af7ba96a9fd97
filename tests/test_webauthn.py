"""A passkey proves what it should, and whatever is even a little different is refused."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import base64url_to_bytes, encode_cbor

from shop import webauthn
from tests.keys import NAME, ORIGIN, SoftKey

SITE = webauthn.Site(ORIGIN, NAME)
CHALLENGE, OTHER = bytes(32), bytes(31) + b"1"


def check_made(answer):
    return webauthn.made(answer, challenge=CHALLENGE, site=SITE)


def check_used(answer, made, uses=None):
    uses = made.uses if uses is None else uses
    return webauthn.used(answer, challenge=CHALLENGE, site=SITE, public_key=made.public_key, uses=uses)


def as_kept_from_the_first_day(key):
    """What stands in the table `passkeys` since there is one: SubjectPublicKeyInfo, as a browser gave it then."""
    return key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", ["ec", "ed", "rsa"])
def test_a_passkey_is_made_and_used(kind):
    key = SoftKey(kind)
    made = check_made(key.made(CHALLENGE))
    assert (made.credential_id, made.uses) == (key.id, 1)
    assert made.public_key == as_kept_from_the_first_day(key)
    assert check_used(key.used(CHALLENGE), made) == 2
    assert webauthn.name_in(key.used(CHALLENGE)) == key.id


LIES = {
    "an old challenge": {"asked": webauthn.text(OTHER)},
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:8001"},
    "in a frame of another site": {"crossOrigin": True},
    "the other ceremony": {"type": "webauthn.swapped"},
    "for another name": {"name": "evil.example"},
    "nobody was there": {"flags": 0x40},
    "nobody was recognised": {"flags": 0x41},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_was_meant_for_something_else_is_refused(lie):
    key = SoftKey()
    with pytest.raises(webauthn.WrongProofError):
        check_made(key.made(CHALLENGE, **lie))
    made = check_made(key.made(CHALLENGE))
    with pytest.raises(webauthn.WrongProofError):
        check_used(key.used(CHALLENGE, **lie), made)


@pytest.mark.parametrize("kind", ["short", "other"])
def test_a_weak_or_unknown_kind_of_key_is_refused(kind):
    with pytest.raises(webauthn.WrongProofError):
        check_made(SoftKey(kind).made(CHALLENGE))


def test_the_signature_of_another_key_is_refused():
    made = check_made(SoftKey().made(CHALLENGE))
    with pytest.raises(webauthn.WrongProofError):
        check_used(SoftKey().used(CHALLENGE), made, uses=0)


def test_one_changed_bit_of_what_was_signed_is_refused():
    key = SoftKey()
    made = check_made(key.made(CHALLENGE))
    told = json.loads(key.used(CHALLENGE))
    signed = told["response"]["authenticatorData"]
    told["response"]["authenticatorData"] = signed[:-1] + ("A" if signed[-1] != "A" else "Q")
    with pytest.raises(webauthn.WrongProofError):
        check_used(json.dumps(told), made, uses=0)


def test_a_copy_that_counts_behind_is_refused_and_one_that_does_not_count_is_not():
    key = SoftKey()
    made = check_made(key.made(CHALLENGE))
    answer = key.used(CHALLENGE)
    assert check_used(answer, made, uses=1) == 2
    with pytest.raises(webauthn.WrongProofError) as caught:
        check_used(answer, made, uses=2)
    assert "sign count" in str(caught.value.__cause__)
    key.uses = -1
    assert check_used(key.used(CHALLENGE), made, uses=0) == 0


def test_a_key_that_calls_itself_by_another_name_is_refused():
    told = json.loads(SoftKey().made(CHALLENGE))
    told["id"] = told["rawId"] = webauthn.text(bytes(32))
    with pytest.raises(webauthn.WrongProofError, match="two names"):
        check_made(json.dumps(told))


HOSTILE = {
    "endless lists": b"\x81" * 5000,
    "a list without an end": b"\x9f" * 5000,
    "more bytes than there are": b"\x5b" + b"\xff" * 8,
    "a fraction over nought": b"\xd8\x1e\x82\x01\x00",
    "a fact that stands twice": b"\xa2cfmtdnonecfmtdnone",
    "a certificate of junk": {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"junk"]}},
    "a chip of junk": {"fmt": "tpm", "attStmt": {"ver": "2.0", "alg": -257, "sig": b"x", "x5c": [b"junk"]}},
    "a form that is a list": {"fmt": ["none"], "attStmt": {}},
}


@pytest.mark.parametrize("what", HOSTILE.values(), ids=HOSTILE)
def test_hostile_statements_about_a_key_are_refused_and_break_nothing(what):
    told = json.loads(SoftKey().made(CHALLENGE))
    if isinstance(what, dict):
        right = base64url_to_bytes(told["response"]["attestationObject"])
        what = encode_cbor({**what, "authData": right[right.index(b"authData") + 10 :]})
    told["response"]["attestationObject"] = webauthn.text(what)
    with pytest.raises(webauthn.WrongProofError):
        check_made(json.dumps(told))


NONSENSE = ("", "{", "[" * 9000, "null", "[]", '{"type": "public-key"}', '{"type": "password"}', "x" * 17_000, '"type"')


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_is_refused(answer):
    made = check_made(SoftKey().made(CHALLENGE))
    for ask in (check_made, lambda told: check_used(told, made), webauthn.name_in):
        with pytest.raises(webauthn.WrongProofError):
            ask(answer)
