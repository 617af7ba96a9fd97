"""What was told to sell here is kept as long as it is said beside the field, and not a day longer."""

import pytest
from sqlalchemy import func, select, update

from shop import (
    accounts,
    appeals,
    clock,
    disputes,
    forgetting,
    marks,
    papers,
    payees,
    proposals,
    sanctions,
    sellers,
    tax_facts,
    verdicts,
)
from shop.checklist import Item, State, of
from shop.database import db
from shop.gateways.payment_port import DisputeReport, DisputeState
from shop.models import (
    AppealOutcome,
    BankAccount,
    Paper,
    PaymentAttempt,
    Role,
    Seller,
    SellerMark,
    Statement,
    Vetting,
)
from shop.money import Money
from shop.words import Words
from tests.applicants import a_person, an_applicant, fix, taken
from tests.bookkeeping import bought

pytestmark = pytest.mark.usefixtures("at_the_desk")
WHY = Words(en="The third time this year.")


@pytest.fixture
def rex(app, at_the_desk):
    return a_person("rex", Role.MODERATOR)


@pytest.fixture
def ada(app, at_the_desk):
    return a_person("ada", Role.ADMIN)


@pytest.fixture
def selling(app, at_the_desk):
    """Mina sells, and her marks are kept."""
    mina = an_applicant(vetting=Vetting.APPROVED, decided_at=clock.now())
    marks.keep(mina)
    db.session.commit()
    return mina


def owner_of(seller):
    return accounts.as_actor(accounts.called(f"{seller.profile.handle}@example.com"))


def ban(seller, rex, ada):
    sanctions.propose_ban(seller, by=rex, reason="repeatedly", words=WHY)
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    db.session.commit()


def leave(seller, _rex, _ada):
    sellers.leave(owner_of(seller))
    db.session.commit()


def clean():
    """What the shop does by itself every hour and every day."""
    papers.shred_what_is_due()
    payees.shred_due()
    tax_facts.forget_due()
    forgetting.forget_what_was_left()
    db.session.commit()
    db.session.expire_all()


def left(seller):
    """Papers that can be read, accounts that can be opened, and what was told."""
    sealed = db.session.scalar(select(func.count(Paper.id)).where(Paper.wrapped_key.is_not(None)))
    numbers = db.session.scalar(select(func.count(BankAccount.id)).where(BankAccount.wrapped_key.is_not(None)))
    return sealed, numbers, seller.legal_name, seller.phone, seller.street


ALL = (2, 1, "Mina de Vries", "+31 30 123 45 67", "Oudegracht 1")
NOTHING = (0, 0, "", "", "")


def kept():
    return [db.session.scalar(select(func.count()).select_from(one)) for one in (SellerMark, Statement)]


@pytest.mark.parametrize("ends", [ban, leave])
def test_six_months_after_a_shop_has_ended_all_that_was_told_goes_and_marks_and_reasons_stay(
    selling, rex, ada, pass_time, ends
):
    ends(selling, rex, ada)
    before = kept()
    pass_time(days=182)
    clean()
    assert left(selling) == ALL
    pass_time(days=2)
    clean()
    assert left(selling) == NOTHING
    assert (selling.vetting, selling.email, selling.country) == ("suspended", "", "NL")
    assert kept() == before
    assert before[0] >= 3


def test_who_was_stopped_has_not_ended_and_keeps_what_they_told(selling, rex, pass_time):
    sanctions.suspend(selling, by=rex, reason="not_sent", words=WHY)
    pass_time(days=400)
    clean()
    assert left(selling) == ALL


def test_who_is_let_in_again_after_a_ban_is_not_forgotten(selling, rex, ada, pass_time):
    ban(selling, rex, ada)
    code = db.session.scalar(select(Statement.code).where(Statement.verdict == "banned"))
    appeals.lodge(code, by=owner_of(selling), words="It was my brother who did that.")
    appeals.decide(code, AppealOutcome.GRANTED, by=a_person("olga", Role.MODERATOR), words=WHY)
    proposals.confirm(proposals.waiting(rex)[0].code, by=ada)
    assert (selling.vetting, selling.ended_at) == ("approved", None)
    pass_time(days=400)
    clean()
    assert left(selling) == ALL


def test_while_an_appeal_waits_nothing_goes_and_after_it_all_of_it(selling, rex, ada, pass_time):
    ban(selling, rex, ada)
    pass_time(days=180)
    code = db.session.scalar(select(Statement.code).where(Statement.verdict == "banned"))
    appeals.lodge(code, by=owner_of(selling), words="It was my brother who did that.")
    pass_time(days=30)
    clean()
    assert left(selling) == ALL
    appeals.decide(code, AppealOutcome.DISMISSED, by=a_person("olga", Role.MODERATOR), words=WHY)
    clean()
    assert left(selling) == NOTHING


def test_while_a_bank_takes_a_payment_back_nothing_of_its_seller_goes(mug, pass_time):
    mina = db.session.scalars(select(Seller)).one()
    bought({mug.small: 1})
    code = db.session.scalar(select(PaymentAttempt.gateway_id))
    told = {"id": "du_1", "payment": code, "amount": Money(100, "EUR"), "reason": "fraudulent"}
    disputes.apply(DisputeReport(state=DisputeState.OPEN, **told))
    db.session.execute(update(Seller).values(ended_at=clock.now()))
    db.session.commit()
    pass_time(days=184)
    clean()
    assert mina.legal_name != ""
    disputes.apply(DisputeReport(state=DisputeState.WON, **told))
    clean()
    assert mina.legal_name == ""


def test_who_never_puts_right_what_was_asked_is_forgotten_as_if_refused(app, rex, pass_time):
    mina = an_applicant()
    marks.keep(mina)
    seen = taken(mina, rex)
    fix(mina, rex)
    verdicts.decide(mina, Vetting.NEEDS_FIXING, by=rex, words=Words(), seen=seen)
    db.session.commit()
    before = kept()
    pass_time(days=89)
    clean()
    assert left(mina) == ALL
    pass_time(days=2)
    clean()
    assert left(mina) == (0, *ALL[1:])
    pass_time(days=88)
    clean()
    assert left(mina)[2:] == ALL[2:]
    pass_time(days=2)
    clean()
    assert left(mina) == NOTHING
    assert (mina.vetting, kept()) == ("needs_fixing", before)
    assert {step.state for step in of(mina)} == {State.MISSING}  # who comes back tells it anew
    assert Item.CONTACT in [step.item for step in of(mina)]


def test_the_papers_of_who_leaves_before_they_sold_go_after_ninety_days(app, pass_time):
    mina = an_applicant()
    leave(mina, None, None)
    pass_time(days=89)
    clean()
    assert left(mina) == ALL
    pass_time(days=2)
    clean()
    assert left(mina)[0] == 0
    pass_time(days=93)
    clean()
    assert left(mina) == NOTHING
