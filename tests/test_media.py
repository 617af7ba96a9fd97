"""A video that has arrived becomes a clip in the feed, or is refused with the reason; nothing is left behind."""

from pathlib import Path

import pytest
from sqlalchemy import select

from shop import clock, jobs, media, tagging, uploads, videos
from shop.database import db
from shop.errors import Refused
from shop.gateways import storage_disk
from shop.models import Clip, ClipState, Job, JobState, Rendition, Tag
from tests import films, hostile_films

pytestmark = pytest.mark.usefixtures("kai", "at_the_desk", "made_once")


@pytest.fixture
def arrive(kai):
    """Let a file arrive as if Kai had sent it, and do what has to be done with it."""

    def put(film, code="c0ffee000001", **given):
        path = uploads.path_of(code)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(film if isinstance(film, bytes) else Path(film).read_bytes())
        clip = media.receive(kai.profile, code)
        for name, value in given.items():
            setattr(clip, name, value)
        db.session.commit()
        return clip.id

    return put


def look(clip):
    return db.session.get(Clip, clip, populate_existing=True)


def left(app):
    """What lies about, apart from the media of clips."""
    root = Path(app.instance_path)
    return [path for folder in ("uploads", "scratch") for path in (root / folder).glob("*")]


def stored(app):
    return {path.name for path in Path(app.instance_path, "media").glob("*")}


def test_a_film_becomes_a_clip_with_every_size_and_a_poster_and_its_file_goes(app, arrive, short):
    clip = look(arrive(short))
    assert clip.state == ClipState.RECEIVED
    assert jobs.run_due(most=1) == 1  # the first size, by itself
    clip = look(clip.id)
    assert (clip.state, clip.progress, clip.width, clip.height) == (ClipState.READY, 100, 540, 960)
    assert (clip.published_at, 900 < clip.duration_ms < 1200) == (None, True)
    assert [(made.width, made.codec) for made in clip.renditions] == [(540, "h264")]
    jobs.run_due()
    clip = look(clip.id)
    assert [made.width for made in clip.renditions] == [360, 540, 720]
    assert [storage_disk.path_of(made.name).stat().st_size for made in clip.renditions] == [
        made.size for made in clip.renditions
    ]
    assert stored(app) == {clip.poster, *(made.name for made in clip.renditions)}
    assert clip.placeholder.startswith("data:image/webp")
    assert left(app) == []


def test_a_clip_that_wants_to_is_in_the_feed_as_soon_as_its_first_size_is_there(arrive, short):
    clip = arrive(short, wants_publishing=True)
    jobs.run_due(most=1)
    assert look(clip).published_at is not None


def test_the_page_can_see_how_far_it_is(arrive, short, monkeypatch):
    clip, seen = arrive(short), []
    beat = jobs.beat
    monkeypatch.setattr(jobs, "beat", lambda: (beat(), seen.append(look(clip).state), db.session.rollback()))
    tell = media._tell(clip)
    monkeypatch.setattr(media, "_tell", lambda _clip: lambda part: (tell(0.42), seen.append(look(clip).progress)))
    jobs.run_due(most=1)
    assert seen[:2] == [ClipState.PROCESSING, 42]


def test_tags_from_before_the_length_was_known_end_with_the_clip(arrive, short, mug):
    clip = arrive(short)
    for start, end in ((0, 60_000), (30_000, 40_000), (100, 700)):
        tagging.add(look(clip), "mug", tagging.Place(start, end, 0.5, 0.5))
    db.session.commit()
    jobs.run_due(most=1)
    lasts = look(clip).duration_ms
    seen = sorted((tag.start_ms, tag.end_ms) for tag in db.session.scalars(select(Tag)))
    assert seen == [(0, lasts), (100, 700), (lasts - 500, lasts)]


def test_av1_is_made_when_the_operator_wants_it(app, arrive, short, monkeypatch):
    monkeypatch.setitem(app.config, "VIDEO_AV1", True)
    clip = arrive(short)
    jobs.run_due()
    assert [(made.width, made.codec) for made in look(clip).renditions if made.codec == "av1"] == [(540, "av1")]


def test_a_damaged_film_needs_fixing_and_says_so_in_words(app, arrive):
    clip = arrive(films.BUNNY.read_bytes()[:5000])
    jobs.run_due()
    clip = look(clip)
    assert (clip.state, clip.problem, clip.renditions) == (ClipState.NEEDS_FIXING, "broken", [])
    assert media.explain(clip.problem)[0] == "The video is damaged, or was made in a way that we cannot read."
    assert (left(app), stored(app)) == ([], set())


def test_a_film_of_more_than_a_minute_needs_fixing(app, arrive, tmp_path):
    clip = arrive(hostile_films.too_long(tmp_path))
    jobs.run_due()
    assert (look(clip).state, look(clip).problem) == (ClipState.NEEDS_FIXING, "too_long")
    assert left(app) == []


def test_what_is_no_video_is_refused_at_once(app, arrive):
    with pytest.raises(Refused) as no:
        arrive(b"#EXTM3U\n")
    assert no.value.status == 415


def test_every_flaw_has_words_of_its_own():
    problems = [*media.Flaw, "our_fault"]
    assert len({media.explain(problem)[0] for problem in problems}) == len(problems)


def test_a_clip_that_is_thrown_away_while_it_is_made_leaves_nothing(app, kai, arrive, short, monkeypatch):
    clip = arrive(short)
    store = storage_disk.store

    def thrown_away_meanwhile(*what):
        videos.remove(videos.find(kai.id, "c0ffee000001"), by=kai.id)
        db.session.commit()
        return store(*what)

    monkeypatch.setattr(storage_disk, "store", thrown_away_meanwhile)
    monkeypatch.setattr(storage_disk, "store", lambda *what: (monkeypatch.undo(), thrown_away_meanwhile(*what))[1])
    jobs.run_due()
    assert (look(clip), stored(app), left(app)) == (None, set(), [])


def test_files_that_two_clips_share_stay_until_the_second_goes(app, kai, arrive, short):
    first, second = arrive(short), arrive(short, "c0ffee000002")
    jobs.run_due()
    assert len({made.name for made in db.session.scalars(select(Rendition))}) <= 4
    for clip, is_there in ((first, True), (second, False)):
        names = {made.name for made in look(clip).renditions}
        shared = {made.name for made in look(second).renditions} if is_there else set()
        videos.remove(look(clip), by=kai.id)
        db.session.commit()
        jobs.run_due()
        assert stored(app) & (names - shared) == set()
        assert shared <= stored(app)
    assert stored(app) == set()


def test_after_five_tries_the_creator_is_told_that_it_was_our_fault(app, arrive, monkeypatch):
    clip = arrive(films.BIKES)
    moment = clock.now()
    for _try in range(jobs.MOST_TRIES + 1):  # each worker dies with it in hand
        monkeypatch.setattr(clock, "now", lambda at=moment: at)
        job = jobs._claim() if _try < jobs.MOST_TRIES else None
        assert job is not None or _try == jobs.MOST_TRIES
        moment = moment.__class__.fromtimestamp(moment.timestamp() + 61, moment.tzinfo)
    monkeypatch.setattr(clock, "now", lambda: moment)
    jobs.run_due()
    assert (look(clip).state, look(clip).problem) == (ClipState.NEEDS_FIXING, "our_fault")
    assert db.session.scalar(select(Job.state).where(Job.handler == "shop.media.make_first")) == JobState.DEAD
    assert left(app) == []


def test_a_creator_may_have_ten_clips_in_the_works(arrive):
    for number in range(media.MOST_WAITING):
        arrive(films.BIKES, f"c0ffee0000{number:02}")
    with pytest.raises(Refused):
        arrive(films.BIKES, "c0ffee000099")


def test_leftovers_are_swept_and_what_is_awaited_stays(app, arrive):
    import os

    clip = arrive(films.BIKES)
    stray = [uploads.path_of("f00d00000000"), media._scratch_folder() / "f00d00000000-x"]
    stray[0].write_bytes(b"left")
    stray[1].mkdir()
    for path in (*stray, uploads.path_of("c0ffee000001")):
        os.utime(path, (0, 0))
    media.sweep()
    db.session.commit()
    assert [path.exists() for path in stray] == [False, False]
    assert uploads.path_of("c0ffee000001").exists()
    assert look(clip).state == ClipState.RECEIVED
