"""Run a program on a short lead: this file is started by `child.run`, limits itself, and becomes that program.

It is a script and not a `preexec_fn`, because a fork inside a server with threads may hang. What it sets cannot be
undone by the program: time, memory, size and number of files, no core dump, no network, and death with its parent.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


def become(parent: int, limits: list[int], command: list[str]) -> None:
    """Put on the lead and turn into `command`; die at once if `parent` has died meanwhile."""
    cpu, memory, largest_file, nice = limits
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)  # no network at all; some kernels and containers do not allow it
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after unshare, which would forget it
        if os.getppid() != parent:
            os._exit(1)
    with contextlib.suppress(ValueError, OSError) if sys.platform == "darwin" else contextlib.nullcontext():
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(nice)
    os.execv(command[0], command)  # noqa: S606  an argument list, no shell


if __name__ == "__main__":
    parent, *limits = map(int, sys.argv[1:6])
    become(parent, limits, sys.argv[6:])
