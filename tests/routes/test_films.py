"""Through the door and into the feed, or refused: every kind of camera film, and every file that means harm."""

import re

import pytest
from sqlalchemy import select

from shop import jobs, media
from shop.database import db, let_go
from shop.models import Clip, ClipState, Rendition
from tests import films, hostile_films
from tests.routes.test_uploads import MIB, create, put
from tests.test_media import left, stored

DATABASES = ("sqlite",)  # what becomes of the rows is tried on both in test_media
DETAILS = {"caption": "A mug", "language": "en", "disclosure": "none", "is_silent": "y"}
QUICK = "soundless.mp4"
KINDS = [*films.KINDS, "turned.mov"]
SECRET = b"the canary sings"


def arrived(client, film):
    """Send it as a phone does; the address of its clip, or the first refusal."""
    address = create(client, len(film)).location
    for offset in range(0, len(film), MIB):
        answer = put(client, address, offset, film[offset : offset + MIB])
        if answer.status_code != 204:
            return answer
    return client.post(f"{address}/completion")


def work(app):
    with app.app_context():
        while jobs.run_due():
            pass


def clip_of(app):
    with app.app_context():
        found = db.session.execute(select(Clip.code, Clip.state, Clip.problem)).first()
        names = list(db.session.scalars(select(Rendition.name)))
        let_go()
        return found, names


def shown(app, kai, film):
    """Upload, describe, publish and look: the poster's place in the feed, and the statuses of its files."""
    done = arrived(kai.client, film)
    assert done.status_code == 201
    work(app)
    clip, names = clip_of(app)
    assert clip.state == ClipState.READY, clip.problem
    assert kai.client.post(f"{done.location}/details", data=DETAILS).status_code == 303
    assert kai.client.post(f"{done.location}/publication").status_code == 303
    visitor = app.test_client()
    feed = visitor.get("/").text
    parts = [visitor.get(f"/media/{name}", headers={"Range": "bytes=0-99"}) for name in names]
    in_feed = set(re.findall(r"/media/([\w.-]+\.mp4)", feed))
    assert f"/v/{clip.code}" in feed or clip.code in feed
    return in_feed, set(names), [(part.status_code, len(part.data)) for part in parts]


@pytest.mark.parametrize("kind", [pytest.param(one, marks=[] if one == QUICK else pytest.mark.slow) for one in KINDS])
def test_a_camera_s_film_goes_through_the_door_into_the_feed(app, kai, tmp_path, kind, promise):
    in_feed, made, parts = shown(app, kai, films.film(kind, tmp_path).read_bytes())
    figure = f"{len(made)} sizes made, {len(in_feed & made)} of them in the feed, {len(parts)} answered"
    kept = bool(in_feed & made) and parts == [(206, 100)] * len(made) and left(app) == []
    promise("0", f"{kind} goes from the phone into the feed", figure, "in the feed, 206", kept)


def end_of(app, kai, film):
    """What becomes of a file: the status at the door or the flaw; the words for it in both languages."""
    answer = arrived(kai.client, film)
    if answer.status_code == 201:
        work(app)
        clip, _names = clip_of(app)
        assert clip.state == ClipState.NEEDS_FIXING
        words = {"nl": kai.client.get(answer.location, headers={"Accept-Language": "nl"}).text}
        words["en"] = kai.client.get(answer.location, headers={"Accept-Language": "en"}).text
        with app.test_request_context(headers={"Accept-Language": "en"}):
            assert media.explain(clip.problem)[0] in words["en"]
        with app.test_request_context(headers={"Accept-Language": "nl"}):
            assert media.explain(clip.problem)[0] in words["nl"]
        return str(clip.problem)
    assert answer.text == "This is not an MP4, MOV or WebM video. Choose another file."
    assert kai.client.get(answer.request.path).status_code == 404
    assert clip_of(app)[0] is None
    return str(answer.status_code)


def refused(app, kai, name, folder):
    canary = folder / "canary.ts"
    canary.write_bytes(SECRET * 100)
    film = hostile_films.HOSTILE[name](folder, canary, "http://127.0.0.1:9/canary.ts").read_bytes()
    return end_of(app, kai, film)


@pytest.mark.parametrize("name", hostile_films.PLAYLISTS)
def test_a_list_of_other_files_is_refused_at_the_door_and_nothing_is_left(app, kai, tmp_path, name):
    assert refused(app, kai, name, tmp_path) == "415"
    assert (left(app), stored(app)) == ([], set())


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in hostile_films.HOSTILE if one not in hostile_films.PLAYLISTS])
def test_a_hostile_film_is_refused_in_words_and_nothing_is_left(app, kai, tmp_path, name, promise):
    end = refused(app, kai, name, tmp_path)
    lying, kept_of_it = left(app), stored(app)
    figure = f"{end}, {len(lying)} files left, {len(kept_of_it)} stored"
    promise("13", f"{name}, through the door", figure, "words, 0, 0", (lying, kept_of_it) == ([], set()))
