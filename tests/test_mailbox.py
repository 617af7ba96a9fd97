"""Mailbox: what an e-mail address is, and that no mail becomes another one by what was typed."""

from email import message_from_bytes

import pytest

from shop.gateways.mail_port import Mail, UnsafeMailError, compose
from shop.mailbox import ADDRESS, is_address

WORD = "=?utf-8?q?a=0d=0aBcc:_x=40y.z?="  # an encoded word with a line break and a header of its own in it
BODY = "=?utf-8?q?=0d=0aContent-Type:_text/html=0d=0a=0d=0a=3Ch1=3ELocked?="
NOT_ADDRESSES = (
    *(f"{WORD}@b.c", f"({WORD})a@b.cc", f"a@b.cc({WORD})", f"a@{WORD}.cc", f"{WORD},a@b.cc", f"a@b.cc,{WORD}"),
    *(f"a@b.cc;{WORD}", f"{WORD}:a@b.cc;", f"victim@example.org;{BODY}", f"a@b.({WORD})c"),
    *("root,noor@x.org", "root;noor@x.org", "a:b;c@x.org", "(x)root@x.org", "a@x.org,b.c", "a@[1.2.3.4]"),
    *(
        "a\u200b@b.cc",
        "a\x7f@b.cc",
        "a@b.cc\n",
        "a@b.cc\r\nBcc: x@y.z",
        '"a b"@c.dd',
        "<a@b.cc>",
        "a@-b.cc",
        "a..b@c.dd",
    ),
    *(".a@b.cc", "a.@b.cc", "a@b..cc", f"{'a' * 65}@b.cc", f"a@{'b' * 64}.cc", f"a@{'b.' * 127}cc", "a@", "@b.cc", ""),
)


@pytest.mark.parametrize("text", ["noor@example.com", "noor.de-wit+shop@a.b-c.nl", "o'neil_1@example.co.uk"])
def test_an_address_as_people_have_them_is_one(text):
    assert ADDRESS.match(text)
    assert compose(Mail(text, "Hi", "t", "h", "k"), "Shop <s@x.org>")["To"] == text


@pytest.mark.parametrize("text", NOT_ADDRESSES)
def test_what_is_not_one_plain_address_is_none_and_no_mail_is_made_to_it(text):
    assert ADDRESS.match(text) is None
    with pytest.raises(UnsafeMailError):
        compose(Mail(text, "Hi", "t", "h", "k"), "Shop <s@x.org>")


def test_an_operator_may_be_mailed_at_this_computer_and_a_visitor_may_not():
    assert (is_address("root@localhost"), ADDRESS.match("root@localhost")) == (True, None)


@pytest.mark.parametrize(
    "name", [WORD, BODY, f"Hi {WORD} there", f"{WORD} {WORD}", "=\x00?utf-8?q?=0d=0aBcc:_x=40y.z?="]
)
def test_a_name_in_a_subject_begins_no_header_and_no_body(name):
    wire = bytes(compose(Mail("noor@example.com", f"You bought {name}", "t", "h", "k"), "Shop <s@x.org>"))
    read = message_from_bytes(wire)
    assert read.get_all("To") == ["noor@example.com"]
    assert (read["Bcc"], read.get_content_type(), len(read.get_payload())) == (None, "multipart/alternative", 2)


def test_words_in_other_scripts_arrive_as_they_are():
    mail = compose(Mail("noor@example.com", "Je bestelling: crème brûlée ☕", "t", "h", "k"), "Shop <s@x.org>")
    assert mail["Subject"] == "Je bestelling: crème brûlée ☕"


def test_a_header_that_comes_in_all_the_same_stops_the_mail(monkeypatch):
    monkeypatch.setattr("shop.gateways.mail_port._one_line", lambda text: text)
    with pytest.raises(UnsafeMailError):
        compose(Mail("noor@example.com", WORD, "t", "h", "k"), "Shop <s@x.org>")
