"""Twelve files that mean harm: to read what is not theirs, to fetch, or to take all there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.films import BIKES, BUNNY, ffmpeg

# Each gets the folder to be made in, a file that may not be read, and an address that may not be called.
Maker = Callable[[Path, Path, str], Path]


def _text(name: str, words: str) -> Maker:
    def make(folder: Path, canary: Path, address: str) -> Path:
        path = folder / f"{name}.mp4"
        path.write_text(words.format(file=canary, name=canary.name, address=address))
        return path

    return make


def _playlist(target: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"


MPD = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S">'
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
    "<BaseURL>{address}</BaseURL></Representation></AdaptationSet></Period></MPD>"
)
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
ASS = "[Script Info]\n; {address}\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{{\\img({address})}}\n"


def _subtitles(folder: Path, _canary: Path, address: str) -> Path:
    words = folder / "words.srt"
    words.write_text(f'1\n00:00:00,000 --> 00:00:01,000\n<img src="{address}">\n')
    return ffmpeg(["-t", "1", "-i", str(BIKES), "-i", str(words), "-c:v", "copy", "-c:s", "srt"], folder / "subs.mkv")


def _external(folder: Path, canary: Path, _address: str) -> Path:
    """A QuickTime file whose pictures are said to lie in another file: its data reference is not `self` (flag 1)."""
    whole = ffmpeg(["-t", "1", "-i", str(BIKES), "-c", "copy", "-movflags", "+faststart"], folder / "self.mov")
    film = whole.read_bytes()
    whole.unlink()
    at = film.index(b"dref") + 4 + 4 + 4  # behind its version and its count
    old = int.from_bytes(film[at : at + 4])
    where = b"file://" + str(canary).encode() + b"\0"
    entry = (12 + len(where)).to_bytes(4) + b"url " + b"\0\0\0\0" + where
    film = film[:at] + entry + film[at + old :]
    grown = len(entry) - old
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        film = _wider(film, box, grown)
    path = folder / "dref.mov"
    path.write_bytes(film)
    return path


def _wider(film: bytes, box: bytes, by: int) -> bytes:
    at = film.index(box) - 4
    return film[:at] + (int.from_bytes(film[at : at + 4]) + by).to_bytes(4) + film[at + 4 :]


def _immense(side: int) -> Maker:
    """So many pixels a side, says the picture itself; the file has 20 kB."""

    def make(folder: Path, _canary: Path, _address: str) -> Path:
        path = ffmpeg(["-t", "1", "-i", str(BIKES), "-c:v", "mjpeg", "-q:v", "31"], folder / f"immense-{side}.mov")
        size = b"\xff\xc0\x00\x11\x08" + (272).to_bytes(2) + (640).to_bytes(2)  # the frame header of a JPEG
        film = path.read_bytes()
        assert film.count(size) == 25
        path.write_bytes(film.replace(size, size[:5] + 2 * side.to_bytes(2)))
        return path

    return make


def _hasty(folder: Path, _canary: Path, _address: str) -> Path:
    tiny = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=10000:d=1", "-c:v", "libx264", "-preset", "ultrafast"]
    return ffmpeg(tiny, folder / "hasty.mp4")


def _thousandfold(folder: Path, _canary: Path, _address: str) -> Path:
    streams = [word for _stream in range(1000) for word in ("-map", "0:v")]
    return ffmpeg(["-t", "0.2", "-i", str(BIKES), *streams, "-c", "copy"], folder / "thousand.mkv")


def _endless(folder: Path, _canary: Path, _address: str) -> Path:
    """Hours, say all headers of an MP4, and each of its 25 frames is said to stay for 82 seconds."""
    path = ffmpeg(["-t", "1", "-i", str(BIKES), "-c", "copy"], folder / "endless.mp4")
    film = bytearray(path.read_bytes())
    for box, behind in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16), (b"elst", 8), (b"stts", 12)):
        at = film.index(box) + 4 + behind
        film[at : at + 4] = b"\x00\x10\x00\x00" if box == b"stts" else b"\x00\xff\xff\xff"
    path.write_bytes(film)
    return path


PLAYLISTS: dict[str, Maker] = {
    "HLS that calls an address": _text("hls-http", _playlist("{address}")),
    "HLS that reads a file": _text("hls-file", _playlist("file://{file}")),
    "a concat inside a playlist": _text("nested", _playlist("concat:{file}|{address}")),
    "ffconcat": _text("ffconcat", "ffconcat version 1.0\nfile '{name}'\nfile '{file}'\n"),
    "DASH": _text("dash", MPD),
    "SDP": _text("sdp", SDP),
    "a script of subtitles": _text("ass", ASS),
}
HOSTILE: dict[str, Maker] = {
    **PLAYLISTS,
    "subtitles with an address": _subtitles,
    "pictures in another file": _external,
    "32,000 pixels a side": _immense(32_000),
    "16,000 pixels a side": _immense(16_000),
    "10,000 frames a second": _hasty,
    "a thousand streams": _thousandfold,
    "no end": _endless,
}


def too_long(folder: Path) -> Path:
    """An honest film of more than a minute."""
    return ffmpeg(["-stream_loop", "12", "-i", str(BUNNY), "-c", "copy", "-t", "63"], folder / "long.mp4")


def too_wide(folder: Path) -> Path:
    """An honest film of 4,200 pixels."""
    return ffmpeg(["-f", "lavfi", "-i", "testsrc=s=4200x128:d=1", "-c:v", "libx264"], folder / "wide.mp4")
