"""Papers for tests: pictures with a word in them that must be found nowhere, and a PDF written by hand."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFont

CANARY = b"CANARY-4417-OF-MINA"


def picture(words: str = "MINA DE VRIES", size: tuple[int, int] = (900, 600), mode: str = "RGB") -> Image.Image:
    """Something that looks like a card with a text on it."""
    made = Image.radial_gradient("L").resize(size).convert(mode)
    pen = ImageDraw.Draw(made)
    pen.text((40, 40), words, font=ImageFont.load_default(60), fill=255 if mode == "L" else "white")
    return made


def as_file(made: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def jpeg(words: str = "MINA DE VRIES", **options: Any) -> bytes:
    """A photograph that carries a place and a word which nobody should get."""
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    exif.get_ifd(0x8825)[2] = (52.0, 5.0, 30.0)
    exif[0x0112] = options.pop("turned", 1)
    return as_file(picture(words), "JPEG", exif=exif, comment=CANARY, **options)


def pdf(*more: bytes, pages: int = 1, root: bytes = b"", trailer: bytes = b"", page: bytes = b"") -> bytes:
    """A PDF with so many pages; `root` goes into its catalogue, `more` are further objects from number 100 on."""
    kids = b" ".join(b"%d 0 R" % (10 + n) for n in range(pages))
    text = b"BT /F1 40 Tf 60 700 Td (" + CANARY + b") Tj ET"
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + root + b" >>",
        2: b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % pages,
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: b"<< /Length %d >>\nstream\n" % len(text) + text + b"\nendstream",
    }
    one = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
    one += b"/Resources << /Font << /F1 3 0 R >> >> " + page + b" >>"
    objects |= {10 + n: one for n in range(pages)} | {100 + n: body for n, body in enumerate(more)}
    out, places = BytesIO(), {}
    out.write(b"%PDF-1.7\n")
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    out.write(b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (200, trailer, start))
    return out.getvalue()


def packed(inside: bytes) -> bytes:
    """An object that holds other objects, compressed: where a name can hide."""
    body = zlib.compress(b"300 0 " + inside)
    head = b"<< /Type /ObjStm /N 1 /First 6 /Filter /FlateDecode /Length %d >>\nstream\n" % len(body)
    return head + body + b"\nendstream"
