"""The child of `video_probe`: opens one container with PyAV, and prints as JSON what is in it.

It is a script of its own, run in a process with hardly any rights. It takes the number of an open file and the limits
that have to hold before a frame may be decoded: widest side, most tracks, longest duration.
"""

import json
import sys
from typing import Any

import av

FORMATS = {"format_whitelist": "mov,matroska", "protocol_whitelist": "none"}
SEEN = frozenset(("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "h263", "prores", "mjpeg"))
HEARD = frozenset(("aac", "mp3", "opus", "vorbis", "alac", "amrnb", "amrwb", "flac"))
MOST_PACKETS = 20_000
QUIET = 8  # seconds without an answer from the disk


def look(fd: int, widest: int, most_tracks: int, longest: float) -> dict[str, Any]:
    """Measure the open file `fd`; `{"flaw": ...}` when it should not be looked at any further."""
    with open(fd, "rb", closefd=False) as source, av.open(source, options=FORMATS, timeout=(QUIET, QUIET)) as box:
        streams = list(box.streams)
        if len(streams) > most_tracks:
            return {"flaw": "too_many_streams"}
        picture = next((stream for stream in box.streams.video if not _is_cover(stream)), None)
        if picture is None:
            return {"flaw": "no_picture"}
        coded = picture.codec_context
        if coded is None or coded.codec.canonical_name not in SEEN:
            return {"flaw": "broken"}
        if max(coded.width, coded.height) > widest:
            return {"flaw": "too_wide"}
        seconds, fps = _pace(box, picture)
        if seconds > longest:
            return {"flaw": "too_long"}
        sound = next((stream for stream in box.streams.audio if _is_heard(stream)), None)
        kinds = [stream.type for stream in streams]
        return {
            "picture": picture.index,
            "sound": -1 if sound is None else sound.index,
            "pictures": kinds.count("video"),
            "sounds": kinds.count("audio"),
            "others": kinds.count("subtitle") + kinds.count("attachment"),
            "tracks": len(kinds),
            "codec": coded.codec.canonical_name,
            "seconds": seconds,
            "fps": fps,
            **_first_frame(box, picture),
        }


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_heard(stream: Any) -> bool:
    """Can we decode this sound? A phone may add a second, spatial one that nobody else can."""
    coded = stream.codec_context
    return coded is not None and (coded.codec.canonical_name in HEARD or coded.codec.canonical_name.startswith("pcm_"))


def _pace(box: Any, picture: Any) -> tuple[float, float]:
    """Seconds and frames a second: as written, or counted where a browser that recorded it wrote nothing."""
    seconds = (box.duration or 0) / av.time_base
    if picture.duration and picture.time_base:
        seconds = max(seconds, float(picture.duration * picture.time_base))
    if seconds > 0 and picture.average_rate:
        return seconds, float(picture.average_rate)
    frames, start, end = 0, 0.0, 0.0
    for packet in box.demux(picture):
        if packet.pts is None:
            continue
        frames += 1
        at = float(packet.pts * packet.time_base)
        start, end = (at, at) if frames == 1 else (min(start, at), max(end, at))
        if frames >= MOST_PACKETS:
            break
    box.seek(0)
    seconds = max(seconds, end - start)
    return seconds, frames / seconds if seconds else 0.0


def _first_frame(box: Any, picture: Any) -> dict[str, Any]:
    """Decode one frame: only that proves that there is a picture, and only it knows how it was held."""
    picture.codec_context.thread_count = 1
    frame = next(box.decode(picture))
    pixel = picture.sample_aspect_ratio
    return {
        "width": frame.width,
        "height": frame.height,
        "pixel": float(pixel) if pixel else 1.0,
        "rotation": int(frame.rotation),
        "transfer": int(frame.color_trc),
        "primaries": int(frame.color_primaries),
        "matrix": int(frame.colorspace),
    }


if __name__ == "__main__":
    seen = look(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    sys.stdout.write(json.dumps(seen))
