"""Whom a decision about somebody else concerns: buyers of what is unsafe, creators who show a stopped shop's goods."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from shop import bystanders, clock, listing_cases, sanctions
from shop.database import db
from shop.models import Clip, Job, Order, Product, Purchase, Role, Seller, SentMail, Tag
from shop.words import Words
from tests.applicants import a_person
from tests.bookkeeping import bought
from tests.cast import a_clip, a_product, a_profile, a_variant

OWN = Words(en="A child swallowed the handle.", nl="Een kind slikte het oor in.")


@pytest.fixture
def rex(at_the_desk):
    person = a_person("rex", Role.MODERATOR)
    db.session.commit()
    return person


def sold(variant, email, *, days=0, language="en", **order):
    """This mailbox bought one, so many days ago."""
    with clock.at(clock.now() - timedelta(days=days)):
        purchase, made = bought({variant: 1})
    db.session.execute(update(Purchase).where(Purchase.id == purchase).values(email=email, language=language))
    if order:
        db.session.execute(update(Order).where(Order.id == made).values(**order))
    db.session.commit()


def told(letters, about):
    """The mails with one of these words in their subject, by whom they are to."""
    return {letter["To"]: letter for letter in letters() if about in letter["Subject"]}


def stocked(*variants):
    from shop.models import Variant

    db.session.execute(update(Variant).values(stock=50))
    db.session.commit()
    return variants


def down(code, rex, reason="unsafe"):
    product = db.session.scalar(select(Product).where(Product.code == code))
    case = listing_cases.take_down(product, by=rex, reason=reason, words=OWN)
    db.session.commit()
    return case.code


def test_who_bought_an_unsafe_thing_within_six_months_is_told_once_and_nobody_else(mug, lamp, rex, letters):
    seller = db.session.scalar(select(Seller).where(Seller.id == db.session.get(Product, mug.id).seller_id))
    plate = a_product(seller, "plate", "Plate", [a_variant("plate-1", "One", 900, stock=9)])
    db.session.add(plate)
    db.session.flush()
    stocked()
    sold(mug.small, "noor@example.com", days=30)
    sold(mug.large, "Noor@example.com", days=3, language="nl")
    sold(mug.small, "olga@example.com", days=182)
    sold(mug.small, "too.early@example.com", days=184)
    sold(mug.small, "cancelled@example.com", status="cancelled")
    sold(lamp.oak, "of.lars@example.com")
    sold(plate.variants[0].id, "of.mina@example.com")
    letters()
    case = down("mug", rex)
    first = {letter["To"]: letter for letter in letters()}
    assert sorted(first) == ["Noor@example.com", "olga@example.com"]
    english, dutch = (first[to].get_body(("plain",)).get_content() for to in ("olga@example.com", "Noor@example.com"))
    assert first["olga@example.com"]["Subject"] == "Do not use it any more: Mug <b>"
    assert "You bought “Mug <b>” from Atelier Mina. We have taken it down: it may not be sold." in english
    assert ("This may not be safe." in english, "Stop using it" in english, "/orders/" in english) == (True, True, True)
    assert ("Dit is mogelijk niet veilig." in dutch, "swallowed" in english, "slikte" in dutch) == (True, False, False)
    bystanders.warn_buyers(case)
    db.session.commit()
    assert letters() == []
    assert len(db.session.scalars(select(SentMail.about).where(SentMail.kind == "unsafe_goods")).all()) == 2


@pytest.mark.parametrize(("reason", "is_told"), [("forbidden", True), ("counterfeit", True), ("misleading", False)])
def test_only_what_is_unsafe_or_against_the_law_is_the_buyers_business(mug, rex, letters, reason, is_told):
    sold(mug.small, "noor@example.com")
    letters()
    down("mug", rex, reason)
    found = {letter["To"]: letter["Subject"] for letter in letters()}
    assert found == ({"noor@example.com": "About something you bought: Mug <b>"} if is_told else {})


def test_a_take_down_that_is_not_kept_tells_nobody(mug, rex, letters):
    sold(mug.small, "noor@example.com")
    letters()
    listing_cases.take_down(db.session.get(Product, mug.id), by=rex, reason="unsafe", words=OWN)
    db.session.rollback()
    assert letters() == []


# Creators


@pytest.fixture
def kai(mug, rex):
    """Kai shows Mina's mug in two clips that are live and one that is not, and Lars's own clip shows it, too."""
    product = db.session.get(Product, mug.id)
    films = a_profile("kai", "Kai", user_id=a_person("kai", Role.CREATOR).id)
    other = a_profile("lou", "Lou", user_id=a_person("lou", Role.CREATOR).id)
    product.seller.profile.user_id = a_person("mina", Role.SELLER).id
    db.session.add_all(
        (
            a_clip(films, "one", product),
            a_clip(films, "two", product),
            a_clip(films, "draft", product, published_at=None),
            a_clip(other, "else"),
            a_clip(product.seller.profile, "own", product),
        )
    )
    db.session.commit()
    return product.seller


def stop(seller, rex):
    sanctions.suspend(seller, by=rex, reason="not_sent", words=Words(en="Forty orders wait since May."))
    db.session.commit()


def test_creators_with_live_tags_are_told_once_which_clips_rest_and_never_why(kai, rex, letters):
    stop(kai, rex)
    found = {letter["To"]: letter for letter in letters()}
    assert sorted(found) == ["kai@example.com", "mina@example.com"]  # Mina has her statement
    assert found["kai@example.com"]["Subject"] == "Atelier Mina does not sell at the moment"
    words = found["kai@example.com"].get_body(("plain",)).get_content()
    assert [code in words for code in ("/v/one", "/v/two", "/v/draft", "/v/own", "/v/else")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert "Forty orders" not in words
    since = db.session.scalars(select(Job.arguments).where(Job.handler.contains("tell_creators_now"))).one()
    bystanders.tell_creators_now(**since)
    db.session.commit()
    assert letters() == []


def test_who_is_stopped_again_is_told_about_again_and_who_sells_on_by_then_is_not(kai, rex, letters, pass_time):
    olga = a_person("olga", Role.MODERATOR)
    stop(kai, rex)
    sanctions.lift(kai, by=olga, words=Words(en="All of them have been sent."))
    db.session.commit()
    assert "kai@example.com" not in {letter["To"] for letter in letters()}
    pass_time(days=1)
    stop(kai, rex)
    assert "kai@example.com" in {letter["To"] for letter in letters()}


@pytest.mark.parametrize("how", ["the tag is gone", "the product is paused", "the creator has left"])
def test_who_shows_nothing_of_theirs_is_told_nothing(kai, rex, letters, how):
    if how == "the tag is gone":
        db.session.execute(delete(Tag))
    elif how == "the product is paused":
        db.session.execute(update(Product).values(status="paused"))
    else:
        db.session.scalar(select(Clip).where(Clip.code == "one")).profile.user.is_active = False
    db.session.commit()
    stop(kai, rex)
    assert {letter["To"] for letter in letters()} == {"mina@example.com"}
