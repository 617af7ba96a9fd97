"""The README promises nothing that is not there."""

import re
from pathlib import Path

from shop import demo
from shop.gateways import payment_stripe_words as words

README = Path("README.md").read_text(encoding="utf-8")


def test_every_setting_is_explained_and_nothing_else():
    read = "".join(Path(file).read_text() for file in ("shop/settings.py", "shop/outside.py", "shop/imprint.py"))
    asked = set(re.findall(r'reader\.\w+\(\s*"([A-Z_]+)"', read))
    table = README.partition("## Settings")[2].partition("## ")[0]
    explained = {
        name for row in re.findall(r"^\| (`[^|]+) \|", table, re.M) for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert explained == asked


def test_every_command_exists():
    targets = set(re.findall(r"^([a-z]+):", Path("Makefile").read_text(), re.M))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_the_accounts_of_the_demo_are_told():
    assert f"`{demo.PASSWORD}`" in README
    assert [account.email for account in demo.ACCOUNTS if account.email not in README] == []


def test_what_the_payment_company_has_to_send_is_what_the_shop_asks_it_for():
    told = README.partition("snapshot events: ")[2].partition("\n   - ")[0]
    named = re.findall(r"`([a-z_.]+)`", told)
    group = named[0].partition(".")[0]
    assert [group + name if name.startswith(".") else name for name in named] == words.EVENTS
    assert len(words.EVENTS) <= 20  # so many names Stripe takes


def test_every_file_that_is_linked_exists():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    assert [name for name in linked if not Path(name).exists()] == []
