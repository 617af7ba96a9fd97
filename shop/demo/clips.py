"""The demo's clips, with their captions, and tags where a product is in view."""

from __future__ import annotations

from shop import tagging, videos
from shop.database import db
from shop.demo import catalogue, people
from shop.gateways import storage_disk
from shop.models import CaptionTrack, Clip, ClipState, Rendition
from shop.words import Words


def add(entries: list[catalogue.Entry], files: catalogue.Files) -> None:
    """Publish the clips that are not there yet, as their creators would."""
    for n, entry in enumerate(entries):
        code = catalogue.code("clip", entry["slug"])
        if catalogue.is_there(Clip, Clip.code == code):
            continue
        creator, posted = people.profile_of(entry["creator"]), catalogue.ago(entry["posted_days_ago"] + n / 100)
        clip = Clip(code=code, profile_id=creator.id, state=ClipState.READY, progress=100, created_at=posted)
        _tell(clip, entry, files)
        db.session.add(clip)
        db.session.flush()
        for tag in entry["tags"]:
            place = tagging.Place(round(tag["start"] * 1000), round(tag["end"] * 1000), tag["x"], tag["y"])
            tagging.add(clip, catalogue.code("product", tag["product"]), place)
        videos.publish(clip, by=creator.user_id)
        clip.published_at = posted
    db.session.flush()


def _tell(clip: Clip, entry: catalogue.Entry, files: catalogue.Files) -> None:
    tags = " ".join(f"#{tag}" for tag in entry["hashtags"])
    clip.caption = Words({language: f"{text} {tags}" for language, text in entry["caption"].items()})
    clip.language, clip.has_speech = entry["language"], False
    clip.disclosure = entry["disclosure"]  # drawn by a program, but not by AI: nothing to mark
    clip.duration_ms, clip.width, clip.height = round(entry["seconds"] * 1000), 540, 960
    clip.poster, clip.placeholder, clip.likes = files[entry["poster"]], entry["placeholder"], entry["likes"]
    clip.renditions = [_rendition(files[entry["video"]])]
    clip.tracks = [CaptionTrack(language=to, name=files[file]) for to, file in entry["captions"].items()]


def _rendition(name: str) -> Rendition:
    return Rendition(width=540, height=960, name=name, size=storage_disk.path_of(name).stat().st_size)
