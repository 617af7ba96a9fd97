"""A file arrives: as large as its page says, and one that proves who somebody is touches no disk on its way."""

import io
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from shop import accounts, clock, edge, papers
from shop.database import db
from shop.gateways.paper_reader import Read
from shop.models import Paper, PaperKind, Role, Seller
from shop.routes import clip_desk, studio
from tests import disk
from tests.applying import begun
from tests.cast import a_profile, a_seller
from tests.papers import CANARY, jpeg
from tests.routes.test_edge import Stuck

DATABASES = ("sqlite",)  # what arrives has not come to a database yet
SHOP = Path(edge.__file__).parent
MIB = 2**20
# Every form that takes a file: the words about its size, and how many bytes these promise.
PROMISED = {
    "/sell/papers": ("templates/sell/papers.html", "at most 15 MB", 15 * MIB),
    "/seller/papers": ("templates/seller/papers.html", "at most 15 MB", 15 * MIB),
    "/seller/pictures/x": ("templates/listings/pictures.html", "together at most 32 MB", 32 * MIB),
    "/seller/products/import": ("routes/catalogue.py", "at most 5 MB", 5 * MIB),
    "/studio/files": ("templates/studio/index.html", "most=largest_whole // 1048576", studio.LARGEST_WHOLE),
    "/studio/clips//subtitles": ("routes/clip_desk.py", "Subtitles (.vtt or .srt)", clip_desk.LARGEST_SUBTITLES),
}


def addresses():
    """Where the forms go that take a file."""
    found = set()
    for template in (SHOP / "templates").rglob("*.html"):
        words = template.read_text("utf-8")
        here = re.search(r'set here = "([^"]+)"', words)
        for form in re.findall(r"<form[^>]*multipart/form-data[^>]*>", words):
            action = re.search(r'action="([^"]*)"', form)[1]
            action = action.replace("{{ here }}", here[1] if here else "")
            found.add(re.sub("{{.*?}}", "x", action))
    return found


def largest_of(address):
    return next(most for prefix, most in edge.LARGEST if address.startswith(prefix))


def test_every_form_that_takes_a_file_is_known_here():
    assert addresses() == set(PROMISED)


@pytest.mark.parametrize("address", PROMISED)
def test_the_edge_lets_in_what_the_page_promises_and_not_much_more(address):
    where, words, most = PROMISED[address]
    assert words in (SHOP / where).read_text("utf-8")
    around = 64 * 2**10  # what a form writes around a file
    assert most + around <= largest_of(address) <= max(most + MIB, MIB)


# A paper on its way


@pytest.fixture
def mina(app, signed_in_as):
    """She applies, and has sent nothing yet."""
    client = signed_in_as("mina")
    begun(client)
    return client


@pytest.fixture
def lars(app, signed_in_as):
    """He sells, and the front of his identity paper runs out in five days."""
    client = signed_in_as("lars", Role.SELLER)
    with app.test_request_context(method="POST"):
        owner = accounts.called("lars@example.com").id
        db.session.add(a_seller("lars", "Licht", profile=a_profile("lars", "Licht", user_id=owner)))
        db.session.flush()
        papers.keep(db.session.scalar(select(Seller.id)), PaperKind.FRONT, Read("jpeg", (b"a page",), b""), b"mark")
        db.session.execute(update(Paper).values(valid_until=clock.now().date() + timedelta(days=5)))
        db.session.commit()
    return client


class Phone(io.RawIOBase):
    """A phone that sends a form, and looks before its last piece whether anything of it lies on a disk."""

    def __init__(self, form):
        self.form, self.at, self.seen = form, 0, []

    def read(self, size=-1):
        piece = self.form[self.at : self.at + size]
        self.at += len(piece)
        if self.at >= len(self.form):
            self.seen += on_disk()
        return piece


def on_disk():
    """The open files of this process on a disk, also those without a name, in which the word of a paper lies."""
    found = []
    for one in os.listdir("/proc/self/fd"):
        try:
            leads = os.readlink(f"/proc/self/fd/{one}")
            if leads.startswith("/") and not leads.startswith(("/memfd:", "/dev/", "/proc/")):
                found += [leads] if CANARY in disk.bytes_of([f"/proc/{os.getpid()}/fd/{one}"]) else []
        except OSError:
            continue
    return found


def large(megabytes=3):
    """A photograph with the word in it some hundred thousand times."""
    return jpeg() + CANARY * (megabytes * MIB // len(CANARY))


def field(name, content, filename=None):
    names = b'name="%s"' % name + (b"" if filename is None else b'; filename="%s"' % filename)
    return b"--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (names, content)


def send(browser, address, content, from_camera=False):
    """The form as a browser sends it: both fields, of which one is empty."""
    files = field(b"file", b"", b"") + field(b"file", content, b"b.jpg")
    if not from_camera:
        files = field(b"file", content, b"a.jpg") + field(b"file", b"", b"")
    phone = Phone(field(b"kind", b"front") + files + b"--x--\r\n")
    told = {"CONTENT_LENGTH": str(len(phone.form)), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    return browser.post(address, environ_overrides={"wsgi.input": phone, **told}), phone


@pytest.mark.parametrize(("who", "address"), [("mina", "/sell/papers"), ("lars", "/seller/papers")])
def test_a_paper_lies_on_no_disk_while_it_arrives_and_while_it_is_read(app, request, monkeypatch, who, address):
    browser, read = request.getfixturevalue(who), papers.read
    seen = []

    def watched(file):
        seen.append(on_disk())
        return read(file)

    monkeypatch.setattr(papers, "read", watched)
    answer, phone = send(browser, address, large())
    assert (answer.status_code, phone.seen, seen) == (303, [], [[]])
    with app.app_context():
        kept = db.session.scalars(select(Paper).where(Paper.state == "sealed", Paper.valid_until.is_(None))).all()
        assert [(paper.kind, paper.came_as) for paper in kept] == [("front", "jpeg")]


def test_what_this_looks_at_would_show_a_paper_on_disk(mina, monkeypatch):
    monkeypatch.setattr(edge, "PAPERS", ("/nowhere",))
    answer, phone = send(mina, "/sell/papers", large())
    assert (answer.status_code, len(phone.seen)) == (303, 1)


@pytest.mark.parametrize(
    ("who", "page", "address"),
    [("mina", "/sell/identity", "/sell/papers"), ("lars", "/seller/papers", "/seller/papers")],
)
def test_a_photograph_of_ten_megabytes_from_the_camera_is_taken(app, request, who, page, address):
    browser = request.getfixturevalue(who)
    asked = browser.get(page).text
    assert 'id="camera-front" type="file" name="file" accept="image/*" capture="environment"' in asked
    assert "Make the citizen service number (BSN) unreadable before you send it" in asked
    assert send(browser, address, large(10), from_camera=True)[0].status_code == 303
    assert "Sent on" in browser.get(page).text


def test_only_so_many_papers_are_in_memory_at_once_and_who_comes_later_is_told_when_to_try_again(
    app, mina, monkeypatch
):
    tries = []

    def crowded(self, address):
        tries.append((self._most, self._each))
        raise edge.RefusedError(429 if len(tries) == 1 else 503)

    monkeypatch.setattr(edge.Slots, "take", crowded)
    for status in (429, 503):
        answer, phone = send(mina, "/sell/papers", jpeg())
        assert (answer.status_code, answer.headers["Retry-After"], phone.at) == (status, str(edge.TRY_AGAIN), 0)
    assert tries == [(edge.IN_SIGHT, edge.IN_SIGHT_EACH)] * 2
    assert edge.IN_SIGHT * 50 <= 400  # megabytes


def test_a_paper_that_was_answered_makes_room_for_the_next_also_when_it_was_refused(app, mina):
    for content, status in [(b"nothing", 415), (bytes(17 * MIB), 413), (jpeg(), 303), (jpeg(), 303), (jpeg(), 303)]:
        assert send(mina, "/sell/papers", content)[0].status_code == status


def test_who_stops_in_the_middle_of_a_paper_leaves_nothing_in_memory(app, mina, monkeypatch):
    monkeypatch.setattr(edge, "GRACE", 0.05)
    monkeypatch.setattr(edge, "SLOWEST", 10**12)
    kept, phone = [], Stuck()
    monkeypatch.setattr(edge, "BytesIO", lambda *given: kept.append(io.BytesIO(*given)) or kept[-1])
    told = {"CONTENT_LENGTH": "1000", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = mina.post("/sell/papers", environ_overrides={"wsgi.input": phone, **told})
    assert (answer.status_code, kept[0].closed) == (408, True)
    phone.out_of_the_tunnel.set()
