"""The first welcome: the address, and for a phone in the same network a code to point at."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shop.settings import Settings

LASTS = timedelta(days=30)


def welcome(config: Settings) -> None:
    """Say where the shop is open, and show its address as a QR code when it is open to the network."""
    if config.lan:
        segno.make(config.base_url, error="m").terminal(compact=True)
        print("Point your phone's camera at the code. This is a test network: everybody in it can look in.")
        if config.tls:
            print("The certificate is our own, so the phone warns once; camera and passkeys need https.")
    print(f"Etalage is open at {config.base_url} (Ctrl-C closes it).", flush=True)


def certificate(config: Settings) -> tuple[Path, Path]:
    """The paths of a certificate for our own address and of its key, made anew when it has run out."""
    folder = config.instance / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    host = urlsplit(config.base_url).hostname or "localhost"
    paths = folder / f"{host}.pem", folder / f"{host}.key"
    if not _is_good(paths[0]):
        _make(host, *paths)
    return paths


def _is_good(path: Path) -> bool:
    if not path.exists():
        return False
    ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return ends > datetime.now(UTC) + timedelta(days=1)


def _make(host: str, path: Path, key_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Etalage at {host}")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([_named(host), x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    with open(os.open(key_path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        out.write(private)
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
