"""Kai films: from a file on his phone to a clip in the feed, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from shop import jobs
from tests import films, hostile_films
from tests.browser.audit import PHONE

# What differs between the databases is tried without a browser.
pytestmark = pytest.mark.parametrize("built", ["sqlite"], indirect=True, scope="session")

MIB = 1024 * 1024
HERE = re.compile(r"/studio/clips/\w+$")


@pytest.fixture
def phone(browser, app, kai, address, made_once):
    """Windows in which Kai is signed in; each notes what its browser complains of."""
    opened = []

    def open_one(**more):
        context = browser.new_context(viewport=PHONE, locale="en", base_url=address, **more)
        opened.append(context)
        cookies = kai.client._cookies.values()
        context.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in cookies])
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
        return page

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def work(app):
    """Do the jobs that are due, as the worker would."""

    def do():
        with app.app_context():
            jobs.run_due()

    return do


def choose(page, film=films.BUNNY):
    page.goto("/studio")
    page.get_by_label("Video").set_input_files(film)
    page.get_by_role("button", name="Upload").click()


def parts(page):
    """The offsets of the parts that this window sends."""
    sent = []
    page.on("request", lambda ask: sent.append(int(ask.headers["upload-offset"])) if ask.method == "PUT" else None)
    return sent


def describe_tag_publish(page):
    desk = page.locator("#desk")
    desk.get_by_label("Product", exact=True).last.select_option(index=1)
    desk.get_by_label("To second", exact=True).last.fill("3")
    desk.get_by_label("bottom left").last.check()
    desk.get_by_role("button", name="Add to the clip").click()
    expect(desk.locator("summary", has_text="Mug <b>")).to_be_visible()
    desk.get_by_label("Caption").fill("A mug for tea")
    desk.get_by_label("Nobody speaks in this clip").check()
    desk.get_by_role("region", name="About the clip").get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Add subtitles, or say that nobody speaks.")).to_have_count(0)
    expect(desk.get_by_label("I earn a commission")).to_be_checked()
    desk.get_by_role("button", name="Publish").click()
    expect(desk.get_by_text("Everybody: it is in the feed.")).to_be_visible()


def test_kai_uploads_tags_and_publishes_on_his_phone(phone, work, mug):
    page = phone()
    sent = parts(page)
    choose(page)
    page.wait_for_url(HERE)
    assert sent == [0, MIB]
    expect(page.get_by_text("Received. We begin soon.")).to_be_visible()
    work()
    film = page.locator("#film video")
    expect(film).to_be_visible()  # the page looked again by itself
    page.wait_for_function("document.querySelector('#film video').readyState >= 1")
    assert 5 < film.evaluate("film => film.duration") < 6
    describe_tag_publish(page)
    page.goto("/")
    expect(page.get_by_text("A mug for tea").first).to_be_visible()
    assert page.complaints == []


def test_the_moment_of_a_tag_is_taken_from_the_film(phone, work, mug):
    page = phone()
    choose(page)
    page.wait_for_url(HERE)
    work()
    expect(page.locator("#film video")).to_be_visible()
    page.wait_for_function("document.querySelector('#film video').readyState >= 1")
    page.locator("#film video").evaluate("film => { film.currentTime = 2.5 }")
    page.get_by_role("button", name="From second: Now").click()
    expect(page.get_by_label("From second", exact=True).last).to_have_value("2.5")


def test_a_connection_that_drops_is_waited_for(phone):
    page = phone()
    sent, is_down = parts(page), [True]

    def drop_the_second(route):
        if route.request.headers.get("upload-offset") == str(MIB) and is_down:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/uploads/*", drop_the_second)
    choose(page)
    expect(page.get_by_text("The connection is gone. We go on as soon as it is back.")).to_be_visible()
    is_down.clear()
    page.wait_for_url(HERE)
    assert (sent[0], set(sent[1:]), len(sent) > 2) == (0, {MIB}, True)


def test_after_a_reload_it_goes_on_where_it_was(phone):
    page = phone()

    def stop_after_the_first(route):
        if route.request.headers.get("upload-offset") == "0":
            route.continue_()
        else:
            route.abort("connectionreset")

    page.route("**/uploads/*", stop_after_the_first)
    choose(page)
    expect(page.get_by_text("The connection is gone.", exact=False)).to_be_visible()
    page.unroute("**/uploads/*")
    page.reload()
    expect(page.get_by_text("To go on, choose the same file again.", exact=False)).to_be_visible()
    sent = parts(page)
    choose(page)
    page.wait_for_url(HERE)
    assert sent == [MIB]


def test_what_is_certain_to_be_refused_is_not_sent(phone, tmp_path):
    page = phone()
    asked = []
    page.on("request", lambda ask: asked.append(ask.url) if ask.method != "GET" else None)
    choose(page, hostile_films.too_long(tmp_path))
    expect(page.get_by_text("This video is longer than 60 seconds. Cut it to a minute.")).to_be_visible()
    assert asked == []


def test_another_kind_of_file_is_told_in_words(phone, tmp_path):
    page = phone()
    playlist = tmp_path / "film.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    choose(page, playlist)
    expect(page.get_by_text("This is not an MP4, MOV or WebM video. Choose another file.")).to_be_visible()


@pytest.mark.slow
def test_without_javascript_kai_does_the_same(phone, work, mug):
    page = phone(java_script_enabled=False)
    choose(page, films.BIKES)
    expect(page).to_have_url(HERE)
    work()
    page.reload()
    expect(page.locator("#film video")).to_be_visible()
    describe_tag_publish(page)


def test_who_presses_twice_sends_it_once(phone):
    page = phone()
    page.goto("/studio")
    begun = []
    page.on("request", lambda ask: begun.append(ask.url) if ask.url.endswith("/uploads") else None)
    page.get_by_label("Video").set_input_files(films.BIKES)
    page.get_by_role("button", name="Upload").dblclick()
    page.wait_for_url(HERE)
    assert len(begun) == 1
