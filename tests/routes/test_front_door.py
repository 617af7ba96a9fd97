"""What holds for every request, whatever it asks for."""

import pytest

from app import create_app
from shop import settings


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example"])
def test_a_forged_host_is_refused(client, host):
    assert client.get("/shop", headers={"Host": host}).status_code == 400


def asked_by(tmp_path, proxies, forwarded):
    """The address that the shop believes, behind so many proxies."""
    app = create_app(settings.read({"INSTANCE_PATH": str(tmp_path), "PROXIES": proxies}))
    seen = []
    app.before_request(lambda: seen.append(__import__("flask").request.remote_addr))
    app.test_client().get("/livez", headers={"X-Forwarded-For": forwarded})
    return seen[0]


def test_without_proxies_nobody_may_say_who_they_are(tmp_path):
    assert asked_by(tmp_path, "0", "10.9.8.7") == "127.0.0.1"


def test_behind_proxies_exactly_so_many_are_believed(tmp_path):
    assert asked_by(tmp_path, "1", "6.6.6.6, 10.9.8.7") == "10.9.8.7"
    assert asked_by(tmp_path, "2", "6.6.6.6, 10.9.8.7, 10.0.0.1") == "10.9.8.7"
