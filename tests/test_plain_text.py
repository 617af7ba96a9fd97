"""What somebody typed for somebody else: without what cannot be seen, and not in a mail where it becomes a link."""

import pytest

from shop.plain_text import cleaned, may_be_mailed, size

LINKS = ("https://evil.example", "WWW.evil", "evil.nl", "me@evil", "x://y", "see evil.example/now")
LOOK_SO = ("evil\u2024nl", "evil\u3002nl", "evil\uff0enl", "evil\uff61nl", "me\uff20evil", "x\uff1a//y", "www\u3002e")
HIDE_IT = (
    "evil\u200d.nl",
    "evil.n\u200dl",
    "evil.\ufe0fnl",
    "evil\u2060.\u00adnl",
    "w\u200cww.e",
    "a\x00.nl",
    "a\x1f.nl",
)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("pay \u202eelas rof\u202c", "pay elas rof"),
        ("so\u00adft\u200b", "soft"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("one\n \n\t\n\n  two", "one\n\ntwo"),
        ("one \t\n  two\u00a0\n\n\n", "one\n  two"),
        ("e\u0301", "\u00e9"),
        ("\ud800lone", "lone"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
    ],
)
def test_what_cannot_be_seen_is_left_out(typed, read):
    assert cleaned(typed) == read


def test_only_what_is_to_be_seen_counts():
    assert [size(text) for text in ("a b\nc", "\u200d\u200d", "e\u0301\u0301\u0301", "")] == [3, 0, 1, 0]


@pytest.mark.parametrize("link", [*LINKS, *LOOK_SO, *HIDE_IT])
def test_what_a_mail_program_makes_a_link_of_is_not_mailed(link):
    assert may_be_mailed(f"Yes. {link}") is False


@pytest.mark.parametrize(
    "words",
    [
        "Yes. It is 1,5 litres... and blue!",
        "Ja: 24 x 17 cm.",
        "12 to 10.5 cm",
        "Wait\u2026what?",
        "One.\nTwo. \u65e5\u672c\u3002",
    ],
)
def test_other_words_are(words):
    assert may_be_mailed(words) is True


def test_what_is_too_long_to_look_into_is_not_mailed():
    assert [may_be_mailed("a" * signs) for signs in (4000, 4001)] == [True, False]
