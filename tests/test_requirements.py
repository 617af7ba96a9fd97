"""The shop is light: few packages of its own choice, each pinned, and little to install."""

import shutil
import subprocess
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MOST_DIRECT, MOST_MEGABYTES = 24, 450
FOR_VETTING = {"pyotp", "pypdfium2", "python-stdnum", "schwifty", "webauthn"}  # five more, for who may sell


def listed(file: str) -> list[list[Requirement]]:
    """The parts of a requirements file: what was chosen, and what that needs."""
    parts = (ROOT / file).read_text().split("\n\n")
    return [[Requirement(line) for line in part.splitlines() if line[:1].isalnum()] for part in parts]


def test_there_are_at_most_24_direct_packages_and_five_for_vetting():
    chosen, needed = listed("requirements.txt")
    assert {one.name for one in chosen} >= FOR_VETTING
    assert len(chosen) - len(FOR_VETTING) <= MOST_DIRECT
    assert {canonicalize_name(one.name) for one in chosen} & {canonicalize_name(one.name) for one in needed} == set()


def test_every_package_is_pinned():
    every = [one for file in ("requirements.txt", "requirements-dev.txt") for part in listed(file) for one in part]
    assert [one.name for one in every if [pin.operator for pin in one.specifier] != ["=="]] == []


def test_whatever_a_package_needs_is_pinned_too():
    pinned = {canonicalize_name(one.name): one for part in listed("requirements.txt") for one in part}
    missing = set()
    for one in pinned.values():
        for line in distribution(one.name).requires or ():
            wanted = Requirement(line)
            extras = one.extras or {""}
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
                missing |= {canonicalize_name(wanted.name)} - pinned.keys()
    assert missing == set()


def test_what_runs_weighs_at_most_450_megabytes():
    """As `du -m` counts, without what Python compiles for itself (the Makefile installs with --no-compile)."""
    files = [file for part in listed("requirements.txt") for one in part for file in distribution(one.name).files or ()]
    paths = {Path(file.locate()) for file in files if file.suffix != ".pyc"}
    weight = sum(path.stat().st_size for path in paths if path.exists()) / 2**20
    assert 100 < weight <= MOST_MEGABYTES


def test_where_python_cannot_make_an_environment_it_says_what_to_install(tmp_path):
    """Debian and Ubuntu have `venv` in a package of its own, and Python's own words for that are ten lines."""
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    ran = subprocess.run(
        ["make", ".venv/runs", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "sudo apt install python3-venv" in ran.stdout) == (2, True)
    assert not (tmp_path / ".venv").exists()
