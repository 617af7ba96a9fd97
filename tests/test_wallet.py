"""Wallet: what somebody keeps with a gateway, and how it is forgotten."""

import pytest
from sqlalchemy import func, select

from shop import gateways, inbox, jobs, payments, settlement, wallet
from shop.database import db, let_go
from shop.errors import NotFound
from shop.gateways.payment_port import RejectedError, Request, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import GatewayCustomer, Job, JobState, PaymentAttempt, SavedMethod
from tests.cast import a_purchase

pytestmark = pytest.mark.usefixtures("at_the_desk")


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def kept(mug, noor):
    """Noor paid with a card, and wanted it kept; gives the gateway's id of it."""
    wallet.introduce(noor.id)
    attempt = payments.open(a_purchase({mug.small: 1}, user_id=noor.id), "card", wants_saving=True)
    db.session.commit()
    settlement.pay(attempt)
    db.session.commit()
    (card,) = wallet.kept(noor.id)
    return card


def test_somebody_is_introduced_once(noor):
    for _time in range(2):
        wallet.introduce(noor.id)
        db.session.commit()
    assert count(GatewayCustomer) == 1
    assert wallet.customer(noor.id).startswith("sbx_cus_")


def test_somebody_is_introduced_by_the_address_of_their_account_whatever_they_type(noor, monkeypatch):
    asked = []
    really = SandboxGateway.open_customer

    def listen(self, reference, email, *, key):
        asked.append((email, key))
        return really(self, reference, email, key=key)

    monkeypatch.setattr(SandboxGateway, "open_customer", listen)
    wallet.introduce(noor.id)
    db.session.rollback()  # nobody wrote it down
    wallet.introduce(noor.id)
    db.session.commit()
    assert asked == [("noor@example.com", f"user:{noor.id}:customer")] * 2
    assert count(GatewayCustomer) == 1


def test_who_cannot_be_introduced_now_pays_all_the_same(mug, noor, monkeypatch):
    def silent(*_given, **_more):
        raise UnreachableError

    monkeypatch.setattr(SandboxGateway, "open_customer", silent)
    wallet.introduce(noor.id)
    attempt = payments.open(a_purchase({mug.small: 1}, user_id=noor.id), "card", wants_saving=True)
    db.session.commit()
    assert settlement.pay(attempt) == payments.Paid()
    assert (count(GatewayCustomer), list(wallet.kept(noor.id))) == (0, [])
    (asked,) = db.session.scalars(select(PaymentAttempt.request))
    assert asked["wants_saving"] is False


def test_what_is_forgotten_is_gone_here_at_once_and_at_the_gateway_soon(kept, noor):
    wallet.forget(noor.id, kept.code)
    db.session.commit()
    assert list(wallet.kept(noor.id)) == []
    row = db.session.scalar(select(SavedMethod))
    assert (row.name, row.gateway_id) == ("", kept.gateway_id)
    jobs.run_due()
    let_go()
    who = {"customer": wallet.customer(noor.id), "saved_method": kept.gateway_id}
    let_go()
    with pytest.raises(RejectedError):
        gateways.payment().create_payment(Request("co:9:pay:1", 100, "EUR", "saved", "p", "/", **who))


def test_a_gateway_that_does_not_answer_is_asked_again_until_it_forgets(kept, noor, monkeypatch, pass_time):
    tried, forget = [], SandboxGateway.forget_method

    def silent_twice(gateway, method):
        tried.append(method)
        if len(tried) < 3:
            raise UnreachableError
        forget(gateway, method)

    monkeypatch.setattr(SandboxGateway, "forget_method", silent_twice)
    wallet.forget(noor.id, kept.code)
    db.session.commit()
    assert list(wallet.kept(noor.id)) == []
    for _hour in range(4):
        jobs.run_due()
        pass_time(minutes=61)
    assert tried == [kept.gateway_id] * 3
    forgetting = select(Job.state).where(Job.handler.like("%forget_at_gateway"))
    assert list(db.session.scalars(forgetting)) == [JobState.DONE] * 3


def test_a_late_report_does_not_bring_it_back(kept, noor):
    paid_as = db.session.scalar(select(PaymentAttempt.gateway_id))
    wallet.forget(noor.id, kept.code)
    db.session.commit()
    let_go()
    report = gateways.payment().get_payment(paid_as)
    inbox.apply(report)
    db.session.commit()
    assert list(wallet.kept(noor.id)) == []


def test_nobody_forgets_for_somebody_else(kept, noor, kai):
    with pytest.raises(NotFound):
        wallet.forget(kai.id, kept.code)
    assert [row.code for row in wallet.kept(noor.id)] == [kept.code]


def test_what_one_gateway_keeps_is_nothing_to_another(kept, noor, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "name", "stripe")
    assert list(wallet.kept(noor.id)) == []
    assert wallet.customer(noor.id) == ""
    assert not [way for way in wallet.methods(noor.id) if way.is_kept]
    called = []
    monkeypatch.setattr(SandboxGateway, "forget_method", lambda _gateway, method: called.append(method))
    wallet.forget_at_gateway("sandbox", kept.gateway_id)
    assert called == []


# Who leaves


def known_there(name):
    with gateways.sandbox().memory() as memory:
        return memory.look(name, "customer") is not None


def test_who_leaves_is_forgotten_at_the_gateway_with_their_cards(kept, noor):
    who = wallet.customer(noor.id)
    for _time in range(2):
        wallet.forget_all(noor.id)
    db.session.commit()
    assert (wallet.customer(noor.id), count(GatewayCustomer), wallet.kept(noor.id)) == ("", 0, [])
    assert [job.handler for job in db.session.scalars(select(Job).where(Job.handler.contains("customer")))] == [
        "shop.wallet.forget_customer_at_gateway"
    ]
    let_go()
    assert known_there(who)
    jobs.run_due()
    let_go()
    assert not known_there(who)
    wallet.forget_customer_at_gateway(gateway="sandbox", customer=who)  # a job may be done twice
    asked = Request("k", 100, "EUR", "saved", "p", "/", customer=who, saved_method=kept.gateway_id)
    with pytest.raises(RejectedError, match="resource_missing"):
        gateways.payment().create_payment(asked)


def test_a_gateway_that_is_away_forgets_who_left_when_it_is_back(noor, monkeypatch, pass_time):
    wallet.introduce(noor.id)
    who = wallet.customer(noor.id)
    wallet.forget_all(noor.id)
    db.session.commit()

    def silent(*_given):
        raise UnreachableError

    with monkeypatch.context() as away:
        away.setattr(SandboxGateway, "forget_customer", silent)
        jobs.run_due()
    pass_time(minutes=59)
    jobs.run_due()
    let_go()
    assert known_there(who)
    pass_time(minutes=2)
    jobs.run_due()
    let_go()
    assert not known_there(who)


def test_who_another_gateway_knows_is_not_ours_to_reach(noor, monkeypatch):
    asked = []
    monkeypatch.setattr(SandboxGateway, "forget_customer", lambda _self, who: asked.append(who))
    wallet.forget_customer_at_gateway(gateway="stripe", customer="cus_1")
    assert (asked, count(Job)) == ([], 0)
