"""Videos: a creator's own clips. What they say, and when people may see them."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.exc import IntegrityError

from shop import accounts, clock, jobs, media, subtitles, tagging, uploads
from shop.database import db, rows
from shop.errors import NotFound, Refused
from shop.gateways import storage_disk
from shop.i18n import LANGUAGES, _
from shop.models import (
    CaptionTrack,
    Clip,
    ClipState,
    Disclosure,
    Event,
    Profile,
    Role,
    User,
)
from shop.words import Words

HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9]|[._](?=[a-z0-9])){2,29}")

clips, profiles = Clip.__table__, Profile.__table__

_MINE = (
    select(
        *(clips.c.code, clips.c.state, clips.c.problem, clips.c.progress, clips.c.caption, clips.c.poster),
        *(clips.c.placeholder, clips.c.published_at, clips.c.wants_publishing, clips.c.created_at, clips.c.duration_ms),
    )
    .join(profiles, profiles.c.id == clips.c.profile_id)
    .where(profiles.c.user_id == bindparam("user"))
    .order_by(clips.c.id.desc())
    .limit(200)
)

# The creator


def open_studio(user_id: int, handle: str, name: str) -> User:
    """Give a person a window at `/@handle` and the role of creator; their sessions end, as with every new role."""
    user = db.session.get_one(User, user_id)
    profile = db.session.scalar(select(Profile).where(Profile.user_id == user.id))
    if profile is None:
        handle = handle.strip().lstrip("@").lower()
        if not HANDLE.fullmatch(handle):
            raise Refused(_("A handle has 3 to 30 letters and digits; dots and underscores between them."), 422)
        if not accounts.is_free(handle):
            raise Refused(_("This name is taken. Choose another one."), 422)
        _open_window(user, handle, name.strip()[:80] or user.name)
    accounts.grant(user, Role.CREATOR, by=accounts.as_actor(user), reason="opened a studio")
    db.session.flush()
    return user


def _open_window(user: User, handle: str, name: str) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(Profile(user_id=user.id, handle=handle, name=name, created_at=clock.now()))
    except IntegrityError as clash:
        raise Refused(_("This name is taken. Choose another one."), 422) from clash


def profile_of(user_id: int) -> Profile:
    """The creator's own profile."""
    profile = db.session.scalar(select(Profile).where(Profile.user_id == user_id))
    if profile is None:
        raise NotFound(_("You have no studio yet."))
    return profile


def made_by(user_id: int) -> list[Row[Any]]:
    """A creator's own clips, the latest first, as rows."""
    return list(rows(_MINE, user=user_id))


def find(user_id: int, code: str) -> Clip:
    """A creator's own clip; `NotFound` for everybody else's."""
    mine = select(Clip).join(Profile).where(Profile.user_id == user_id, Clip.code == code)
    clip = db.session.scalar(mine)
    if clip is None:
        raise NotFound(_("We cannot find this clip."))
    return clip


def receive(user_id: int, upload: str) -> str:
    """Make a clip of an upload that has arrived, and give its code. Asked twice, it is one clip."""
    profile = profile_of(user_id)
    already = db.session.scalar(select(Clip.code).where(Clip.code == upload[:12], Clip.profile_id == profile.id))
    if already:
        return already
    uploads.complete(user_id, upload)
    return media.receive(profile.id, upload).code


# What it says


def describe(clip: Clip, caption: str, language: str, disclosure: str, *, has_speech: bool, is_synthetic: bool) -> None:
    """Write what is said about a clip, and in it."""
    if language not in LANGUAGES:
        raise Refused(_("Choose the language of the clip."), 422)
    others = {code: text for code, text in clip.caption.items() if code != clip.language}
    clip.caption = Words({**others, language: " ".join(caption.split())})
    clip.language = language
    clip.has_speech, clip.is_synthetic = has_speech, is_synthetic
    clip.disclosure = tagging.disclosed(clip, Disclosure(disclosure))
    _still_publishable(clip)


def add_track(clip: Clip, language: str, text: str) -> None:
    """Keep what is said, from a WebVTT or SubRip file."""
    try:
        cues = subtitles.read(text)
    except ValueError as error:
        raise Refused(
            _("We can read no subtitles in this file. Save it as WebVTT (.vtt) or SubRip (.srt)."), 422
        ) from error
    _keep_track(clip, language, cues)


def add_transcript(clip: Clip, language: str, text: str) -> None:
    """Keep what is said, from plain text; its sentences are spread over the clip."""
    if not clip.duration_ms:
        raise Refused(_("We do not know yet how long the clip is. Add the text as soon as it is ready."), 409)
    cues = subtitles.spread(text, clip.duration_ms)
    if not cues:
        raise Refused(_("Write what is said in the clip."), 422)
    _keep_track(clip, language, cues)


def _keep_track(clip: Clip, language: str, cues: list[subtitles.Cue]) -> None:
    if language not in LANGUAGES:
        raise Refused(_("Choose the language of the subtitles."), 422)
    remove_track(clip, language)
    name = storage_disk.store(subtitles.write(cues).encode(), ".vtt")
    clip.tracks.append(CaptionTrack(language=language, name=name))
    clip.has_speech = True


def remove_track(clip: Clip, language: str) -> None:
    """Take the subtitles in one language away."""
    for track in [track for track in clip.tracks if track.language == language]:
        jobs.later(media.forget_files, names=[track.name])
        clip.tracks.remove(track)
        db.session.flush()


# Who may see it


def publish(clip: Clip, *, by: int | None) -> None:
    """Show the clip in the feed; if it is still being worked on, as soon as that is done."""
    if clip.state == ClipState.NEEDS_FIXING:
        raise Refused(_("This clip needs fixing first."), 409)
    if missing := lacks(clip):
        raise Refused(" ".join(missing), 422)
    if not clip.wants_publishing:
        _note(clip, "published", by)
    clip.wants_publishing = True
    if clip.state == ClipState.READY and clip.published_at is None:
        clip.published_at = clock.now()


def lacks(clip: Clip) -> list[str]:
    """What has to be there before people may see it (European Accessibility Act: what is said can be read)."""
    wanted = (
        (clip.caption.get(clip.language), _("Write a caption.")),
        (clip.tracks or not clip.has_speech, _("Add subtitles, or say that nobody speaks.")),
    )
    return [words for is_there, words in wanted if not is_there]


def _still_publishable(clip: Clip) -> None:
    if clip.wants_publishing and (missing := lacks(clip)):
        raise Refused(_("People can see this clip now.") + " " + " ".join(missing), 422)


def unpublish(clip: Clip, *, by: int | None) -> None:
    """Take the clip out of the feed; it stays in the studio."""
    if clip.wants_publishing:
        _note(clip, "unpublished", by)
    clip.wants_publishing, clip.published_at = False, None


def leave(person: int) -> None:
    """Take all clips of somebody who closes the account out of the feed."""
    mine = select(Clip).join(Profile, Profile.id == Clip.profile_id).where(Profile.user_id == person)
    for clip in db.session.scalars(mine):
        unpublish(clip, by=person)


def remove(clip: Clip, *, by: int | None) -> None:
    """Throw the clip away with everything that was made of it."""
    names = [made.name for made in clip.renditions] + [track.name for track in clip.tracks] + [clip.poster]
    jobs.later(media.forget_files, names=[name for name in names if name])
    jobs.later(media.forget_source, code=clip.code)
    _note(clip, "removed", by)
    db.session.delete(clip)


def _note(clip: Clip, became: str, by: int | None) -> None:
    db.session.add(Event(at=clock.now(), subject="clip", subject_id=clip.id, became=became, user_id=by))
