"""Promise 12: a worker is killed while it makes a clip: another one makes it, once, and nothing is left behind.

Promise 12 of the shop: 0 orphans, 0 temporary files, one ready clip, at whichever point the worker dies.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from shop import media, uploads
from shop.database import db
from shop.models import Clip, ClipState, Job, JobState, Rendition
from tests import films
from tests.faults.shops import let_leases_run_out, until

# Where a worker may die. At each point it says so and waits to be killed.
POINTS = ("probing", "encoding", "made", "stored", "before the commit", "the other sizes")
INSIDE = ("encoding", "the other sizes")
WORKER = """
import sys, time
import psutil
from app import create_app
from shop import jobs, media, settings
from shop.gateways import storage_disk, video_ffmpeg

point = sys.argv[3]

def die():
    for child in psutil.Process().children(recursive=True):
        child.suspend()  # it is at work still when we are killed, however quick it is
    print("here", flush=True)
    time.sleep(600)

def dies_before(module, name):
    true = getattr(module, name)
    setattr(module, name, lambda *given, **named: (die(), true(*given, **named))[1])

def dies_after(module, name):
    true = getattr(module, name)
    setattr(module, name, lambda *given, **named: (true(*given, **named), die())[0])

def dies_inside(rungs):
    true = video_ffmpeg.make
    def make(file, found, wanted, where, **named):
        if len(wanted) in rungs:
            named["watch"] = lambda part: die()
        return true(file, found, wanted, where, **named)
    video_ffmpeg.make = make

if point == "probing":
    dies_before(media, "probe")
elif point == "encoding":
    dies_inside({1})
elif point == "made":
    dies_after(video_ffmpeg, "check")
elif point == "stored":
    dies_after(media, "_store")
elif point == "before the commit":
    dies_after(media, "_keep")
elif point == "the other sizes":
    dies_inside({2})

app = create_app(settings.read({"INSTANCE_PATH": sys.argv[1], "DATABASE_URL": sys.argv[2]}))
with app.app_context():
    print("ready", flush=True)
    jobs.run_due()
    print("done", flush=True)
"""


def work(app, point=""):
    command = [sys.executable, "-c", WORKER, app.instance_path, app.config["SQLALCHEMY_DATABASE_URI"], point]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert worker.stdout.readline() == "ready\n"
    return worker


def encoders(app):
    """The children of this shop's workers that are still at work."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.cwd().startswith(app.instance_path):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """Two seconds, so that its making is watched."""
    return films.ffmpeg(["-t", "2", "-i", str(films.BUNNY), "-c", "copy"], tmp_path_factory.mktemp("films") / "two.mp4")


def arrive(app, kai, film):
    with app.test_request_context(method="POST"):
        code = os.urandom(6).hex()
        path = uploads.path_of(code)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(film.read_bytes())
        clip = media.receive(kai.profile, code)
        db.session.commit()
        return clip.id


def kill_at(app, kai, point, film):
    """Kill one worker at this point, let another one do the work, and look at what there is."""
    clip = arrive(app, kai, film)
    worker = work(app, point)
    assert worker.stdout.readline() == "here\n"
    assert bool(encoders(app)) is (point in INSIDE)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    until(lambda: not encoders(app))
    let_leases_run_out(app)
    second = work(app)
    assert second.communicate(timeout=300)[0] == "done\n"
    with app.test_request_context(method="POST"):
        made = db.session.get(Clip, clip)
        count = db.session.scalar(select(func.count(Rendition.id)).where(Rendition.clip_id == clip))
        waiting = db.session.scalar(select(func.count(Job.id)).where(Job.state != JobState.DONE))
        assert (made.state, count, waiting) == (ClipState.READY, 3, 0)
        names = {made.poster, *db.session.scalars(select(Rendition.name))}
    root = Path(app.instance_path)
    assert [*(root / "scratch").iterdir(), *(root / "uploads").iterdir()] == []
    return {path.name for path in (root / "media").iterdir()} - names


@pytest.mark.faults
@pytest.mark.parametrize("point", ["encoding", pytest.param("before the commit", marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_leaves_one_clip_and_nothing_else(app, kai, short, longer, point):
    assert kill_at(app, kai, point, longer if point in INSIDE else short) == set()


@pytest.mark.slow
def test_fifty_workers_killed_while_they_make_clips(app, kai, short, longer, promise):
    kills, strays = 50, set()
    for number in range(kills):
        point = POINTS[number % len(POINTS)]
        strays |= kill_at(app, kai, point, longer if point in INSIDE else short)
        with app.test_request_context(method="POST"):
            db.session.execute(db.delete(Clip))
            db.session.execute(db.delete(Job))
            db.session.commit()
        shutil.rmtree(Path(app.instance_path, "media"))  # what this film left is not the next one's
    figure = f"{kills} kills, {kills} ready clips, 0 orphans, {len(strays)} stray files"
    promise("12", "a killed worker's clip is made once", figure, "50 of 50, 0, 0", not strays)
