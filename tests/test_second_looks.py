"""One verdict in twenty is decided anew by somebody who does not see the first one; nothing changes for the seller."""

import pytest
from sqlalchemy import func, select

from shop import clock, second_looks, statements
from shop.checklist import State
from shop.database import db
from shop.errors import NotFound, Refused
from shop.models import AuditEntry, Role, SecondLook, Seller, Verdict, Vetting
from shop.words import Words
from tests.applicants import a_person, accept_all, an_applicant
from tests.cast import a_seller

BECAUSE = "All that was told fits what the register says."


@pytest.fixture
def rex(at_the_desk):
    return a_person("rex", Role.MODERATOR)


@pytest.fixture
def ada(at_the_desk):
    return a_person("ada", Role.ADMIN)


def judged(handle, by, verdict=Verdict.APPROVED):
    seller = a_seller(handle, handle.title())
    db.session.add(seller)
    db.session.flush()
    return statements.write(seller, verdict, by=by, is_told=False)


def drawn():
    second_looks.draw()
    db.session.commit()
    return db.session.scalar(select(func.count()).select_from(SecondLook))


def one():
    return db.session.scalars(select(SecondLook)).one()


@pytest.mark.parametrize(("verdicts", "looks"), [(0, 0), (1, 1), (20, 1), (21, 2), (60, 3)])
def test_one_in_twenty_is_drawn_and_one_at_least(rex, verdicts, looks):
    for n in range(verdicts):
        judged(f"seller{n}", rex)
    assert drawn() == looks
    assert drawn() == looks  # however often it is asked


def test_what_is_old_automatic_or_judged_again_is_not_drawn(rex, pass_time):
    judged("old", rex)
    pass_time(days=8)
    judged("machine", None)
    judged("banned", rex, Verdict.BANNED)
    again = judged("again", rex, Verdict.ASKED)
    seller = db.session.get_one(Seller, again.seller_id)
    last = statements.write(seller, Verdict.APPROVED, by=rex, is_told=False)
    assert drawn() == 1
    assert one().statement_id == last.id


def test_it_waits_for_somebody_else_who_sees_nothing_of_the_first_verdict(rex, ada):
    seller = an_applicant()
    accept_all(seller, rex)
    statements.write(seller, Verdict.REFUSED, by=rex, words=Words(en="I do not like mugs."), is_told=False)
    drawn()
    assert [row.name for row in second_looks.waiting(ada)] == ["Atelier Mina"]
    assert second_looks.waiting(rex) == []
    with pytest.raises(NotFound):
        second_looks.called(one().code, rex)
    steps = second_looks.blind(seller)
    assert {step.state for step in steps} == {State.GIVEN}
    assert {(step.reason, dict(step.words).get("en", "")) for step in steps} == {("", "")}


@pytest.mark.parametrize(("verdict", "is_alike"), [("approved", True), ("refused", False)])
def test_what_the_second_one_says_is_kept_and_changes_nothing_for_the_seller(rex, ada, verdict, is_alike):
    seller = db.session.get_one(Seller, judged("mina", rex).seller_id)
    drawn()
    assert second_looks.give(one().code, verdict, by=ada, words=BECAUSE) is is_alike
    db.session.commit()
    assert (one().verdict, one().looked_by_id, one().looked_at is not None) == (verdict, ada.id, True)
    assert (seller.vetting, [row.verdict for row in statements.of(seller)]) == (Vetting.APPROVED, ["approved"])
    assert [tuple(row) for row in second_looks.agreement()] == [("Rex", 1, 1, int(is_alike))]
    assert db.session.scalars(select(AuditEntry.action)).all() == ["second look"]
    with pytest.raises(NotFound):
        second_looks.give(one().code, "refused", by=ada, words=BECAUSE)


@pytest.mark.parametrize(("verdict", "words"), [("banned", BECAUSE), ("", BECAUSE), ("approved", "ok")])
def test_a_second_look_is_a_verdict_with_a_reason(rex, ada, verdict, words):
    judged("mina", rex)
    drawn()
    with pytest.raises(Refused) as no:
        second_looks.give(one().code, verdict, by=ada, words=words)
    db.session.rollback()
    assert (no.value.status, one().verdict) == (422, None)


def test_the_page_says_nothing_of_the_first_verdict_and_the_figures_are_for_the_admin(app, signed_in_as):
    clients = {name: signed_in_as(name, role) for name, role in (("olga", Role.MODERATOR), ("ada", Role.ADMIN))}
    with app.test_request_context(method="POST"):
        rex, seller = a_person("rex", Role.MODERATOR), an_applicant()
        why = Words(en="I do not like mugs.")
        statements.write(seller, Verdict.REFUSED, by=rex, words=why, is_told=False)
        seller.vetting, seller.decided_at = Vetting.REFUSED, clock.now()
        drawn()
        code = one().code
    page = clients["olga"].get(f"/moderation/second-looks/{code}").text
    assert "Mugs and bowls that I turn myself." in page
    assert [word for word in ("Refused", "I do not like", "Rex") if word in page] == []
    empty = clients["olga"].post(f"/moderation/second-looks/{code}", data={})
    assert (empty.status_code, "Choose what you would have decided." in empty.text) == (422, True)
    told = {"verdict": "approved", "words": BECAUSE}
    assert clients["olga"].post(f"/moderation/second-looks/{code}", data=told).location.endswith("?done=other")
    assert "How often two decide alike" not in clients["olga"].get("/moderation/second-looks").text
    figures = clients["ada"].get("/moderation/second-looks").text
    assert "0 (0 %)" in figures
