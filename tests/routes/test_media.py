"""Clips and pictures: the part that was asked for, under a name that never means anything else."""

import pytest

from shop.gateways import storage_disk
from shop.promises import PROMISES

DATABASES = ("sqlite",)  # files are served, and no row is read

CLIP = bytes(range(256)) * 4096  # 1 MiB
SIZE = len(CLIP)


@pytest.fixture
def clip(app):
    with app.app_context():
        return storage_disk.store(CLIP, ".mp4")


@pytest.fixture
def get(client, clip):
    def ask(**headers):
        return client.get(f"/media/{clip}", headers={name.replace("_", "-"): value for name, value in headers.items()})

    return ask


def test_the_whole_clip_may_be_kept_for_ever(get, clip):
    answer = get()
    assert (answer.status_code, answer.data) == (200, CLIP)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["ETag"] == f'"{clip[:32]}"'
    assert "Content-Encoding" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-", 0, SIZE),
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=300000-900000", 300000, 900001),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
        (f"bytes=5-{SIZE * 2}", 5, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
    ],
)
def test_exactly_the_part_that_was_asked_for(get, asked, first, end):
    answer = get(Range=asked)
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(end - first)
    assert answer.data == CLIP[first:end]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 10}"])
def test_a_part_that_is_not_there_is_416(get, asked):
    answer = get(Range=asked)
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "pages=1-2", "bytes=a-b", "bytes=9-1", "nonsense"])
def test_what_we_do_not_understand_gets_the_whole(get, asked):
    answer = get(Range=asked)
    assert (answer.status_code, len(answer.data)) == (200, SIZE)


def test_a_part_is_given_only_of_the_file_that_is_meant(get, clip):
    assert get(Range="bytes=0-9", If_Range=f'"{clip[:32]}"').status_code == 206
    assert get(Range="bytes=0-9", If_Range='"another"').status_code == 200
    assert get(Range="bytes=0-9", If_Range="Mon, 23 Nov 2026 10:00:00 GMT").status_code == 200


def test_who_has_it_already_is_told_so(get, clip):
    answer = get(If_None_Match=f'"other", "{clip[:32]}"')
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == f'"{clip[:32]}"'
    assert "immutable" in answer.headers["Cache-Control"]
    assert get(If_None_Match='"other"').status_code == 200


def test_head_tells_the_same_without_the_bytes(client, clip):
    answer = client.head(f"/media/{clip}")
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", str(SIZE))


def test_a_file_opened_as_a_page_may_do_nothing(get):
    headers = get().headers
    assert "sandbox" in headers["Content-Security-Policy"]
    kept = [name for name, value in PROMISES if name == "Content-Security-Policy" or headers.get(name) == value]
    assert len(kept) == len(PROMISES)


@pytest.mark.parametrize(
    "name",
    [
        "../secret_key",
        "..%2fsecret_key",
        "%2e%2e/shop.sqlite3",
        "f" * 32 + ".mp4",
        "F" * 32 + ".mp4",
        "a.mp4",
        ".mp4",
        "x",
    ],
)
def test_other_names_find_nothing(client, name):
    assert client.get(f"/media/{name}").status_code == 404


def test_a_kind_that_we_do_not_serve_stays_in_the_cellar(app, client):
    with app.app_context():
        name = storage_disk.store(b"<script>alert(1)</script>", ".html")
    assert client.get(f"/media/{name}").status_code == 404


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".webp", "image/webp"),
        (".avif", "image/avif"),
        (".jpg", "image/jpeg"),
        (".vtt", "text/vtt; charset=utf-8"),
    ],
)
def test_each_kind_is_called_by_its_name(app, client, suffix, kind):
    with app.app_context():
        name = storage_disk.store(b"WEBVTT" + suffix.encode(), suffix)
    answer = client.get(f"/media/{name}", headers={"Accept-Encoding": "br, zstd, gzip"})
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.data == b"WEBVTT" + suffix.encode()
