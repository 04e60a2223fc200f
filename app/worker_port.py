"""What a worker that runs apart from web (in a container, on another machine) tells about itself: WORKER_PORT."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.middleware import Middleware

from app import health, logs, metrics
from app.request_log import RequestLog, RouteNoted
from app.settings import settings


@asynccontextmanager
async def answering(revisions: Sequence[str], is_alive: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer /healthz, /readyz and /metrics (of this process alone) for as long as the context lasts."""
    given = settings()
    if given.worker_port is None:
        yield
        return
    server = Server(
        application(revisions, is_alive),
        address=given.host,
        port=given.worker_port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=logs.GRANIAN,
    )
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        with suppress(asyncio.CancelledError):
            await serving


def application(revisions: Sequence[str], is_alive: Callable[[], bool]) -> FastAPI:
    """The worker's own small application; it asks the database nothing about the trade, for web does."""
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, middleware=[Middleware(RequestLog), Middleware(RouteNoted)]
    )
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.state.revisions = revisions
    app.state.neighbours = health.neighbours()
    app.state.asked = metrics.Asked(())
    app.state.is_alive = is_alive
    return app
