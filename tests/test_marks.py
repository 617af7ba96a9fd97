"""Somebody who comes back under another name is known by what they tell again, and nobody reads it from the marks."""

import pytest
from sqlalchemy import select

from shop import marks
from shop.database import db
from shop.models import MarkKind, SellerMark, Vetting
from tests.cast import a_seller

pytestmark = pytest.mark.usefixtures("at_the_desk")
IBAN = "NL91ABNA0417164300"


def there_is(handle, **facts):
    seller = a_seller(handle, handle.title(), **{"phone": "", **facts})
    db.session.add(seller)
    db.session.commit()
    marks.keep(seller)
    db.session.commit()
    return seller


FLITS = {
    "company_number": "69599076",
    "vat_number": "NL000099998B57",
    "email": "Flits.Deals@gmail.com",
    "phone": "06 - 12 34 56 78",
    "street": "Snelweg 1",
    "postcode": "1101 ZZ",
}
AGAIN = {
    "company_number": "69 59 90.76",
    "vat_number": "nl 0000 99 998 b57",
    "email": "flitsdeals+nieuw@googlemail.com",
    "phone": "+31 (0)6 1234 5678",
    "street": "SNELWEG 1",
    "postcode": "1101zz",
}


@pytest.mark.parametrize("vetting", [Vetting.REFUSED, Vetting.SUSPENDED])
def test_who_was_refused_or_stopped_and_comes_back_is_found_by_each_thing_they_tell_again(vetting):
    flits = there_is("flitsdeals", vetting=vetting, **FLITS)
    marks.keep_iban(flits.id, IBAN)
    marks.keep_document(flits.id, "NX0T-1 234I")
    back = there_is("superkoopjes", vetting=Vetting.WAITING, **AGAIN)
    marks.keep_iban(back.id, "nl91 abna 0417 1643 00")
    marks.keep_document(back.id, "nxot1 2341")
    assert marks.twins(back) == [(kind, "flitsdeals", "Flitsdeals", vetting) for kind in sorted(MarkKind)]


@pytest.mark.parametrize("kind", ["company", "vat", "email", "phone", "address"])
def test_one_thing_told_again_is_enough(kind):
    theirs = {"company": ["company_number"], "vat": ["vat_number"], "address": ["street", "postcode"]}.get(kind, [kind])
    there_is("flitsdeals", vetting=Vetting.REFUSED, **FLITS)
    new = {"company_number": "12345678", "vat_number": "", "email": "x@y.example", "street": "Elders 2"}
    back = there_is("koopjes", **{**new, **{name: AGAIN[name] for name in theirs}})
    assert [(twin.kind, twin.handle) for twin in marks.twins(back)] == [(kind, "flitsdeals")]


def test_two_who_have_nothing_in_common_are_not_twins():
    there_is("flitsdeals", **FLITS)
    other = {"company_number": "12345678", "vat_number": "", "email": "x@y.example", "phone": "030-1234567"}
    assert marks.twins(there_is("kira", **other)) == []


def test_what_nobody_told_makes_no_twins():
    bare = {"company_number": "", "vat_number": "", "email": "", "phone": "", "street": "", "postcode": ""}
    one, two = there_is("one", **bare), there_is("two", **bare)
    assert (marks.twins(one), marks.twins(two)) == ([], [])
    assert db.session.scalars(select(SellerMark.id)).all() == []


def test_the_same_number_in_two_registers_is_not_the_same_company():
    there_is("flits", **{**FLITS, "company_register": "RCS"})
    other = {"vat_number": "", "email": "x@y.example", "phone": "030-1234567", "company_number": "69599076"}
    assert marks.twins(there_is("kira", **other)) == []


def test_what_is_taken_back_is_no_longer_marked():
    flits = there_is("flits", **FLITS)
    flits.phone = ""
    marks.keep(flits)
    assert MarkKind.PHONE not in db.session.scalars(select(SellerMark.kind)).all()


def test_the_marks_are_read_in_one_question_and_hold_nothing_of_what_was_told(queries):
    there_is("flitsdeals", **FLITS)
    back = there_is("koopjes", **AGAIN)
    db.session.refresh(back)
    with queries() as asked:
        assert len(marks.twins(back)) == 5
    assert len(asked) == 1
    for mark in db.session.scalars(select(SellerMark.mark)):
        assert len(mark) == 32
        assert b"69599076" not in mark


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("NL", "06 - 12 34 56 78", "+31612345678"),
        ("NL", "0031 6 12345678", "+31612345678"),
        ("NL", "+31 (0)6 12345678", "+31612345678"),
        ("BE", "0475 12 34 56", "+32475123456"),
        ("CN", "+86 755 1234 5678", "+8675512345678"),
        ("NL", "", ""),
        ("NL", "none", ""),
    ],
)
def test_a_telephone_number_is_written_in_one_way(country, typed, kept):
    assert marks.phone(country, typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Mina@Example.com ", "mina@example.com"),
        ("mina+etalage@example.com", "mina@example.com"),
        ("mi.na@gmail.com", "mina@gmail.com"),
        ("mi.na@example.com", "mi.na@example.com"),
        ("nothing", ""),
    ],
)
def test_a_mailbox_is_written_in_one_way(typed, kept):
    assert marks.mailbox(typed) == kept
