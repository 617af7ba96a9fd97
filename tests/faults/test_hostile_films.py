"""Promise 13: a hostile film cannot read, fetch or hog; each is refused within 20 seconds and 1.5 GB."""

import json
import subprocess
import sys
import time

import pytest

from tests import hostile_films

LOOK = """
import json, resource, sys
from pathlib import Path
from shop.gateways import video_ffmpeg, video_probe
try:
    with open(sys.argv[1], "rb") as file:
        found = video_probe.probe(file)
        video_ffmpeg.make(file, found, video_ffmpeg.rungs_for(found)[:1], Path(sys.argv[2]))
    said = "taken"
except video_probe.UnfitError as no:
    said = str(no.flaw)
print(json.dumps([said, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.slow
def test_hostile_films_are_refused_soon_and_cheaply(tmp_path, promise):
    secret = tmp_path / "canary.ts"
    secret.write_bytes(b"the canary sings" * 1000)
    ends = []
    for name, maker in hostile_films.HOSTILE.items():
        film = maker(tmp_path, secret, "http://127.0.0.1:9/canary.ts")
        out = tmp_path / f"out {len(ends)}"
        out.mkdir()
        start = time.monotonic()
        ran = subprocess.run([sys.executable, "-c", LOOK, str(film), str(out)], capture_output=True, check=True)
        said, memory = json.loads(ran.stdout)
        leaked = any(b"canary sings" in path.read_bytes() for path in out.iterdir())
        ends.append((name, said, time.monotonic() - start, memory / 1e6, leaked))
    refused = sum(said != "taken" for _name, said, *_rest in ends)
    slowest, largest = max(end[2] for end in ends), max(end[3] for end in ends)
    leaks = sum(end[4] for end in ends)
    figure = f"{refused} of {len(ends)} refused, {leaks} leaks, slowest {slowest:.1f} s, largest {largest:.2f} GB"
    kept = refused == len(ends) and leaks == 0 and slowest <= 20 and largest <= 1.5
    promise("13", "a hostile film is refused", figure, "all, 0, 20 s, 1.5 GB", kept)
