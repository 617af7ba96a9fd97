"""`flask video add`: a clip from a file on this computer, by the same rules as one from a phone."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from shop import jobs, media, tagging, uploads, videos
from shop.database import db
from shop.errors import Refused
from shop.gateways.video_probe import Flaw
from shop.models import Clip, Disclosure, Profile

_TAG = re.compile(r"(?P<product>[\w.-]+)@(?P<start>\d+(?:\.\d+)?)-(?P<end>\d+(?:\.\d+)?)")
MIDDLE = (0.5, 0.5)

FilePath = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def video() -> None:
    """Clips from files on this computer."""


@video.command()
@click.argument("file", type=FilePath)
@click.option("--creator", required=True, metavar="HANDLE", help="Whose clip it is.")
@click.option(
    "--tag", "tags", multiple=True, metavar="PRODUCT@START-END", help="A product and its seconds; repeatable."
)
@click.option("--caption", default="", help="What people read under it; without one it is not published.")
@click.option("--language", default="nl", show_default=True, help="The language of the caption and of what is said.")
@click.option("--subtitles", type=FilePath, help="What is said in it, as .vtt or .srt.")
@click.option("--silent", is_flag=True, help="Nobody speaks in it.")
@click.option("--now", is_flag=True, help="Do the work here, and do not wait for the worker.")
@with_appcontext
def add(
    *,
    file: Path,
    creator: str,
    tags: tuple[str, ...],
    caption: str,
    language: str,
    subtitles: Path | None,
    silent: bool,
    now: bool,
) -> None:
    """Add FILE as a clip, and publish it as soon as it is ready if nothing is lacking."""
    code = secrets.token_hex(16)
    try:
        clip = _received(file, creator, code)
        videos.describe(clip, caption, language, Disclosure.NONE, has_speech=not silent, is_synthetic=False)
        for tag in tags:
            tagging.add(clip, *_read(tag))
        if subtitles:
            videos.add_track(clip, language, subtitles.read_text("utf-8-sig"))
        lacking = videos.lacks(clip)
        if not lacking:
            videos.publish(clip, by=None)
        db.session.commit()
    except Refused as no:
        db.session.rollback()
        uploads.path_of(code).unlink(missing_ok=True)
        raise click.ClickException(no.words) from no
    _tell(clip, lacking, now=now)


def _received(file: Path, creator: str, code: str) -> Clip:
    if file.stat().st_size > media.LARGEST:
        raise Refused(media.explain(Flaw.TOO_LARGE)[0], 413)
    profile = db.session.scalar(select(Profile).where(Profile.handle == creator.lstrip("@")))
    if profile is None:
        raise Refused(f"Nobody is called @{creator.lstrip('@')}.", 404)
    db.session.rollback()
    path = uploads.path_of(code)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(file, path)
    return media.receive(profile.id, code)


def _read(tag: str) -> tuple[str, tagging.Place]:
    found = _TAG.fullmatch(tag)
    if found is None:
        raise Refused(f"A tag looks like PRODUCT@START-END, such as mug@1.5-4, and not like {tag}.", 422)
    start, end = (round(float(found[name]) * 1000) for name in ("start", "end"))
    return found["product"], tagging.Place(start, end, *MIDDLE)


def _tell(clip: Clip, lacking: list[str], *, now: bool) -> None:
    if now:
        jobs.run_due(lane="long")
        db.session.refresh(clip)
    click.echo(f"/v/{clip.code} is {clip.state.replace('_', ' ')}.")
    if clip.problem:
        raise click.ClickException(" ".join(media.explain(clip.problem)))
    if lacking:
        click.echo("It is not published: " + " ".join(lacking))
