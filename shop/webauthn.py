"""Passkeys: is what a browser hands over the proof that we asked for? After Web Authentication level 3, 7.1 and 7.2.

We ask for no attestation: which make a key is of, is nobody's business here. So a new key is its public half, as the
browser gives it, and there is no certificate to look into. All arithmetic is the `cryptography` library's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, NamedTuple, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40
LONGEST = 8192  # characters of an answer


class WrongProofError(Exception):
    """This is not the proof that we asked for."""


class Made(NamedTuple):
    """A new passkey: its name for itself, its public half (SubjectPublicKeyInfo), and how often it says it was used."""

    credential_id: bytes
    public_key: bytes
    uses: int


class Site(NamedTuple):
    """Whom a proof must be meant for: `https://shop.example`, and its host's name."""

    origin: str
    name: str


def made(answer: str, *, challenge: bytes, site: Site) -> Made:
    """A passkey that was made for us, now, by somebody whom the device knows."""
    try:
        told, response = _read(answer)
        _check_client(response, "webauthn.create", challenge, site)
        data = _bytes(response["authenticatorData"])
        uses = _check_device(data, site, VERIFIED | PRESENT | HAS_KEY)
        length = int.from_bytes(data[53:55], "big")
        credential_id, key = data[55 : 55 + length], _bytes(response["publicKey"])
        if not 16 <= length <= 1023 or credential_id != _bytes(told["rawId"]):
            raise WrongProofError("the key has two names")
        _key(key)
        return Made(credential_id, key, uses)
    except (KeyError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        raise WrongProofError("not readable") from error


def name_in(answer: str) -> bytes:
    """Which passkey this is an answer of."""
    try:
        return _bytes(_read(answer)[0]["rawId"])
    except (KeyError, ValueError, TypeError) as error:
        raise WrongProofError("not readable") from error


def used(answer: str, *, challenge: bytes, site: Site, public_key: bytes, uses: int) -> int:
    """A passkey of ours was used for us, now; gives how often it says it was used.

    One that counts and has not counted on is a copy (7.2, step 21).
    """
    try:
        _told, response = _read(answer)
        _check_client(response, "webauthn.get", challenge, site)
        data = _bytes(response["authenticatorData"])
        now = _check_device(data, site, VERIFIED | PRESENT)
        signed = data + hashlib.sha256(_bytes(response["clientDataJSON"])).digest()
        _verify(_key(public_key), _bytes(response["signature"]), signed)
    except (KeyError, ValueError, TypeError, AttributeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise WrongProofError("not readable, or not signed by this key") from error
    if (now or uses) and now <= uses:
        raise WrongProofError("a copy of the key")
    return now


def _read(answer: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(answer) > LONGEST:
        raise ValueError("too long")
    told = json.loads(answer)
    if told["type"] != "public-key":
        raise ValueError("not a key")
    return told, told["response"]


def _check_client(response: dict[str, Any], kind: str, challenge: bytes, site: Site) -> None:
    """What the browser says that it was asked, by whom; the device has signed that."""
    client = json.loads(_bytes(response["clientDataJSON"]))
    is_fresh = hmac.compare_digest(_bytes(client["challenge"]), challenge)
    if client["type"] != kind or not is_fresh or client["origin"] != site.origin or client.get("crossOrigin"):
        raise WrongProofError("meant for something else")


def _check_device(data: bytes, site: Site, flags: int) -> int:
    """What the device says: for whom, that somebody was there and known to it; gives its count."""
    if len(data) < 37 or data[:32] != hashlib.sha256(site.name.encode()).digest():
        raise WrongProofError("meant for somebody else")
    if data[32] & flags != flags:
        raise WrongProofError("nobody was there")
    return int.from_bytes(data[33:37], "big")


def _key(public_key: bytes) -> Key:
    key = serialization.load_der_public_key(public_key)
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    is_large = isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
    if is_curve or is_large or isinstance(key, ed25519.Ed25519PublicKey):
        return cast(Key, key)
    raise WrongProofError("a kind of key that we did not ask for")


def _verify(key: Key, by: bytes, what: bytes) -> None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(by, what, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(by, what, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.verify(by, what)


def _bytes(text: str) -> bytes:
    """From base64url, as WebAuthn writes bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(content: bytes) -> str:
    """Bytes as WebAuthn writes them."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
