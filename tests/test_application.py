"""Applying to sell, by the rules: what is asked of whom, step by step, until it is sent in, fixed or forgotten."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from werkzeug.exceptions import TooManyRequests

from shop import accounts, application, checklist, clock, contact_mail, forgetting, sellers, verdicts
from shop.checklist import Item, State
from shop.countries import ORIGINS
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import (
    BankAccount,
    Event,
    ItemState,
    Job,
    Paper,
    Profile,
    Role,
    Seller,
    SellerMark,
    Vetting,
)
from shop.words import Words
from tests.applying import PERSON, tell, tell_all

pytestmark = pytest.mark.usefixtures("at_the_desk")


def somebody(name="mina", *roles):
    user = accounts.register(f"{name}@example.com", name.title(), "hash")
    for role in roles:
        accounts.grant(user, role)
    return accounts.as_actor(user)


@pytest.fixture
def mina(app):
    return somebody()


@pytest.fixture
def rex(app):
    return somebody("rex", Role.MODERATOR)


def begin(person, kind="individual", country="NL", handle=None):
    name = handle or person.name.lower()
    return application.begin(person, kind=kind, country=country, handle=name, shop_name=f"Atelier {person.name}")


def refused(status, rule, *given, **more):
    with pytest.raises((Refused, NotFound)) as no, db.session.begin_nested():
        rule(*given, **more)
    assert no.value.status == status


def states(person):
    return {step.item: step.state for step in checklist.of(sellers.of(person))}


@pytest.mark.parametrize(
    ("kind", "country", "steps", "minutes"),
    [
        ("individual", "NL", 7, 9),
        ("individual", "US", 8, 10),
        ("business", "NL", 9, 11),
        ("business", "DE", 10, 12),
        ("business", "TR", 11, 13),
        ("brand", "FR", 11, 13),
        ("brand", "CN", 12, 14),
    ],
)
def test_each_kind_from_each_country_is_asked_until_nothing_is_missing_and_then_it_waits(
    mina, kind, country, steps, minutes
):
    seller = begin(mina, kind, country)
    asked = checklist.asked_of(kind, country)
    assert (len(asked), application.minutes(asked)) == (steps, minutes)
    for n, item in enumerate(asked):
        assert application.next_step(checklist.of(seller)) == item
        refused(422, application.submit, mina)
        tell(mina, item)
        assert sum(state == State.GIVEN for state in states(mina).values()) == n + 1
    assert application.submit(mina).vetting == Vetting.WAITING
    assert db.session.scalars(select(Event.became)).all() == ["waiting"]
    assert db.session.scalar(select(func.count(SellerMark.id))) >= 3


def test_one_may_sell_from_all_of_the_union_and_from_some_places_outside_it():
    assert len(ORIGINS) == len(set(ORIGINS)) == 33
    assert ORIGINS[:4] == ("NL", "BE", "DE", "FR")


@pytest.mark.parametrize(("kind", "country"), [("admin", "NL"), ("individual", "KP"), ("", "")])
def test_another_kind_or_country_than_those_begins_nothing(mina, kind, country):
    refused(422, begin, mina, kind, country)
    assert db.session.scalar(select(func.count(Seller.id))) == 0


def test_one_begins_once(mina):
    begin(mina)
    refused(409, begin, mina, handle="mina2")
    refused(422, begin, somebody("olga"), handle="mina")
    assert db.session.scalars(select(Profile.handle)).all() == ["mina"]


def test_another_kind_is_asked_other_things_and_nothing_that_was_told_is_lost(mina):
    begin(mina)
    tell_all(mina)
    application.change_kind(mina, kind="business", country="DE")
    gone = {Item.REGISTER, Item.VAT, Item.REPRESENTATIVE, Item.PACKAGING}
    assert {item for item, state in states(mina).items() if state == State.MISSING} == gone
    application.change_kind(mina, kind="individual", country="NL")
    assert set(states(mina).values()) == {State.GIVEN}


def test_what_is_not_asked_any_more_is_forgotten_when_it_is_sent_in(mina):
    begin(mina, "business", "DE")
    tell_all(mina)
    application.change_kind(mina, kind="individual", country="NL")
    tell(mina, Item.IDENTITY)
    refused(422, application.submit, mina)  # of a person the day of birth is asked, too
    tell(mina, Item.TAX)
    seller = application.submit(mina)
    assert (seller.company_number, seller.represented_by, seller.packaging) == ("", "", {})
    assert seller.is_small_business is False
    kept = dict(db.session.execute(select(Paper.kind, Paper.state)).all())
    assert kept == {"extract": "shredded", "front": "sealed", "back": "sealed"}


def test_kind_and_country_stand_once_it_was_sent_in(mina, rex):
    begin(mina)
    tell_all(mina)
    seller = application.submit(mina)
    refused(409, application.change_kind, mina, kind="brand", country="FR")
    sellers.move(seller, Vetting.NEEDS_FIXING, by=rex, note="")
    refused(409, application.change_kind, mina, kind="brand", country="FR")
    assert (seller.kind, seller.country) == ("individual", "NL")


def test_what_is_not_asked_cannot_be_told(mina):
    seller = begin(mina)
    refused(404, application.tell, mina, Item.PACKAGING, {"packaging": {"NL": "1"}})
    refused(404, application.tell, somebody("olga"), Item.GOODS, {"sells_what": "Anything at all"})
    refused(409, application.asked_paper, mina, "mark")
    with pytest.raises(ValueError, match="vetting"):
        application.tell(mina, Item.GOODS, {"vetting": "approved"})
    assert (seller.packaging, seller.sells_what, seller.vetting) == ({}, "", "draft")


def test_while_it_waits_nothing_changes_until_it_is_taken_back(mina):
    begin(mina)
    tell_all(mina)
    seller = application.submit(mina)
    refused(409, application.tell, mina, Item.GOODS, {"sells_what": "Knives and other things"})
    refused(409, application.asked_paper, mina, "front")
    refused(409, application.submit, mina)
    seller.claimed_until = clock.now() + timedelta(minutes=5)
    db.session.flush()
    application.take_back(mina)
    assert (seller.vetting, seller.claimed_until) == ("draft", None)
    refused(409, application.take_back, mina)
    application.tell(mina, Item.GOODS, {"sells_what": "Bowls and other things"})
    assert application.submit(mina).sells_what == "Bowls and other things"


def test_a_draft_is_nothing_that_a_moderator_sees_or_makes(mina, rex):
    seller = begin(mina)
    refused(404, sellers.called, "mina")
    tell_all(mina)
    application.submit(mina)
    verdicts.take(seller, by=rex)
    told = {"by": rex, "words": Words(en="Some words of reason"), "seen": verdicts.as_it_stands(seller)}
    refused(422, verdicts.decide, seller, "draft", **told)
    assert seller.vetting == "waiting"


def test_an_objection_is_not_taken_back(mina, rex):
    begin(mina)
    tell_all(mina)
    seller = application.submit(mina)
    sellers.move(seller, Vetting.REFUSED, by=rex, note="no")
    sellers.move(seller, Vetting.WAITING, by=mina, note="yes", step=sellers.OBJECTION, applied_at=clock.now())
    refused(409, application.take_back, mina)
    assert seller.vetting == "waiting"


def test_only_what_has_to_be_fixed_is_asked_again_and_what_was_accepted_stays(mina, rex):
    begin(mina)
    tell_all(mina)
    seller = application.submit(mina)
    for item in states(mina):
        checklist.judge(seller, item, ItemState.ACCEPTED, by=rex)
    for item in (Item.IDENTITY, Item.GOODS):
        checklist.judge(seller, item, ItemState.FIX, by=rex, words=Words(en="Look again"))
    sellers.move(seller, Vetting.NEEDS_FIXING, by=rex, note="")
    steps = checklist.of(seller)
    assert [step.item for step in steps if application.is_to_do(step)] == [Item.IDENTITY, Item.GOODS]
    assert application.next_step(steps) == Item.IDENTITY
    assert application.next_step(steps, after=Item.IDENTITY) == Item.GOODS
    refused(422, application.submit, mina)
    tell(mina, Item.IDENTITY)
    refused(422, application.submit, mina)
    tell(mina, Item.GOODS)
    assert states(mina) == dict.fromkeys(states(mina), State.ACCEPTED) | {
        Item.IDENTITY: State.GIVEN,
        Item.GOODS: State.GIVEN,
    }
    assert application.submit(mina).vetting == Vetting.WAITING


def test_what_is_missing_comes_from_where_one_is_and_begins_anew_at_the_end(mina):
    seller = begin(mina)
    steps = checklist.of(seller)
    assert application.next_step(steps, after=Item.GOODS) == Item.RETURNS
    assert application.next_step(steps, after=Item.PROMISE) == Item.CONTACT


def test_a_moderator_should_have_decided_after_three_working_days():
    friday = clock.now().replace(year=2026, month=11, day=27, hour=10)
    assert application.decided_by(SimpleNamespace(applied_at=friday)).isoformat() == "2026-12-02"


# Forgetting


def test_a_draft_that_nobody_touched_for_half_a_year_is_deleted_with_its_papers_and_its_window(mina, pass_time):
    begin(mina)
    tell_all(mina)
    pass_time(days=179)
    forgetting.forget_what_was_left()
    assert db.session.scalars(select(Paper.state).distinct()).all() == ["sealed"]
    tell(mina, Item.GOODS)  # it is touched: another half year, also for its papers
    pass_time(days=179)
    forgetting.forget_what_was_left()
    assert states(mina)[Item.IDENTITY] == State.GIVEN
    pass_time(days=2)
    forgetting.forget_what_was_left()
    db.session.expire_all()
    left = [db.session.scalar(select(func.count(one.id))) for one in (Seller, Profile, Paper, BankAccount)]
    assert left == [0, 0, 0, 0]
    assert db.session.scalar(select(func.count(Job.id)).where(Job.handler.endswith("forget_files"))) == 2
    assert begin(mina).vetting == "draft"


def test_the_window_of_who_films_stays_when_their_draft_goes(pass_time):
    kai = somebody("kai", Role.CREATOR)
    begin(kai)
    pass_time(days=181)
    forgetting.forget_what_was_left()
    db.session.expire_all()
    assert db.session.scalars(select(Profile.handle)).all() == ["kai"]
    assert sellers.of(kai) is None


def test_what_a_refused_applicant_told_is_forgotten_and_that_they_were_refused_is_not(mina, rex, pass_time):
    begin(mina)
    tell_all(mina)
    seller = application.submit(mina)
    sellers.move(seller, Vetting.REFUSED, by=rex, note="no", decided_at=clock.now())
    pass_time(days=181)
    forgetting.forget_what_was_left()
    db.session.expire_all()
    assert (seller.vetting, seller.legal_name, seller.phone, seller.email_confirmed_at) == ("refused", "", "", None)
    assert db.session.scalars(select(Paper.state).distinct()).all() == ["shredded"]
    assert db.session.scalar(select(func.count(BankAccount.id))) == 0
    assert db.session.scalar(select(func.count(SellerMark.id))) >= 3


# The e-mail address for buyers

CONTACT = {name: PERSON[name] for name in ("legal_name", "phone", "street", "postcode", "city")}


def mailed():
    """The figures and the link that a mail of this moment says."""
    seller = db.session.scalars(select(Seller)).one()
    return contact_mail.figures_for(seller), contact_mail.link_for(seller)


def asked_mails():
    return db.session.scalar(select(func.count(Job.id)).where(Job.handler.endswith("mail_figures")))


def test_the_address_of_the_account_is_confirmed_already(mina):
    begin(mina)
    contact_mail.tell(mina, {**CONTACT, "email": "Mina@Example.com"})
    assert states(mina)[Item.CONTACT] == State.GIVEN
    assert asked_mails() == 0


def test_another_address_is_confirmed_by_figures_from_the_mail_and_by_no_others(mina, pass_time):
    begin(mina)
    contact_mail.tell(mina, {**CONTACT, "email": "shop@mina.example"})
    assert (states(mina)[Item.CONTACT], asked_mails()) == (State.MISSING, 1)
    figures, _link = mailed()
    wrong = f"{(int(figures) + 1) % 1_000_000:06}"
    for given in (wrong, "", "١٢٣٤٥٦", figures[:5]):
        refused(422, contact_mail.confirm, mina, given)
    assert states(mina)[Item.CONTACT] == State.MISSING
    pass_time(minutes=29)
    contact_mail.confirm(mina, f" {figures[:3]} {figures[3:]} ")
    assert states(mina)[Item.CONTACT] == State.GIVEN


def test_one_person_has_ten_mails_a_day_sent_to_whatever_addresses(mina):
    begin(mina)
    for n in range(10):
        contact_mail.tell(mina, {**CONTACT, "email": f"shop{n}@mina.example"})
    with pytest.raises(TooManyRequests):
        contact_mail.tell(mina, {**CONTACT, "email": "victim@else.example"})
    assert asked_mails() == 10


def test_figures_are_worth_nothing_after_an_hour_nor_for_another_address_nor_after_ten_guesses(mina, pass_time):
    begin(mina)
    contact_mail.tell(mina, {**CONTACT, "email": "shop@mina.example"})
    old, _link = mailed()
    contact_mail.tell(mina, {**CONTACT, "email": "other@mina.example"})
    refused(422, contact_mail.confirm, mina, old)
    figures, _link = mailed()
    pass_time(minutes=61)
    for given in (figures, *["000000"] * 9):
        refused(422, contact_mail.confirm, mina, given)
    with pytest.raises(TooManyRequests):
        contact_mail.confirm(mina, mailed()[0])
    assert states(mina)[Item.CONTACT] == State.MISSING


def test_the_link_works_for_whoever_reads_the_mail_for_a_day_and_for_this_address_alone(mina, pass_time):
    begin(mina)
    contact_mail.tell(mina, {**CONTACT, "email": "shop@mina.example"})
    _figures, link = mailed()
    assert contact_mail.asked_by(link).name == "Atelier Mina"
    assert states(mina)[Item.CONTACT] == State.MISSING  # to look confirms nothing
    refused(410, contact_mail.confirm_by, link + "x")
    contact_mail.confirm_by(link)
    assert states(mina)[Item.CONTACT] == State.GIVEN
    contact_mail.tell(mina, {**CONTACT, "email": "other@mina.example"})
    refused(410, contact_mail.confirm_by, link)
    assert states(mina)[Item.CONTACT] == State.MISSING
    _figures, link = mailed()
    pass_time(hours=25)
    refused(410, contact_mail.confirm_by, link)


def test_the_mail_goes_to_the_new_address_with_figures_and_link(app, letters):
    mina = somebody()
    begin(mina)
    contact_mail.tell(mina, {**CONTACT, "email": "shop@mina.example"})
    figures, _link = mailed()
    db.session.commit()
    db.session.remove()
    (mail,) = letters()
    assert mail["To"] == "shop@mina.example"
    assert figures in mail["Subject"]
    assert "/sell/address/" in mail.get_body(("plain",)).get_content()
