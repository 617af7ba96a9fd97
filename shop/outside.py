"""Whom the shop asks outside, as the operator chose: registers, banks, unsafe goods. In production never a sandbox."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from shop.environment import Reader


class Outside(NamedTuple):
    """Who is asked about addresses, companies, accounts and unsafe products: `off`, `sandbox`, or somebody real."""

    addresses: str
    companies: str
    kvk_key: str
    banks: str
    vop: tuple[str, ...]  # the contract with who asks the banks, see `bank_vop.Contract`
    recalls: str
    recall_checks: int  # so many listings are held against that list each day


def read(reader: Reader, env: str) -> Outside:
    """What the operator chose; with no word from them sandboxes where one tries out, and nobody in production."""
    is_real = env == "production"
    is_demo = reader.flag("DEMO", default=not is_real)
    checks = int(reader.number("RECALL_CHECKS", 20, 1, 1000))
    banks = _banks(reader, is_real)
    asked = (*_companies(reader, is_real), banks, _vop(reader, banks), _recalls(reader, is_real), checks)
    return Outside(_addresses(reader, is_demo, is_real), *asked)


def _addresses(reader: Reader, is_demo: bool, is_real: bool) -> str:
    """Which street a postcode is: nobody is asked until the operator says so; in a demo a table of its own."""
    chosen = reader.one_of("ADDRESS_LOOKUP", *(("sandbox", "off") if is_demo else ("off", "sandbox")), "pdok")
    if is_real and chosen == "sandbox":
        reader.wrong.append("ADDRESS_LOOKUP=sandbox knows a handful of streets: not when APP_ENV=production")
    return chosen


def _companies(reader: Reader, is_real: bool) -> tuple[str, str]:
    """Whose a number of a register or of VAT is. The key is KVK's; VIES needs none."""
    key = reader.text("KVK_API_KEY", "")
    usual = "official" if key else "off" if is_real else "sandbox"
    others = [choice for choice in ("off", "sandbox", "official") if choice != usual]
    chosen = reader.one_of("COMPANY_LOOKUP", usual, *others)
    if is_real and chosen == "sandbox":
        reader.wrong.append("COMPANY_LOOKUP=sandbox knows a handful of made-up companies: not when APP_ENV=production")
    if key and chosen != "official":
        reader.wrong.append(f"KVK_API_KEY is set, and COMPANY_LOOKUP={chosen} does not use it: take one of them away")
    if key and (len(key) < 20 or not key.isascii() or not key.isprintable()):
        reader.wrong.append("KVK_API_KEY must be the whole key that KVK gave you, of at least 20 characters")
    return chosen, key


def _banks(reader: Reader, is_real: bool) -> str:
    """On whose name an account is."""
    chosen = reader.one_of("BANK_CHECK", *(("off", "sandbox") if is_real else ("sandbox", "off")), "vop")
    if is_real and chosen == "sandbox":
        reader.wrong.append("BANK_CHECK=sandbox says what it was told to say: not when APP_ENV=production")
    return chosen


_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


def _vop(reader: Reader, banks: str) -> tuple[str, ...]:
    """The contract for `BANK_CHECK=vop`: where, as whom, and a certificate, or where tokens come from."""
    told = {
        "VOP_URL": reader.text("VOP_URL", ""),
        "VOP_BIC": reader.text("VOP_BIC", ""),
        "VOP_CERTIFICATE": reader.text("VOP_CERTIFICATE", ""),
        "VOP_TOKEN_URL": reader.text("VOP_TOKEN_URL", ""),
        "VOP_CLIENT": reader.text("VOP_CLIENT", ""),
        "VOP_SECRET": reader.text("VOP_SECRET", ""),
        "VOP_SCOPE": reader.text("VOP_SCOPE", ""),
    }
    if banks != "vop":
        reader.wrong += [f"{name} is set, and BANK_CHECK={banks} does not use it" for name in told if told[name]]
        return ()
    _see_to_contract(reader, told)
    return tuple(told.values())


def _see_to_contract(reader: Reader, told: dict[str, str]) -> None:
    """Refuse half of a contract."""
    for name in ("VOP_URL", "VOP_TOKEN_URL"):
        if not told[name].startswith("https://") and (told[name] or name == "VOP_URL"):
            reader.wrong.append(f"{name} must be an https:// address: names and accounts go there")
    if not _BIC.fullmatch(told["VOP_BIC"]):
        reader.wrong.append("VOP_BIC must be the BIC of who asks the banks for you, of 8 or 11 signs")
    if told["VOP_CERTIFICATE"] and not Path(told["VOP_CERTIFICATE"]).is_file():
        reader.wrong.append("VOP_CERTIFICATE must be a file with the certificate and its key")
    if len({bool(told[name]) for name in ("VOP_TOKEN_URL", "VOP_CLIENT", "VOP_SECRET")}) > 1:
        reader.wrong.append("VOP_TOKEN_URL, VOP_CLIENT and VOP_SECRET belong together: set all of them, or none")
    if not told["VOP_CERTIFICATE"] and not told["VOP_SECRET"]:
        reader.wrong.append("BANK_CHECK=vop needs VOP_CERTIFICATE, or VOP_TOKEN_URL with its client and secret")


def _recalls(reader: Reader, is_real: bool) -> str:
    """What of our goods is known to be unsafe: `safety-gate`, an https address or a path of ours, else `off`."""
    chosen = reader.text("RECALLS_FEED", "off" if is_real else "sandbox")
    if is_real and chosen == "sandbox":
        reader.wrong.append("RECALLS_FEED=sandbox has alerts that somebody made up: not when APP_ENV=production")
    is_place = chosen.startswith(("https://", "/"))
    if chosen not in ("off", "sandbox", "safety-gate") and not is_place:
        reader.wrong.append(
            f"RECALLS_FEED must be off or sandbox or safety-gate, an https:// address, or a path from /, not {chosen!r}"
        )
    return chosen
