"""The demo shop."""

import dataclasses
import hashlib
import json

import pytest
from PIL import Image
from sqlalchemy import func, select

from shop import (
    checklist,
    credentials,
    delivery_tables,
    demo,
    evidence,
    jobs,
    listing_facts,
    look_ups,
    marks,
    papers,
    proofs,
    purchases,
)
from shop.database import db
from shop.demo import catalogue
from shop.errors import Refused
from shop.gateways import storage_disk
from shop.models import (
    Address,
    Base,
    CaptionTrack,
    Clip,
    DeliveryRate,
    Event,
    Job,
    Picture,
    PriceChange,
    Product,
    Profile,
    Purchase,
    Refund,
    Rendition,
    RoleGrant,
    Seller,
    Statement,
    Tag,
    User,
    Variant,
)
from shop.words import Words
from tests.cast import a_purchase

SIZES = (Picture.name_216, Picture.name_360, Picture.name_640)


@pytest.fixture
def shop(at_the_desk):
    """The demo in the shop of this test."""
    demo.load()
    db.session.commit()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def loaded(request, open_shop):
    """The demo in a shop of its own, loaded once."""
    app = open_shop("" if request.param == "sqlite" else request.getfixturevalue("another_postgres_url"))
    with app.test_request_context(method="POST"):
        demo.load()
        db.session.commit()
    return app


@pytest.fixture
def looked_at(loaded):
    """The demo, for tests that only look: nothing that they do stays."""
    with loaded.test_request_context(method="POST"):
        yield
        db.session.rollback()


def fingerprints():
    """Each table, as the hash of its rows."""
    return {
        table.name: hashlib.sha256(
            repr(sorted(map(repr, db.session.execute(select(table)).all()))).encode()
        ).hexdigest()
        for table in Base.metadata.sorted_tables
    }


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def seller(handle):
    return db.session.scalar(select(Seller).join(Profile).where(Profile.handle == handle))


def product(slug):
    return db.session.scalar(select(Product).where(Product.code == catalogue.code("product", slug)))


def test_everything_in_the_catalogue_is_in_the_shop(shop):
    asked = catalogue.read()
    variants = sum(len(entry["variants"]) for entry in asked["products"])
    assert count(Product) == 30
    assert count(Variant) == variants
    assert count(Picture) == sum(len(entry["pictures"]) for entry in asked["products"])
    assert count(DeliveryRate) == 60
    assert (count(Clip), count(Rendition), count(CaptionTrack)) == (14, 14, 28)
    assert count(Tag) == sum(len(entry["tags"]) for entry in asked["clips"])
    reduced = [len(entry["variants"]) for entry in asked["products"] if entry["before"]]
    assert (len(reduced), count(PriceChange)) == (3, variants + sum(reduced))
    assert count(Job) == 0  # nobody is mailed about people who do not exist


def test_loading_again_changes_nothing(shop):
    before = fingerprints()
    demo.load()
    db.session.commit()
    assert fingerprints() == before


def test_loading_again_takes_nobodys_changes_back(shop):
    mug = product("teapot")
    mug.title, mug.variants[0].stock = Words(en="My own teapot"), 1
    db.session.commit()
    demo.load()
    db.session.commit()
    db.session.expire_all()
    assert (product("teapot").title, product("teapot").variants[0].stock) == ({"en": "My own teapot"}, 1)


def test_every_clip_says_what_the_catalogue_says_about_who_earns(looked_at):
    for entry in catalogue.read()["clips"]:
        clip = db.session.scalar(select(Clip).where(Clip.code == catalogue.code("clip", entry["slug"])))
        assert clip.disclosure == entry["disclosure"]
        assert clip.published_at is not None
        assert [(tag.start_ms, tag.end_ms) for tag in clip.tags] == [
            (tag["start"] * 1000, tag["end"] * 1000) for tag in entry["tags"]
        ]


def test_every_file_that_is_named_is_in_the_storage(looked_at):
    for column in (*SIZES, Profile.avatar, Picture.name, Rendition.name, CaptionTrack.name, Clip.poster):
        names = db.session.scalars(select(column)).all()
        assert names
        assert all(storage_disk.path_of(name).stat().st_size for name in names)


def test_every_picture_is_there_in_the_sizes_that_pages_ask_for(looked_at):
    shown = db.session.execute(select(Picture.width, Picture.name_216, Picture.name_360, Picture.name_640)).first()
    sizes = [Image.open(storage_disk.path_of(name)).size for name in shown[1:]]
    assert (shown[0], sizes) == (900, [(216, 216), (360, 360), (640, 640)])
    assert db.session.scalar(select(func.count(Picture.id)).where(Picture.name_216.is_(None))) == 0


def test_the_sellers_story_is_told_as_if_they_had_applied(looked_at):
    told = [
        (event.became, event.note.partition("\n")[0], event.user_id)
        for handle in ("kira.keramiek", "flitsdeals", "wolkstap")
        for event in db.session.scalars(
            select(Event).where(Event.subject == "seller", Event.subject_id == seller(handle).id).order_by(Event.id)
        )
    ]
    rex = db.session.scalar(select(User.id).where(User.email == "rex@example.com"))
    assert [became for became, _note, _by in told] == ["waiting", "waiting", "refused", "waiting", "approved"]
    assert [by == rex for _became, _note, by in told] == [False, False, True, False, True]
    about = select(Statement.verdict, Statement.decided_by_id).where(Statement.seller_id == seller("flitsdeals").id)
    assert db.session.execute(about).all() == [("refused", rex)]
    assert (seller("wolkstap").decided_at - seller("wolkstap").applied_at).days == 2


def test_everybody_in_the_cast_can_sign_in_and_has_the_role_that_was_told(looked_at):
    for account in demo.ACCOUNTS:
        opened = credentials.sign_in(account.email, demo.PASSWORD)
        is_staff = account.role in ("moderator", "admin")
        assert isinstance(opened, credentials.Half) is is_staff  # a code is asked of them as well; the page shows it
        user_id = opened.user_id if isinstance(opened, credentials.Half) else opened.id
        assert bool(proofs.demo_code(user_id)) is is_staff
        roles = db.session.scalars(select(RoleGrant.role).where(RoleGrant.user_id == user_id).order_by(RoleGrant.role))
        assert tuple(roles) == account.grants
        handle = db.session.scalar(select(Profile.handle).where(Profile.user_id == user_id))
        assert handle == account.handle


def test_everybody_in_the_demo_is_written_to_in_dutch(looked_at):
    assert set(db.session.scalars(select(User.language))) == {"nl"}


def test_what_somebody_else_shows_earns_them_something_and_nothing_else_does(looked_at):
    cross = (
        select(Tag.product_id)
        .join(Clip, Clip.id == Tag.clip_id)
        .join(Product, Product.id == Tag.product_id)
        .join(Seller, Seller.id == Product.seller_id)
        .where(Seller.profile_id != Clip.profile_id)
    )
    shown = set(db.session.scalars(cross))
    assert len(shown) == 12
    rates = dict(db.session.execute(select(Product.id, Product.creator_rate)).all())
    assert rates == {each: 1000 if each in shown else 0 for each in rates}


def test_noor_has_a_saved_address(looked_at):
    saved = db.session.scalar(select(Address).join(User).where(User.email == "noor@example.com"))
    assert (saved.street, saved.house_number, saved.postcode, saved.city) == ("Oudegracht", "145", "3511 AJ", "Utrecht")


def test_kira_waits_and_flitsdeals_was_refused_with_a_reason(looked_at):
    kira, flits, huis = seller("kira.keramiek"), seller("flitsdeals"), seller("huis.van.smaak")
    assert (kira.vetting, kira.decided_at, kira.vetting_note) == ("waiting", None, {})
    assert flits.vetting == "refused"
    assert flits.vetting_note.said("nl").startswith("Het opgegeven KVK-nummer hoort bij een ander bedrijf")
    assert (huis.vetting, huis.company_register, huis.company_number) == ("approved", "KBO", "0123456749")
    assert product("vase").status == "draft"


def test_approved_shops_have_every_item_accepted_with_its_paper_account_and_register(looked_at):
    """Nothing is missing that the shop would have asked for, and the register and the bank say that it fits."""
    for entry in catalogue.read()["accounts"]:
        if entry["vetting"]["state"] == "approved":
            one = seller(entry["handle"])
            assert {step.state for step in checklist.of(one)} == {"accepted"}, entry["handle"]
            here = {paper.kind: paper.keep_until for paper in papers.of(one.id)}
            assert here == dict.fromkeys(checklist.papers_of(one.kind, one.country)), entry["handle"]
            said = {str(kind): answer.result for kind, answer in look_ups.latest(one).items()}
            assert set(said.values()) == {"match"}, (entry["handle"], said)
            assert {each.country for each in delivery_tables.of(one.id)} == {"NL", "BE"}
            assert not marks.twins(one)


def test_one_applicant_shares_something_with_a_refused_shop_and_nobody_else_does(shop):
    demo.trade()
    alike = {one.profile.handle: evidence.of(one).twins for one in db.session.scalars(select(Seller))}
    assert {handle: [twin.handle for twin in twins] for handle, twins in alike.items() if twins} == {
        "knaldeals": ["flitsdeals"],
        "flitsdeals": ["knaldeals"],
    }
    assert set(alike["knaldeals"][0].same) == {"iban", "phone", "address"}


def test_a_private_person_of_the_demo_promises_only_what_is_her_own(looked_at):
    scarf = product("scarf")
    assert scarf.guarantee.said("nl").startswith("Laat een steek los?")
    assert listing_facts.own_promise(scarf.guarantee, scarf.seller.kind) == scarf.guarantee


def test_what_comes_from_tiel_takes_a_day_longer_to_belgium(looked_at):
    belgium, netherlands = product("wolk-sneaker").delivery
    assert (belgium.country, netherlands.country) == ("BE", "NL")
    assert (netherlands.min_days, netherlands.max_days, netherlands.cost.minor) == (1, 2, 395)
    assert (belgium.min_days, belgium.max_days, belgium.cost.minor) == (2, 3, 595)


def test_the_price_before_the_reduction_is_in_the_books(looked_at):
    history = db.session.scalars(
        select(PriceChange)
        .where(PriceChange.variant_id == product("headphones").variants[0].id)
        .order_by(PriceChange.at)
    ).all()
    assert [change.price.minor for change in history] == [7995, 6995]
    assert (history[1].at - history[0].at).days > 30
    assert product("headphones").variants[0].price.minor == 6995


def test_production_has_no_demo(at_the_desk):
    with pytest.raises(Refused, match="never loaded in production"):
        demo.load("production")
    assert count(User) == 0


def test_the_command_tells_who_one_may_be(app):
    said = app.test_cli_runner().invoke(args=["demo"])
    assert said.exit_code == 0
    assert "mina@example.com     seller" in said.output
    assert said.output.endswith("The password of each is: etalage-demo\n")


def test_the_command_refuses_in_production(app, monkeypatch):
    production = dataclasses.replace(app.extensions["shop.settings"], env="production")
    monkeypatch.setitem(app.extensions, "shop.settings", production)
    said = app.test_cli_runner().invoke(args=["demo"])
    assert said.exit_code == 1
    assert "never loaded in production" in said.output


def test_no_two_things_share_a_code():
    asked = catalogue.read()
    kinds = {
        "product": [entry["slug"] for entry in asked["products"]],
        "variant": [variant["sku"] for entry in asked["products"] for variant in entry["variants"]],
        "clip": [entry["slug"] for entry in asked["clips"]],
    }
    for kind, slugs in kinds.items():
        assert len({catalogue.code(kind, slug) for slug in slugs}) == len(slugs)


def test_the_catalogue_keeps_its_own_rules():
    asked = catalogue.read()
    live = {entry["slug"] for entry in asked["products"] if entry["status"] == "live"}
    approved = {entry["handle"] for entry in asked["accounts"] if entry["vetting"]["state"] == "approved"}
    assert {entry["seller"] for entry in asked["products"] if entry["slug"] in live} <= approved
    assert {tag["product"] for clip in asked["clips"] for tag in clip["tags"]} <= live
    assert all((catalogue.FOLDER / clip[file]).is_file() for clip in asked["clips"] for file in ("video", "poster"))
    assert json.loads((catalogue.FOLDER / "catalogue.schema.json").read_text())["title"] == "Demo catalogue"


def test_its_sales_write_to_nobody_and_leave_the_letters_of_others_alone(shop, mug):
    others = a_purchase({mug.small: 1})
    jobs.later(purchases.confirm, purchase=others.id)
    db.session.commit()
    demo.trade()
    assert db.session.scalar(select(func.count(Purchase.id))) == 5
    assert sorted(db.session.scalars(select(Refund.state))) == ["done", "done"]
    assert jobs.waiting(purchases.confirm) == [{"purchase": others.id}]
    assert jobs.waiting(purchases.tell_of_refund) == []
