"""What the operator's watchman is told."""

import shutil
from types import SimpleNamespace

from sqlalchemy import text

from shop.database import db


def test_a_process_that_lives_says_so_whatever_else_is_wrong(client, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(total=100, free=0))
    assert (client.get("/livez").status_code, client.get("/livez").text) == (200, "ok\n")


def test_ready_is_a_shop_that_can_write_and_nothing_of_the_trial_is_kept(app, client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    with app.test_request_context():
        assert db.session.scalar(text("SELECT count(*) FROM jobs")) == 0


def test_a_disk_that_is_nearly_full_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(total=100, free=5))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready\n")


def test_a_database_of_another_release_is_not_ready(app, client):
    def set_version(version):
        with app.test_request_context(method="POST"):
            was = db.session.scalar(text("SELECT version_num FROM alembic_version"))
            db.session.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
            db.session.commit()
            return was

    head = set_version("another")
    try:
        assert client.get("/readyz").status_code == 503
    finally:
        set_version(head)
    assert client.get("/readyz").status_code == 200
