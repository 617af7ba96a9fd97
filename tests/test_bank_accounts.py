"""Where a seller's money goes: sealed, checked with the bank, changed under four eyes while payouts wait a week."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text, update
from werkzeug.exceptions import TooManyRequests

from shop import (
    accounts,
    audit,
    bank_accounts,
    checklist,
    clock,
    gateways,
    jobs,
    look_ups,
    marks,
    payees,
    payouts,
    sellers,
    vault,
)
from shop.checklist import Item, State
from shop.database import db
from shop.errors import Refused
from shop.gateways.bank_sandbox import SILENT
from shop.models import BankAccount, Job, LookUpKind, Profile, Role, RoleGrant, Seller, SentMail, User, Vetting
from tests import disk
from tests.bookkeeping import bought, payable, send_due
from tests.cast import a_seller
from tests.test_transfers import sent

pytestmark = pytest.mark.usefixtures("at_the_desk")
MATCH, CLOSE, NO_MATCH = "NL91 ABNA 0417 1643 00", "NL39RABO0300065264", "NL20INGB0001234567"
UNKNOWN = "NL02ABNA0123456789"  # the sandbox has no answer for it
OWN = "Looked at a statement of the bank: it is theirs."


def person(name, *roles):
    now = clock.now()
    user = User(email=f"{name}@example.com", name=name.title(), password_hash="none", created_at=now, confirmed_at=now)
    user.roles = [RoleGrant(role=role, granted_at=now) for role in roles]
    db.session.add(user)
    db.session.commit()
    return accounts.as_actor(user)


@pytest.fixture
def rex():
    return person("rex", Role.MODERATOR)


@pytest.fixture
def mina():
    """Mina, who applies; `seller` is her application."""
    owner = person("mina")
    seller = a_seller("mina", "Atelier Mina", vetting=Vetting.DRAFT)
    seller.profile.user_id = owner.id
    db.session.add(seller)
    db.session.commit()
    return SimpleNamespace(person=owner, seller=seller)


@pytest.fixture
def selling(mina):
    """Mina, who is approved, and is paid on the account that ends in 4300."""
    bank_accounts.give(mina.seller, iban=MATCH, holder="Atelier Mina", by=mina.person)
    mina.seller.vetting = Vetting.APPROVED
    db.session.commit()
    return mina


def changed(to, holder="Mina de Groot"):
    """Mina asks to be paid elsewhere."""
    seller = db.session.scalars(select(Seller)).one()
    mina = accounts.as_actor(seller.profile.user)
    verdict = bank_accounts.change(seller, iban=to, holder=holder, by=mina)
    db.session.commit()
    return verdict


def seen():
    return bank_accounts.stamp(bank_accounts.waiting()[0])


def stands():
    """Each account: its state and last four, in the order in which they were given."""
    rows = select(BankAccount.state, BankAccount.last4).order_by(BankAccount.id)
    return [tuple(row) for row in db.session.execute(rows)]


def item(seller):
    return next(step.state for step in checklist.of(seller) if step.item == Item.BANK)


# The first one


def test_the_account_of_an_application_is_kept_by_its_last_four_and_the_item_is_given(mina):
    assert item(mina.seller) == State.MISSING
    verdict = bank_accounts.give(mina.seller, iban=MATCH, holder=" Atelier  Mina ", by=mina.person)
    db.session.commit()
    [row] = bank_accounts.of(mina.seller.id)
    assert verdict.result == "match"
    assert (row.last4, row.country, row.holder, row.payee_check) == ("4300", "NL", "Atelier Mina", "match")
    assert (row.bank, row.bic) == ("ABN AMRO BANK N.V.", "ABNANL2A")
    assert payees.opened(row.id) == "NL91ABNA0417164300"
    assert item(mina.seller) == State.GIVEN
    assert look_ups.latest(mina.seller)[LookUpKind.PAYEE][1:4] == ("sandbox", "4300", "match")


def test_until_it_is_decided_another_one_takes_its_place_without_a_trace_and_what_was_accepted_is_open_again(mina, rex):
    bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person)
    checklist.judge(mina.seller, Item.BANK, "accepted", by=rex)
    bank_accounts.give(mina.seller, iban=NO_MATCH, holder="Mina", by=mina.person)
    db.session.commit()
    assert stands() == [("current", "4567")]
    assert item(mina.seller) == State.GIVEN


@pytest.mark.parametrize(
    ("iban", "holder", "words"),
    [
        ("NL91 ABNA 0417 1643 01", "Mina", "The check figures do not fit"),
        ("", "Mina", "Fill in the IBAN"),
        (MATCH, " ", "Fill in on whose name the account is"),
        (MATCH, "x" * 121, "Fill in on whose name the account is"),
    ],
)
def test_what_is_filled_in_wrong_is_told_and_nothing_is_kept(mina, iban, holder, words):
    with pytest.raises(Refused, match=words) as no:
        bank_accounts.give(mina.seller, iban=iban, holder=holder, by=mina.person)
    assert no.value.status == 422
    assert stands() == []


@pytest.mark.parametrize("vetting", [Vetting.APPROVED, Vetting.SUSPENDED, Vetting.REFUSED])
def test_after_the_decision_the_first_one_stays(mina, vetting):
    bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person)
    mina.seller.vetting = vetting
    db.session.commit()
    with pytest.raises(Refused, match="cannot be changed in this way now"):
        bank_accounts.give(mina.seller, iban=NO_MATCH, holder="Mina", by=mina.person)
    assert stands() == [("current", "4300")]


# What the bank says


@pytest.mark.parametrize(
    ("iban", "result", "name"),
    [(MATCH, "match", ""), (CLOSE, "close", "Mina de Groot-Bakker"), (NO_MATCH, "no_match", ""),
     (UNKNOWN, "cannot_check", ""), (SILENT, "cannot_check", "")],
)  # fmt: skip
def test_the_bank_is_asked_on_whose_name_it_is(mina, iban, result, name):
    assert bank_accounts.give(mina.seller, iban=iban, holder="Mina de Groot", by=mina.person) == (result, name)
    [row] = bank_accounts.of(mina.seller.id)
    assert (row.payee_check, row.payee_name) == (result, name)


def test_a_name_that_the_bank_says_of_an_account_that_does_not_fit_is_not_kept(mina, monkeypatch):
    class Talkative:
        name = "talkative"

        def check(self, iban, holder):
            return gateways.bank_sandbox.Verdict("no_match", "Somebody Else")

    monkeypatch.setattr(gateways, "bank", Talkative)
    assert bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person) == ("no_match", "")


def test_nobody_to_ask_is_cannot_be_checked(mina, app, monkeypatch):
    monkeypatch.setitem(app.config, "BANK_CHECK", "off")
    assert bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person).result == "cannot_check"
    assert look_ups.latest(mina.seller)[LookUpKind.PAYEE].source == "nobody"


def test_who_is_nearly_called_so_takes_the_bank_s_name_and_it_matches(mina):
    bank_accounts.give(mina.seller, iban=CLOSE, holder="Mina de Groot", by=mina.person)
    bank_accounts.take_name(mina.seller)
    [row] = bank_accounts.of(mina.seller.id)
    assert (row.holder, row.payee_check, row.payee_name) == ("Mina de Groot-Bakker", "match", "")
    with pytest.raises(Refused, match="just changed"):
        bank_accounts.take_name(mina.seller)


def test_a_bank_is_not_asked_names_without_end(mina):
    for _time in range(10):
        bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person)
    with pytest.raises(TooManyRequests):
        bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person)


def test_where_it_could_not_be_checked_the_clock_asks_again_while_somebody_decides(mina, monkeypatch, pass_time):
    bank_accounts.give(mina.seller, iban=UNKNOWN, holder="Mina", by=mina.person)
    db.session.commit()
    payees.ask_again()
    assert jobs.waiting(payees.look_again) == []  # a draft: nobody decides on it yet
    mina.seller.vetting = Vetting.WAITING
    db.session.commit()
    payees.ask_again()
    [told] = jobs.waiting(payees.look_again)
    assert list(told) == ["account"]
    monkeypatch.setitem(gateways.bank_sandbox.TABLE, UNKNOWN, gateways.bank_sandbox.TABLE[CLOSE])
    db.session.commit()
    jobs.run_due()
    [row] = bank_accounts.of(mina.seller.id)
    assert (row.payee_check, row.payee_name) == ("close", "Mina de Groot-Bakker")
    payees.ask_again()
    assert jobs.waiting(payees.look_again) == []


# Another one


def test_a_change_waits_and_the_old_account_stays_the_one(selling):
    assert changed(NO_MATCH).result == "no_match"
    assert stands() == [("current", "4300"), ("waiting", "4567")]
    current, waits = bank_accounts.of(selling.seller.id)
    assert (current.frozen_until, waits.frozen_until) == (None, waits.set_at + timedelta(days=7))
    [row] = bank_accounts.waiting()
    assert (row.handle, row.old_last4, row.last4, row.payee_check) == ("mina", "4300", "4567", "no_match")


def test_both_mailboxes_are_told_with_what_to_do_when_it_was_somebody_else(selling, letters):
    letters()
    changed(NO_MATCH)
    mails = letters()
    assert sorted(mail["To"] for mail in mails) == ["mina@example.com", "mina@shop.example"]
    for mail in mails:
        words = mail.get_body(("plain",)).get_content()
        for said in ("ends in 4567", "ends in 4300", "Was it not you?", "/reset", "/seller/bank"):
            assert said in words


def test_a_second_change_takes_the_place_of_the_first_and_freezes_anew(selling, pass_time):
    changed(NO_MATCH)
    pass_time(days=5)
    changed(CLOSE)
    assert stands() == [("current", "4300"), ("replaced", "4567"), ("waiting", "5264")]
    assert payouts.payee(selling.person.id).frozen_until == clock.now() + timedelta(days=7)


def test_the_same_account_again_is_no_change(selling):
    with pytest.raises(Refused, match="paid on this account already"):
        changed(MATCH, "Atelier Mina")
    assert stands() == [("current", "4300")]
    assert payouts.payee(selling.person.id).frozen_until is None


@pytest.mark.parametrize("vetting", [Vetting.DRAFT, Vetting.WAITING, Vetting.REFUSED, Vetting.SUSPENDED])
def test_only_who_sells_changes_it(selling, vetting):
    selling.seller.vetting = vetting
    db.session.commit()
    with pytest.raises(Refused, match="cannot be changed in this way now"):
        changed(NO_MATCH)
    assert stands() == [("current", "4300")]


def test_a_moderator_confirms_and_from_then_on_it_is_the_one(selling, rex, letters):
    changed(NO_MATCH)
    letters()
    bank_accounts.confirm("mina", seen=seen(), by=rex, reason=OWN)
    db.session.commit()
    assert stands() == [("replaced", "4300"), ("current", "4567")]
    last = audit.about("seller:mina")[-1]
    assert (last.action, last.actor_id, last.reason) == ("bank account confirmed", rex.id, OWN)
    assert (last.before, last.after) == ({"last4": "4300"}, {"last4": "4567"})
    db.session.commit()
    assert [mail["Subject"] for mail in letters()] == ["Your new account is in use"] * 2


def test_a_moderator_refuses_and_everything_is_as_it_was(selling, rex, letters):
    changed(NO_MATCH)
    letters()
    bank_accounts.refuse("mina", seen=seen(), by=rex, reason="The bank says that it is somebody else's.")
    db.session.commit()
    assert stands() == [("current", "4300"), ("refused", "4567")]
    assert payouts.payee(selling.person.id).frozen_until is None
    db.session.commit()
    assert "somebody else's" in letters()[0].get_body(("plain",)).get_content()


@pytest.mark.parametrize("decide", ["confirm", "refuse"])
def test_nobody_decides_on_their_own_account_without_a_reason_or_on_what_they_did_not_see(selling, rex, decide):
    changed(NO_MATCH)
    decide, was = getattr(bank_accounts, decide), seen()
    owner = accounts.Person(selling.person.id, "Mina", "", frozenset((Role.MODERATOR,)))
    with pytest.raises(Refused, match="for another moderator"):
        decide("mina", seen=was, by=owner, reason=OWN)
    with pytest.raises(Refused, match="a reason has at least"):
        decide("mina", seen=was, by=rex, reason="ok")
    changed(CLOSE)
    with pytest.raises(Refused, match="just changed"):
        decide("mina", seen=was, by=rex, reason=OWN)
    assert stands() == [("current", "4300"), ("replaced", "4567"), ("waiting", "5264")]


def test_a_change_is_decided_once(selling, rex):
    changed(NO_MATCH)
    was = seen()
    bank_accounts.confirm("mina", seen=was, by=rex, reason=OWN)
    for decide in (bank_accounts.confirm, bank_accounts.refuse):
        with pytest.raises(Refused, match="just changed"):
            decide("mina", seen=was, by=rex, reason=OWN)
    assert stands() == [("replaced", "4300"), ("current", "4567")]


def test_mina_takes_it_back_and_payouts_go_on(selling):
    changed(NO_MATCH)
    bank_accounts.withdraw(selling.seller, by=selling.person)
    db.session.commit()
    assert stands() == [("current", "4300"), ("refused", "4567")]
    assert payouts.payee(selling.person.id).frozen_until is None


def test_the_account_of_who_was_refused_is_known_again_and_a_withdrawn_one_is_not(selling):
    db.session.execute(update(Seller).values(vetting=Vetting.APPROVED))
    other = a_seller("koopjes", "Koopjes", vetting=Vetting.DRAFT, email="x@y.example")
    db.session.add(other)
    db.session.commit()
    bank_accounts.give(other, iban=MATCH, holder="Koopjes", by=selling.person)
    db.session.commit()
    assert [(twin.kind, twin.handle) for twin in marks.twins(other)] == [("iban", "mina")]
    changed_back = bank_accounts.change(selling.seller, iban=NO_MATCH, holder="Mina", by=selling.person)
    assert (changed_back.result, marks.twins(other)) == ("no_match", [])
    bank_accounts.withdraw(selling.seller, by=selling.person)
    assert [(twin.kind, twin.handle) for twin in marks.twins(other)] == [("iban", "mina")]


@pytest.mark.parametrize(
    ("was", "becomes", "how"), [("approved", "suspended", "change"), ("draft", "approved", "give")]
)
def test_who_was_stopped_or_approved_while_the_bank_answered_changes_nothing(selling, monkeypatch, was, becomes, how):
    class Slow:
        name = "slow"

        def check(self, iban, holder):
            db.session.execute(update(Seller).values(vetting=becomes))
            db.session.commit()
            return gateways.bank_sandbox.Verdict("match")

    selling.seller.vetting = was
    db.session.commit()
    monkeypatch.setattr(gateways, "bank", Slow)
    with pytest.raises(Refused, match="cannot be changed in this way now"):
        getattr(bank_accounts, how)(selling.seller, iban=NO_MATCH, holder="Mina", by=selling.person)
    db.session.rollback()
    assert stands() == [("current", "4300")]


def test_of_changes_at_the_same_moment_one_waits(selling, app):
    def ask(iban):
        with app.test_request_context(method="POST"):
            changed(iban)

    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(ask, [NO_MATCH, CLOSE, UNKNOWN, "BE68539007547034"]))
    assert sorted(state for state, _last4 in stands()) == ["current", "replaced", "replaced", "replaced", "waiting"]


def test_the_account_of_who_leaves_is_no_longer_the_one_and_is_shredded_later(selling, pass_time):
    changed(NO_MATCH)
    sellers.leave(selling.person)
    db.session.commit()
    assert stands() == [("replaced", "4300"), ("replaced", "4567")]
    pass_time(days=184)
    payees.shred_due()
    assert db.session.scalars(select(BankAccount.wrapped_key)).all() == [None, None]


# Payouts wait


def test_a_transfer_that_is_due_waits_for_the_week_and_goes_after_it(mug, pass_time):
    seller = db.session.scalars(select(Seller)).one()
    payable(seller.id)
    bought({mug.small: 1})
    pass_time(days=17)
    changed(NO_MATCH)
    send_due()
    assert sent() == [("waiting", 0)]
    assert payouts.standing("seller", seller.id)[:2] == (0, 2722)  # it is on hold, and not lost
    pass_time(days=6, hours=23)
    send_due()
    assert sent() == [("waiting", 0)]
    pass_time(hours=2)
    send_due()
    assert sent() == [("done", 2722)]


def test_a_transfer_that_was_asked_for_before_the_change_waits_too(mug, pass_time):
    from shop import transfers

    seller = db.session.scalars(select(Seller)).one()
    payable(seller.id)
    bought({mug.small: 1})
    pass_time(days=17)
    transfers.send_due()
    db.session.commit()
    changed(NO_MATCH)
    jobs.run_due()
    assert sent() == [("waiting", 0)]


# Sealed


def test_another_seller_s_seal_does_not_open_and_a_rotation_wraps_it_anew(selling):
    [row] = bank_accounts.of(selling.seller.id)
    before = db.session.scalars(select(BankAccount.key_id)).one()
    vault.add_key()
    assert vault.rewrap() == 1
    db.session.commit()
    assert db.session.scalars(select(BankAccount.key_id)).one() != before
    assert payees.opened(row.id) == "NL91ABNA0417164300"
    db.session.execute(update(BankAccount).values(last4="4301"))
    with pytest.raises(vault.BrokenSealError):
        payees.opened(row.id)


def test_what_is_no_longer_used_is_shredded_after_half_a_year_and_the_one_in_use_is_not(selling, rex, pass_time):
    changed(NO_MATCH)
    bank_accounts.confirm("mina", seen=seen(), by=rex, reason=OWN)
    db.session.commit()
    pass_time(days=184)
    payees.shred_due()
    db.session.commit()
    old, new = db.session.execute(select(BankAccount.wrapped_key, BankAccount.holder).order_by(BankAccount.id)).all()
    assert (old, new.holder) == ((None, ""), "Mina de Groot")
    assert new.wrapped_key is not None
    with pytest.raises(LookupError):
        payees.opened(db.session.scalars(select(BankAccount.id).order_by(BankAccount.id)).first())


@pytest.mark.parametrize(("vetting", "days"), [(Vetting.REFUSED, 91), (Vetting.DRAFT, 181)])
def test_the_account_of_who_was_refused_or_never_sent_it_in_goes_with_their_papers(mina, vetting, days, pass_time):
    bank_accounts.give(mina.seller, iban=MATCH, holder="Mina", by=mina.person)
    mina.seller.vetting = vetting
    db.session.commit()
    pass_time(days=days)
    payees.shred_due()
    assert stands() == [("replaced", "4300")]
    assert db.session.scalars(select(BankAccount.wrapped_key)).one() is None


CANARY = ("NL69INGB0123456789", "DE89370400440532013000")  # one whose bank does not answer, and one that matches


def test_the_number_stands_nowhere_but_sealed(selling, rex, app, letters, capsys, caplog):
    """In no table, no job, no mail and no line of the log: given, asked about again, changed, confirmed."""
    mails = ""
    for iban in CANARY:
        changed(iban)
        payees.ask_again()
        db.session.commit()
        mails += "".join(mail.as_string() for mail in letters())
        bank_accounts.confirm("mina", seen=seen(), by=rex, reason=OWN)
        db.session.commit()
        mails += "".join(mail.as_string() for mail in letters())
    told = mails + "".join(capsys.readouterr()) + caplog.text + everything()
    logs = disk.bytes_of(app_files(app)).decode(errors="replace")
    for iban in CANARY:
        assert iban[-4:] in told  # we did look where something is
        assert iban[4:] not in told.upper().replace(" ", "")
        assert iban not in logs


def everything():
    """All rows of all tables, as text; bytes as they are."""
    assert all(db.session.scalars(select(column)).first() for column in (Job.id, SentMail.about, Profile.id))
    return "\n".join(
        bytes(cell).decode("latin-1") if isinstance(cell, bytes | memoryview) else json.dumps(cell, default=str)
        for name in db.metadata.tables
        for row in db.session.execute(text(f'SELECT * FROM "{name}"'))
        for cell in row
    )


def app_files(app):
    kinds = (".eml", ".txt", ".json", ".db", ".sqlite3")
    return [file for file in Path(app.instance_path).rglob("*") if file.is_file() and file.suffix in kinds]


def test_an_account_that_breaks_while_it_is_kept_is_not_in_the_report(mina, monkeypatch, capsys):
    """What a crash writes about itself goes through the same blackening as every line of the log."""
    from shop.logs import blacken

    def broken(*_given):
        raise RuntimeError(f"cannot keep {CANARY[1]} and de89 3704 0044 0532 0130 00".upper())

    monkeypatch.setattr(payees, "bank_of", broken)
    with pytest.raises(RuntimeError) as crash:
        bank_accounts.give(mina.seller, iban=CANARY[1], holder="Mina", by=mina.person)
    assert "3704" not in blacken(str(crash.value))
    assert CANARY[1] not in capsys.readouterr().out
