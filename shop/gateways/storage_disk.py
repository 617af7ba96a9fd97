"""Files of the shop on the local disk, in `instance/media`, named by what is in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import current_app


def store(content: bytes | Path, suffix: str) -> str:
    """Keep these bytes, or the ones of this file, and give back the name that they have from now on.

    The same bytes get the same name, so storing twice keeps one file, and a name may be cached for ever.
    """
    body = content.read_bytes() if isinstance(content, Path) else content
    name = hashlib.sha256(body).hexdigest()[:32] + suffix
    target = path_of(name)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(body)
        os.replace(file.name, target)  # whoever looks sees the whole file or none
    return name


def path_of(name: str) -> Path:
    """Where the file of this name is, or would be."""
    return Path(current_app.instance_path) / "media" / name


def delete(name: str) -> None:
    """Throw this file away; no harm if it is gone already."""
    path_of(name).unlink(missing_ok=True)
