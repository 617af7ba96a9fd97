"""What the gateway never answered ends by hand: once, as the gateway itself tells it, and through the same rules."""

from contextlib import contextmanager

import pytest
from sqlalchemy import select

from shop import by_hand, gateways, ledger, payments, reversals
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.gateways import sandbox_payments
from shop.gateways.payment_port import KEYS_LAST, Request, TransferRequest, UnreachableError
from shop.gateways.payment_sandbox import SandboxGateway
from shop.models import (
    AuditEntry,
    LedgerEntry,
    Order,
    Payment,
    PaymentAttempt,
    PayoutAccount,
    Purchase,
    Refund,
    Reversal,
    SandboxObject,
    Seller,
    Transfer,
)
from shop.money import Money
from tests.bookkeeping import accounts, bought, give, payable, send_due
from tests.till import history, news, paid, placed, shelf, states

pytestmark = pytest.mark.usefixtures("at_the_desk")
LOOKED = "looked it up in the dashboard"


@pytest.fixture(autouse=True)
def the_gateway_is_cheap(monkeypatch):
    monkeypatch.setattr(sandbox_payments, "fee_of", lambda _amount: 0)


@contextmanager
def lost(name, *, made=True):
    """The answers to this call get lost; when they are not `made`, the calls themselves."""
    real = getattr(SandboxGateway, name)

    def call(*given, **how):
        if made:
            real(*given, **how)
        raise UnreachableError(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxGateway, name, call)
        yield


@pytest.fixture
def silent(mug, pass_time):
    """An attempt to pay that was never answered for a day, though the gateway made it; gives purchase and attempt."""

    def ask(*, made=True):
        purchase, attempt = placed({mug.small: 1})
        with lost("create_payment", made=made):
            paid(attempt)
        pass_time(hours=24)
        return purchase, attempt

    return ask


@pytest.fixture
def shared(mug, pass_time):
    """Mina may be paid, and a small mug of hers was sold long ago; gives its order."""
    payable(db.session.scalar(select(Seller.id)))
    order = bought({mug.small: 1})[1]
    pass_time(days=18)
    return order


def there(kind, n=-1):
    """The gateway's own id of the last thing of this kind."""
    rows = select(SandboxObject.name).where(SandboxObject.kind == kind).order_by(SandboxObject.created_at)
    return db.session.scalars(rows).all()[n]


def end(kind, number, it_is=None):
    by_hand.settle(kind, number, it_is, LOOKED)
    db.session.commit()
    news()


def refused(kind, number, it_is=None, because=LOOKED):
    """The words with which it is refused; and nothing has changed."""
    before = snapshot()
    with pytest.raises(Refused) as no:
        by_hand.settle(kind, number, it_is, because)
    db.session.rollback()
    assert snapshot() == before
    return no.value.words


def snapshot():
    db.session.expire_all()
    tables = (PaymentAttempt, Payment, Order, Refund, Transfer, Reversal, LedgerEntry, AuditEntry)
    return [
        db.session.execute(select(table.__table__).order_by(*table.__table__.primary_key)).all() for table in tables
    ]


def audited():
    rows = select(AuditEntry).where(AuditEntry.action == "settled by hand").order_by(AuditEntry.seq)
    return [(row.about, row.reason, row.after) for row in db.session.scalars(rows)]


# Payments


def test_a_payment_that_was_made_is_settled_as_if_it_had_been_answered(mug, silent):
    _purchase, attempt = silent()
    code = there("payment")
    end("attempt", attempt, code)
    assert (states(Payment.state), states(Order.status), shelf(mug.small)) == (["paid"], ["paid"], (2, 0))
    assert states(PaymentAttempt.gateway_id) == [code]
    assert accounts() == {"gateway": -2845, "seller": 2722, "platform": 102, "tax": 21}
    assert audited() == [(f"attempt {attempt}", LOOKED, {"it is": code})]
    assert refused("attempt", attempt, code) == "This was settled already: it is paid."
    assert refused("attempt", attempt) == "This was settled already: it is paid."


def test_a_payment_that_was_never_made_fails_and_can_be_tried_again(mug, silent):
    purchase, attempt = silent(made=False)
    end("attempt", attempt)
    assert (states(Payment.state), states(Order.status), shelf(mug.small)) == (["failed"], ["pending_payment"], (3, 0))
    assert history("attempt") == [("submitting", "failed")]
    assert audited() == [(f"attempt {attempt}", LOOKED, {"it is": "nothing"})]
    again = payments.open(db.session.get(Purchase, purchase), "card")
    db.session.commit()
    paid(again)
    assert states(PaymentAttempt.state) == ["failed", "paid"]
    assert refused("attempt", attempt) == "This was settled already: it is failed."


def test_a_payment_that_is_on_the_statement_was_made(silent):
    _purchase, attempt = silent()
    words = refused("attempt", attempt)
    assert words == f"The payment company's statement shows it: look at {there('payment')} there."


def test_money_that_comes_after_all_is_believed(mug, silent, monkeypatch):
    """Somebody said "nothing" and was wrong: the call that comes late still counts."""
    _purchase, attempt = silent()
    with monkeypatch.context() as blind:
        blind.setattr(SandboxGateway, "list_movements", lambda *_given: iter(()))
        by_hand.settle("attempt", attempt, None, LOOKED)
        db.session.commit()
    assert states(Payment.state) == ["failed"]
    news()
    assert (states(Payment.state), states(Order.status), shelf(mug.small)) == (["paid"], ["paid"], (2, 0))


@pytest.mark.parametrize(
    ("other", "wrong"),
    [
        ({"amount_minor": 2844}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"group": "co:other"}, "group"),
        ({"key": "co:other:pay:1"}, "key"),
        ({"purchase": "other"}, "purchase"),
    ],
)
def test_another_payment_is_not_taken_for_ours(silent, other, wrong):
    _purchase, attempt = silent(made=False)
    asked = db.session.get(PaymentAttempt, attempt).request
    let_go()
    code = gateways.payment().create_payment(Request(**{**asked, **other})).id
    assert refused("attempt", attempt, code) == f"{code} is something else: it differs in {wrong}."


def test_an_id_that_the_gateway_does_not_know_settles_nothing(silent):
    _purchase, attempt = silent(made=False)
    words = refused("attempt", attempt, "sbx_pi_none")
    assert words == "The payment company knows of no sbx_pi_none: resource_missing."


def test_while_the_shop_asks_by_itself_nobody_ends_it(mug, pass_time):
    _purchase, attempt = placed({mug.small: 1})
    with lost("create_payment"):
        paid(attempt)
    pass_time(seconds=KEYS_LAST.total_seconds() - 60)
    assert refused("attempt", attempt, there("payment")).startswith("The shop still asks about it by itself")


def test_somebody_has_to_say_how_they_know(silent):
    _purchase, attempt = silent()
    assert refused("attempt", attempt, there("payment"), because=" ") == "Please say how you found out."


@pytest.mark.parametrize("kind", ["attempt", "refund", "transfer", "reversal"])
def test_what_is_not_there_cannot_be_ended(kind):
    with pytest.raises(NotFound, match="There is no such request"):
        by_hand.settle(kind, 7, None, LOOKED)


# Refunds


def unanswered_refund(shared, pass_time, *, made=True):
    refund = give(shared, 1000)
    with lost("refund", made=made):
        news()
    pass_time(hours=24)
    return refund


def test_a_refund_that_was_made_has_reached_the_buyer(shared, pass_time):
    refund = unanswered_refund(shared, pass_time)
    code = there("refund")
    assert refused("refund", refund) == f"The payment company's statement shows it: look at {code} there."
    end("refund", refund, code)
    assert (states(Refund.state), states(Refund.gateway_id)) == (["done"], [code])
    assert (states(Payment.state), states(Payment.refunded_minor)) == (["part_refunded"], [1000])
    assert accounts()["gateway"] == -1845
    assert ledger.balance("buyer", db.session.scalar(select(Payment.purchase_id))) == 0
    assert refused("refund", refund, code) == "This was settled already: it is done."
    assert audited() == [(f"refund {refund}", LOOKED, {"it is": code})]


def test_a_refund_that_was_never_made_is_made_anew(shared, pass_time):
    refund = unanswered_refund(shared, pass_time, made=False)
    end("refund", refund)
    assert (states(Refund.state), states(Refund.idempotency_key)) == (["done"], [f"ret:{refund}:refund:n2"])
    assert len(db.session.scalars(select(SandboxObject).where(SandboxObject.kind == "refund")).all()) == 1
    assert refused("refund", refund) == "This was settled already: it is done."


def test_a_refund_of_another_payment_is_not_taken_for_ours(mug, shared, pass_time):
    refund = unanswered_refund(shared, pass_time, made=False)
    bought({mug.small: 1})
    other = db.session.scalars(select(PaymentAttempt.gateway_id).order_by(PaymentAttempt.id.desc())).first()
    let_go()
    code = gateways.payment().refund(other, Money(1000, "EUR"), key="ret:other").id
    assert refused("refund", refund, code) == f"{code} is something else: it differs in key, payment."


# Shares


def unanswered_transfer(pass_time, *, made=True):
    with lost("transfer", made=made):
        send_due()
    pass_time(hours=24)
    assert states(Transfer.state) == ["sending"]
    return db.session.scalar(select(Transfer.id))


def test_a_transfer_that_was_made_has_arrived(shared, pass_time):
    transfer = unanswered_transfer(pass_time)
    code = there("transfer")
    assert refused("transfer", transfer) == f"The payment company's statement shows it: look at {code} there."
    end("transfer", transfer, code)
    assert (states(Transfer.state), states(Transfer.gateway_id)) == (["done"], [code])
    assert accounts() == {"gateway": -123, "platform": 102, "tax": 21}
    assert refused("transfer", transfer, code) == "This was settled already: it is done."
    assert audited() == [(f"transfer {transfer}", LOOKED, {"it is": code})]


def test_a_transfer_that_was_never_made_is_made_anew_tomorrow(shared, pass_time):
    transfer = unanswered_transfer(pass_time, made=False)
    end("transfer", transfer)
    assert (states(Transfer.state), accounts()["seller"]) == (["waiting"], 2722)
    pass_time(hours=24)
    send_due()
    assert (states(Transfer.state), accounts()) == (["done"], {"gateway": -123, "platform": 102, "tax": 21})
    assert len(db.session.scalars(select(SandboxObject).where(SandboxObject.kind == "transfer")).all()) == 1


def test_a_transfer_to_somebody_else_is_not_taken_for_ours(mug, shared, pass_time):
    transfer = unanswered_transfer(pass_time, made=False)
    row = db.session.get(Transfer, transfer)
    request = TransferRequest(
        **{**row.request, "amount": row.amount, "key": "co:other:transfer:1", "group": "co:other"}
    )
    let_go()
    code = gateways.payment().transfer(request).id
    assert refused("transfer", transfer, code) == f"{code} is something else: it differs in key, group."


# What comes back


def test_what_waited_for_a_transfer_is_asked_back_when_that_has_ended(shared, pass_time):
    """Nobody asked for it while the transfer was silent, so its age says nothing."""
    transfer = unanswered_transfer(pass_time)
    give(shared, 1000)
    news()
    pass_time(hours=24)
    assert states(Reversal.state) == ["wanted"]
    words = refused("reversal", db.session.scalar(select(Reversal.id)))
    assert words == f"First settle the transfer itself: transfer {transfer}."
    end("transfer", transfer, there("transfer"))
    assert states(Reversal.state) == ["done"]
    assert accounts() == {"gateway": -80, "platform": 66, "tax": 14}


def test_nothing_comes_back_of_a_transfer_that_was_never_made(shared, pass_time):
    transfer = unanswered_transfer(pass_time, made=False)
    give(shared, 1000)
    news()
    pass_time(hours=24)
    end("transfer", transfer)
    assert states(Reversal.state) == ["dropped"]
    pass_time(hours=24)
    send_due()
    assert states(Transfer.state) == ["done"]
    assert "seller" not in accounts()


def unanswered_reversal(shared, pass_time, *, made=True):
    send_due()
    with lost("reverse_transfer", made=made):
        give(shared, 1000)
        news()
    pass_time(hours=24)
    assert states(Reversal.state) == ["wanted"]
    return db.session.scalar(select(Reversal.id))


def test_what_came_back_stands_in_the_books(shared, pass_time):
    reversal = unanswered_reversal(shared, pass_time)
    owed = accounts()["seller"]
    went, code = there("transfer"), there("reversal")
    assert refused("reversal", reversal) == f"The payment company's statement shows it: look at {went} there."
    end("reversal", reversal, code)
    assert (owed < 0, states(Reversal.state), "seller" in accounts()) == (True, ["done"], False)
    assert refused("reversal", reversal, code) == "This was settled already: it is done."
    assert audited() == [(f"reversal {reversal}", LOOKED, {"it is": code})]


def test_what_did_not_come_back_is_owed_and_asked_for_with_a_new_key(shared, pass_time):
    reversal = unanswered_reversal(shared, pass_time, made=False)
    end("reversal", reversal)
    assert states(Reversal.state) == ["owed"]
    pass_time(hours=24)
    reversals.call_due()
    db.session.commit()
    news()
    assert (states(Reversal.state), states(Reversal.key)[0][-3:]) == (["done"], ":n2")
    assert "seller" not in accounts()


# The command


def test_the_command_settles_and_says_what_it_refuses(app, silent):
    _purchase, attempt = silent()
    code = there("payment")
    let_go()
    run = app.test_cli_runner().invoke

    def settle(*more):
        told = run(args=["settle", "attempt", str(attempt), *more])
        return told.exit_code, told.output.splitlines()[-1]

    assert settle("--it-is", code)[0] == 2  # without a reason
    assert settle("--because", LOOKED) == (2, "Error: Say one of the two: --it-is ID or --nothing.")
    assert settle("--nothing", "--it-is", code, "--because", LOOKED)[0] == 2
    assert settle("--it-is", code, "--because", LOOKED) == (0, "It is settled, and stands in the audit.")
    assert settle("--it-is", code, "--because", LOOKED) == (1, "Error: This was settled already: it is paid.")
    db.session.expire_all()
    assert states(Order.status) == ["paid"]
    assert db.session.scalar(select(PayoutAccount.id)) is None


def test_a_gateway_that_does_not_answer_settles_nothing(app, silent):
    _purchase, attempt = silent()
    code = there("payment")
    let_go()
    with lost("get_payment"):
        told = app.test_cli_runner().invoke(args=["settle", "attempt", str(attempt), "--it-is", code, "--because", "x"])
    assert (told.exit_code, told.output) == (
        1,
        "Error: The payment company does not answer: UnreachableError('get_payment')\n",
    )
    assert (states(PaymentAttempt.state), audited()) == (["submitting"], [])
