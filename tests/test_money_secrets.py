"""Promise 24, for money: keys, client secrets and cards are in no log, no mail and no address."""

import json

import pytest
from sqlalchemy import select

from shop import gateways, inbox, jobs, reconcile
from shop.database import db
from shop.gateways import payment_shape as shape
from shop.gateways.payment_port import Notice, RejectedError, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import Job, WebhookEvent
from tests.test_logs import CANARIES, bare, written  # noqa: F401  the fixture

NAMES = ("stripe key", "webhook secret", "client secret", "card", "card with spaces")
SECRETS = {name: CANARIES[name] for name in NAMES}


def found_in(told):
    return [name for name, secret in SECRETS.items() if bare(secret) in told]


@pytest.mark.parametrize("error", [UnreachableError, RejectedError])
def test_what_a_gateway_says_when_it_fails_is_not_repeated(app, at_the_desk, mug, written, monkeypatch, error):  # noqa: F811
    from tests.till import paid, placed

    def fail(_self, _request):
        raise error(" ".join(SECRETS.values()))

    monkeypatch.setattr(SandboxGateway, "create_payment", fail)
    _purchase, attempt = placed({mug.small: 1})
    paid(attempt)
    assert "attempt" in written.getvalue()
    assert found_in(written.getvalue()) == []


def test_a_call_full_of_secrets_is_kept_and_none_of_it_is_logged_or_mailed(app, written, monkeypatch, letters):  # noqa: F811
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "ada@shop.example")
    thing = {"id": SECRETS["client secret"], "object": "payment_intent", "status": SECRETS["card"], "note": SECRETS}
    body = json.dumps({"id": "evt_1", "type": SECRETS["stripe key"], "livemode": False, "data": {"object": thing}})
    with app.app_context():
        header = shape.sign(body, gateways.payment()._secrets["payments"])
    headers = {"Stripe-Signature": header}
    assert app.test_client().post("/webhooks/sandbox", data=body, headers=headers).status_code == 200
    [mail] = letters()
    assert found_in(written.getvalue()) == []
    assert found_in(mail.as_string()) == []
    assert header not in written.getvalue()


def test_a_forged_call_leaves_nothing_of_itself_in_the_log(app, written):  # noqa: F811
    body = json.dumps({"id": "evt_1", "type": "x", "data": {"object": SECRETS}})
    header = shape.sign(body, [SECRETS["webhook secret"]])
    app.test_client().post("/webhooks/sandbox", data=body, headers={"Stripe-Signature": header})
    assert "forged" in written.getvalue()
    assert found_in(written.getvalue()) == []


def test_a_job_that_dies_of_a_secret_tells_nobody(app, at_the_desk, written, monkeypatch, letters):  # noqa: F811
    monkeypatch.setitem(app.config, "OPERATOR_EMAIL", "ada@shop.example")

    def fail(*_given):
        raise RuntimeError(" ".join(SECRETS.values()))

    monkeypatch.setattr(SandboxGateway, "list_movements", fail)
    jobs.later(reconcile.hold_against, day="2026-11-27")
    db.session.commit()
    jobs.run_due()
    assert found_in(written.getvalue()) == found_in(db.session.scalar(select(Job.last_error))) == []


def test_the_secret_of_a_payment_is_not_kept_with_its_call(app, at_the_desk):
    body = '{"id": "evt_1", "data": {"client_secret" : "pi_1_secret_x", "amount": 1}}'
    inbox.keep(Notice("evt_1", "payment_intent.created", None), body.encode())
    db.session.flush()
    assert db.session.scalar(select(WebhookEvent.body)) == body.replace('"pi_1_secret_x"', "null")


def test_where_a_buyer_is_sent_holds_no_secret(app, at_the_desk, mug):
    from tests.till import paid, placed

    _purchase, attempt = placed({mug.small: 1}, "ideal")
    address = paid(attempt).url
    assert "secret" not in address
    assert found_in(address) == []
