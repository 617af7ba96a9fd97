"""Listing cases: what goes up for sale at once, what waits for a moderator, what is taken down, and the appeal."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from shop import appeals, clock, listing_cases, listings, picture_prints, products
from shop.database import connection, db
from shop.errors import NotFound, Refused
from shop.models import AuditEntry, Event, ListingCase, Picture, PicturePrint, Role, Statement, User, Variant
from shop.words import Words
from tests.cast import a_category, a_product, a_profile, a_seller, a_variant, both

WHY = {"reason": "green_claim", "words": Words(en="Say by how much, and who measured it.")}
LOOKS = bytes.fromhex("a5a5c3c30f0f3c3c")


def flipped(looks, *bits):
    number = int.from_bytes(looks)
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(8)


@pytest.fixture
def people(app, at_the_desk, signed_in_as):
    for name, role in (("mina", Role.SELLER), ("lars", Role.SELLER), ("rex", Role.MODERATOR), ("roos", Role.MODERATOR)):
        signed_in_as(name, role)
    users = {user.name.lower(): user for user in db.session.scalars(select(User))}
    return SimpleNamespace(
        **{name: SimpleNamespace(id=user.id, roles=(user.roles[0].role,)) for name, user in users.items()}
    )


@pytest.fixture
def shelf_of(people):
    """`shelf_of("mina")`: a seller with an account."""
    kind = a_category("things", "Things")

    def make(name):
        profile = a_profile(name, name.title(), user_id=getattr(people, name).id)
        return SimpleNamespace(seller=a_seller(name, name.title(), profile=profile), kind=kind)

    return make


@pytest.fixture
def mina_s(shelf_of):
    return shelf_of("mina")


def a_draft(shelf, code, title, looks=None, **given):
    variants = [a_variant(f"{code}-v", "One", 1995, stock=5)]
    product = a_product(shelf.seller, code, title, variants, category=shelf.kind, status="draft", **given)
    product.pictures = [Picture(position=0, name=f"{code}.webp", width=9, height=9, alt=both(title), looks=looks)]
    db.session.add(product)
    db.session.flush()
    return product


def waiting(product):
    found = db.session.scalars(
        select(ListingCase).where(ListingCase.product_id == product.id, ListingCase.state == "waiting")
    )
    return list(found)


def why(case):
    return [(each["code"], each["field"], each["found"]) for each in case.why]


# Going up


def test_what_is_clear_is_for_sale_at_once(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug")
    listings.publish(mug, by=people.mina)
    assert (mug.status, waiting(mug)) == ("live", [])


def test_what_is_forbidden_is_refused_with_the_word_and_stays_a_draft(mina_s, people):
    gun = a_draft(mina_s, "gun", "Antique pistol")
    with pytest.raises(Refused) as no:
        listings.publish(gun, by=people.mina)
    assert (no.value.status, no.value.words) == (422, "Weapons are not for sale here: “pistol”.")
    assert (gun.status, waiting(gun)) == ("draft", [])


def test_what_is_risky_waits_and_is_nowhere_for_sale_until_a_moderator_approves(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    assert (mug.status, why(case), case.word_list) == ("review", [("green_claim", "title", "eco")], "2026-11-28")
    with pytest.raises(NotFound):
        products.find("mug")
    listing_cases.decide(
        case, "approved", by=people.rex, reason="", words=Words(), seen=listing_cases.as_it_stands(mug)
    )
    assert (mug.status, case.state, case.decided_by_id) == ("live", "approved", people.rex.id)
    assert products.find("mug").facts.code == "mug"


def test_what_was_approved_once_is_not_asked_again_but_something_new_is(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    listing_cases.decide(
        waiting(mug)[0], "approved", by=people.rex, reason="", words=Words(), seen=listing_cases.as_it_stands(mug)
    )
    listings.change(mug, {"handling_days": 3}, by=people.mina)
    assert (mug.status, waiting(mug)) == ("live", [])
    listings.change(mug, {"description": Words(en="Eco, and it heals.")}, by=people.mina)
    assert mug.status == "review"
    assert why(waiting(mug)[0]) == [("medical_claim", "description", "heals")]


def test_a_live_product_that_is_changed_to_something_forbidden_stays_as_it_was(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug")
    listings.publish(mug, by=people.mina)
    db.session.commit()
    with pytest.raises(Refused):
        listings.change(mug, {"title": Words(en="Pistol")}, by=people.mina)
    db.session.rollback()
    assert (mug.status, mug.title) == ("live", both("Mug"))


def test_a_change_that_takes_the_risk_away_brings_it_live_and_nobody_has_to_look(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    listings.change(mug, {"title": both("Mug"), "description": both("A mug.")}, by=people.mina)
    assert mug.status == "review"  # the picture still says it
    mug.pictures[0].alt = both("A mug")
    listings.change(mug, {"handling_days": 2}, by=people.mina)
    assert (mug.status, waiting(mug)) == ("live", [])


def test_who_takes_it_back_leaves_nothing_in_the_queue(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    listings.pause(mug, by=people.mina)
    assert (mug.status, waiting(mug)) == ("paused", [])


def test_a_case_that_changes_keeps_its_place_in_the_queue(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    listings.change(mug, {"description": Words(en="It heals.")}, by=people.mina)
    db.session.refresh(case)
    assert [each.id for each in waiting(mug)] == [case.id]
    assert [code for code, *_rest in why(case)] == ["green_claim", "medical_claim"]


# Deciding


def test_nobody_decides_on_what_they_did_not_see(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    seen = listing_cases.as_it_stands(mug)
    listings.change(mug, {"description": Words(en="Another thing.")}, by=people.mina)
    with pytest.raises(Refused, match="just changed"):
        listing_cases.decide(case, "approved", by=people.rex, reason="", words=Words(), seen=seen)
    assert (mug.status, case.state) == ("review", "waiting")


@pytest.mark.parametrize("another", [{"size": "XXL"}, {"name": Words(en="Cures all")}])
def test_nobody_decides_on_sizes_that_they_did_not_see_and_what_was_just_committed_counts(mina_s, people, another):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    seen = listing_cases.as_it_stands(mug)
    connection().execute(update(Variant.__table__).values(another))  # by another process: what we hold is stale
    with pytest.raises(Refused, match="just changed"):
        listing_cases.decide(case, "approved", by=people.rex, reason="", words=Words(), seen=seen)
    assert (mug.status, case.state) == ("review", "waiting")


@pytest.mark.parametrize(
    ("verdict", "reason", "words", "status"),
    [("fix", "", "Long enough words.", 422), ("fix", "green_claim", "Short", 422), ("sell", "", "", 422)],
)
def test_a_decision_that_takes_something_away_has_a_reason(mina_s, people, verdict, reason, words, status):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    with pytest.raises(Refused) as no:
        seen = listing_cases.as_it_stands(mug)
        listing_cases.decide(case, verdict, by=people.rex, reason=reason, words=Words(en=words), seen=seen)
    assert (no.value.status, mug.status, case.state) == (status, "review", "waiting")


def test_a_moderator_decides_nothing_about_their_own_goods(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    for act in (
        lambda: listing_cases.decide(case, "approved", by=people.mina, reason="", words=Words(), seen="x"),
        lambda: listing_cases.take_down(mug, by=people.mina, **WHY),
    ):
        with pytest.raises(Refused) as no:
            act()
        assert no.value.status == 403
    assert (mug.status, case.state) == ("review", "waiting")


def test_asked_to_fix_something_it_is_paused_and_can_go_up_again(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    listing_cases.decide(case, "fix", by=people.rex, seen=listing_cases.as_it_stands(mug), **WHY)
    assert (mug.status, case.state) == ("paused", "fix")
    mug.pictures[0].alt = both("A mug")
    listings.change(mug, {"title": both("Mug"), "description": both("A mug.")}, by=people.mina)
    listings.resume(mug, by=people.mina)
    assert mug.status == "live"


def test_two_moderators_decide_once(mina_s, people):
    mug = a_draft(mina_s, "mug", "Eco mug")
    listings.publish(mug, by=people.mina)
    (case,) = waiting(mug)
    seen = listing_cases.as_it_stands(mug)
    listing_cases.decide(case, "approved", by=people.rex, reason="", words=Words(), seen=seen)
    with pytest.raises(Refused, match="decided just now"):
        listing_cases.decide(case, "taken_down", by=people.roos, seen=seen, **WHY)
    assert mug.status == "live"


# Taking down, and the appeal


def test_what_is_taken_down_is_gone_everywhere_at_once_with_an_event_an_audit_entry_and_a_letter(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug")
    listings.publish(mug, by=people.mina)
    case = listing_cases.take_down(mug, by=people.rex, **WHY)
    assert (mug.status, case.state) == ("down", "taken_down")
    with pytest.raises(NotFound):
        products.find("mug")
    told = db.session.scalars(select(Event).where(Event.subject == "product").order_by(Event.id.desc())).first()
    assert (told.became, told.user_id, told.note) == (
        "down", people.rex.id, "green_claim\nSay by how much, and who measured it.")  # fmt: skip
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.about, entry.actor_id) == ("listing decided", "product:mug", people.rex.id)
    with pytest.raises(Refused, match="nothing to take down"):
        listing_cases.take_down(mug, by=people.rex, **WHY)


def test_a_product_that_is_down_does_not_come_up_by_itself(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug")
    listings.publish(mug, by=people.mina)
    listing_cases.take_down(mug, by=people.rex, **WHY)
    for act in (listings.publish, listings.resume, listings.pause):
        with pytest.raises(Refused):
            act(mug, by=people.mina)
    assert mug.status == "down"


def test_in_what_is_down_nothing_can_be_changed_but_a_copy_can(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug")
    listings.publish(mug, by=people.mina)
    listing_cases.take_down(mug, by=people.rex, **WHY)
    db.session.commit()
    for act in (
        lambda: listings.change(mug, {"description": both("Another thing.")}, by=people.mina),
        lambda: listings.describe_picture(mug, 0, both("Another"), [], 0, by=people.mina),
        lambda: listings.remove_picture(mug, 0, by=people.mina),
        lambda: listings.set_delivery(mug, [], by=people.mina),
        lambda: listings.refuse_if_stopped(mug),
    ):
        with pytest.raises(Refused, match="taken down, so nothing in it can be changed") as no:
            act()
        db.session.rollback()
        assert (no.value.status, len(mug.pictures), mug.pictures[0].alt) == (409, 1, both("Mug"))
    assert listings.duplicate(mug, by=people.mina).status == "draft"


@pytest.mark.parametrize(
    ("title", "is_whole", "has_room", "back"),
    [("Mug", True, True, "live"), ("Eco mug", True, True, "review"), ("Mug", False, True, "paused"),
     ("Pistol", True, True, "paused"), ("Mug", True, False, "paused")],
)  # fmt: skip
def test_what_comes_back_by_an_appeal_is_for_sale_only_as_if_it_were_put_up_anew(
    app, mina_s, people, monkeypatch, title, is_whole, has_room, back
):
    mug = a_draft(mina_s, "mug", title)
    mug.status = "live"
    db.session.flush()
    listing_cases.take_down(mug, by=people.rex, **WHY)
    mug.description = both("A mug.") if is_whole else Words()
    monkeypatch.setitem(app.config, "NEWCOMER_LISTINGS", 9 if has_room else 0)
    mina_s.seller.established_at = None
    db.session.flush()
    statement = db.session.scalars(select(Statement)).one()
    appeals.lodge(statement.code, by=person(people.mina), words="The certificate is on the box.")
    appeals.decide(statement.code, "granted", by=person(people.roos), words=Words(en="Now I see it."))
    assert (mug.status, len(waiting(mug))) == (back, 1 if back == "review" else 0)


def test_a_take_down_has_a_statement_and_an_appeal_that_another_moderator_grants_brings_it_back(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug", LOOKS)
    listings.publish(mug, by=people.mina)
    listing_cases.take_down(mug, by=people.rex, **WHY)
    statement = db.session.scalars(select(Statement)).one()
    assert (statement.verdict, statement.product_id, statement.reason, statement.is_automated) == (
        "taken_down", mug.id, "green_claim", False)  # fmt: skip
    appeals.lodge(statement.code, by=person(people.mina), words="The certificate is on the box.")
    with pytest.raises(Refused) as no:
        appeals.decide(statement.code, "granted", by=person(people.rex), words=Words(en="Now I see it."))
    assert (no.value.status, mug.status) == (403, "down")
    appeals.decide(statement.code, "granted", by=person(people.roos), words=Words(en="Now I see it."))
    assert mug.status == "live"
    assert not db.session.scalars(select(PicturePrint)).one().is_banned
    assert [each.verdict for each in db.session.scalars(select(Statement).order_by(Statement.id))] == [
        "taken_down", "restored"]  # fmt: skip


def person(actor):
    staff = Role.MODERATOR in actor.roles
    return SimpleNamespace(id=actor.id, roles=actor.roles, is_staff=staff, proven_at=clock.now() if staff else None)


# Pictures


@pytest.mark.parametrize(
    ("bits", "is_near"),
    [((), True), ((0,), True), ((0, 16, 17, 32, 48, 49), True), ((0, 1, 2, 3, 4, 5), True),
     ((0, 1, 16, 17, 32, 48, 49), False), (tuple(range(20)), False)],
)  # fmt: skip
def test_a_picture_like_another_seller_s_earlier_one_is_looked_at_up_to_six_bits(shelf_of, people, bits, is_near):
    mine, hers = shelf_of("lars"), shelf_of("mina")
    first = a_draft(hers, "mug", "Mug", LOOKS)
    listings.publish(first, by=people.mina)
    copy = a_draft(mine, "cup", "Cup", flipped(LOOKS, *bits))
    listings.publish(copy, by=people.lars)
    expected = [("others_picture", "pictures", "mug")] if is_near else []
    assert [each for case in waiting(copy) for each in why(case)] == expected
    listings.change(first, {"handling_days": 2}, by=people.mina)
    assert first.status == "live"  # who was first is not accused


def test_the_same_picture_twice_in_one_shop_is_nobody_s_business(mina_s, people):
    for code in ("mug", "cup"):
        product = a_draft(mina_s, code, "Mug", LOOKS)
        listings.publish(product, by=people.mina)
        assert product.status == "live"


@pytest.mark.parametrize("looks", [bytes(8), b"\xff" * 8, bytes(7) + b"\x01", None])
def test_a_picture_with_nothing_on_it_is_like_no_other(shelf_of, people, looks):
    for name, code in (("mina", "mug"), ("lars", "cup")):
        product = a_draft(shelf_of(name), code, "Mug", looks)
        listings.publish(product, by=getattr(people, name))
        assert product.status == "live"


def test_a_picture_of_what_was_taken_down_is_known_again_even_when_it_is_gone(mina_s, people):
    mug = a_draft(mina_s, "mug", "Mug", LOOKS)
    listings.publish(mug, by=people.mina)
    listing_cases.take_down(mug, by=people.rex, **WHY)
    db.session.delete(mug.pictures[0])
    db.session.flush()
    again = a_draft(mina_s, "cup", "Cup", flipped(LOOKS, 3))
    listings.publish(again, by=people.mina)
    assert [each for case in waiting(again) for each in why(case)] == [("banned_picture", "pictures", "mug")]


def test_prints_fall_in_four_parts_of_sixteen_bits():
    assert picture_prints.parts(LOOKS) == (0xA5A5, 0xC3C3, 0x0F0F, 0x3C3C)
    assert picture_prints.distance(LOOKS, flipped(LOOKS, 0, 63)) == 2
