"""Who looks at a paper, and when, stands all over it: a photograph of the screen tells on them."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from shop import accounts, clock, papers
from shop.database import db
from shop.gateways import paper_reader
from shop.models import Role
from tests.applicants import a_person
from tests.papers import as_file, picture
from tests.test_vault import kept

DATABASES = ("sqlite",)  # it is about pixels
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
CLEAN = as_file(picture(), "JPEG", quality=90)


@pytest.fixture
def shown(app, monkeypatch):
    """`shown("Rex", minute)`: the page as this person sees it then."""
    code = kept(app, "mina", (CLEAN,))

    def look(name, minute=0):
        monkeypatch.setattr(clock, "now", lambda: NOON.replace(minute=minute))
        with app.test_request_context(method="POST"):
            person = accounts.as_actor(accounts.called("rex@example.com")) if known else a_person("rex", Role.MODERATOR)
            known.append(person)
            papers.open_up(code, by=person, reason="To decide on the application.")
            seen = papers.page(code, 1, to=person, name=name)
            db.session.commit()
        return Image.open(BytesIO(seen)).getchannel("G")

    known = []
    return look


def ninths(one, other):
    """How much two pictures differ on the mean, in each ninth of them; of 255."""
    apart, (wide, high) = ImageChops.difference(one, other), one.size
    boxes = [
        (x * wide // 3, y * high // 3, (x + 1) * wide // 3, (y + 1) * high // 3) for y in range(3) for x in range(3)
    ]
    return [ImageStat.Stat(apart.crop(box)).mean[0] for box in boxes]


def test_every_ninth_of_the_page_says_who_looks(shown):
    clean = Image.open(BytesIO(CLEAN)).getchannel("G")
    bare = Image.open(BytesIO(paper_reader.watermarked(CLEAN, ""))).getchannel("G")  # saved again, and nothing on it
    told = ninths(shown("Rex"), clean)
    assert (len(told), min(told) > 1) == (9, True)
    assert max(ninths(bare, clean)) < min(told) / 2  # so it is the words, and not that it was saved again


def test_two_viewers_and_two_minutes_give_other_pixels_and_the_same_ones_the_same(shown):
    rex = shown("Rex")
    assert max(ninths(rex, shown("Rex"))) == 0
    assert min(ninths(rex, shown("Ada"))) > 0.5
    assert max(ninths(rex, shown("Rex", minute=1))) > 0.1
