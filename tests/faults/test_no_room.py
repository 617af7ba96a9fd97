"""Promise 10, on both databases: each write of a checkout and of an upload is once the one that finds the disk full."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import func, select, text

from shop import reconcile, uploads
from shop.database import db, let_go
from shop.limits import limiter
from shop.models import Clip, Order, OrderLine, OrderStatus, Purchase, Upload, Variant
from tests.faults.no_room import disk_of_the_database
from tests.routes.conftest import NOOR, hidden
from tests.routes.test_uploads import FILM, MIB, create, files, put
from tests.till import news

pytestmark = pytest.mark.faults


@pytest.fixture
def disk(app):
    with disk_of_the_database() as disk:
        yield disk


def at_each(disk, press, most=99):
    """Press with the disk full at the first write, at the second ... until it has no more; what was answered."""
    answers = []
    for number in range(1, most + 1):
        answers.append(press(number, lambda number=number: disk.full_at(number)))
        met, seen = disk.met, disk.seen
        disk.full_at(0)
        if not met:
            assert seen == number - 1, answers  # each of them has been the one
            return answers[:-1], answers[-1]
    raise AssertionError("it never came to an end")


def charges(app):
    """The purchases that the payment company was paid for."""
    with app.app_context():
        bodies = db.session.scalars(text("SELECT body FROM sandbox_objects WHERE kind = 'payment'")).all()
        let_go()
    made = [json.loads(body) if isinstance(body, str) else body for body in bodies]
    return sorted(one["metadata"]["purchase"] for one in made if one["status"] == "succeeded")


def sold(app):
    with app.app_context():
        paid = select(Purchase.code).join(Order).where(Order.status == OrderStatus.PAID)
        halves = db.session.scalar(select(func.count(Purchase.id)).where(~Purchase.orders.any()))
        shelf = db.session.execute(select(Variant.stock, Variant.held).where(Variant.code == "lamp-oak")).one()
        taken = select(func.sum(OrderLine.quantity)).join(Order).where(Order.status == OrderStatus.PAID)
        astray = 900 - shelf.stock - db.session.scalar(taken) + shelf.held
        codes = sorted(db.session.scalars(paid))
        let_go()
        return codes, halves, astray


def bought_at_each_write(app, client, post, disk):
    with app.app_context():
        db.session.execute(text("UPDATE variants SET stock = 900"))
        db.session.commit()

    def press(_number, fill):
        limiter.reset()
        post("/cart/lines", variant="lamp-oak", quantity="1")
        form = {**NOOR, "method": "card", **hidden(client.get("/checkout").text)}
        fill()
        answer = post("/checkout", **form)
        return answer.status_code, answer.headers.get("Retry-After"), client.get("/shop").status_code

    return at_each(disk, press)


def test_each_write_of_a_checkout_finds_the_disk_full_once(app, client, post, lamp, disk, promise, pass_time):
    refused, last = bought_at_each_write(app, client, post, disk)
    assert last == (303, None, 200)
    paid_for = charges(app)
    with app.app_context():
        known = set(db.session.scalars(select(Purchase.code).join(Order)))
        pass_time(minutes=3)
        reconcile.find_lost()  # as the clock does: an attempt that nobody has heard of is asked about again
        news()
    codes, halves, astray = sold(app)
    without = len(set(paid_for) - known)
    name = app.extensions["shop.engines"]["write"].dialect.name
    told = sum(answer == (503, "60", 200) for answer in refused)
    figure = (
        f"{len(refused)} of {len(refused)} writes were refused once, {told} told with 503, {without} charges without "
        f"an order, {halves} halves, {len(charges(app))} charged and {len(codes)} sold in the end, {astray} astray"
    )
    kept = (
        len(refused) >= 10
        and all(answer in ((503, "60", 200), (303, None, 200)) for answer in refused)
        and (without, halves) == (0, 0)
        and codes == charges(app)
        and len(set(codes)) == len(codes)
        and astray == 0
    )
    promise("10", f"the disk is full at each write of a checkout, {name}", figure, "503, 0, 0, all sold", kept)


def uploaded_at_each_write(app, kai, disk):
    """Announce, send and complete, each with the disk full at each of its writes; then all of it goes well."""
    told = []

    def announce(_number, fill):
        fill()
        return create(kai.client).status_code

    refused, last = at_each(disk, announce)
    assert last == 201
    told += refused
    with app.app_context():
        address = f"/uploads/{db.session.scalar(select(Upload.code))}"

    def send(number, fill):
        fill()
        return put(kai.client, address, number * 10 - 10, FILM[number * 10 - 10 : number * 10]).status_code

    refused, last = at_each(disk, lambda number, fill: send(1, fill))
    assert (last, kai.client.get(address).headers["Upload-Offset"]) == (204, "10")
    told += refused
    for offset in range(10, len(FILM), MIB):
        assert put(kai.client, address, offset, FILM[offset : offset + MIB]).status_code == 204

    def complete(_number, fill):
        fill()
        return kai.client.post(f"{address}/completion").status_code

    refused, last = at_each(disk, complete)
    assert last == 201
    return told + refused


def test_each_write_of_an_upload_finds_the_disk_full_once(app, kai, disk, promise):
    told = uploaded_at_each_write(app, kai, disk)
    with app.app_context():
        left = [db.session.scalar(select(func.count()).select_from(table)) for table in (Upload, Clip)]
    name = app.extensions["shop.engines"]["write"].dialect.name
    is_whole = [file.read_bytes() for file in files(app)] == [FILM]
    figure = f"{len(told)} writes were refused once, {told.count(503)} told with 503, the film is whole: {is_whole}"
    kept = len(told) >= 4 and set(told) == {503} and left == [0, 1] and is_whole
    promise("10", f"the disk is full at each write of an upload, {name}", figure, "503, nothing left, whole", kept)


@pytest.mark.parametrize("built", ["sqlite"], indirect=True)
def test_a_part_for_which_there_is_room_for_half_is_refused_and_sent_again(app, kai, monkeypatch):
    """A disk that is nearly full takes what fits, says how much that was, and refuses the rest."""
    address, room = create(kai.client).location, [600_000]
    write = uploads.os.pwrite

    def pwrite(file, part, offset):
        fits = bytes(part)[: room[0]]
        if not fits:
            raise OSError(28, "No space left on device")
        room[0] -= len(fits)
        return write(file, fits, offset)

    with monkeypatch.context() as patch:
        patch.setattr(uploads.os, "pwrite", pwrite)
        assert put(kai.client, address, 0, FILM[:MIB]).status_code == 503
    assert kai.client.get(address).headers["Upload-Offset"] == "0"
    for offset in range(0, len(FILM), MIB):
        assert put(kai.client, address, offset, FILM[offset : offset + MIB]).status_code == 204
    assert [file.read_bytes() for file in files(app)] == [FILM]


ON_A_DISK_OF_ITS_OWN = "mount -t tmpfs -o size=64m none {folder} && exec {python} -m tests.faults.small_disk {folder}"


@pytest.mark.slow
def test_a_real_disk_of_64_megabytes_gets_full(tmp_path, promise):
    """With everything on it that the shop keeps: the database, the uploads, and what is made of them."""
    command = ON_A_DISK_OF_ITS_OWN.format(folder=tmp_path, python=sys.executable)
    ran = subprocess.run(["unshare", "-Urm", "sh", "-c", command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    told, sent = found["told"], found["sent"]
    figure = (
        f"{told}, {sent}, {found['without']} charges without an order, {found['unsold']} unsold in the end, "
        f"{found['sold']} sold, clips {found['clips']}, left {found['left']}, whole: {found['is_whole']}"
    )
    kept = (
        set(told) <= {"cart 303", "cart 503", "checkout 303", "checkout 503", "reading 200"}
        and min(told.get("checkout 503", 0), sent.get("part 503", 0)) >= 3
        and set(sent) & {"part 500", "completed 500", "clip needs_fixing"} == set()
        and (found["without"], found["unsold"], found["left"], found["clips"]) == (0, 0, [], ["ready"])
        and found["is_kept"]
        and found["is_whole"]
    )
    promise("10", "a disk of 64 MB is full", figure, "503, 0, 0, nothing left, whole", kept)
