"""What is said of mutants: of a sample with where the whole may lie, and of no state of a file but the present one."""

from tools import mutants
from tools.herd import NOTICED, SURVIVED, TOO_SLOW, UNREACHED, Found


def test_a_share_of_the_whole_is_exact_and_of_a_sample_has_its_bounds():
    assert mutants._share([NOTICED] * 46 + [TOO_SLOW, SURVIVED], 48) == "47 | 97.9%"
    assert mutants._share([NOTICED] * 116 + [SURVIVED] * 2 + [UNREACHED], 322) == "116 | 97.5% (93%-99%)"


def test_a_draw_can_be_repeated():
    names = [f"shop.stock.x_hold__mutmut_{n}" for n in range(50)]
    assert mutants._drawn(names, 5) == mutants._drawn(names, 5) != names[:5]
    assert len(set(mutants._drawn(names, 5))) == 5
    assert sorted(mutants._drawn(names, 0)) == sorted(names)
    assert mutants._drawn(names, 0)[:5] == mutants._drawn(names, 5)


def test_only_what_was_noticed_need_not_be_asked_again():
    ends = (NOTICED, TOO_SLOW, SURVIVED, UNREACHED)
    assert [mutants._is_noticed(Found("shop.money.x_split__mutmut_1", end)) for end in ends] == [
        True,
        True,
        False,
        False,
    ]
    assert not mutants._is_noticed(None)


def test_a_mutant_belongs_to_a_file_and_to_how_it_was_then(tmp_path, monkeypatch):
    assert mutants._file_of("shop.money.xǁMoneyǁsplit__mutmut_3") == "shop/money.py"
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    file = tmp_path / "rule.py"
    file.write_text("def rule(): return 1\n")
    before = mutants._state_of("rule.py")
    file.write_text("def rule(): return 2\n")
    assert mutants._state_of("rule.py") != before
