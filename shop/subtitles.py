"""Subtitles: what is said in a clip and when, read from WebVTT or SubRip, and written as WebVTT."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CUES = 500
LONGEST_LINE = 300  # characters of one cue
LATEST = 60 * 60 * 1000  # milliseconds

_TIME = r"(?:(\d{1,2}):)?(\d{2}):(\d{2})[.,](\d{3})"
_TIMES = re.compile(rf"^\s*{_TIME}\s+-->\s+{_TIME}")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_SENTENCES = re.compile(r"[^.!?…\n]+[.!?…]*")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown from `start` to `end`, in milliseconds."""

    start: int
    end: int
    words: str


def read(text: str) -> list[Cue]:
    """The cues of a WebVTT or SubRip text, plain, without markup, styles or positions; ValueError if it has none."""
    cues = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")):
        lines = block.strip().split("\n")
        at = next((n for n, line in enumerate(lines[:2]) if _TIMES.match(line)), None)
        if at is None:
            continue  # the header, a note, a style
        start, end = _moments(lines[at])
        words = _plain(lines[at + 1 :])
        if words and start < end:
            cues.append(Cue(start, end, words))
    if not 0 < len(cues) <= MOST_CUES or max(cue.end for cue in cues) > LATEST:
        raise ValueError("no cues, or too many")
    return sorted(cues, key=lambda cue: cue.start)


def _moments(line: str) -> tuple[int, int]:
    found = _TIMES.match(line)
    numbers = [int(number or 0) for number in found.groups()] if found else [0] * 8
    start, end = (
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis
        for hours, minutes, seconds, millis in (numbers[:4], numbers[4:])
    )
    return start, end


def _plain(lines: list[str]) -> str:
    """Words only. `-->` inside them would begin another cue."""
    words = "\n".join(line for line in (_MARKUP.sub("", line).strip() for line in lines) if line)
    for name, sign in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        words = words.replace(name, sign)
    return words.replace("-->", "→")[:LONGEST_LINE]


def spread(text: str, duration: int) -> list[Cue]:
    """The sentences of a text one after the other over `duration` milliseconds, each as long as its letters take."""
    sentences = [said.strip()[:LONGEST_LINE] for said in _SENTENCES.findall(text) if said.strip()][:MOST_CUES]
    letters = sum(map(len, sentences))
    cues, before = [], 0
    for said in sentences:
        start, before = duration * before // letters, before + len(said)
        cues.append(Cue(start, max(duration * before // letters, start + 1), said.replace("-->", "→")))
    return cues


def write(cues: list[Cue]) -> str:
    """WebVTT, with every sign that means something to it escaped."""
    blocks = [f"{_clock(cue.start)} --> {_clock(cue.end)}\n{_escaped(cue.words)}" for cue in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _clock(at: int) -> str:
    seconds, millis = divmod(at, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
