"""A passkey proves what it should, and whatever is even a little different is refused."""

import json

import pytest

from shop import webauthn
from tests.keys import NAME, ORIGIN, SoftKey

SITE = webauthn.Site(ORIGIN, NAME)
CHALLENGE, OTHER = bytes(32), bytes(31) + b"1"


def check_made(answer):
    return webauthn.made(answer, challenge=CHALLENGE, site=SITE)


def check_used(answer, made, uses=None):
    uses = made.uses if uses is None else uses
    return webauthn.used(answer, challenge=CHALLENGE, site=SITE, public_key=made.public_key, uses=uses)


@pytest.mark.parametrize("kind", ["ec", "ed", "rsa"])
def test_a_passkey_is_made_and_used(kind):
    key = SoftKey(kind)
    made = check_made(key.made(CHALLENGE))
    assert (made.credential_id, made.uses) == (key.id, 1)
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
    with pytest.raises(webauthn.WrongProofError, match="copy"):
        check_used(answer, made, uses=2)
    key.uses = -1
    assert check_used(key.used(CHALLENGE), made, uses=0) == 0


@pytest.mark.parametrize(
    "answer", ["", "{", "null", "[]", '{"type": "public-key"}', '{"type": "password"}', "x" * 9000, '"type"']
)
def test_nonsense_is_refused(answer):
    made = check_made(SoftKey().made(CHALLENGE))
    for ask in (check_made, lambda told: check_used(told, made), webauthn.name_in):
        with pytest.raises(webauthn.WrongProofError):
            ask(answer)
