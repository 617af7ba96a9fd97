"""Promise 13: what becomes of a video file: measured in a child, made into a clip, or refused with the reason."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from PIL import Image, ImageChops, ImageStat

from shop.gateways import child, video_ffmpeg, video_probe
from shop.gateways.video_probe import Flaw, Found, UnfitError
from tests import films, hostile_films
from tests.faults.shops import until


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    """Films, each made once: `reel("odd.mp4")` is its path."""
    folder = tmp_path_factory.mktemp("films")
    return lambda kind: folder / kind if (folder / kind).exists() else films.film(kind, folder)


def probe(path):
    with path.open("rb") as file:
        return video_probe.probe(file)


def make(path, where, *, all_rungs=False):
    found = probe(path)
    rungs = video_ffmpeg.rungs_for(found)
    with path.open("rb") as file:
        made = video_ffmpeg.make(file, found, rungs if all_rungs else rungs[:1], where, poster=True)
    return made, video_ffmpeg.poster(where, rungs[0])


def likeness(one, other):
    """0 for the same picture, 255 for its opposite."""
    with Image.open(one) as a, Image.open(other) as b:
        return sum(ImageStat.Stat(ImageChops.difference(a.convert("RGB"), b.convert("RGB"))).mean) / 3


@pytest.mark.parametrize("seconds", [2.0, pytest.param(5.3, marks=pytest.mark.slow)])
def test_a_camera_film_becomes_three_upright_sizes_that_start_at_once(tmp_path, seconds):
    film = films.ffmpeg(["-t", f"{seconds}", "-i", str(films.BUNNY), "-c", "copy"], tmp_path / "film.mp4")
    (tmp_path / "out").mkdir()
    made, (poster, placeholder) = make(film, tmp_path / "out", all_rungs=True)
    sizes = [(probe(path).width, probe(path).height) for path in made]
    assert sizes == [(540, 960), (720, 1280), (360, 640)]
    for path in made:
        assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert abs(probe(made[0]).seconds - seconds) < 0.2
    assert probe(made[0]).has_sound
    assert placeholder.startswith("data:image/webp;base64,")
    assert len(placeholder) < 500
    with Image.open(poster) as picture:
        assert picture.size == (540, 960)


def test_nothing_is_blown_up_and_the_smallest_is_always_made():
    def kinds(width, height):
        found = Found(
            **dict.fromkeys(("rotation", "sound", "transfer", "primaries", "matrix", "picture"), 0),
            **dict.fromkeys(("pictures", "sounds", "others", "tracks"), 0),
            width=width,
            height=height,
            pixel=1.0,
            seconds=1.0,
            fps=30.0,
            codec="h264",
        )
        return [rung.kind for rung in video_ffmpeg.rungs_for(found)]

    assert kinds(1080, 1920) == ["540", "720", "360"]
    assert kinds(640, 272) == ["540", "360"]
    assert kinds(403, 717) == ["360"]
    assert kinds(176, 144) == ["360"]


@pytest.mark.parametrize("kind", ["odd.mp4", "browser.webm", "silence.mp4"])
def test_every_kind_of_film_becomes_a_clip(reel, tmp_path, kind):
    made, _poster = make(reel(kind), tmp_path)
    found = probe(made[0])
    assert (found.codec, found.fps, found.has_sound) == ("h264", 30.0, True)
    assert 0.9 < found.seconds < 1.2


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*films.KINDS, "turned.mov"])
def test_every_kind_of_film_becomes_every_size(reel, tmp_path, kind):
    made, _poster = make(reel(kind), tmp_path, all_rungs=True)
    assert [probe(path).fps for path in made] == [30.0] * len(made)
    assert [probe(path).shown for path in made] == [
        (rung.width, rung.height) for rung in video_ffmpeg.rungs_for(probe(reel(kind)))
    ]


def test_a_film_without_sound_becomes_a_clip_without_sound(tmp_path):
    ride = films.ffmpeg(["-t", "1", "-i", str(films.BIKES), "-c", "copy"], tmp_path / "ride.mp4")
    (tmp_path / "out").mkdir()
    made, _poster = make(ride, tmp_path / "out")
    assert not probe(made[0]).has_sound


def test_what_was_held_upright_is_shown_upright(reel, tmp_path):
    assert probe(reel("turned.mov")).rotation % 180 == 90
    posters = []
    for kind in ("turned.mov", "upright.mp4"):
        (tmp_path / kind).mkdir()
        posters.append(make(reel(kind), tmp_path / kind)[1][0])
    assert likeness(*posters) < 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hdr.mp4", "hdr-untagged.mp4"])
def test_hdr_is_brought_down_to_ordinary_colours_with_and_without_tags(reel, tmp_path, kind):
    assert probe(reel(kind)).is_hdr
    made, _poster = make(reel(kind), tmp_path)
    assert (probe(made[0]).transfer, probe(made[0]).primaries) == (1, 1)


# What means harm


@pytest.fixture
def canary(tmp_path):
    """A file and an address that nobody may touch; `canary.calls` counts who called."""
    secret = tmp_path / "canary.ts"
    secret.write_bytes(b"the canary sings" * 1000)
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.1)
        calls, stop = [], threading.Event()

        def listen():
            while not stop.is_set():
                try:
                    calls.append(door.accept()[1])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield secret, f"http://127.0.0.1:{door.getsockname()[1]}/canary.ts", calls
        stop.set()
        thread.join()


# The true reason of a refusal, where there is one to tell.
TOLD = {
    "no end": Flaw.TOO_LONG,
    "10,000 frames a second": Flaw.TOO_FAST,
    "a thousand streams": Flaw.TOO_MANY_STREAMS,
    "SDP": Flaw.NOT_A_VIDEO,
}


@pytest.mark.parametrize("name", hostile_films.HOSTILE)
def test_a_hostile_film_is_refused_for_its_reason_and_reads_and_fetches_nothing(tmp_path, canary, name):
    secret, address, calls = canary
    film = hostile_films.HOSTILE[name](tmp_path, secret, address)
    start = time.monotonic()
    with pytest.raises(UnfitError) as refused:
        probe(film)
    assert time.monotonic() - start < 20
    assert calls == []
    assert refused.value.flaw == TOLD.get(name, refused.value.flaw)


@pytest.mark.parametrize("name", hostile_films.PLAYLISTS)
def test_a_playlist_that_got_past_the_gate_would_still_open_nothing(tmp_path, canary, name):
    secret, address, calls = canary
    film = hostile_films.HOSTILE[name](tmp_path, secret, address)
    out = tmp_path / "out"
    out.mkdir()
    found = probe(films.BIKES)
    with film.open("rb") as file, pytest.raises(UnfitError):
        video_ffmpeg.make(file, found, video_ffmpeg.rungs_for(found)[:1], out)
    assert calls == []
    assert b"canary sings" not in b"".join(path.read_bytes() for path in out.iterdir())


def test_the_reason_of_a_refusal_of_an_honest_film_is_the_true_one(tmp_path):
    for film, flaw in ((hostile_films.too_long, Flaw.TOO_LONG), (hostile_films.too_wide, Flaw.TOO_WIDE)):
        with pytest.raises(UnfitError) as refused:
            probe(film(tmp_path))
        assert refused.value.flaw == flaw


def bent(film, chance):
    """The film cut off somewhere, or with some bits flipped."""
    whole = bytearray(film)
    if chance.random() < 0.5:
        return bytes(whole[: chance.randrange(12, len(whole))])
    for _flip in range(chance.choice((1, 10, 1000))):
        whole[chance.randrange(12, len(whole))] ^= 1 << chance.randrange(8)
    return bytes(whole)


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_broken_films_become_a_clip_or_are_refused_and_nothing_else(reel, tmp_path, count, promise):
    import random

    chance = random.Random(count)
    whole = [reel(kind).read_bytes() for kind in ("upright.mp4", "browser.webm")]
    ends = {"made": 0, "refused": 0}
    for number in range(count):
        path = tmp_path / "bent"
        path.write_bytes(bent(chance.choice(whole), chance))
        out = tmp_path / str(number)
        out.mkdir()
        try:
            made, _poster = make(path, out)
            video_ffmpeg.check(made[0])
            ends["made"] += 1
        except UnfitError:
            ends["refused"] += 1
    kept = sum(ends.values()) == count and ends["refused"] > 0
    promise(
        "13", f"{count} damaged films", f"{ends['made']} made, {ends['refused']} refused", "all, and no crash", kept
    )


# The lead


def run(code, where, **limits):
    lead = child.Lead(**{"cpu": 5, "wall": 10, **limits})
    with (where / "file").open("w+b") as file:
        return child.run([sys.executable, "-I", "-S", "-c", code], lead=lead, file=file, where=where)


def test_the_child_has_no_environment_no_network_and_no_second_file(tmp_path, monkeypatch, canary):
    monkeypatch.setenv("SECRET_KEY", "of the shop")
    port = canary[1].split(":")[2].split("/")[0]
    code = f"""
import os, socket
names, fds = set(os.environ) - {{"LC_CTYPE"}}, os.listdir("/proc/self/fd")
print(len(names), "names", len(fds), "files")  # in, out, error, the film, and the list itself
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
    print("called")
except OSError as error:
    print("no way out")
"""
    said = run(code, tmp_path)
    assert said.startswith("0 names 5 files\n")
    if subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0:
        assert said.endswith("no way out\n")
        assert canary[2] == []


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("while True: pass", {"cpu": 1}),
        ("import time; time.sleep(60)", {"wall": 1}),
        ("x = bytearray(900 * 2**20)", {"memory": 500 * 2**20}),
        ("open('large', 'wb').write(bytes(3 * 2**20))", {"largest_file": 2**20}),
        ("print('x' * 2**22)", {}),
    ],
)
def test_the_child_cannot_take_more_than_it_was_given(tmp_path, code, limits):
    start = time.monotonic()
    with pytest.raises(child.ChildFailedError):
        run(code, tmp_path, **limits)
    assert time.monotonic() - start < 9


def test_the_child_dies_with_its_parent(tmp_path):
    code = f"""
import sys; sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
from shop.gateways import child
where = Path({str(tmp_path)!r})
with (where / "file").open("w+b") as file:
    inner = "import os, time; print(os.getpid(), flush=True); open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    child.run([sys.executable, "-I", "-S", "-c", inner], lead=child.Lead(cpu=5, wall=50), file=file, where=where)
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    orphan = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    until(lambda: not os.path.exists(f"/proc/{orphan}"))
