"""Passkeys: is what a browser hands over the proof that we asked for? The checks are the library's (`webauthn`).

We ask for no attestation: which make a key is of, is nobody's business here. Beside the library's checks stand those
that are ours: no other site's frame, one name for a key, only kinds of keys that we asked for, and no short ones.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

import webauthn as library
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_client_data_json,
)
from webauthn.helpers import structs as asked
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.exceptions import WebAuthnException

Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
ALGORITHMS = [Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
LONGEST = 16_384  # characters of an answer
LASTS = 300_000  # milliseconds that a browser may take
# What the library, and the arithmetic below it, raise for an answer that is not as it should be.
_WRONG = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


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


def asked_for_new(site: Site, *, challenge: bytes, handle: bytes, email: str, name: str, not_these: list[bytes]) -> str:
    """What a browser needs to make a passkey, as JSON."""
    options = library.generate_registration_options(
        rp_id=site.name,
        rp_name="Etalage",
        user_id=handle,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=LASTS,
        exclude_credentials=_named(not_these),
        supported_pub_key_algs=ALGORITHMS,
        authenticator_selection=asked.AuthenticatorSelectionCriteria(
            resident_key=asked.ResidentKeyRequirement.PREFERRED,
            user_verification=asked.UserVerificationRequirement.REQUIRED,
        ),
    )
    return library.options_to_json(options)


def asked_for_use(site: Site, *, challenge: bytes, one_of: list[bytes]) -> str:
    """What a browser needs to use a passkey, as JSON."""
    options = library.generate_authentication_options(
        rp_id=site.name,
        challenge=challenge,
        timeout=LASTS,
        allow_credentials=_named(one_of),
        user_verification=asked.UserVerificationRequirement.REQUIRED,
    )
    return library.options_to_json(options)


def _named(credentials: list[bytes]) -> list[asked.PublicKeyCredentialDescriptor]:
    return [asked.PublicKeyCredentialDescriptor(id=one) for one in credentials]


def made(answer: str, *, challenge: bytes, site: Site) -> Made:
    """A passkey that was made for us, now, by somebody whom the device knows."""
    try:
        told = _read(answer)
        found = library.verify_registration_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        is_its_name = found.credential_id == base64url_to_bytes(told["rawId"])
        if not is_its_name or not 16 <= len(found.credential_id) <= 1023:
            raise WrongProofError("the key has two names, or hardly one")
        key = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
        return Made(found.credential_id, _kept(_checked(key)), found.sign_count)
    except _WRONG as error:
        raise WrongProofError("not readable, or meant for something else") from error


def name_in(answer: str) -> bytes:
    """Which passkey this is an answer of."""
    try:
        return base64url_to_bytes(_read(answer)["rawId"])
    except _WRONG as error:
        raise WrongProofError("not readable") from error


def used(answer: str, *, challenge: bytes, site: Site, public_key: bytes, uses: int) -> int:
    """A passkey of ours was used for us, now; gives how often it says it was used.

    One that counts and has not counted on is a copy (Web Authentication level 3, 7.2, step 22).
    """
    try:
        found = library.verify_authentication_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=_as_the_library_reads(public_key),
            credential_current_sign_count=uses,
            require_user_verification=True,
        )
    except _WRONG as error:
        raise WrongProofError("not readable, not signed by this key, a copy, or meant for something else") from error
    return found.new_sign_count


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST:
        raise WrongProofError("too long")
    told: dict[str, Any] = json.loads(answer)
    client = parse_client_data_json(base64url_to_bytes(told["response"]["clientDataJSON"]))
    if told["type"] != "public-key" or client.cross_origin:
        raise WrongProofError("not a key, or asked for in a frame of another site")
    return told


def _checked(key: Any) -> Key:
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    is_large = isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
    if is_curve or is_large or isinstance(key, ed25519.Ed25519PublicKey):
        return cast(Key, key)
    raise WrongProofError("a kind of key that we did not ask for")


def _kept(key: Key) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def _as_the_library_reads(public_key: bytes) -> bytes:
    """The public half as a COSE key (RFC 9053): we keep it as everybody's tools do, not as a device packs it."""
    key = _checked(serialization.load_der_public_key(public_key))
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return encode_cbor({1: 2, 3: Algorithm.ECDSA_SHA_256.value, -1: 1, -2: _32(point.x), -3: _32(point.y)})
    if isinstance(key, rsa.RSAPublicKey):
        number = key.public_numbers()
        kind = Algorithm.RSASSA_PKCS1_v1_5_SHA_256.value
        return encode_cbor({1: 3, 3: kind, -1: number.n.to_bytes(key.key_size // 8), -2: number.e.to_bytes(4)})
    return encode_cbor({1: 1, 3: Algorithm.EDDSA.value, -1: 6, -2: key.public_bytes_raw()})


def _32(number: int) -> bytes:
    return number.to_bytes(32)


def text(content: bytes) -> str:
    """Bytes as WebAuthn writes them."""
    return bytes_to_base64url(content)
