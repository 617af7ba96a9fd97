"""Where shares go to: who may be paid, what the gateway is told about them, and what it says."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shop import accounts, clock, gateways, ledger, payouts, refunds
from shop.database import db
from shop.errors import NotFound
from shop.gateways.payment_port import AccountReport, RejectedError, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import Address, Job, PayoutAccount, Profile, Seller, SellerKind
from shop.payouts import Payee, Standing
from tests.applicants import account_of
from tests.bookkeeping import bought
from tests.cast import a_profile
from tests.listening import listen

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def mina(mug, signed_in_as):
    """Mina's profile; she has signed in, and asked for nothing yet."""
    signed_in_as("mina")
    profile = db.session.scalars(select(Profile)).one()
    profile.user_id = accounts.called("mina@example.com").id
    db.session.commit()
    return profile


@pytest.fixture
def kai(mug, signed_in_as):
    """Kai films, and sells nothing."""
    signed_in_as("kai")
    profile = a_profile("kai", "Kai", user_id=accounts.called("kai@example.com").id)
    db.session.add(profile)
    db.session.commit()
    return profile


def opened(profile):
    """This profile has an account with the gateway; gives the row."""
    account = payouts.open_account(profile.user_id)
    db.session.commit()
    payouts.introduce(account)
    db.session.commit()
    return kept(account)


def kept(account):
    return db.session.get(PayoutAccount, account, populate_existing=True)


def made(how, code):
    """At the gateway this account becomes active, or restricted; nobody has told the shop yet."""
    db.session.commit()
    getattr(gateways.payment(), how)(code)


# Who is paid


def test_who_has_a_window_and_no_account_yet_is_known_without_one(mina, kai):
    seller = db.session.scalar(select(Seller.id))
    assert payouts.payee(mina.user_id) == Payee(mina.id, "mina", "Atelier Mina", seller, None, None, "", (), "approved")
    assert payouts.payee(kai.user_id) == Payee(kai.id, "kai", "Kai", None, None, None, "", (), "")


def test_who_has_an_account_sees_how_it_stands_and_what_is_wanted(mina, kai):
    opened(kai)
    row = opened(mina)
    seller = db.session.scalar(select(Seller.id))
    assert row.wanted
    wanted = tuple(row.wanted)
    expected = Payee(mina.id, "mina", "Atelier Mina", seller, row.id, row.gateway_id, "pending", wanted, "approved")
    assert payouts.payee(mina.user_id) == expected


def test_whose_payouts_two_people_stopped_is_known_as_held(mina):
    assert payouts.payee(mina.user_id).is_held is False
    db.session.execute(update(Seller).values(payouts_stopped_at=clock.now()))
    assert payouts.payee(mina.user_id).is_held is True


def test_whose_bank_account_was_changed_knows_until_when_nothing_is_sent(mina, pass_time):
    until = clock.now() + timedelta(days=7)
    account = account_of(db.session.scalars(select(Seller)).one())
    account.frozen_until = until
    db.session.add(account)
    db.session.flush()
    assert payouts.payee(mina.user_id).frozen_until == until
    pass_time(days=8)
    assert payouts.payee(mina.user_id).frozen_until is None


def test_who_has_no_window_is_told_that_there_is_nothing(mina, noor):
    with pytest.raises(NotFound) as refusal:
        payouts.payee(noor.id)
    assert refusal.value.words == "There is nothing here to be paid for."
    with pytest.raises(NotFound):
        payouts.open_account(noor.id)
    assert db.session.scalar(select(func.count(PayoutAccount.id))) == 0


# What the gateway is told


@pytest.mark.parametrize(
    ("kind", "is_business"), [(SellerKind.BUSINESS, True), (SellerKind.BRAND, True), (SellerKind.INDIVIDUAL, False)]
)
def test_a_company_is_a_business_and_a_person_is_not(mina, kind, is_business):
    db.session.execute(update(Seller).values(kind=kind))
    assert kept(payouts.open_account(mina.user_id)).request["is_business"] is is_business


def test_a_creator_is_asked_for_under_their_own_name_at_their_own_address(kai):
    home = {"street": "Meir", "house_number": "1", "postcode": "2000", "city": "Antwerpen", "country": "BE"}
    db.session.add(Address(user_id=kai.user_id, name="Kai", **home))
    db.session.flush()
    row = kept(payouts.open_account(kai.user_id))
    assert row.request == {
        "key": f"acct:{kai.id}:sandbox:1",
        "seller": "kai",
        "name": "Kai",
        "email": "kai@example.com",
        "country": "BE",
        "is_business": False,
    }


def test_whose_address_nobody_knows_lives_at_home(kai):
    assert kept(payouts.open_account(kai.user_id)).request["country"] == "NL"


def test_a_new_account_is_written_down_before_the_gateway_hears_of_it(mina, pass_time):
    pass_time(days=1)
    row = kept(payouts.open_account(mina.user_id))
    assert (row.profile_id, row.gateway, row.gateway_id, row.state, row.wanted) == (
        mina.id,
        "sandbox",
        None,
        "pending",
        [],
    )
    assert (row.opened_at, row.changed_at) == (clock.now(), clock.now())


def test_asking_again_changes_nothing(mina, pass_time):
    row = opened(mina)
    before = (row.id, row.request, row.gateway_id, row.wanted, row.opened_at, row.changed_at)
    db.session.execute(update(Seller).values(legal_name="Mina Holding B.V."))
    pass_time(days=1)
    again = opened(mina)
    assert (again.id, again.request, again.gateway_id, again.wanted, again.opened_at, again.changed_at) == before


def test_the_gateway_is_asked_for_exactly_what_was_written_down(mina, monkeypatch):
    asked = []
    real = SandboxGateway.open_account
    monkeypatch.setattr(
        SandboxGateway, "open_account", lambda self, request: asked.append(request) or real(self, request)
    )
    row = opened(mina)
    [request] = asked
    assert asdict(request) == row.request


def test_an_account_that_was_turned_down_is_asked_for_anew_with_what_is_so_by_now(mina, monkeypatch, pass_time):
    def rejects(_self, _request):
        raise RejectedError("email_invalid")

    for number in (1, 2):
        account = payouts.open_account(mina.user_id)
        db.session.commit()
        pass_time(seconds=5)
        with monkeypatch.context() as closed:
            closed.setattr(SandboxGateway, "open_account", rejects)
            with pytest.raises(RejectedError):
                payouts.introduce(account)
        db.session.commit()
        row = kept(account)
        assert (row.request["key"], row.gateway_id) == (f"acct:{mina.id}:sandbox:{number}", None)
        assert (row.wanted, row.state, row.changed_at) == (["email_invalid"], "pending", clock.now())
        pass_time(seconds=5)
    db.session.execute(update(Seller).values(email="post@mina.example"))
    row = opened(mina)
    assert (row.request["key"], row.request["email"]) == (f"acct:{mina.id}:sandbox:3", "post@mina.example")
    assert row.gateway_id.startswith("sbx_acct_")
    assert db.session.scalar(select(func.count(PayoutAccount.id))) == 1


def test_a_key_of_before_keys_had_numbers_is_the_first(mina, pass_time):
    account = payouts.open_account(mina.user_id)
    row = kept(account)
    row.request, row.wanted = {**row.request, "key": f"acct:{mina.id}:sandbox"}, ["email_invalid"]
    db.session.commit()
    pass_time(seconds=5)
    assert payouts.open_account(mina.user_id) == account
    assert kept(account).request["key"] == f"acct:{mina.id}:sandbox:2"


def test_who_is_turned_down_while_somebody_else_opened_the_account_changes_nothing_of_it(mina, monkeypatch):
    account = payouts.open_account(mina.user_id)
    db.session.commit()

    def quicker(_self, _request):
        db.session.execute(update(PayoutAccount).values(gateway_id="acct_quick", state="active"))
        db.session.commit()
        raise RejectedError("email_invalid")

    monkeypatch.setattr(SandboxGateway, "open_account", quicker)
    with pytest.raises(RejectedError):
        payouts.introduce(account)
    assert (kept(account).gateway_id, kept(account).state, kept(account).wanted) == ("acct_quick", "active", [])


def test_an_account_that_nobody_answered_for_is_asked_for_with_the_same_key(mina, monkeypatch):
    def silent(_self, _request):
        raise UnreachableError

    account = payouts.open_account(mina.user_id)
    before = kept(account).request
    db.session.commit()
    with monkeypatch.context() as away:
        away.setattr(SandboxGateway, "open_account", silent)
        with pytest.raises(UnreachableError):
            payouts.introduce(account)
    db.session.execute(update(Seller).values(email="post@mina.example"))
    assert opened(mina).request == before


def test_an_account_that_does_not_exist_is_a_mistake_of_ours(mina):
    with pytest.raises(LookupError, match=r"^there is no payout account 404$"):
        payouts.introduce(404)


def test_the_gateways_page_knows_the_way_back(mina, monkeypatch):
    row = opened(mina)
    asked = []
    monkeypatch.setattr(
        SandboxGateway, "onboarding_link", lambda _self, account, **ways: asked.append((account, ways)) or "/there"
    )
    assert payouts.onboarding_link(row.id, again="/again", back="/back") == "/there"
    assert asked == [(row.gateway_id, {"again_path": "/again", "return_path": "/back"})]


# What the gateway says


def test_what_the_gateway_says_last_is_kept_with_its_moment(mina, pass_time):
    row = opened(mina)
    account, code, since = row.id, row.gateway_id, row.opened_at
    made("restrict", code)
    pass_time(hours=3)
    assert payouts.look_at_account(code) is True
    row = kept(account)
    assert (row.state, row.changed_at, row.opened_at, row.gateway_id) == ("restricted", clock.now(), since, code)
    made("activate", code)
    payouts.look_at_account(code)
    assert (kept(account).state, kept(account).wanted) == ("active", [])


def test_what_is_said_about_one_account_touches_no_other(mina, kai):
    mine, theirs = opened(mina), opened(kai)
    wanted = list(theirs.wanted)
    made("activate", mine.gateway_id)
    payouts.look_at_account(mine.gateway_id)
    assert (kept(mine.id).state, kept(theirs.id).state, kept(theirs.id).wanted) == ("active", "pending", wanted)


def test_an_account_that_is_opened_touches_no_other_that_waits_to_be(mina, kai):
    waits = payouts.open_account(kai.user_id)
    opened(mina)
    assert (kept(waits).gateway_id, kept(waits).wanted) == (None, [])


def test_an_account_that_is_turned_down_touches_no_other_that_waits_to_be_opened(mina, kai, monkeypatch):
    def rejects(_self, _request):
        raise RejectedError("email_invalid")

    waits, mine = payouts.open_account(kai.user_id), payouts.open_account(mina.user_id)
    db.session.commit()
    monkeypatch.setattr(SandboxGateway, "open_account", rejects)
    with pytest.raises(RejectedError):
        payouts.introduce(mine)
    assert (kept(mine).wanted, kept(waits).wanted) == (["email_invalid"], [])


def test_an_account_with_another_gateway_is_none_of_ours(mina):
    row = opened(mina)
    db.session.execute(update(PayoutAccount).values(gateway="stripe"))
    assert payouts.look_at_account(row.gateway_id) is False


def test_a_gateway_that_speaks_of_another_account_is_not_believed(mina, monkeypatch):
    row = opened(mina)
    account, code = row.id, row.gateway_id
    monkeypatch.setattr(
        SandboxGateway, "get_account", lambda _self, _code: AccountReport(id="acct_other", state="active", wanted=())
    )
    told = []
    monkeypatch.setattr(payouts, "alert", lambda kind, **facts: told.append((kind, facts)))
    payouts.look_at_account(code)
    assert (kept(account).gateway_id, kept(account).state) == (code, "pending")
    assert told == [("misfit_call", {"account": account, "gateway_id": "acct_other"})]


def test_a_gateway_that_is_believed_makes_no_noise(mina, monkeypatch):
    told = listen(monkeypatch, payouts)
    monkeypatch.setattr(payouts, "alert", lambda kind, **_facts: told.append(kind))
    payouts.look_at_account(opened(mina).gateway_id)
    assert told == []


def test_a_gateway_that_does_not_answer_is_asked_again_by_the_clock(mina, monkeypatch):
    row = opened(mina)
    account, code = row.id, row.gateway_id

    def silent(_self, _code):
        raise UnreachableError("no answer")

    told = listen(monkeypatch, payouts)
    with monkeypatch.context() as deaf:
        deaf.setattr(SandboxGateway, "get_account", silent)
        payouts.look_again(code)
    assert [(one["event"], one["gateway_id"], one["log_level"]) for one in told] == [
        ("the gateway does not say how an account stands", code, "warning")
    ]
    assert "UnreachableError" in told[0]["error"]
    assert kept(account).state == "pending"
    made("activate", code)
    payouts.look_again(code)
    assert kept(account).state == "active"


def test_the_clock_asks_about_those_who_may_not_be_paid_yet_and_nobody_else(mina, kai):
    done, waiting = opened(mina), opened(kai)
    made("activate", done.gateway_id)
    payouts.look_at_account(done.gateway_id)
    db.session.execute(Job.__table__.delete())
    payouts.look_at_unfinished()
    asked = db.session.execute(select(Job.handler, Job.arguments)).all()
    assert [tuple(job) for job in asked] == [("shop.payouts.look_again", {"gateway_id": waiting.gateway_id})]


# How somebody stands


def test_who_sold_nothing_has_nothing_coming(mina):
    assert payouts.standing("seller", 1) == Standing(0, 0, 0, 0)


def test_a_share_waits_until_its_day_and_may_leave_on_it(mug, mina, pass_time):
    bought({mug.small: 1})
    seller = db.session.scalar(select(Seller.id))
    share = ledger.balance("seller", seller)
    assert share > 0
    assert payouts.standing("seller", seller) == Standing(0, share, 0, 0)
    pass_time(days=18)
    assert payouts.standing("seller", seller) == Standing(share, 0, 0, 0)
    assert payouts.standing("creator", seller) == Standing(0, 0, 0, 0)


def test_a_share_of_which_a_part_went_back_is_what_is_left(mug, mina, pass_time):
    _purchase, order = bought({mug.small: 1})
    refunds.give(order, 1000)
    seller = db.session.scalar(select(Seller.id))
    left = ledger.balance("seller", seller)
    pass_time(days=18)
    assert payouts.standing("seller", seller) == Standing(left, 0, 0, 0)
