"""Break the rules of the money in every small way; a test has to notice: `python -m tools.mutants [FILE...]`.

mutmut makes the mutants, of the files that `pyproject.toml` names unless others are given; `tools/herd.py`, a plugin of
pytest, lets the tests look at one after the other. At the end stands how many were noticed, and each that was not.
With `--sample N` no more than N of a file; with `--again` only those that nobody noticed yet; with `--patience S` no
more tests look at one than take S seconds together. They are asked in an order drawn by chance, a file's after each
other: what was found when a run is broken off is a fair sample, it is kept in `mutants/found.jsonl`, and `--again`
goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from math import inf, sqrt
from pathlib import Path

import pytest
from mutmut.mutation.data import MutantLineSpans
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents

from tools.herd import CHANCE, KILLED, Found, Herd

ROOT = Path(__file__).resolve().parent.parent
STABLE = ROOT / "mutants"  # where mutmut looks for what it made
FOUND = STABLE / "found.jsonl"
COPIED = ("app.py", "pyproject.toml", "demo", "shop", "tests", "tools")
NOT_COPIED = shutil.ignore_patterns("node_modules", "__pycache__", "instance")


def main() -> int:
    """Make the mutants, let the tests look at them, and tell; 1 when the shop fails without any of them."""
    asked = _asked()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    before = list(_read(FOUND)) if asked.again else []
    _copy_the_shop()
    files = [*asked.files, *asked.in_turn] or settings["only_mutate"]
    mutants = {file: _break(file) for file in files}
    found = {one.mutant: one for one in before if one.source == _state_of(_file_of(one.mutant))}
    with FOUND.open("w") as kept:
        kept.writelines(f"{one.line()}\n" for one in found.values())
    drawn = {file: _drawn(names, asked.sample) for file, names in mutants.items()}
    first = chain(*(drawn[file] for file in files if file not in asked.in_turn))
    in_turn = chain(first, *zip_longest(*(drawn[file] for file in asked.in_turn)))
    broken = _run(settings, [name for name in in_turn if name and not _is_noticed(found.get(name))], asked.patience)
    found |= {one.mutant: one for one in _read(FOUND)}
    _tell(mutants, drawn, found)
    return broken


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").splitlines()[0])
    words.add_argument("files", nargs="*", metavar="FILE")
    words.add_argument("--sample", type=int, default=0, metavar="N")
    words.add_argument("--again", action="store_true")
    words.add_argument("--patience", type=float, default=inf, metavar="S")
    words.add_argument("--in-turn", nargs="*", default=[], metavar="FILE", help="then one of each of these, and so on")
    return words.parse_args()


def _copy_the_shop() -> None:
    """The mutants live in a copy, so that one can go on working meanwhile."""
    STABLE.mkdir(exist_ok=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.rmtree(STABLE / name, ignore_errors=True)
            shutil.copytree(ROOT / name, STABLE / name, ignore=NOT_COPIED)
        else:
            shutil.copy2(ROOT / name, STABLE / name)


def _break(file: str) -> list[str]:
    """Put all mutants of a file beside its functions, in the copy; gives their names."""
    broken = mutate_file_contents(file, (ROOT / file).read_text())
    (STABLE / file).write_text(broken.code)
    MutantLineSpans(path=file, span_by_function_name=broken.line_span_by_function_name).save()
    module = file.removesuffix(".py").replace("/", ".")
    return [f"{module}.{name}" for name in broken.mutant_names]


def _file_of(mutant: str) -> str:
    return mutant.rpartition(".")[0].replace(".", "/") + ".py"


def _state_of(file: str) -> str:
    """A mutant is known by its number: of a file that was changed since, nothing is known."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:12]


def _drawn(names: list[str], sample: int) -> list[str]:
    """So many of them, or all, in an order by chance."""
    mixed = random.Random(CHANCE).sample(names, len(names))  # noqa: S311
    return mixed[: sample or len(names)]


def _is_noticed(found: Found | None) -> bool:
    return found is not None and found.end in KILLED


def _run(settings: dict[str, list[str]], mutants: list[str], patience: float) -> int:
    """In the copy, and in this process: what is forked has everything loaded."""
    sys.path[:] = [str(STABLE), *(place for place in sys.path if Path(place).resolve() != ROOT)]
    os.chdir(STABLE)
    given = [*settings["pytest_add_cli_args"], *settings["pytest_add_cli_args_test_selection"]]
    herd = Herd(mutants, lambda found: _keep(found, _state_of(_file_of(found.mutant))), patience)
    # Nobody reads why a test failed, and to tell it nicely takes longer than the test.
    alone = ["-q", "--tb=native", "-p", "no:xdist", "-p", "no:playwright", "-p", "no:base_url"]
    try:
        return int(pytest.main([*alone, *given], [herd]))
    finally:
        os.chdir(ROOT)
        print("\n".join(f"left out, it fails where nothing is broken: {test}" for test in herd.left_out))


def _keep(found: Found, source: str) -> None:
    with FOUND.open("a") as kept:
        kept.write(f"{found.of(source).line()}\n")


def _read(path: Path) -> Iterator[Found]:
    lines = path.read_text().splitlines() if path.exists() else []
    return (Found(**json.loads(line)) for line in lines)


def _tell(mutants: dict[str, list[str]], drawn: dict[str, list[str]], found: dict[str, Found]) -> None:
    """The table of docs/mutants.md, and what was changed where nobody noticed."""
    print("\n| file | mutants | measured | killed | share |\n|---|---|---|---|---|")
    for file, names in mutants.items():
        ends = [found[name].end for name in drawn[file] if name in found]
        print(f"| `{Path(file).name}` | {len(names)} | {len(ends)} | {_share(ends, len(names))} |")
    for name in (name for names in drawn.values() for name in names):
        if (one := found.get(name)) is not None and one.end not in KILLED:
            print(f"\n{one.mutant}: {one.end}\n{_change(one.mutant)}")


def _share(ends: list[str], there_are: int) -> str:
    """How many were noticed, and the share; of a sample with where the whole may lie (Wilson, 95 %)."""
    if not ends:
        return "| "
    killed, count, z = sum(end in KILLED for end in ends), len(ends), 1.96
    share = killed / count
    if count == there_are:
        return f"{killed} | {share:.1%}"
    middle, spread = share + z * z / (2 * count), z * sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    low, high = ((middle + side * spread) / (1 + z * z / count) for side in (-1, 1))
    return f"{killed} | {share:.1%} ({low:.0%}-{high:.0%})"


def _change(mutant: str) -> str:
    lines: Iterable[str] = get_diff_for_mutant(mutant, path=_file_of(mutant)).splitlines()
    return "\n".join(line for line in lines if line.startswith(("+", "-")) and not line.startswith(("+++", "---")))


if __name__ == "__main__":
    sys.exit(main())
