"""Listing checks: each fact that a listing has to tell, missing one at a time, and what somebody has to look at."""

from copy import deepcopy

import pytest
from flask import Flask
from sqlalchemy import select

from shop import i18n
from shop.database import db
from shop.i18n import speaking
from shop.listing_checks import Risk, lacking, risks
from shop.models import DeliveryRate, Picture, Product
from shop.money import Money
from shop.word_list import Gravity
from shop.words import Words
from tests.cast import STREET, a_category, a_product, a_seller, a_variant, both

ABROAD = {**STREET, "city": "Shenzhen", "country": "CN"}
DATABASES = ("sqlite",)


@pytest.fixture(autouse=True)
def here():
    """The words are said to somebody; no shop is needed for that."""
    app = Flask(__name__)
    i18n.init_app(app)
    with app.test_request_context():
        yield


@pytest.fixture
def bear():
    """A soft bear that lacks nothing: made in the EU, in a category that asks for age, CE and warnings."""
    mina = a_seller("mina", "Mina", returns_days=14)
    shelf = a_category("play", "Play")
    shelf.specs = [{"key": key, "name": {"nl": key.title(), "en": key.title()}} for key in ("age", "ce")]
    shelf.requires = ["age", "ce", "warnings"]
    told = {"category": shelf, "specs": {"age": both("0+"), "ce": "yes"}, "warnings": both("Remove the tag first.")}
    facts = {"vat_rate": 2100, "stock_kind": "own_stock", **told}
    product = a_product(mina, "bear", "Soft bear", [a_variant("b", "Brown", 2450, 3)], **facts)
    product.pictures = [Picture(position=0, name="a.webp", width=9, height=9, alt=both("A brown bear"))]
    return product


def codes(product):
    with_words = lacking(product)
    assert all(lack.words and lack.field for lack in with_words)
    return [lack.code for lack in with_words]


def test_a_listing_that_tells_everything_lacks_nothing(bear):
    assert lacking(bear) == []
    assert risks(bear) == []


def _set(path, value):
    def change(product):
        *way, last = path.split(".")
        for name in way:
            product = product[int(name)] if name.isdigit() else getattr(product, name)
        setattr(product, last, value)

    return change


def _maker(**changes):
    def change(product):
        product.maker = {**deepcopy(product.maker), **changes}

    return change


def _abroad(**changes):
    def change(product):
        product.maker = {**product.maker, "address": ABROAD}
        product.responsible = {**product.responsible, **changes}

    return change


MISSING = {
    "no title": (_set("title", Words(nl="  ")), ["title"]),
    "no description": (_set("description", Words()), ["description"]),
    "no picture": (_set("pictures", []), ["pictures"]),
    "a picture without words": (_set("pictures.0.alt", Words()), ["alt"]),
    "no variant": (_set("variants", []), ["price"]),
    "no VAT rate": (_set("vat_rate", None), ["vat_rate"]),
    "no country": (_set("ships_from_country", ""), ["ships_from_country"]),
    "no town": (_set("ships_from_city", " "), ["ships_from_city"]),
    "no stock kind": (_set("stock_kind", None), ["stock_kind"]),
    "no handling days": (_set("handling_days", None), ["handling_days"]),
    "too many handling days": (_set("handling_days", 400), ["handling_days"]),
    "no delivery": (_set("delivery", []), ["delivery"]),
    "no address for returns": (_set("seller.returns_address", ""), ["returns"]),
    "thirteen days to return": (_set("seller.returns_days", 13), ["returns"]),
    "no age": (_set("specs", {"ce": "yes"}), ["spec:age"]),
    "an empty CE": (_set("specs", {"age": "0+", "ce": Words(nl=" ", en="")}), ["spec:ce"]),
    "no specs at all": (_set("specs", {}), ["spec:age", "spec:ce"]),
    "no warnings": (_set("warnings", None), ["warnings"]),
    "warnings in English only": (_set("warnings", Words(en="Take care.")), ["warnings_dutch"]),
    "no maker": (_set("maker", {}), ["maker_name", "maker_address", "maker_email"]),
    "a maker without a name": (_maker(name=" "), ["maker_name"]),
    "a maker without an address": (_maker(address={}), ["maker_address"]),
    "a maker in a street of no country": (_maker(address={**STREET, "country": ""}), ["maker_address"]),
    "a maker whom nobody can write to": (_maker(email="@"), ["maker_email"]),
    "a maker abroad and nobody here": (_abroad(name="", address={}, email=""), ["responsible"]),
    "somebody here without an address": (_abroad(address={**STREET, "city": ""}), ["responsible"]),
    "somebody here without e-mail": (_abroad(email=""), ["responsible"]),
    "who answers is abroad too": (_abroad(address=ABROAD), ["responsible"]),
}


@pytest.mark.parametrize("change", MISSING)
def test_each_fact_that_is_missing_is_named(bear, change):
    make, expected = MISSING[change]
    make(bear)
    assert codes(bear) == expected


def test_a_maker_abroad_with_somebody_in_the_eu_who_answers_is_enough(bear):
    _abroad()(bear)
    assert codes(bear) == []


def test_a_website_does_where_there_is_no_e_mail(bear):
    _maker(email="", website="https://maker.example/contact")(bear)
    assert codes(bear) == []


def test_warnings_in_english_do_where_nothing_goes_to_who_reads_dutch(bear):
    bear.warnings = Words(en="Take care.")
    bear.delivery = [DeliveryRate(country="DE", min_days=1, max_days=2, cost=Money(395, "EUR"))]
    assert codes(bear) == []


def test_a_category_that_asks_for_nothing_lets_specs_and_warnings_be(bear):
    bear.category.requires, bear.specs, bear.warnings = [], {}, None
    assert codes(bear) == []


def test_what_is_missing_is_said_in_the_language_of_who_asks(bear, at_the_desk):
    bear.title, bear.specs = Words(), {"ce": "yes"}
    with speaking("en"):
        assert [lack.words for lack in lacking(bear)] == ["Give it a title.", "Fill in: Age."]


# What somebody has to look at


def found(product, **given):
    return [(risk.code, risk.gravity, risk.field, risk.found) for risk in risks(product, **given)]


@pytest.mark.parametrize(
    ("change", "risk"),
    [
        (_set("title", Words(nl="Pistool")), ("weapons", Gravity.FORBIDDEN, "title", "pistool")),
        (_set("description", Words(en="An Ibuprofen.")), ("medicines", Gravity.FORBIDDEN, "description", "ibuprofen")),
        (_set("specs", {"age": "18", "ce": Words(nl="tabak")}), ("tobacco", Gravity.FORBIDDEN, "specs", "tabak")),
        (_set("pictures.0.alt", Words(nl="Een wapenstok")), ("weapons", Gravity.FORBIDDEN, "pictures", "wapenstok")),
        (_set("variants.0.name", Words(nl="met nicotine")), ("tobacco", Gravity.FORBIDDEN, "variants", "nicotine")),
        (_set("title", Words(nl="Nike beer")), ("brand", Gravity.RISKY, "title", "nike")),
        (_set("description", Words(nl="Duurzaam.")), ("green_claim", Gravity.RISKY, "description", "duurzaam")),
        (_set("description", Words(en="It heals.")), ("medical_claim", Gravity.RISKY, "description", "heals")),
    ],
)
def test_a_word_of_the_list_is_a_risk_wherever_it_stands(bear, change, risk):
    change(bear)
    assert found(bear) == [risk]


def test_the_warnings_and_the_guarantee_may_name_what_a_thing_is_not_for(bear):
    bear.warnings, bear.guarantee = both("Keep away from alcohol, nicotine and medicines."), both("No medicines.")
    assert found(bear) == []


def test_who_has_shown_that_the_brand_is_theirs_may_name_it(bear):
    bear.title = Words(en="Nike bear")
    assert [code for code, *_rest in found(bear)] == ["brand"]
    assert found(bear, has_mark=True) == []


def test_a_toy_belongs_on_a_shelf_that_asks_for_its_age(bear):
    bear.title = Words(en="Wooden toy")
    assert found(bear) == []
    bear.category.requires = ["ce"]
    assert found(bear) == [("shelf_age", Gravity.RISKY, "title", "toy")]


def test_what_the_pictures_are_like_comes_after_the_words(bear):
    bear.title = Words(en="Nike bear")
    like = Risk("others_picture", Gravity.RISKY, "pictures", "lamp")
    assert [risk.code for risk in risks(bear, prints=[like])] == ["brand", "others_picture"]


def test_what_the_demo_sells_tells_everything_and_is_clear(demo_shop):
    with demo_shop.test_request_context():
        listed = db.session.scalars(select(Product)).all()
        assert len(listed) == 30
        assert {product.code: lacking(product) for product in listed if lacking(product)} == {}
        assert {product.code: risks(product) for product in listed if risks(product)} == {}
