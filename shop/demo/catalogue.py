"""The catalogue of the demo: read it, keep its files, find again what it named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from shop import clock, settings
from shop.database import db
from shop.gateways import storage_disk
from shop.models import Base

FOLDER = settings.ROOT / "demo"
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"

Entry = Mapping[str, Any]
Files = Mapping[str, str]


def read() -> Entry:
    """Everything that is in it."""
    found: Entry = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))
    return found


def keep_files() -> Files:
    """Put every file of the demo in the media storage: its path in the folder -> its name there."""
    return {
        path.relative_to(FOLDER).as_posix(): storage_disk.store(path, path.suffix)
        for kind in ("avatars", "captions", "clips", "posters", "products")
        for path in sorted((FOLDER / kind).rglob("*.*"))
    }


def code(kind: str, slug: str) -> str:
    """A public code that looks like any other, and is the same at every loading."""
    digest = int.from_bytes(hashlib.sha256(f"demo {kind} {slug}".encode()).digest()[:8])
    return "".join(LETTERS[digest // len(LETTERS) ** place % len(LETTERS)] for place in range(8))


def is_there(model: type[Base], *condition: ColumnElement[bool]) -> bool:
    """Is there such a row?"""
    return db.session.scalar(select(1).select_from(model).where(*condition).limit(1)) is not None


def ago(days: float) -> datetime:
    """The moment so many days before now."""
    return clock.now() - timedelta(days=days)
