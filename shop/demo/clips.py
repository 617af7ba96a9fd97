"""The demo's clips, with their captions, and tags where a product is in view."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from shop.database import db
from shop.demo import catalogue, people
from shop.gateways import storage_disk
from shop.models import CaptionTrack, Clip, ClipState, Product, Rendition, Tag
from shop.words import Words


def add(entries: list[catalogue.Entry], files: catalogue.Files) -> None:
    """Publish the clips that are not there yet."""
    products = {product.code: product.id for product in db.session.scalars(select(Product))}
    for n, entry in enumerate(entries):
        code = catalogue.code("clip", entry["slug"])
        if catalogue.is_there(Clip, Clip.code == code):
            continue
        clip = Clip(code=code, profile_id=people.profile_of(entry["creator"]).id, state=ClipState.READY, progress=100)
        clip.created_at = clip.published_at = catalogue.ago(entry["posted_days_ago"] + n / 100)
        _tell(clip, entry, files)
        clip.renditions = [_rendition(files[entry["video"]])]
        clip.tracks = [CaptionTrack(language=to, name=files[file]) for to, file in entry["captions"].items()]
        clip.tags = [_tag(tag, entry["slug"], products) for tag in entry["tags"]]
        db.session.add(clip)
    db.session.flush()


def _tell(clip: Clip, entry: catalogue.Entry, files: catalogue.Files) -> None:
    tags = " ".join(f"#{tag}" for tag in entry["hashtags"])
    clip.caption = Words({language: f"{text} {tags}" for language, text in entry["caption"].items()})
    clip.language, clip.has_speech = entry["language"], False
    clip.disclosure = entry["disclosure"]  # drawn by a program, but not by AI: nothing to mark
    clip.duration_ms, clip.width, clip.height = round(entry["seconds"] * 1000), 540, 960
    clip.poster, clip.placeholder = files[entry["poster"]], entry["placeholder"]
    clip.likes, clip.wants_publishing = entry["likes"], True


def _rendition(name: str) -> Rendition:
    return Rendition(width=540, height=960, name=name, size=storage_disk.path_of(name).stat().st_size)


def _tag(entry: catalogue.Entry, clip: str, products: Mapping[str, int]) -> Tag:
    code = catalogue.code("tag", f"{clip} {entry['product']}")
    start, end = round(entry["start"] * 1000), round(entry["end"] * 1000)
    shown = products[catalogue.code("product", entry["product"])]
    return Tag(code=code, product_id=shown, start_ms=start, end_ms=end, x=entry["x"], y=entry["y"])
