"""What whoever asks the banks has to keep to (`gateways/bank_port.py`), tried with each adapter that there is."""

import pytest

from shop import gateways
from shop.gateways.bank_port import BankSilentError, Verdict
from shop.gateways.bank_sandbox import SILENT, SandboxPayeeCheck
from shop.models import LookUpResult
from tests.test_registers import RIGHT
from tests.test_vop import scheme  # noqa: F401  a fixture


@pytest.fixture(params=["sandbox", "vop"])
def asked(request):
    """Each adapter, with the number of an account whose bank does not answer it. A new one gets its line here."""
    return (
        (SandboxPayeeCheck(), SILENT)
        if request.param == "sandbox"
        else (request.getfixturevalue("scheme").check, SILENT)
    )


def test_an_adapter_gives_one_of_four_answers_and_a_name_only_where_it_is_nearly_right(asked):
    adapter, _silent = asked
    ibans = [iban.replace(" ", "") for iban in RIGHT.replace("\n", "|").split("|") if iban.strip()]
    answers = [adapter.check(iban, "Mina de Groot") for iban in (*ibans, "NL39RABO0300065264", "NL20INGB0001234567")]
    assert {type(answer) for answer in answers} == {Verdict}
    assert {answer.result for answer in answers} == set(LookUpResult)
    assert {bool(answer.name) for answer in answers if answer.result == LookUpResult.CLOSE} == {True}
    assert {answer.name for answer in answers if answer.result != LookUpResult.CLOSE} == {""}
    assert 0 < len(adapter.name) <= 20


def test_an_adapter_says_so_when_a_bank_does_not_answer(asked):
    adapter, silent = asked
    with pytest.raises(BankSilentError):
        adapter.check(silent, "Mina de Groot")


def test_where_nobody_was_chosen_nobody_is_asked(app, monkeypatch):
    monkeypatch.setitem(app.config, "BANK_CHECK", "off")
    with app.app_context():
        assert gateways.bank() is None
