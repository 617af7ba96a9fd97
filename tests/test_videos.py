"""What a creator may do with a clip: say what it shows, be honest about it, and let people see it."""

import pytest
from sqlalchemy import select

from shop import accounts, tagging, videos
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways import storage_disk
from shop.models import Clip, ClipState, Disclosure, Event, Product, ProductStatus, Profile, Role, Seller, Tag, Vetting
from shop.tagging import Place
from tests.cast import a_clip, a_product, a_seller, a_variant, both

pytestmark = pytest.mark.usefixtures("at_the_desk")

HERE = Place(1000, 3000, 0.2, 0.75)


@pytest.fixture
def clip(kai):
    """Kai's clip of eight seconds, which nobody sees yet and in which somebody speaks."""
    made = a_clip(db.session.get(Profile, kai.profile), "kais-clip", published_at=None, caption=both(""))
    db.session.add(made)
    db.session.commit()
    return made


@pytest.fixture
def own_mug(kai):
    """What Kai himself sells."""
    shop = a_seller("kai", "Kai", profile=db.session.get(Profile, kai.profile))
    db.session.add(a_product(shop, "own-mug", "Own mug", [a_variant("own", "One", 1000, 5)]))
    db.session.commit()


def seen(clip):
    return [(tag.product, tag.start_ms, tag.end_ms, tag.x, tag.y) for tag in tagging.shown(clip)]


def test_kai_tags_two_products_moves_one_and_removes_the_other(clip, mug, lamp):
    first = tagging.add(clip, "mug", HERE)
    second = tagging.add(clip, "lamp", Place(0, 8000, 0.5, 0.5))
    assert seen(clip) == [("lamp", 0, 8000, 0.5, 0.5), ("mug", 1000, 3000, 0.2, 0.75)]
    tagging.change(clip, first.code, "lamp", Place(500, 99_000, 0.8, 0.25))
    tagging.remove(clip, second.code)
    db.session.flush()
    assert seen(clip) == [("lamp", 500, 8000, 0.8, 0.25)]  # nothing is tagged after the end


def test_only_what_may_be_sold_can_be_tagged_or_is_offered(kai, clip, mug, lamp):
    db.session.get(Product, mug.id).status = ProductStatus.PAUSED
    db.session.get(Seller, lamp.seller).vetting = Vetting.SUSPENDED
    db.session.flush()
    assert tagging.sellable(kai.id) == []
    for code in ("mug", "lamp", "no-such-thing"):
        with pytest.raises(Refused):
            tagging.add(clip, code, HERE)
    assert seen(clip) == []


@pytest.mark.parametrize(
    "place",
    [
        Place(3000, 1000, 0.5, 0.5),
        Place(1000, 1400, 0.5, 0.5),
        Place(7900, 9000, 0.5, 0.5),
        Place(-1, 1000, 0.5, 0.5),
        Place(0, 1000, 1.01, 0.5),
        Place(0, 1000, 0.5, float("nan")),
    ],
)
def test_a_tag_outside_of_the_clip_or_its_frame_is_refused(clip, mug, place):
    with pytest.raises(Refused):
        tagging.add(clip, "mug", place)
    assert db.session.scalars(select(Tag)).all() == []


def test_a_clip_has_at_most_twenty_tags(clip, mug):
    for _tag in range(tagging.MOST_TAGS):
        tagging.add(clip, "mug", HERE)
    with pytest.raises(Refused):
        tagging.add(clip, "mug", HERE)


def test_who_shows_anothers_product_says_so_and_cannot_hide_it(clip, mug, own_mug):
    tagging.add(clip, "own-mug", HERE)
    assert clip.disclosure == Disclosure.OWN_PRODUCTS
    added = tagging.add(clip, "mug", HERE)
    assert clip.disclosure == Disclosure.COMMISSION
    videos.describe(clip, "Hi", "en", Disclosure.NONE, has_speech=False, is_synthetic=True)
    assert (clip.disclosure, clip.is_synthetic) == (Disclosure.COMMISSION, True)
    tagging.remove(clip, added.code)
    assert clip.disclosure == Disclosure.COMMISSION  # it may have earned already
    videos.describe(clip, "Hi", "en", Disclosure.NONE, has_speech=False, is_synthetic=False)
    assert clip.disclosure == Disclosure.OWN_PRODUCTS


def test_a_product_is_found_by_its_name_or_its_shop_and_ones_own_come_first(kai, clip, mug, lamp, own_mug):
    assert tagging.sellable(kai.id)[0].code == "own-mug"
    assert [choice.code for choice in tagging.sellable(kai.id, "LAMP")] == ["lamp"]
    assert [choice.code for choice in tagging.sellable(kai.id, "mina mug")] == ["mug"]
    assert tagging.sellable(kai.id, "zebra") == []


def test_a_clip_is_published_when_it_has_a_caption_and_what_is_said_can_be_read(kai, clip):
    with pytest.raises(Refused) as no:
        videos.publish(clip, by=kai.id)
    assert no.value.words == "Write a caption. Add subtitles, or say that nobody speaks."
    assert (clip.published_at, clip.wants_publishing) == (None, False)
    videos.describe(clip, " A  mug ", "nl", Disclosure.NONE, has_speech=True, is_synthetic=False)
    videos.add_transcript(clip, "nl", "Kijk. Een mok!")
    videos.publish(clip, by=kai.id)
    assert (clip.caption["nl"], clip.published_at is not None) == ("A mug", True)
    with pytest.raises(Refused):  # what people see cannot lose what the law wants
        videos.describe(clip, "", "nl", Disclosure.NONE, has_speech=True, is_synthetic=False)
    db.session.rollback()


def test_publishing_and_taking_back_leave_a_trace(kai, clip):
    videos.describe(clip, "Hi", "en", Disclosure.NONE, has_speech=False, is_synthetic=False)
    for step in (videos.publish, videos.publish, videos.unpublish, videos.unpublish):
        step(clip, by=kai.id)
    assert (clip.published_at, clip.wants_publishing) == (None, False)
    events = db.session.execute(select(Event.became, Event.user_id)).all()
    assert [tuple(event) for event in events] == [("published", kai.id), ("unpublished", kai.id)]


def test_a_clip_that_is_still_made_is_published_later_and_one_that_failed_never(kai, clip):
    videos.describe(clip, "Hi", "en", Disclosure.NONE, has_speech=False, is_synthetic=False)
    clip.state = ClipState.PROCESSING
    videos.publish(clip, by=kai.id)
    assert (clip.published_at, clip.wants_publishing) == (None, True)
    clip.state, clip.wants_publishing = ClipState.NEEDS_FIXING, False
    with pytest.raises(Refused):
        videos.publish(clip, by=kai.id)


def test_subtitles_are_kept_as_a_file_and_replaced_by_newer_ones(clip):
    videos.add_track(clip, "nl", "1\n00:00:00,000 --> 00:00:01,000\n<b>Hallo</b>\n")
    videos.add_transcript(clip, "nl", "Dag.")
    assert [track.language for track in clip.tracks] == ["nl"]
    assert storage_disk.path_of(clip.tracks[0].name).read_text() == "WEBVTT\n\n00:00:00.000 --> 00:00:08.000\nDag.\n"
    for language, text in (("nl", "no times"), ("xx", "1\n00:00:00,000 --> 00:00:01,000\nHallo\n")):
        with pytest.raises(Refused):
            videos.add_track(clip, language, text)


def test_a_transcript_waits_until_the_length_of_the_clip_is_known(clip):
    clip.duration_ms = 0
    with pytest.raises(Refused):
        videos.add_transcript(clip, "nl", "Dag.")


def test_a_clip_is_its_creators_own(kai, noor, clip):
    assert videos.find(kai.id, "kais-clip").id == clip.id
    with pytest.raises(NotFound):
        videos.find(noor.id, "kais-clip")


def test_what_is_thrown_away_is_gone_with_its_tags(kai, clip, mug):
    tagging.add(clip, "mug", HERE)
    videos.remove(clip, by=kai.id)
    db.session.commit()
    assert [db.session.scalars(select(table)).all() for table in (Clip, Tag)] == [[], []]


def test_noor_opens_a_studio_and_may_film_from_then_on(noor):
    user = videos.open_studio(noor.id, "@Noor.Films", "Noor films")
    profile = videos.profile_of(noor.id)
    assert (profile.handle, profile.name) == ("noor.films", "Noor films")
    assert [held.role for held in user.roles] == [Role.CREATOR]


@pytest.mark.parametrize("handle", ["ab", "kai", "-x-", "a..b", "admin", "official", "a" * 31, "söd", ".abc", "abc."])
def test_a_handle_that_is_odd_or_taken_is_refused(kai, noor, handle):
    with pytest.raises(Refused):
        videos.open_studio(noor.id, handle, "Noor")
    db.session.rollback()
    with pytest.raises(NotFound):
        videos.profile_of(noor.id)


def test_of_two_who_take_a_handle_at_the_same_moment_the_second_is_told_so(kai, noor, monkeypatch):
    monkeypatch.setattr(accounts, "is_free", lambda _handle: True)  # as it was when both asked
    with pytest.raises(Refused, match="This name is taken"):
        videos.open_studio(noor.id, "kai", "Noor")
    db.session.rollback()
    with pytest.raises(NotFound):
        videos.profile_of(noor.id)
