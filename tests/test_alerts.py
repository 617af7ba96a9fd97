"""The operator is told of what has to be looked at: in the log always, by mail at most once an hour for each kind."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from shop import (
    accounts,
    alerts,
    clock,
    credentials,
    disputes,
    inbox,
    jobs,
    notices,
    notifications,
    payments,
    payouts,
    reconcile,
    refunds,
    reversals,
    transfers,
)
from shop.alerts import alert
from shop.database import db
from shop.gateways.payment_port import (
    AccountReport,
    AccountState,
    DisputeReport,
    DisputeState,
    RejectedError,
    UnreachableError,
)
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    Job,
    Order,
    PaymentAttempt,
    PayoutAccount,
    Purchase,
    Refund,
    Reversal,
    Role,
    Seller,
    SentMail,
    Transfer,
    WebhookEvent,
)
from shop.money import Money
from tests.bookkeeping import bought, give, payable, send_due
from tests.lives import event, hear, signed, things
from tests.till import news, paid, placed, states

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def operator(app, monkeypatch):
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "ada@shop.example")


def raised(kind="misfit_call", **facts):
    alert(kind, **(facts or {"attempt": 7}))
    db.session.commit()


def test_a_shop_without_an_operators_address_and_without_admins_only_writes_it_down(letters):
    raised()
    assert db.session.scalar(select(func.count(Job.id))) == 0


def test_without_an_operators_address_each_admin_is_told_in_their_language(app, signed_in_as, letters):
    for name, language in (("ada", "en"), ("bo", "nl")):
        signed_in_as(name, Role.ADMIN)
        accounts.called(f"{name}@example.com").language = language
    signed_in_as("rex", Role.MODERATOR)
    db.session.commit()
    for attempt in (1, 2):
        raised("dead_job", job=attempt)
    db.session.rollback()
    assert sorted((mail["To"], mail["Subject"]) for mail in letters()) == [
        ("ada@example.com", "A job was given up after all its tries"),
        ("bo@example.com", "Een taak is na alle pogingen opgegeven"),
    ]


def test_ten_of_a_kind_are_one_mail_that_says_what_and_where(operator, letters):
    for attempt in range(10):
        raised(attempt=attempt)
    db.session.rollback()
    [mail] = letters()
    words = mail.get_body(("plain",)).get_content()
    assert (mail["To"], mail["Subject"].strip()[:39]) == ("ada@shop.example", "The payment company says something else")
    assert "attempt: 0" in words
    assert "/moderation/money" in words


def test_another_kind_has_a_mail_of_its_own(operator, letters):
    raised()
    raised("dead_job", handler="shop.media.make", job=3)
    db.session.rollback()
    assert len(letters()) == 2


def test_after_an_hour_it_is_told_again(operator, letters, pass_time):
    raised()
    db.session.rollback()
    assert len(letters()) == 1
    pass_time(minutes=59)
    raised()
    db.session.rollback()
    assert letters() == []
    pass_time(minutes=2)
    raised()
    db.session.rollback()
    assert len(letters()) == 1
    assert db.session.scalar(select(func.count()).select_from(SentMail)) == 2


def test_what_did_not_happen_after_all_is_not_told(operator, letters):
    alert("misfit_call", attempt=7)
    db.session.rollback()
    assert letters() == []


@jobs.handler
def hopeless():
    raise RuntimeError("no")


def test_a_job_that_is_given_up_is_told(operator, letters, pass_time):
    jobs.later(hopeless)
    db.session.commit()
    for _try in range(jobs.MOST_TRIES):
        jobs.run_due()
        pass_time(hours=1)
    db.session.rollback()
    assert [mail["Subject"] for mail in letters()] == ["A job was given up after all its tries"]


@jobs.patient_handler
def postman():
    raise OSError("the post office is closed")


def test_the_post_is_tried_for_three_days_before_it_is_given_up(pass_time):
    jobs.later(postman)
    db.session.commit()
    for _try in range(60):
        pass_time(hours=1)
        jobs.run_due()
    job = db.session.scalar(select(Job).where(Job.handler.endswith("postman")))
    assert (job.state, 25 < job.tries < 62) == ("waiting", True)


def test_each_kind_that_is_raised_has_words_and_each_of_the_words_is_raised_somewhere():
    shop = Path(alerts.__file__).parent
    raised_kinds = {
        kind for file in shop.rglob("*.py") for kind in re.findall(r'\balert\(\s*"(\w+)"', file.read_text("utf-8"))
    }
    words = (shop / "templates/email/alert_words.html").read_text("utf-8")
    assert raised_kinds == set(re.findall(r'^"(\w+)": _\(', words, re.MULTILINE))
    assert len(raised_kinds) == 10


def test_an_operator_who_has_an_account_reads_it_in_their_own_language(operator, letters):
    user = accounts.register("ada@shop.example", "Ada", "none")
    user.language = "nl"
    raised("refund_failed", refund=7)
    db.session.rollback()
    [mail] = letters()
    assert mail["Subject"] == "Het betaalbedrijf weigert geld terug te geven"


# What is only seen where it happens


@pytest.fixture
def told(monkeypatch):
    """The alerts that were raised, as `(kind, facts)`."""
    heard = []
    for room in (refunds, transfers, reversals, disputes, payouts, inbox, notices):
        monkeypatch.setattr(room, "alert", lambda kind, **facts: heard.append((kind, facts)))
    return heard


@pytest.fixture
def sold(mug):
    payable(db.session.scalar(select(Seller.id)))
    return bought({mug.small: 1})[1]


def rejects(*_given, **_how):
    raise RejectedError("account_closed")


def test_a_refund_that_the_gateway_turns_down_is_told(sold, told, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "refund", rejects)
    refund = give(sold)
    news()
    assert told == [("refund_failed", {"refund": refund})]


def test_a_refund_whose_key_is_too_old_is_told(sold, told, pass_time):
    refund = give(sold)
    pass_time(hours=24)
    refunds.send(refund)
    assert (told, states(Refund.state)) == ([("never_answered", {"refund": refund})], ["wanted"])


def test_a_share_that_the_gateway_turns_down_is_told(sold, told, monkeypatch, pass_time):
    monkeypatch.setattr(SandboxGateway, "transfer", rejects)
    pass_time(days=60)
    send_due()
    transfer = db.session.scalar(select(Transfer.id))
    assert told == [("transfer_failed", {"transfer": transfer, "code": "account_closed"})]


def test_a_share_that_was_never_answered_is_told(sold, told, pass_time):
    transfer = db.session.scalar(select(Transfer.id))
    db.session.execute(update(Transfer).values(state="sending"))
    db.session.commit()
    pass_time(hours=24)
    transfers.send_due()
    assert told == [("never_answered", {"transfer": transfer})]


def test_what_was_to_come_back_and_was_never_answered_is_told(sold, told, pass_time):
    transfer = db.session.scalar(select(Transfer.id))
    debt = {
        "transfer_id": transfer,
        "cause": "ret:1",
        "amount": Money(500, "EUR"),
        "key": "back",
        "due_at": clock.now(),
    }
    db.session.add(Reversal(**debt))
    db.session.commit()
    pass_time(hours=24)
    reversals.call_due()
    assert told == [("never_answered", {"reversal": db.session.scalar(select(Reversal.id))})]


def test_a_dispute_that_does_not_fit_is_told(sold, told):
    paid_as = db.session.scalar(select(PaymentAttempt.gateway_id))
    more = DisputeReport(
        id="dp_1", payment=paid_as, amount=Money(1_000_000, "EUR"), state=DisputeState.OPEN, reason="fraudulent"
    )
    assert disputes.apply(more).state == "quarantined"
    assert [(kind, facts["dispute"], facts["wrong"]) for kind, facts in told] == [("misfit_call", "dp_1", "amount")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": 2844}, "amount"),
        ({"currency": "usd"}, "amount"),
        ({"transfer_group": "co:99"}, "group"),
        ({"metadata": {}}, "key purchase"),
    ],
)
def test_a_payment_that_says_otherwise_than_our_rows_is_told_and_buys_nothing(mug, told, wrong, said):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    paid(attempt)
    row = db.session.get(PaymentAttempt, attempt)
    code = row.gateway_id
    hear(event(1, "payment_intent.succeeded", things(row, code)["payment_intent"](status="succeeded", **wrong)))
    assert told == [("misfit_call", {"attempt": attempt, "gateway_id": code, "wrong": said})]
    assert (states(WebhookEvent.state), states(Order.status)) == (["quarantined"], ["pending_payment"])


def test_a_call_about_nothing_we_know_is_told_at_once_each_time_it_is_tried_and_after_three_days(mug, told, pass_time):
    _purchase, attempt = placed({mug.small: 1}, "ideal")
    lost = things(db.session.get(PaymentAttempt, attempt))["payment_intent"]
    pass_time(seconds=0)  # the clock stands still, but for this test
    told_of = event(1, "payment_intent.succeeded", lost(status="succeeded", metadata={"key": "co:99:pay:1"}))
    notices.receive(*signed(told_of))
    db.session.commit()
    jobs.run_due()
    assert told == [("unresolved_call", {"call": "evt_1", "waited": "0:00:00"})]
    pass_time(minutes=1)
    jobs.run_due()
    assert told[1:] == [("unresolved_call", {"call": "evt_1", "waited": "0:01:00"})]
    pass_time(days=3)
    jobs.run_due()
    assert told[2:] == [("unresolved_call", {"call": "evt_1", "waited": "3 days, 0:01:00"})]
    pass_time(days=1)
    jobs.run_due()
    assert (len(told), states(WebhookEvent.state), states(WebhookEvent.tries)) == (3, ["unresolved"], [3])


def test_a_purchase_that_is_paid_twice_is_told_once(mug, told):
    purchase, first = placed({mug.large: 1}, "ideal")
    paid(first)
    second = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(second)
    row = db.session.get(PaymentAttempt, first)
    late = things(row, row.gateway_id)["payment_intent"](status="succeeded", amount=3295)
    for number in (1, 2):
        hear(event(number, "payment_intent.succeeded", late))
    assert told == [("paid_twice", {"attempt": first})]
    assert states(Refund.reason) == ["paid_twice"]


def test_another_account_than_ours_is_told(sold, told):
    ours = db.session.scalar(select(PayoutAccount.id))
    payouts._believe(ours, AccountReport("acct_other", AccountState.ACTIVE, ()))
    assert told == [("misfit_call", {"account": ours, "gateway_id": "acct_other"})]


@pytest.mark.parametrize(
    "patient", [credentials.mail_after_sign_up, credentials.mail_reset, refunds.tell_staff, reconcile.hold_against]
)
def test_mail_and_the_comparison_of_a_day_outlast_a_weekend(patient):
    assert jobs._name(patient) in jobs._patient


def test_a_day_on_which_the_gateway_was_away_is_compared_when_it_is_back(monkeypatch, pass_time):
    away = {"is": True}

    def away_for_hours(_self, _since, _until):
        if away["is"]:
            raise UnreachableError("nobody there")
        return []

    monkeypatch.setattr(SandboxGateway, "list_movements", away_for_hours)
    jobs.later(reconcile.hold_against, day="2026-11-27")
    db.session.commit()
    for _hour in range(12):
        assert jobs.run_due() == 0
        pass_time(hours=1, minutes=31)
    away["is"] = False
    assert jobs.run_due() == 1


def test_a_link_that_waited_for_the_mail_server_works_for_an_hour_from_when_it_went_out(
    letters, pass_time, monkeypatch, noor
):
    sends, closed = notifications._send, {"is": True}

    def post_office(letter):
        if closed["is"]:
            raise OSError("closed")
        sends(letter)

    monkeypatch.setattr(notifications, "_send", post_office)
    credentials.ask_for_reset(noor.email)
    db.session.commit()
    for _hour in range(7):
        jobs.run_due()
        pass_time(hours=1, minutes=31)
    closed["is"] = False
    [mail] = letters()
    token = re.search(r"/reset/(\w+)", mail.get_body(("plain",)).get_content()).group(1)
    assert credentials.is_reset_open(token)
    pass_time(hours=1, seconds=1)
    assert not credentials.is_reset_open(token)
