"""A passkey without a device: it makes keys and signs as a phone would, and can be told to lie."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from webauthn.helpers import encode_cbor

from shop.webauthn import text

ORIGIN, NAME = "http://localhost:8000", "localhost"


class SoftKey:
    """One passkey. What a test does not say is as it should be."""

    def __init__(self, kind: str = "ec") -> None:
        makers: dict[str, Any] = {
            "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
            "ed": ed25519.Ed25519PrivateKey.generate,
            "rsa": lambda: rsa.generate_private_key(65537, 2048),
            "short": lambda: rsa.generate_private_key(65537, 1024),
            "other": lambda: ec.generate_private_key(ec.SECP384R1()),
        }
        self.private = makers[kind]()
        self.id, self.uses = secrets.token_bytes(32), 0

    def _client(self, kind: str, challenge: bytes, **more: Any) -> bytes:
        asked = more.pop("asked", text(challenge))
        facts = {"type": kind, "challenge": asked, "origin": ORIGIN, "crossOrigin": False}
        return json.dumps({**facts, **more}).encode()

    def _device(self, flags: int, name: str) -> bytes:
        self.uses += 1
        return hashlib.sha256(name.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4, "big")

    def _answer(self, **response: bytes) -> str:
        told = {name: text(content) for name, content in response.items()}
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": told})

    def made(self, challenge: bytes, *, flags: int = 0x45, name: str = NAME, **client: Any) -> str:
        """What a browser says when a passkey was made."""
        data = self._device(flags, name) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._packed()
        told = self._client(client.pop("type", "webauthn.create"), challenge, **client)
        made = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data if flags & 0x40 else data[:37]})
        return self._answer(clientDataJSON=told, attestationObject=made)

    def _packed(self) -> bytes:
        """The public half as a device packs it (COSE, RFC 9053)."""
        public = self.private.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            curve, size = (1, 32) if public.curve.name == "secp256r1" else (2, 48)
            x, y = (number.to_bytes(size) for number in (public.public_numbers().x, public.public_numbers().y))
            return encode_cbor({1: 2, 3: -7, -1: curve, -2: x, -3: y})
        if isinstance(public, rsa.RSAPublicKey):
            numbers, size = public.public_numbers(), public.key_size // 8
            return encode_cbor({1: 3, 3: -257, -1: numbers.n.to_bytes(size), -2: numbers.e.to_bytes(3)})
        return encode_cbor({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})

    def used(self, challenge: bytes, *, flags: int = 0x05, name: str = NAME, **client: Any) -> str:
        """What a browser says when it was used."""
        data = self._device(flags, name)
        told = self._client(client.pop("type", "webauthn.get"), challenge, **client)
        signed = data + hashlib.sha256(told).digest()
        return self._answer(clientDataJSON=told, authenticatorData=data, signature=self._sign(signed))

    def _sign(self, what: bytes) -> bytes:
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(what, ec.ECDSA(hashes.SHA256()))
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(what, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(what)
