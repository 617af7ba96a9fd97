"""Look at a paper without believing it, and make clean pictures of its pages.

The first bytes say what it is (JPEG, PNG, WebP or PDF); neither its name nor the type that a browser gives is asked.
Then a child on a short lead (`paper_reader_child.py`) decodes it and gives new pictures, in which nothing is left but
what one sees. The original goes no further. All of it stays in memory, as it did on its way here (`edge`): a paper
never touches the disk in the clear. (Where there is no memfd, elsewhere than on Linux, the desk is a nameless file.)
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any

from PIL import Image, ImageDraw, ImageFont

from shop import turn
from shop.gateways import child

LARGEST = 15 * 1024 * 1024  # bytes
LARGEST_PICTURE = 25 * 1024 * 1024
SIDES = (1600, 640, 360, 216)  # pixels at most, across and down, of a picture in a shop window
MOST_PAGES = 20

# Somebody waits for it, so it hardly steps back for others.
_LEAD = child.Lead(cpu=5, wall=20, memory=768 * child.MIB, largest_file=64 * child.MIB, nice=2)
_CHILD = Path(__file__).with_name("paper_reader_child.py")
Made = tuple[list[bytes], bytes, tuple[int, int]]
_turns = BoundedSemaphore(2)  # in one process; each takes up to 300 MB
_STARTS = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"))


class Flaw(StrEnum):
    """Why a paper cannot be used; whoever shows it to a person finds the words."""

    OTHER_KIND = "other_kind"
    TOO_LARGE = "too_large"
    BROKEN = "broken"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    MOVES = "moves"
    ACTIVE = "active"
    LOCKED = "locked"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_HEAVY = "too_heavy"


class UnfitError(Exception):
    """This file is not a paper that we can show."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Read:
    """A paper as it was read: what it came as, a JPEG of each page, and how its first page looks (64 bits)."""

    came_as: str
    pages: tuple[bytes, ...]
    looks: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture for a shop window: a WebP for each of `SIDES`, how it looks (64 bits), and how large the first is."""

    sizes: tuple[bytes, ...]
    looks: bytes
    width: int
    height: int


def kind_of(start: bytes) -> str:
    """What begins like this; empty for what we do not take."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    return next((kind for sign, kind in _STARTS if start.startswith(sign)), "")


def read(file: IO[bytes]) -> Read:
    """Make clean pictures of a paper; `UnfitError` says what is wrong with it."""
    content = _taken_in(file, LARGEST)
    came_as = kind_of(content[:12])
    if not came_as:
        raise UnfitError(Flaw.OTHER_KIND)
    made, looks, _shape = _given_to_the_child(content, came_as)
    if len(made) > MOST_PAGES or any(page[:3] != b"\xff\xd8\xff" for page in made):
        raise UnfitError(Flaw.BROKEN)
    return Read(came_as, tuple(made), looks)


def read_for_show(file: IO[bytes]) -> Shown:
    """Make clean pictures of one that goes in a shop window, in four sizes; `UnfitError` says what is wrong with it."""
    content = _taken_in(file, LARGEST_PICTURE)
    came_as = kind_of(content[:12])
    if came_as not in ("jpeg", "png", "webp"):
        raise UnfitError(Flaw.OTHER_KIND)
    made, looks, (width, height) = _given_to_the_child(content, came_as, *SIDES)
    is_sane = 0 < width <= SIDES[0] and 0 < height <= SIDES[0]
    if len(made) != len(SIDES) or not is_sane or any(kind_of(one[:12]) != "webp" for one in made):
        raise UnfitError(Flaw.BROKEN)
    return Shown(tuple(made), looks, width, height)


def _taken_in(file: IO[bytes], largest: int) -> bytes:
    content = file.read(largest + 1)
    if len(content) > largest:
        raise UnfitError(Flaw.TOO_LARGE)
    return content


def _given_to_the_child(content: bytes, came_as: str, *sides: int) -> Made:
    """The pictures that the child makes of it, how the first looks, and how wide and high it is."""
    asked = [sys.executable, "-I", str(_CHILD), "{fd}", came_as, *map(str, sides)]
    with turn.aside(), _turns, _nameless() as desk, TemporaryDirectory() as where:
        desk.write(content)
        desk.flush()
        try:
            said = child.run(asked, lead=_LEAD, file=desk, where=Path(where))
        except child.ChildFailedError as error:
            raise UnfitError(Flaw.TOO_HEAVY if error.late else Flaw.BROKEN) from error
        return _taken(said, desk)


def _nameless() -> IO[bytes]:
    """A file that only we and the child have: in memory on Linux, elsewhere one that has lost its name already."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("paper"), "w+b")
    return TemporaryFile()


def _taken(said: str, desk: IO[bytes]) -> Made:
    """What the child left on the desk, taken with care: it has been alone with a stranger."""
    try:
        answer: dict[str, Any] = json.loads(said)
        if (flaw := answer.get("flaw")) is not None:
            raise UnfitError(Flaw(flaw))
        desk.seek(0)
        made = [desk.read(int(size)) for size in answer["sizes"]]
        looks = bytes.fromhex(answer["looks"])
        width, height = map(int, answer["shape"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnfitError(Flaw.BROKEN) from error
    if not made or len(looks) != 8:
        raise UnfitError(Flaw.BROKEN)
    return made, looks, (width, height)


def watermarked(page: bytes, words: str) -> bytes:
    """The page as one person sees it at one moment: `words` stand all over it, so that a photograph tells on them."""
    with turn.aside(), Image.open(BytesIO(page), formats=["JPEG"]) as clean:
        seen = clean.convert("RGBA")
        veil = Image.new("RGBA", seen.size)
        pen, font = ImageDraw.Draw(veil), ImageFont.load_default(max(16, seen.width // 32))
        step = max(80, seen.height // 9)
        for row, top in enumerate(range(step // 2, seen.height, step)):
            line = "   ".join([words] * 4)[row % 3 * 7 :]
            pen.text((8, top), line, font=font, fill=(160, 0, 60, 110))
        out = BytesIO()
        Image.alpha_composite(seen, veil).convert("RGB").save(out, "JPEG", quality=80)
        return out.getvalue()


def specimen(*lines: str) -> Read:
    """A made-up paper with these lines on it, for a shop of made-up people."""
    with turn.aside():
        card = Image.new("RGB", (1000, 630), "#dfe6ee")
        pen = ImageDraw.Draw(card)
        pen.rectangle((0, 0, 1000, 90), fill="#3b4a63")
        pen.text((40, 20), "SPECIMEN", font=ImageFont.load_default(48), fill="white")
        for n, line in enumerate(lines):
            pen.text((40, 130 + 70 * n), line, font=ImageFont.load_default(40), fill="#17171c")
        out = BytesIO()
        card.save(out, "JPEG", quality=80)
    return Read("jpeg", (out.getvalue(),), sha256("\n".join(lines).encode()).digest()[:8])
