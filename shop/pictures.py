"""Pictures of a product: taken with a camera or chosen, looked at by a child on a short lead, kept in four sizes.

The files have the names of their contents and never change. One that no picture uses any more is thrown away by a job.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from sqlalchemy import bindparam, func, or_, select, update

from shop import jobs, turn
from shop.database import db, first, let_go, run
from shop.errors import NotFound, Refused
from shop.gateways import paper_reader, storage_disk
from shop.gateways.paper_reader import LARGEST_PICTURE, Flaw, Shown, UnfitError
from shop.i18n import LANGUAGES, _
from shop.models import Picture, Product, Variant
from shop.words import Words

__all__ = ["LARGEST_PICTURE"]

MOST = 12  # of one product
MOST_AT_ONCE = 8
LONGEST_ALT = 200

pictures, variants = Picture.__table__, Variant.__table__
Clean = tuple[Shown, tuple[str, ...]]  # a picture in its sizes, and the names of the files that they are kept in
NAMES = ("name", "name_640", "name_360", "name_216")  # as `paper_reader.SIDES`
_AWAY = update(pictures).where(pictures.c.product_id == bindparam("product")).values(position=-pictures.c.id)
_PLACE = update(pictures).where(pictures.c.id == bindparam("picture")).values(position=bindparam("place"))
_LOCK = select(pictures.c.id).where(pictures.c.product_id == bindparam("product")).with_for_update(key_share=True)
_IS_USED = select(func.count()).where(or_(*(pictures.c[name] == bindparam("file") for name in NAMES)))
_UNSHOWN = update(variants).where(variants.c.picture_id == bindparam("picture")).values(picture_id=None)


def read(files: Sequence[IO[bytes]]) -> list[Clean]:
    """Look at files before anything is written, and keep what came of them: clean pictures, and their files' names."""
    if len(files) > MOST_AT_ONCE:
        raise Refused(_("Send at most %(most)s pictures at once.", most=MOST_AT_ONCE), 422)
    let_go()
    return [(found, _kept(found)) for found in _read(files)]  # one that is unfit: none is kept


def refuse_too_many(product: Product, more: int) -> None:
    """Refuse what would be more than a product may have; asked before files are read too, for that is slow."""
    if len(product.pictures) + more > MOST:
        raise Refused(_("A product has at most %(most)s pictures.", most=MOST), 422)


def forget(found: Sequence[Clean]) -> None:
    """Have the files thrown away again of what could not be put with a product."""
    jobs.later(sweep, names=[name for _shown, names in found for name in names])


def add(product: Product, found: Sequence[Clean]) -> None:
    """Put these behind the pictures that are there; the first of all is the one on cards."""
    _lock(product)
    refuse_too_many(product, len(found))
    place = len(product.pictures)
    for position, (shown, names) in enumerate(found, place):
        facts = dict(
            zip(NAMES, names, strict=True),
            looks=shown.looks if any(shown.looks) else None,
            width=shown.width,
            height=shown.height,
        )
        db.session.add(Picture(product_id=product.id, position=position, **facts))
    db.session.flush()
    db.session.expire(product, ("pictures",))


def of(product: Product, number: int) -> Picture:
    """The picture at this place, counted from 0."""
    found = next((each for each in product.pictures if each.position == number), None)
    if found is None:
        raise NotFound(_("This picture is not here any more."))
    return found


def describe(picture: Picture, alt: Words) -> None:
    """Say what is to be seen, for who cannot see it."""
    if any(len(text) > LONGEST_ALT for text in alt.values()):
        raise Refused(_("This is too long: use at most %(most)s characters.", most=LONGEST_ALT), 422)
    picture.alt = Words({code: text.strip() for code, text in alt.items() if code in LANGUAGES and text.strip()})
    db.session.flush()


def show_colors(product: Product, picture: Picture, colors: Collection[Words]) -> None:
    """Let this be the picture of these colours, and of no others."""
    run(_UNSHOWN, picture=picture.id)
    for variant in product.variants:
        if variant.color in colors:
            variant.picture_id = picture.id
    db.session.flush()
    db.session.expire_all()


def move(product: Product, number: int, to: int) -> None:
    """Put a picture at another place; the others make room."""
    picture = of(product, number)
    order = [each for each in product.pictures if each.id != picture.id]
    order.insert(max(0, min(to, len(order))), picture)
    _arrange(product, [each.id for each in order])


def remove(product: Product, number: int) -> None:
    """Take a picture away. Its files go too, unless another picture is the same."""
    picture = of(product, number)
    run(_UNSHOWN, picture=picture.id)
    jobs.later(sweep, names=[name for name in (getattr(picture, each) for each in NAMES) if name])
    left = [each.id for each in product.pictures if each.id != picture.id]
    db.session.delete(picture)
    db.session.flush()
    _arrange(product, left)


@jobs.handler
def sweep(names: list[str]) -> None:
    """Throw away the files that no picture uses. Again does no harm."""
    for name in names:
        found = first(_IS_USED, file=name)
        if found is not None and not found[0]:
            storage_disk.delete(name)


def _arrange(product: Product, order: Sequence[int]) -> None:
    _lock(product)
    run(_AWAY, product=product.id)
    for place, picture in enumerate(order):
        run(_PLACE, picture=picture, place=place)
    db.session.expire_all()


def _lock(product: Product) -> None:
    db.session.flush()
    first(_LOCK, product=product.id)


def _read(files: Sequence[IO[bytes]]) -> list[Shown]:
    """Two at a time, as many as `paper_reader` takes: each is a child of its own, and somebody waits for the last."""
    try:
        with turn.aside(), ThreadPoolExecutor(2) as readers:
            return list(readers.map(paper_reader.read_for_show, files))
    except UnfitError as error:
        words, status = _why(error.flaw)
        raise Refused(words, status) from error


def _kept(found: Shown) -> tuple[str, ...]:
    """Before the rows: a file too many is nothing, one too few is a hole in a page."""
    return tuple(storage_disk.store(made, ".webp") for made in found.sizes)


def _why(flaw: Flaw) -> tuple[str, int]:
    """What is wrong with a file, and what one can do about it."""
    whys = {
        Flaw.OTHER_KIND: (_("Send a photograph (JPEG, PNG or WebP). This is something else."), 415),
        Flaw.TOO_LARGE: (_("This file is larger than 25 MB. Take the photograph in a smaller size."), 413),
        Flaw.TOO_MANY_PIXELS: (_("This picture has too many pixels. Take the photograph in a smaller size."), 422),
        Flaw.TOO_SMALL: (_("This picture is too small: it needs 200 pixels at least on each side."), 422),
        Flaw.MOVES: (_("This picture moves. Send a photograph that stands still."), 422),
    }
    return whys.get(flaw, (_("We cannot read this file. Take a photograph, or save it again, and send that."), 422))
