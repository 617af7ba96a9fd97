"""Frames and a tune in, a small MP4 out. Rendered once to a lossless file, then encoded until it fits."""
import base64
import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from .music import compose
from .studio import FPS, HEIGHT, WIDTH

CLIP_LIMIT = 340_000        # bytes, a little under the promise of 350 kB
POSTER_LIMIT = 34_000
QUALITIES = (25, 27, 29, 31, 33, 35)


def ffmpeg():
    try:
        import imageio_ffmpeg
        return imageio_ffmpeg.get_ffmpeg_exe()
    except ImportError:
        return "ffmpeg"


def film(frame, clip, path, tick=lambda: None):
    """Draw every frame, add the tune, write path (.mp4). Returns its size and the quality used."""
    base = [ffmpeg(), "-hide_banner", "-v", "error", "-y"]
    with tempfile.TemporaryDirectory() as folder:
        raw, tune = Path(folder, "raw.mkv"), Path(folder, "tune.wav")
        compose(tune, clip.seconds, clip.bpm, **clip.music)
        pipe = subprocess.Popen(base + ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-",
                                        "-vf", "format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", str(raw)], stdin=subprocess.PIPE)
        for n in range(round(clip.seconds * FPS)):
            pipe.stdin.write(np.asarray(frame(n / FPS).convert("RGB")).tobytes())
            tick()
        pipe.stdin.close()
        if pipe.wait():
            raise RuntimeError(f"ffmpeg could not store the frames of {clip.name}")
        rate = int((CLIP_LIMIT * 8 / clip.seconds - 68_000) / 1000)
        for quality in QUALITIES:            # one thread: with a rate limit and more threads x264 is not repeatable
            subprocess.run(base + ["-i", str(raw), "-i", str(tune), "-c:v", "libx264", "-preset", "slow", "-tune", "animation", "-crf", str(quality),
                                   "-maxrate", f"{rate}k", "-bufsize", f"{rate * 2}k", "-g", "60", "-threads", "1", "-pix_fmt", "yuv420p",
                                   "-c:a", "aac", "-b:a", "64k", "-af", "loudnorm=I=-16:TP=-1.5", "-ar", "44100", "-map_metadata", "-1",
                                   "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart",
                                   "-shortest", str(path)], check=True)
            if Path(path).stat().st_size <= CLIP_LIMIT:
                return Path(path).stat().st_size, quality
    raise RuntimeError(f"{clip.name} does not fit in {CLIP_LIMIT} bytes")


def picture(image, path, limit, start=84):
    """Save as WebP, at the best quality that stays under limit."""
    for quality in range(start, 30, -6):
        image.save(path, quality=quality, method=6)
        if Path(path).stat().st_size <= limit:
            return Path(path).stat().st_size
    raise RuntimeError(f"{path} does not fit in {limit} bytes")


def placeholder(path):
    """The picture at path, tiny, as an address that holds it: shown until the picture has arrived."""
    tiny = io.BytesIO()
    Image.open(path).convert("RGB").resize((12, 21), Image.Resampling.BOX).save(tiny, "WEBP", quality=30, method=5)
    return f"data:image/webp;base64,{base64.b64encode(tiny.getvalue()).decode()}"
