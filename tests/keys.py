"""A passkey without a device: it makes keys and signs as a phone would, and can be told to lie."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

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
        data = self._device(flags, name) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + b"\xa0"
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        told = self._client(client.pop("type", "webauthn.create"), challenge, **client)
        public = self.private.public_key().public_bytes(*form)
        return self._answer(clientDataJSON=told, authenticatorData=data, publicKey=public)

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
