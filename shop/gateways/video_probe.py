"""Look at a video without believing it: what its first bytes are, then what a decoder finds in it.

Neither the name of the file nor the type that a browser gives is ever asked. The container is opened and one frame is
decoded in a child on a short lead (`video_probe_child.py`); sizes are checked before the first frame is decoded.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from shop.gateways import child

LONGEST = 60.0  # seconds
LARGEST = 400 * 1024 * 1024  # bytes
WIDEST = 4096  # pixels a side
NARROWEST = 64
FASTEST = 60.0  # frames a second
SLOWEST = 0.1
MOST_STREAMS = 4  # of picture and sound; a phone adds tracks of its own about place and light
MOST_TRACKS = 16
SHORTEST = 0.5
A_LITTLE = 0.6  # seconds, frames: clocks of cameras are not exact

PQ, HLG = 16, 18  # ITU-T H.273, transfer characteristics

_LEAD = child.Lead(cpu=10, wall=15, memory=2 * 1024 * child.MIB, largest_file=child.MIB)
_CHILD = Path(__file__).with_name("video_probe_child.py")
_PICTURES = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"avif", b"avis", b"mif1", b"msf1", b"crx ", b"jxl ")
_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


class Flaw(StrEnum):
    """Why a video cannot be used; whoever shows it to a person finds the words."""

    NOT_A_VIDEO = "not_a_video"
    BROKEN = "broken"
    NO_PICTURE = "no_picture"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    TOO_WIDE = "too_wide"
    TOO_SMALL = "too_small"
    TOO_FAST = "too_fast"
    TOO_MANY_STREAMS = "too_many_streams"
    TOO_HEAVY = "too_heavy"


class UnfitError(Exception):
    """This file is not a video that we can show."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Found:
    """What a decoder found. `width` and `height` are as coded, before `rotation` (degrees) and `pixel` (w / h).

    `picture` and `sound` are the numbers of the streams to use (no sound: -1); `pictures`, `sounds` and `others` count.
    `transfer`, `primaries` and `matrix` are the numbers of ITU-T H.273; 2 is "not said".
    """

    width: int
    height: int
    pixel: float
    rotation: int
    seconds: float
    fps: float
    picture: int
    sound: int
    transfer: int
    primaries: int
    matrix: int
    codec: str
    pictures: int
    sounds: int
    others: int
    tracks: int

    @property
    def has_sound(self) -> bool:
        """Is there anything to hear?"""
        return self.sound >= 0

    @property
    def is_hdr(self) -> bool:
        """Does it hold more light than an ordinary screen can show?"""
        return self.transfer in (PQ, HLG)

    @property
    def shown(self) -> tuple[float, float]:
        """Width and height as a person sees them."""
        seen = (self.width * self.pixel, float(self.height))
        return seen[::-1] if self.rotation % 180 else seen


def looks_like_video(start: bytes) -> bool:
    """Do the first 12 bytes belong to MP4, QuickTime or WebM? What begins as text or a picture never does."""
    if start[:4] == b"\x1a\x45\xdf\xa3":
        return True
    if start[4:8] == b"ftyp":
        return start[8:12] not in _PICTURES
    return start[4:8] in _QUICKTIME


def probe(file: IO[bytes]) -> Found:
    """Open the file in a child and measure it; `UnfitError` says what is wrong with it."""
    file.seek(0, 2)
    if file.tell() > LARGEST:
        raise UnfitError(Flaw.TOO_LARGE)
    file.seek(0)
    if not looks_like_video(file.read(12)):
        raise UnfitError(Flaw.NOT_A_VIDEO)
    limits = [str(limit) for limit in (WIDEST, MOST_TRACKS, LONGEST + A_LITTLE)]
    with TemporaryDirectory() as where:
        try:
            said = child.run(
                [sys.executable, "-I", str(_CHILD), "{fd}", *limits], lead=_LEAD, file=file, where=Path(where)
            )
        except child.ChildFailedError as error:
            raise UnfitError(Flaw.TOO_HEAVY if error.late else Flaw.BROKEN) from error
    found = _read(said)
    _check(found)
    return found


def _read(said: str) -> Found:
    """What the child wrote, taken with care: it has been alone with a stranger."""
    try:
        answer: dict[str, Any] = json.loads(said)
        if (flaw := answer.get("flaw")) is not None:
            raise UnfitError(Flaw(flaw))
        kinds = {"int": int, "float": float, "str": str}
        return Found(**{field.name: kinds[str(field.type)](answer[field.name]) for field in fields(Found)})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnfitError(Flaw.BROKEN) from error


def _check(found: Found) -> None:
    """Hold what was measured against the limits of this shop."""
    rules = (
        (found.pictures == 0, Flaw.NO_PICTURE),
        (found.pictures + found.sounds > MOST_STREAMS or found.others > 0, Flaw.TOO_MANY_STREAMS),
        (found.tracks > MOST_TRACKS, Flaw.TOO_MANY_STREAMS),
        (max(found.width, found.height) > WIDEST, Flaw.TOO_WIDE),
        (min(found.width, found.height) < NARROWEST, Flaw.TOO_SMALL),
        (not 0.1 <= found.pixel <= 10, Flaw.BROKEN),
        (found.seconds > LONGEST + A_LITTLE, Flaw.TOO_LONG),
        (found.seconds < SHORTEST, Flaw.TOO_SHORT),
        (found.fps < SLOWEST, Flaw.BROKEN),
        (found.fps > FASTEST + A_LITTLE, Flaw.TOO_FAST),
    )
    for is_so, flaw in rules:
        if is_so:
            raise UnfitError(flaw)
