"""Products by file, as pages: out, in, the report, and nothing of it for others."""

import re
from io import BytesIO

import pytest

from shop import catalogue_columns, jobs
from shop.database import db
from shop.models import Picture, Product, Role, User
from shop.routes import catalogue_words
from tests.cast import a_category, a_product, a_profile, a_seller, a_variant, both
from tests.conftest import HTMX


@pytest.fixture
def mina(app, signed_in_as):
    """Mina's browser; she sells a mug, and lars a lamp."""
    browsers = {name: signed_in_as(name, Role.SELLER) for name in ("mina", "lars")}
    with app.test_request_context(method="POST"):
        users = {user.name: user for user in db.session.scalars(db.select(User))}
        for name, code in (("Mina", "mug"), ("Lars", "lamp")):
            profile = a_profile(name.lower(), name, user_id=users[name].id)
            seller, small = a_seller(name.lower(), name, profile=profile), a_variant(f"{code}-s", "Small", 2450, 3)
            one = a_product(seller, code, code.title(), [small], category=a_category(code))
            one.pictures = [Picture(position=0, name="a.webp", width=9, height=9, alt=both("A thing"))]
            db.session.add(one)
        db.session.commit()
    return browsers["mina"]


def send(browser, text, htmx=False):
    file = (BytesIO(text.encode()), "products.csv")
    return browser.post("/seller/products/import", data={"file": file}, headers=HTMX if htmx else {})


def work(app):
    with app.app_context():
        jobs.run_due()


def price_of(app, code):
    with app.test_request_context():
        return db.session.scalars(db.select(Product).where(Product.code == code)).one().variants[0].price.minor


def test_a_file_goes_out_is_changed_and_comes_in_again(app, mina):
    out = mina.get("/seller/products/export.csv")
    assert out.headers["Content-Disposition"] == 'attachment; filename="etalage-products.csv"'
    assert out.mimetype == "text/csv"
    assert "lamp" not in out.text
    answer = send(mina, out.text.replace("24.50", "19.95"))
    address = answer.headers["Location"]
    assert answer.status_code == 303
    assert "We look what it would change." in mina.get(address).text
    work(app)
    page = mina.get(address).text
    assert "Carry out 1 line" in page
    assert "<b>Price (price)</b>" in page
    assert price_of(app, "mug") == 2450
    carried = mina.post(f"{address}/application")
    assert carried.headers["Location"] == address
    assert "Being carried out: 0 of 1 products" in mina.get(address).text
    work(app)
    assert "Done on" in mina.get(address).text
    assert price_of(app, "mug") == 1995
    report = mina.get(f"{address}/report.csv").text.splitlines()
    assert report[1] == "2,mug,mug-s,Changed,Price (price),"
    again = mina.post(f"{address}/application")
    assert (again.status_code, price_of(app, "mug")) == (409, 1995)


def test_with_htmx_the_page_is_left_for_the_report_and_polls_while_it_is_busy(app, mina):
    answer = send(mina, "product,sku,price\nmug,mug-s,-1\n", htmx=True)
    address = answer.headers["HX-Redirect"]
    assert 'hx-trigger="every 2s"' in mina.get(address, headers=HTMX).text
    work(app)
    part = mina.get(f"{address}?outcome=refused", headers=HTMX).text
    assert "every 2s" not in part
    assert "This is not a number with at most two decimals: -1." in part
    assert "This file changes nothing." in part
    assert price_of(app, "mug") == 2450


def test_a_form_without_a_file_says_so(mina):
    answer = mina.post("/seller/products/import", data={})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text


def test_nobody_sees_or_carries_out_the_file_of_another(app, mina, signed_in_as):
    address = send(mina, "product,sku,price\nmug,mug-s,1\n").headers["Location"]
    work(app)
    lars = signed_in_as("lars")
    for answer in (lars.get(address), lars.get(f"{address}/report.csv"), lars.post(f"{address}/application")):
        assert answer.status_code == 404
    assert price_of(app, "mug") == 2450


def test_the_page_asks_the_database_the_same_for_one_line_and_for_a_thousand(app, mina, queries):
    counted = []
    for lines in (1, 1000):
        text = "product,sku,price\n" + "".join(f"new{n},new{n},1\n" for n in range(lines))
        address = send(mina, text).headers["Location"]
        work(app)
        with queries() as asked:
            page = mina.get(address).text
        counted.append(len(asked))
    assert counted == [5, 5]
    assert page.count("report__line") == 100
    assert "after=101" in page


def test_each_column_is_explained_in_the_readers_language(mina):
    page = mina.get("/seller/products/import", headers={"Accept-Language": "nl"}).text
    assert "Prijs" in page
    names = {name for names in re.findall(r"<dt>.*?<code>(.*?)</code>", page) for name in names.split(", ")}
    assert names == {*catalogue_columns.ALL, "spec_…_nl", "spec_…_en"}
    with mina.application.test_request_context(headers={"Accept-Language": "nl"}):
        said = {name: catalogue_words.name_of(name) for name in (*catalogue_columns.ALL, "spec_material_nl")}
    assert [name for name, words in said.items() if words == name] == []
    assert said["spec_material_nl"] == "material (Nederlands)"
