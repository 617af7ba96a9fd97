"""The sandbox, where it is not like others: outcomes by name, its seller's desk, and the weather of its events.

What it has in common with every gateway is in `test_gateway`.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shop import clock, gateways, payments
from shop.database import db
from shop.gateways.payment_port import AccountRequest, RejectedError, Request
from shop.gateways.payment_sandbox import SandboxGateway
from shop.gateways.sandbox_weather import Weather
from shop.models import PaymentState

pytestmark = pytest.mark.usefixtures("at_the_desk")

ASKED = Request("co:1:pay:1", 2845, "EUR", "card", "purchase", "/purchases/purchase", customer="user:1")


@pytest.fixture
def sandbox(app, at_the_desk):
    return gateways.sandbox()


@pytest.fixture
def calls(monkeypatch):
    """What reaches the shop's doors: (door, event); the shop takes everything in."""
    heard = []

    def hear(_self, address, body, _signature):
        heard.append((address.rpartition("/webhooks/")[2], json.loads(body)))
        return True

    monkeypatch.setattr(SandboxGateway, "post", hear)
    return heard


def deliver(sandbox):
    sandbox.deliver("http://localhost:8000")


def events(calls):
    return [event["type"] for _door, event in calls]


@pytest.mark.parametrize("change", [{"method": "ideal"}, {"wants_saving": True}, {"payer_name": "Noor"}])
def test_another_wish_with_the_same_key_is_refused(sandbox, change):
    first = sandbox.create_payment(ASKED)
    with pytest.raises(RejectedError, match="idempotency_error"):
        sandbox.create_payment(replace(ASKED, **change))
    assert sandbox.create_payment(ASKED) == first


def test_a_key_is_forgotten_after_a_day(sandbox, pass_time):
    first = sandbox.create_payment(ASKED)
    pass_time(hours=23, minutes=59)
    assert sandbox.create_payment(ASKED).id == first.id
    pass_time(minutes=2)
    assert sandbox.create_payment(ASKED).id != first.id


def test_what_was_asked_before_the_sandbox_named_people_is_still_answered(sandbox):
    kept = sandbox.create_payment(replace(ASKED, wants_saving=True)).saved
    again = replace(ASKED, key="co:2:pay:1", method="saved", saved_method=kept.id)
    assert (kept.name, sandbox.create_payment(again).state) == ("Visa 4242", PaymentState.PAID)


def test_a_course_that_it_does_not_know_is_refused(sandbox):
    with pytest.raises(RejectedError, match="payment_method_unknown"):
        sandbox.create_payment(replace(ASKED, method="cash"))


def test_nothing_that_is_told_gives_away_what_will_happen(sandbox, calls):
    sandbox.create_payment(replace(ASKED, method="slow_failure"))
    deliver(sandbox)
    [(door, event)] = calls
    told = event["data"]["object"]
    assert (door, event["type"], told["payment_method"][:7]) == ("sandbox", "payment_intent.processing", "sbx_pm_")
    assert not {"becomes", "course", "return_path", "keeps"} & set(told)


def test_an_account_is_told_of_at_its_own_door_by_a_call_that_says_only_whose(sandbox, calls):
    account = sandbox.open_account(AccountRequest("a:1", "mina", "Mina", "mina@example.com", "NL", False)).id
    sandbox.activate(account)
    deliver(sandbox)
    [(door, event)] = calls
    assert (door, event["type"]) == ("sandbox/accounts", "v2.core.account[requirements].updated")
    notice = sandbox.read_notice(json.dumps(event))
    assert (notice.account, notice.report, notice.is_live) == (account, None, False)


# The weather


def test_in_fair_weather_each_event_comes_once_and_in_order(sandbox, calls):
    waiting = sandbox.create_payment(replace(ASKED, method="ideal")).id
    sandbox.answer_at_the_bank(waiting, "approved")
    deliver(sandbox)
    deliver(sandbox)
    assert events(calls) == ["payment_intent.requires_action", "payment_intent.succeeded"]


def test_events_may_come_more_than_once(sandbox, calls):
    sandbox.set_weather(Weather(duplicate=2))
    sandbox.create_payment(ASKED)
    deliver(sandbox)
    assert events(calls) == ["payment_intent.succeeded"] * 3
    assert len({event["id"] for _door, event in calls}) == 1


def test_events_may_be_late(sandbox, calls, pass_time):
    sandbox.set_weather(Weather(delay=60))
    sandbox.create_payment(ASKED)
    pass_time(seconds=59)
    deliver(sandbox)
    assert calls == []
    pass_time(seconds=2)
    deliver(sandbox)
    assert events(calls) == ["payment_intent.succeeded"]


def test_events_may_come_in_another_order(sandbox, calls, monkeypatch):
    monkeypatch.setattr("shop.gateways.sandbox_weather.random.shuffle", lambda calls: calls.reverse())
    sandbox.set_weather(Weather(reorder=True))
    waiting = sandbox.create_payment(replace(ASKED, method="ideal")).id
    sandbox.answer_at_the_bank(waiting, "approved")
    deliver(sandbox)
    assert events(calls) == ["payment_intent.succeeded", "payment_intent.requires_action"]


def test_events_may_get_lost_and_come_again(sandbox, calls, pass_time):
    sandbox.set_weather(Weather(drop=2))
    sandbox.create_payment(ASKED)
    for tries, wait in ((0, 1), (0, 3), (1, 0)):
        deliver(sandbox)
        assert len(calls) == tries
        pass_time(minutes=wait)
    assert len(sandbox.list_events(clock.now() - timedelta(days=1))) == 1


def test_an_answer_that_is_not_heard_brings_the_event_again(sandbox, calls, pass_time):
    sandbox.set_weather(Weather(error=1))
    sandbox.create_payment(ASKED)
    for _time in range(3):
        deliver(sandbox)
        pass_time(minutes=1)
    assert events(calls) == ["payment_intent.succeeded"] * 2


def test_after_three_days_an_event_is_given_up(sandbox, calls, pass_time):
    sandbox.set_weather(Weather(drop=1000))
    sandbox.create_payment(ASKED)
    deliver(sandbox)
    pass_time(days=3, seconds=1)
    deliver(sandbox)
    sandbox.set_weather(Weather())
    pass_time(days=1)
    deliver(sandbox)
    assert calls == []


# The operator's hand


@pytest.fixture
def command(app):
    def run(*words):
        db.session.remove()
        return app.test_cli_runner().invoke(args=["sandbox", *words])

    return run


def test_the_operator_plays_a_bank_that_takes_money_back(sandbox, command):
    paid = sandbox.create_payment(ASKED).id
    dispute = command("dispute", paid).output.strip()
    assert dispute.startswith("sbx_du_")
    assert command("dispute", dispute, "--end", "won").exit_code == 0
    refused = command("dispute", paid)
    assert (refused.exit_code, refused.output) == (1, f"Error: {paid}: charge_not_disputable\n")


def test_the_operator_sets_the_weather_and_clears_it(sandbox, command):
    assert command("weather", "--duplicate", "2", "--delay", "1.5", "--reorder", "--drop", "3").exit_code == 0
    assert sandbox.weather() == Weather(2, 1.5, True, 3, 0)
    command("weather")
    assert sandbox.weather() == Weather()


def test_the_operator_plays_a_seller(sandbox, command):
    account = sandbox.open_account(AccountRequest("a:1", "mina", "Mina", "mina@example.com", "NL", False)).id
    for what, state in (("activate", "active"), ("restrict", "restricted")):
        assert command("account", account, what).exit_code == 0
        assert sandbox.get_account(account).state == state
    assert command("account", account, "pay-out").output == "0 cents\n"
    assert command("account", "sbx_acct_none", "activate").exit_code == 1


def test_the_operator_lets_a_refund_come_back(sandbox, command):
    from shop.money import Money

    paid = sandbox.create_payment(ASKED).id
    refund = sandbox.refund(paid, Money(845, "EUR"), key="ret:1:refund").id
    assert command("fail", refund).exit_code == 0
    assert sandbox.get_payment(paid).refunded_minor == 0
    assert command("fail", paid).exit_code == 1


def test_a_shop_of_real_money_has_no_sandbox_to_play_with(command, monkeypatch):
    monkeypatch.setattr(gateways, "sandbox", lambda: None)
    assert command("weather").output == "Error: This shop takes real money: there is no sandbox to play with.\n"
    assert not any(method.is_test for method in payments.methods())
