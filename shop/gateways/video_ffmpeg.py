"""Make a clip from a video: upright, 9:16, at a few sizes, equally loud, with a poster. ffmpeg does it in a child.

ffmpeg gets an open file and may open nothing else: `fd:` is its only protocol, MP4 and WebM its only containers, a
short list its only decoders. (A playlist called `.mp4` would make it read other files and addresses; a protocol
whitelist of `file` is not enough.) The executable is the one of imageio-ffmpeg, or `IMAGEIO_FFMPEG_EXE`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import imageio_ffmpeg
from PIL import Image

from shop.gateways import child
from shop.gateways.video_graph import PLAIN, Manner, graph
from shop.gateways.video_probe import LONGEST, Flaw, Found, UnfitError, probe

THREADS = "4"  # more of them cost memory and save little
DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg4,h263,prores,mjpeg,"
    "aac,mp3float,mp3,opus,libopus,vorbis,alac,amrnb,amrwb,flac,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,"
    "pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_u8,pcm_s8,pcm_mulaw,pcm_alaw"
)
POSTER_QUALITY = 72
_OUT_TIME = re.compile(r"out_time_us=(\d+)")

Watch = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Rung:
    """One size of a clip: pixels, quality (x264's CRF; lower is better) and the bit rates of picture and sound."""

    width: int
    height: int
    crf: int
    rate: int  # kbit/s at most
    sound: int  # kbit/s
    codec: str = "h264"

    @property
    def kind(self) -> str:
        """A short name for it, and for its file."""
        return f"{self.width}" if self.codec == "h264" else f"{self.width}-{self.codec}"


FIRST = Rung(540, 960, 25, 1000, 96)
LADDER = (FIRST, Rung(720, 1280, 24, 1800, 96), Rung(360, 640, 26, 500, 64))
MODERN = Rung(540, 960, 40, 1000, 96, "av1")
A_BIT_LARGER = 1.05


def rungs_for(found: Found, *, av1: bool = False) -> tuple[Rung, ...]:
    """The sizes to make, the one to publish first in front. Nothing is blown up; the smallest is always made."""
    width, height = found.shown
    fits = tuple(rung for rung in LADDER if min(rung.width / width, rung.height / height) <= A_BIT_LARGER) or (
        LADDER[-1],
    )
    return (*fits, MODERN) if av1 and FIRST in fits else fits


def make(
    file: IO[bytes],
    found: Found,
    rungs: Sequence[Rung],
    where: Path,
    *,
    poster: bool = False,
    watch: Watch | None = None,
) -> list[Path]:
    """Make the files of these rungs in the empty directory `where`, with `poster` also `poster.rgb`; give their paths.

    `watch` hears twice a second which part is done, from 0 to 1, and may raise to stop. Raises `UnfitError`.
    """
    lead = child.Lead(cpu=int(60 + 8 * found.seconds), wall=2 * (60 + 8 * found.seconds))

    def listen(said: str) -> None:
        times = _OUT_TIME.findall(said)
        if watch:
            watch(min(int(times[-1]) / 1e6 / found.seconds, 1.0) if times else 0.0)

    for manner in _manners(found):
        command = _command(found, rungs, graph(found, rungs, manner, poster=poster), poster=poster)
        try:
            child.run(command, lead=lead, file=file, where=where, watch=listen)
        except child.ChildFailedError as error:
            if error.late or manner == PLAIN:
                raise UnfitError(Flaw.TOO_HEAVY if error.late else Flaw.BROKEN) from error
        else:
            break
    return [where / f"{rung.kind}.mp4" for rung in rungs]


def _manners(found: Found) -> list[Manner]:
    """How to treat it, the best way first. What a filter cannot bear (odd colours, silence) is passed on as it is."""
    manners = [Manner(tone_map=found.is_hdr, loudness=found.has_sound), Manner(tone_map=found.is_hdr), PLAIN]
    return list(dict.fromkeys(manners))


def _command(found: Found, rungs: Sequence[Rung], filters: str, *, poster: bool) -> list[str]:
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y", "-v", "error", "-progress", "pipe:1"),
        *("-protocol_whitelist", "fd", "-format_whitelist", "mov,matroska", "-codec_whitelist", DECODERS),
        *("-max_alloc", str(512 * child.MIB), "-threads", THREADS, "-t", f"{LONGEST:g}"),
        *("-fd", "{fd}", "-i", "fd:", "-filter_complex_threads", THREADS, "-filter_complex", filters),
    ]
    for number, rung in enumerate(rungs):
        command += ["-map", f"[v{number}]", *_picture(rung)]
        if found.has_sound:
            command += ["-map", f"[a{number}]", "-c:a", "aac", "-b:a", f"{rung.sound}k"]
        command += [
            *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-movflags", "+faststart"),
            *("-brand", "isom", "-t", f"{LONGEST:g}", f"{rung.kind}.mp4"),
        ]
    if poster:
        command += ["-map", "[poster]", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "poster.rgb"]
    return command


def _picture(rung: Rung) -> list[str]:
    colours = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
    same = ["-crf", str(rung.crf), "-g", "60", "-threads", THREADS, *colours]
    if rung.codec == "av1":
        return ["-c:v", "libsvtav1", "-preset", "10", "-pix_fmt", "yuv420p10le", *same]
    rates = ["-maxrate", f"{rung.rate}k", "-bufsize", f"{2 * rung.rate}k"]
    steady = ["-keyint_min", "60", "-sc_threshold", "0"]
    return ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", *rates, *steady, *same]


def check(path: Path) -> Found:
    """Measure a file that we made. A video that breaks off can leave one without a single frame: `UnfitError`."""
    try:
        with path.open("rb") as file:
            return probe(file)
    except FileNotFoundError as error:
        raise UnfitError(Flaw.BROKEN) from error


def poster(where: Path, rung: Rung) -> tuple[Path, str]:
    """The first frame as WebP, and tiny as a `data:` address to show until that has arrived.

    The first frame, so that nothing jumps when the clip starts. ffmpeg left plain pixels: nothing here parses a
    stranger's bytes.
    """
    pixels = (where / "poster.rgb").read_bytes()
    size = (rung.width, rung.height)
    if len(pixels) != rung.width * rung.height * 3:
        raise UnfitError(Flaw.BROKEN)
    frame = Image.frombytes("RGB", size, pixels)
    path = where / "poster.webp"
    frame.save(path, "WEBP", quality=POSTER_QUALITY, method=5)
    tiny = BytesIO()
    frame.resize((12, 21), Image.Resampling.BOX).save(tiny, "WEBP", quality=30, method=5)
    return path, f"data:image/webp;base64,{base64.b64encode(tiny.getvalue()).decode()}"
