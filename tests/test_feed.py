"""The feed shows the newest clips with their makers taking turns, twenty at a sitting, and never a clip twice."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import clock, feed
from shop.database import db
from shop.errors import NotFound
from shop.models import CaptionTrack, Disclosure, Like, Product, ProductStatus, Profile, Rendition, Variant, Vetting
from shop.money import Money
from shop.words import Words
from tests.cast import a_clip, a_profile

pytestmark = pytest.mark.usefixtures("at_the_desk")


def film(makers: str, **given):
    """Publish one clip for each letter, the newest first: "ab" is a1 by a, and an older b2 by b."""
    profiles = {letter: a_profile(letter * 3, letter) for letter in sorted(set(makers))}
    for n, letter in enumerate(makers):
        at = clock.now() - timedelta(minutes=n + 1)
        db.session.add(a_clip(profiles[letter], f"{letter}{n + 1}", published_at=at, **given))
    db.session.commit()


def codes(page):
    return [clip.code for clip in page.clips]


def whole_sitting(top=""):
    seen, at = [], 0
    while at is not None:
        page = feed.page(top, at)
        seen += codes(page)
        top, at = page.top, page.following
    return seen, page


def test_the_newest_come_first_and_no_maker_twice_in_a_row():
    film("aaabbc")
    assert whole_sitting()[0] == ["a1", "b4", "a2", "b5", "a3", "c6"]


def test_a_maker_who_has_more_than_half_follows_himself_only_where_it_cannot_be_helped():
    film("bcaaa")
    assert whole_sitting()[0] == ["b1", "a3", "c2", "a4", "a5"]


@given(st.lists(st.integers(1, 4), max_size=20))
def test_mixing_loses_nobody_and_puts_the_same_maker_twice_only_where_it_must(makers):
    mixed = feed._mixed(makers)
    assert sorted(mixed) == list(range(len(makers)))
    assert mixed[:1] == [0][: len(makers)]
    in_a_row = sum(makers[a] == makers[b] for a, b in pairwise(mixed))
    after_the_first = Counter(makers[1:])
    # The first is given. Of what follows, a maker with n of m clips has at least n - (m - n) - 1 neighbours of his own,
    # and one more where the first is his too.
    must = [n - (len(makers) - 1 - n) - (maker != makers[0]) for maker, n in after_the_first.items()]
    assert in_a_row == max([0, *must])


def test_after_twenty_clips_the_feed_stops_and_knows_where_to_go_on():
    film("ab" * 11)
    seen, last = whole_sitting()
    assert (len(seen), len(set(seen)), last.following, last.next_top) == (20, 20, None, "a21")
    assert whole_sitting(last.next_top)[0] == ["a21", "b22"]
    assert whole_sitting(last.next_top)[1].next_top is None


def test_what_is_published_meanwhile_does_not_shift_the_sitting():
    film("abcabcabc")
    first = feed.page()
    db.session.add(a_clip(a_profile("new", "New"), "fresh"))
    db.session.commit()
    second = feed.page(first.top, first.following)
    assert codes(first) + codes(second) == ["a1", "b2", "c3", "a4", "b5", "c6", "a7", "b8", "c9"]
    assert codes(feed.page())[0] == "fresh"


def test_the_feed_starts_at_a_clip_and_goes_on_with_older_ones():
    film("abcd")
    assert codes(feed.page("b2")) == ["b2", "c3", "d4"]


def test_an_unpublished_an_unfinished_and_a_future_clip_are_nowhere():
    film("a")
    maker = db.session.query(Profile).one()
    unfinished = a_clip(maker, "raw")
    unfinished.renditions = []
    later = clock.now() + timedelta(hours=1)
    db.session.add_all(
        [unfinished, a_clip(maker, "draft", published_at=None), a_clip(maker, "soon", published_at=later)]
    )
    db.session.commit()
    assert codes(feed.page()) == ["a1"]
    for code in ("raw", "draft", "soon", "nope"):
        with pytest.raises(NotFound):
            feed.page(code)
        with pytest.raises(NotFound):
            feed.goods_of(code)


def test_an_empty_shop_has_an_empty_feed():
    page = feed.page()
    assert (page.clips, page.top, page.at, page.following, page.next_top) == ((), "", 0, None, None)


def test_a_tag_says_what_the_checkout_will_charge(mug, lamp):
    clip = a_clip(a_profile("kai", "Kai"), "kai1", db.session.get(Product, lamp.id), db.session.get(Product, mug.id))
    clip.tags[0].start_ms, clip.tags[0].x, clip.tags[0].y = 2500, 0.25, 0.75
    db.session.add(clip)
    db.session.commit()
    mug_tag, lamp_tag = feed.page().clips[0].tags
    assert (lamp_tag.product, lamp_tag.variant, lamp_tag.price) == ("lamp", "lamp-oak", Money(4995, "EUR"))
    assert (lamp_tag.start_ms, lamp_tag.end_ms, lamp_tag.x, lamp_tag.y) == (2500, 8000, 0.25, 0.75)
    assert (lamp_tag.is_from, lamp_tag.has_choices, lamp_tag.is_sold_out) == (False, False, False)
    assert (mug_tag.price, mug_tag.is_from, mug_tag.has_choices) == (Money(2450, "EUR"), True, True)


def test_what_others_are_paying_for_is_not_left_to_tag(lamp):
    db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", db.session.get(Product, lamp.id)))
    oak = db.session.get(Variant, lamp.oak)
    oak.held = oak.stock
    db.session.commit()
    assert feed.page().clips[0].tags[0].is_sold_out is True


@pytest.mark.parametrize("stop", ["the product is paused", "the seller is suspended"])
def test_what_may_not_be_sold_is_not_tagged_but_its_clip_stays(lamp, stop):
    product = db.session.get(Product, lamp.id)
    db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", product))
    if stop == "the product is paused":
        product.status = ProductStatus.PAUSED
    else:
        product.seller.vetting = Vetting.SUSPENDED
    db.session.commit()
    assert [(clip.code, clip.tags) for clip in feed.page().clips] == [("kai1", ())]
    assert feed.goods_of("kai1").tags == ()


def test_the_video_is_no_larger_than_asked_for_where_there_is_a_smaller_one():
    film("a")
    clip = db.session.query(Rendition).one()
    db.session.add_all(
        Rendition(clip_id=clip.clip_id, width=w, height=h, name=f"{w}.mp4", size=1)
        for w, h in ((360, 640), (720, 1280))
    )
    db.session.commit()
    chosen = {tallest: feed.page(tallest=tallest).clips[0].source for tallest in (640, 960, 1280, 100)}
    assert chosen == {640: "360.mp4", 960: "a1.mp4", 1280: "720.mp4", 100: "360.mp4"}


def test_a_clip_says_who_made_it_why_and_what_is_said_in_it(noor):
    film("a", disclosure=Disclosure.COMMISSION, is_synthetic=True, likes=3, caption=Words(nl="Kijk", en="Look"))
    clip = db.session.query(Rendition).one().clip_id
    tracks = [CaptionTrack(clip_id=clip, language=code, name=f"{code}.vtt") for code in ("nl", "en")]
    db.session.add_all([*tracks, Like(user_id=noor.id, clip_id=clip, created_at=clock.now())])
    db.session.commit()
    shown = feed.page(person=noor.id).clips[0]
    assert (shown.handle, shown.disclosure, shown.is_synthetic, shown.likes) == ("aaa", "commission", True, 3)
    assert (shown.caption, shown.tracks) == (Words(nl="Kijk", en="Look"), (("en", "en.vtt"), ("nl", "nl.vtt")))
    assert (shown.is_liked, feed.page().clips[0].is_liked) == (True, False)
