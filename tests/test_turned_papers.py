"""A paper is shown as it was held; nonsense about that spoils nothing, and no other mistake hides."""

import pytest
from PIL import Image

from shop.gateways import paper_reader_child as child
from tests.papers import jpeg

WIDE = Image.new("RGB", (300, 200), "white")
HEAD = b"Exif\0\0MM\0\x2a\0\0\0\x08"


def held(**said):
    found = WIDE.copy()
    found.info.update(said)
    return child._turned(WIDE, found).size


def test_what_was_held_upright_is_turned_upright():
    (page,) = child.picture(jpeg(turned=6), "jpeg")
    (flat,) = child.picture(jpeg(turned=1), "jpeg")
    assert page.size == flat.size[::-1]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so, and goes on
@pytest.mark.parametrize(
    "said",
    [
        {"exif": b"Exif\0\0this is no TIFF"},
        {"exif": HEAD + b"\0\x01\x01\x12\0\x03\0\0\0\x01"},  # cut off in the middle of a tag
        {"exif": HEAD},
        {"Raw profile type exif": "\nexif\n  6\nno hex"},
        {"exif": HEAD + b"\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0"},  # the 99th way to hold it
    ],
)
def test_nonsense_about_how_it_was_held_leaves_it_as_it_lies(said):
    assert held(**said) == (300, 200)


def test_any_other_mistake_is_not_hidden(monkeypatch):
    def breaks(_self):
        raise RuntimeError

    monkeypatch.setattr(Image.Image, "getexif", breaks)
    with pytest.raises(RuntimeError):
        held()
