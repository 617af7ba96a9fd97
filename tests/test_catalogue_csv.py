"""A seller's products as a file: what goes out comes in as the same, and 60 hostile files and cells change nothing."""

import gzip
import io
import zipfile
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import func, select

from shop import (
    catalogue_columns,
    catalogue_csv,
    catalogue_imports,
    catalogue_plan,
    delivery_tables,
    i18n,
    jobs,
    listings,
)
from shop.catalogue_columns import hundredths
from shop.database import db
from shop.delivery_tables import Stretch
from shop.errors import Refused
from shop.models import CatalogueImport, Picture, Product, Role, User, Variant
from shop.spreadsheets import tame, wild
from shop.words import Words
from tests.cast import a_category, a_product, a_profile, a_seller, a_variant, both

FORMULAS = ("=1+1", "+31 6", "-5%", "@home", "\tx", "\rx", "'=1", "''+1", "'hallo", "=cmd|' /C calc'!A0")


@pytest.fixture
def mina(app, at_the_desk, signed_in_as):
    """Mina sells a mug in two sizes; lars has a lamp."""
    for name in ("mina", "lars"):
        signed_in_as(name, Role.SELLER)
    users = {user.name: user for user in db.session.scalars(select(User))}
    shops = {
        name: a_seller(name.lower(), name, profile=a_profile(name.lower(), name, user_id=users[name].id))
        for name in ("Mina", "Lars")
    }
    kind = a_category("home", "Home")
    kind.specs = [{"key": key, "name": {"nl": key, "en": key}} for key in ("material", "size_cm")]
    sizes = [a_variant("mug-s", "Small", 2450, 3), a_variant("mug-l", "Large", 2900, 1, position=1)]
    for size, name in zip(sizes, ("S", "L"), strict=True):
        size.size, size.color = name, Words(nl="rood", en="red")
    mug = a_product(shops["Mina"], "mug", "Mug", sizes, category=kind)
    mug.specs = {"material": {"nl": "klei", "en": "clay"}, "size_cm": 12}
    mug.pictures = [Picture(position=0, name="a.webp", width=9, height=9, alt=both("A mug"))]
    lamp = a_product(shops["Lars"], "lamp", "Lamp", [a_variant("lamp-1", "Oak", 4995, 8)], category=kind)
    db.session.add_all([mug, lamp])
    db.session.flush()
    delivery_tables.lay(shops["Mina"], [Stretch("NL", 1, 2, 395, 5000, 2000)])
    db.session.commit()
    return SimpleNamespace(id=users["Mina"].id, roles=(Role.SELLER,), seller=shops["Mina"], mug=mug, lamp=lamp)


def exported(mina, language="en"):
    return "".join(catalogue_csv.exported(mina.seller.id, language)).encode()


def sent(mina, content):
    """Send a file and have it looked at."""
    made = catalogue_imports.send(mina, content, "products.csv")
    db.session.commit()
    jobs.run_due()
    db.session.expire_all()
    return made


def looked(mina, content):
    """What each line would come to; or why the file cannot be read."""
    made = sent(mina, content)
    return made.problem or outcomes(made)


def outcomes(made):
    return [(row.outcome, row.columns, row.why) for row in catalogue_imports.report(made.id)]


def done(mina, content):
    """Have it carried out too."""
    made = sent(mina, content)
    assert made.problem == ""
    catalogue_imports.carry_out(mina, made.code)
    db.session.commit()
    jobs.run_due()
    db.session.expire_all()
    assert (made.state, made.content) == ("done", b"")
    return outcomes(made)


def everything():
    """All products and variants of everybody, to see that nothing changed."""
    told = [db.session.execute(select(*table.__table__.c).order_by(table.id)).all() for table in (Product, Variant)]
    return repr(told)


def of(lines, *names):
    return ("\n".join([",".join(names), *lines]) + "\n").encode()


# Out and in again


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_was_exported_and_sent_back_changes_nothing(mina, language):
    mina.mug.description = Words(nl='=1+1; "quoted"\nline, two', en="'@home")
    mina.mug.title = Words(nl="-10% mok", en="+ mug ☕")
    db.session.commit()
    before = everything()
    file = exported(mina, language)
    assert done(mina, file) == [("unchanged", "", "")] * 2
    assert everything() == before
    assert exported(mina, language) == file


def test_drafts_without_a_price_and_copies_go_out_and_come_in_as_they_are(mina):
    begun = listings.draft(mina.seller, title=Words(nl="Kan"), category="home", by=mina)
    listings.duplicate(db.session.get_one(Product, mina.mug.id), by=mina)
    db.session.get_one(Product, mina.mug.id).variants[1].sku = "mug-s"  # one number at two sizes, as a form allows
    db.session.commit()
    before = everything()
    assert done(mina, exported(mina, "nl")) == [("unchanged", "", "")] * 5
    assert everything() == before
    file = exported(mina).replace(b",Kan,", b",Kruik,")
    assert [each for each in done(mina, file) if each[0] != "unchanged"] == [("changed", "title_nl", "")]
    db.session.refresh(begun)
    assert (begun.title["nl"], begun.variants) == ("Kruik", [])


def test_an_empty_cell_leaves_what_is_there(mina):
    before = everything()
    names = [
        name for name in (*catalogue_columns.ALL, "spec_material_nl") if name not in ("product", "sku", "title_en")
    ]
    empty = "," * (len(names) - 1)
    assert looked(mina, of([f"mug,mug-s,,{empty}"], "product", "sku", "title_en", *names)) == [("unchanged", "", "")]
    assert everything() == before
    assert done(mina, of([f"mug,mug-s,Cup,{empty}"], "product", "sku", "title_en", *names)) == [
        ("changed", "title_en", "")
    ]
    mug = db.session.get_one(Product, mina.mug.id)
    assert (mug.title, mug.handling_days, price("mug-s"), stock("mug-s")) == ({"nl": "Mug", "en": "Cup"}, 1, 2450, 3)


def test_a_later_line_may_say_what_the_first_leaves_empty(mina):
    file = of(["mug,mug-s,", "mug,mug-l,Cup"], "product", "sku", "title_en")
    assert done(mina, file) == [("unchanged", "", ""), ("changed", "title_en", "")]


def test_what_is_new_needs_a_price_and_two_lines_about_one_thing_are_refused(mina):
    assert looked(mina, of(["mug,mug-xl,XL"], "product", "sku", "size")) == [
        ("refused", "price", "A new size or colour needs a price.")
    ]
    names = ("product", "sku", "size", "color_nl", "color_en", "price")
    assert looked(mina, of(["mug,,S,rood,red,1", "mug,mug-s,S,rood,red,2"], *names))[1] == (
        *("refused", "sku", "Another line is about the same size and colour."),
    )


def test_no_cell_that_goes_out_is_a_formula(mina):
    mina.mug.title = Words(nl="=HYPERLINK(1)", en="@SUM(1)")
    db.session.commit()
    file = catalogue_csv.read(exported(mina))
    assert file.lines[0].cells["title_nl"] == "=HYPERLINK(1)"
    raw = exported(mina).decode()
    assert "'=HYPERLINK(1)" in raw
    assert ",=HYPERLINK" not in raw


@pytest.mark.parametrize("text", [*FORMULAS, "", "hallo", "' x"])
def test_an_apostrophe_goes_on_and_off_again(text):
    assert wild(tame(text)) == text
    assert tame(text)[:1] not in tuple("=+-@\t\r\n")


def test_only_one_s_own_products_go_out(mina):
    assert b"lamp" not in exported(mina)


@pytest.mark.parametrize(("start", "sign"), [(b"\xef\xbb\xbf", ";"), (b"", ","), (b"", "\t"), (b"sep=;\r\n", ";")])
def test_what_any_spreadsheet_saves_is_read(mina, start, sign):
    text = f'product{sign}sku{sign}price\r\nmug{sign}mug-s{sign}"25,50"\r\n'
    assert done(mina, start + text.encode()) == [("changed", "price", "")]
    assert price("mug-s") == 2550


@pytest.mark.parametrize(
    ("text", "minor"),
    [("12", 1200), ("12,5", 1250), ("12.50", 1250), ("1.234,56", 123456), ("1,234.56", 123456), ("€ 9,00", 900)],
)
def test_a_price_is_read_with_a_comma_or_a_point(text, minor):
    assert hundredths(text) == minor


# What a file does


def test_a_price_and_a_title_change_and_the_rest_stays(mina):
    file = of(["mug,mug-s,Big mug,19.95"], "product", "sku", "title_en", "price")
    assert done(mina, file) == [("changed", "title_en, price", "")]
    mug = db.session.get_one(Product, mina.mug.id)
    assert mug.title == {"nl": "Mug", "en": "Big mug"}
    assert (price("mug-s"), price("mug-l"), stock("mug-s")) == (1995, 2900, 3)


def test_a_product_is_changed_whole_or_not_at_all(mina):
    before = everything()
    file = of(["mug,mug-s,Big mug,19.95", "mug,mug-l,Big mug,-1"], "product", "sku", "title_en", "price")
    assert done(mina, file) == [
        ("refused", "", "Line 3 of the same product is refused."),
        ("refused", "price", "This is not a number with at most two decimals: -1."),
    ]
    assert everything() == before


def test_a_new_product_becomes_a_draft_and_the_same_file_again_changes_nothing(mina):
    names = ("product", "sku", "category", "title_nl", "size", "price", "stock", "spec_material_nl", "maker_name")
    file = of(['Kop 1,k1,home,Kop,S,"9,50",4,klei,Mina', "Kop 1,k2,home,Kop,L,12,0,klei,Mina"], *names)
    assert [outcome for outcome, *_rest in done(mina, file)] == ["created", "created"]
    cup = db.session.scalars(select(Product).where(Product.reference == "Kop 1")).one()
    assert (cup.status, cup.title, cup.seller_id, cup.maker["name"]) == ("draft", {"nl": "Kop"}, mina.seller.id, "Mina")
    assert [(v.sku, v.size, v.price.minor, v.stock) for v in cup.variants] == [
        ("k1", "S", 950, 4),
        ("k2", "L", 1200, 0),
    ]
    assert cup.specs == {"material": {"nl": "klei"}}
    before = everything()
    assert done(mina, file) == [("unchanged", "", "")] * 2
    assert everything() == before


def test_stock_is_counted_from_what_the_seller_saw(mina):
    names = ("product", "sku", "stock", "stock_was")
    assert done(mina, of(["mug,mug-s,10,3"], *names)) == [("changed", "stock", "")]
    assert stock("mug-s") == 10
    assert looked(mina, of(["mug,mug-s,11,3"], *names)) == [
        ("refused", "stock", "The stock has changed since: there are 10 now. Export again.")
    ]
    assert looked(mina, of(["mug,mug-s,3,3"], *names)) == [("unchanged", "", "")]


def test_what_is_sold_between_looking_and_carrying_out_is_not_counted_away(mina):
    made = sent(mina, of(["mug,mug-s,10"], "product", "sku", "stock"))
    assert outcomes(made) == [("changed", "stock", "")]
    db.session.execute(Variant.__table__.update().where(Variant.code == "mug-s").values(stock=2))
    catalogue_imports.carry_out(mina, made.code)
    db.session.commit()
    jobs.run_due()
    db.session.expire_all()
    assert outcomes(made) == [("refused", "stock", "The stock has changed since: there are 2 now. Export again.")]
    assert stock("mug-s") == 2


def price(code):
    return db.session.scalars(select(Variant).where(Variant.code == code)).one().price.minor


def stock(code):
    return db.session.scalar(select(Variant.stock).where(Variant.code == code))


def test_a_live_product_that_would_become_forbidden_is_refused_and_stays(mina):
    before = everything()
    ((outcome, _column, why),) = done(mina, of(["mug,mug-s,Pistol"], "product", "sku", "title_en"))
    assert (outcome, why) == ("refused", "Weapons are not for sale here: “pistol”.")
    assert everything() == before


def test_nothing_of_another_seller_is_touched(mina):
    before = db.session.execute(select(*Product.__table__.c).where(Product.code == "lamp")).all()
    result = done(mina, of(["lamp,lamp-1,home,Mine now,1.00"], "product", "sku", "category", "title_en", "price"))
    assert [outcome for outcome, *_rest in result] == ["created"]
    assert db.session.execute(select(*Product.__table__.c).where(Product.code == "lamp")).all() == before
    assert db.session.scalar(select(func.count()).where(Product.seller_id == mina.lamp.seller_id)) == 1


def test_a_file_is_carried_out_once_and_only_after_its_seller_said_so(mina):
    made = sent(mina, of(["mug,mug-s,19.95"], "product", "sku", "price"))
    assert (made.state, db.session.get(Variant, mina.mug.variants[0].id).price.minor) == ("ready", 2450)
    catalogue_imports.carry_out(mina, made.code)
    with pytest.raises(Refused):
        catalogue_imports.carry_out(mina, made.code)
    with pytest.raises(Refused, match="still being worked on"):
        catalogue_imports.send(mina, b"x", "x.csv")
    lars = SimpleNamespace(id=mina.lamp.seller.profile.user_id, roles=(Role.SELLER,))
    with pytest.raises(Refused):
        catalogue_imports.carry_out(lars, made.code)


def test_many_products_are_carried_out_piece_by_piece(mina, monkeypatch):
    monkeypatch.setattr(catalogue_imports, "AT_ONCE", 2)
    lines = [f"p{n},s{n},home,Cup {n},{n + 1}" for n in range(5)]
    made = sent(mina, of(lines, "product", "sku", "category", "title_en", "price"))
    catalogue_imports.carry_out(mina, made.code)
    db.session.commit()
    at_each = []
    while jobs.run_due(most=1, lane="long"):
        db.session.expire_all()
        at_each.append((made.done, db.session.scalar(select(func.count(Product.id)).where(Product.reference != ""))))
    assert at_each == [(2, 2), (4, 4), (5, 5)]


# Files that cannot be


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("products.csv", b"0" * 50_000_000)
    return out.getvalue()


HEAD = b"product,sku,title_en,price\n"
FILES = {
    "empty": (b"", "first line has to name"),
    "a mark alone": (b"\xef\xbb\xbf", "first line has to name"),
    "names and nothing else": (HEAD, "nothing in this file"),
    "empty lines": (HEAD + b"\n,,,\n\n", "nothing in this file"),
    "no names": (b"a,b,c\n1,2,3\n", "first line has to name"),
    "a name twice": (b"product,sku,price,price\na,b,1,2\n", "there twice: price"),
    "a zip bomb that is called CSV": (zipped(), "packed file"),
    "a packed file": (gzip.compress(HEAD), "packed file"),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1", "spreadsheet"),
    "UTF-16": (HEAD.decode().encode("utf-16"), "no CSV in UTF-8"),
    "Latin 1": (HEAD + "mug,mug-s,Café,1\n".encode("latin-1"), "no CSV in UTF-8"),
    "NUL": (HEAD + b"mug,mug-s,M\0ug,1\n", "no CSV in UTF-8"),
    "a JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), "no CSV in UTF-8"),
    "a quotation mark that never ends": (HEAD + b'mug,mug-s,"Mug,1\n' * 3, "cannot be read"),
    "a cell of 200,000 signs": (HEAD + b"mug,mug-s," + b"x" * 200_000 + b",1\n", "cannot be read"),
    "10,001 lines": (HEAD + b"mug,mug-s,Mug,1\n" * 10_001, "more than 10,000 lines"),
    "HTML": (b"<html><script>alert(1)</script>", "first line has to name"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_is_refused_with_the_reason(name):
    content, words = FILES[name]
    app = Flask(__name__)
    i18n.init_app(app)
    with app.test_request_context(), pytest.raises(Refused, match=words) as no:
        catalogue_csv.read(content)
    assert no.value.status == 422


def test_what_cannot_be_read_is_told_and_forgotten_and_changes_nothing(mina):
    before = everything()
    made = sent(mina, zipped())
    assert (made.state, made.content) == ("failed", b"")
    assert made.problem == "This is a spreadsheet or a packed file. Save it as CSV UTF-8 first."
    with pytest.raises(Refused):
        catalogue_imports.carry_out(mina, made.code)
    assert everything() == before


def test_more_than_five_megabytes_is_not_even_kept(mina):
    with pytest.raises(Refused) as no:
        catalogue_imports.send(mina, bytes(catalogue_csv.LARGEST + 1), "large.csv")
    assert no.value.status == 413
    assert db.session.scalar(select(func.count(CatalogueImport.id))) == 0


@pytest.mark.parametrize("names", [["x"] * 501, [f"x{n}" for n in range(500_000)]])
def test_a_file_of_nothing_but_columns_is_refused_at_once(mina, names):
    with pytest.raises(Refused, match="more than 500 columns") as no:
        catalogue_csv.read(of(["1"], "product", *names))
    assert no.value.status == 422


def test_a_long_file_keeps_its_worker_while_it_is_looked_at(mina, monkeypatch):
    beats, beat = [], jobs.beat
    monkeypatch.setattr(jobs, "beat", lambda: (beats.append(1), beat()))
    made = sent(mina, of([f"p{n},k{n}" for n in range(250)], "product", "sku"))
    assert (made.state, made.total, len(outcomes(made)), len(beats)) == ("ready", 250, 100, 3)


def test_a_newer_file_ends_the_one_that_waits_and_two_are_never_carried_out_at_once(mina):
    file = of(["mug,mug-s,19.95"], "product", "sku", "price")
    old, new = sent(mina, file), sent(mina, file)
    assert (old.state, old.content, old.problem) == ("failed", b"", "You sent a newer file.")
    assert old.ended_at is not None
    assert (new.state, new.content) == ("ready", file)
    with pytest.raises(Refused, match="nothing to do"):
        catalogue_imports.carry_out(mina, old.code)
    old.state = "applying"
    db.session.commit()
    with pytest.raises(Refused, match="still being worked on") as no:
        catalogue_imports.carry_out(mina, new.code)
    db.session.rollback()
    db.session.expire_all()
    assert (no.value.status, new.state, price("mug-s")) == (409, "ready", 2450)


def test_a_full_shop_gets_no_more_products_by_a_file_either(mina, monkeypatch):
    monkeypatch.setattr(listings, "MOST", 1)
    file = of(["Kop,k1,home,Kop,9"], "product", "sku", "category", "title_nl", "price")
    assert done(mina, file) == [("refused", "", "A shop has at most 20,000 products.")]
    assert db.session.scalar(select(func.count()).where(Product.seller_id == mina.seller.id)) == 1


# column, cell, and the column that is refused; the product is mina's mug.
CELLS = [
    ("price", "-1", "price"), ("price", "0", "price"), ("price", "0,00", "price"), ("price", "1e9", "price"),
    ("price", "NaN", "price"), ("price", "Infinity", "price"), ("price", "100000,01", "price"),
    ("price", "9999999999999", "price"), ("price", "12.345.6", "price"), ("price", "12 50", "price"),
    ("price", "=1+1", "price"), ("price", "0x10", "price"), ("price", "\uff11\uff12", "price"),
    ("price", "12,345,678.123", "price"), ("stock", "-1", "stock"), ("stock", "1.5", "stock"),
    ("stock", "1e3", "stock"), ("stock", "1000001", "stock"), ("stock", "9999999999", "stock"),
    ("stock", "NaN", "stock"), ("stock", "many", "stock"), ("title_en", "x" * 121, "title_en"),
    ("title_en", "Bell\x07", "title_en"), ("title_en", "Esc\x1b[2J", "title_en"),
    ("description_en", "x" * 5001, "description_en"), ("guarantee_en", "x" * 501, "guarantee_en"),
    ("guarantee_nl", "Wettelijke garantie", "guarantee_nl"),
    ("warnings_en", "x" * 1001, "warnings_en"), ("category", "weapons", "category"),
    ("vat_rate", "20", "vat_rate"), ("vat_rate", "-21", "vat_rate"), ("vat_rate", "NaN", "vat_rate"),
    ("weight_grams", "0", "weight_grams"), ("weight_grams", "1000001", "weight_grams"),
    ("weight_grams", "1,5", "weight_grams"), ("handling_days", "61", "handling_days"),
    ("handling_days", "-1", "handling_days"),
    ("commission", "51", "commission"), ("ships_from_country", "Nederland", "ships_from_country"),
    ("stock_kind", "borrowed", "stock_kind"), ("maker_email", "nobody", "maker_email"),
    ("maker_country", "N1", "maker_country"), ("maker_name", "x" * 121, "maker_name"),
    ("spec_material_en", "x" * 201, "spec_material_en"), ("size", "x" * 31, "size"), ("size", "L", "size"),
    ("color_en", "x" * 41, "color_en"), ("stock_was", "1e9", "stock_was"),
]  # fmt: skip


def test_each_cell_that_cannot_be_refuses_its_product_and_names_the_column(mina):
    named, skus = catalogue_csv.index_of(mina.seller.id)
    shelf = catalogue_plan.Shelf(named, skus, frozenset(("home",)), "NL", "individual")
    came_to = []
    for name, cell, _column in CELLS:
        more = {"stock": "9"} if name == "stock_was" else {}
        line = catalogue_csv.Line(2, {"product": "mug", "sku": "mug-s", name: cell, **more})
        (plan,) = catalogue_plan.plans([[line]], shelf, frozenset())
        came_to.append((name, cell, plan.results[0].columns if plan.results[0].why else "", plan.is_refused))
    assert came_to == [(*each, True) for each in CELLS]


def test_a_file_with_one_bad_cell_changes_nothing_of_its_product(mina):
    before = everything()
    file = of(["mug,mug-s,Bell\x07,19.95"], "product", "sku", "title_en", "price")
    assert done(mina, file) == [("refused", "title_en", "There is a sign in it that nobody can have typed.")]
    assert everything() == before


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["mug,mug-s,1", "mug,mug-s,2"], "This SKU is there more than once: mug-s."),
        (["cup,mug-s,1"], "Another product of yours has this SKU: mug-s."),
        ([",,5"], "Say which product this is, or give a SKU."),
        ([f"{'x' * 61},s,1"], "This is too long: use at most 60 characters."),
        (["mug,mug-s,1,extra"], "This line has more cells than the first one, or one too long."),
        (["new,n1,1"], "A new product needs this."),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_the_reason(mina, lines, why):
    before = everything()
    assert why in [told for _outcome, _column, told in done(mina, of(lines, "product", "sku", "price"))]
    assert everything() == before


def test_columns_that_nobody_knows_are_left_alone(mina):
    file = of(["mug,mug-s,1,<script>"], "product", "sku", "id", "seller_id")
    assert catalogue_csv.read(file).unknown == ["id", "seller_id"]
    assert looked(mina, file) == [("unchanged", "", "")]


def test_the_template_has_the_columns_of_its_category(mina):
    names = catalogue_csv.template("home", "nl").lstrip("\ufeff").strip().split(";")
    assert names[:2] == ["product", "sku"]
    assert names[-2:] == ["spec_size_cm_en", "spec_size_cm_nl"]
    assert "status" not in names


def test_the_state_of_a_product_is_told_and_never_changed_by_a_file(mina):
    assert looked(mina, of(["mug,mug-s,draft"], "product", "sku", "status")) == [("unchanged", "", "")]
    assert {"status"} == set(catalogue_columns.READ_ONLY)


def test_a_grid_keeps_the_sizes_that_are_not_in_the_file(mina):
    done(mina, of(["mug,mug-xl,XL,35,2"], "product", "sku", "size", "price", "stock"))
    mug = db.session.get_one(Product, mina.mug.id)
    offered = [(v.sku, v.price.minor, v.stock) for v in listings.offered(mug)]
    assert offered == [("mug-s", 2450, 3), ("mug-l", 2900, 1), ("mug-xl", 3500, 2)]
