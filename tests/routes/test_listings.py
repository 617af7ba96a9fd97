"""The pages of a seller's own products: each thing that one can do, with htmx and without."""

from io import BytesIO

import pytest

from shop.database import db
from shop.models import Product, Role, User, Variant
from tests.cast import a_category, a_profile, a_seller
from tests.conftest import HTMX
from tests.papers import jpeg

WHAT = {"title_nl": "Wolkschoen", "title_en": "", "description_nl": "Licht.", "description_en": "", "category": "shoes"}
MAKER = {"maker_name": "Wolkstap", "maker_email": "wolk@maker.example", "maker_street": "Oudegracht 1"}
SAFETY = MAKER | {
    "maker_postcode": "3511 AA",
    "maker_city": "Utrecht",
    "maker_country": "NL",
    "responsible_country": "",
}
ORIGIN = {"ships_from_country": "NL", "ships_from_city": "Utrecht", "stock_kind": "own_stock"}
ORIGIN |= {"handling_days": "1", "weight_grams": "800"}
TERMS = {"vat_rate": "2100", "guarantee_nl": "Twee jaar", "guarantee_en": "", "creator_rate": "12.5"}
GRID = {"color": ["lila / lilac"] * 2, "size": ["38", "39"], "price": ["79,95", "84.95"], "stock": ["5", "2"]}
GRID |= {"sku": ["W-38", ""], "seen": ["", ""]}
TABLE = {"country": ["NL", ""], "up_to": ["2000", ""], "min_days": ["1", ""], "max_days": ["2", ""]}
TABLE |= {"cost": ["3.95", ""], "free_from": ["50", ""]}
ALT = {"alt_nl": "Een schoen", "alt_en": "A shoe", "place": "1", "color": "lila / lilac"}


@pytest.fixture
def mina(app, signed_in_as):
    """Mina's browser; she sells shoes from Utrecht, and has listed nothing yet."""
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        user = db.session.scalar(db.select(User.id).where(User.email == "mina@example.com"))
        db.session.add(a_seller("mina", "Atelier Mina", profile=a_profile("mina", "Atelier Mina", user_id=user)))
        db.session.add(a_category("shoes", "Shoes"))
        db.session.commit()
    return client


@pytest.fixture
def drafted(mina):
    """The address of Mina's draft."""
    return mina.post("/seller/products", data=WHAT).location


@pytest.fixture(params=[{}, HTMX], ids=["plain", "htmx"])
def asked(request, mina):
    """`asked(address, form)` posts it, with htmx and without."""

    def post(address, **form):
        return mina.post(address, data=form, headers=request.param)

    post.is_plain = not request.param
    return post


def kept(app, *columns):
    with app.app_context():
        return [tuple(row) for row in db.session.execute(db.select(*columns))]


def photo(name="shoe.jpg", content=None):
    return BytesIO(content or jpeg()), name


def complete(mina, drafted):
    """All that it takes, section by section, as one does without a script."""
    code = drafted.rsplit("/", 1)[1]
    for address, form in (
        (f"{drafted}/safety", SAFETY),
        (f"{drafted}/origin", ORIGIN),
        (f"{drafted}/facts", {"spec_material_nl": "vilt", "spec_material_en": "felt"}),
        (f"{drafted}/terms", TERMS),
        (f"{drafted}/variants", GRID),
        ("/seller/delivery", TABLE),
        (f"/seller/pictures/{code}", {"file": photo()}),
        (f"{drafted}/pictures/0", ALT),
    ):
        answer = mina.post(address, data=form)
        assert answer.status_code == 303, (address, answer.text)
    return code


def test_without_a_script_mina_lists_a_shoe_in_two_sizes_and_a_stranger_buys_it(app, mina, drafted, client):
    page = mina.get(drafted).text
    assert "Before it can be for sale:" in page
    assert mina.post(f"{drafted}/publication").status_code == 422
    code = complete(mina, drafted)
    assert client.get(f"/p/{code}").status_code == 404
    assert "This is a preview" in mina.get(f"{drafted}/preview").text
    assert mina.post(f"{drafted}/publication").status_code == 303
    shown = client.get(f"/p/{code}", headers={"Accept-Language": "en"}).text
    for words in ("Wolkschoen", "€79.95", "€84.95", "lilac", "felt", "wolk@maker.example", "Arrives"):
        assert words in shown
    variant = kept(app, Variant.code)[0][0]
    assert client.post("/cart/lines", data={"variant": variant, "quantity": "1"}).status_code == 303
    assert "Wolkschoen" in client.get("/cart").text


def test_each_section_is_saved_on_its_own_and_shown_where_it_was_saved(app, asked, drafted):
    for section, form in (("what", WHAT | {"title_en": "Cloud shoe"}), ("safety", SAFETY), ("origin", ORIGIN)):
        answer = asked(f"{drafted}/{section}", **form)
        if asked.is_plain:
            assert answer.location.endswith(f"{drafted}#s-{section}")
        else:
            assert f'id="s-{section}"' in answer.text
            assert 'id="s-state"' in answer.text
            assert "<html" not in answer.text
    asked(f"{drafted}/terms", **TERMS)
    asked(f"{drafted}/facts", spec_material_nl="vilt", spec_material_en="")
    facts = (Product.title, Product.weight_grams, Product.vat_rate, Product.creator_rate, Product.specs)
    assert kept(app, *facts) == [({"nl": "Wolkschoen", "en": "Cloud shoe"}, 800, 2100, 1250, {"material": "vilt"})]


@pytest.mark.parametrize(
    ("section", "form", "words"),
    [
        ("what", WHAT | {"title_nl": "", "title_en": " "}, "Give it a title, in Dutch or in English."),
        ("what", WHAT | {"title_nl": "x" * 121}, "Use at most 120 characters."),
        ("what", WHAT | {"category": "weapons"}, "Not a valid choice."),
        ("safety", SAFETY | {"maker_email": "nobody"}, "This does not look like an e-mail address."),
        ("origin", ORIGIN | {"handling_days": "61"}, "Number must be between 0 and 60."),
        ("origin", ORIGIN | {"stock_kind": "stolen"}, "Not a valid choice."),
        ("terms", TERMS | {"vat_rate": "1900"}, "Not a valid choice."),
        ("terms", TERMS | {"creator_rate": "NaN"}, "Number must be between 0 and 50."),
    ],
)
def test_what_cannot_be_is_said_beside_it_and_changes_nothing(app, asked, drafted, section, form, words):
    before = kept(app, Product)[0][0].__dict__ | {"_sa_instance_state": None}
    answer = asked(f"{drafted}/{section}", **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert kept(app, Product)[0][0].__dict__ | {"_sa_instance_state": None} == before
