"""A process that must not outlive the one that started it."""

import ctypes
import os
import signal
import sys

STARTER = "MARKET_STARTED_BY"
_PR_SET_PDEATHSIG = 1


def starter() -> dict[str, str]:
    """Environment for a child, telling it who starts it."""
    return {STARTER: str(os.getpid())}


def follow(parent: int | None = None) -> None:
    """Ask the kernel to end this process (SIGTERM) when its parent is gone, even by `kill -9`.

    Without `parent`, only a process that was started with `starter()` follows.  Linux only; elsewhere an orphan has
    to be ended by hand.
    """
    named = parent or int(os.environ.get(STARTER, "0"))
    if not named or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != named:  # it was gone before we could ask
        os.kill(os.getpid(), signal.SIGTERM)
