"""Subtitles are read from what people have, and written as plain WebVTT."""

import pytest

from shop import subtitles
from shop.subtitles import Cue

VTT = """WEBVTT - made somewhere

STYLE
::cue { background: url(http://evil.example) }

NOTE nobody reads this

one
00:00:00.500 --> 00:00:01.500 align:start
<v Kai>Look, a <b>mug</b>.

00:02.000 --> 00:03.250
Tea &amp; honey
"""
SRT = """1
00:00:00,500 --> 00:00:01,500
{\\an8}Look, a mug.

2
00:00:02,000 --> 00:00:03,250
Tea & honey
""".replace("\n", "\r\n")
CUES = [Cue(500, 1500, "Look, a mug."), Cue(2000, 3250, "Tea & honey")]


@pytest.mark.parametrize("text", [VTT, "\ufeff" + VTT, SRT])
def test_webvtt_and_subrip_are_read_without_markup(text):
    assert subtitles.read(text) == CUES


def test_what_is_written_is_read_again_and_holds_no_markup():
    cues = [Cue(0, 3_723_004, "<script>alert(1)</script> & --> more")]
    written = subtitles.write([Cue(0, 3_723_004, "a < b & c")])
    assert written == "WEBVTT\n\n00:00:00.000 --> 01:02:03.004\na &lt; b &amp; c\n"
    assert subtitles.read(subtitles.write(CUES)) == CUES
    assert "<" not in subtitles.write(cues).replace("-->", "")


@pytest.mark.parametrize("text", ["", "WEBVTT\n", "no times at all", "00:00:02.000 --> 00:00:01.000\nbackwards\n"])
def test_a_text_without_cues_is_refused(text):
    with pytest.raises(ValueError, match="no cues"):
        subtitles.read(text)


def test_a_text_is_spread_over_the_clip_by_its_letters():
    assert subtitles.spread("Hello! Twelve more.", 1900) == [Cue(0, 633, "Hello!"), Cue(633, 1900, "Twelve more.")]
    assert subtitles.spread(" \n ", 1000) == []
