"""The studio over HTTP: with htmx and without JavaScript, and only for whom it is."""

from io import BytesIO

import pytest
from sqlalchemy import select

from shop import jobs
from shop.database import db
from shop.models import Clip, ClipState, Profile, Role, Tag
from tests import films
from tests.cast import a_clip, both
from tests.conftest import HTMX

TAG = {"product": "mug", "start": "1.5", "end": "3", "place": "0.2 0.75"}
DETAILS = {"caption": "A mug", "language": "en", "disclosure": "none", "is_silent": "y"}


@pytest.fixture
def clip(app, kai):
    """The address of Kai's clip, which is ready and which only he sees."""
    with app.test_request_context(method="POST"):
        profile = db.session.get(Profile, kai.profile)
        db.session.add(a_clip(profile, "kais-clip", published_at=None, caption=both("")))
        db.session.commit()
    return "/studio/clips/kais-clip"


@pytest.fixture
def look(app):
    def read(*columns):
        with app.app_context():
            return [tuple(row) for row in db.session.execute(select(*columns))]

    return read


def both_ways(client, address, **form):
    """Post with htmx and then without; the two answers."""
    return client.post(address, data=form, headers=HTMX), client.post(address, data=form)


def test_noor_opens_her_studio_and_stays_signed_in(signed_in_as, look):
    noor = signed_in_as("noor")
    assert "Open your studio" in noor.get("/studio").text
    assert noor.get("/studio/clips/x").status_code == 403
    answer = noor.post("/studio", data={"handle": "noor", "name": "Noor"})
    assert (answer.status_code, answer.location) == (303, "/studio")
    assert "Your clips" in noor.get("/studio").text
    assert look(Profile.handle) == [("noor",)]


def test_opening_a_studio_says_beside_the_field_what_is_missing(signed_in_as, look):
    answer = signed_in_as("noor").post("/studio", data={"handle": "", "name": "Noor"}, headers=HTMX)
    assert (answer.status_code, "Choose a handle." in answer.text, "<html" in answer.text) == (422, True, False)
    assert look(Profile.handle) == []


def test_a_film_in_one_form_becomes_a_clip(app, kai, look):
    form = {"video": (BytesIO(films.BIKES.read_bytes()), "../../etc/passwd.exe", "text/html")}
    answer = kai.client.post("/studio/files", data=form)
    ((code, state),) = look(Clip.code, Clip.state)
    assert (answer.status_code, answer.location, state) == (303, f"/studio/clips/{code}", ClipState.RECEIVED)
    assert "Received. We begin soon." in kai.client.get(answer.location).text


@pytest.mark.parametrize(("file", "status"), [(b"#EXTM3U\n", 415), (b"", 422)])
def test_another_file_in_that_form_is_refused(kai, look, file, status):
    answer = kai.client.post("/studio/files", data={"video": (BytesIO(file), "a.mp4")})
    assert (answer.status_code, look(Clip.code)) == (status, [])


def test_the_list_asks_again_while_something_is_made_and_stops_when_it_is_done(made_once, app, kai, look, short):
    kai.client.post("/studio/files", data={"video": (BytesIO(short.read_bytes()), "a.mp4")})
    polled = kai.client.get("/studio", headers=HTMX).text
    assert ('hx-trigger="every 2s"' in polled, "<html" in polled) == (True, False)
    with app.app_context():
        jobs.run_due()
    done = kai.client.get("/studio", headers=HTMX).text
    assert ("hx-trigger" in done, "Ready; only you see it" in done) == (False, True)
    ((code,),) = look(Clip.code)
    film = kai.client.get(f"/studio/clips/{code}", headers=HTMX).text
    assert ("<video" in film, "hx-trigger" in film, "<form" in film) == (True, False, False)


def test_what_needs_fixing_is_said_with_what_to_do(app, kai, look):
    kai.client.post("/studio/files", data={"video": (BytesIO(films.BUNNY.read_bytes()[:5000]), "a.mp4")})
    with app.app_context():
        jobs.run_due()
    ((code,),) = look(Clip.code)
    page = kai.client.get(f"/studio/clips/{code}").text
    assert "The video is damaged, or was made in a way that we cannot read." in page
    assert "Save the video again on your phone or computer, and upload that." in page
    assert "Needs fixing" in kai.client.get("/studio").text


def test_kai_tags_a_product_with_htmx_and_without(kai, clip, mug, look):
    fragment, page = both_ways(kai.client, f"{clip}/tags", **TAG)
    assert (fragment.status_code, 'id="desk"' in fragment.text, "<video" in fragment.text) == (200, True, False)
    assert "The product is in the clip." in fragment.text
    assert (page.status_code, page.location) == (303, clip)
    assert look(Tag.start_ms, Tag.end_ms, Tag.x, Tag.y) == [(1500, 3000, 0.2, 0.75)] * 2


@pytest.mark.parametrize("wrong", [{"product": ""}, {"start": "-1"}, {"end": ""}, {"start": "soon"}, {"end": "1e9"}])
def test_a_wrong_tag_is_shown_again_with_what_is_wrong(kai, clip, mug, look, wrong):
    fragment, page = both_ways(kai.client, f"{clip}/tags", **{**TAG, **wrong})
    assert (fragment.status_code, page.status_code) == (422, 422)
    assert (fragment.text.count('id="desk"'), page.text.count('id="desk"')) == (1, 1)
    assert look(Tag.id) == []


def test_no_product_is_chosen_before_one_chooses_and_none_is_refused_in_words(kai, clip, mug):
    page = kai.client.get(clip).text
    assert page.count('<option value="">Choose a product</option>') == 1
    assert "Mina · €24.50 · no commission" in page
    answer = kai.client.post(f"{clip}/tags", data={**TAG, "product": ""}, headers=HTMX)
    assert (answer.status_code, "<span>Choose a product.</span>" in answer.text) == (422, True)


@pytest.mark.parametrize("place", ["", "x y", "2 2", "0.5", "nan 0"])
def test_a_place_outside_of_the_frame_is_refused(kai, clip, mug, look, place):
    assert kai.client.post(f"{clip}/tags", data={**TAG, "place": place}).status_code == 422
    assert look(Tag.id) == []


def test_kai_changes_and_removes_a_tag(kai, clip, mug, lamp, look):
    kai.client.post(f"{clip}/tags", data=TAG)
    ((code,),) = look(Tag.code)
    fragment, page = both_ways(kai.client, f"{clip}/tags/{code}", **{**TAG, "product": "lamp", "end": "4.5"})
    assert (fragment.status_code, page.status_code) == (200, 303)
    assert look(Tag.product_id, Tag.end_ms) == [(lamp.id, 4500)]
    assert "Lamp" in kai.client.get(clip).text
    assert kai.client.post(f"{clip}/tags/{code}/removal", headers=HTMX).status_code == 200
    assert kai.client.post(f"{clip}/tags/{code}/removal").status_code == 404
    assert look(Tag.id) == []


def test_products_are_searched_with_htmx_and_without(kai, clip, mug, lamp):
    options = kai.client.get(f"{clip}?q=lamp", headers=HTMX).text
    assert ("Lars Licht" in options, "Mina" in options, 'id="desk"' in options) == (True, False, False)
    page = kai.client.get(f"{clip}?q=lamp").text
    assert ("Lars Licht" in page, 'id="desk"' in page) == (True, True)


def test_kai_describes_and_publishes_and_takes_it_back(kai, clip, look):
    refused = kai.client.post(f"{clip}/publication", headers=HTMX)
    assert (refused.status_code, "Write a caption." in refused.text) == (422, True)
    fragment, page = both_ways(kai.client, f"{clip}/details", **DETAILS)
    assert (fragment.status_code, page.status_code) == (200, 303)
    fragment, page = both_ways(kai.client, f"{clip}/publication")
    assert ("Your clip is in the feed." in fragment.text, page.status_code) == (True, 303)
    assert ("In the feed" in fragment.text, "only you see it" in fragment.text) == (True, False)
    assert [published is not None for (published,) in look(Clip.published_at)] == [True]
    fragment, page = both_ways(kai.client, f"{clip}/publication/removal")
    assert (fragment.status_code, page.status_code) == (200, 303)
    assert ("only you see it" in fragment.text, "In the feed" in fragment.text) == (True, False)
    assert look(Clip.published_at, Clip.wants_publishing) == [(None, False)]


def test_a_caption_that_is_too_long_is_told_beside_it(kai, clip, look):
    fragment, page = both_ways(kai.client, f"{clip}/details", **{**DETAILS, "caption": "a" * 501})
    assert (fragment.status_code, page.status_code) == (422, 422)
    assert "Use at most 500 characters." in fragment.text
    assert look(Clip.caption) == [(both(""),)]


def test_kai_adds_subtitles_from_a_file_and_from_text(kai, clip):
    file = {"spoken": "nl", "file": (BytesIO(b"WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n"), "hallo.vtt")}
    assert kai.client.post(f"{clip}/subtitles", data=file, headers=HTMX).status_code == 200
    assert kai.client.post(f"{clip}/subtitles", data={"spoken": "en", "text": "Hello."}).status_code == 303
    page = kai.client.get(clip).text
    assert [page.count(f'srclang="{language}"') for language in ("nl", "en")] == [1, 1]
    fragment, page = both_ways(kai.client, f"{clip}/subtitles/nl/removal")
    assert (fragment.status_code, page.status_code) == (200, 303)
    assert 'srclang="nl"' not in kai.client.get(clip).text
    broken = kai.client.post(f"{clip}/subtitles", data={"spoken": "nl", "file": (BytesIO(b"\xff\xfe"), "x.vtt")})
    assert broken.status_code == 422


def test_kai_throws_a_clip_away(kai, clip, look):
    answer = kai.client.post(f"{clip}/removal", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/studio"
    assert look(Clip.id) == []


def test_a_clip_of_somebody_else_is_not_there(kai, clip, mug, signed_in_as, app, look):
    kira = signed_in_as("kira", Role.CREATOR)
    answers = [
        kira.get(clip),
        kira.post(f"{clip}/tags", data=TAG),
        kira.post(f"{clip}/tags/x", data=TAG),
        kira.post(f"{clip}/tags/x/removal"),
        kira.post(f"{clip}/details", data=DETAILS),
        kira.post(f"{clip}/subtitles", data={"spoken": "nl", "text": "Dag."}),
        kira.post(f"{clip}/subtitles/nl/removal"),
        kira.post(f"{clip}/publication"),
        kira.post(f"{clip}/publication/removal"),
        kira.post(f"{clip}/removal"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (look(Clip.code), look(Tag.id)) == ([("kais-clip",)], [])


def test_the_operator_adds_a_film_by_command(made_once, app, kai, mug, look):
    said = ["--caption", "A mug", "--silent", "--tag", "mug@0.5-3", "--now"]
    ran = app.test_cli_runner().invoke(args=["video", "add", str(films.BUNNY), "--creator", "@kai", *said])
    assert ran.exit_code == 0, ran.output
    assert [(state, when is not None) for state, when in look(Clip.state, Clip.published_at)] == [("ready", True)]
    assert look(Tag.start_ms, Tag.end_ms, Tag.product_id) == [(500, 3000, mug.id)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--creator", "nobody"], "Nobody is called @nobody."),
        (["--creator", "kai", "--tag", "mug:1-2"], "A tag looks like PRODUCT@START-END"),
        (["--creator", "kai", "--tag", "no-such@1-2"], "Choose a product that is for sale."),
    ],
)
def test_a_command_that_cannot_be_says_why_and_leaves_nothing(app, kai, mug, look, options, words):
    ran = app.test_cli_runner().invoke(args=["video", "add", str(films.BIKES), *options])
    assert (ran.exit_code, words in ran.output, look(Clip.id)) == (1, True, [])
