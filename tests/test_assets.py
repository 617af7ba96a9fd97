"""Static files: each under a name that changes with its content, compressed at its best, kept for ever."""

import os
import re
import time

import brotli
import pytest

from shop import assets
from tests import fields

DATABASES = ("sqlite",)  # files, and no rows

BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def asset(app):
    return app.extensions["shop.asset"]


def rules(path):
    """The lines of a stylesheet that a browser heeds; an address in one is another when it arrives."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return [line for line in text.splitlines() if "url(" not in line]


def test_all_stylesheets_arrive_as_one_with_the_order_of_layers_first(client, asset):
    answer = client.get(asset("shop.css"))
    assert answer.headers["Content-Type"].startswith("text/css; charset=")
    assert answer.text.strip().startswith("@layer reset, tokens, base, components, pages;")
    blocks = [path for path in (assets.SOURCE / "css").glob("*.css") if not path.name.startswith("_")]
    assert len(blocks) > 5
    arrived = set(answer.text.splitlines())
    assert [line for path in blocks for line in rules(path) if line.strip() not in arrived] == []
    assert client.get("/shop").text.count('rel="stylesheet"') == 1


def test_our_scripts_arrive_without_the_remarks_that_are_for_us(client, asset):
    ours = sorted((assets.SOURCE / "js").glob("*.js"))
    assert len(ours) > 9
    for path in ours:
        lines = path.read_text().splitlines()
        assert all(line.count("`") % 2 == 0 for line in lines), f"{path.name}: a text may not go over several lines"
        heeded = [line for line in lines if not line.lstrip().startswith("//")]
        assert client.get(asset(f"js/{path.name}")).text.splitlines() == heeded


def test_it_may_be_kept_for_ever_and_comes_compressed_at_its_best(client, asset):
    answer = client.get(asset("shop.css"), headers=BROWSER)
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in answer.headers["Vary"]
    plain = client.get(asset("shop.css")).data
    assert answer.data == brotli.compress(plain, quality=11)
    assert client.get(asset("shop.css"), headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


def test_a_second_visit_is_answered_with_304(client, asset):
    etag = client.get(asset("shop.css")).headers["ETag"]
    assert client.get(asset("shop.css"), headers={"If-None-Match": etag}).status_code == 304


def test_the_font_is_mentioned_by_its_lasting_name(client, asset):
    name = asset("font/figtree.woff2")
    assert re.fullmatch(r"/static/font/figtree\.[0-9a-f]{12}\.woff2", name)
    assert f'url("{name}")' in client.get(asset("shop.css")).text
    answer = client.get(name, headers=BROWSER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "font/woff2")
    assert "Content-Encoding" not in answer.headers


def test_a_vendored_script_keeps_its_name_and_version(client, asset):
    assert asset("vendor/htmx@4.0.1/htmx.min.js") == "/static/vendor/htmx@4.0.1/htmx.min.js"
    answer = client.get("/static/vendor/htmx@4.0.1/htmx.min.js", headers=BROWSER)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Content-Encoding"] == "br"


def test_a_file_that_is_not_there_is_an_error_and_no_dead_link(asset):
    with pytest.raises(KeyError):
        asset("js/forgotten.js")


@pytest.mark.parametrize("name", ["../secret_key", "css/../../secret_key", "%2e%2e/secret_key", "", "css"])
def test_nothing_else_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_every_address_in_a_page_is_there(client):
    found = set(re.findall(r'"(/static/[^"#]+)', client.get("/shop").text))
    assert len(found) > 5
    assert [name for name in found if client.get(name).status_code != 200] == []


def test_our_own_script_where_one_pays_is_light(monkeypatch, client, mug):
    """At most 6 kB of ours and 20 kB with htmx, as brotli; the payment company's own is not ours to weigh."""
    fields.install(monkeypatch)
    page = client.get("/checkout/now?variant=mug-s").text
    found = re.findall(r'<script src="(/static/[^"]+)"', page)
    weights = {name: len(client.get(name, headers={"Accept-Encoding": "br"}).data) for name in found}
    assert any("card-fields" in name for name in found)
    assert sum(weight for name, weight in weights.items() if "/vendor/" not in name) <= 6_000
    assert sum(weights.values()) <= 20_000


def test_an_earlier_release_stays_for_a_month(tmp_path):
    folder = tmp_path / "assets"
    assets.build(folder)
    recent, old = folder / "js" / "a.0123456789ab.js", folder / "js" / "b.0123456789ab.js"
    for path in (recent, old):
        path.write_text("//")
    os.utime(old, (time.time() - assets.KEPT - 60,) * 2)
    assets.build(folder)
    assert (recent.exists(), old.exists()) == (True, False)
