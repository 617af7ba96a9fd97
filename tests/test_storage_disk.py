"""The cellar: files by what is in them, whole or not at all."""

import pytest

from shop.gateways import storage_disk

DATABASES = ("sqlite",)  # files, and no rows

pytestmark = pytest.mark.usefixtures("at_the_desk")


def test_the_same_bytes_are_kept_once(app, tmp_path):
    (tmp_path / "kai.mov").write_bytes(b"film")
    assert storage_disk.store(b"film", ".mp4") == storage_disk.store(tmp_path / "kai.mov", ".mp4")
    assert storage_disk.path_of(storage_disk.store(b"film", ".mp4")).read_bytes() == b"film"


def test_when_the_disk_fails_nothing_half_is_left(app, monkeypatch):
    def full(*_anything):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage_disk.os, "fsync", full)
    before = set(storage_disk.path_of("0" * 32 + ".mp4").parent.glob("*"))
    with pytest.raises(OSError, match="No space left"):
        storage_disk.store(b"too much", ".mp4")
    assert set(storage_disk.path_of("0" * 32 + ".mp4").parent.glob("*")) == before


@pytest.mark.parametrize(
    "name", ["../shop.sqlite3", "/etc/passwd", "a" * 32, "a" * 32 + ".mp4/..", "a" * 32 + ".mp4\n"]
)
def test_a_name_that_is_none_of_ours_leads_nowhere(name):
    with pytest.raises(ValueError, match="not the name of a stored file"):
        storage_disk.path_of(name)
    assert storage_disk.size_of(name) is None


def test_a_deleted_file_is_gone_and_may_be_deleted_again(app):
    name = storage_disk.store(b"gone", ".webp")
    storage_disk.delete(name)
    storage_disk.delete(name)
    assert storage_disk.size_of(name) is None


def test_a_part_is_read_in_pieces_that_add_up(app):
    body = bytes(i % 251 for i in range(storage_disk.PIECE * 2 + 100))
    pieces = storage_disk.open_range(storage_disk.store(body, ".mp4"), 10, storage_disk.PIECE + 50)
    read = list(pieces)
    pieces.close()
    assert [len(piece) for piece in read] == [storage_disk.PIECE, 50]
    assert b"".join(read) == body[10 : 10 + storage_disk.PIECE + 50]
