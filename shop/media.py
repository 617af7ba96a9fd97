"""Media: a video that has arrived becomes a clip, in the sizes that phones ask for.

The first size is made in a job of its own, and puts the clip in the feed; the others follow. What cannot be used is
refused with the reason, kept as a word in `clips.problem`, and its file is thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import Any

from flask import current_app
from sqlalchemy import Row, case, literal, select, update

from shop import clock, jobs, uploads
from shop.database import aside, db, first, let_go
from shop.errors import Refused
from shop.gateways import storage_disk, video_ffmpeg
from shop.gateways.video_probe import LARGEST, Flaw, UnfitError, looks_like_video, probe
from shop.i18n import _
from shop.models import CaptionTrack, Clip, ClipState, Moment, Rendition, Tag, Upload

__all__ = ["LARGEST", "Flaw", "receive", "refuse_other_kinds"]

MOST_WAITING = 10  # clips of one creator that are not ready yet
UNFINISHED = (ClipState.RECEIVED, ClipState.PROCESSING)
LEFT_OVER = timedelta(hours=24)
SHORTEST_TAG = 500  # milliseconds

clips, tags = Clip.__table__, Tag.__table__


def refuse_other_kinds(start: bytes) -> None:
    """Say at the first bytes that this is not a video, before the rest is sent for nothing."""
    if not looks_like_video(start):
        raise Refused(_("This is not an MP4, MOV or WebM video. Choose another file."), 415)


def receive(profile_id: int, code: str) -> Clip:
    """Make a clip of the file `uploads.path_of(code)`, and have it worked on."""
    waiting = select(clips.c.id).where(clips.c.profile_id == profile_id, clips.c.state.in_(UNFINISHED))
    if len(db.session.execute(waiting).all()) >= MOST_WAITING:
        raise Refused(_("Several of your clips are still being worked on. Please wait until they are ready."), 409)
    with uploads.path_of(code).open("rb") as file:
        refuse_other_kinds(file.read(12))
    clip = Clip(code=code[:12], profile_id=profile_id, created_at=clock.now())
    db.session.add(clip)
    db.session.flush()
    jobs.later(make_first, clip_id=clip.id)
    return clip


def explain(problem: str) -> tuple[str, str]:
    """Why a clip needs fixing, and what its creator can do about it."""
    again = _("Save the video again on your phone or computer, and upload that.")
    whys = {
        Flaw.NOT_A_VIDEO: (_("This is not an MP4, MOV or WebM video."), _("Choose another file.")),
        Flaw.BROKEN: (_("The video is damaged, or was made in a way that we cannot read."), again),
        Flaw.NO_PICTURE: (_("There is no picture in this file."), _("Choose another file.")),
        Flaw.TOO_SHORT: (_("The video is shorter than half a second."), _("Film a little longer.")),
        Flaw.TOO_LONG: (_("The video is longer than 60 seconds."), _("Cut it to a minute, and upload that.")),
        Flaw.TOO_LARGE: (_("The file is larger than 400 MB."), _("Save it in a lower quality, and upload that.")),
        Flaw.TOO_WIDE: (_("The picture is wider or higher than 4096 pixels."), _("Save it in 4K or less.")),
        Flaw.TOO_SMALL: (_("The picture is smaller than 64 pixels."), _("Save it in a larger size.")),
        Flaw.TOO_FAST: (_("The video has more than 60 pictures a second."), _("Save it with 60 or fewer, or at 30.")),
        Flaw.TOO_MANY_STREAMS: (_("The file holds more than one film with its sound."), again),
        Flaw.TOO_HEAVY: (_("Working on this video takes more than we can give it."), again),
    }
    ours = (_("Something went wrong on our side, five times."), _("Upload the video once more; we have been told."))
    return whys.get(Flaw(problem), ours) if problem in set(Flaw) else ours


# The work


@jobs.long_handler
def make_first(clip_id: int) -> None:
    """Measure the video, make the size to begin with and its poster, and show the clip."""
    clip = _take(clip_id)
    if clip is None:
        return  # done already, or thrown away by its creator
    try:
        with _scratch(clip.code) as where, uploads.path_of(clip.code).open("rb") as file:
            found = probe(file)
            rung = video_ffmpeg.rungs_for(found)[0]
            (path,) = video_ffmpeg.make(file, found, [rung], where, poster=True, watch=_tell(clip_id))
            shown = video_ffmpeg.check(path)
            poster, placeholder = video_ffmpeg.poster(where, rung)
            names = _store(clip.code, path, ".mp4"), _store(clip.code, poster, ".webp")
            size = path.stat().st_size
    except (UnfitError, FileNotFoundError) as error:
        give_up(clip_id, error.flaw if isinstance(error, UnfitError) else Flaw.BROKEN)
        return
    looks = {"poster": names[1], "placeholder": placeholder, "width": rung.width, "height": rung.height}
    if not _show(clip_id, duration_ms=round(shown.seconds * 1000), **looks):
        jobs.later(forget_files, names=names)
        return
    _fit_tags(clip_id, round(shown.seconds * 1000))
    _keep(clip_id, rung, names[0], size)
    jobs.later(make_rest, clip_id=clip_id)


@jobs.long_handler
def make_rest(clip_id: int) -> None:
    """Make the other sizes. If they cannot be made, the first one will do."""
    clip = first(select(clips.c.code).where(clips.c.id == clip_id))
    let_go()
    if clip is None or not uploads.path_of(clip.code).exists():
        return
    made: list[tuple[video_ffmpeg.Rung, str, int]] = []
    try:
        with _scratch(clip.code) as where, uploads.path_of(clip.code).open("rb") as file:
            found = probe(file)
            rungs = video_ffmpeg.rungs_for(found, av1=current_app.config.get("VIDEO_AV1", False))[1:]
            paths = video_ffmpeg.make(file, found, rungs, where, watch=lambda _part: jobs.beat()) if rungs else []
            for rung, path in zip(rungs, paths, strict=True):
                video_ffmpeg.check(path)
                made.append((rung, _store(clip.code, path, ".mp4"), path.stat().st_size))
    except UnfitError:
        made = []
    for rung, name, size in made:
        _keep(clip_id, rung, name, size)
    jobs.later(forget_source, code=clip.code)


@jobs.when_dead(make_first)
def give_up_after_all_tries(clip_id: int) -> None:
    """Our fault, not the video's; still the creator is told."""
    give_up(clip_id, "our_fault")


def give_up(clip_id: int, problem: str) -> None:
    """The clip needs fixing, for this reason; its file goes."""
    let_go()
    changed = update(clips).where(clips.c.id == clip_id, clips.c.state.in_(UNFINISHED)).returning(clips.c.code)
    row = db.session.execute(changed.values(state=ClipState.NEEDS_FIXING, problem=problem, progress=0)).first()
    if row is not None:
        jobs.later(forget_source, code=row.code)


@jobs.handler
def forget_source(code: str) -> None:
    """Throw the arrived file away: all that is needed of it has been made."""
    uploads.path_of(code).unlink(missing_ok=True)
    _settle(code)


@jobs.handler
def forget_files(names: list[str]) -> None:
    """Throw these files away, except those that another clip has as well: files are named by what is in them."""
    kept = set(db.session.scalars(select(Rendition.name).where(Rendition.name.in_(names))))
    kept |= set(db.session.scalars(select(Clip.poster).where(Clip.poster.in_(names))))
    kept |= set(db.session.scalars(select(CaptionTrack.name).where(CaptionTrack.name.in_(names))))
    let_go()
    for name in set(names) - kept:
        storage_disk.delete(name)


def _take(clip_id: int) -> Row[Any] | None:
    """Note that it is being worked on, so that the page says so at once; the clip, if it still has to be made."""
    mine = update(clips).where(clips.c.id == clip_id, clips.c.state.in_(UNFINISHED))
    with aside() as apart:
        return apart.execute(mine.values(state=ClipState.PROCESSING, progress=0).returning(clips.c.code)).first()


def _tell(clip_id: int) -> Callable[[float], None]:
    """Note how far we are, so that the page can show it, and keep the job ours."""
    told = 0

    def watch(part: float) -> None:
        nonlocal told
        jobs.beat()
        progress = int(part * 100)
        if progress >= told + 5:
            told = progress
            with aside() as apart:
                apart.execute(update(clips).where(clips.c.id == clip_id).values(progress=progress))

    return watch


def _show(clip_id: int, **looks: Any) -> bool:
    """Ready, and in the feed if its creator has asked for that meanwhile; False if it was thrown away."""
    published = case((clips.c.wants_publishing, literal(clock.now(), Moment())), else_=None)
    shown = update(clips).where(clips.c.id == clip_id, clips.c.state == ClipState.PROCESSING)
    values = {"state": ClipState.READY, "progress": 100, "published_at": published, **looks}
    return db.session.connection().execute(shown.values(values)).rowcount == 1


def _fit_tags(clip_id: int, duration_ms: int) -> None:
    """Tags could be set before anybody knew how long the clip is: none lasts longer than it."""
    last = max(duration_ms - SHORTEST_TAG, 0)
    start = case((tags.c.start_ms > last, last), else_=tags.c.start_ms)
    too_late = update(tags).where(tags.c.clip_id == clip_id, tags.c.end_ms > duration_ms)
    db.session.execute(too_late.values(start_ms=start, end_ms=duration_ms))


def _keep(clip_id: int, rung: video_ffmpeg.Rung, name: str, size: int) -> None:
    row = {"codec": rung.codec, "width": rung.width, "height": rung.height, "name": name, "size": size}
    db.session.add(Rendition(clip_id=clip_id, **row))


def _store(code: str, path: Path, suffix: str) -> str:
    """Store a file that was made for this clip, and note its name first: if we die now, somebody can find it."""
    with _notes(code).open("a") as notes:
        notes.write(storage_disk.name_for(path, suffix) + "\n")
    return storage_disk.store(path, suffix)


def _settle(code: str) -> None:
    """What an earlier try has stored and no clip has is thrown away. (The same film is not twice the same bytes.)"""
    notes = _notes(code)
    if notes.exists():
        forget_files([name for name in notes.read_text().splitlines() if storage_disk.NAME.fullmatch(name)])
        notes.unlink(missing_ok=True)


def _notes(code: str) -> Path:
    return _scratch_folder() / f"{code}.stored"


@contextmanager
def _scratch(code: str) -> Iterator[Path]:
    """An empty directory to work in. What a worker that was killed left of this clip goes first."""
    let_go()
    folder = _scratch_folder()
    for left in folder.glob(f"{code}-*"):
        shutil.rmtree(left, ignore_errors=True)
    _settle(code)
    where = Path(mkdtemp(prefix=f"{code}-", dir=folder))
    try:
        yield where
    finally:
        shutil.rmtree(where, ignore_errors=True)


def _scratch_folder() -> Path:
    folder = Path(current_app.instance_path) / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@jobs.regularly(timedelta(hours=1))
def sweep() -> None:
    """Throw away what crashes and people who never came back have left: uploads, arrived files, half-made ones."""
    uploads.sweep()
    old = time() - LEFT_OVER.total_seconds()
    for left in _scratch_folder().iterdir():
        if left.stat().st_mtime >= old:
            continue
        if left.suffix == ".stored":
            _settle(left.stem)
        else:
            shutil.rmtree(left, ignore_errors=True)
    for file in uploads.path_of("x").parent.glob("*"):
        if file.stat().st_mtime < old and not _is_awaited(file.name):
            file.unlink(missing_ok=True)


def _is_awaited(code: str) -> bool:
    """Is this file an upload under way, or a clip that is not made yet?"""
    upload = select(Upload.id).where(Upload.code.startswith(code))
    clip = select(Clip.id).where(Clip.code == code, Clip.state.in_(UNFINISHED))
    return bool(first(upload) or first(clip))
