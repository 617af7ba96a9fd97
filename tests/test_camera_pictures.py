"""What a camera sends becomes four pictures for a shop window, without being unpacked larger than it has to be."""

from io import BytesIO

import pytest
from PIL import Image

from shop.gateways import paper_reader_child
from shop.gateways.paper_reader import SIDES
from tests.papers import as_file, jpeg, picture


@pytest.mark.parametrize(
    ("size", "unpacked"),
    [
        ((4032, 3024), (2016, 1512)),  # 12 megapixels
        ((3024, 4032), (1512, 2016)),
        ((6000, 4000), (3000, 2000)),  # 24
        ((7120, 5340), (1780, 1335)),  # 38
        ((1600, 1200), (1600, 1200)),
        ((900, 600), (900, 600)),
    ],
)
def test_a_photograph_is_unpacked_in_the_smallest_size_that_is_large_enough(size, unpacked):
    with Image.open(BytesIO(as_file(Image.new("RGB", size), "JPEG"))) as found:
        found.draft("RGB", paper_reader_child._no_smaller_than(found.size, SIDES[0]))
        assert found.size == unpacked


def test_each_size_of_a_photograph_that_was_held_upright_is_as_large_as_it_is_called():
    held = Image.Exif()
    held[0x0112] = 6
    content = as_file(picture(size=(4032, 3024)), "JPEG", exif=held)
    shapes = [Image.open(BytesIO(one)).size for one in paper_reader_child.made_of(content, "jpeg", list(SIDES))]
    assert shapes == [(1200, 1600), (480, 640), (270, 360), (162, 216)]


def test_what_is_smaller_is_not_made_larger():
    made = paper_reader_child.made_of(jpeg(), "jpeg", list(SIDES))
    assert [Image.open(BytesIO(one)).size[0] for one in made] == [900, 640, 360, 216]
