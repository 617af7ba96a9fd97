"""The protocol of uploads: announce, parts at their offset, complete; and what is refused, in words."""

import threading
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from shop import clock, uploads
from shop.database import db
from shop.models import Clip, Job, Role, Upload
from tests import films

MIB = 1024 * 1024
FILM = films.BUNNY.read_bytes()  # 1.06 MB: two parts
SIZE = len(FILM)


def create(client, size=SIZE):
    return client.post("/uploads", data={"size": size})


def put(client, address, offset, part):
    return client.put(address, data=part, headers={"Upload-Offset": str(offset)})


def send(client, film=FILM):
    address = create(client, len(film)).location
    for offset in range(0, len(film), MIB):
        put(client, address, offset, film[offset : offset + MIB])
    return address


def said(answer):
    return answer.status_code, answer.headers.get("Upload-Offset")


def files(app):
    return sorted(Path(app.instance_path, "uploads").glob("*"))


def counted(app, table):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table))


def test_kai_sends_a_film_in_parts_and_it_becomes_one_clip(app, kai):
    address = create(kai.client).location
    assert said(put(kai.client, address, 0, FILM[:MIB])) == (204, str(MIB))
    assert said(kai.client.get(address)) == (204, str(MIB))
    assert said(put(kai.client, address, MIB, FILM[MIB:])) == (204, str(len(FILM)))
    done = kai.client.post(f"{address}/completion")
    assert (done.status_code, done.location[:14]) == (201, "/studio/clips/")
    assert [file.read_bytes() for file in files(app)] == [FILM]
    assert (counted(app, Upload), counted(app, Clip), counted(app, Job)) == (0, 1, 1)
    again = kai.client.post(f"{address}/completion")  # the answer was lost on the way
    assert (again.status_code, again.location) == (201, done.location)
    assert (counted(app, Clip), counted(app, Job)) == (1, 1)


def test_a_part_out_of_order_is_told_where_to_go_on(app, kai):
    address = create(kai.client).location
    assert said(put(kai.client, address, 500, FILM[500:1000])) == (409, "0")
    put(kai.client, address, 0, FILM[:1000])
    assert said(put(kai.client, address, 999, FILM[999:2000])) == (409, "1000")
    assert said(kai.client.post(f"{address}/completion")) == (409, "1000")
    assert files(app)[0].read_bytes() == FILM[:1000]


def test_a_part_that_comes_twice_is_taken_once(app, kai):
    address = create(kai.client).location
    put(kai.client, address, 0, FILM[:1000])
    assert said(put(kai.client, address, 0, FILM[:12] + bytes(988))) == (204, "1000")
    assert files(app)[0].read_bytes() == FILM[:1000]


def test_a_connection_that_drops_goes_on_where_it_was(app, kai):
    address = create(kai.client).location
    promised = {"CONTENT_LENGTH": str(MIB)}
    cut = {"input_stream": BytesIO(FILM[:70_000]), "environ_overrides": promised, "headers": {"Upload-Offset": "0"}}
    broken = kai.client.put(address, **cut)
    assert broken.status_code == 400
    assert said(kai.client.get(address)) == (204, "0")
    assert said(put(kai.client, address, 0, FILM[:MIB])) == (204, str(MIB))


@pytest.mark.parametrize(
    ("size", "status"), [(400 * MIB + 1, 413), (0, 422), ("", 422), ("many", 422), ("-5", 422), ("9" * 40, 422)]
)
def test_a_size_that_cannot_be_is_refused_and_nothing_begins(app, kai, size, status):
    answer = create(kai.client, size)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert (counted(app, Upload), files(app)) == (0, [])


def test_more_than_was_announced_is_refused(app, kai):
    address = create(kai.client, 1000).location
    assert put(kai.client, address, 0, FILM[:1001]).status_code == 413
    assert said(kai.client.get(address)) == (204, "0")
    assert put(kai.client, address, 0, FILM[: MIB + 200_000]).status_code == 413
    assert files(app)[0].read_bytes() == b""


@pytest.mark.parametrize(
    "start", [b"#EXTM3U\n#EXTINF:1,\n", b"\x89PNG\r\n\x1a\n0000", b"\0\0\0\x18ftypheic", b"<svg xmlns="]
)
def test_another_kind_of_file_is_refused_at_its_first_bytes_in_the_readers_words(app, kai, start):
    address = create(kai.client).location
    headers = {"Upload-Offset": "0", "Accept-Language": "nl"}
    answer = kai.client.put(address, data=start + bytes(1000), headers=headers)
    assert (answer.status_code, answer.text) == (415, "Dit is geen MP4-, MOV- of WebM-video. Kies een ander bestand.")
    assert kai.client.get(address).status_code == 404
    assert (counted(app, Upload), files(app)) == (0, [])


def test_a_wrong_first_part_does_not_cost_kai_what_has_arrived(app, kai):
    address = create(kai.client).location
    put(kai.client, address, 0, FILM[:1000])
    assert put(kai.client, address, 0, b"<svg xmlns=" + bytes(1000)).status_code == 415
    assert said(kai.client.get(address)) == (204, "1000")


def test_what_kai_sends_is_not_there_for_anybody_else(app, kai, signed_in_as):
    address = create(kai.client).location
    put(kai.client, address, 0, FILM[:1000])
    kira = signed_in_as("kira", Role.CREATOR)
    answers = [
        kira.get(address),
        put(kira, address, 1000, b"x" * 1000),
        kira.post(f"{address}/completion"),
        kira.post(f"{address}/removal"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert files(app)[0].read_bytes() == FILM[:1000]
    assert counted(app, Clip) == 0


def test_who_is_no_creator_cannot_send_anything(app, client, signed_in_as):
    assert create(client).location.startswith("/sign-in")
    assert create(signed_in_as("noor")).status_code == 403
    assert counted(app, Upload) == 0


def test_the_quota_holds_when_eight_phones_of_one_person_begin_at_once(app, kai, signed_in_as):
    answers = []
    together = threading.Barrier(8)

    def begin(client):
        together.wait()
        answers.append(create(client, 400 * MIB).status_code)

    phones = [threading.Thread(target=begin, args=(signed_in_as("kai"),)) for _phone in range(8)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert sorted(answers) == [201] * 3 + [409] * 5
    assert counted(app, Upload) == 3


def test_kai_throws_an_unfinished_upload_away(app, kai):
    address = create(kai.client).location
    put(kai.client, address, 0, FILM[:1000])
    answer = kai.client.post(f"{address}/removal")
    assert (answer.status_code, answer.location) == (303, "/studio")
    assert (counted(app, Upload), files(app)) == (0, [])
    assert kai.client.get(address).status_code == 404


def test_what_nobody_touches_for_a_day_is_swept(app, kai, monkeypatch):
    create(kai.client)
    kept = create(kai.client).location
    day = clock.now() + uploads.KEPT
    with app.test_request_context(method="POST"):
        monkeypatch.setattr(clock, "now", lambda: day - timedelta(minutes=1))
        put(kai.client, kept, 0, FILM[:1000])
        monkeypatch.setattr(clock, "now", lambda: day + timedelta(minutes=1))
        uploads.sweep()
        db.session.commit()
    assert said(kai.client.get(kept)) == (204, "1000")
    assert [file.stat().st_size for file in files(app)] == [1000]
