"""Promise 14: what a stranger sends as a paper can do nothing: not to us, and not to who looks at it."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from shop.models import Paper
from tests import hostile_papers
from tests.papers import jpeg
from tests.routes.test_papers import code_of, kept, mina, rex, sent, waits  # noqa: F401

pytestmark = [pytest.mark.faults, pytest.mark.slow]  # the bombs take long to make


@pytest.fixture(scope="module", params=["paper", "picture"])
def seen(request, tmp_path_factory):
    """What became of each, read by a small process of its own, so that what its children took can be told."""
    folder = tmp_path_factory.mktemp("hostile")
    files = hostile_papers.every()
    for number, one in enumerate(files):
        (folder / f"{number:02}").write_bytes(one.content)
    asked = [sys.executable, "-m", "tests.hostile_papers", str(folder), request.param]
    done = subprocess.run(asked, capture_output=True, check=True, cwd=Path(__file__).parents[2], timeout=300)
    told = json.loads(done.stdout)
    return request.param, [(one, *told[f"{number:02}"]) for number, one in enumerate(files)]


def is_right(one, kind, end):
    """A picture that goes in a window is never a PDF; else the same counts for both."""
    if kind == "picture" and one.content.startswith(b"%PDF"):
        return end == "other_kind"
    return not end.startswith("carries") and one.is_cleaned in (None, end == "cleaned")


def test_twenty_five_hostile_papers_are_refused_or_cleaned(seen, promise):
    kind, ends = seen
    for one, end, took, megabytes in ends:
        print(f"{kind:8}{took:6.2f} s {megabytes:4.0f} MB  {end:18} {one.name}")
    wrong = [f"{one.name}: {end}" for one, end, *_took in ends if not is_right(one, kind, end)]
    slowest, largest = max(took for _one, _end, took, _most in ends), max(most for *_rest, most in ends)
    figure = f"{len(ends)} files, {len(wrong)} get through {wrong}, slowest {slowest:.1f} s, largest {largest:.0f} MB"
    is_kept = len(ends) == 25 and not wrong and slowest <= 5 and largest <= 300
    promise("14", f"hostile {kind}s are refused or cleaned", figure, "25, 0, <= 5 s, <= 300 MB each", is_kept)


def test_what_was_photographed_where_is_not_in_the_picture():
    from shop.gateways import paper_reader

    page = paper_reader.read(BytesIO(jpeg())).pages[0]
    picture = Image.open(BytesIO(page))
    assert dict(picture.getexif()) == {}
    assert (picture.info.get("comment"), picture.info.get("icc_profile")) == (None, None)


HEADERS = {
    "Content-Type": "image/jpeg",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize("name", ["a JPEG that is a ZIP too", "a JPEG with PHP in it"])
def test_what_a_moderator_is_shown_of_a_hostile_paper_is_a_picture_and_nothing_else(app, mina, rex, name):  # noqa: F811
    (one,) = (file for file in hostile_papers.every() if file.name == name)
    assert hostile_papers.carried(one.content) != []
    waits(mina, one.content)
    address = f"/moderation/papers/{code_of(app)}"
    rex.post(f"{address}/opening", data={"reason": "First look at this application."})
    shown = rex.get(f"{address}/1")
    assert {name: shown.headers[name] for name in HEADERS} == HEADERS
    assert hostile_papers.carried(shown.data) == []


@pytest.mark.parametrize("name", hostile_papers.NAMES)
def test_no_name_of_a_file_is_ever_used(app, mina, name):  # noqa: F811
    assert sent(mina, name=name).status_code == 303
    assert kept(app, Paper.state) == [("sealed",)]
    (file,) = Path(app.config["PAPERS_PATH"]).iterdir()
    assert file.name == f"{kept(app, Paper.code)[0][0]}.1"
