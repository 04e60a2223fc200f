"""What every process of the market does first: speak in one form, and not outlive the one that started it."""

import ctypes
import os
import signal
import sys

from app import logs

STARTER = "MARKET_STARTED_BY"
_PR_SET_PDEATHSIG = 1


def begin() -> None:
    """Set up logging, and follow whoever started this process with `starter()`."""
    logs.set_up()
    follow(int(os.environ.get(STARTER, "0")))


def starter() -> dict[str, str]:
    """Environment for a child, telling it who starts it."""
    return {STARTER: str(os.getpid())}


def follow(parent: int) -> None:
    """Ask the kernel to end this process (SIGTERM) when its parent is gone, even by `kill -9`; 0 is nobody.

    Linux only; elsewhere an orphan has to be ended by hand.
    """
    if not parent or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before we could ask
        os.kill(os.getpid(), signal.SIGTERM)
