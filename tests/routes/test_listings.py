"""The pages of a seller's own products: each thing that one can do, with htmx and without."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from shop import listings, pictures
from shop.database import db
from shop.errors import Refused
from shop.models import Picture, Product, Role, Seller, User, Variant, Vetting
from tests.cast import a_category, a_product, a_profile, a_seller, a_variant
from tests.conftest import HTMX
from tests.papers import CANARY, jpeg, pdf

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
    table = getattr(columns[0], "class_", columns[0])
    with app.app_context():
        return [tuple(row) for row in db.session.execute(db.select(*columns).order_by(table.id))]


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
        ("what", WHAT | {"category": "weapons"}, "Choose a category."),
        ("safety", SAFETY | {"maker_email": "nobody"}, "This does not look like an e-mail address."),
        ("origin", ORIGIN | {"handling_days": "61"}, "Fill in a whole number from 0 to 60."),
        ("origin", ORIGIN | {"stock_kind": "stolen"}, "Choose where the stock lies."),
        ("terms", TERMS | {"vat_rate": "1900"}, "Choose a rate of VAT."),
        ("terms", TERMS | {"creator_rate": "NaN"}, "Fill in a number from 0 to 50."),
    ],
)
def test_what_cannot_be_is_said_beside_it_and_changes_nothing(app, asked, drafted, section, form, words):
    before = kept(app, Product)[0][0].__dict__ | {"_sa_instance_state": None}
    answer = asked(f"{drafted}/{section}", **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert kept(app, Product)[0][0].__dict__ | {"_sa_instance_state": None} == before


def test_the_grid_is_shown_before_anything_is_kept_and_keeps_what_was_typed(app, asked, drafted):
    typed = {"colors": "lila / lilac, mint", "sizes": "38, 39", **GRID}
    page = asked(f"{drafted}/grid", **typed).text
    legends = re.findall(r"<legend>(.*?)</legend>", page)
    assert [words for words in legends if "38" in words or "39" in words] == [
        *("lila / lilac, 38", "lila / lilac, 39", "mint, 38", "mint, 39"),
    ]
    assert re.findall(r'name="price" value="(.*?)"', page) == ["79,95", "84.95", "79,95", "79,95"]
    assert kept(app, Variant.id) == []
    asked(f"{drafted}/variants", **GRID)
    facts = (Variant.color, Variant.size, Variant.price_minor, Variant.stock, Variant.sku)
    lilac = {"nl": "lila", "en": "lilac"}
    assert kept(app, *facts) == [(lilac, "38", 7995, 5, "W-38"), (lilac, "39", 8495, 2, "")]


def test_a_new_product_that_is_sent_empty_says_kindly_what_each_field_asks(asked, mina):
    answer = asked("/seller/products", title_nl="", title_en="")
    errors = re.findall(r'id="([a-z_]+)-errors">.*?<span>(.*?)</span>', answer.text, re.DOTALL)
    assert errors == [("title_nl", "Give it a title, in Dutch or in English."), ("category", "Choose a category.")]
    assert (answer.status_code, mina.get("/seller/products").text.count("listed__link")) == (422, 0)


def test_what_is_wrong_in_the_grid_stands_in_its_own_cell_and_the_first_of_it_has_the_focus(app, asked, drafted):
    answer = asked(f"{drafted}/variants", **GRID | {"price": ["79,95", "much"], "stock": ["", "2"]})
    wrong = re.findall(
        r'<input id="([a-z]+-\d)" [^>]*aria-invalid="true" aria-describedby="([^"]+)"([^>]*)', answer.text
    )
    assert [(where, by, "autofocus" in more) for where, by, more in wrong] == [
        ("stock-1", "stock-1-errors", True),
        ("price-2", "price-2-errors", False),
    ]
    assert re.search(r'id="price-2-errors">.*?<span>Write an amount as 12.50.</span>', answer.text, re.DOTALL)
    assert ('value="much"' in answer.text, answer.text.count("autofocus")) == (True, 1)
    assert (answer.status_code, kept(app, Variant.id)) == (422, [])


def test_what_a_rule_says_of_one_cell_stands_in_that_cell(app, asked, drafted):
    answer = asked(f"{drafted}/variants", **GRID | {"price": ["79,95", "0"]})
    assert 'aria-describedby="price-2-errors"' in answer.text
    assert ("This cannot be the price." in answer.text, answer.text.count("aria-invalid")) == (True, 1)
    assert (answer.status_code, kept(app, Variant.id)) == (422, [])


def test_sizes_that_were_typed_and_not_shown_yet_are_shown_first_and_not_lost(app, asked, drafted):
    answer = asked(f"{drafted}/variants", colors="lila / lilac", sizes="38, 39, 40", **GRID)
    assert "Fill in the new ones and save." in answer.text
    assert "<legend>lila / lilac, 40</legend>" in answer.text
    assert kept(app, Variant.id) == []
    asked(f"{drafted}/variants", colors="lila / lilac", sizes="38,39", **GRID)
    assert kept(app, Variant.size) == [("38",), ("39",)]


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "1e9", "", "12.345", "99999999"])
def test_what_is_no_price_is_refused_and_what_was_typed_stays(app, asked, drafted, price):
    answer = asked(f"{drafted}/variants", **GRID | {"price": [price, "84.95"], "sku": ["typed", ""]})
    assert answer.status_code == 422
    assert 'value="typed"' in answer.text
    assert kept(app, Variant.id) == []


def test_stock_that_just_changed_is_shown_anew_and_not_overwritten(app, asked, mina, drafted):
    mina.post(f"{drafted}/variants", data=GRID)
    with app.app_context():
        db.session.execute(update(Variant).where(Variant.size == "38").values(stock=1))
        db.session.commit()
    answer = asked(f"{drafted}/variants", **GRID | {"seen": ["5", "2"], "stock": ["9", "2"]})
    assert answer.status_code == 409
    assert "The stock has just changed: there are 1 now." in answer.text
    assert re.search(r'name="stock" value="1" aria-invalid="true"', answer.text)
    assert re.findall(r'name="price" value="(.*?)"', answer.text) == ["79,95", "84.95"]  # what was typed stays
    assert re.findall(r'name="seen" value="(.*?)"', answer.text) == ["1", "2"]
    assert kept(app, Variant.stock) == [(1,), (2,)]


def test_a_picture_from_a_camera_is_made_new_in_four_sizes(app, asked, drafted):
    code = drafted.rsplit("/", 1)[1]
    answer = asked(f"/seller/pictures/{code}", file=[photo(content=jpeg(turned=6)), photo("../../etc/passwd")])
    assert answer.status_code == (303 if asked.is_plain else 200)
    sizes = kept(app, Picture.name, Picture.name_640, Picture.name_360, Picture.name_216)
    assert kept(app, Picture.position, Picture.width, Picture.height) == [(0, 600, 900), (1, 900, 600)]
    assert [len(looks) for (looks,) in kept(app, Picture.looks)] == [8, 8]
    sides = []
    for name in sizes[0]:
        file = Path(app.instance_path, "media", name)
        picture = Image.open(file)
        sides.append(max(picture.size))
        assert (picture.format, dict(picture.getexif())) == ("WEBP", {})
        assert CANARY not in file.read_bytes()
    assert sides == [900, 640, 360, 216]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "This is something else."),
        (pdf(), 415, "Send a photograph (JPEG, PNG or WebP)."),
        (jpeg() + bytes(25 * 1024 * 1024), 413, "This file is larger than 25 MB."),
        (jpeg()[:3000], 422, "We cannot read this file."),
        (None, 422, "Choose a file first, or take a photograph."),
    ],
)
def test_what_is_no_picture_is_refused_in_words_and_nothing_is_kept(app, asked, drafted, content, status, words):
    form = {"file": photo(content=content)} if content else {}
    answer = asked(f"/seller/pictures/{drafted.rsplit('/', 1)[1]}", **form)
    assert answer.status_code == status
    assert words in answer.text
    assert kept(app, Picture.id) == []


def test_pictures_that_are_too_many_or_come_too_late_leave_no_file(app, asked, drafted, letters, monkeypatch):
    address, media = f"/seller/pictures/{drafted.rsplit('/', 1)[1]}", Path(app.instance_path, "media")
    for file in media.rglob("*.webp"):
        file.unlink()  # of another test
    monkeypatch.setattr(pictures, "MOST", 1)
    with monkeypatch.context() as unread:
        unread.setattr(pictures, "read", None)
        assert asked(address, file=[photo(), photo(content=jpeg("B"))]).status_code == 422
    monkeypatch.setattr(pictures, "MOST", 2)
    assert asked(address, file=[photo(), photo(content=jpeg()[:3000])]).status_code == 422
    assert list(media.rglob("*.webp")) == []

    def full(product, found, *, by):
        assert len(list(media.rglob("*.webp"))) == 4
        raise Refused("A product has at most 12 pictures.", 422)

    monkeypatch.setattr(listings, "add_pictures", full)
    assert asked(address, file=photo()).status_code == 422
    letters()
    assert (list(media.rglob("*.webp")), kept(app, Picture.id)) == ([], [])


def test_one_person_begins_only_so_many_products_an_hour(app, asked, drafted, monkeypatch):
    monkeypatch.setattr("shop.routes.listings.BEGUN", "1 per hour")
    assert asked(f"{drafted}/copy").status_code in (204, 303)
    assert asked(f"{drafted}/copy").status_code == 429
    assert asked("/seller/products", title_nl="Kop", category="shoes").status_code == 429
    assert len(kept(app, Product.id)) == 2


def test_a_picture_is_described_moved_and_taken_away_with_its_files(app, asked, mina, drafted, letters):
    code = drafted.rsplit("/", 1)[1]
    mina.post(f"{drafted}/variants", data=GRID)
    mina.post(f"/seller/pictures/{code}", data={"file": [photo(), photo(content=jpeg("B"))]})
    first, second = kept(app, Picture.name)
    asked(f"{drafted}/pictures/1", **ALT)
    assert kept(app, Picture.name, Picture.position) == [(*first, 1), (*second, 0)]
    assert kept(app, Variant.picture_id) == [(kept(app, Picture.id)[1][0],)] * 2
    asked(f"{drafted}/pictures/0/removal")
    assert kept(app, Picture.name, Picture.position) == [(*first, 0)]
    letters()
    assert not Path(app.instance_path, "media", second[0]).exists()
    assert Path(app.instance_path, "media", first[0]).exists()


def test_one_picture_shows_some_colours_and_a_colour_in_one_language_stays_itself(app, asked, mina, drafted):
    code = drafted.rsplit("/", 1)[1]
    three = ["lila / lilac", "zwart/wit", "mint"]
    mina.post(
        f"{drafted}/variants", data={name: [*values, values[0]] for name, values in GRID.items()} | {"color": three}
    )
    with app.app_context():
        db.session.execute(update(Variant).where(Variant.position == 2).values(color={"nl": "mint"}))
        db.session.commit()
    mina.post(f"/seller/pictures/{code}", data={"file": photo()})
    asked(f"{drafted}/pictures/0", **ALT | {"color": three[1:]})
    mine = kept(app, Picture.id)[0][0]
    assert kept(app, Variant.picture_id) == [(None,), (mine,), (mine,)]
    numbers = kept(app, Variant.id)
    asked(
        f"{drafted}/variants",
        **{name: [*values, "7"] for name, values in GRID.items()} | {"color": three, "size": ["38", "39", "38"]},
    )
    assert kept(app, Variant.id) == numbers
    assert kept(app, Variant.color)[1:] == [({"nl": "zwart/wit", "en": "zwart/wit"},), ({"nl": "mint"},)]


def test_delivery_of_one_product_is_set_by_hand_and_of_all_in_the_table(app, asked, mina, drafted):
    mina.post(f"{drafted}/origin", data=ORIGIN)
    answer = asked("/seller/delivery", **TABLE)
    assert (answer.location or answer.headers["HX-Redirect"]) == "/seller/delivery"
    assert 'value="3.95"' in mina.get("/seller/delivery").text
    assert "€3.95" in mina.get(drafted).text
    assert asked("/seller/delivery", **TABLE | {"cost": ["free", ""]}).status_code == 422
    by_hand = {name: ["BE", ""] if name == "country" else values for name, values in TABLE.items()}
    asked(f"{drafted}/delivery", **by_hand | {"cost": ["1", ""]})
    page = mina.get(drafted).text
    assert "€1.00" in page
    assert "Set by hand, for this product only." in page
    assert asked(f"{drafted}/delivery", **by_hand | {"min_days": ["9", ""]}).status_code == 422
    assert "€1.00" in mina.get(drafted).text


def test_a_product_is_published_paused_resumed_and_duplicated(app, asked, mina, drafted):
    complete(mina, drafted)
    for action, status in (("publication", "live"), ("pause", "paused"), ("resumption", "live")):
        answer = asked(f"{drafted}/{action}")
        assert answer.status_code == (303 if asked.is_plain else 200)
        assert kept(app, Product.status) == [(status,)]
    assert asked(f"{drafted}/resumption").status_code == 409
    assert "€84.95" in mina.get(drafted).text
    answer = asked(f"{drafted}/copy")
    assert (answer.location or answer.headers["HX-Redirect"]) != drafted
    assert kept(app, Product.status) == [("live",), ("draft",)]


def test_the_list_asks_as_much_however_much_there_is(app, mina, drafted, queries):
    with queries() as few:
        assert "Wolkschoen" in mina.get("/seller/products").text
    for _n in range(3):
        mina.post("/seller/products", data=WHAT | {"title_nl": "Mok"})
    with queries() as many:
        mina.get("/seller/products?q=mok&show=draft")
    assert len(few) == len(many) == 2  # who it is, and the list
    page = mina.get("/seller/products?q=MOK&show=lacks").text
    assert page.count('class="listed__link"') == 3


def test_what_is_another_s_is_not_there(app, mina, lamp):
    with app.test_request_context(method="POST"):
        db.session.add(a_product(a_seller("olga", "Olga"), "olga-bag", "Bag", [a_variant("bag", "Bag", 100, 1)]))
        db.session.commit()
    here = "/seller/products/olga-bag"
    assert mina.get(here).status_code == 404
    assert mina.get(f"{here}/preview").status_code == 404
    for address, form in (
        *((f"{here}/{name}", {}) for name in ("what", "grid", "pause", "publication", "copy", "pictures/0")),
        (f"{here}/variants", GRID),
        (f"{here}/delivery", TABLE),
        ("/seller/pictures/olga-bag", {"file": photo()}),
    ):
        assert mina.post(address, data=form).status_code == 404
    assert kept(app, Product.title, Product.status)[1] == ({"nl": "Bag", "en": "Bag"}, "live")


def test_only_its_owner_and_moderators_see_a_preview(mina, drafted, signed_in_as, client):
    mina.post(f"{drafted}/variants", data=GRID)
    assert signed_in_as("noor").get(f"{drafted}/preview").status_code == 404
    assert client.get(f"{drafted}/preview").status_code == 303
    page = signed_in_as("rex", Role.MODERATOR).get(f"{drafted}/preview").text
    assert "This is a preview" in page
    assert 'class="button" disabled' in page


def test_a_stopped_seller_is_refused_with_the_page_still_open(app, mina, drafted, asked):
    with app.app_context():
        db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
        db.session.commit()
    for address, form in (
        (f"{drafted}/what", WHAT | {"title_nl": "Anders"}),
        (f"{drafted}/variants", GRID),
        (f"/seller/pictures/{drafted.rsplit('/', 1)[1]}", {"file": photo()}),
        ("/seller/products", WHAT),
    ):
        assert asked(address, **form).status_code == 403
    assert kept(app, Product.title) == [({"nl": "Wolkschoen"},)]
    assert kept(app, Picture.id) == kept(app, Variant.id) == []


@pytest.mark.parametrize(
    ("language", "price", "rate", "cost"), [("nl", "79,95", "12,50", "3,95"), ("en", "79.95", "12.50", "3.95")]
)
def test_what_the_shop_fills_in_has_the_comma_or_the_point_of_the_language_and_both_are_read(
    app, mina, drafted, language, price, rate, cost
):
    """Written with the sign of the other language, and shown with one's own."""
    speaks = {"Accept-Language": language}
    other = {"nl": ".", "en": ","}[language]
    written = [re.sub(r"[.,]", other, text) for text in ("1079.95", rate, cost)]
    grid = GRID | {"price": [written[0], "1.084,95"]}
    assert mina.post(f"{drafted}/variants", data=grid, headers=speaks).status_code == 303
    assert mina.post(f"{drafted}/terms", data=TERMS | {"creator_rate": written[1]}, headers=speaks).status_code == 303
    assert mina.post("/seller/delivery", data=TABLE | {"cost": [written[2], ""]}, headers=speaks).status_code == 303
    with app.test_request_context():
        assert db.session.scalars(db.select(Variant.price_minor).order_by(Variant.position)).all() == [107995, 108495]
        assert db.session.scalar(db.select(Product.creator_rate)) == 1250
    page = mina.get(drafted, headers=speaks).text
    sign = price[2]
    assert (f'name="price" value="1079{sign}95"' in page, f'value="{rate}"' in page) == (True, True)
    assert f'name="cost" value="{cost}"' in mina.get("/seller/delivery", headers=speaks).text
    for wrong in ("1,2,3", "1.2.3", "1,250"):
        assert mina.post(f"{drafted}/variants", data=GRID | {"price": [wrong, "1"]}, headers=speaks).status_code == 422
    wrong = mina.post(f"{drafted}/terms", data=TERMS | {"creator_rate": "1,2.5"}, headers=speaks)
    assert (wrong.status_code, 'value="1,2.5"' in wrong.text) == (422, True)
    with app.test_request_context():
        assert db.session.scalar(db.select(Product.creator_rate)) == 1250
