"""The child of `paper_reader`: reads one paper from an open file, and writes pictures of its pages in its place.

It is a script of its own, run in a process with hardly any rights. It prints as JSON how long each picture is, or what
is wrong. Nothing of the original is copied: each picture is painted on a new one, and that is what is saved.

Given sides in pixels, it makes a WebP of the picture for each of them, for a shop window; else a JPEG of each page.
"""

import ctypes
import io
import json
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageStat

MOST_PIXELS = 40_000_000
MOST_PIXELS_COPIED = 16_000_000  # where the decoder (WebP) or making it smaller (transparency) takes more copies
SMALLEST, LARGEST_SIDE = 200, 2000  # pixels
MOST_PAGES = 20
DPI = 200
MOST_UNPACKED = 4 * 1024 * 1024  # bytes of a list of objects in a PDF; more is a trick
ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE)(?![A-Za-z])")
NO_EXIF = (SyntaxError, struct.error, ValueError)  # no TIFF at all, one that is cut off, a PNG's that is no hex
HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
PACKED = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)


class FlawError(Exception):
    """What is wrong with it, as a word."""


def picture(content: bytes, kind: str, side: int = LARGEST_SIDE) -> Iterator[Image.Image]:
    """The one picture in a picture file, at most `side` pixels across and down, turned as it was held."""
    with Image.open(io.BytesIO(content), formats=[kind.upper()]) as found:
        width, height = found.size
        is_copied = kind == "webp" or found.mode in ("RGBA", "LA", "PA") or "transparency" in found.info
        if width * height > (MOST_PIXELS_COPIED if is_copied else MOST_PIXELS):
            raise FlawError("too_many_pixels")
        if min(width, height) < SMALLEST:
            raise FlawError("too_small")
        if kind != "jpeg" and getattr(found, "is_animated", False):
            raise FlawError("moves")
        if found.mode[:1] in ("I", "F"):
            raise FlawError("broken")
        found.draft("RGB", _no_smaller_than(found.size, side))  # a JPEG is decoded in a smaller size at once
        found.load()
        small = _in_colours(found)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield _turned(small, found)


def _no_smaller_than(size: tuple[int, int], side: int) -> tuple[int, int]:
    """What a picture of this size becomes, rounded up: asked for a square, a decoder would stop far above it."""
    width, height = size
    most = max(width, height, side)
    return -(-width * side // most), -(-height * side // most)


def _in_colours(found: Image.Image) -> Image.Image:
    """Without a palette, so that it can be made smaller and still be read."""
    if found.mode == "P":
        return found.convert("RGBA" if "transparency" in found.info else "RGB")
    return found.convert("L") if found.mode == "1" else found


def _turned(small: Image.Image, found: Image.Image) -> Image.Image:
    """As it was held; what camera wrote nonsense about that is left as it lies."""
    ways = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's numbers to Pillow's
    try:
        way = ways.get(found.getexif().get(0x0112) or 1)
    except NO_EXIF:
        way = None
    return small if way is None else small.transpose(Image.Transpose(way))


def pages(content: bytes) -> Iterator[Image.Image]:
    """The pages of a PDF, as a printer would show them; nothing in it is run, followed or filled in."""
    import pypdfium2  # noqa: PLC0415  most of what comes is a picture, and this is large

    if _is_active(content):
        raise FlawError("active")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise FlawError("locked" if "assword" in str(error) else "broken") from error
    _refuse(document, pypdfium2.raw)
    for page in document:
        _refuse_launch(page, pypdfium2.raw)
        side = max(page.get_size())
        if not 0 < side < 20_000:
            raise FlawError("broken")
        yield page.render(scale=min(DPI / 72, LARGEST_SIDE / side), may_draw_forms=False).to_pil()


def _refuse(document: Any, raw: Any) -> None:
    if raw.FPDF_GetSecurityHandlerRevision(document.raw) != -1:
        raise FlawError("locked")
    if raw.FPDFDoc_GetJavaScriptActionCount(document.raw) or raw.FPDFDoc_GetAttachmentCount(document.raw):
        raise FlawError("active")
    if not 0 < len(document) <= MOST_PAGES:
        raise FlawError("too_many_pages" if len(document) else "broken")


def _refuse_launch(page: Any, raw: Any) -> None:
    place, link = ctypes.c_int(0), raw.FPDF_LINK()
    while raw.FPDFLink_Enumerate(page.raw, ctypes.byref(place), ctypes.byref(link)):
        action = raw.FPDFLink_GetAction(link)
        if action and raw.FPDFAction_GetType(action) in (raw.PDFACTION_LAUNCH, raw.PDFACTION_EMBEDDEDGOTO):
            raise FlawError("active")


def _is_active(content: bytes) -> bool:
    """Does it name something that acts? Also in its packed lists of objects, and however the name is spelt."""
    for part in (content, *_unpacked(content)):
        if ACTIVE.search(part) or (b"#" in part and ACTIVE.search(HEX.sub(_plain, part))):
            return True
    return False


def _plain(found: "re.Match[bytes]") -> bytes:
    return bytes([int(found[1], 16)])


def _unpacked(content: bytes) -> Iterator[bytes]:
    for found in PACKED.finditer(content):
        try:
            yield zlib.decompressobj().decompress(content[found.end() :], MOST_UNPACKED)
        except zlib.error:
            continue


def painted(image: Image.Image) -> Image.Image:
    """The same picture on new paper, and nothing that hung on to the old one."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        clean = Image.new("RGB", image.size, "white")
        clean.paste(image, mask=image.getchannel("A"))
    else:
        clean = Image.new("RGB", image.size)
        clean.paste(image.convert("RGB"))
    return clean


def as_page(image: Image.Image) -> bytes:
    """A page, to be read."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def as_seen(image: Image.Image, side: int) -> bytes:
    """A picture for a shop window, which becomes at most so many pixels across and down; the next is made of it."""
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()


def look_at(image: bytes) -> dict[str, Any]:
    """How wide and high it is, and 64 bits of how it looks: where each of 8 x 8 fields is brighter than the next."""
    with Image.open(io.BytesIO(image)) as found:
        shape = found.size
        small = found.convert("L").resize((9, 8))
    lit = small.tobytes()
    bits = "".join(str(int(lit[9 * y + x] > lit[9 * y + x + 1])) for y in range(8) for x in range(8))
    mark = int(bits, 2).to_bytes(8, "big") if ImageStat.Stat(small).stddev[0] > 1 else bytes(8)
    return {"shape": shape, "looks": mark.hex()}


def made_of(content: bytes, kind: str, sides: list[int]) -> list[bytes]:
    """The clean pictures of a file; of a picture for a shop window one for each side, the largest first."""
    if sides:
        clean = painted(next(picture(content, kind, sides[0])))
        return [as_seen(clean, side) for side in sides]
    found = pages(content) if kind == "pdf" else picture(content, kind)
    return [as_page(painted(image)) for image in found]


def main(fd: int, kind: str, sides: list[int]) -> dict[str, Any]:
    """Read the file `fd` as what it begins like, and put the pictures in its place."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with open(fd, "r+b", closefd=False) as desk:
        content = desk.read()
        try:
            made = made_of(content, kind, sides)
        except FlawError as flaw:
            return {"flaw": str(flaw)}
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            return {"flaw": "too_many_pixels"}
        except MemoryError:
            return {"flaw": "too_heavy"}
        except Exception as error:  # what decoders raise is no list that anybody keeps: unread is the safe answer
            sys.stderr.write(type(error).__name__)
            return {"flaw": "broken"}
        desk.seek(0)
        desk.truncate()
        desk.writelines(made)
    return {"sizes": [len(page) for page in made], **look_at(made[0])}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), sys.argv[2], [int(side) for side in sys.argv[3:]])))
