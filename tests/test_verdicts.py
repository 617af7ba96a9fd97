"""Verdicts: one moderator at a time, item by item, with a reason; an appeal to another one; and what takes two."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from shop import (
    accounts,
    appeals,
    audit,
    checklist,
    claims,
    clock,
    papers,
    proposals,
    reasons,
    sanctions,
    statements,
    verdicts,
)
from shop.checklist import Item, State
from shop.database import db
from shop.errors import NotFound, Refused
from shop.gateways.paper_reader import Read
from shop.models import (
    Appeal,
    AppealOutcome,
    Event,
    ItemState,
    PaperKind,
    Proposal,
    Role,
    RoleGrant,
    Seller,
    Statement,
    Verdict,
    Vetting,
    VettingItem,
)
from shop.words import Words
from tests.applicants import a_person, accept_all, an_applicant, fix, taken

pytestmark = pytest.mark.usefixtures("at_the_desk")
WHY = Words(en="They are copies of a known mark.")


@pytest.fixture
def rex(app, at_the_desk):
    return a_person("rex", Role.MODERATOR)


@pytest.fixture
def ada(app, at_the_desk):
    return a_person("ada", Role.ADMIN)


@pytest.fixture
def olga(app, at_the_desk):
    return a_person("olga", Role.MODERATOR)


@pytest.fixture
def mina(rex):
    return an_applicant()


def how_it_is():
    """What a refusal of a rule may not change."""
    return (
        db.session.execute(select(Seller.vetting, Seller.banned_at, Seller.payouts_stopped_at)).all(),
        [db.session.scalar(select(func.count()).select_from(table)) for table in (Statement, Appeal, Proposal, Event)],
        db.session.execute(select(VettingItem.item, VettingItem.state)).all(),
    )


def refused(status, said, act, /, *given, **more):
    """The rule says no, with these words, and nothing has changed."""
    db.session.commit()
    before = how_it_is()
    with pytest.raises(Refused) as no:
        act(*given, **more)
    db.session.rollback()
    assert (no.value.status, said in no.value.words) == (status, True), no.value.words
    assert how_it_is() == before


def owner_of(seller):
    return accounts.as_actor(accounts.called(f"{seller.profile.handle}@example.com"))


# Taking it


def test_one_moderator_works_on_an_application_for_half_an_hour(mina, rex, ada, pass_time):
    claims.take(mina, by=rex)
    assert (claims.holder(mina), claims.has(mina, rex), claims.has(mina, ada)) == ("Rex", True, False)
    refused(409, "Rex is working on this", claims.take, mina, by=ada)
    claims.take(mina, by=rex)  # longer
    pass_time(minutes=31)
    assert claims.holder(mina) == ""
    claims.take(mina, by=ada)
    assert claims.holder(mina) == "Ada"
    claims.release(mina, by=rex)  # not his to let go
    assert claims.holder(mina) == "Ada"
    claims.release(mina, by=ada)
    assert (claims.holder(mina), mina.claimed_by_id) == ("", None)


def test_nobody_takes_their_own(rex):
    seller = an_applicant("rexshop")
    seller.profile.user_id = rex.id
    db.session.flush()
    refused(403, "another moderator", claims.take, seller, by=rex)


def test_nobody_decides_without_having_taken_it(mina, rex, ada, pass_time):
    seen = verdicts.as_it_stands(mina)
    acts = [
        (verdicts.accept, {"item": Item.GOODS}),
        (verdicts.ask_to_fix, {"item": Item.GOODS, "reason": "vague", "words": Words()}),
        *[(verdicts.decide, {"verdict": one, "words": WHY, "reason": "untrue"}) for one in verdicts.CALLED],
    ]
    for act, given in acts:
        refused(409, "Take this application first", act, mina, by=rex, seen=seen, **given)
    claims.take(mina, by=ada)
    for act, given in acts:
        refused(409, "Ada is working on this", act, mina, by=rex, seen=seen, **given)
    pass_time(minutes=31)
    for act, given in acts:
        refused(409, "Take this application first", act, mina, by=ada, seen=seen, **given)


def test_nobody_decides_on_what_has_changed_since_they_saw_it(mina, rex):
    seen = accept_all(mina, rex)
    papers.keep(mina.id, PaperKind.FRONT, Read("jpeg", (b"another",), b"another!"), b"another")
    db.session.commit()
    for verdict in verdicts.CALLED:
        refused(409, "just changed", verdicts.decide, mina, verdict, by=rex, words=WHY, seen=seen, reason="untrue")
    refused(409, "just changed", verdicts.accept, mina, Item.GOODS, by=rex, seen=seen)


# Item by item


def test_an_item_is_accepted_or_to_be_fixed_with_a_reason_of_the_list(mina, rex):
    seen = taken(mina, rex)
    verdicts.accept(mina, Item.GOODS, by=rex, seen=seen)
    verdicts.ask_to_fix(mina, Item.RETURNS, by=rex, seen=seen, reason="incomplete", words=Words(en="Which door?"))
    steps = {step.item: step for step in checklist.of(mina)}
    assert steps[Item.GOODS].state == State.ACCEPTED
    assert steps[Item.RETURNS] == (Item.RETURNS, State.FIX, "incomplete", Words(en="Which door?"))
    more = {"by": rex, "seen": seen, "words": Words()}
    refused(422, "Choose what is wrong", verdicts.ask_to_fix, mina, Item.GOODS, reason="", **more)
    refused(422, "Choose what is wrong", verdicts.ask_to_fix, mina, Item.GOODS, reason="counterfeit", **more)
    refused(422, "not asked of this seller", verdicts.ask_to_fix, mina, Item.REGISTER, reason="vague", **more)
    refused(422, "not asked of this seller", verdicts.accept, mina, Item.REGISTER, by=rex, seen=seen)


def test_what_was_not_told_cannot_be_accepted(mina, rex):
    mina.sells_what = ""
    db.session.commit()
    refused(
        422, "nothing here that could be accepted", verdicts.accept, mina, Item.GOODS, by=rex, seen=taken(mina, rex)
    )


def test_an_identity_paper_is_accepted_with_its_last_day_and_not_after_it(mina, rex):
    seen, today = taken(mina, rex), clock.now().date()
    given = {"by": rex, "seen": seen}
    refused(422, "until when", verdicts.accept, mina, Item.IDENTITY, **given)
    yesterday = today - timedelta(days=1)
    refused(422, "has run out", verdicts.accept, mina, Item.IDENTITY, valid_until=yesterday, **given)
    refused(422, "no paper with a date", verdicts.accept, mina, Item.GOODS, valid_until=today, **given)
    verdicts.accept(mina, Item.IDENTITY, valid_until=today, **given)
    found = db.session.execute(text("SELECT DISTINCT valid_until FROM papers")).scalars().all()
    assert [str(day) for day in found] == [str(today)]


# All of it


def test_mina_is_approved_when_every_item_is(mina, rex, letters):
    seen = taken(mina, rex)
    refused(422, "7 items are not accepted", verdicts.decide, mina, "approved", by=rex, words=Words(), seen=seen)
    seen = accept_all(mina, rex)
    assert verdicts.decide(mina, "approved", by=rex, words=Words(), seen=seen) is True
    assert (mina.vetting, mina.claimed_by_id, mina.decided_by_id) == ("approved", None, rex.id)
    told = select(Statement.verdict, Statement.waited_hours, Statement.appeal_until, Statement.is_automated)
    assert db.session.execute(told).all() == [("approved", 1, None, False)]
    assert audit.about("seller:mina")[-1].after == {
        "vetting": "approved",
        "checks": ["bank", "contact", "goods", "identity", "promise", "returns", "tax"],
    }
    db.session.commit()
    (mail,) = letters()
    assert (mail["To"], mail["Subject"]) == ("mina@example.com", "You may sell")


def test_who_is_approved_gets_the_right_to_sell(mina, rex):
    verdicts.decide(mina, "approved", by=rex, words=Words(), seen=accept_all(mina, rex))
    assert sorted(db.session.scalars(select(RoleGrant.role))) == ["moderator", "seller"]


def test_a_paper_that_has_run_out_since_it_was_accepted_stops_the_approval(mina, rex, pass_time):
    accept_all(mina, rex)
    pass_time(days=901)
    seen = taken(mina, rex)
    refused(422, "1 item is not accepted", verdicts.decide, mina, "approved", by=rex, words=Words(), seen=seen)


def test_asking_names_what_is_to_be_fixed_in_her_language(rex, letters):
    mina = an_applicant(language="nl")
    seen = taken(mina, rex)
    nothing = {"by": rex, "words": Words(), "seen": seen}
    refused(422, "Say first, at an item", verdicts.decide, mina, "needs_fixing", **nothing)
    fix(mina, rex)
    verdicts.ask_to_fix(mina, Item.RETURNS, by=rex, seen=seen, reason="incomplete", words=Words(en="Which door?"))
    verdicts.decide(mina, "needs_fixing", by=rex, words=Words(en="Nearly there."), seen=seen)
    db.session.commit()
    (mail,) = letters()
    assert mail["Subject"] == "Er moet iets worden verbeterd"
    told = mail.get_body(("plain",)).get_content()
    assert "- Wat je verkoopt: We weten nog niet goed wat je wilt verkopen." in told
    assert "- Retouradres: Hier ontbreekt iets. Vul aan wat hieronder staat. Which door?" in told
    assert "Nearly there." in told
    assert mina.vetting_note.said("en").startswith("- What you sell: We do not know well enough")


@pytest.mark.parametrize(
    ("reason", "words", "said"),
    [
        ("", WHY, "Choose the reason"),
        ("not_sent", WHY, "Choose the reason"),  # that is one for a stop
        ("untrue", Words(), "Give the reason"),
        ("untrue", Words(en="too short"), "at least 10 characters"),
    ],
)
def test_nobody_is_refused_without_a_reason(mina, rex, reason, words, said):
    given = {"by": rex, "seen": taken(mina, rex), "reason": reason, "words": words}
    refused(422, said, verdicts.decide, mina, "refused", **given)
    refused(422, "Choose what to do", verdicts.decide, mina, "suspended", **{**given, "reason": "untrue"})


def test_a_refusal_says_why_on_what_it_rests_and_how_one_appeals(rex, letters):
    mina = an_applicant(language="nl")
    verdicts.decide(mina, "refused", by=rex, words=WHY, seen=taken(mina, rex), reason="goods_not_allowed")
    (made,) = statements.of(mina)
    assert (made.verdict, made.reason, made.rule) == ("refused", "goods_not_allowed", "terms")
    assert made.template == reasons.REFUSALS["goods_not_allowed"].said
    assert made.appeal_until == made.at + timedelta(days=183)
    db.session.commit()
    (mail,) = letters()
    told = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "Je aanvraag is afgewezen"
    assert "Wat je wilt verkopen mag hier niet." in told
    assert "They are copies of a known mark." in told
    assert f"/statements/{made.code}" in told


@pytest.mark.parametrize("change", ["UPDATE statements SET reason = 'x'", "DELETE FROM statements"])
def test_a_statement_is_only_added(mina, rex, change):
    verdicts.decide(mina, "refused", by=rex, words=WHY, seen=taken(mina, rex), reason="untrue")
    db.session.commit()
    with pytest.raises(DBAPIError, match="statements are only added"):
        db.session.execute(text(change))
    db.session.rollback()
    assert db.session.scalars(select(Statement.reason)).all() == ["untrue"]


def test_a_statement_is_for_who_it_is_about_and_for_staff_at_work(mina, rex, ada):
    verdicts.decide(mina, "refused", by=rex, words=WHY, seen=taken(mina, rex), reason="untrue")
    (made,) = statements.of(mina)
    unproven = accounts.as_actor(accounts.called("ada@example.com"))
    for person in (owner_of(mina), ada):
        assert statements.called(made.code, person).id == made.id
    for person in (a_person("noor"), unproven):
        with pytest.raises(NotFound):
            statements.called(made.code, person)


# Appeals


@pytest.fixture
def appealed(mina, rex):
    """Rex refused mina, and she has appealed."""
    verdicts.decide(mina, "refused", by=rex, words=WHY, seen=taken(mina, rex), reason="untrue")
    verdicts.object_to(owner_of(mina), "They are my own mugs, look.")
    db.session.commit()
    return mina


def test_mina_appeals_once_and_waits_again(appealed, mina, rex):
    assert mina.vetting == "waiting"
    (row,), _more = appeals.queue(rex, clock.now() - timedelta(days=1), 0)
    assert (row.handle, row.verdict, appeals.waiting(rex)) == ("mina", "refused", 1)
    (made,) = statements.of(mina)
    refused(409, "here already", appeals.lodge, made.code, by=owner_of(mina), words="They are my own mugs, look.")
    refused(409, "no refusal to object to", verdicts.object_to, owner_of(mina), "They are my own mugs, look.")


def test_an_appeal_needs_words_and_comes_within_six_months_from_who_it_is_about(mina, rex, ada, pass_time):
    verdicts.decide(mina, "refused", by=rex, words=WHY, seen=taken(mina, rex), reason="untrue")
    (made,) = statements.of(mina)
    refused(422, "at least 10 characters", appeals.lodge, made.code, by=owner_of(mina), words="no")
    refused(404, "no such statement", appeals.lodge, made.code, by=ada, words="They are their own mugs.")
    refused(404, "no such statement", appeals.lodge, made.code, by=a_person("noor"), words="They are their own mugs.")
    assert verdicts.can_object(mina)
    pass_time(days=184)
    assert not verdicts.can_object(mina)
    refused(409, "any more", appeals.lodge, made.code, by=owner_of(mina), words="They are my own mugs, look.")
    refused(409, "last word", verdicts.object_to, owner_of(mina), "They are my own mugs, look.")


def test_nobody_appeals_against_what_takes_nothing_away(mina, rex):
    verdicts.decide(mina, "approved", by=rex, words=Words(), seen=accept_all(mina, rex))
    (made,) = statements.of(mina)
    refused(409, "any more", appeals.lodge, made.code, by=owner_of(mina), words="I want to be refused.")


def test_who_refused_her_does_not_decide_on_the_appeal(appealed, mina, rex, ada):
    assert (verdicts.is_for(mina, rex), verdicts.is_for(mina, ada)) == (False, True)
    refused(403, "another moderator", verdicts.take, mina, by=rex)
    seen = taken(mina, rex)
    for verdict in verdicts.CALLED:
        refused(403, "another moderator", verdicts.decide, mina, verdict, by=rex, words=WHY, seen=seen, reason="untrue")
    refused(403, "another moderator", verdicts.accept, mina, Item.GOODS, by=rex, seen=seen)


def test_ada_approves_after_the_appeal_and_so_grants_it(appealed, mina, ada):
    verdicts.decide(mina, "approved", by=ada, words=Words(), seen=accept_all(mina, ada))
    assert db.session.execute(select(Appeal.outcome, Appeal.decided_by_id)).all() == [("granted", ada.id)]
    assert [row.verdict for row in statements.of(mina)] == ["approved", "refused"]


def test_a_refusal_after_an_appeal_takes_two_and_is_the_last_word(appealed, mina, rex, ada):
    seen, words = taken(mina, ada), Words(en="They are copies after all.")
    assert verdicts.decide(mina, "refused", by=ada, words=words, seen=seen, reason="untrue") is False
    assert (mina.vetting, claims.holder(mina)) == ("waiting", "")
    assert [row.verdict for row in statements.of(mina)] == ["refused"]
    (made,) = proposals.waiting(rex)
    refused(403, "another person", proposals.confirm, made.code, by=ada)
    refused(403, "another person", proposals.confirm, made.code, by=owner_of(mina))
    proposals.confirm(made.code, by=rex)
    assert mina.vetting == "refused"
    told = select(Statement.decided_by_id, Statement.second_by_id, Statement.appeal_until).order_by(Statement.id.desc())
    assert db.session.execute(told).first() == (ada.id, rex.id, None)
    assert db.session.execute(select(Appeal.outcome)).scalars().all() == ["dismissed"]
    assert not verdicts.can_object(mina)
    assert [one.action for one in audit.about("seller:mina")][-3:] == [
        "refuse proposed",
        "seller decided",
        "refuse confirmed",
    ]
    refused(404, "Nothing waits", proposals.confirm, made.code, by=rex)


def test_a_second_person_who_says_no_leaves_everything_as_it_is(appealed, mina, rex, ada):
    verdicts.decide(mina, "refused", by=ada, words=WHY, seen=taken(mina, ada), reason="untrue")
    (made,) = proposals.waiting(rex)
    refused(
        409,
        "proposed already",
        verdicts.decide,
        mina,
        "refused",
        by=ada,
        words=WHY,
        seen=taken(mina, ada),
        reason="untrue",
    )
    proposals.decline(made.code, by=rex, words="Look at the second paper.")
    assert (mina.vetting, proposals.waiting(rex), proposals.how_many(rex)) == ("waiting", [], 0)
    last = audit.about("seller:mina")[-1]
    assert (last.action, last.reason, last.actor_id) == ("refuse declined", "Look at the second paper.", rex.id)


def test_two_do_not_refuse_what_has_changed_since_the_first_saw_it(appealed, mina, rex, ada):
    verdicts.decide(mina, "refused", by=ada, words=WHY, seen=taken(mina, ada), reason="untrue")
    papers.keep(mina.id, PaperKind.FRONT, Read("jpeg", (b"another",), b"another!"), b"another")
    (made,) = proposals.waiting(rex)
    refused(409, "just changed", proposals.confirm, made.code, by=rex)


def test_what_is_not_theirs_any_more_is_not_judged_again(mina, rex):
    checklist.judge(mina, Item.GOODS, ItemState.ACCEPTED, by=rex)
    seen = accept_all(mina, rex)
    verdicts.decide(mina, "approved", by=rex, words=Words(), seen=seen)
    refused(409, "just changed", verdicts.accept, mina, Item.GOODS, by=rex, seen=taken(mina, rex))
    assert mina.vetting == Vetting.APPROVED


# Sanctions


@pytest.fixture
def selling(mina):
    """Mina sells."""
    mina.vetting, mina.decided_at = Vetting.APPROVED, clock.now()
    db.session.commit()
    return mina


STOP = {"reason": "not_sent", "words": Words(en="Three parcels were never sent.")}
BAN = {"reason": "repeatedly", "words": Words(en="The third time this year.")}
HOLD = {"reason": "fraud_suspected", "words": Words(en="Forty refunds in one night.")}
BACK = Words(en="They have arrived after all.")


def test_a_stop_is_immediate_and_by_one_and_undone_with_a_reason(selling, rex):
    sanctions.suspend(selling, by=rex, **STOP)
    assert selling.vetting == "suspended"
    sanctions.lift(selling, by=rex, words=BACK)
    assert [row.verdict for row in statements.of(selling)] == ["lifted", "suspended"]
    assert [row.reason for row in statements.of(selling)] == ["put_right", "not_sent"]


@pytest.mark.parametrize("act", [sanctions.suspend, sanctions.propose_ban, sanctions.propose_payout_stop])
def test_nothing_is_taken_away_without_a_reason_nor_by_oneself(selling, rex, act):
    refused(422, "Choose the reason", act, selling, by=rex, reason="put_right", words=STOP["words"])
    reason = {sanctions.propose_payout_stop: "fraud_suspected"}.get(act, "not_sent")
    refused(422, "Give the reason", act, selling, by=rex, reason=reason, words=Words())
    refused(403, "another moderator", act, selling, by=owner_of(selling), reason=reason, words=STOP["words"])


def test_an_appeal_against_a_stop_is_for_somebody_else_who_lifts_it(selling, rex, ada):
    sanctions.suspend(selling, by=rex, **STOP)
    (made,) = statements.of(selling)
    appeals.lodge(made.code, by=owner_of(selling), words="They were sent, here are the numbers.")
    granted = {"outcome": AppealOutcome.GRANTED, "words": BACK}
    refused(403, "another moderator", appeals.decide, made.code, by=rex, **granted)
    refused(403, "another moderator", sanctions.lift, selling, by=rex, words=BACK)
    refused(422, "Say more", appeals.decide, made.code, AppealOutcome.GRANTED, by=ada, words=Words(en="ok"))
    appeals.decide(made.code, by=ada, **granted)
    assert selling.vetting == "approved"
    assert next((row.verdict, row.reason) for row in statements.of(selling)) == ("lifted", "we_were_wrong")
    assert db.session.execute(select(Appeal.outcome, Appeal.decided_by_id)).all() == [("granted", ada.id)]
    refused(409, "No appeal waits", appeals.decide, made.code, by=ada, **granted)


def test_an_appeal_that_is_dismissed_is_answered_in_words(selling, rex, ada, letters):
    sanctions.suspend(selling, by=rex, **STOP)
    (made,) = statements.of(selling)
    appeals.lodge(made.code, by=owner_of(selling), words="They were sent, here are the numbers.")
    db.session.commit()
    letters()
    appeals.decide(made.code, AppealOutcome.DISMISSED, by=ada, words=Words(en="The carrier knows nothing of them."))
    db.session.commit()
    assert selling.vetting == "suspended"
    (mail,) = letters()
    assert mail["Subject"] == "Your appeal is dismissed"
    assert "The carrier knows nothing of them." in mail.get_body(("plain",)).get_content()


def test_an_appeal_against_a_refusal_is_decided_where_the_application_is(appealed, mina, ada):
    (made,) = statements.of(mina)
    given = {"outcome": AppealOutcome.GRANTED, "by": ada, "words": BACK}
    refused(409, "where the application is", appeals.decide, made.code, **given)


def test_a_ban_takes_two_and_nothing_leads_back_but_an_appeal_and_two_again(selling, rex, ada):
    sanctions.propose_ban(selling, by=rex, **BAN)
    assert (selling.vetting, selling.banned_at) == ("approved", None)
    (made,) = proposals.waiting(rex)
    refused(403, "another person", proposals.confirm, made.code, by=rex)
    proposals.confirm(made.code, by=ada)
    assert (selling.vetting, selling.banned_at is not None) == ("suspended", True)
    refused(409, "closed for good", sanctions.lift, selling, by=ada, words=BACK)
    refused(409, "closed for good already", sanctions.propose_ban, selling, by=rex, **BAN)
    (banned,) = statements.of(selling)
    appeals.lodge(banned.code, by=owner_of(selling), words="It was my brother who did that.")
    olga = a_person("olga", Role.MODERATOR)
    appeals.decide(banned.code, AppealOutcome.GRANTED, by=olga, words=BACK)
    assert (selling.banned_at is not None, appeals.waiting(rex)) == (True, 1)
    (made,) = proposals.waiting(rex)
    proposals.confirm(made.code, by=ada)
    assert (selling.vetting, selling.banned_at, appeals.waiting(rex)) == ("approved", None, 0)
    assert [row.verdict for row in statements.of(selling)] == ["unbanned", "banned"]


def test_who_confirmed_a_ban_does_not_decide_on_the_appeal_either(selling, rex, ada, olga):
    sanctions.propose_ban(selling, by=rex, **BAN)
    proposals.confirm(proposals.waiting(ada)[0].code, by=ada)
    (banned,) = statements.of(selling)
    appeals.lodge(banned.code, by=owner_of(selling), words="It was my brother who did that.")
    for judge in (rex, ada):
        refused(403, "another", appeals.decide, banned.code, AppealOutcome.DISMISSED, by=judge, words=BACK)
    appeals.decide(banned.code, AppealOutcome.DISMISSED, by=olga, words=BACK)
    assert appeals.waiting(olga) == 0


def test_a_shop_is_not_opened_again_once_its_appeal_was_dismissed(selling, rex, ada, olga):
    sanctions.propose_ban(selling, by=rex, **BAN)
    proposals.confirm(proposals.waiting(ada)[0].code, by=ada)
    (banned,) = statements.of(selling)
    appeals.lodge(banned.code, by=owner_of(selling), words="It was my brother who did that.")
    appeals.decide(banned.code, AppealOutcome.GRANTED, by=olga, words=BACK)
    (unban,) = proposals.waiting(ada)
    appeals.decide(banned.code, AppealOutcome.DISMISSED, by=a_person("otto", Role.MODERATOR), words=BACK)
    refused(409, "No appeal waits", proposals.confirm, unban.code, by=ada)


def test_nobody_who_waits_is_let_in_by_the_door_of_those_who_were_stopped(mina, appealed, rex, ada):
    for somebody in (rex, ada):
        refused(409, "has just changed", sanctions.lift, mina, by=somebody, words=BACK)


def test_who_has_left_is_not_approved(mina, rex):
    accounts.called("mina@example.com").is_active = False
    refused(409, "closed this account", verdicts.settle, mina, Vetting.APPROVED, by=rex)


def test_who_waits_can_be_closed_for_good_and_does_not_apply_again(mina, rex, ada):
    sanctions.propose_ban(mina, by=rex, reason="forged", words=BAN["words"])
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    assert (mina.vetting, mina.banned_at is not None) == ("refused", True)
    assert verdicts.can_object(mina)  # against the ban itself
    refused(409, "closed for good", claims_and_moves, mina, rex)


def claims_and_moves(seller, by):
    from shop import sellers

    sellers.move(seller, Vetting.WAITING, by=by, note="again")


def test_nobody_is_banned_while_their_appeal_waits(appealed, mina, ada):
    refused(409, "Decide on that first", sanctions.propose_ban, mina, by=ada, **{**BAN, "reason": "forged"})


def test_money_waits_when_two_say_so_until_it_is_released(selling, rex, ada):
    from shop.payouts import payee

    sanctions.propose_payout_stop(selling, by=rex, **HOLD)
    assert selling.payouts_stopped_at is None
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    assert selling.payouts_stopped_at is not None
    assert payee(selling.profile.user_id).is_held
    refused(409, "waits already", sanctions.propose_payout_stop, selling, by=rex, **HOLD)
    sanctions.release_payouts(selling, by=rex, words=BACK)
    assert (selling.payouts_stopped_at, payee(selling.profile.user_id).is_held) == (None, False)
    refused(409, "Nothing of theirs waits", sanctions.release_payouts, selling, by=rex, words=BACK)
    assert [row.verdict for row in statements.of(selling)] == ["payouts_released", "payouts_stopped"]


# Reasons


def test_every_reason_is_said_in_both_languages_and_rests_on_something():
    for code, reason in reasons.ALL.items():
        assert (reason.code, set(reason.said), bool(reason.rule)) == (code, {"nl", "en"}, True)
    assert set(reasons.NAMES) == {str(item) for item in Item}


def test_every_verdict_has_a_subject_for_its_mail(app):
    words = app.jinja_env.get_template("email/statement_words.html").module
    assert all(words.subject(str(verdict)).strip() for verdict in Verdict)


# Closing for good with notice (P2B art. 4(2))

LATE = {"reason": "not_sent", "words": Words(en="Forty parcels were never sent.")}


def closed(selling, rex, ada, why=LATE):
    sanctions.propose_ban(selling, by=rex, **why)
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    db.session.commit()
    return statements.of(selling)[0]


def hands_of_the_clock(selling):
    sanctions.close_what_was_announced()
    db.session.commit()
    db.session.refresh(selling)
    return selling.vetting, selling.banned_at is not None, selling.closes_at is not None


def test_who_sells_has_thirty_days_between_the_statement_and_the_end(selling, rex, ada, letters, pass_time):
    made = closed(selling, rex, ada)
    notice = made.effective_at - made.at
    assert (made.verdict, timedelta(days=30) <= notice <= sanctions.NOTICE) == ("banned", True)
    assert hands_of_the_clock(selling) == ("approved", False, True)
    refused(409, "closed for good already", sanctions.propose_ban, selling, by=rex, **LATE)
    db.session.commit()
    told = [letter.get_body(("plain",)).get_content() for letter in letters() if letter["To"] == "mina@example.com"]
    assert len([words for words in told if "It holds from" in words and "Forty parcels" in words]) == 1
    pass_time(days=29, hours=23)
    assert hands_of_the_clock(selling) == ("approved", False, True)
    pass_time(hours=2)
    assert hands_of_the_clock(selling) == ("suspended", True, False)
    assert selling.vetting_note.said("en").endswith("Forty parcels were never sent.")
    at = selling.banned_at
    pass_time(days=1)
    assert (hands_of_the_clock(selling), selling.banned_at) == (("suspended", True, False), at)
    assert len(statements.of(selling)) == 1  # the reasons were told when it was announced


def test_an_appeal_that_is_granted_in_time_leaves_everything_as_it_was(selling, rex, ada, olga, pass_time):
    made = closed(selling, rex, ada)
    appeals.lodge(made.code, by=owner_of(selling), words="The carrier had lost all of them.")
    appeals.decide(made.code, AppealOutcome.GRANTED, by=olga, words=BACK)
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    db.session.commit()
    pass_time(days=31)
    assert hands_of_the_clock(selling) == ("approved", False, False)


def test_sales_that_were_stopped_stay_stopped_during_the_notice(selling, rex, ada, pass_time):
    sanctions.suspend(selling, by=rex, **STOP)
    closed(selling, rex, ada)
    assert hands_of_the_clock(selling) == ("suspended", False, True)
    pass_time(days=31)
    assert hands_of_the_clock(selling) == ("suspended", True, False)


@pytest.mark.parametrize("reason", sorted(reasons.BANS))
def test_only_what_the_law_excepts_closes_a_shop_at_once(selling, rex, ada, reason):
    closed(selling, rex, ada, {**LATE, "reason": reason})
    at_once = {"untrue", "forged", "seen_before", "not_complete", "unsafe_goods", "counterfeit_goods", "facts_changed"}
    assert (selling.banned_at is not None) == (reason in at_once | {"repeatedly"})
    assert (selling.closes_at is None) == (reason in at_once | {"repeatedly"})
