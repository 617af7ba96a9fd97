"""Stripe's own command line plays its scripts against the sandbox's face; what does not work there ends with 1."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from shop import clock, gateways
from tests.stripe import face, face_for_cli  # noqa: F401  the second adds what only the command line asks for
from tools import node

TOOLS = Path(__file__).parents[2] / "tools"
EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.created",
    "charge.refunded",
    "transfer.created",
    "transfer.reversed",
    "account.updated",
    "checkout.session.completed",
    "charge.dispute.created",
    "setup_intent.succeeded",
)


@pytest.fixture(scope="module")
def shop(open_shop):
    return open_shop("")


@pytest.fixture
def trigger(shop, tmp_path):
    """`trigger(event)` gives the exit status, and what the face was asked meanwhile."""
    program = node.installed(TOOLS) / "stripe"
    with shop.app_context():
        sandbox = gateways.sandbox()

    def run(event):
        home = tmp_path / event
        home.mkdir()
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        stripe = face.Face(shop, sandbox)
        with face.served(stripe) as address:
            command = [program, "trigger", event, "--api-key", "sk_test_1234567890123456", "--api-base", address]
            env |= {"PATH": node.environment()["PATH"], "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}
            ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        return ended.returncode, stripe.calls

    return run


@pytest.fixture
def told(shop):
    def look():
        with shop.app_context():
            return {event["type"] for event in gateways.sandbox().list_events(clock.now() - timedelta(days=1))}

    return look


def test_a_script_for_a_payment_and_its_refund_works(trigger, told):
    status, calls = trigger("charge.refunded")
    assert (status, [path for _method, path, _status in calls]) == (0, ["/v1/payment_intents", "/v1/refunds"])
    assert "charge.refunded" in told()


def test_a_script_for_what_the_face_cannot_do_fails(trigger):
    status, calls = trigger("payout.created")
    assert (status, calls[-1][2]) == (1, 404)


@pytest.mark.slow
@pytest.mark.faults
def test_all_scripts_for_what_the_shop_does_work(trigger, told, promise):
    with ThreadPoolExecutor(2) as hands:
        ended = dict(zip(EVENTS, hands.map(trigger, EVENTS), strict=True))
    worked = [event for event, (status, _calls) in ended.items() if status == 0]
    words = "scripts of Stripe's own command line that work against the sandbox"
    promise("5", words, f"{len(worked)} of {len(EVENTS)}", "all", worked == list(EVENTS))

    assert set(EVENTS) - {"account.updated"} <= told()
