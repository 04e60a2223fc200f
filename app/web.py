"""The web processes: granian over `app.main`."""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

from granian._internal import load_target
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from app import home, logs, meters, processes
from app.settings import settings

MODULE = "app.main"
MOST_REQUESTS_AT_ONCE = 256
"""Per process.  Further connections wait in the kernel's queue rather than for a database connection."""
STOP_SECONDS = 15
"""How long requests in flight may take once we are asked to stop."""


def serve() -> None:
    """Serve until SIGTERM or SIGINT; requests in flight end first."""
    meters.share(settings().market_home)
    import_module(MODULE)  # once, before granian forks: the processes share it, and a new one is there at once
    given = settings()
    server = Server(
        f"{MODULE}:app",
        address=given.host,
        port=given.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,  # a proxy in front speaks HTTP/2 and TLS with the world
        websockets=False,
        workers=given.web_processes,
        loop=Loops.uvloop,
        backlog=2048,
        backpressure=MOST_REQUESTS_AT_ONCE,
        respawn_failed_workers=True,
        respawn_interval=0,
        workers_kill_timeout=STOP_SECONDS,
        log_dictconfig=logs.GRANIAN,
        log_level=LogLevels.debug if given.log_level == "DEBUG" else LogLevels.warning,
    )
    server.serve(target_loader=_loader(os.getpid()))


def _loader(parent: int) -> Callable[[str], Any]:
    def load(target: str) -> Any:
        """Runs in each process that granian forks: none of them may go on when granian itself was killed."""
        processes.follow(parent)
        # Until it serves, a process would take SIGTERM with the handler inherited from granian, and never end.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return load_target(target)

    return load


if __name__ == "__main__":
    processes.begin()
    with home.opened():
        serve()
