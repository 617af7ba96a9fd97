"""Social: what people think of a clip. For now: they like it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, text, update

from shop import clock
from shop.database import connection, first
from shop.errors import NotFound
from shop.i18n import _
from shop.models import Clip, Like, Moment

clips, likes = Clip.__table__, Like.__table__
_CLIP = select(clips.c.id).where(clips.c.code == bindparam("code"), clips.c.published_at <= bindparam("now"))
_LIKE = text(
    "INSERT INTO likes (user_id, clip_id, created_at) VALUES (:person, :clip, :now) ON CONFLICT DO NOTHING"
).bindparams(bindparam("now", type_=Moment))
_UNLIKE = delete(likes).where(likes.c.user_id == bindparam("person"), likes.c.clip_id == bindparam("clip"))
_COUNT = (
    update(clips)
    .where(clips.c.id == bindparam("clip"))
    .values(likes=clips.c.likes + bindparam("by"))
    .returning(clips.c.likes)
)


class Liked(NamedTuple):
    """What the like button says."""

    code: str
    likes: int
    is_liked: bool


def like(person: int, code: str, *, wanted: bool) -> Liked:
    """This person likes the clip, or no longer; saying it twice counts once. `NotFound` if there is no such clip."""
    now = clock.now()
    clip = first(_CLIP, code=code, now=now)
    if clip is None:
        raise NotFound(_("We cannot find this clip."))
    values = {"person": person, "clip": clip.id}
    changed = connection().execute(_LIKE, {**values, "now": now}) if wanted else connection().execute(_UNLIKE, values)
    by = changed.rowcount if wanted else -changed.rowcount
    return Liked(code, connection().execute(_COUNT, {"clip": clip.id, "by": by}).scalar_one(), wanted)
