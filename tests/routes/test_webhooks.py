"""The gateway calls: what is signed is kept once, what is forged changes nothing, and the answer is quick.

How each forgery ends is written down here, row by row.
"""

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from shop import gateways, inbox, jobs, notices, payments
from shop.database import db
from shop.gateways import payment_shape as shape
from shop.models import Base, InboxState, Job, Payment, PaymentAttempt, Purchase, WebhookEvent
from shop.settings import StripeKeys
from tests.till import placed

CUSTOMER = {"object": "customer"}
FOREIGN = {"id": "evt_foreign", "object": "event", "type": "customer.created", "data": {"object": CUSTOMER}}


@pytest.fixture
def secret(app):
    with app.app_context():
        return gateways.payment()._secrets["payments"][0]


@pytest.fixture
def call(app):
    """The gateway's own caller: it says nothing about where a form is from."""

    def send(body, header=None, door="sandbox"):
        headers = {"Stripe-Signature": header} if header is not None else {}
        return app.test_client().post(f"/webhooks/{door}", data=body, headers=headers).status_code

    return send


@pytest.fixture
def kept(app):
    def look():
        with app.test_request_context():
            return [(row.event_id, row.state) for row in db.session.scalars(select(WebhookEvent))]

    return look


@pytest.fixture
def counted(app):
    """How many rows there are in the whole shop."""

    def count():
        with app.test_request_context():
            return sum(db.session.scalar(select(func.count()).select_from(t)) for t in Base.metadata.sorted_tables)

    return count


def now():
    return int(time.time())


BODY = json.dumps(FOREIGN)
THIN = json.dumps(
    {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "livemode": False,
        "related_object": {"id": "acct_1", "type": "v2.core.account"},
    }
)
LIVE = json.dumps({**FOREIGN, "livemode": True})
OTHER = "whsec_somebody_else"
FORGERIES = {
    "another secret": lambda own: (BODY, shape.sign(BODY, [OTHER])),
    "no header": lambda own: (BODY, None),
    "an empty header": lambda own: (BODY, ""),
    "a header that is none": lambda own: (BODY, "t=now,v1=x,,=="),
    "only the old scheme": lambda own: (BODY, shape.sign(BODY, [own]).replace("v1=", "v0=")),
    "one byte changed": lambda own: (BODY.replace("evt_foreign", "evt_foreigm"), shape.sign(BODY, [own])),
    "written otherwise": lambda own: (json.dumps(FOREIGN, indent=1), shape.sign(BODY, [own])),
    "another stamp": lambda own: (BODY, shape.sign(BODY, [own], now() - 1).replace("t=", "t=1", 1)),
    "301 seconds old": lambda own: (BODY, shape.sign(BODY, [own], now() - 301)),
    "an hour ahead": lambda own: (BODY, shape.sign(BODY, [own], now() + 3600)),
    "not text": lambda own: (b"\xff\xfe{}", shape.sign("{}", [own])),
    "signed, but no event": lambda own: ("[]", shape.sign("[]", [own])),
    "signed, but half an event": lambda own: ('{"id": "evt_1"}', shape.sign('{"id": "evt_1"}', [own])),
    "real money in a shop of play money": lambda own: (LIVE, shape.sign(LIVE, [own])),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_call_is_refused_and_nothing_is_written(call, secret, counted, forgery):
    before = counted()
    body, header = FORGERIES[forgery](secret)
    assert (call(body, header), counted()) == (400, before)


def test_a_signed_call_is_kept(call, secret, kept):
    assert call(BODY, shape.sign(BODY, [secret])) == 200
    assert kept() == [("evt_foreign", InboxState.WAITING)]


@pytest.mark.parametrize("door", ["stripe", "stripe/accounts", "sandbox/", "sandbox/accounts/", "mollie", "SANDBOX"])
def test_only_the_gateway_that_is_used_has_doors(call, secret, counted, door):
    before = counted()
    assert (call(BODY, shape.sign(BODY, [secret]), door), counted()) == (404, before)


def test_each_door_has_a_secret_of_its_own(app, call, secret, kept, counted):
    with app.app_context():
        other = gateways.payment()._secrets["accounts"][0]
    before = counted()
    assert call(BODY, shape.sign(BODY, [other])) == call(BODY, shape.sign(BODY, [secret]), "sandbox/accounts") == 400
    assert counted() == before
    assert call(THIN, shape.sign(THIN, [other]), "sandbox/accounts") == 200
    assert len(kept()) == 1


def test_each_door_takes_its_own_kind_of_call(app, call, secret, counted):
    with app.app_context():
        other = gateways.payment()._secrets["accounts"][0]
    before = counted()
    assert call(THIN, shape.sign(THIN, [secret])) == 400
    assert call(BODY, shape.sign(BODY, [other]), "sandbox/accounts") == 400
    assert counted() == before


def test_what_happened_in_somebody_elses_account_is_foreign_whatever_it_says(app, call, secret, kept, mug):
    with app.test_request_context(method="POST"):
        _purchase, attempt = placed({mug.small: 1})
        ours = db.session.get(PaymentAttempt, attempt)
        meta = {"key": ours.idempotency_key, "purchase": db.session.scalar(select(Purchase.code))}
        group = ours.request["group"]
        db.session.rollback()
    intent = {"id": "pi_x", "object": "payment_intent", "status": "succeeded", "amount": 2845, "currency": "eur"}
    thing = {**intent, "metadata": meta, "transfer_group": group}
    body = json.dumps({**FOREIGN, "account": "acct_else", "data": {"object": thing}})
    assert call(body, shape.sign(body, [secret])) == 200
    with app.app_context():
        jobs.run_due()
        assert db.session.scalar(select(Payment.state)) == "submitting"
    assert kept() == [("evt_foreign", InboxState.FOREIGN)]


def test_a_signed_call_that_the_job_cannot_read_is_set_apart(app, call, secret, kept):
    odd = {"id": "pi_1", "object": "payment_intent", "status": "new_word", "amount": 1, "currency": "eur"}
    body = json.dumps({**FOREIGN, "data": {"object": odd}})
    assert call(body, shape.sign(body, [secret])) == 200
    with app.app_context():
        jobs.run_due()
    assert kept() == [("evt_foreign", InboxState.QUARANTINED)]


def test_while_the_secret_is_changed_both_signatures_will_do(call, secret, kept):
    assert call(BODY, shape.sign(BODY, [OTHER, secret])) == 200
    assert len(kept()) == 1


def test_a_call_of_five_minutes_ago_is_still_good(call, secret):
    assert call(BODY, shape.sign(BODY, [secret], now() - 295)) == 200


def test_a_hundred_calls_of_the_same_are_one_row_and_one_job(app, call, secret, kept):
    for _time in range(100):
        assert call(BODY, shape.sign(BODY, [secret])) == 200
    with app.test_request_context():
        assert db.session.scalar(select(func.count(Job.id))) == 1
    assert len(kept()) == 1


def test_what_is_not_about_our_payments_is_kept_as_foreign(app, call, secret, kept):
    call(BODY, shape.sign(BODY, [secret]))
    with app.app_context():
        assert jobs.run_due() == 1
    assert kept() == [("evt_foreign", InboxState.FOREIGN)]


def test_a_page_of_another_site_cannot_make_a_call(app, counted):
    before = counted()
    answer = app.test_client().post("/webhooks/sandbox", data=BODY, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, counted()) == (400, before)


def test_the_webhook_is_the_only_door_that_does_not_ask_where_a_form_is_from(app):
    from shop.access import ROUTES, Who

    assert [name for name, who in ROUTES.items() if who is Who.SIGNED_WEBHOOK] == [
        "webhooks.payments",
        "webhooks.accounts",
    ]


def test_the_answer_does_not_wait_for_the_work(app, call, secret, monkeypatch):
    def work(_report):
        raise AssertionError("this is the job's")

    monkeypatch.setattr(inbox, "apply", work)
    monkeypatch.setattr(payments, "outcome", work)
    assert call(BODY, shape.sign(BODY, [secret])) == 200


# Stripe's doors


@pytest.fixture
def stripe(app, monkeypatch):
    """`stripe("live")`: the shop has keys of Stripe's, and two secrets at each door while they are being changed."""

    def open_doors(mode="test"):
        keys = StripeKeys(f"sk_{mode}_1", f"pk_{mode}_1", ("whsec_new", "whsec_old"), ("whsec_a", "whsec_b"))
        monkeypatch.setitem(app.extensions, "shop.settings", replace(app.extensions["shop.settings"], stripe=keys))
        monkeypatch.delitem(app.extensions, "shop.stripe", raising=False)

    yield open_doors
    app.extensions.pop("shop.stripe", None)


@pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
def test_with_keys_stripes_door_is_open_and_the_sandboxs_is_not(call, stripe, kept, secret):
    stripe()
    header = shape.sign(BODY, [secret])
    assert (call(BODY, header, "stripe"), call(BODY, header, "sandbox")) == (200, 404)
    assert len(kept()) == 1


def test_a_thin_event_comes_in_at_the_door_for_accounts(call, stripe, kept):
    stripe()
    about = {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"}
    thin = {"id": "evt_t", "object": "v2.core.event", "type": "v2.core.account[requirements].updated"}
    body = json.dumps({**thin, "livemode": False, "created": "2026-11-28T00:00:00Z", "related_object": about})
    assert call(body, shape.sign(body, ["whsec_new"]), "stripe/accounts") == 400
    assert call(body, shape.sign(body, ["whsec_b"]), "stripe/accounts") == 200
    assert kept() == [("evt_t", InboxState.WAITING)]


@pytest.mark.parametrize(("mode", "body", "status"), [("live", BODY, 400), ("live", LIVE, 200), ("test", LIVE, 400)])
def test_a_call_of_the_other_mode_is_refused_whoever_signed_it(call, stripe, counted, mode, body, status):
    stripe(mode)
    before = counted()
    assert call(body, shape.sign(body, ["whsec_new"]), "stripe") == status
    assert (counted() == before) is (status == 400)


def test_a_call_of_the_gateway_before_is_left_alone(app, call, secret, stripe, kept):
    assert call(BODY, shape.sign(BODY, [secret])) == 200
    stripe()
    with app.app_context():
        jobs.run_due()
    assert kept() == [("evt_foreign", InboxState.WAITING)]


# What no database keeps

NO_NAMES = ["evt_\0", "\0", "evt_\ud800", "evt_" + "x" * 300]


@pytest.mark.parametrize("name", NO_NAMES)
def test_an_event_with_a_name_that_is_none_is_kept_and_seen_to_once(app, call, secret, kept, name):
    body = json.dumps({**FOREIGN, "id": name})
    for _time in range(2):
        assert call(body, shape.sign(body, [secret])) == 200
    with app.app_context():
        jobs.run_due()
    [(known_as, state)] = kept()
    assert (len(known_as) <= 80, "\0" in known_as) == (True, False)
    assert state == (InboxState.QUARANTINED if "\0" in name else InboxState.FOREIGN)


@pytest.mark.parametrize("where", ["id", "key", "purchase", "group"])
def test_an_event_with_a_nul_in_it_is_set_apart(app, call, secret, kept, mug, where):
    with app.test_request_context(method="POST"):
        placed({mug.small: 1})
    intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 2845, "currency": "eur"}
    intent |= {"metadata": {"key": "co:1:pay:1", "purchase": "code"}, "transfer_group": "co:1"}
    told = {"key": intent["metadata"], "purchase": intent["metadata"], "id": intent, "group": intent}[where]
    told["transfer_group" if where == "group" else where] += "\0"
    body = json.dumps({"id": "evt_nul", "type": "payment_intent.succeeded", "data": {"object": intent}})
    assert call(body, shape.sign(body, [secret])) == 200
    with app.app_context():
        jobs.run_due()
        assert db.session.scalar(select(PaymentAttempt.state)) == "submitting"
    assert kept() == [("evt_nul", InboxState.QUARANTINED)]


def test_what_only_looks_like_a_nul_is_an_event_like_others(app, call, secret, kept):
    body = json.dumps({**FOREIGN, "data": {"object": {"object": "customer", "name": "\\\\u0000"}}})
    assert call(body, shape.sign(body, [secret])) == 200
    with app.app_context():
        jobs.run_due()
    assert kept() == [("evt_foreign", InboxState.FOREIGN)]


def test_a_raw_nul_is_no_event(call, secret, counted):
    before, body = counted(), BODY.replace("evt_foreign", "evt_\0")
    assert (call(body, shape.sign(body, [secret])), counted()) == (400, before)


def test_a_listed_event_that_cannot_be_read_is_kept_beside_the_others(app, kept):
    with app.test_request_context(method="POST"):
        assert notices.receive_again({"id": "evt_\0", "type": "odd"})
        assert not notices.receive_again({"id": "evt_\0", "type": "odd"})
        assert notices.receive_again(FOREIGN)
        db.session.commit()
        jobs.run_due()
    assert sorted(state for _id, state in kept()) == [InboxState.FOREIGN, InboxState.QUARANTINED]
