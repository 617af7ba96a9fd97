"""ffmpeg's filter graph for a clip: one decode, every size, a poster, and sound at one loudness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shop.gateways.video_probe import HLG, PQ, Found

UPRIGHT = 9 / 16
NEARLY = 0.08  # what differs less from 9:16 is cropped; the rest is shown whole on a blurred background
UNSAID = (0, 2)  # ITU-T H.273: reserved, unspecified
LOUDNESS = "loudnorm=I=-14:TP=-1.5:LRA=11"


class Size(Protocol):
    """A rung, as far as the graph cares."""

    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Manner:
    """Which filters to use that may fail: from HDR to ordinary colours; to one loudness."""

    tone_map: bool = False
    loudness: bool = False


PLAIN = Manner()


def graph(found: Found, rungs: Sequence[Size], manner: Manner, *, poster: bool) -> str:
    """The whole graph; its ends are `[v0]`.., `[a0]`.. for each rung, and `[poster]`."""
    top = max(rungs, key=lambda rung: rung.width)
    steps = [f"[0:{found.picture}]" + ",".join(_prepare(found, top, manner)) + "," + _frame(found, top)]
    names = [f"[s{number}]" for number in range(len(rungs))] + (["[sp]"] if poster else [])
    steps[0] += f",split={len(names)}" + "".join(names)
    for number, rung in enumerate(rungs):
        resize = "null" if rung.width == top.width else f"scale={rung.width}:{rung.height}:flags=bicubic"
        steps.append(f"[s{number}]{resize}[v{number}]")
    if poster:
        steps.append(f"[sp]scale={rungs[0].width}:{rungs[0].height}:in_color_matrix=bt709[poster]")
    if found.has_sound:
        ends = "".join(f"[a{number}]" for number in range(len(rungs)))
        loudness = LOUDNESS if manner.loudness else "anull"
        steps.append(
            f"[0:{found.sound}]aresample=async=1:first_pts=0,{loudness},aresample=48000,"
            f"aformat=channel_layouts=stereo,asplit={len(rungs)}{ends}"
        )
    return ";".join(steps)


def _is_upright(found: Found) -> bool:
    width, height = found.shown
    return abs(width / height - UPRIGHT) < NEARLY


def _prepare(found: Found, top: Size, manner: Manner) -> list[str]:
    """Even pace, square pixels, and colours as an ordinary screen shows them."""
    steps = ["fps=30"]
    if abs(found.pixel - 1) > 0.01:
        steps += ["scale=w='max(trunc(iw*sar/2)*2,2)':h='max(trunc(ih/2)*2,2)'", "setsar=1"]
    if manner.tone_map:
        return steps + _tone_map(found, top)
    return [*steps, f"scale=in_color_matrix={_matrix(found)}:out_color_matrix=bt709:out_range=tv", "format=yuv420p"]


def _matrix(found: Found) -> str:
    """How the colours were coded. A video that does not say so follows the custom: small is BT.601, large BT.709."""
    if found.matrix in UNSAID:
        return "bt709" if min(found.width, found.height) >= 576 else "bt601"
    return {5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}.get(found.matrix, "bt709")


def _tone_map(found: Found, top: Size) -> list[str]:
    """Bring HDR (PQ, HLG) down to BT.709. Tags that were left out are taken to be BT.2020, as every camera means."""
    fit = "increase" if _is_upright(found) else "decrease"
    missing = [
        f"{name}={value}"
        for name, value, said in (
            ("color_primaries", "bt2020", found.primaries),
            ("colorspace", "bt2020nc", found.matrix),
            ("color_trc", {PQ: "smpte2084", HLG: "arib-std-b67"}[found.transfer], 2),
            ("range", "tv", 2),
        )
        if said in UNSAID
    ]
    return [
        f"scale={top.width}:{top.height}:force_original_aspect_ratio={fit}:force_divisible_by=2:flags=bicubic",
        "format=yuv420p10le",
        f"setparams={':'.join(missing)}",
        "zscale=t=linear:npl=203",
        "format=gbrpf32le",
        "zscale=p=bt709",
        "tonemap=tonemap=hable:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
        "format=yuv420p",
    ]


def _frame(found: Found, top: Size) -> str:
    """Fill the upright frame: cropped when it nearly fits, else whole, on its own blur."""
    width, height = top.width, top.height
    end = "setsar=1,format=yuv420p"
    if _is_upright(found):
        fill = "force_original_aspect_ratio=increase:flags=bicubic"
        return f"scale={width}:{height}:{fill},crop={width}:{height},{end}"
    # Blurring an eighth of the size costs a sixty-fourth; nobody sees the difference in a blur.
    small = f"{width // 8}:{height // 8}"
    return (
        f"split[whole][behind];[behind]scale={small}:force_original_aspect_ratio=increase,crop={small},gblur=sigma=5,"
        f"eq=brightness=-0.08:saturation=1.2,scale={width}:{height}:flags=bilinear[blur];"
        f"[whole]scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic[front];"
        f"[blur][front]overlay=(W-w)/2:(H-h)/2,{end}"
    )
