"""Feed: what to show next, and why. For now the newest clips, with their creators mixed.

One sitting is `SITTING` clips, dealt out a page at a time; then the feed stops and asks. A sitting is known by its
top clip, so the same address deals the same clips, however many are published meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, and_, bindparam, case, cast, exists, func, or_, select

from shop import clock
from shop.database import rows, same_rows, same_rows_and_more
from shop.errors import NotFound
from shop.i18n import _
from shop.models import CaptionTrack, Clip, Like, Picture, Product, Profile, Rendition, Seller, Tag, Variant
from shop.money import Money
from shop.prepared import Same
from shop.products import MAY_BE_SOLD, read_words
from shop.words import Words

SITTING, PAGE = 20, 5
RUNGS = {"360": 640, "540": 960, "720": 1280}  # what a rendition is called: its height

clips, profiles, renditions, tracks = Clip.__table__, Profile.__table__, Rendition.__table__, CaptionTrack.__table__
tags, products, variants, pictures = Tag.__table__, Product.__table__, Variant.__table__, Picture.__table__
sellers, likes = Seller.__table__, Like.__table__

IS_SHOWN = and_(
    clips.c.published_at <= bindparam("now"),
    exists().where(renditions.c.clip_id == clips.c.id, renditions.c.codec == "h264"),
)
_top = clips.alias("top")
_TOP_AT = select(_top.c.published_at).where(_top.c.code == bindparam("top")).scalar_subquery()
_TOP_ID = select(_top.c.id).where(_top.c.code == bindparam("top")).scalar_subquery()

# One clip more than a sitting: it is the top of the next one.
_NEWEST = (
    select(clips.c.id, clips.c.code, clips.c.profile_id)
    .where(IS_SHOWN)
    .order_by(clips.c.published_at.desc(), clips.c.id.desc())
    .limit(SITTING + 1)
)
_FROM_TOP = _NEWEST.where(clips.c.published_at <= _TOP_AT, or_(clips.c.published_at < _TOP_AT, clips.c.id <= _TOP_ID))

# The largest rendition that is no taller than asked for; the smallest, where all of them are.
_SOURCE = (
    select(renditions.c.name)
    .where(renditions.c.clip_id == clips.c.id, renditions.c.codec == "h264")
    .order_by(
        case((renditions.c.height <= bindparam("tallest"), renditions.c.height), else_=-renditions.c.height).desc()
    )
    .limit(1)
    .scalar_subquery()
)
_TRACKS = (
    select(func.aggregate_strings(tracks.c.language + ":" + tracks.c.name, ","))
    .where(tracks.c.clip_id == clips.c.id)
    .scalar_subquery()
)
_IS_LIKED = exists().where(likes.c.clip_id == clips.c.id, likes.c.user_id == bindparam("person"))


def _words(*each: Any) -> Any:
    return reduce(lambda line, word: line + " " + word, each)


def _of_offered(what: Any) -> Any:
    return case((variants.c.is_offered, what))


# All that is asked of a product's variants in one look at them: of the first its currency and code, of those that are
# offered the least and the highest price, how many there are and how many pieces are left. NULL: none is.
_OFFER = (
    select(
        _words(
            func.max(case((variants.c.position == 0, variants.c.price_currency))),
            func.max(case((variants.c.position == 0, variants.c.code))),
            cast(func.min(_of_offered(variants.c.price_minor)), Text),
            cast(func.max(_of_offered(variants.c.price_minor)), Text),
            cast(func.count(_of_offered(variants.c.id)), Text),
            cast(func.sum(_of_offered(variants.c.stock - variants.c.held)), Text),
        )
    )
    .where(variants.c.product_id == products.c.id)
    .scalar_subquery()
)
# Joined one by one and not as a group: SQLite would put together the goods of the whole shop before it looks at a clip.
_goods = (
    clips.join(profiles, profiles.c.id == clips.c.profile_id)
    .outerjoin(tags, tags.c.clip_id == clips.c.id)
    .outerjoin(products, products.c.id == tags.c.product_id)
    .outerjoin(sellers, and_(sellers.c.id == products.c.seller_id, *MAY_BE_SOLD))
    .outerjoin(pictures, and_(pictures.c.product_id == products.c.id, pictures.c.position == 0))
)
_TAG_COLUMNS = (
    case((sellers.c.id.is_not(None), tags.c.code)).label("tag"),  # NULL: not for sale
    tags.c.start_ms,
    tags.c.end_ms,
    tags.c.x,
    tags.c.y,
    products.c.code.label("product"),
    cast(products.c.title, Text).label("title"),  # read once, however often it comes by
    func.coalesce(pictures.c.name_216, pictures.c.name).label("picture"),
    _OFFER.label("offer"),
)
_DEALT = (
    select(
        clips.c.id,
        clips.c.code,
        cast(clips.c.caption, Text).label("caption"),
        clips.c.disclosure,
        clips.c.is_synthetic,
        clips.c.poster,
        clips.c.placeholder,
        clips.c.likes,
        _IS_LIKED.label("is_liked"),
        _SOURCE.label("source"),
        _TRACKS.label("tracks"),
        profiles.c.handle,
        profiles.c.avatar,
        *_TAG_COLUMNS,
    )
    .select_from(_goods)
    .where(IS_SHOWN, clips.c.id.in_([bindparam(f"clip{n}") for n in range(PAGE)]))
    .order_by(clips.c.id, tags.c.start_ms, tags.c.id)
)
_GOODS_OF = (
    select(cast(clips.c.caption, Text).label("caption"), profiles.c.handle, *_TAG_COLUMNS)
    .select_from(_goods)
    .where(IS_SHOWN, clips.c.code == bindparam("code"))
    .order_by(tags.c.start_ms, tags.c.id)
)


class Tagged(NamedTuple):
    """A product, where and while it is to be seen in a clip, at the price that the checkout will charge."""

    start_ms: int
    end_ms: int
    x: float
    y: float
    product: str
    title: Words
    variant: str
    picture: str | None
    price: Money
    is_from: bool  # there are dearer variants too
    has_choices: bool
    is_sold_out: bool


class Shown(NamedTuple):
    """A clip in the feed. Everything that its card shows is in here, so the card may be cached by it."""

    code: str
    caption: Words
    disclosure: str
    is_synthetic: bool
    poster: str
    placeholder: str
    likes: int
    is_liked: bool
    source: str
    tracks: tuple[tuple[str, str], ...]  # language, name of the file
    handle: str
    avatar: str
    tags: tuple[Tagged, ...]


@dataclass(frozen=True, eq=False)  # the same rows are the same object: see `_page`
class Page:
    """Some clips of a sitting, and where it goes on."""

    clips: tuple[Shown, ...]
    top: str  # the clip that this sitting began with
    at: int  # how many clips of it came before these
    following: int | None  # where its next page starts; None at its end
    next_top: str | None  # where the next sitting starts; None when there are no more clips


def page(top: str = "", at: int = 0, *, tallest: int = RUNGS["540"], person: int = 0) -> Page:
    """The clips of a sitting from the clip `top` on, else from the newest; `NotFound` if `top` is not to be seen.

    `tallest` is the height that a video should not exceed, `person` who is watching (0: somebody unknown).
    """
    now = clock.now()
    sitting = _sitting(same_rows_and_more(_FROM_TOP, top=top, now=now) if top else same_rows_and_more(_NEWEST, now=now))
    if top and sitting.top != top:
        raise NotFound(_("We cannot find this clip."))
    if not (ids := sitting.dealt[at : at + PAGE]):
        return _page(sitting, at, None)
    places = {f"clip{n}": ids[n] if n < len(ids) else 0 for n in range(PAGE)}
    return _page(sitting, at, same_rows(_DEALT, **places, now=now, tallest=tallest, person=person))


@dataclass(frozen=True, eq=False)
class Sitting:
    """The clips of a sitting, by their ids, in the order in which they are dealt."""

    dealt: tuple[int, ...]
    top: str
    next_top: str | None


@lru_cache(maxsize=1_000)
def _sitting(found: Same) -> Sitting:
    newest = found.rows
    dealt = _mixed([row.profile_id for row in newest[:SITTING]])
    ids = tuple([newest[place].id for place in dealt])
    return Sitting(ids, newest[0].code if newest else "", newest[SITTING].code if len(newest) > SITTING else None)


@lru_cache(maxsize=1_000)
def _page(sitting: Sitting, at: int, dealt: Same | None) -> Page:
    """These clips in their order, without those that went out of sight a moment ago."""
    by_clip = {clip: _shown(list(of)) for clip, of in groupby(dealt.rows if dealt else (), attrgetter("id"))}
    return Page(
        clips=tuple([by_clip[clip] for clip in sitting.dealt[at : at + PAGE] if clip in by_clip]),
        top=sitting.top,
        at=at,
        following=at + PAGE if at + PAGE < len(sitting.dealt) else None,
        next_top=sitting.next_top,
    )


class Goods(NamedTuple):
    """All that is for sale in one clip."""

    caption: Words
    handle: str
    tags: tuple[Tagged, ...]


def goods_of(code: str) -> Goods:
    """The products of this clip, in the order in which they come into view; `NotFound` if it is not to be seen."""
    found = rows(_GOODS_OF, code=code, now=clock.now())
    if not found:
        raise NotFound(_("We cannot find this clip."))
    return Goods(read_words(found[0].caption), found[0].handle, _tags(found))


def _mixed(makers: Sequence[int]) -> list[int]:
    """The places of these creators' clips: in order, but with no two of one creator in a row as far as that can be."""
    waiting, mixed = list(range(len(makers))), list[int]()
    while waiting:
        turn = _turn(waiting, makers, after=makers[mixed[-1]] if mixed else None)
        waiting.remove(turn)
        mixed.append(turn)
    return mixed


def _turn(waiting: Sequence[int], makers: Sequence[int], after: int | None) -> int:
    """Who is next: the newest by somebody else, or whoever has so many waiting that they would end up in a row."""
    if after is None:
        return waiting[0]
    most, count = Counter(makers[place] for place in waiting).most_common(1)[0]
    if most != after and 2 * count > len(waiting):
        return next(place for place in waiting if makers[place] == most)
    return next((place for place in waiting if makers[place] != after), waiting[0])


def _shown(of: Sequence[Row[Any]]) -> Shown:
    """The clip of these rows of `_DEALT`, one for each of its tags."""
    clip = of[0]
    return Shown(
        code=clip.code,
        caption=read_words(clip.caption),
        disclosure=clip.disclosure,
        is_synthetic=clip.is_synthetic,
        poster=clip.poster,
        placeholder=clip.placeholder,
        likes=clip.likes,
        is_liked=bool(clip.is_liked),
        source=clip.source,
        tracks=tuple(_read_tracks(clip.tracks)),
        handle=clip.handle,
        avatar=clip.avatar,
        tags=_tags(of),
    )


def _read_tracks(joined: str | None) -> Iterator[tuple[str, str]]:
    for track in sorted((joined or "").split(",")):
        language, _colon, name = track.partition(":")
        if name:
            yield language, name


def _tags(of: Iterable[Row[Any]]) -> tuple[Tagged, ...]:
    return tuple([_tagged(row, *row.offer.split(" ")) for row in of if row.tag is not None and row.offer is not None])


def _tagged(row: Row[Any], currency: str, variant: str, *numbers: str) -> Tagged:
    least, most, choices, left = map(int, numbers)
    return Tagged(
        row.start_ms,
        row.end_ms,
        row.x,
        row.y,
        row.product,
        read_words(row.title),
        variant,
        row.picture,
        price=Money(least, currency),
        is_from=least < most,
        has_choices=choices > 1,
        is_sold_out=left <= 0,
    )
