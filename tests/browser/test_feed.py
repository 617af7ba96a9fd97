"""The feed in a real browser, with real films: what plays, what it holds, what slides in, and the way back."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from shop import clock
from shop.database import db
from shop.gateways import storage_disk
from shop.models import CaptionTrack, Clip, Product, Rendition
from tests.cast import a_clip, a_profile
from tests.films import ffmpeg

PHONE = {"width": 375, "height": 812}
SMALL = {"width": 320, "height": 568}
WORDS = "WEBVTT\n\n00:00.000 --> 00:07.000\nLook at this\n"
# The database makes no difference to a browser; one of them is enough.
pytestmark = pytest.mark.parametrize("built", ["sqlite"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """Eight seconds of a test card, with silence."""
    made = "-f lavfi -i testsrc=size=90x160:rate=10:duration=8 -f lavfi -i anullsrc -t 8 -g 10 -pix_fmt yuv420p"
    path = tmp_path_factory.mktemp("films") / "card.mp4"
    return ffmpeg([*made.split(), "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart"], path)


def still(film):
    return ffmpeg(["-i", str(film), "-frames:v", "1", "-c:v", "libwebp"], film.with_suffix(".webp"))


@pytest.fixture
def clips(app, mug, lamp, film):
    """Nine clips by two makers, c1 the newest. In each the lamp is in view for six seconds, then the mug."""
    with app.test_request_context(method="POST"):
        poster = storage_disk.store(still(film), ".webp")
        card, words = storage_disk.store(film, ".mp4"), storage_disk.store(WORDS.encode(), ".vtt")
        makers = [a_profile("kai", "Kai"), a_profile("lou", "Lou")]
        goods = [db.session.get(Product, lamp.id), db.session.get(Product, mug.id)]
        for n in range(1, 10):
            clip = a_clip(makers[n % 2], f"c{n}", *goods, published_at=clock.now() - timedelta(minutes=n))
            clip.renditions = [Rendition(width=90, height=160, name=card, size=1)]
            clip.tracks = [CaptionTrack(language="en", name=words)]
            clip.tags[0].end_ms = clip.tags[1].start_ms = 6000
            clip.poster = poster
            db.session.add(clip)
        db.session.commit()


@pytest.fixture
def open_feed(browser, address, clips):
    """`open_feed(viewport=...)`: the feed in a window of its own; at the end nothing may have been complained of."""
    opened, heard = [], []

    def go(path="/", at=browser, script="", **options):
        page = at.new_context(**{"viewport": PHONE, "locale": "en-GB", **options}).new_page()
        page.add_init_script(script)
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
        opened.append(page.context)
        page.goto(address + path)
        return page

    yield go
    for context in opened:
        context.close()
    assert [line for line in heard if not re.search("ERR_INTERNET_DISCONNECTED|htmx:error", line)] == []


def clip(page, code):
    return page.locator(f"clip-player[data-address='/v/{code}']")


def plays(page, code):
    """Wait until this clip plays, and no other."""
    page.wait_for_function(
        """(address) => {
          const playing = [...document.querySelectorAll("video")].filter(v => !v.paused && v.currentTime > 0)
          return playing.length === 1 && playing[0].parentElement.dataset.address === address
        }""",
        arg=f"/v/{code}",
    )


def begin_slowly(page, code):
    """From its first moment on, with a minute for what is in view for six seconds: this computer may be busy."""
    clip(page, code).locator("video").evaluate("video => { video.playbackRate = 0.1; video.currentTime = 0 }")


def freeze(page, code, seconds):
    clip(page, code).locator("video").evaluate("(video, at) => { video.pause(); video.currentTime = at }", seconds)


def held(page):
    return page.evaluate("document.querySelectorAll('video[src]').length")


def test_one_clip_plays_muted_and_three_at_most_hold_a_film(open_feed):
    page = open_feed()
    plays(page, "c1")
    assert page.evaluate("document.querySelector('video').muted") is True
    for n in range(2, 10):
        page.keyboard.press("j")
        plays(page, f"c{n}")
        assert held(page) <= 3
    assert page.locator("clip-player").count() == 9
    assert clip(page, "c1").locator("video").evaluate("video => video.currentTime") == 0


def test_the_next_clip_is_on_its_way_while_this_one_plays(open_feed):
    page = open_feed()
    plays(page, "c1")
    page.wait_for_function("() => document.querySelectorAll('video')[1].readyState >= 3")
    assert held(page) == 2


def test_a_product_slides_in_at_its_second_with_its_place_and_its_button(open_feed):
    page = open_feed()
    plays(page, "c1")
    first = clip(page, "c1")
    freeze(page, "c1", 1)
    expect(first.get_by_role("link", name="Lamp", exact=False)).to_have_count(1)
    expect(first.locator(".tag-chip a:visible")).to_have_text(re.compile(r"Lamp\s*€49.95"))
    expect(first.locator(".rail__buy:visible")).to_have_count(1)
    expect(first.get_by_role("button", name="Add to the cart: Lamp, €49.95")).to_be_visible()
    freeze(page, "c1", 7)
    expect(first.locator(".tag-chip", has_text="Lamp")).to_be_hidden()  # it takes a moment to go
    expect(first.locator(".tag-chip a:visible")).to_have_text(re.compile(r"Mug <b>\s*from €24.50"))
    expect(first.locator(".dot:visible")).to_have_attribute("href", "/p/mug?clip=c1")
    expect(first.get_by_role("link", name="Choose: Mug <b>")).to_be_visible()


def test_the_sheet_opens_over_the_running_clip_and_back_closes_it(open_feed):
    page = open_feed()
    plays(page, "c1")
    begin_slowly(page, "c1")
    chip = clip(page, "c1").locator(".tag-chip a:visible")
    chip.click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("heading", level=2).first).to_have_text("Lamp")
    plays(page, "c1")
    page.evaluate("history.back()")
    expect(sheet).to_be_hidden()
    plays(page, "c1")
    page.wait_for_function("document.activeElement.className === 'tag-chip__link'")
    assert page.evaluate("location.pathname") == "/"


def test_esc_the_button_and_a_pull_at_the_grip_close_the_sheet_too(open_feed):
    page = open_feed(has_touch=True)
    plays(page, "c1")
    sheet, everything = page.get_by_role("dialog"), clip(page, "c1").get_by_role("link", name="All 2 products")

    def pull():
        box = page.locator("sheet-grip").bounding_box()
        page.mouse.move(box["x"] + 100, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 100, box["y"] + 400, steps=4)
        page.mouse.up()

    for close in (lambda: page.keyboard.press("Escape"), sheet.get_by_role("button", name="Close").click, pull):
        everything.click()
        expect(sheet.get_by_role("heading", name="All products in this video")).to_be_visible()
        page.wait_for_function("() => document.querySelector('dialog').getAnimations().length === 0")
        close()
        expect(sheet).to_be_hidden()
        page.wait_for_function("() => !history.state?.sheet")


def test_without_a_network_the_sheet_says_so(open_feed):
    page = open_feed()
    plays(page, "c1")
    page.context.set_offline(True)
    clip(page, "c1").get_by_role("link", name="All 2 products").click()
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text("This did not load")
    assert page.get_by_role("link", name="Open the page").get_attribute("href") == "/v/c1/products"
    page.context.set_offline(False)


def test_one_tap_adds_what_is_in_view_and_the_clip_goes_on(open_feed):
    page = open_feed()
    plays(page, "c1")
    begin_slowly(page, "c1")
    clip(page, "c1").get_by_role("button", name="Add to the cart: Lamp").click()
    expect(page.locator("#cart-size")).to_contain_text("1 thing")
    expect(page.locator("#message")).to_contain_text("It is in your cart.")
    plays(page, "c1")


def test_the_address_names_the_clip_so_that_a_reload_finds_it_again(open_feed, address):
    page = open_feed()
    plays(page, "c1")
    assert page.url == f"{address}/"
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    plays(page, "c3")
    assert page.url == f"{address}/v/c3"
    page.reload()
    plays(page, "c3")
    assert page.locator("clip-player").first.get_attribute("data-address") == "/v/c3"


def test_back_from_the_cart_finds_the_feed_as_it_was(browser_type, browser_type_launch_args, open_feed, address):
    patient = browser_type.launch(**browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"])
    page = open_feed(at=patient)
    for n in range(2, 8):
        plays(page, f"c{n - 1}")
        page.keyboard.press("j")
    plays(page, "c7")
    page.evaluate("window.isTheSame = true")
    page.get_by_role("link", name="Cart", exact=True).click()
    expect(page).to_have_url(f"{address}/cart")
    line, ours = {"variant": "lamp-oak", "quantity": "2"}, {"Sec-Fetch-Site": "same-origin"}
    page.request.post(f"{address}/cart/lines", form=line, headers=ours)
    page.evaluate("history.back()")
    expect(page).to_have_url(f"{address}/v/c7")
    plays(page, "c7")
    assert page.evaluate("[window.isTheSame, document.querySelectorAll('clip-player').length]") == [True, 9]
    expect(page.locator("#cart-size")).to_contain_text("2 things")
    page.context.close()
    patient.close()


def test_who_wants_no_motion_is_asked_before_anything_moves(open_feed):
    page = open_feed(reduced_motion="reduce")
    expect(clip(page, "c1")).to_have_attribute("data-paused", "")
    assert page.evaluate("[...document.querySelectorAll('video')].every(v => v.paused)") is True
    assert held(page) == 1
    clip(page, "c1").get_by_role("button", name="Play or pause").click(position={"x": 180, "y": 200})
    plays(page, "c1")
    page.keyboard.press("j")
    expect(clip(page, "c2")).to_have_attribute("data-paused", "")


def test_what_somebody_paused_stays_paused_and_a_hidden_page_is_silent(open_feed):
    page = open_feed()
    plays(page, "c1")
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')) }"
    page.evaluate(hide, True)
    page.wait_for_function("() => document.querySelector('video').paused")
    page.evaluate(hide, False)
    plays(page, "c1")
    clip(page, "c1").get_by_role("button", name="Play or pause").click(position={"x": 180, "y": 200})
    expect(clip(page, "c1")).to_have_attribute("data-paused", "")
    page.evaluate(hide, True)
    page.evaluate(hide, False)
    expect(clip(page, "c1")).to_have_attribute("data-paused", "")


STILL = "() => [...document.querySelectorAll('video')].every(video => video.paused)"
SAVES = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"


def test_a_clip_plays_only_while_most_of_it_is_seen_and_never_by_itself_where_data_is_saved(open_feed):
    page = open_feed()
    plays(page, "c1")
    page.evaluate("feed = document.querySelector('#main'); feed.style.scrollSnapType = 'none'")  # it stays half-way
    page.evaluate("feed.scrollTop = feed.clientHeight * 0.35")
    plays(page, "c1")  # 65 % of it
    page.evaluate("feed.scrollTop = feed.clientHeight * 0.45")
    page.wait_for_function(STILL)  # 55 % of it, and 45 % of the next
    page.evaluate("feed.scrollTop = feed.clientHeight * 0.65")
    plays(page, "c2")
    page = open_feed(script=SAVES)
    expect(clip(page, "c1")).to_have_attribute("data-paused", "")
    assert (page.evaluate(STILL), held(page)) == (True, 1)


@pytest.fixture
def many(app, clips):
    """Clips enough for more than one sitting."""
    with app.test_request_context(method="POST"):
        like = db.session.scalars(db.select(Clip).where(Clip.code == "c9")).one()
        for n in range(10, 26):
            at = clock.now() - timedelta(minutes=n)
            more = a_clip(like.profile, f"c{n}", published_at=at, poster=like.poster)
            more.renditions = [Rendition(width=90, height=160, name=like.renditions[0].name, size=1)]
            db.session.add(more)
        db.session.commit()


@pytest.mark.slow
def test_after_a_sitting_the_feed_stops_and_goes_on_where_one_wants_it(open_feed, many):
    page = open_feed(reduced_motion="reduce")
    stop = page.get_by_role("heading", name="You have seen 20 videos.")
    while not stop.count():
        page.keyboard.press("j")
        page.wait_for_timeout(50)
    assert page.locator("clip-player").count() == 20
    page.get_by_role("link", name="Go on").click()
    expect(page.locator("clip-player")).to_have_count(25)
    expect(stop).to_have_count(0)
    expect(page.get_by_role("heading", name="You are all caught up.")).to_have_count(1)


WITHOUT = "delete Navigator.prototype.share; delete Navigator.prototype.clipboard"  # as over plain http


def test_who_cannot_share_or_copy_gets_the_address_in_a_field(open_feed, address):
    page = open_feed("/v/c2", script=WITHOUT, reduced_motion="reduce")
    share, said = clip(page, "c2").get_by_role("button", name="Share"), page.locator("#message")
    share.click()
    expect(said).to_have_text("The link is copied.")
    page.evaluate("document.execCommand = () => false")  # and where not even that works
    share.click()
    field = said.get_by_label("Copy this link:")
    expect(field).to_have_value(f"{address}/v/c2")
    expect(field).to_be_focused()
    assert page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [
        0,
        len(f"{address}/v/c2"),
    ]


def test_sound_is_one_switch_for_all_clips(open_feed):
    page = open_feed()
    plays(page, "c1")
    sound = page.get_by_role("button", name="Sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    plays(page, "c2")
    assert clip(page, "c2").locator("video").evaluate("video => video.muted") is False
    page.keyboard.press("m")
    expect(sound).to_have_attribute("aria-pressed", "false")
    assert clip(page, "c2").locator("video").evaluate("video => video.muted") is True


def test_captions_are_shown_where_wanted_and_that_is_remembered(open_feed):
    page = open_feed()
    plays(page, "c1")
    expect(clip(page, "c1").locator(".clip__words")).to_be_hidden()
    page.keyboard.press("c")
    expect(clip(page, "c1").locator(".clip__words")).to_have_text("Look at this")
    page.reload()
    expect(clip(page, "c1").locator(".clip__words")).to_have_text("Look at this")


def test_single_letters_can_be_switched_off_and_the_arrows_stay(open_feed):
    page = open_feed()
    plays(page, "c1")
    page.get_by_role("button", name="How you watch").click()
    page.get_by_role("button", name="Use single letters as keys").click()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    plays(page, "c2")
    assert page.evaluate("document.activeElement.getAttribute('aria-posinset')") == "2"
    page.keyboard.press(" ")
    expect(clip(page, "c2")).to_have_attribute("data-paused", "")


def tab_to(page, target):
    """Tab on until it has the focus, as somebody without a mouse has to."""
    for _press in range(30):
        if target.evaluate("here => here === document.activeElement"):
            return
        page.keyboard.press("Tab")
    here = page.evaluate("document.activeElement.outerHTML")
    raise AssertionError(f"Tab does not come to {target}, but after 30 presses to {here[:200]}")


def test_by_keyboard_alone_a_product_goes_from_the_clip_into_the_cart(open_feed):
    page = open_feed(reduced_motion="reduce")
    page.keyboard.press("ArrowDown")
    expect(page.locator("article:focus")).to_have_attribute("aria-posinset", "2")
    tab_to(page, clip(page, "c2").get_by_role("button", name="Add to the cart: Lamp"))
    page.keyboard.press("Enter")
    expect(page.locator("#cart-size")).to_contain_text("1 thing")


BLIND = "window.IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} }"


def test_who_presses_before_the_feed_has_looked_around_gets_to_the_second_clip_too(open_feed):
    """On a slow phone the browser tells late what is in view; here it never does."""
    page = open_feed("/v/c4", script=BLIND)
    for place in ("2", "3"):
        page.keyboard.press("ArrowDown")
        expect(page.locator("article:focus")).to_have_attribute("aria-posinset", place)
    page.keyboard.press("ArrowUp")
    expect(page.locator("article:focus")).to_have_attribute("aria-posinset", "2")


def test_without_javascript_films_have_controls_all_products_are_there_and_the_feed_goes_on(open_feed, address):
    page = open_feed(java_script_enabled=False)
    expect(page.locator("video[controls]")).to_have_count(5)
    first = clip(page, "c1")
    expect(first.locator(".tag-chip a:visible")).to_have_count(2)
    assert page.locator(".clip").evaluate_all("clips => clips.every(clip => clip.scrollHeight <= clip.clientHeight)")
    assert page.locator("#main").evaluate("feed => getComputedStyle(feed).scrollSnapType") == "none"
    first.get_by_role("button", name="Add to the cart: Lamp").click()
    expect(page).to_have_url(f"{address}/cart")
    page.goto(address)
    page.get_by_role("link", name="More videos").click()
    expect(page.locator("article")).to_have_count(5)
    expect(page.get_by_role("heading", name="You are all caught up.")).to_be_visible()


@pytest.mark.parametrize("locale", ["nl-NL", pytest.param("en-GB", marks=pytest.mark.slow)])  # Dutch is longer
@pytest.mark.parametrize("viewport", [SMALL, PHONE, {"width": 1280, "height": 800}], ids=["small", "phone", "desk"])
def test_nothing_lies_over_anything_else(open_feed, viewport, locale):
    page = open_feed("/v/c1", viewport=viewport, locale=locale, reduced_motion="reduce")
    expect(clip(page, "c1").locator(".tag-chip a:visible")).to_have_count(1)
    overlaps = page.evaluate(
        """() => {
          const clip = document.querySelector("article")
          const parts = ".clip__who a, .clip__labels, .clip__caption, .tag-chip a, .clip__all, .rail__button"
          const seen = [...clip.querySelectorAll(parts), ...document.querySelectorAll(".feed-top button, .tabs__link")]
            .filter(e => e.checkVisibility()).map(e => [e.className || e.tagName, e.getBoundingClientRect()])
          const beside = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1
          const found = []
          for (const [i, [name, a]] of seen.entries()) {
            const isInside = a.left >= 0 && a.right <= innerWidth && a.top >= 0 && a.bottom <= innerHeight
            if (!isInside) found.push(`${name} sticks out`)
            const over = seen.slice(i + 1).filter(([, b]) => !beside(a, b) && !beside(b, a))
            found.push(...over.map(([other]) => `${name} over ${other}`))
          }
          return seen.length < 10 ? ["too little to see: " + seen.map(([name]) => name)] : found
        }"""
    )
    assert overlaps == []
