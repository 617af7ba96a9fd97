"""Promise 0: the first start fills an empty shop; later ones leave it as it is."""

import time
import urllib.request

import pytest

from tests.faults.shops import opened


def shelf(shop):
    with urllib.request.urlopen(f"{shop.address}/shop", timeout=20) as answer:
        return answer.read().decode()


def test_the_first_start_loads_the_demo_and_tells_who_one_may_be(tmp_path):
    with opened(tmp_path, DEMO="1") as shop:
        assert "Wolk sneaker" in shelf(shop)
        said = shop.log.read_text()
    assert "noor@example.com" in said
    assert "The password of each is: etalage-demo" in said
    assert said.index("etalage-demo") < said.index("Etalage is open at")
    with opened(tmp_path, DEMO="1") as shop:
        assert "Wolk sneaker" in shelf(shop)
        assert "etalage-demo" not in shop.log.read_text()


@pytest.mark.slow
def test_without_the_demo_a_shop_begins_empty(tmp_path):
    with opened(tmp_path) as shop:
        assert "Wolk sneaker" not in shelf(shop)
        assert "etalage-demo" not in shop.log.read_text()


@pytest.mark.slow
def test_a_second_start_does_not_keep_one_waiting(tmp_path, promise):
    with opened(tmp_path, DEMO="1"):
        pass
    took = []
    for _time in range(3):
        began = time.monotonic()
        with opened(tmp_path, DEMO="1"):
            took.append(time.monotonic() - began)
    promise("0", "a second start, with the demo, 3 times", f"slowest {max(took):.1f} s", "<= 5 s", max(took) <= 5)
