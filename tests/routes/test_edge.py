"""What is too large, too slow or too much at once is refused before it is read."""

import io
import threading

import pytest

from shop import edge
from shop.gateways import storage_disk
from tests.conftest import HTMX

DATABASES = ("sqlite",)  # what is refused at the edge never comes to a database


class Phone(io.RawIOBase):
    """A body that says how much of it was read."""

    def __init__(self, size):
        self.size, self.read_so_far = size, 0

    def read(self, size=-1):
        piece = min(self.size - self.read_so_far, size if size >= 0 else self.size)
        self.read_so_far += piece
        return b"x" * piece


def send(client, address, body, **environ):
    return client.post(address, environ_overrides={"wsgi.input": body, **environ})


@pytest.mark.parametrize(
    ("address", "largest"),
    [("/cart/lines", 2**20), ("/uploads/x", 2**20 + 2**16), ("/webhooks/stripe", 2**18)],
)
def test_a_body_longer_than_the_routes_share_is_not_read_at_all(client, address, largest):
    phone = Phone(largest + 1)
    answer = send(client, address, phone, CONTENT_LENGTH=str(largest + 1))
    assert (answer.status_code, phone.read_so_far) == (413, 0)
    assert "This is too large." in answer.text
    assert "Content-Security-Policy" in answer.headers
    whole = Phone(largest)
    assert send(client, address, whole, CONTENT_LENGTH=str(largest)).status_code != 413
    assert whole.read_so_far == largest


def test_for_htmx_the_refusal_comes_in_place(client):
    answer = client.post("/cart/lines", headers=HTMX, environ_overrides={"CONTENT_LENGTH": "10000000000"})
    assert answer.status_code == 413
    assert 'hx-swap-oob="' in answer.text
    assert "<html" not in answer.text


def test_a_body_without_an_end_is_cut_at_the_share(client):
    phone = Phone(10**12)
    answer = send(client, "/cart/lines", phone, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert answer.status_code == 413
    assert phone.read_so_far <= 2**20 + 1


def test_a_body_in_chunks_arrives_whole(client, mug):
    form = io.BytesIO(b"variant=mug-s&quantity=2")
    answer = send(
        client,
        "/cart/lines",
        form,
        HTTP_TRANSFER_ENCODING="chunked",
        CONTENT_LENGTH="",
        CONTENT_TYPE="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 303
    assert "2" in client.get("/cart").text


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "+5", "1_000", "9" * 30, "\u0663"])
def test_a_length_that_is_no_number_is_refused(client, length):
    phone = Phone(100)
    assert send(client, "/cart/lines", phone, CONTENT_LENGTH=length).status_code == 400
    assert phone.read_so_far == 0


class Stuck(io.RawIOBase):
    """A phone that goes into a tunnel in the middle of its body."""

    def __init__(self):
        self.out_of_the_tunnel = threading.Event()

    def read(self, _size=-1):
        self.out_of_the_tunnel.wait(30)
        return b""


def test_a_body_that_takes_for_ever_is_given_up(app, client, monkeypatch):
    monkeypatch.setattr(edge, "GRACE", 0.05)
    monkeypatch.setattr(edge, "SLOWEST", 10**9)
    phone = Stuck()
    assert send(client, "/cart/lines", phone, CONTENT_LENGTH="1000").status_code == 408
    phone.out_of_the_tunnel.set()


def test_who_has_too_many_bodies_on_the_way_is_told_to_wait(monkeypatch):
    slots = edge.Slots(most=3, each=2)
    slots.take("noor")
    slots.take("noor")
    with pytest.raises(edge.RefusedError) as hers:
        slots.take("noor")
    slots.take("kai")
    with pytest.raises(edge.RefusedError) as his:
        slots.take("mina")
    assert (hers.value.status, his.value.status) == (429, 503)
    slots.give("noor")
    slots.take("mina")


def test_a_refusal_of_too_many_says_when_to_come_back(app, client, monkeypatch):
    with app.app_context():
        name = storage_disk.store(b"film", ".mp4")
    monkeypatch.setattr(edge.Slots, "take", lambda _self, _address: (_ for _ in ()).throw(edge.RefusedError(429)))
    answer = client.get(f"/media/{name}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(edge.TRY_AGAIN))


def test_an_answer_that_has_left_makes_room_for_the_next(app, client):
    with app.app_context():
        name = storage_disk.store(b"film" * 100_000, ".mp4")
    for _time in range(edge.LEAVING_EACH + 2):
        assert len(client.get(f"/media/{name}").data) == 400_000
        client.get(f"/media/{name}").close()  # nobody wants it any more
        assert client.head(f"/media/{name}").status_code == 200
        assert client.get("/media/none").status_code == 404


def test_a_place_for_a_paper_is_given_back_whatever_breaks():
    class Broken:
        def read(self, _size):
            raise OSError("gone")

    door = edge.Edge(lambda _environ, _start: [b""])
    asked = {"PATH_INFO": "/sell/papers", "CONTENT_LENGTH": "10", "wsgi.input": Broken(), "REMOTE_ADDR": "192.0.2.7"}
    for _time in range(3):  # at most two of one address are let in at once
        with pytest.raises(OSError, match="gone"):
            door(dict(asked), None)
    assert door._in_sight._taken.total() == 0
