"""Shares leave when they are due, once, and come back when money goes back; what cannot is owed and netted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shop import clock, gateways, ledger, payouts, refunds, reversals, transfers
from shop.database import db, let_go
from shop.errors import NotFound
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import RejectedError, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import Order, PayoutAccount, Profile, Reversal, SandboxObject, Seller, Transfer, User, Vetting
from shop.payouts import Standing
from tests.bookkeeping import accounts, bought, give, journals, order_of, payable, payable_profile, send_due
from tests.till import news, states

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture(autouse=True)
def the_gateway_is_cheap(monkeypatch):
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


@pytest.fixture
def mina(mug):
    """Mina, who may be paid; gives her id as a seller."""
    seller = db.session.scalar(select(Seller.id))
    payable(seller)
    return seller


def sent():
    rows = select(Transfer.state, Transfer.amount).order_by(Transfer.id).execution_options(populate_existing=True)
    return [(state, amount.minor) for state, amount in db.session.execute(rows)]


def back():
    rows = select(Reversal).order_by(Reversal.id).execution_options(populate_existing=True)
    return [(row.state, row.amount.minor, row.netted_minor, row.is_callable) for row in db.session.scalars(rows)]


def at_the_gateway(kind):
    rows = select(SandboxObject.body).where(SandboxObject.kind == kind).order_by(SandboxObject.created_at)
    return [dict(body) for body in db.session.scalars(rows)]


# When a share leaves


def test_a_share_leaves_fourteen_days_after_the_last_day_of_its_delivery(mug, mina, pass_time):
    purchase, order = bought({mug.small: 1})
    due = db.session.scalar(select(Transfer.due_at))
    assert due == db.session.get(Order, order).deliver_until + timedelta(days=14)
    pass_time(days=16, hours=23)
    send_due()
    assert (sent(), payouts.standing("seller", mina)) == ([("waiting", 0)], Standing(0, 2722, 0, 0))
    pass_time(hours=2)
    assert payouts.standing("seller", mina) == Standing(2722, 0, 0, 0)
    for _time in range(2):
        send_due()
    assert sent() == [("done", 2722)]
    assert journals()["transfer"] == {"seller": -2722, "gateway": 2722}
    assert (ledger.balance("seller", mina), payouts.standing("seller", mina)) == (0, Standing(0, 0, 2722, 0))
    [there] = at_the_gateway("transfer")
    code = db.session.get(Order, order).code
    assert (there["amount"], there["metadata"]["order"]) == (2722, code)
    request = db.session.scalar(select(Transfer.request))
    assert (request["key"], request["order"]) == (f"co:{purchase}:transfer:{order}", code)


def test_ten_workers_at_once_send_a_share_once(app, mug, mina, pass_time):
    bought({mug.small: 1})
    pass_time(days=18)
    transfer = db.session.scalar(select(Transfer.id))
    db.session.commit()

    def work(_n):
        with app.test_request_context(method="POST"):
            transfers.send(transfer)
            db.session.commit()

    with ThreadPoolExecutor(10) as crowd:
        list(crowd.map(work, range(10)))
    assert (sent(), len(at_the_gateway("transfer"))) == ([("done", 2722)], 1)
    assert ledger.balance("seller", mina) == 0


def test_sellers_and_creators_each_get_their_own(mug, lamp, mina, kais, pass_time):
    payable_profile(kais)
    purchase, order = bought({mug.small: 1, lamp.oak: 1}, creators={mug.small: kais})
    pass_time(days=18)
    send_due()
    # Lars has no account yet: his share stays payable
    assert sent() == [("done", 2477), ("done", 245), ("waiting", 0)]
    keys = [request["key"] for request in db.session.scalars(select(Transfer.request).order_by(Transfer.id)) if request]
    assert keys == [f"co:{purchase}:transfer:{order}", f"co:{purchase}:transfer:{order}:{kais}"]
    payable(lamp.seller)
    send_due()
    assert sent()[2] == ("done", 4995 - 250 + 395)
    assert accounts() == {"gateway": -(102 + 21 + 250), "platform": 102 + 207, "tax": 21 + 43}


@pytest.mark.parametrize("state", ["pending", "restricted"])
def test_nothing_is_sent_to_an_account_that_is_not_active(mug, mina, pass_time, state):
    bought({mug.small: 1})
    news()  # else what the gateway has to say of the account comes later, and is believed
    db.session.execute(update(PayoutAccount).values(state=state))
    db.session.commit()
    pass_time(days=18)
    send_due()
    assert sent() == [("waiting", 0)]
    transfers.send(db.session.scalar(select(Transfer.id)))
    assert sent() == [("waiting", 0)]


def test_nothing_is_sent_to_who_was_stopped_or_is_gone(mug, mina, pass_time):
    bought({mug.small: 1})
    pass_time(days=18)
    db.session.execute(update(Seller).values(vetting=Vetting.SUSPENDED))
    db.session.commit()
    send_due()
    db.session.execute(update(Seller).values(vetting=Vetting.APPROVED))
    db.session.execute(update(User).values(is_active=False))
    db.session.commit()
    send_due()
    assert sent() == [("waiting", 0)]
    db.session.execute(update(User).values(is_active=True))
    db.session.commit()
    send_due()
    assert sent() == [("done", 2722)]


def test_nothing_is_sent_to_whose_payouts_two_people_stopped_until_they_are_released(mug, mina, pass_time):
    bought({mug.small: 1})
    db.session.execute(update(Seller).values(payouts_stopped_at=clock.now()))
    pass_time(days=18)
    send_due()
    assert sent() == [("waiting", 0)]
    db.session.execute(update(Seller).values(payouts_stopped_at=None))
    send_due()
    assert sent() == [("done", 2722)]


def test_a_share_of_what_went_back_before_is_the_rest(mug, mina, pass_time):
    _purchase, order = bought({mug.small: 1})
    give(order, 1000)
    news()
    pass_time(days=18)
    send_due()
    assert (sent(), back()) == ([("done", 1765)], [])
    _whole, other = bought({mug.small: 1})
    give(other)
    news()
    pass_time(days=18)
    send_due()
    assert (sent()[1], len(at_the_gateway("transfer"))) == (("done", 0), 1)


def test_who_hears_nothing_asks_again_for_the_very_same(mug, mina, monkeypatch, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)
    really, asked = SandboxGateway.transfer, []

    def lost(self, request):
        asked.append(request)
        really(self, request)
        raise UnreachableError

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "transfer", lost)
        transfers.send_due()
        db.session.commit()
        news()
    assert (sent(), accounts().get("seller")) == ([("sending", 2722)], None)
    give(order, 1000)  # meanwhile money goes back
    pass_time(minutes=11)
    send_due()
    assert (sent(), len(at_the_gateway("transfer"))) == ([("done", 2722)], 1)
    pass_time(minutes=11)
    reversals.call_due()
    news()
    assert back() == [("done", 957, 0, True)]
    assert ledger.balance("seller", mina) == 0


def test_a_transfer_of_which_the_key_is_a_day_old_is_left_to_a_person(mug, mina, monkeypatch, pass_time):
    bought({mug.small: 1})
    pass_time(days=18)
    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "transfer", lambda *_given: (_ for _ in ()).throw(UnreachableError()))
        transfers.send_due()
        db.session.commit()
        news()
    db.session.execute(update(Transfer).values(changed_at=clock.now() - timedelta(hours=23, minutes=1)))
    db.session.commit()
    transfers.send_due()
    db.session.commit()
    assert (sent(), at_the_gateway("transfer")) == ([("sending", 2722)], [])


def loses_its_answer(patch, name):
    """The gateway does what it is asked, and nobody hears of it."""
    really = getattr(SandboxGateway, name)

    def lost(self, *given, **how):
        really(self, *given, **how)
        raise UnreachableError

    patch.setattr(SandboxGateway, name, lost)


def test_a_job_that_waited_until_its_key_was_forgotten_sends_nothing_twice(mug, lamp, mina, monkeypatch, pass_time):
    bought({mug.small: 1, lamp.oak: 1})
    pass_time(days=18)
    with monkeypatch.context() as broken:
        loses_its_answer(broken, "transfer")
        send_due()
    pass_time(hours=25)
    news()
    assert [there["amount"] for there in at_the_gateway("transfer")] == [2722]
    assert sent() == [("sending", 2722), ("waiting", 0)]


def test_a_job_that_waited_until_its_key_was_forgotten_takes_nothing_back_twice(mug, mina, monkeypatch, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    with monkeypatch.context() as broken:
        loses_its_answer(broken, "reverse_transfer")
        give(order, 1000)
        news()
    pass_time(hours=25)
    news()
    assert [there["amount_reversed"] for there in at_the_gateway("transfer")] == [957]
    assert back() == [("wanted", 957, 0, True)]


def test_what_the_gateway_turns_down_is_payable_again_and_asked_anew_tomorrow(mug, mina, monkeypatch, pass_time):
    purchase, order = bought({mug.small: 1})
    pass_time(days=18)

    def refuse(self, request):
        raise RejectedError("balance_insufficient")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "transfer", refuse)
        send_due()
    assert (sent(), ledger.balance("seller", mina)) == ([("waiting", 0)], 2722)
    assert db.session.scalar(select(Transfer.last_error)) == "balance_insufficient"
    assert journals()["untransfer"] == {"seller": 2722, "gateway": -2722}
    give(order, 1000)
    news()
    assert back() == []
    pass_time(hours=23)
    send_due()
    assert sent() == [("waiting", 0)]
    pass_time(hours=2)
    send_due()
    assert (sent(), db.session.scalar(select(Transfer.last_error))) == ([("done", 1765)], "")
    assert db.session.scalar(select(Transfer.request))["key"] == f"co:{purchase}:transfer:{order}:n2"


# What comes back


def test_a_refund_after_the_transfer_takes_the_shares_back(mug, mina, kais, pass_time):
    payable_profile(kais)
    _purchase, order = bought({mug.small: 1}, creators={mug.small: kais})
    pass_time(days=18)
    send_due()
    refund = give(order, reason="returned")
    keys = list(db.session.scalars(select(Reversal.key).order_by(Reversal.id)))
    assert keys == [f"ret:{refund}:reversal:{order}", f"ret:{refund}:reversal:{order}:{kais}"]
    news()
    assert back() == [("done", 2477, 0, True), ("done", 245, 0, True)]
    assert accounts() == {}
    for reversal in states(Reversal.id):
        reversals.reverse(reversal)
    db.session.commit()
    assert accounts() == {}


def test_what_the_seller_does_not_have_any_more_is_owed_and_kept_from_the_next_share(mug, mina, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    code = db.session.scalar(select(PayoutAccount.gateway_id))
    db.session.commit()
    gateways.payment().pay_out(code)
    give(order, reason="returned")
    news()
    assert (back(), payouts.standing("seller", mina)) == ([("owed", 2722, 0, True)], Standing(0, 0, 2722, 2722))
    bought({mug.small: 1})
    _third, _order = bought({mug.large: 1})
    pass_time(days=18)
    send_due()
    assert sent() == [("done", 2722), ("done", 0), ("done", 3150)]
    assert (back(), ledger.balance("seller", mina)) == ([("done", 2722, 2722, True)], 0)
    assert payouts.standing("seller", mina) == Standing(0, 0, 2722 + 3150, 0)


def test_what_is_owed_is_asked_for_again_the_next_day_with_a_new_key(mug, mina, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    code = db.session.scalar(select(PayoutAccount.gateway_id))
    db.session.commit()
    gateways.payment().pay_out(code)
    refund = give(order, 1000)
    news()
    assert back() == [("owed", 957, 0, True)]
    bought({mug.large: 1})
    pass_time(hours=23)
    reversals.call_due()
    news()
    assert states(Reversal.tries) == [1]
    pass_time(days=17)
    with_mina = db.session.scalar(select(Transfer.id).where(Transfer.state == "waiting"))
    db.session.execute(update(Transfer).where(Transfer.id == with_mina).values(due_at=clock.now() + timedelta(days=9)))
    db.session.commit()
    reversals.call_due()
    news()
    assert (back(), states(Reversal.tries)) == ([("owed", 957, 0, True)], [2])
    assert states(Reversal.key) == [f"ret:{refund}:reversal:{order}:n2"]


def test_part_of_a_debt_is_netted_and_the_rest_stays(mug, lamp, mina, pass_time):
    _purchase, order = bought({mug.large: 1})
    pass_time(days=18)
    send_due()
    code = db.session.scalar(select(PayoutAccount.gateway_id))
    db.session.commit()
    gateways.payment().pay_out(code)
    give(order)
    news()
    _second, small = bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    assert back() == [("owed", 3150, 2722, True)]
    give(small)  # of that share nothing was sent: it can only be netted
    news()
    assert back() == [("owed", 3150, 2722, True), ("owed", 2722, 0, False)]
    assert payouts.standing("seller", mina) == Standing(0, 0, 3150, 428 + 2722)
    assert ledger.balance("seller", mina) == -3150


def test_a_share_on_its_way_that_is_turned_down_need_not_come_back(mug, mina, monkeypatch, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)

    def refuse(self, request):
        give(order, 1000)
        let_go()
        raise RejectedError("balance_insufficient")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "transfer", refuse)
        transfers.send(db.session.scalar(select(Transfer.id)))
        db.session.commit()
    news()
    assert back() == [("dropped", 957, 0, True)]
    assert (sent(), ledger.balance("seller", mina)) == ([("waiting", 0)], 1765)


def test_a_reversal_whose_key_is_a_day_old_is_left_to_a_person(mug, mina, monkeypatch, pass_time):
    _purchase, order = bought({mug.small: 1})
    pass_time(days=18)
    send_due()
    refunds.give(order)
    db.session.commit()
    db.session.execute(update(Reversal).values(due_at=clock.now() - timedelta(hours=24)))
    db.session.commit()
    called = []
    monkeypatch.setattr(SandboxGateway, "reverse_transfer", lambda *_given, **_more: called.append(1))
    reversals.call_due()
    db.session.rollback()
    assert called == []


# The account


def test_an_account_is_asked_for_once_with_what_the_shop_knows(mug, signed_in_as):
    signed_in_as("mina")
    user = db.session.scalar(select(User.id))
    db.session.scalar(select(Profile)).user_id = user
    db.session.commit()
    account = payouts.open_account(user)
    assert payouts.open_account(user) == account
    db.session.commit()
    request = db.session.get(PayoutAccount, account).request
    profile = db.session.scalar(select(Profile.id))
    assert request == {
        "key": f"acct:{profile}:sandbox:1",
        "seller": "mina",
        "name": "Atelier Mina B.V.",
        "email": "mina@shop.example",
        "country": "NL",
        "is_business": True,
    }
    for _time in range(2):
        payouts.introduce(account)
        db.session.commit()
    assert len(at_the_gateway("account")) == 1
    payee = payouts.payee(user)
    assert (payee.state, payee.account, "external_account" in payee.wanted) == ("pending", account, True)
    db.session.commit()
    link = payouts.onboarding_link(account, again="/again", back="/back")
    assert link.startswith("/sandbox/")
    gateways.payment().restrict(payee.gateway_id)
    assert payouts.look_at_account(payee.gateway_id) is True
    db.session.commit()
    assert payouts.payee(user).state == "restricted"
    db.session.commit()
    gateways.payment().activate(payee.gateway_id)
    payouts.look_at_unfinished()
    news()
    assert (payouts.payee(user).state, payouts.payee(user).wanted) == ("active", ())


def test_an_account_of_somebody_else_is_none_of_ours(mug):
    assert payouts.look_at_account("acct_unknown") is False
    with pytest.raises(NotFound):
        payouts.payee(404)
    with pytest.raises(LookupError):
        payouts.introduce(404)


def test_an_account_of_another_gateway_gets_nothing(mug, mina, pass_time):
    bought({mug.small: 1})
    db.session.execute(update(PayoutAccount).values(gateway="stripe"))
    db.session.commit()
    pass_time(days=18)
    send_due()
    assert sent() == [("waiting", 0)]


def test_the_order_knows_its_transfers(mug, mina):
    purchase, order = bought({mug.small: 1})
    assert order == order_of(purchase)
    [row] = transfers.of_order(order)
    assert (row.account, row.state, row.handle) == ("seller", "waiting", "mina")
