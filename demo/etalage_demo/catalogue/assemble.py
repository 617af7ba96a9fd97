"""Puts the catalogue together and writes catalogue.json."""
import json
from pathlib import Path

from ..clips import CLIPS
from ..encode import placeholder
from .accounts import ACCOUNTS
from .products import CATEGORIES, PRODUCTS
from .reviews import REVIEWS
from .stories import CAMPAIGNS, COLLECTIONS, LIVE_EVENTS, POSTS


def clip_record(clip, out):
    creator, disclosure, days_ago, caption, hashtags, likes = POSTS[clip.name]
    return {"slug": clip.name, "creator": creator, "disclosure": disclosure, "synthetic": True, "posted_days_ago": days_ago, "caption": caption, "hashtags": hashtags, "likes": likes,
            "language": clip.language, "seconds": clip.seconds, "bpm": clip.bpm, "layout": clip.scene, "video": f"clips/{clip.name}.mp4", "poster": f"posters/{clip.name}.webp",
            "placeholder": placeholder(out / "posters" / f"{clip.name}.webp"),
            "captions": {language: f"captions/{clip.name}.{language}.vtt" for language in ("nl", "en")},
            "tags": [{"product": tag.product, "start": tag.start, "end": tag.end, "x": tag.x, "y": tag.y} for tag in clip.tags]}


def catalogue(out):
    categories = [{"slug": c["slug"], "name": c["name"], "specs": [{"key": key, "name": name} for key, name in c["specs"]], "requires": c["requires"]} for c in CATEGORIES]
    return {"version": 1, "currency": "EUR", "languages": ["nl", "en"], "note": "Demo data. Every company, person, street and number is invented or a documented test value; see README.md.",
            "accounts": ACCOUNTS, "categories": categories, "products": PRODUCTS, "clips": [clip_record(clip, out) for clip in CLIPS.values()],
            "reviews": REVIEWS, "collections": COLLECTIONS, "live_events": LIVE_EVENTS, "campaigns": CAMPAIGNS}


def write_catalogue(out):
    Path(out, "catalogue.json").write_text(json.dumps(catalogue(Path(out)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
